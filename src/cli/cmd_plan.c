/* shortgpt plan: chooses layers and says why; nothing is pruned. */
#include <string.h>

#include "command.h"
#include "guard.h"
#include "signals.h"

static int check(const options *o, sg_error *err)
{
    int rc = require_one_model(o, err);
    if (rc)
        return rc;
    if (o->out && o->json)
        return usage_error(err, "-o and --json both name the plan's file: give one of them");
    return require_how_far(o, err);
}

int cmd_plan(const options *given, sg_error *err)
{
    options with_json = *given;
    const options *o = &with_json;
    sg_model *model = NULL;
    sg_choice *choice = NULL;
    sg_plan *plan = NULL;
    texts t = {0};
    char *json = NULL, *table = NULL;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1};
    progress p;
    sg_choose_opts opts;
    sg_removable *removable = NULL;
    int rc = check(o, err);
    if (!rc && o->out) { /* the plan is the result's JSON */
        with_json.json = o->out;
        with_json.out = NULL;
        rc = guard_outputs(o, err);
    }
    if (rc)
        return rc;
    progress_init(&p, style.utf8, o->quiet);
    if ((rc = sg_model_open(&model, o->models[0], err)) || (rc = texts_read(&t, o, err)) ||
        (rc = choose_options(&opts, o, sg_model_get_info(model)->layers, &t, &p, err)) ||
        (rc = allow_removable(&opts, &removable, model, o, err)))
        goto out;

    signals_install(); /* only now: until stdin is read, Ctrl-C just ends us */
    if ((rc = sink_open(&s, o->json, err)))
        goto out;
    rc = sg_choose(&choice, model, &opts, err);
    progress_clear(&p);
    if (rc || (rc = sg_plan_from_choice(&plan, model, choice, err)) ||
        (s.json && (rc = sg_plan_json(plan, &json, err))) ||
        (s.table &&
         (rc = o->quiet ? quiet_layers(&table, plan, err) : sg_choice_table(model, choice, &style, &table, err))))
        goto out;
    rc = sink_finish(&s, table, json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_plan_free(plan);
    sg_choice_free(choice);
    texts_free(&t);
    sink_close(&s);
    sg_removable_free(removable);
    sg_model_free(model);
    return rc;
}
