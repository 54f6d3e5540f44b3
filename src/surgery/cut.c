/* A plan laid on a model. */
#include "surgery/cut.h"

#include "core/mem.h"
#include "model/describe.h"

static int check_plan(const sg_plan *plan, const sg_model_info *info, sg_error *err)
{
    if (plan->layers != info->layers || plan->hidden != info->hidden || plan->vocab != info->vocab)
        return sg_fail(err, SG_ERR_REFUSED, "plan: made for %d layers, width %d, vocabulary %d; %s has %d, %d, %d",
                       plan->layers, plan->hidden, plan->vocab, info->path, info->layers, info->hidden, info->vocab);
    if (plan->n_remove == 0)
        return sg_fail(err, SG_ERR_USAGE, "plan: it removes no layer");
    if (plan->n_remove >= (size_t)info->layers)
        return sg_fail(err, SG_ERR_REFUSED, "plan: it removes all %d layers, no model would be left", info->layers);
    for (size_t i = 0; i < plan->n_remove; i++)
        if (plan->remove[i] < 0 || plan->remove[i] >= info->layers || (i && plan->remove[i] <= plan->remove[i - 1]))
            return sg_fail(err, SG_ERR_USAGE, "plan: entry %zu of remove is %d, expected layers 0 to %d, ascending", i,
                           plan->remove[i], info->layers - 1);
    return SG_OK;
}

static int check_keep(const sg_cut *cut, sg_error *err)
{
    const sg_plan *plan = cut->plan;
    size_t n = 0;
    for (int i = 0; i < plan->layers; i++)
        if (cut->to[i] >= 0 && (n >= plan->n_keep || plan->keep[n++] != i))
            return sg_fail(err, SG_ERR_USAGE, "plan: layer %d is in neither remove nor keep", i);
    return n == plan->n_keep ? SG_OK
                             : sg_fail(err, SG_ERR_USAGE, "plan: keep has %zu layers, expected %zu", plan->n_keep, n);
}

const char *sg_cut_word(const sg_model *model)
{
    json_object *config = model->ckpt->config, *type = sg_json_get(sg_config_text(config), "model_type");
    if (model->ckpt->format == SG_FORMAT_GGUF)
        return model->info.architecture ? model->info.architecture : "";
    type = type ? type : sg_json_get(config, "model_type");
    if (json_object_is_type(type, json_type_string))
        return json_object_get_string(type);
    return model->family ? model->family->name : "";
}

int sg_cut_make(sg_cut *cut, const sg_model *model, const sg_plan *plan, sg_error *err)
{
    *cut = (sg_cut){.model = model, .word = sg_cut_word(model), .plan = plan};
    int rc = check_plan(plan, &model->info, err);
    if (rc < 0)
        return rc;
    cut->to = sg_alloc((size_t)plan->layers, sizeof *cut->to);
    if (!cut->to)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", plan->layers);
    size_t removed = 0;
    for (int i = 0; i < plan->layers; i++) {
        bool goes = removed < plan->n_remove && plan->remove[removed] == i;
        removed += goes;
        cut->to[i] = goes ? -1 : i - (int)removed;
    }
    return check_keep(cut, err);
}

void sg_cut_count(sg_cut *cut)
{
    const sg_model *model = cut->model;
    cut->tensors_kept = cut->tensors_removed = 0;
    cut->parameters = model->info.parameters;
    cut->bytes = model->info.bytes;
    for (size_t i = 0; i < model->ckpt->n_tensors; i++) {
        const sg_tensor *t = &model->ckpt->tensors[i];
        if (sg_cut_keeps(cut, t)) {
            cut->tensors_kept++;
            continue;
        }
        cut->tensors_removed++;
        cut->parameters -= t->n_elements;
        cut->bytes -= t->bytes;
    }
}

void sg_cut_dispose(sg_cut *cut)
{
    sg_free(cut->to);
    cut->to = NULL;
    sg_free(cut->slices);
    cut->slices = NULL;
    cut->n_slices = 0;
}

bool sg_cut_keeps(const sg_cut *cut, const sg_tensor *t)
{
    int layer = sg_tensor_layer(cut->model, t);
    return layer < 0 || layer >= cut->plan->layers || cut->to[layer] >= 0;
}

char *sg_cut_name(const sg_cut *cut, const sg_tensor *t)
{
    const char *rest;
    int layer = sg_name_layer(cut->model->layer_prefix, t->name, &rest);
    if (layer < 0)
        return sg_strdup(t->name);
    /* layers that predict further tokens stand behind the last */
    int to = layer < cut->plan->layers ? cut->to[layer] : layer - (int)cut->plan->n_remove;
    return sg_asprintf("%s%d.%s", cut->model->layer_prefix, to, rest);
}
