/* Loading weights. */
#include "engine/weights.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"

void sg_rows_f32(float *out, const sg_model *model, const sg_tensor *t, uint64_t first, int n)
{
    uint64_t cols = t->shape[t->n_dims - 1], row_bytes = cols / (uint64_t)t->type->block * (uint64_t)t->type->block_bytes;
    t->type->to_f32(sg_tensor_data(model->ckpt, t) + first * row_bytes, out, (size_t)n * cols);
}

int sg_vector_f32(float **out, const sg_model *model, const sg_tensor *t, sg_error *err)
{
    *out = sg_alloc(t->n_elements, sizeof **out);
    if (!*out)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for tensor %s", t->name);
    t->type->to_f32(sg_tensor_data(model->ckpt, t), *out, t->n_elements);
    return SG_OK;
}

/* Where row r of our order (two halves) lies in a file that keeps pairs: our i and half + i are its 2i and 2i + 1. */
static uint64_t stored_row(uint64_t r, int half, int head_dim)
{
    uint64_t head = r / (uint64_t)head_dim, i = r % (uint64_t)head_dim, h = (uint64_t)half;
    if (i < h)
        i = 2 * i;
    else if (i < 2 * h)
        i = 2 * (i - h) + 1;
    return head * (uint64_t)head_dim + i;
}

int sg_rows_load(void *out, const sg_model *model, const sg_tensor *t, uint64_t first, int n, int interleaved_half, int head_dim,
                 sg_precision precision, sg_error *err)
{
    int cols = (int)t->shape[t->n_dims - 1];
    size_t row_bytes = (size_t)cols * sg_element_bytes(precision);
    int threads = omp_get_max_threads();
    float *rows = sg_alloc((size_t)threads * (size_t)cols, sizeof *rows);
    if (!rows)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to read tensor %s", t->name);
#pragma omp parallel for schedule(static)
    for (int r = 0; r < n; r++) {
        float *row = rows + (size_t)omp_get_thread_num() * (size_t)cols;
        uint64_t from = first + (uint64_t)r;
        sg_rows_f32(row, model, t, interleaved_half ? stored_row(from, interleaved_half, head_dim) : from, 1);
        sg_row_store((char *)out + (size_t)r * row_bytes, row, cols, precision);
    }
    sg_free(rows);
    return SG_OK;
}

/* How many pairs of rows a role's heads keep interleaved in this file. */
static int interleaved_half(const sg_model *model, int layer, sg_role role)
{
    const sg_role_row *row = sg_model_role_row(model, role);
    return model->ckpt->format == SG_FORMAT_GGUF && row->gguf_interleaved ? model->spec.layers[layer].rotary_dim / 2 : 0;
}

/* The roles' matrices one below the other, packed. */
static int load_fused(sg_weight **out, const sg_model *model, int layer, const sg_role *roles, int n_roles, sg_mm *mm, sg_precision precision,
                      sg_error *err)
{
    int rows = 0, cols = 0, rc = SG_OK;
    for (int i = 0; i < n_roles; i++) {
        const sg_tensor *t = sg_layer_role(model, layer, roles[i]);
        rows += (int)t->shape[0];
        cols = (int)t->shape[1];
    }
    size_t row_bytes = (size_t)cols * sg_element_bytes(precision);
    char *plain = sg_alloc_aligned((size_t)rows, row_bytes);
    if (!plain)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for layer %d's weights: %d rows of %zu bytes", layer, rows, row_bytes);
    char *p = plain;
    for (int i = 0; i < n_roles && !rc; i++) {
        const sg_tensor *t = sg_layer_role(model, layer, roles[i]);
        rc = sg_rows_load(p, model, t, 0, (int)t->shape[0], interleaved_half(model, layer, roles[i]), model->spec.layers[layer].head_dim,
                          precision, err);
        p += t->shape[0] * row_bytes;
    }
    if (!rc)
        rc = sg_weight_pack(out, mm, plain, rows, cols, precision, err);
    sg_free(plain);
    return rc;
}

/* The roles' vectors one behind the other; *out stays NULL when the model has none. */
static int load_bias(float **out, const sg_model *model, int layer, const sg_role *roles, int n_roles, sg_error *err)
{
    size_t n = 0;
    for (int i = 0; i < n_roles; i++) {
        const sg_tensor *t = sg_layer_role(model, layer, roles[i]);
        if (!t)
            return SG_OK;
        n += t->n_elements;
    }
    float *p = *out = sg_alloc(n, sizeof *p);
    if (!p)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for layer %d's biases", layer);
    for (int i = 0; i < n_roles; i++) {
        const sg_tensor *t = sg_layer_role(model, layer, roles[i]);
        float *stored;
        int rc = sg_vector_f32(&stored, model, t, err);
        if (rc)
            return rc;
        int half = interleaved_half(model, layer, roles[i]);
        for (uint64_t r = 0; r < t->n_elements; r++)
            p[r] = stored[half ? stored_row(r, half, model->spec.layers[layer].head_dim) : r];
        p += t->n_elements;
        sg_free(stored);
    }
    return SG_OK;
}

int sg_layer_weights_load(sg_layer_weights *w, const sg_model *m, int layer, sg_mm *mm, sg_precision precision, sg_error *err)
{
    static const sg_role qkv[] = {SG_Q, SG_K, SG_V}, o[] = {SG_O}, gate_up[] = {SG_GATE, SG_UP}, down[] = {SG_DOWN};
    static const sg_role qkv_bias[] = {SG_Q_BIAS, SG_K_BIAS, SG_V_BIAS}, o_bias[] = {SG_O_BIAS};
    static const sg_role gate_up_bias[] = {SG_GATE_BIAS, SG_UP_BIAS}, down_bias[] = {SG_DOWN_BIAS};
    int rc;
    *w = (sg_layer_weights){0};
    if ((rc = sg_vector_f32(&w->attn_norm, m, sg_layer_role(m, layer, SG_ATTN_NORM), err)) ||
        (rc = sg_vector_f32(&w->ffn_norm, m, sg_layer_role(m, layer, SG_FFN_NORM), err)) ||
        (rc = load_bias(&w->qkv_bias, m, layer, qkv_bias, 3, err)) ||
        (rc = load_bias(&w->o_bias, m, layer, o_bias, 1, err)) ||
        (rc = load_bias(&w->gate_up_bias, m, layer, gate_up_bias, 2, err)) ||
        (rc = load_bias(&w->down_bias, m, layer, down_bias, 1, err)) ||
        (rc = load_fused(&w->qkv, m, layer, qkv, 3, mm, precision, err)) ||
        (rc = load_fused(&w->o, m, layer, o, 1, mm, precision, err)) ||
        (rc = load_fused(&w->gate_up, m, layer, gate_up, 2, mm, precision, err)) ||
        (rc = load_fused(&w->down, m, layer, down, 1, mm, precision, err)))
        sg_layer_weights_dispose(w);
    return rc;
}

void sg_layer_weights_dispose(sg_layer_weights *w)
{
    float *vectors[] = {w->attn_norm, w->ffn_norm, w->qkv_bias, w->o_bias, w->gate_up_bias, w->down_bias};
    sg_weight *matrices[] = {w->qkv, w->o, w->gate_up, w->down};
    for (size_t i = 0; i < SG_ARRAY_LEN(vectors); i++)
        sg_free(vectors[i]);
    for (size_t i = 0; i < SG_ARRAY_LEN(matrices); i++)
        sg_weight_free(matrices[i]);
    *w = (sg_layer_weights){0};
}

void sg_layer_weights_prefetch(const sg_model *model, int layer)
{
    for (int role = SG_ATTN_NORM; role < SG_N_ROLES; role++) {
        const sg_tensor *t = sg_layer_role(model, layer, (sg_role)role);
        if (t)
            sg_map_prefetch(&model->ckpt->files[t->file], t->offset, t->bytes);
    }
}

uint64_t sg_layer_weights_bytes(const sg_model *model, sg_precision precision)
{
    uint64_t most = 0;
    for (int i = 0; i < model->spec.n_layers; i++) {
        const sg_layer_spec *s = &model->spec.layers[i];
        int D = model->spec.hidden, q = s->n_heads * s->head_dim, qkv = q + 2 * s->n_kv_heads * s->head_dim, F = s->intermediate;
        uint64_t packed = sg_weight_bytes(qkv, D, precision) + sg_weight_bytes(D, q, precision) + sg_weight_bytes(2 * F, D, precision) +
                          sg_weight_bytes(D, F, precision);
        uint64_t plain = sg_weight_bytes(2 * F > qkv ? 2 * F : qkv, D, precision); /* the largest one, unpacked beside the packed ones */
        most = packed + plain > most ? packed + plain : most;
    }
    return most;
}

static int check_tensor(const sg_model *model, const sg_tensor *t, sg_error *err)
{
    if (!t->type->to_f32)
        return sg_fail(err, SG_ERR_REFUSED, "%s: tensor %s has type %s, which does not run yet (layers can be removed by --layers)",
                       model->ckpt->path, t->name, t->type->name);
    if (t->shape[t->n_dims - 1] % (uint64_t)t->type->block)
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has rows that are no multiple of %s's block of %d", model->ckpt->path, t->name,
                       t->type->name, t->type->block);
    return SG_OK;
}

static int compare_pointers(const void *a, const void *b)
{
    const sg_tensor *x = *(const sg_tensor *const *)a, *y = *(const sg_tensor *const *)b;
    return x < y ? -1 : x > y;
}

int sg_model_runnable(const sg_model *model, sg_error *err)
{
    size_t n = 0, slots = ((size_t)model->spec.n_layers + 1) * SG_N_ROLES;
    int rc = SG_OK;
    const sg_tensor **bound = sg_alloc(slots, sizeof *bound);
    if (!bound)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to check %zu tensors", slots);
    for (size_t i = 0; i < slots && !rc; i++) {
        const sg_tensor *t = model->roles[i / SG_N_ROLES][i % SG_N_ROLES];
        if (!t)
            continue;
        bound[n++] = t;
        rc = check_tensor(model, t, err);
    }
    if (!rc && model->ckpt->format == SG_FORMAT_GGUF) {
        qsort(bound, n, sizeof *bound, compare_pointers);
        for (size_t i = 0; i < model->ckpt->n_tensors && !rc; i++) {
            const sg_tensor *t = &model->ckpt->tensors[i];
            if (!bsearch(&t, bound, n, sizeof *bound, compare_pointers))
                rc = sg_fail(err, SG_ERR_REFUSED, "%s: tensor %s has no part in family %s as it runs here", model->ckpt->path, t->name,
                             model->family->name);
        }
    }
    sg_free(bound);
    return rc;
}
