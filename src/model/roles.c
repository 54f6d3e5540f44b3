/* Binding tensors to roles: every role of the family's groups found, with the shape that the specification says. */
#include "model/roles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

enum { NAME_MAX_BYTES = 192 };

int sg_name_layer(const char *prefix, const char *name, const char **rest)
{
    const char *p = name + strlen(prefix);
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
    return sg_name_layer(model->layer_prefix, tensor->name, NULL);
}

const sg_tensor *sg_model_head(const sg_model *model)
{
    return sg_model_role(model, model->spec.tied ? SG_EMBEDDING : SG_HEAD);
}

const sg_tensor *sg_layer_part(const sg_model *model, int layer, sg_role role, int i, uint64_t rows_each,
                               uint64_t *first_row)
{
    const sg_bound *b = &model->roles[1 + layer][role];
    *first_row = b->parts ? 0 : (uint64_t)i * rows_each;
    return b->parts ? b->parts[i] : b->tensor;
}

static uint64_t extent(const sg_model_spec *spec, const sg_layer_spec *s, sg_extent which)
{
    uint64_t q = (uint64_t)s->n_heads * (uint64_t)s->head_dim, kv = (uint64_t)s->n_kv_heads * (uint64_t)s->head_dim;
    switch (which) {
    case SG_EXT_NONE:
        return 0;
    case SG_EXT_VOCAB:
        return (uint64_t)spec->vocab;
    case SG_EXT_POSITIONS:
        return (uint64_t)spec->max_positions;
    case SG_EXT_HIDDEN:
        return (uint64_t)spec->hidden;
    case SG_EXT_Q:
        return q;
    case SG_EXT_KV:
        return kv;
    case SG_EXT_QKV:
        return q + 2 * kv;
    case SG_EXT_HEAD:
        return (uint64_t)s->head_dim;
    case SG_EXT_HEADS:
        return (uint64_t)s->n_heads;
    case SG_EXT_KV_HEADS:
        return (uint64_t)s->n_kv_heads;
    case SG_EXT_FFN:
        return (uint64_t)s->intermediate;
    case SG_EXT_GATE_UP:
        return 2 * (uint64_t)s->intermediate;
    case SG_EXT_EXPERTS:
        return (uint64_t)s->n_experts;
    case SG_EXT_EXPERT_FFN:
        return (uint64_t)s->expert_intermediate;
    case SG_EXT_SHARED_FFN:
        return (uint64_t)s->shared_intermediate;
    case SG_EXT_ONE:
        return 1;
    case SG_EXT_ROTARY_HALF:
        return spec->n_ropes ? (uint64_t)spec->ropes[0].dim / 2 : 0;
    }
    return 0;
}

/* Is q (or gate) to be found in a fused tensor? */
static bool fused(const sg_model *m, int layer, sg_role role)
{
    return m->roles[1 + layer][role <= SG_V ? SG_QKV : SG_GATE_UP].tensor != NULL;
}

static bool needed(const sg_model *m, int layer, const sg_role_row *row, const sg_layer_spec *s)
{
    bool qkv_bias_fused = layer >= 0 && m->roles[1 + layer][SG_QKV_BIAS].tensor;
    switch (row->need) {
    case SG_ALWAYS:
        return true;
    case SG_OPTIONAL:
        return false;
    case SG_IF_UNTIED:
        return !m->spec.tied;
    case SG_IF_QKV_BIAS:
        return s->qkv_bias && !qkv_bias_fused;
    case SG_IF_O_BIAS:
        return s->o_bias;
    case SG_IF_FFN_BIAS:
        return s->ffn_bias && s->n_experts == 0;
    case SG_UNLESS_FUSED:
        return !fused(m, layer, row->role);
    case SG_IF_DENSE:
        return s->n_experts == 0;
    case SG_IF_EXPERTS:
        return s->n_experts > 0;
    case SG_IF_SHARED:
        return s->shared_intermediate > 0;
    case SG_IF_SEQUENTIAL:
        return !s->parallel;
    case SG_IF_QK_NORM:
        return s->qk_norm != SG_QK_NORM_NONE;
    }
    return false;
}

/* May the role's tensor be bound at all? A tensor that the specification says nothing of is left alone (HF) or refused
 * (GGUF, when it runs). */
static bool wanted(const sg_model *m, int layer, const sg_role_row *row, const sg_layer_spec *s)
{
    return row->need == SG_OPTIONAL || row->need == SG_IF_UNTIED || needed(m, layer, row, s);
}

static void shape_text(const uint64_t *shape, int n, char *buffer, size_t bytes)
{
    size_t used = 0;
    buffer[0] = 0;
    for (int i = 0; i < n && used < bytes - 24; i++)
        used += (size_t)snprintf(buffer + used, bytes - used, "%s%" PRIu64, i ? ", " : "", shape[i]);
}

/* Does the tensor have this shape? Leading ones may be left out. */
static bool shape_fits(const sg_tensor *t, const uint64_t *want, int n)
{
    while (n > t->n_dims && want[0] == 1) {
        want++;
        n--;
    }
    return n == t->n_dims && memcmp(t->shape, want, (size_t)n * sizeof *want) == 0;
}

/* One tensor by name. part: its index in the first dimension, -1: it has them all. */
static int bind_tensor(const sg_tensor **out, const sg_model *m, const sg_role_row *row, int layer, int part,
                       const char *name, bool must, sg_error *err)
{
    const sg_layer_spec *s = &m->spec.layers[layer < 0 ? 0 : layer];
    sg_row_order order = m->ckpt->format == SG_FORMAT_HF ? row->hf_order : row->gguf_order;
    uint64_t want[3], *from = want;
    int n = 0;
    char got[160], expected[160];
    *out = sg_checkpoint_find(m->ckpt, name);
    if (!*out)
        return must ? sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s is missing (family %s needs it)", m->ckpt->path, name,
                              m->family->name)
                    : SG_OK;
    while (n < 3 && row->dims[n] != SG_EXT_NONE) {
        want[n] = extent(&m->spec, s, row->dims[n]);
        n++;
    }
    if (part >= 0) {
        from++;
        n--;
    }
    if (order == SG_ROWS_AS_COLUMNS) {
        uint64_t rows = from[0];
        from[0] = from[1];
        from[1] = rows;
    }
    if (shape_fits(*out, from, n))
        return SG_OK;
    shape_text((*out)->shape, (*out)->n_dims, got, sizeof got);
    shape_text(from, n, expected, sizeof expected);
    return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has shape [%s], expected [%s]", m->ckpt->path, name, got,
                   expected);
}

/* The file's name for a role. */
static void role_name(char out[NAME_MAX_BYTES], const sg_model *m, const sg_role_row *row, int layer, int part)
{
    bool hf = m->ckpt->format == SG_FORMAT_HF;
    const char *base = hf ? row->hf : row->gguf, *index = strstr(base, "%d");
    char front[96] = "";
    if (layer >= 0)
        snprintf(front, sizeof front, "%s%d.", m->layer_prefix, layer);
    else if (hf && *base != '/')
        snprintf(front, sizeof front, "%s", m->root);
    base += *base == '/';
    if (index)
        snprintf(out, NAME_MAX_BYTES, "%s%.*s%d%s", front, (int)(index - base), base, part, index + 2);
    else
        snprintf(out, NAME_MAX_BYTES, "%s%s", front, base);
}

static int bind_role(sg_model *m, const sg_role_row *row, int layer, sg_error *err)
{
    bool hf = m->ckpt->format == SG_FORMAT_HF;
    const char *base = hf ? row->hf : row->gguf;
    const sg_layer_spec *s = &m->spec.layers[layer < 0 ? 0 : layer];
    sg_bound *bound = &m->roles[1 + layer][row->role];
    char name[NAME_MAX_BYTES];
    if (!base || !wanted(m, layer, row, s))
        return SG_OK;
    bool must = needed(m, layer, row, s);
    if (!strstr(base, "%d")) {
        role_name(name, m, row, layer, 0);
        return bind_tensor(&bound->tensor, m, row, layer, -1, name, must, err);
    }
    size_t n = (size_t)extent(&m->spec, s, row->dims[0]);
    bound->parts = sg_alloc_zero(n, sizeof *bound->parts);
    if (!bound->parts)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu tensors of layer %d", n, layer);
    for (size_t i = 0; i < n; i++) {
        role_name(name, m, row, layer, (int)i);
        int rc = bind_tensor(&bound->parts[i], m, row, layer, (int)i, name, true, err);
        if (rc)
            return rc;
    }
    bound->tensor = bound->parts[0];
    return SG_OK;
}

int sg_roles_prefix(sg_model *m, sg_error *err)
{
    const sg_family *f = m->family;
    const char *root = "";
    if (m->ckpt->format == SG_FORMAT_HF) {
        char name[NAME_MAX_BYTES];
        snprintf(name, sizeof name, "%s%s", f->hf_root, sg_family_role(f, SG_EMBEDDING)->hf);
        root = sg_checkpoint_find(m->ckpt, name) || !sg_checkpoint_find(m->ckpt, name + strlen(f->hf_root)) ? f->hf_root
                                                                                                            : "";
    }
    m->root = sg_strdup(root);
    m->layer_prefix = m->ckpt->format == SG_FORMAT_HF ? sg_asprintf("%s%s", root, f->hf_layers) : sg_strdup("blk.");
    return m->root && m->layer_prefix ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory to open %s", m->ckpt->path);
}

/* The roles of one layer; -1: those of the model. */
static int bind_layer(sg_model *m, int layer, sg_error *err)
{
    int rc = SG_OK;
    for (int g = 0; g < SG_MAX_GROUPS && m->family->groups[g]; g++)
        for (size_t r = 0; r < m->family->groups[g]->n && !rc; r++) {
            const sg_role_row *row = &m->family->groups[g]->rows[r];
            if (sg_role_of_layer(row->role) == (layer >= 0))
                rc = bind_role(m, row, layer, err);
        }
    return rc;
}

int sg_roles_bind(sg_model *m, sg_error *err)
{
    m->roles = sg_alloc_zero((size_t)m->spec.n_layers + 1, sizeof *m->roles);
    if (!m->roles)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the tensors of %d layers", m->spec.n_layers);
    int rc = SG_OK;
    for (int i = -1; i < m->spec.n_layers && !rc; i++)
        rc = bind_layer(m, i, err);
    return rc;
}

void sg_roles_free(sg_model *m)
{
    for (int i = 0; m->roles && i <= m->spec.n_layers; i++)
        for (int r = 0; r < SG_N_ROLES; r++)
            sg_free(m->roles[i][r].parts);
    sg_free(m->roles);
    m->roles = NULL;
}
