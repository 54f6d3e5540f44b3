/* Plans: which layers go, and for which model that was said. */
#include "select/plan.h"

#include <string.h>

#include "core/mem.h"
#include "model/model.h"

/* One allocation for the struct, the two lists, the method's name and why. */
static sg_plan *plan_alloc(int layers, const char *method, const char *why)
{
    size_t lists = (size_t)layers * sizeof(int);
    size_t method_bytes = strlen(method) + 1, why_bytes = why ? strlen(why) + 1 : 0;
    sg_plan *plan = sg_alloc_zero(1, sizeof *plan + lists + method_bytes + why_bytes);
    if (!plan)
        return NULL;
    plan->remove = (const int *)(plan + 1);
    plan->method = (const char *)memcpy((char *)(plan + 1) + lists, method, method_bytes);
    if (why)
        plan->why = (const char *)memcpy((char *)(plan + 1) + lists + method_bytes, why, why_bytes);
    return plan;
}

/* Sorts without repetition by marking; named: [layers], all false. */
static int mark(const int *remove, size_t n, int layers, bool *named, sg_error *err)
{
    if (n == 0)
        return sg_fail(err, SG_ERR_USAGE, "plan: it removes no layer");
    for (size_t i = 0; i < n; i++) {
        if (remove[i] < 0 || remove[i] >= layers)
            return sg_fail(err, SG_ERR_USAGE, "plan: layer %d is out of range, the model has layers 0 to %d", remove[i],
                           layers - 1);
        if (named[remove[i]])
            return sg_fail(err, SG_ERR_USAGE, "plan: layer %d is named twice", remove[i]);
        named[remove[i]] = true;
    }
    if (n == (size_t)layers)
        return sg_fail(err, SG_ERR_REFUSED, "plan: it removes all %d layers, no model would be left", layers);
    return SG_OK;
}

int sg_plan_new(sg_plan **out, const sg_plan_model *model, const char *method, const char *why, const int *remove,
                size_t n, sg_error *err)
{
    if (model->layers < 1)
        return sg_fail(err, SG_ERR_USAGE, "plan: the model has no layers");
    bool *named = sg_alloc_zero((size_t)model->layers, sizeof *named);
    sg_plan *plan = plan_alloc(model->layers, method, why);
    int rc =
        named && plan ? mark(remove, n, model->layers, named, err) : sg_fail(err, SG_ERR_NOMEM, "no memory for a plan");
    if (rc < 0) {
        sg_free(plan);
        sg_free(named);
        return rc;
    }
    plan->layers = model->layers;
    plan->hidden = model->hidden;
    plan->vocab = model->vocab;
    strncpy(plan->fingerprint, model->fingerprint, sizeof plan->fingerprint - 1);
    int *lists = (int *)(plan + 1); /* first the removed, then the kept: together each layer once */
    plan->n_remove = n;
    plan->n_keep = (size_t)model->layers - n;
    plan->keep = lists + n;
    for (int i = 0; i < model->layers; i++)
        if (named[i])
            *lists++ = i;
    for (int i = 0; i < model->layers; i++)
        if (!named[i])
            *lists++ = i;
    sg_free(named);
    *out = plan;
    return SG_OK;
}

void sg_plan_free(sg_plan *plan)
{
    sg_free(plan);
}

static sg_plan_model made_for(const sg_model *model)
{
    const sg_model_info *info = &model->info;
    return (sg_plan_model){info->layers, info->hidden, info->vocab, info->fingerprint};
}

int sg_plan_from_layers(sg_plan **out, const sg_model *model, const int *layers, size_t n, sg_error *err)
{
    sg_plan_model m = made_for(model);
    return sg_plan_new(out, &m, "layers", NULL, layers, n, err);
}

int sg_plan_from_score(sg_plan **out, const sg_model *model, const sg_score *score, int n, sg_error *err)
{
    if (score->n_layers != model->info.layers)
        return sg_fail(err, SG_ERR_USAGE, "plan: the scores are of %d layers, the model has %d", score->n_layers,
                       model->info.layers);
    if (n < 1)
        return sg_fail(err, SG_ERR_USAGE, "plan: %d layers to remove, expected at least 1", n);
    if (n >= model->info.layers)
        return sg_fail(err, SG_ERR_REFUSED, "plan: %d of %d layers to remove, no model would be left", n,
                       model->info.layers);
    sg_plan_model m = made_for(model);
    return sg_plan_new(out, &m, score->method, NULL, score->order, (size_t)n, err);
}
