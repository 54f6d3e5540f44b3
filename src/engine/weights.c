/* Loading a layer. */
#include "engine/weights.h"

#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "engine/rows.h"

/* What a load needs all the way down. */
typedef struct load {
    sg_loader *loader;
    const sg_model *model;
    int layer;
    sg_error *err;
} load;

static load load_of(sg_loader *loader, int layer, sg_error *err)
{
    return (load){.loader = loader, .model = loader->model, .layer = layer, .err = err};
}

void sg_loader_rest(sg_loader *loader)
{
    sg_free(loader->plain);
    loader->plain = NULL;
    loader->plain_bytes = 0;
}

void sg_loader_dispose(sg_loader *loader)
{
    sg_loader_rest(loader);
    *loader = (sg_loader){0};
}

/* Room for a matrix in front of packing; what was there is lost. */
static int make_room(const load *l, int rows, size_t row_bytes)
{
    sg_loader *loader = l->loader;
    size_t bytes = (size_t)rows * row_bytes;
    if (bytes <= loader->plain_bytes)
        return SG_OK;
    sg_loader_rest(loader);
    loader->plain = sg_alloc_aligned((size_t)rows, row_bytes);
    loader->plain_bytes = loader->plain ? bytes : 0;
    return loader->plain ? SG_OK
                         : sg_fail(l->err, SG_ERR_NOMEM, "no memory for layer %d's weights: %d rows of %zu bytes",
                                   l->layer, rows, row_bytes);
}

/* A matrix that is made of parts one below the other: whole roles, or one index of roles with experts. */
typedef struct part {
    sg_role role;
    int index; /* -1: the whole role */
} part;

/* The parts, packed. rows_each: of an indexed part. */
static int load_matrix(sg_weight **out, const load *l, const part *parts, int n_parts, int rows_each)
{
    int rows = 0, cols = 0, rc;
    sg_precision precision = l->loader->precision;
    for (int i = 0; i < n_parts; i++) {
        const sg_tensor *t = sg_layer_role(l->model, l->layer, parts[i].role);
        sg_row_layout layout = sg_row_layout_of(l->model, l->layer, parts[i].role);
        rows += parts[i].index < 0 ? sg_matrix_rows(t, &layout) : rows_each;
        cols = sg_matrix_cols(t, &layout);
    }
    size_t row_bytes = (size_t)cols * sg_element_bytes(precision);
    if ((rc = make_room(l, rows, row_bytes)))
        return rc;
    char *p = l->loader->plain;
    for (int i = 0; i < n_parts && !rc; i++) {
        const sg_tensor *t = sg_layer_role(l->model, l->layer, parts[i].role);
        sg_row_layout layout = sg_row_layout_of(l->model, l->layer, parts[i].role);
        uint64_t first = 0;
        int n = rows_each;
        if (parts[i].index < 0)
            n = sg_matrix_rows(t, &layout);
        else
            t = sg_layer_part(l->model, l->layer, parts[i].role, parts[i].index, (uint64_t)rows_each, &first);
        rc = sg_rows_load(p, l->model, t, &layout, first, n, precision, l->err);
        p += (size_t)n * row_bytes;
    }
    return rc ? rc : sg_weight_pack(out, l->loader->mm, l->loader->plain, rows, cols, precision, l->err);
}

static bool has(const load *l, sg_role role)
{
    return sg_layer_role(l->model, l->layer, role) != NULL;
}

/* The roles' vectors one behind the other; *out stays NULL when the model has none. */
static int load_bias(float **out, const load *l, const sg_role *roles, int n_roles)
{
    size_t n = 0;
    for (int i = 0; i < n_roles; i++) {
        if (!has(l, roles[i]))
            return SG_OK;
        n += sg_layer_role(l->model, l->layer, roles[i])->n_elements;
    }
    float *p = *out = sg_alloc(n, sizeof *p);
    if (!p)
        return sg_fail(l->err, SG_ERR_NOMEM, "no memory for layer %d's biases", l->layer);
    for (int i = 0; i < n_roles; i++) {
        const sg_tensor *t = sg_layer_role(l->model, l->layer, roles[i]);
        sg_row_layout layout = sg_row_layout_of(l->model, l->layer, roles[i]);
        if (layout.order == SG_ROWS_AS_COLUMNS)
            layout.order = SG_ROWS_AS_OURS;
        float *vector;
        int rc = sg_vector_load(&vector, l->model, t, &layout, l->err);
        if (rc)
            return rc;
        memcpy(p, vector, t->n_elements * sizeof *p);
        p += t->n_elements;
        sg_free(vector);
    }
    return SG_OK;
}

static int load_norm(sg_norm_weights *out, const load *l, sg_role weight, sg_role bias)
{
    static const sg_row_layout plain = {.head_dim = 1};
    int rc = sg_norm_load(&out->weight, l->model, sg_layer_role(l->model, l->layer, weight), l->err);
    if (rc || !has(l, bias) || bias == weight)
        return rc;
    return sg_vector_load(&out->bias, l->model, sg_layer_role(l->model, l->layer, bias), &plain, l->err);
}

static int load_norms(sg_layer_weights *w, const load *l)
{
    const sg_model *m = l->model;
    int rc;
    if ((rc = load_norm(&w->attn_norm, l, SG_ATTN_NORM, SG_ATTN_NORM_BIAS)) ||
        (rc = load_norm(&w->ffn_norm, l, SG_FFN_NORM, SG_FFN_NORM_BIAS)) ||
        (rc = load_norm(&w->attn_post_norm, l, SG_ATTN_POST_NORM, SG_ATTN_POST_NORM)) ||
        (rc = load_norm(&w->ffn_post_norm, l, SG_FFN_POST_NORM, SG_FFN_POST_NORM)))
        return rc;
    if (m->spec.layers[l->layer].qk_norm != SG_QK_NORM_HEADS) {
        if ((rc = sg_norm_load(&w->q_norm, m, sg_layer_role(m, l->layer, SG_Q_NORM), l->err)))
            return rc;
        return sg_norm_load(&w->k_norm, m, sg_layer_role(m, l->layer, SG_K_NORM), l->err);
    }
    /* one weight for each head, in a tensor of its own or as a row */
    const sg_layer_spec *s = &m->spec.layers[l->layer];
    w->q_norm = sg_alloc((size_t)s->n_heads * (size_t)s->head_dim, sizeof(float));
    w->k_norm = sg_alloc((size_t)s->n_kv_heads * (size_t)s->head_dim, sizeof(float));
    if (!w->q_norm || !w->k_norm)
        return sg_fail(l->err, SG_ERR_NOMEM, "no memory for layer %d's norms", l->layer);
    for (int which = 0; which < 2; which++)
        for (int h = 0; h < (which ? s->n_kv_heads : s->n_heads); h++) {
            uint64_t row;
            const sg_tensor *t = sg_layer_part(m, l->layer, which ? SG_K_NORM : SG_Q_NORM, h, 1, &row);
            sg_source source;
            int failed = sg_source_open(&source, m, t, l->err);
            if (failed)
                return failed;
            sg_source_rows(&source, (which ? w->k_norm : w->q_norm) + (size_t)h * (size_t)s->head_dim, row, 1);
        }
    return SG_OK;
}

static int load_mixer(sg_layer_weights *w, const load *l)
{
    static const part fused[] = {{SG_QKV, -1}}, apart[] = {{SG_Q, -1}, {SG_K, -1}, {SG_V, -1}}, o[] = {{SG_O, -1}};
    static const sg_role fused_bias[] = {SG_QKV_BIAS}, apart_bias[] = {SG_Q_BIAS, SG_K_BIAS, SG_V_BIAS},
                         o_bias[] = {SG_O_BIAS};
    bool one = has(l, SG_QKV);
    int rc;
    if ((rc = load_matrix(&w->qkv, l, one ? fused : apart, one ? 1 : 3, 0)) ||
        (rc = has(l, SG_QKV_BIAS) ? load_bias(&w->qkv_bias, l, fused_bias, 1)
                                  : load_bias(&w->qkv_bias, l, apart_bias, 3)) ||
        (rc = load_matrix(&w->o, l, o, 1, 0)))
        return rc;
    return load_bias(&w->o_bias, l, o_bias, 1);
}

static int load_dense(sg_ffn_weights *f, const load *l, const sg_layer_spec *s)
{
    static const part fused[] = {{SG_GATE_UP, -1}}, apart[] = {{SG_GATE, -1}, {SG_UP, -1}}, up[] = {{SG_UP, -1}},
                      down[] = {{SG_DOWN, -1}};
    static const sg_role gated_bias[] = {SG_GATE_BIAS, SG_UP_BIAS}, up_bias[] = {SG_UP_BIAS},
                         down_bias[] = {SG_DOWN_BIAS};
    int rc;
    f->width = s->intermediate;
    if (s->gated)
        rc = has(l, SG_GATE_UP) ? load_matrix(&f->up, l, fused, 1, 0) : load_matrix(&f->up, l, apart, 2, 0);
    else
        rc = load_matrix(&f->up, l, up, 1, 0);
    if (rc || (rc = s->gated ? load_bias(&f->up_bias, l, gated_bias, 2) : load_bias(&f->up_bias, l, up_bias, 1)) ||
        (rc = load_matrix(&f->down, l, down, 1, 0)))
        return rc;
    return load_bias(&f->down_bias, l, down_bias, 1);
}

static int load_expert(sg_ffn_weights *f, const load *l, int e)
{
    const sg_layer_spec *s = &l->model->spec.layers[l->layer];
    const part up[] = {{SG_EXPERT_GATE, e}, {SG_EXPERT_UP, e}}, down[] = {{SG_EXPERT_DOWN, e}};
    f->width = s->expert_intermediate;
    int rc = load_matrix(&f->up, l, up, 2, s->expert_intermediate);
    return rc ? rc : load_matrix(&f->down, l, down, 1, l->model->spec.hidden);
}

static int load_experts(sg_layer_weights *w, const load *l, const sg_layer_spec *s)
{
    static const part router[] = {{SG_ROUTER, -1}}, shared_up[] = {{SG_SHARED_GATE, -1}, {SG_SHARED_UP, -1}},
                      shared_down[] = {{SG_SHARED_DOWN, -1}};
    static const sg_row_layout plain = {.head_dim = 1};
    int n = l->loader->experts_apart ? 1 : s->n_experts, rc = load_matrix(&w->router, l, router, 1, 0);
    if (rc)
        return rc;
    w->experts = sg_alloc_zero((size_t)n, sizeof *w->experts);
    if (!w->experts)
        return sg_fail(l->err, SG_ERR_NOMEM, "no memory for %d experts", n);
    w->n_experts = n;
    for (int e = 0; e < n && !l->loader->experts_apart; e++)
        if ((rc = load_expert(&w->experts[e], l, e)))
            return rc;
    if (!s->shared_intermediate)
        return SG_OK;
    w->shared.width = s->shared_intermediate;
    if ((rc = load_matrix(&w->shared.up, l, shared_up, 2, 0)) ||
        (rc = load_matrix(&w->shared.down, l, shared_down, 1, 0)))
        return rc;
    return sg_vector_load(&w->shared_score, l->model, sg_layer_role(l->model, l->layer, SG_SHARED_SCORE), &plain,
                          l->err);
}

int sg_layer_weights_load(sg_layer_weights *w, sg_loader *loader, int layer, sg_error *err)
{
    const sg_layer_spec *s = &loader->model->spec.layers[layer];
    load l = load_of(loader, layer, err);
    int rc;
    *w = (sg_layer_weights){.loader = loader, .layer = layer, .in_slot = -1};
    if ((rc = load_norms(w, &l)) || (rc = load_mixer(w, &l)) ||
        (rc = s->n_experts ? load_experts(w, &l, s) : load_dense(&w->ffn, &l, s)))
        sg_layer_weights_dispose(w);
    return rc;
}

static void dispose_ffn(sg_ffn_weights *f)
{
    sg_weight_free(f->up);
    sg_weight_free(f->down);
    sg_free(f->up_bias);
    sg_free(f->down_bias);
    *f = (sg_ffn_weights){0};
}

int sg_layer_expert(const sg_ffn_weights **out, sg_layer_weights *w, int e, sg_error *err)
{
    load l = load_of(w->loader, w->layer, err);
    int rc = SG_OK;
    *out = &w->experts[w->loader->experts_apart ? 0 : e];
    if (!w->loader->experts_apart || w->in_slot == e)
        return SG_OK;
    dispose_ffn(&w->experts[0]);
    rc = load_expert(&w->experts[0], &l, e);
    w->in_slot = rc ? -1 : e;
    return rc;
}

void sg_layer_weights_dispose(sg_layer_weights *w)
{
    sg_norm_weights *norms[] = {&w->attn_norm, &w->ffn_norm, &w->attn_post_norm, &w->ffn_post_norm};
    for (size_t i = 0; i < SG_ARRAY_LEN(norms); i++) {
        sg_free(norms[i]->weight);
        sg_free(norms[i]->bias);
    }
    sg_weight_free(w->qkv);
    sg_weight_free(w->o);
    sg_weight_free(w->router);
    sg_free(w->qkv_bias);
    sg_free(w->o_bias);
    sg_free(w->q_norm);
    sg_free(w->k_norm);
    sg_free(w->shared_score);
    dispose_ffn(&w->ffn);
    dispose_ffn(&w->shared);
    for (int e = 0; e < w->n_experts; e++)
        dispose_ffn(&w->experts[e]);
    sg_free(w->experts);
    *w = (sg_layer_weights){0};
}

/* Of the roles of a layer that are matrices: what reading their rows takes. */
static uint64_t rows_scratch(const sg_model *model, int layer, int threads)
{
    uint64_t most = 0;
    for (int role = SG_ATTN_NORM; role < SG_N_ROLES; role++) {
        const sg_tensor *t = sg_layer_role(model, layer, (sg_role)role);
        if (!t || t->n_dims < 2)
            continue;
        sg_row_layout layout = sg_row_layout_of(model, layer, (sg_role)role);
        uint64_t bytes = sg_rows_scratch_bytes(t, &layout, threads);
        most = bytes > most ? bytes : most;
    }
    return most;
}

uint64_t sg_layer_weights_bytes(const sg_model *model, bool experts_apart, int threads, sg_precision precision)
{
    uint64_t packed = 0, plain = 0, reading = 0; /* the largest of each: the buffer in front of packing is kept */
    int D = model->spec.hidden;
    for (int i = 0; i < model->spec.n_layers; i++) {
        const sg_layer_spec *s = &model->spec.layers[i];
        int q = s->n_heads * s->head_dim, qkv = q + 2 * s->n_kv_heads * s->head_dim, gates = s->gated ? 2 : 1;
        int widths[] = {s->intermediate, s->expert_intermediate, s->shared_intermediate},
            counts[] = {1, experts_apart ? 1 : s->n_experts, 1};
        uint64_t layer = sg_weight_bytes(qkv, D, precision) + sg_weight_bytes(D, q, precision) +
                         sg_weight_bytes(s->n_experts, D, precision),
                 largest = sg_weight_bytes(qkv, D, precision), rows = rows_scratch(model, i, threads);
        for (size_t j = 0; j < SG_ARRAY_LEN(widths); j++) {
            uint64_t up = sg_weight_bytes(gates * widths[j], D, precision),
                     down = sg_weight_bytes(D, widths[j], precision);
            layer += widths[j] ? (uint64_t)counts[j] * (up + down) : 0;
            largest = widths[j] && up > largest ? up : largest;
        }
        packed = layer > packed ? layer : packed;
        plain = largest > plain ? largest : plain;
        reading = rows > reading ? rows : reading;
    }
    return packed + plain + reading;
}

/* ---- what is not finite ------------------------------------------------------------------------------- */

static bool tensor_finite(const sg_model *model, const sg_tensor *t)
{
    sg_source source;
    uint64_t cols = t->shape[t->n_dims - 1];
    float *row =
        t->type->to_f32 && sg_source_open(&source, model, t, NULL) == SG_OK ? sg_alloc(cols, sizeof *row) : NULL;
    bool finite = true;
    for (uint64_t r = 0; row && finite && r < t->n_elements / cols; r++) {
        sg_source_rows(&source, row, r, 1);
        finite = sg_row_finite(row, (int)cols);
    }
    sg_free(row);
    return finite;
}

const char *sg_weights_not_finite(const sg_model *model, int layer)
{
    for (size_t i = 0; i < model->ckpt->n_tensors; i++) {
        const sg_tensor *t = &model->ckpt->tensors[i];
        if (sg_tensor_layer(model, t) == layer && !tensor_finite(model, t))
            return t->name;
    }
    return "its weights are all finite";
}

/* ---- what runs ---------------------------------------------------------------------------------------- */

static int check_tensor(const sg_model *model, const sg_tensor *t, sg_error *err)
{
    if (!t->type->to_f32)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: tensor %s has type %s, which does not run yet (layers can be removed by --layers)",
                       model->ckpt->path, t->name, t->type->name);
    if (t->shape[t->n_dims - 1] % (uint64_t)t->type->block)
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has rows that are no multiple of %s's block of %d",
                       model->ckpt->path, t->name, t->type->name, t->type->block);
    return sg_tensor_scale(&(sg_scale){0}, model->ckpt, t, err);
}

/* Tensors of a role: 1, or as many as it has parts. */
static size_t role_count(const sg_model *model, size_t row, size_t role)
{
    const sg_bound *b = &model->roles[row][role];
    const sg_layer_spec *s = &model->spec.layers[row ? row - 1 : 0];
    if (!b->parts)
        return b->tensor ? 1 : 0;
    return (size_t)(role == SG_Q_NORM ? s->n_heads : role == SG_K_NORM ? s->n_kv_heads : s->n_experts);
}

/* used[i]: tensor i of the checkpoint has a role. */
static int mark_used(const sg_model *model, bool *used, sg_error *err)
{
    for (size_t row = 0; row <= (size_t)model->spec.n_layers; row++)
        for (size_t role = 0; role < SG_N_ROLES; role++)
            for (size_t i = 0, n = role_count(model, row, role); i < n; i++) {
                const sg_bound *b = &model->roles[row][role];
                const sg_tensor *t = b->parts ? b->parts[i] : b->tensor;
                int rc = check_tensor(model, t, err);
                if (rc)
                    return rc;
                used[t - model->ckpt->tensors] = true;
            }
    return SG_OK;
}

int sg_model_runnable(const sg_model *model, sg_error *err)
{
    bool *used = sg_alloc_zero(model->ckpt->n_tensors, sizeof *used);
    if (!used)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to check %zu tensors", model->ckpt->n_tensors);
    int rc = mark_used(model, used, err);
    for (size_t i = 0; i < model->ckpt->n_tensors && !rc && model->ckpt->format == SG_FORMAT_GGUF; i++)
        if (!used[i])
            rc = sg_fail(err, SG_ERR_REFUSED, "%s: tensor %s has no part in family %s as it runs here",
                         model->ckpt->path, model->ckpt->tensors[i].name, model->family->name);
    sg_free(used);
    return rc;
}
