/* Causal attention of windows, in blocks of queries and of keys: softmax is carried on from one block of keys to the
 * next, so that scratch depends on no window's length; blocks that no query of a block sees are left out. */
#ifndef SG_ENGINE_ATTENTION_H
#define SG_ENGINE_ATTENTION_H

#include "engine/matmul.h"
#include "model/spec.h"

typedef struct sg_span { /* a window's rows in the batch */
    int start, n;
    /* positions before them that it has in common with an earlier window, `back` spans before this one, whose keys and
     * values serve both; 0: none, it begins at position 0 */
    int shared, back;
} sg_span;

typedef struct sg_slice { /* rows [first, first + n) of the batch */
    int first, n;
} sg_slice;

/* Queries, keys and values after rope, of the precision's element type. E = head_dim, G = n_heads / n_kv_heads. Queries
 * are there for one slice of the batch at a time, [n_kv_heads][q_rows][G][E], so that those that share keys are one
 * matrix of n * G rows; keys and values for the batch, as far as the slices went: [n_kv_heads][kv_rows][E]. */
typedef struct sg_qkv {
    char *q, *k, *v;
    int q_rows, kv_rows; /* the most that they hold */
} sg_qkv;

/* What happens to q, k and v between the projection and their places: norms, and angles of the batch's windows.
 * cos, sin: [positions][rope_half] with rope's magnitude; rope_half 0: no rope. */
typedef struct sg_qkv_run {
    const float *q_norm, *k_norm; /* as the specification's qk_norm says */
    const float *cos, *sin;
    int rope_half;
} sg_qkv_run;

/* Rows `rows` of the batch, which lie in the slice, from the fused product (f32 [rows, q | k | v], overwritten),
 * clipped, normed, roped and stored at their places. All threads. */
void sg_qkv_split(const sg_qkv *out, float *fused, sg_slice rows, sg_slice slice, const sg_span *windows, int n_windows,
                  const sg_layer_spec *spec, const sg_qkv_run *run, sg_precision precision);

/* The slice's queries against all keys up to theirs. out: [slice.n][n_heads * E], of the precision's element type.
 * All threads. */
int sg_attention(void *out, const sg_qkv *in, sg_slice slice, const sg_span *windows, int n_windows,
                 const sg_layer_spec *spec, sg_precision precision, sg_mm *mm, char *scratch, sg_error *err);
size_t sg_attention_scratch_bytes(const sg_layer_spec *spec, int threads);

#endif
