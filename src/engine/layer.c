/* A layer's forward pass, block of rows by block of rows: all of it but attention works on each position alone.
 * B = rows of a block, D = hidden, E = head_dim, F = intermediate. */
#include "engine/layer.h"

#include <omp.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"

void sg_norm_rows(char *out, const float *x, const float *w, int rows, int d, float eps, sg_precision precision, float *row)
{
    size_t row_bytes = (size_t)d * sg_element_bytes(precision);
#pragma omp parallel for schedule(static)
    for (int r = 0; r < rows; r++) {
        float *y = row + (size_t)omp_get_thread_num() * (size_t)d;
        sg_row_rmsnorm(y, x + (size_t)r * (size_t)d, w, d, eps);
        sg_row_store(out + (size_t)r * row_bytes, y, d, precision);
    }
}

/* y += bias on every row; y: [rows, n] */
static void add_bias(float *y, const float *bias, int rows, int n)
{
    if (!bias)
        return;
#pragma omp parallel for schedule(static)
    for (int r = 0; r < rows; r++)
        sg_row_add(y + (size_t)r * (size_t)n, bias, n);
}

/* y += x; both [rows, n] */
static void add_rows(float *y, const float *x, int rows, int n)
{
#pragma omp parallel for schedule(static)
    for (int r = 0; r < rows; r++)
        sg_row_add(y + (size_t)r * (size_t)n, x + (size_t)r * (size_t)n, n);
}

/* out = silu(gate) * up for fused rows [gate | up]; out: [rows, F] elements */
static void activate(char *out, const float *gate_up, int rows, int F, sg_precision precision, float *row)
{
    size_t row_bytes = (size_t)F * sg_element_bytes(precision);
#pragma omp parallel for schedule(static)
    for (int r = 0; r < rows; r++) {
        float *y = row + (size_t)omp_get_thread_num() * (size_t)F;
        const float *gate = gate_up + (size_t)r * 2 * (size_t)F;
        sg_row_silu_mul(y, gate, gate + F, F);
        sg_row_store(out + (size_t)r * row_bytes, y, F, precision);
    }
}

/* norm, q, k and v of a block, roped and put where attention finds them */
static int project_qkv(const sg_layer_run *run, const float *x, int first, int rows, const sg_span *windows, int n_windows, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    sg_scratch *s = run->scratch;
    int D = run->hidden, width = (spec->n_heads + 2 * spec->n_kv_heads) * spec->head_dim;
    sg_norm_rows(s->h, x + (size_t)first * (size_t)D, run->weights->attn_norm, rows, D, spec->norm_eps, run->precision, s->row); /* [B, D] */
    int rc = sg_mm_weight(run->mm, s->a, s->h, run->weights->qkv, rows, err); /* [B, (Hq + 2 Hkv) E] */
    if (rc)
        return rc;
    add_bias(s->a, run->weights->qkv_bias, rows, width);
    sg_qkv_split(&s->qkv, s->a, first, rows, windows, n_windows, spec, run->cos, run->sin, run->precision);
    return SG_OK;
}

/* The residual additions of a block: x becomes x + attention * Wo, then that plus its feed-forward. */
static int finish_block(const sg_layer_run *run, float *x, int first, int rows, sg_layer_seen *seen, void *user, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    const sg_layer_weights *w = run->weights;
    sg_scratch *s = run->scratch;
    int D = run->hidden, F = spec->intermediate, rc;
    size_t element = sg_element_bytes(run->precision);
    float *mid = s->b, *gate_up = s->a, *after = s->a;
    x += (size_t)first * (size_t)D;

    const char *attended = s->attended + (size_t)first * (size_t)(spec->n_heads * spec->head_dim) * element;
    if ((rc = sg_mm_weight(run->mm, mid, attended, w->o, rows, err))) /* [B, D] */
        return rc;
    add_bias(mid, w->o_bias, rows, D);
    add_rows(mid, x, rows, D);

    sg_norm_rows(s->h, mid, w->ffn_norm, rows, D, spec->norm_eps, run->precision, s->row); /* [B, D] */
    if ((rc = sg_mm_weight(run->mm, gate_up, s->h, w->gate_up, rows, err)))                /* [B, 2F] */
        return rc;
    add_bias(gate_up, w->gate_up_bias, rows, 2 * F);
    activate(s->h, gate_up, rows, F, run->precision, s->row);          /* [B, F] */
    if ((rc = sg_mm_weight(run->mm, after, s->h, w->down, rows, err))) /* [B, D] */
        return rc;
    add_bias(after, w->down_bias, rows, D);
    add_rows(after, mid, rows, D);

    if ((rc = seen(user, first, rows, x, mid, after, err)))
        return rc;
    memcpy(x, after, (size_t)rows * (size_t)D * sizeof *x);
    return SG_OK;
}

int sg_layer_forward(const sg_layer_run *run, float *x, const sg_span *windows, int n_windows, sg_layer_seen *seen, void *user, sg_error *err)
{
    int rows = windows[n_windows - 1].start + windows[n_windows - 1].n, rc = SG_OK;
    for (int first = 0; first < rows && !rc; first += SG_BLOCK_ROWS) {
        int n = rows - first < SG_BLOCK_ROWS ? rows - first : SG_BLOCK_ROWS;
        rc = project_qkv(run, x, first, n, windows, n_windows, err);
    }
    if (!rc)
        rc = sg_attention(run->scratch->attended, &run->scratch->qkv, windows, n_windows, run->spec, run->precision, run->mm,
                          run->scratch->attention, err);
    for (int first = 0; first < rows && !rc; first += SG_BLOCK_ROWS) {
        int n = rows - first < SG_BLOCK_ROWS ? rows - first : SG_BLOCK_ROWS;
        rc = finish_block(run, x, first, n, seen, user, err);
    }
    return rc;
}

/* Buffer sizes as a list, so that one sum and one walk serve all. */
int sg_scratch_create(sg_scratch *out, const sg_model_spec *spec, int batch, int longest, int threads, sg_precision precision, size_t *bytes,
                      sg_error *err)
{
    size_t D = (size_t)spec->hidden, wide = D, input = D, q = 0, kv = 0, attention = 0;
    size_t block = batch < SG_BLOCK_ROWS ? (size_t)batch : SG_BLOCK_ROWS, element = sg_element_bytes(precision);
    for (int i = 0; i < spec->n_layers; i++) {
        const sg_layer_spec *s = &spec->layers[i];
        size_t E = (size_t)s->head_dim, hq = (size_t)s->n_heads * E, hkv = (size_t)s->n_kv_heads * E, F = (size_t)s->intermediate;
        size_t scores = sg_attention_scratch_bytes(s, longest, threads);
        size_t widest = hq + 2 * hkv > 2 * F ? hq + 2 * hkv : 2 * F;
        wide = widest > wide ? widest : wide;
        input = F > input ? F : input;
        q = hq > q ? hq : q;
        kv = hkv > kv ? hkv : kv;
        attention = scores > attention ? scores : attention;
    }
    size_t rows = (size_t)batch;
    sg_scratch s = {0};
    const struct { void *at; size_t n; } parts[] = {
        {&s.a, block * wide * sizeof(float)},
        {&s.b, block * D * sizeof(float)},
        {&s.row, (size_t)threads * input * sizeof(float)},
        {&s.h, block * input * element},
        {&s.qkv.q, rows * q * element},
        {&s.qkv.k, rows * kv * element},
        {&s.qkv.v, rows * kv * element},
        {&s.attended, rows * q * element},
        {&s.attention, attention},
    };
    size_t total = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++)
        total += (parts[i].n + 63) / 64 * 64;
    *bytes = total;
    if (!out)
        return SG_OK;
    s.bytes = total;
    s.memory = sg_alloc_aligned(total, 1);
    if (!s.memory)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu bytes of scratch", total);
    char *p = s.memory;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++) {
        memcpy(parts[i].at, &p, sizeof p); /* float * and char * alike */
        p += (parts[i].n + 63) / 64 * 64;
    }
    *out = s;
    return SG_OK;
}

void sg_scratch_dispose(sg_scratch *s)
{
    sg_free(s->memory);
    *s = (sg_scratch){0};
}
