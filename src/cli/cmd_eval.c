/* shortgpt eval: perplexity and tasks of models, or of one with and without some layers. */
#include <string.h>

#include "command.h"
#include "signals.h"

typedef struct inputs {
    texts texts;
    task_list tasks;
} inputs;

/* Perplexity unless there are only tasks, tasks, speed and texts, of the model and, with n > 0, without those layers.
 */
static int measure(sg_eval **out, const options *o, sg_model *model, const int *list, size_t n, const inputs *in,
                   const sg_run_opts *run, sg_error *err)
{
    bool shown = !o->quiet || o->json || o->report; /* -q prints neither speed nor texts */
    int rc = SG_OK;
    if (o->n_texts || !in->tasks.n)
        rc = sg_eval_run(out, model, list, n, run, err);
    if (!rc && in->tasks.n)
        rc = sg_eval_tasks(out, model, list, n, (const sg_task *const *)in->tasks.list, in->tasks.n, run, err);
    if (!rc && n && shown)
        rc = sg_eval_speed(*out, model, run, err);
    if (!rc && o->sample && shown)
        rc = sg_eval_sample(*out, model, run, err);
    return rc;
}

/* Evaluates one model, with --without or --plan also without those layers, and moves its entries behind those of *all.
 */
static int evaluate(sg_eval **all, const options *o, sg_model *model, const inputs *in, const sg_run_opts *run,
                    sg_error *err)
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
        rc = measure(&eval, o, model, plan ? plan->remove : list, n, in, run, err);
    sg_layers_free(list);
    sg_plan_free(plan);
    if (!rc && *all) {
        rc = sg_eval_append(*all, eval, err);
    } else if (!rc) {
        *all = eval;
        eval = NULL;
    }
    sg_eval_free(eval);
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
    if (o->items && !strcmp(o->items, "-"))
        return usage_error(err, "--items -: expected the name of a file");
    return require_tasks(o, err);
}

/* A mistake in a later name shows before the first model runs for an hour. */
static int open_all(const options *o, sg_error *err)
{
    for (size_t i = 0; i < o->n_models; i++) {
        sg_model *model;
        int rc = sg_model_open(&model, o->models[i], err);
        if (rc)
            return rc;
        sg_model_free(model);
    }
    return SG_OK;
}

static int evaluate_all(sg_eval **all, const options *o, const inputs *in, progress *p, sg_error *err)
{
    sg_run_opts run = run_options(o, &in->texts, p);
    int rc = SG_OK;
    for (size_t i = 0; i < o->n_models && !rc; i++) {
        sg_model *model = NULL;
        rc = sg_model_open(&model, o->models[i], err);
        if (!rc)
            rc = evaluate(all, o, model, in, &run, err);
        sg_model_free(model);
        progress_clear(p);
    }
    return rc;
}

/* The files first, so that what is on stdout is all there. */
static int print(const sg_eval *all, const options *o, const sg_style *style, sink *s, sink *items, sink *page,
                 sg_error *err)
{
    char *json = NULL, *table = NULL, *lines = NULL;
    int rc = SG_OK;
    if (o->items && !(rc = sg_eval_items(all, &lines, err)))
        rc = sink_finish(items, "", lines, err);
    if (!rc && (s->json || page->json))
        rc = sg_eval_json(all, &json, err);
    if (!rc && s->table)
        rc = o->quiet ? quiet_eval(&table, all, err) : sg_eval_table(all, style, &table, err);
    if (!rc && !(rc = page_write(page, o, json, err)))
        rc = sink_finish(s, table, json, err);
    sg_string_free(lines);
    sg_string_free(json);
    sg_string_free(table);
    return rc;
}

int cmd_eval(const options *o, sg_error *err)
{
    sg_eval *all = NULL;
    inputs in = {0};
    sg_style style = terminal_style(o);
    sink s = {.fd = -1}, items = {.fd = -1}, page = {.fd = -1};
    progress p;
    int rc = check(o, err);
    if (rc)
        return rc;
    progress_init(&p, style.utf8, o->quiet);
    if (!(rc = tasks_read(&in.tasks, o, err)) && !(rc = open_all(o, err)) && !(rc = texts_read(&in.texts, o, err))) {
        signals_install(); /* only now: until stdin is read, Ctrl-C just ends us */
        if (!(rc = sink_open(&s, o->json, err)) && !(rc = page_open(&page, o, err)) && o->items)
            rc = sink_open(&items, o->items, err);
        if (!rc && !(rc = evaluate_all(&all, o, &in, &p, err)))
            rc = print(all, o, &style, &s, &items, &page, err);
    }
    sg_eval_free(all);
    texts_free(&in.texts);
    tasks_free(&in.tasks);
    sink_close(&s);
    sink_close(&items);
    sink_close(&page);
    return rc;
}
