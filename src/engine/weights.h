/* A layer's weights as the engine multiplies with them: dequantized, fused, permuted as the family's table says, packed. */
#ifndef SG_ENGINE_WEIGHTS_H
#define SG_ENGINE_WEIGHTS_H

#include "engine/matmul.h"
#include "model/model.h"

typedef struct sg_layer_weights {
    float *attn_norm, *ffn_norm; /* [hidden] */
    sg_weight *qkv;              /* [(n_heads + 2 n_kv_heads) * head_dim, hidden]: q, k, v one below the other */
    sg_weight *o;                /* [hidden, n_heads * head_dim] */
    sg_weight *gate_up;          /* [2 * intermediate, hidden] */
    sg_weight *down;             /* [hidden, intermediate] */
    float *qkv_bias, *o_bias, *gate_up_bias, *down_bias; /* NULL: none */
} sg_layer_weights;

int sg_layer_weights_load(sg_layer_weights *out, const sg_model *model, int layer, sg_mm *mm, sg_precision precision, sg_error *err);
void sg_layer_weights_dispose(sg_layer_weights *w);
/* Tells the kernel that a layer's bytes are needed next. */
void sg_layer_weights_prefetch(const sg_model *model, int layer);
/* What loading and holding the largest layer allocates. */
uint64_t sg_layer_weights_bytes(const sg_model *model, sg_precision precision);

/* Rows [first, first + n) of a matrix to f32 (out [n, cols]); and a whole vector. */
void sg_rows_f32(float *out, const sg_model *model, const sg_tensor *t, uint64_t first, int n);
int sg_vector_f32(float **out, const sg_model *model, const sg_tensor *t, sg_error *err);
/* The same rows to the precision's element type, with all threads; out [n, cols]. interleaved_half: 0, or how many pairs of rows at each head's
 * start (of head_dim rows) are stored interleaved. */
int sg_rows_load(void *out, const sg_model *model, const sg_tensor *t, uint64_t first, int n, int interleaved_half, int head_dim,
                 sg_precision precision, sg_error *err);

/* Can the engine compute this model? SG_ERR_REFUSED naming the tensor and its type, or, in a GGUF, a tensor that has no role
 * (llama.cpp would compute something with it). */
int sg_model_runnable(const sg_model *model, sg_error *err);

#endif
