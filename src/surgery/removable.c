/* Which layers can go: the check of a plan for each layer alone. */
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"

/* What sg_removable's pointers point to. */
typedef struct work {
    sg_removable removable; /* first: an sg_removable * is one of these */
    bool *alone, *allowed;
    char **why;
    int *cause;
    const void **rules; /* [causes] of which they came */
    int n_causes;
} work;

void sg_removable_free(sg_removable *removable)
{
    work *w = (work *)removable;
    if (!w)
        return;
    for (int i = 0; w->why && i < w->removable.layers; i++)
        sg_free(w->why[i]);
    sg_free(w->alone);
    sg_free(w->allowed);
    sg_free(w->why);
    sg_free(w->cause);
    sg_free(w->rules);
    sg_free(w);
}

static bool has_periods(const sg_cut *cut)
{
    const sg_rule *r = NULL;
    while ((r = sg_rule_next(cut, r)) && r->op != SG_RULE_FIT_PERIOD && r->op != SG_RULE_FIT_RANGE)
        ;
    return r;
}

/* What only editing finds: no period fits the survivors, or names in a quantization configuration cannot follow. */
static int judge_edits(const sg_cut *cut, sg_refusal *by, sg_error *why)
{
    json_object *config = cut->model->ckpt->config, *copy = NULL;
    *by = (sg_refusal){&sg_rules_hf, has_periods(cut) ? SG_HOLD_SET : SG_HOLD_STAYS};
    if (!config)
        return SG_OK;
    int rc = sg_test_fault("alloc") || json_object_deep_copy(config, &copy, NULL) != 0
                 ? sg_fail(why, SG_ERR_NOMEM, "no memory for a copy of the configuration")
                 : sg_rules_config(cut, copy, cut->model->config_path, why);
    json_object_put(copy);
    return rc;
}

/* A plan without one layer, and its cut, that go from layer to layer: made anew for each they would cost layers^2. */
typedef struct slide {
    sg_plan *made, plan;
    sg_cut cut;
    int layer, *keep;
} slide;

static int begin_slide(slide *s, const sg_model *model, sg_error *err)
{
    int rc = sg_plan_from_layers(&s->made, model, &s->layer, 1, err);
    if (rc || (rc = sg_cut_make(&s->cut, model, s->made, err)))
        return rc;
    s->keep = sg_alloc(s->made->n_keep, sizeof *s->keep);
    if (!s->keep)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", s->made->layers);
    memcpy(s->keep, s->made->keep, s->made->n_keep * sizeof *s->keep);
    s->plan = *s->made;
    s->plan.remove = &s->layer;
    s->plan.keep = s->keep;
    s->cut.plan = &s->plan;
    return SG_OK;
}

static void next_layer(slide *s)
{
    int layer = s->layer++;
    if (s->layer < s->plan.layers) {
        s->keep[layer] = s->cut.to[layer] = layer;
        s->cut.to[s->layer] = -1;
    }
}

static void end_slide(slide *s)
{
    sg_cut_dispose(&s->cut);
    sg_plan_free(s->made);
    sg_free(s->keep);
}

static int judge(const sg_cut *cut, sg_refusal *by, sg_error *why)
{
    *by = (sg_refusal){NULL, SG_HOLD_STAYS};
    int rc = sg_rules_judge(cut, by, why);
    return rc ? rc : judge_edits(cut, by, why);
}

/* The message behind the file's name, which is the same for all. */
static const char *behind_path(const sg_model *model, const char *message)
{
    const char *const paths[] = {model->config_path, model->info.path};
    for (size_t i = 0; i < SG_ARRAY_LEN(paths); i++) {
        size_t n = strlen(paths[i]);
        if (strncmp(message, paths[i], n) == 0 && strncmp(message + n, ": ", 2) == 0)
            return message + n + 2;
    }
    return message;
}

static int cause_of(work *w, const void *rule)
{
    int i = 0;
    while (i < w->n_causes && w->rules[i] != rule)
        i++;
    w->rules[i] = rule;
    w->n_causes += i == w->n_causes;
    return i;
}

/* What was found of a layer: rc, by what, why. */
static int note(work *w, const sg_model *model, int layer, int rc, const sg_refusal *by, const sg_error *why,
                sg_error *err)
{
    w->cause[layer] = -1;
    w->alone[layer] = rc == SG_OK;
    w->allowed[layer] = rc == SG_OK || (rc == SG_ERR_REFUSED && by->hold == SG_HOLD_SET);
    w->removable.n_allowed += w->allowed[layer];
    if (rc == SG_OK)
        return SG_OK;
    if (rc != SG_ERR_NOMEM) {
        bool stays = rc != SG_ERR_REFUSED || by->hold == SG_HOLD_STAYS;
        w->cause[layer] = cause_of(w, by->rule);
        w->why[layer] = sg_asprintf("%s%s", stays ? "" : "not alone: ", behind_path(model, why->message));
    }
    return w->why[layer] ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory to say which layers can go");
}

static int fill(work *w, const sg_model *model, bool unknown_ok, sg_error *err)
{
    slide s = {0};
    sg_refusal by = {NULL, SG_HOLD_STAYS};
    sg_error why = {0};
    int begun = begin_slide(&s, model, &why), rc = SG_OK;
    s.cut.unknown_ok = unknown_ok;
    for (int i = 0; rc == SG_OK && i < model->info.layers; i++, next_layer(&s)) {
        int found = begun ? begun : judge(&s.cut, &by, &why);
        rc = note(w, model, i, found, &by, &why, err);
    }
    end_slide(&s);
    return rc;
}

int sg_removable_find(sg_removable **out, const sg_model *model, bool unknown_family, sg_error *err)
{
    size_t n = (size_t)model->info.layers;
    work *w = sg_alloc_zero(1, sizeof *w);
    *out = NULL;
    if (!w)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to say which layers can go");
    w->alone = sg_alloc_zero(n, sizeof *w->alone);
    w->allowed = sg_alloc_zero(n, sizeof *w->allowed);
    w->why = sg_alloc_zero(n, sizeof *w->why);
    w->cause = sg_alloc_zero(n, sizeof *w->cause);
    w->rules = sg_alloc_zero(n, sizeof *w->rules);
    w->removable = (sg_removable){.layers = (int)n,
                                  .alone = w->alone,
                                  .allowed = w->allowed,
                                  .why = (const char *const *)w->why,
                                  .cause = w->cause};
    int rc = w->alone && w->allowed && w->why && w->cause && w->rules
                 ? SG_OK
                 : sg_fail(err, SG_ERR_NOMEM, "no memory to say which layers can go");
    if (!rc)
        rc = fill(w, model, unknown_family, err);
    if (rc)
        sg_removable_free(&w->removable);
    else
        *out = &w->removable;
    return rc;
}
