/* shortgpt eval: perplexity of models, or of one with and without some layers. */
#include <stdio.h>

#include "command.h"
#include "signals.h"

/* The layers of --without or --plan, for sg_layers_free; none: NULL, 0. */
static int layers_to_skip(const options *o, const sg_model *model, int **layers, size_t *n, sg_error *err)
{
    *layers = NULL;
    *n = 0;
    int count = sg_model_get_info(model)->layers;
    if (o->without)
        return sg_layers_parse(o->without, count, layers, n, err);
    if (!o->plan)
        return SG_OK;

    sg_plan *plan = NULL;
    bool same = true;
    int rc = sg_plan_read(&plan, o->plan, model, &same, err);
    if (rc)
        return rc;
    if (!same)
        print_note(o, "%s was made on other weights of the same shape, or on another format of this model", o->plan);
    /* through the notation, since the plan owns its list */
    char *list = sg_layers_format(plan->remove, plan->n_remove);
    if (list)
        rc = sg_layers_parse(list, count, layers, n, err);
    else
        rc = err->code = SG_ERR_NOMEM;
    if (!list)
        snprintf(err->message, sizeof err->message, "%s: no memory for its layers", o->plan);
    sg_string_free(list);
    sg_plan_free(plan);
    return rc;
}

/* Evaluates one model and moves its entries behind those of *all. */
static int evaluate(sg_eval **all, const options *o, sg_model *model, const sg_run_opts *run, sg_error *err)
{
    int *skip = NULL;
    size_t n = 0;
    sg_eval *eval = NULL;
    int rc = layers_to_skip(o, model, &skip, &n, err);
    if (!rc)
        rc = sg_eval_run(&eval, model, skip, n, run, err);
    sg_layers_free(skip);
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
        return usage_error(err, "%s goes with one MODEL, but there are %zu", o->plan ? "--plan" : "--without", o->n_models);
    return SG_OK;
}

int cmd_eval(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_eval *all = NULL;
    texts t = {0};
    char *json = NULL, *table = NULL;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1};
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
    if ((rc = sink_open(&s, o->json, err)))
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
    if (rc || (s.json && (rc = sg_eval_json(all, &json, err))) || (s.table && (rc = o->quiet ? quiet_perplexities(&table, all, err) : sg_eval_table(all, &style, &table, err))))
        goto out;
    rc = sink_finish(&s, table, json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_eval_free(all);
    texts_free(&t);
    sink_close(&s);
    sg_model_free(model);
    return rc;
}
