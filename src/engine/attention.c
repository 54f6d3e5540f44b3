/* Attention. Work is cut into (window, key-value head, block of queries); each piece runs in one thread. */
#include "engine/attention.h"

#include <omp.h>
#include <string.h>

#include "engine/kernels.h"

/* Queries per block: the G heads that share keys give G rows each, about 256 together. */
static int block_queries(const sg_layer_spec *spec)
{
    int group = spec->n_heads / spec->n_kv_heads, n = 256;
    while (n > 16 && n * group > 256)
        n /= 2;
    return n;
}

/* One thread's scratch: scores f32 [block * G, longest], their bf16 copy, the block's result and one head. */
static size_t thread_floats(const sg_layer_spec *spec, int longest)
{
    size_t rows = (size_t)block_queries(spec) * (size_t)(spec->n_heads / spec->n_kv_heads);
    size_t floats = rows * (size_t)longest * 2 + rows * ((size_t)spec->head_dim + 1);
    return (floats + 15) / 16 * 16;
}

size_t sg_attention_scratch_bytes(const sg_layer_spec *spec, int longest, int threads)
{
    return thread_floats(spec, longest) * sizeof(float) * (size_t)threads;
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

/* One position's heads to their places. */
static void split_row(const sg_qkv *out, const float *fused, sg_span window, int pos, const sg_layer_spec *spec,
                      const sg_qkv_run *run, sg_precision precision, float *head)
{
    int E = spec->head_dim, Hk = spec->n_kv_heads, G = spec->n_heads / Hk;
    size_t bytes = sg_element_bytes(precision) * (size_t)E, T = (size_t)window.n, t = (size_t)pos;
    size_t base = (size_t)window.start * (size_t)Hk; /* heads before this window */
    const float *cos = run->cos + t * (size_t)run->rope_half, *sin = run->sin + t * (size_t)run->rope_half;
    for (int g = 0; g < Hk; g++) {
        size_t row = base + (size_t)g * T + t;
        for (int j = 0; j < G; j++) {
            sg_row_rope(head, fused + (size_t)(g * G + j) * (size_t)E, cos, sin, run->rope_half, E);
            sg_row_store(out->q + (row * (size_t)G + (size_t)j) * bytes, head, E, precision);
        }
        sg_row_rope(head, fused + (size_t)(Hk * G + g) * (size_t)E, cos, sin, run->rope_half, E);
        sg_row_store(out->k + row * bytes, head, E, precision);
        sg_row_store(out->v + row * bytes, fused + (size_t)(Hk * G + Hk + g) * (size_t)E, E, precision);
    }
}

void sg_qkv_split(const sg_qkv *out, float *fused, int first, int rows, const sg_span *windows, int n_windows,
                  const sg_layer_spec *spec, const sg_qkv_run *run, sg_precision precision)
{
    enum { MAX_HEAD = 1024 }; /* checked by the pass */
    int width = (spec->n_heads + 2 * spec->n_kv_heads) * spec->head_dim;
#pragma omp parallel for schedule(static)
    for (int r = 0; r < rows; r++) {
        float head[MAX_HEAD], *row = fused + (size_t)r * (size_t)width;
        sg_span window = windows[window_of(windows, n_windows, first + r)];
        norm_row(row, spec, run);
        split_row(out, row, window, first + r - window.start, spec, run, precision, head);
    }
}

/* Queries [q0, q1) of one window and key-value head g. */
static int attend_block(char *out, const sg_qkv *in, sg_span window, int g, int q0, int q1, const sg_layer_spec *spec,
                        sg_precision precision, sg_mm *mm, int thread, float *scratch, int longest, sg_error *err)
{
    int E = spec->head_dim, Hk = spec->n_kv_heads, G = spec->n_heads / Hk, rows = (q1 - q0) * G;
    int k0 = spec->window && q0 - spec->window + 1 > 0 ? q0 - spec->window + 1 : 0, keys = q1 - k0;
    size_t element = sg_element_bytes(precision), bytes = element * (size_t)E;
    size_t base = (size_t)window.start * (size_t)Hk + (size_t)g * (size_t)window.n;
    const char *q = in->q + (base + (size_t)q0) * (size_t)G * bytes;
    const char *k = in->k + (base + (size_t)k0) * bytes, *v = in->v + (base + (size_t)k0) * bytes;
    float *scores = scratch, *weights = scores + (size_t)block_queries(spec) * (size_t)G * (size_t)longest;
    float *result = weights + (size_t)block_queries(spec) * (size_t)G * (size_t)longest,
          *sums = result + (size_t)rows * (size_t)E;

    int rc = sg_mm_plain(mm, thread, scores, q, k, SG_MM_B_NK, rows, keys, E, precision, err); /* [rows, keys] */
    if (rc)
        return rc;
    for (int r = 0; r < rows; r++) {
        int t = q0 + r / G; /* sees positions up to itself, from t - window + 1 on */
        int from = spec->window && t - spec->window + 1 > k0 ? t - spec->window + 1 - k0 : 0, to = t + 1 - k0;
        float *row = scores + (size_t)r * (size_t)keys;
        memset(row, 0, (size_t)from * sizeof *row);
        if (spec->attn_softcap > 0)
            sg_row_softcap(row + from, to - from, spec->attn_scale, spec->attn_softcap);
        sums[r] = sg_row_softmax_exp(row + from, to - from, keys - from, spec->attn_softcap > 0 ? 1 : spec->attn_scale);
        sg_row_store((char *)weights + (size_t)r * (size_t)keys * element, row, keys, precision);
    }
    rc = sg_mm_plain(mm, thread, result, weights, v, SG_MM_B_KN, rows, E, keys, precision, err); /* [rows, E] */
    if (rc)
        return rc;
    for (int r = 0; r < rows; r++) {
        float *row = result + (size_t)r * (size_t)E;
        for (int e = 0; e < E; e++)
            row[e] /= sums[r];
        size_t at = ((size_t)(window.start + q0 + r / G) * (size_t)spec->n_heads + (size_t)(g * G + r % G)) * bytes;
        sg_row_store(out + at, row, E, precision);
    }
    return SG_OK;
}

int sg_attention(void *out, const sg_qkv *in, const sg_span *windows, int n_windows, const sg_layer_spec *spec,
                 sg_precision precision, sg_mm *mm, char *scratch, sg_error *err)
{
    int longest = 0, block = block_queries(spec), Hk = spec->n_kv_heads, failed = SG_OK;
    for (int w = 0; w < n_windows; w++)
        longest = windows[w].n > longest ? windows[w].n : longest;
    int blocks = (longest + block - 1) / block;
    size_t pieces = (size_t)n_windows * (size_t)Hk * (size_t)blocks, each = thread_floats(spec, longest);
#pragma omp parallel num_threads(sg_mm_threads(mm))
    {
        int thread = omp_get_thread_num();
        sg_mm_enter_thread();
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < pieces; i++) {
            int b = blocks - 1 - (int)(i % (size_t)blocks); /* the longest first */
            sg_span window = windows[i / ((size_t)blocks * (size_t)Hk)];
            int g = (int)(i / (size_t)blocks % (size_t)Hk), q0 = b * block,
                q1 = q0 + block < window.n ? q0 + block : window.n, rc;
            sg_error mine = {0};
            if (q0 >= window.n || __atomic_load_n(&failed, __ATOMIC_RELAXED))
                continue;
            rc = attend_block(out, in, window, g, q0, q1, spec, precision, mm, thread,
                              (float *)(void *)scratch + each * (size_t)thread, longest, &mine);
            if (rc) {
#pragma omp critical(sg_attention_failed)
                if (!failed) {
                    if (err)
                        *err = mine;
                    __atomic_store_n(&failed, rc, __ATOMIC_RELAXED);
                }
            }
        }
    }
    return failed;
}
