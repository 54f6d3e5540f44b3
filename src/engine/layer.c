/* A layer's forward pass, block of rows by block of rows: all of it but attention works on each position alone.
 * B = rows of a block, D = hidden, E = head_dim, F = intermediate. */
#include "engine/layer.h"

#include <omp.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"

enum { SLICE_ROWS = 2048 }; /* rows whose queries are there at once: enough work for all threads */

static void norm_row(float *y, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int d, float eps)
{
    if (kind == SG_NORM_RMS)
        sg_row_rmsnorm(y, x, norm->weight, d, eps);
    else
        sg_row_layernorm(y, x, norm->weight, norm->bias, d, eps);
}

void sg_norm_rows(char *out, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int rows, int d, float eps,
                  sg_precision precision, float *row)
{
    size_t row_bytes = (size_t)d * sg_element_bytes(precision);
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++) {
        float *y = row + (size_t)omp_get_thread_num() * (size_t)d;
        const float *from = x + (size_t)r * (size_t)d;
        if (norm->weight)
            norm_row(y, from, norm, kind, d, eps);
        sg_row_store(out + (size_t)r * row_bytes, norm->weight ? y : from, d, precision);
    }
}

/* y += bias on every row; y: [rows, n] */
static void add_bias(float *y, const float *bias, int rows, int n)
{
    if (!bias)
        return;
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++)
        sg_row_add(y + (size_t)r * (size_t)n, bias, n);
}

/* z = x + y; all [rows, n]; z may be y */
static void add_rows(float *z, const float *x, const float *y, int rows, int n)
{
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++) {
        size_t at = (size_t)r * (size_t)n;
        if (z != y)
            memcpy(z + at, y + at, (size_t)n * sizeof *z);
        sg_row_add(z + at, x + at, n);
    }
}

/* A half's result before it is added: the norm behind it, the residual's scale. y: [rows, D] */
static void finish_half(const sg_layer_run *run, float *y, const sg_norm_weights *post, int rows)
{
    const sg_layer_spec *spec = run->spec;
    int D = run->hidden;
    if (!post->weight && spec->residual_scale == 1)
        return;
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++) {
        float *row = y + (size_t)r * (size_t)D;
        if (post->weight)
            norm_row(row, row, post, spec->norm, D, spec->norm_eps);
        if (spec->residual_scale != 1)
            sg_row_scale(row, spec->residual_scale, D);
    }
}

static void act_row(float *y, const float *gate, const float *up, int n, sg_activation act)
{
    if (act == SG_ACT_SILU)
        sg_row_silu(y, gate, up, n);
    else if (act == SG_ACT_GELU_TANH)
        sg_row_gelu_tanh(y, gate, up, n);
    else
        sg_row_gelu_erf(y, gate, up, n);
}

/* out = act(gate) * up for fused rows [gate | up], or act(up); out: [rows, F] elements */
static void activate(const sg_layer_run *run, char *out, const float *up, int rows, int F)
{
    const sg_layer_spec *spec = run->spec;
    size_t row_bytes = (size_t)F * sg_element_bytes(run->precision), width = (spec->gated ? 2 : 1) * (size_t)F;
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++) {
        float *y = run->scratch->row + (size_t)omp_get_thread_num() * (size_t)F;
        const float *first = up + (size_t)r * width;
        act_row(y, first, spec->gated ? first + F : NULL, F, spec->act);
        sg_row_store(out + (size_t)r * row_bytes, y, F, run->precision);
    }
}

int sg_ffn_forward(const sg_layer_run *run, const sg_ffn_weights *w, float *out, const char *h, int rows, sg_error *err)
{
    sg_scratch *s = run->scratch;
    int F = w->width, rc;
    if ((rc = sg_mm_weight(run->mm, s->wide, h, w->up, rows, err))) /* [B, 2F], or [B, F] without a gate */
        return rc;
    add_bias(s->wide, w->up_bias, rows, run->spec->gated ? 2 * F : F);
    activate(run, s->act, s->wide, rows, F);                           /* [B, F] */
    if ((rc = sg_mm_weight(run->mm, out, s->act, w->down, rows, err))) /* [B, D] */
        return rc;
    add_bias(out, w->down_bias, rows, run->hidden);
    return SG_OK;
}

/* norm, q, k and v of a block of the slice, put where attention finds them */
static int project_qkv(const sg_layer_run *run, const float *x, sg_slice block, sg_slice slice, const sg_span *windows,
                       int n_windows, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    const sg_layer_weights *w = run->weights;
    sg_scratch *s = run->scratch;
    int D = run->hidden, width = (spec->n_heads + 2 * spec->n_kv_heads) * spec->head_dim;
    sg_qkv_run qkv = {
        .q_norm = w->q_norm, .k_norm = w->k_norm, .cos = run->cos, .sin = run->sin, .rope_half = run->rope_half};
    sg_norm_rows(s->h, x + (size_t)block.first * (size_t)D, &w->attn_norm, spec->norm, block.n, D, spec->norm_eps,
                 run->precision, s->row);                                /* [B, D] */
    int rc = sg_mm_weight(run->mm, s->wide, s->h, w->qkv, block.n, err); /* [B, (Hq + 2 Hkv) E] */
    if (rc)
        return rc;
    add_bias(s->wide, w->qkv_bias, block.n, width);
    sg_qkv_split(&s->qkv, s->wide, block, slice, windows, n_windows, spec, &qkv, run->precision);
    return SG_OK;
}

/* mid = x + the mixer's half; x, mid: [rows, D], attended: [rows, n_heads E] */
static int finish_mixer(const sg_layer_run *run, float *mid, const float *x, const char *attended, int rows,
                        sg_error *err)
{
    const sg_layer_weights *w = run->weights;
    int D = run->hidden, rc;
    if (run->skip_mixer) {
        memcpy(mid, x, (size_t)rows * (size_t)D * sizeof *mid);
        return SG_OK;
    }
    if ((rc = sg_mm_weight(run->mm, mid, attended, w->o, rows, err))) /* [B, D] */
        return rc;
    add_bias(mid, w->o_bias, rows, D);
    finish_half(run, mid, &w->attn_post_norm, rows);
    add_rows(mid, x, mid, rows, D);
    return SG_OK;
}

/* out = mid + the feed-forward's half, in scratch; x, mid: [rows, D] */
static int finish_ffn(const sg_layer_run *run, const float *x, const float *mid, int rows, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    const sg_layer_weights *w = run->weights;
    sg_scratch *s = run->scratch;
    int D = run->hidden, rc;
    const float *from = spec->parallel ? x : mid;
    const sg_norm_weights *norm =
        spec->parallel && !w->ffn_norm.weight ? &w->attn_norm : &w->ffn_norm; /* StableLM's halves share one */
    sg_norm_rows(s->h, from, norm, spec->norm, rows, D, spec->norm_eps, run->precision, s->row); /* [B, D] */
    rc = spec->n_experts ? sg_experts_forward(run, s->out, s->h, rows, err)
                         : sg_ffn_forward(run, &w->ffn, s->out, s->h, rows, err);
    if (rc)
        return rc;
    finish_half(run, s->out, &w->ffn_post_norm, rows);
    if (spec->parallel)
        add_rows(s->extra, x, s->out, rows, D);
    add_rows(s->out, mid, s->out, rows, D);
    return SG_OK;
}

/* The feed-forward's half of rows whose mid is there, and the layer's end; x, mid: [rows, D] */
static int finish_layer(const sg_layer_run *run, float *x, const float *mid, sg_slice block, sg_layer_seen *seen,
                        void *user, sg_error *err)
{
    const bool parallel = run->spec->parallel;
    sg_scratch *s = run->scratch;
    int D = run->hidden, rows = block.n, rc = SG_OK;
    if (run->skip_ffn) {
        memcpy(s->out, mid, (size_t)rows * (size_t)D * sizeof *mid);
        if (parallel)
            memcpy(s->extra, x, (size_t)rows * (size_t)D * sizeof *x);
    } else if ((rc = finish_ffn(run, x, mid, rows, err))) {
        return rc;
    }
    sg_layer_rows seen_rows = {.first = block.first,
                               .n = rows,
                               .before = x,
                               .mid = mid,
                               .after = s->out,
                               .ffn_before = parallel ? x : mid,
                               .ffn_after = parallel ? s->extra : s->out};
    if ((rc = seen(user, &seen_rows, err)))
        return rc;
    memcpy(x, s->out, (size_t)rows * (size_t)D * sizeof *x);
    return SG_OK;
}

static sg_slice next_block(sg_slice slice, int first)
{
    int left = slice.first + slice.n - first;
    return (sg_slice){first, left < SG_BLOCK_ROWS ? left : SG_BLOCK_ROWS};
}

/* A layer goes through the batch in slices: attention looks back only, so a slice needs the keys and values of those
 * before it, and no more of them. Experts get all rows of the batch at once, since each takes only some. */
static int run_slice(const sg_layer_run *run, float *x, sg_slice slice, const sg_span *windows, int n_windows,
                     sg_layer_seen *seen, void *user, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    sg_scratch *s = run->scratch;
    size_t D = (size_t)run->hidden, end = (size_t)(slice.first + slice.n),
           row_bytes = (size_t)(spec->n_heads * spec->head_dim) * sg_element_bytes(run->precision);
    int rc = SG_OK;
    for (size_t at = (size_t)slice.first; at < end && !rc && !run->skip_mixer; at += SG_BLOCK_ROWS)
        rc = project_qkv(run, x, next_block(slice, (int)at), slice, windows, n_windows, err);
    if (!rc && run->past && run->past->n > 0 && slice.n == 1)
        sg_attend_row(s->attended, &s->qkv, slice.first, spec, run->precision, run->past->scratch);
    else if (!rc && !run->skip_mixer)
        rc = sg_attention(s->attended, &s->qkv, slice, windows, n_windows, spec, run->precision, run->mm, s->attention,
                          err);
    for (size_t at = (size_t)slice.first; at < end && !rc; at += SG_BLOCK_ROWS) {
        sg_slice block = next_block(slice, (int)at);
        float *mid = s->mid + (spec->n_experts ? at * D : 0);
        rc = finish_mixer(run, mid, x + at * D, s->attended + (at - (size_t)slice.first) * row_bytes, block.n, err);
        if (!rc && !spec->n_experts)
            rc = finish_layer(run, x + at * D, mid, block, seen, user, err);
    }
    return rc;
}

int sg_layer_forward(const sg_layer_run *run, float *x, const sg_span *windows, int n_windows, sg_layer_seen *seen,
                     void *user, sg_error *err)
{
    int rows = windows[n_windows - 1].start + windows[n_windows - 1].n, behind = run->past ? run->past->n : 0,
        rc = SG_OK;
    for (int first = behind; first < rows && !rc; first += SLICE_ROWS) {
        sg_slice slice = {first, rows - first < SLICE_ROWS ? rows - first : SLICE_ROWS};
        rc = run_slice(run, x, slice, windows, n_windows, seen, user, err);
    }
    if (!rc && run->spec->n_experts) {
        size_t at = (size_t)behind * (size_t)run->hidden;
        rc = finish_layer(run, x + at, run->scratch->mid + at, (sg_slice){behind, rows - behind}, seen, user, err);
    }
    return rc;
}

/* ---- scratch ------------------------------------------------------------------------------------------ */

typedef struct sizes { /* largest over the layers */
    size_t wide, ffn, q, kv, attention, extra, parallel_experts, experts, used;
} sizes;

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static sizes measure(const sg_model_spec *spec, int threads)
{
    sizes z = {.wide = 1, .ffn = 1};
    for (int i = 0; i < spec->n_layers; i++) {
        const sg_layer_spec *s = &spec->layers[i];
        size_t q = (size_t)s->n_heads * (size_t)s->head_dim, kv = (size_t)s->n_kv_heads * (size_t)s->head_dim;
        size_t F = most((size_t)s->intermediate, most((size_t)s->expert_intermediate, (size_t)s->shared_intermediate));
        z.wide = most(z.wide, most(q + 2 * kv, (s->gated ? 2 : 1) * F));
        z.ffn = most(z.ffn, F);
        z.q = most(z.q, q);
        z.kv = most(z.kv, kv);
        z.attention = most(z.attention, sg_attention_scratch_bytes(s, threads));
        z.extra = most(z.extra, s->parallel || s->n_experts);
        z.parallel_experts = most(z.parallel_experts, s->parallel && s->n_experts);
        z.experts = most(z.experts, (size_t)s->n_experts);
        z.used = most(z.used, (size_t)s->n_experts_used);
    }
    return z;
}

/* Buffer sizes as a list, so that one sum and one walk serve all. */
int sg_scratch_create(sg_scratch *out, const sg_model_spec *spec, int batch, int threads, sg_precision precision,
                      size_t *bytes, sg_error *err)
{
    sizes z = measure(spec, threads);
    size_t D = (size_t)spec->hidden, rows = (size_t)batch, B = least(rows, SG_BLOCK_ROWS), S = least(rows, SLICE_ROWS),
           N = z.experts ? rows : B, element = sg_element_bytes(precision), real = sizeof(float);
    sg_scratch s = {.qkv = {.q_rows = (int)S, .kv_rows = batch}};
    const struct {
        void *at;
        size_t n;
    } parts[] = {
        {&s.wide, B * z.wide * real},
        {&s.mid, N * D * real},
        {&s.out, N * D * real},
        {&s.row, (size_t)threads * most(z.ffn, D) * real},
        {&s.h, N * D * element},
        {&s.act, B * z.ffn * element},
        {&s.extra, z.extra * (z.parallel_experts ? N : B) * D * real},
        {&s.gathered, z.experts ? B * D * element : 0},
        {&s.router, N * z.experts * real},
        {&s.weights, N * z.used * real},
        {&s.chosen, N * z.used * sizeof(int)},
        {&s.expert_rows, z.experts ? N * sizeof(int) : 0},
        {&s.qkv.q, S * z.q * element},
        {&s.qkv.k, rows * z.kv * element},
        {&s.qkv.v, rows * z.kv * element},
        {&s.attended, S * z.q * element},
        {&s.attention, z.attention},
    };
    size_t total = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++)
        total += (parts[i].n + 63) / 64 * 64;
    *bytes = total;
    if (!out)
        return SG_OK;
    s.memory = sg_alloc_aligned(total, 1);
    if (!s.memory)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu bytes of scratch", total);
    char *p = s.memory;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++) {
        memcpy(parts[i].at, &p, sizeof p); /* pointers to different types alike */
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
