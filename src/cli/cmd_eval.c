/* shortgpt eval: perplexity of models, or of one with and without some layers. */
#include "command.h"
#include "signals.h"

/* Evaluates one model, with --without or --plan also without those layers, and moves its entries behind those of *all.
 */
static int evaluate(sg_eval **all, const options *o, sg_model *model, const sg_run_opts *run, sg_error *err)
{
    sg_plan *plan = NULL;
    sg_eval *eval = NULL;
    int *list = NULL, rc = SG_OK;
    size_t n = 0;
    if (o->without)
        rc = sg_layers_parse(o->without, sg_model_get_info(model)->layers, &list, &n, err);
    else if (o->plan && !(rc = plan_read(&plan, o, model, err)))
        n = plan->n_remove;
    if (!rc)
        rc = sg_eval_run(&eval, model, plan ? plan->remove : list, n, run, err);
    sg_layers_free(list);
    sg_plan_free(plan);
    if (rc)
        return rc;
    if (*all) {
        rc = sg_eval_append(*all, eval, err);
        sg_eval_free(eval);
    } else {
        *all = eval;
    }
    return rc;
}

static int check(const options *o, sg_error *err)
{
    if (!o->n_models)
        return usage_error(err, "MODEL is missing: a Hugging Face directory or a .gguf file");
    if (o->plan && o->without)
        return usage_error(err, "--plan and --without say the same thing: give one of them");
    if ((o->plan || o->without) && o->n_models > 1)
        return usage_error(err, "%s goes with one MODEL, but there are %zu", o->plan ? "--plan" : "--without",
                           o->n_models);
    return SG_OK;
}

int cmd_eval(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_eval *all = NULL;
    texts t = {0};
    char *json = NULL, *table = NULL;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1}, page = {.fd = -1};
    progress p;
    int rc = check(o, err);
    if (rc)
        return rc;
    progress_init(&p, style.utf8, o->quiet);
    /* a mistake in a later name shows before the first model runs for an hour */
    for (size_t i = 0; i < o->n_models; i++) {
        if ((rc = sg_model_open(&model, o->models[i], err)))
            goto out;
        sg_model_free(model);
        model = NULL;
    }
    if ((rc = texts_read(&t, o, err)))
        goto out;

    signals_install(); /* only now: until stdin is read, Ctrl-C just ends us */
    if ((rc = sink_open(&s, o->json, err)) || (rc = page_open(&page, o, err)))
        goto out;
    sg_run_opts run = run_options(o, &t, &p);
    for (size_t i = 0; i < o->n_models && !rc; i++) {
        rc = sg_model_open(&model, o->models[i], err);
        if (!rc)
            rc = evaluate(&all, o, model, &run, err);
        sg_model_free(model);
        model = NULL;
        progress_clear(&p);
    }
    if (rc || ((s.json || page.json) && (rc = sg_eval_json(all, &json, err))) ||
        (s.table && (rc = o->quiet ? quiet_perplexities(&table, all, err) : sg_eval_table(all, &style, &table, err))))
        goto out;
    if (!(rc = page_write(&page, o, json, err)))
        rc = sink_finish(&s, table, json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_eval_free(all);
    texts_free(&t);
    sink_close(&s);
    sink_close(&page);
    sg_model_free(model);
    return rc;
}
