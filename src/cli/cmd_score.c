/* shortgpt score: each layer's influence. */
#include "command.h"
#include "signals.h"

int cmd_score(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_score *score = NULL;
    texts t = {0};
    char *json = NULL, *table = NULL;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1}, page = {.fd = -1};
    progress p;
    int rc = require_one_model(o, err);
    if (rc)
        return rc;
    progress_init(&p, style.utf8, o->quiet);
    if ((rc = sg_model_open(&model, o->models[0], err)) || (rc = texts_read(&t, o, err)))
        goto out;

    signals_install(); /* only now: until stdin is read, Ctrl-C just ends us */
    sg_choose_opts opts;
    if ((rc = choose_options(&opts, o, sg_model_get_info(model)->layers, &t, &p, err)) ||
        (rc = sink_open(&s, o->json, err)) || (rc = page_open(&page, o, err)))
        goto out;
    opts.run.similarity = o->report;
    rc = sg_score_by(&score, model, &opts, err);
    progress_clear(&p);
    if (rc || ((s.json || page.json) && (rc = sg_score_json(model, score, &json, err))) ||
        (s.table &&
         (rc = o->quiet ? quiet_order(&table, score, err) : sg_score_table(model, score, NULL, &style, &table, err))))
        goto out;
    if (!(rc = page_write(&page, o, json, err)))
        rc = sink_finish(&s, table, json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_score_free(score);
    texts_free(&t);
    sink_close(&s);
    sink_close(&page);
    sg_model_free(model);
    return rc;
}
