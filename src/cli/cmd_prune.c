/* shortgpt prune: chooses layers (or is told them), removes them, writes the rest. */
#include <stdio.h>

#include "command.h"
#include "signals.h"

/* ---- options ------------------------------------------------------------------------------------------ */

static int check(const options *o, sg_error *err)
{
    int rc = require_one_model(o, err);
    if (rc)
        return rc;
    int ways = (o->layers != NULL) + chooses(o) + (o->plan != NULL);
    if (!ways)
        return usage_error(err, "which layers? give --layers LIST, --plan FILE, or how many to choose: --remove N, "
                                "--ratio P%%, --max-ppl-increase P%%, --target-size SIZE, --target-speedup X");
    if (ways > 1)
        return usage_error(err,
                           "--layers, --plan and those that choose, such as --remove, exclude each other: give one");
    if (chooses(o) && (rc = require_how_far(o, err)))
        return rc;
    if (!o->out)
        return usage_error(err, "-o OUT is missing: where to write");
    return SG_OK;
}

static void note_useless(const options *o)
{
    static const char *const scoring[] = {"method",     "text",      "tokens",       "window",
                                          "bos",        "precision", "until-stable", "trial-tokens",
                                          "candidates", "seed",      "granularity"};
    for (size_t i = 0; i < sizeof scoring / sizeof *scoring; i++)
        if (options_given(o, scoring[i]))
            print_note(o, "--%s has no use with %s: nothing is chosen", scoring[i], o->layers ? "--layers" : "--plan");
}

/* ---- the plan ----------------------------------------------------------------------------------------- */

/* OUT is looked at before the long run that chooses layers: a trial with a layer that need not go. What it says about
 * that does not count, only what it says about OUT. */
static int check_out(const options *o, const sg_model *model, const sg_prune_opts *opts, sg_error *err)
{
    static const int first = 0;
    sg_plan *trial = NULL;
    sg_prune_result *result = NULL;
    int rc = sg_plan_from_layers(&trial, model, &first, 1, err);
    if (!rc && sg_prune_dry_run(&result, model, trial, o->out, opts, err) == SG_ERR_USAGE)
        rc = SG_ERR_USAGE;
    sg_prune_result_free(result);
    sg_plan_free(trial);
    return rc;
}

/* The choice, printed with the layers' influence where the method goes by it. */
static int plan_by_choice(sg_plan **plan, const options *o, sg_model *model, const sg_choose_opts *opts, progress *p,
                          bool print, sg_error *err)
{
    sg_style style = terminal_style(o);
    sg_choice *choice = NULL;
    char *scores = NULL, *table = NULL;
    int rc = sg_choose(&choice, model, opts, err);
    progress_clear(p);
    if (rc || (rc = sg_plan_from_choice(plan, model, choice, err)) || !print)
        goto out;
    if (choice->score && ((rc = sg_score_table(model, choice->score, *plan, &style, &scores, err)) ||
                          (rc = sink_print(scores, err)) || (rc = sink_print("\n", err))))
        goto out;
    if (opts->remove && !opts->until_stable && choice->score) /* the table has said all */
        goto out;
    if ((rc = sg_choice_table(model, choice, &style, &table, err)) || (rc = sink_print(table, err)))
        goto out;
    rc = sink_print("\n", err);
out:
    sg_string_free(scores);
    sg_string_free(table);
    sg_choice_free(choice);
    return rc;
}

static int plan_as_told(sg_plan **plan, const options *o, const sg_model *model, sg_error *err)
{
    if (o->plan)
        return plan_read(plan, o, model, err);
    int *layers = NULL;
    size_t n = 0;
    int rc = sg_layers_parse(o->layers, sg_model_get_info(model)->layers, &layers, &n, err);
    if (!rc)
        rc = sg_plan_from_layers(plan, model, layers, n, err);
    sg_layers_free(layers);
    return rc;
}

/* ---- the command -------------------------------------------------------------------------------------- */

/* OUT, or of a dry run the layers. */
static int quiet_result(char **out, const options *o, const sg_plan *plan, const sg_prune_result *result, sg_error *err)
{
    if (!o->dry_run)
        return quiet_line(out, result->out, err);
    return quiet_layers(out, plan, err);
}

/* Prunes, or says what pruning would do, and hands the result to the sink. */
static int apply(const options *o, const sg_model *model, const sg_plan *plan, const sg_prune_opts *opts, sink *s,
                 progress *p, sg_error *err)
{
    sg_style style = terminal_style(o);
    sg_prune_result *result = NULL;
    char *json = NULL, *table = NULL;
    int rc = o->dry_run ? sg_prune_dry_run(&result, model, plan, o->out, opts, err)
                        : sg_prune_run(&result, model, plan, o->out, opts, err);
    progress_clear(p);
    if (rc)
        return rc;
    if (s->json && (rc = o->dry_run ? sg_plan_json(plan, &json, err) : sg_prune_json(plan, result, &json, err)))
        goto out;
    if (s->table && (rc = o->quiet ? quiet_result(&table, o, plan, result, err)
                                   : sg_prune_table(plan, result, o->dry_run, &style, &table, err)))
        goto out;
    rc = sink_finish(s, table, json, err);
    if (rc && !o->dry_run) { /* a failure's exit would say that OUT is as it was */
        print_warning(o, "%s; %s is complete, only the report of it failed", err->message, o->out);
        rc = SG_OK;
    }
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_prune_result_free(result);
    return rc;
}

int cmd_prune(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_plan *plan = NULL;
    texts t = {0};
    sink s = {.fd = -1};
    progress p;
    sg_choose_opts choose;
    sg_removable *removable = NULL;
    int rc = check(o, err);
    if (rc)
        return rc;
    progress_init(&p, terminal_style(o).utf8, o->quiet);
    sg_prune_opts opts = {.overwrite = o->overwrite,
                          .unknown_family = o->unknown_family,
                          .imatrix = o->imatrix,
                          .memory = o->memory,
                          .threads = (int)o->threads,
                          .progress = progress_callback(&p)};
    if ((rc = sg_model_open(&model, o->models[0], err)))
        goto out;
    if (chooses(o)) {
        /* the counts first, then OUT, then stdin, which may wait for a person */
        if ((rc = choose_options(&choose, o, sg_model_get_info(model)->layers, &t, &p, err)) ||
            (rc = allow_removable(&choose, &removable, model, o, err)) || (rc = check_out(o, model, &opts, err)) ||
            (rc = texts_read(&t, o, err)))
            goto out;
        choose.run = run_options(o, &t, &p);
    } else {
        note_useless(o);
        if ((rc = plan_as_told(&plan, o, model, err)))
            goto out;
    }

    signals_install(); /* only now: until stdin is read, Ctrl-C just ends us */
    if ((rc = sink_open(&s, o->json, err)) ||
        (!plan && (rc = plan_by_choice(&plan, o, model, &choose, &p, s.table && !o->quiet, err))))
        goto out;
    rc = apply(o, model, plan, &opts, &s, &p, err);
out:
    sg_plan_free(plan);
    texts_free(&t);
    sink_close(&s);
    sg_removable_free(removable);
    sg_model_free(model);
    return rc;
}
