/* Binding tensors to roles: every role of the family's table found, with the shape that the specification says. */
#include "model/roles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

const char *sg_layer_prefix(sg_format format)
{
    return format == SG_FORMAT_HF ? "model.layers." : "blk.";
}

int sg_name_layer(sg_format format, const char *name, const char **rest)
{
    const char *prefix = sg_layer_prefix(format), *p = name + strlen(prefix);
    int layer = 0, digits = 0;
    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return -1;
    for (; *p >= '0' && *p <= '9' && digits < 7; p++, digits++)
        layer = 10 * layer + (*p - '0');
    if (*p != '.' || digits == 0 || (digits > 1 && name[strlen(prefix)] == '0'))
        return -1;
    if (rest)
        *rest = p + 1;
    return layer;
}

int sg_tensor_layer(const sg_model *model, const sg_tensor *tensor)
{
    return sg_name_layer(model->ckpt->format, tensor->name, NULL);
}

const sg_tensor *sg_model_head(const sg_model *model)
{
    return sg_model_role(model, model->spec.tied ? SG_EMBEDDING : SG_HEAD);
}

const sg_role_row *sg_model_role_row(const sg_model *model, sg_role role)
{
    for (size_t i = 0; i < model->family->n_roles; i++)
        if (model->family->roles[i].role == role)
            return &model->family->roles[i];
    return NULL;
}

static uint64_t extent(const sg_model_spec *spec, const sg_layer_spec *layer, sg_extent which)
{
    switch (which) {
    case SG_EXT_VOCAB:
        return (uint64_t)spec->vocab;
    case SG_EXT_HIDDEN:
        return (uint64_t)spec->hidden;
    case SG_EXT_Q:
        return (uint64_t)layer->n_heads * (uint64_t)layer->head_dim;
    case SG_EXT_KV:
        return (uint64_t)layer->n_kv_heads * (uint64_t)layer->head_dim;
    case SG_EXT_FFN:
        return (uint64_t)layer->intermediate;
    case SG_EXT_ROTARY_HALF:
        return (uint64_t)layer->rotary_dim / 2;
    case SG_EXT_NONE:
        break;
    }
    return 0;
}

static bool needed(sg_need need, const sg_model_spec *spec, const sg_layer_spec *layer)
{
    switch (need) {
    case SG_ALWAYS:
        return true;
    case SG_OPTIONAL:
        return false;
    case SG_IF_UNTIED:
        return !spec->tied;
    case SG_IF_QKV_BIAS:
        return layer->qkv_bias;
    case SG_IF_O_BIAS:
        return layer->o_bias;
    case SG_IF_FFN_BIAS:
        return layer->ffn_bias;
    }
    return false;
}

static void shape_text(const sg_tensor *t, char *buffer, size_t bytes)
{
    size_t used = 0;
    buffer[0] = 0;
    for (int i = 0; i < t->n_dims && used < bytes - 24; i++)
        used += (size_t)snprintf(buffer + used, bytes - used, "%s%" PRIu64, i ? ", " : "", t->shape[i]);
}

static int bind_role(sg_model *m, const sg_role_row *row, int layer, sg_error *err)
{
    const char *base = m->ckpt->format == SG_FORMAT_HF ? row->hf : row->gguf;
    const sg_layer_spec *spec = &m->spec.layers[layer < 0 ? 0 : layer];
    char name[160], shape[160];
    if (!base)
        return SG_OK;
    if (layer < 0)
        snprintf(name, sizeof name, "%s", base);
    else
        snprintf(name, sizeof name, "%s%d.%s", sg_layer_prefix(m->ckpt->format), layer, base);
    const sg_tensor *t = sg_checkpoint_find(m->ckpt, name);
    if (!t) {
        if (needed(row->need, &m->spec, spec))
            return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s is missing (family %s needs it)", m->ckpt->path, name, m->family->name);
        return SG_OK;
    }
    uint64_t rows = extent(&m->spec, spec, row->rows), cols = extent(&m->spec, spec, row->cols);
    bool fits = row->cols == SG_EXT_NONE ? t->n_dims == 1 && t->shape[0] == rows
                                         : t->n_dims == 2 && t->shape[0] == rows && t->shape[1] == cols;
    if (!fits) {
        shape_text(t, shape, sizeof shape);
        if (row->cols == SG_EXT_NONE)
            return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has shape [%s], expected [%" PRIu64 "]", m->ckpt->path, name, shape, rows);
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has shape [%s], expected [%" PRIu64 ", %" PRIu64 "]", m->ckpt->path, name, shape,
                       rows, cols);
    }
    m->roles[1 + layer][row->role] = t;
    return SG_OK;
}

int sg_roles_bind(sg_model *m, sg_error *err)
{
    m->roles = sg_alloc_zero((size_t)m->spec.n_layers + 1, sizeof *m->roles);
    if (!m->roles)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the tensors of %d layers", m->spec.n_layers);
    for (size_t r = 0; r < m->family->n_roles; r++) {
        const sg_role_row *row = &m->family->roles[r];
        bool per_layer = sg_role_of_layer(row->role);
        for (int i = per_layer ? 0 : -1; i < (per_layer ? m->spec.n_layers : 0); i++) {
            int rc = bind_role(m, row, i, err);
            if (rc)
                return rc;
        }
    }
    return SG_OK;
}
