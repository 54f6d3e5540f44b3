/* Causal attention of whole windows, blocked over queries: scores of a block take block x keys, never T x T. */
#ifndef SG_ENGINE_ATTENTION_H
#define SG_ENGINE_ATTENTION_H

#include "engine/matmul.h"
#include "model/spec.h"

typedef struct sg_span { /* a window's positions in the batch */
    int start, n;
} sg_span;

/* Queries, keys and values after rope, of the precision's element type. E = head_dim, G = n_heads / n_kv_heads. Window
 * after window; in each q: [n_kv_heads][n][G][E]   k, v: [n_kv_heads][n][E] so that the queries that share keys are one
 * matrix of n * G rows. */
typedef struct sg_qkv {
    char *q, *k, *v;
} sg_qkv;

/* What happens to q, k and v between the projection and their places: norms, and angles of the batch's windows.
 * cos, sin: [positions][rope_half] with rope's magnitude; rope_half 0: no rope. */
typedef struct sg_qkv_run {
    const float *q_norm, *k_norm; /* as the specification's qk_norm says */
    const float *cos, *sin;
    int rope_half;
} sg_qkv_run;

/* Rows [first, first + rows) of the batch, from the fused product (f32 [rows, q | k | v], overwritten), clipped,
 * normed, roped and stored at their places. All threads. */
void sg_qkv_split(const sg_qkv *out, float *fused, int first, int rows, const sg_span *windows, int n_windows,
                  const sg_layer_spec *spec, const sg_qkv_run *run, sg_precision precision);

/* out: [batch rows][n_heads * E], of the precision's element type. scratch: sg_attention_scratch_bytes of the longest
 * window. All threads. */
int sg_attention(void *out, const sg_qkv *in, const sg_span *windows, int n_windows, const sg_layer_spec *spec,
                 sg_precision precision, sg_mm *mm, char *scratch, sg_error *err);
size_t sg_attention_scratch_bytes(const sg_layer_spec *spec, int longest, int threads);

#endif
