/* Attention of one row. It meets each key once, so this is bound by memory: plain loops, a head at a time. */
#include "engine/cache.h"

#include <omp.h>
#include <string.h>

#include "core/clones.h"
#include "engine/kernels.h"

/* One thread's scratch: scores of a head's positions, the query and the result in f32. */
static size_t thread_floats(const sg_layer_spec *spec, int rows)
{
    return ((size_t)rows + 2 * (size_t)spec->head_dim + 15) / 16 * 16;
}

size_t sg_attend_row_bytes(const sg_layer_spec *spec, int rows, int threads)
{
    return thread_floats(spec, rows) * sizeof(float) * (size_t)threads;
}

static inline float from_bf16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return x;
}

static void load_row(float *out, const void *x, int n, sg_precision precision)
{
    for (int i = 0; i < n; i++)
        out[i] = precision == SG_PRECISION_BF16 ? from_bf16(((const uint16_t *)x)[i]) : ((const float *)x)[i];
}

/* out = sum over t of weights[t] * v[t]; v: [n][E] */
SG_CLONES static void weigh_bf16(float *out, const float *weights, const uint16_t *v, int n, int E)
{
    for (int t = 0; t < n; t++, v += E)
        for (int e = 0; e < E; e++)
            out[e] += weights[t] * from_bf16(v[e]);
}

SG_CLONES static void weigh_f32(float *out, const float *weights, const float *v, int n, int E)
{
    for (int t = 0; t < n; t++, v += E)
        for (int e = 0; e < E; e++)
            out[e] += weights[t] * v[e];
}

static void attend_head(char *out, const sg_qkv *in, int row, int h, const sg_layer_spec *spec, sg_precision precision,
                        float *scratch)
{
    int E = spec->head_dim, G = spec->n_heads / spec->n_kv_heads, g = h / G;
    int from = spec->window && row >= spec->window ? row + 1 - spec->window : 0, keys = row + 1 - from;
    size_t bytes = sg_element_bytes(precision) * (size_t)E,
           at = ((size_t)g * (size_t)in->kv_rows + (size_t)from) * bytes;
    float *q = scratch, *result = q + E, *scores = result + E;
    load_row(q, in->q + ((size_t)g * (size_t)in->q_rows * (size_t)G + (size_t)(h % G)) * bytes, E, precision);
    for (int t = 0; t < keys; t++)
        scores[t] = sg_row_dot_elements(in->k + at + (size_t)t * bytes, q, E, precision);
    if (spec->attn_softcap > 0)
        sg_row_softcap(scores, keys, spec->attn_scale, spec->attn_softcap);
    float sum = sg_row_softmax_exp(scores, keys, keys, spec->attn_softcap > 0 ? 1 : spec->attn_scale);
    memset(result, 0, (size_t)E * sizeof *result);
    if (precision == SG_PRECISION_BF16)
        weigh_bf16(result, scores, (const uint16_t *)(const void *)(in->v + at), keys, E);
    else
        weigh_f32(result, scores, (const float *)(const void *)(in->v + at), keys, E);
    sg_row_scale(result, 1 / sum, E);
    sg_row_store(out + (size_t)h * bytes, result, E, precision);
}

void sg_attend_row(void *out, const sg_qkv *in, int row, const sg_layer_spec *spec, sg_precision precision,
                   float *scratch)
{
    size_t each = thread_floats(spec, row + 1);
#pragma omp parallel for schedule(static) if (row > 256) /* what a region costs */
    for (int h = 0; h < spec->n_heads; h++)
        attend_head(out, in, row, h, spec, precision, scratch + each * (size_t)omp_get_thread_num());
}
