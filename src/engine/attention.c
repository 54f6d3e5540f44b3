/* Attention. Work is cut into (window, key-value head, block of queries); each piece runs in one thread, block of keys
 * after block of keys (online softmax, arXiv 1805.02867). Keys are cut at the same positions for every block of
 * queries, so a row's result does not depend on how the rows were cut. */
#include "engine/attention.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kernels.h"

enum { KEY_BLOCK = SG_SOFTMAX_BLOCK, KEY_STEP = 64 }; /* a window's first key is rounded down to a step: fewer shapes of products */

/* Queries per block: the G heads that share keys give G rows each, about 256 together. */
static int block_queries(const sg_layer_spec *spec)
{
    int group = spec->n_heads / spec->n_kv_heads, n = 256;
    while (n > 16 && n * group > 256)
        n /= 2;
    return n;
}

/* One thread's buffers for a block of R queries' rows. */
typedef struct work {
    float *scores;   /* [R][KEY_BLOCK] */
    char *weights;   /* [R][KEY_BLOCK] elements */
    float *part;     /* [R][E]: what a block of keys gives */
    float *sum;      /* [R][E]: of the blocks so far */
    sg_softmax *row; /* [R] */
} work;

static size_t block_rows(const sg_layer_spec *spec)
{
    return (size_t)block_queries(spec) * (size_t)(spec->n_heads / spec->n_kv_heads);
}

static size_t thread_bytes(const sg_layer_spec *spec)
{
    size_t floats = 2 * KEY_BLOCK + 2 * (size_t)spec->head_dim;
    return (block_rows(spec) * (floats * sizeof(float) + sizeof(sg_softmax)) + 63) / 64 * 64;
}

size_t sg_attention_scratch_bytes(const sg_layer_spec *spec, int threads)
{
    return thread_bytes(spec) * (size_t)threads;
}

static work work_of(const sg_layer_spec *spec, char *scratch, int thread)
{
    size_t R = block_rows(spec), E = (size_t)spec->head_dim;
    float *p = (float *)(void *)(scratch + thread_bytes(spec) * (size_t)thread);
    work w = {.scores = p, .weights = (char *)(p + R * KEY_BLOCK), .part = p + 2 * R * KEY_BLOCK};
    w.sum = w.part + R * E;
    w.row = (sg_softmax *)(void *)(w.sum + R * E);
    return w;
}

static int window_of(const sg_span *windows, int n_windows, int row)
{
    int low = 0, high = n_windows - 1;
    while (low < high) {
        int mid = (low + high + 1) / 2;
        if (windows[mid].start <= row)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* Norm and clip of one position's q, k and v. */
static void norm_row(float *fused, const sg_layer_spec *spec, const sg_qkv_run *run)
{
    int E = spec->head_dim, H = spec->n_heads, Hk = spec->n_kv_heads;
    float *q = fused, *k = fused + (size_t)H * (size_t)E;
    switch (spec->qk_norm) {
    case SG_QK_NORM_NONE:
        break;
    case SG_QK_NORM_ROW:
        sg_row_rmsnorm(q, q, run->q_norm, H * E, spec->norm_eps);
        sg_row_rmsnorm(k, k, run->k_norm, Hk * E, spec->norm_eps);
        break;
    case SG_QK_NORM_HEAD:
        for (int h = 0; h < H + Hk; h++)
            sg_row_rmsnorm(q + h * E, q + h * E, h < H ? run->q_norm : run->k_norm, E, spec->norm_eps);
        break;
    case SG_QK_NORM_HEADS:
        for (int h = 0; h < H + Hk; h++)
            sg_row_layernorm(q + h * E, q + h * E, h < H ? run->q_norm + h * E : run->k_norm + (h - H) * E, NULL, E,
                             spec->norm_eps);
        break;
    }
    if (spec->clip_qkv > 0)
        sg_row_clip(fused, spec->clip_qkv, (H + 2 * Hk) * E);
}

/* One position's heads to their places: row q of the slice, row kv of the batch. */
static void split_row(const sg_qkv *out, const float *fused, size_t q, size_t kv, int pos, const sg_layer_spec *spec,
                      const sg_qkv_run *run, sg_precision precision, float *head)
{
    int E = spec->head_dim, Hk = spec->n_kv_heads, G = spec->n_heads / Hk;
    size_t bytes = sg_element_bytes(precision) * (size_t)E, t = (size_t)pos;
    const float *cos = run->cos + t * (size_t)run->rope_half, *sin = run->sin + t * (size_t)run->rope_half;
    for (int g = 0; g < Hk; g++) {
        size_t q_row = (size_t)g * (size_t)out->q_rows + q, kv_row = (size_t)g * (size_t)out->kv_rows + kv;
        for (int j = 0; j < G; j++) {
            sg_row_rope(head, fused + (size_t)(g * G + j) * (size_t)E, cos, sin, run->rope_half, E);
            sg_row_store(out->q + (q_row * (size_t)G + (size_t)j) * bytes, head, E, precision);
        }
        sg_row_rope(head, fused + (size_t)(Hk * G + g) * (size_t)E, cos, sin, run->rope_half, E);
        sg_row_store(out->k + kv_row * bytes, head, E, precision);
        sg_row_store(out->v + kv_row * bytes, fused + (size_t)(Hk * G + Hk + g) * (size_t)E, E, precision);
    }
}

void sg_qkv_split(const sg_qkv *out, float *fused, sg_slice rows, sg_slice slice, const sg_span *windows, int n_windows,
                  const sg_layer_spec *spec, const sg_qkv_run *run, sg_precision precision)
{
    enum { MAX_HEAD = 1024 }; /* checked by the pass */
    int width = (spec->n_heads + 2 * spec->n_kv_heads) * spec->head_dim;
#pragma omp parallel for schedule(static) if (rows.n > 1)
    for (int r = rows.first; r < rows.first + rows.n; r++) {
        float head[MAX_HEAD], *row = fused + (size_t)(r - rows.first) * (size_t)width;
        sg_span window = windows[window_of(windows, n_windows, r)];
        norm_row(row, spec, run);
        split_row(out, row, (size_t)(r - slice.first), (size_t)r, window.shared + r - window.start, spec, run,
                  precision, head);
    }
}

/* ---- a block of queries -------------------------------------------------------------------------------- */

typedef struct piece { /* queries [q0, q1) of a window's rows and key-value head g */
    const sg_span *window;
    int g, q0, q1;
} piece;

/* The scores of the keys at positions [k0, k0 + keys) to weights; the sum so far is brought to the new maximum. */
static void weigh(const work *w, const piece *p, int k0, int keys, const sg_layer_spec *spec, sg_precision precision)
{
    int G = spec->n_heads / spec->n_kv_heads, rows = (p->q1 - p->q0) * G;
    size_t element = sg_element_bytes(precision);
    for (int r = 0; r < rows; r++) {
        int t = p->window->shared + p->q0 + r / G; /* sees positions up to itself, from t - window + 1 on */
        int to = t + 1 - k0 < keys ? t + 1 - k0 : keys, from = spec->window ? t - spec->window + 1 - k0 : 0;
        float *scores = w->scores + (size_t)r * (size_t)keys, scale = spec->attn_scale;
        from = from < 0 ? 0 : from;
        if (spec->attn_softcap > 0 && from < to) {
            sg_row_softcap(scores + from, to - from, spec->attn_scale, spec->attn_softcap);
            scale = 1;
        }
        float keep = sg_row_softmax_block(&w->row[r], w->weights + (size_t)r * (size_t)keys * element, scores, from, to,
                                          keys, scale, precision);
        if (keep != 1)
            sg_row_scale(w->sum + (size_t)r * (size_t)spec->head_dim, keep, spec->head_dim);
    }
}

static void put_result(char *out, const work *w, const piece *p, int slice_first, const sg_layer_spec *spec,
                       sg_precision precision)
{
    int E = spec->head_dim, G = spec->n_heads / spec->n_kv_heads;
    size_t bytes = sg_element_bytes(precision) * (size_t)E;
    for (int r = 0; r < (p->q1 - p->q0) * G; r++) {
        float *row = w->sum + (size_t)r * (size_t)E;
        size_t at = (size_t)(p->window->start + p->q0 + r / G - slice_first);
        sg_row_scale(row, 1 / w->row[r].sum, E);
        sg_row_store(out + (at * (size_t)spec->n_heads + (size_t)(p->g * G + r % G)) * bytes, row, E, precision);
    }
}

/* The row of the batch that holds the window's position k, and *to, up to which the following ones lie behind it. */
static int key_row(const sg_span *window, int k, int *to)
{
    *to = window->shared + window->n;
    while (k < window->shared) {
        *to = window->shared;
        window -= window->back;
    }
    return window->start + k - window->shared;
}

static int attend(char *out, const sg_qkv *in, const piece *p, int slice_first, const sg_layer_spec *spec,
                  sg_precision precision, sg_mm *mm, int thread, const work *w, sg_error *err)
{
    int E = spec->head_dim, G = spec->n_heads / spec->n_kv_heads, rows = (p->q1 - p->q0) * G, rc;
    int query = p->window->shared + p->q0, end = p->window->shared + p->q1; /* positions */
    int first = spec->window && query >= spec->window ? (query - spec->window + 1) / KEY_STEP * KEY_STEP : 0;
    size_t bytes = sg_element_bytes(precision) * (size_t)E;
    size_t q_row = (size_t)p->g * (size_t)in->q_rows + (size_t)(p->window->start + p->q0 - slice_first),
           kv_row = (size_t)p->g * (size_t)in->kv_rows;
    const char *q = in->q + q_row * (size_t)G * bytes;
    for (int r = 0; r < rows; r++)
        w->row[r] = (sg_softmax){.max = -INFINITY};
    for (int k0 = first, k1, to; k0 < end; k0 = k1) {
        int row = key_row(p->window, k0, &to);
        k1 = (k0 / KEY_BLOCK + 1) * KEY_BLOCK;
        k1 = k1 < to ? k1 : to;
        k1 = k1 < end ? k1 : end;
        size_t at = (kv_row + (size_t)row) * bytes;
        float *part = k0 == first ? w->sum : w->part;
        if ((rc = sg_mm_plain(mm, thread, w->scores, q, in->k + at, SG_MM_B_NK, rows, k1 - k0, E, precision, err)))
            return rc; /* [rows, keys] */
        weigh(w, p, k0, k1 - k0, spec, precision);
        if ((rc = sg_mm_plain(mm, thread, part, w->weights, in->v + at, SG_MM_B_KN, rows, E, k1 - k0, precision, err)))
            return rc; /* [rows, E] */
        if (part != w->sum)
            sg_row_add(w->sum, part, rows * E);
    }
    put_result(out, w, p, slice_first, spec, precision);
    return SG_OK;
}

/* ---- all of a slice ------------------------------------------------------------------------------------ */

/* Block b of the part of a window that lies in the slice; false: there is none. */
static bool piece_of(piece *out, const sg_span *window, sg_slice slice, int g, int b, int block)
{
    int from = slice.first > window->start ? slice.first - window->start : 0,
        to = slice.first + slice.n - window->start < window->n ? slice.first + slice.n - window->start : window->n;
    *out = (piece){.window = window, .g = g, .q0 = from + b * block, .q1 = from + (b + 1) * block};
    out->q1 = out->q1 < to ? out->q1 : to;
    return out->q0 < out->q1;
}

int sg_attention(void *out, const sg_qkv *in, sg_slice slice, const sg_span *windows, int n_windows,
                 const sg_layer_spec *spec, sg_precision precision, sg_mm *mm, char *scratch, sg_error *err)
{
    int w0 = window_of(windows, n_windows, slice.first), w1 = window_of(windows, n_windows, slice.first + slice.n - 1);
    int longest = 0, block = block_queries(spec), failed = SG_OK;
    for (int w = w0; w <= w1; w++)
        longest = windows[w].n > longest ? windows[w].n : longest;
    size_t blocks = (size_t)((longest < slice.n ? longest : slice.n) + block - 1) / (size_t)block,
           Hk = (size_t)spec->n_kv_heads, pieces = (size_t)(w1 - w0 + 1) * Hk * blocks;
#pragma omp parallel num_threads(sg_mm_threads(mm))
    {
        int thread = omp_get_thread_num();
        work mine = work_of(spec, scratch, thread);
        sg_mm_enter_thread();
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < pieces; i++) {
            piece p; /* the longest first */
            if (!piece_of(&p, &windows[w0 + (int)(i / (blocks * Hk))], slice, (int)(i / blocks % Hk),
                          (int)(blocks - 1 - i % blocks), block) ||
                __atomic_load_n(&failed, __ATOMIC_RELAXED))
                continue;
            sg_error why = {0};
            int rc = attend(out, in, &p, slice.first, spec, precision, mm, thread, &mine, &why);
            if (rc) {
#pragma omp critical(sg_attention_failed)
                if (!failed) {
                    if (err)
                        *err = why;
                    __atomic_store_n(&failed, rc, __ATOMIC_RELAXED);
                }
            }
        }
    }
    return failed;
}
