/* A layer's weights as the engine multiplies with them: dequantized, fused, reordered as the family's table says,
 * packed. */
#ifndef SG_ENGINE_WEIGHTS_H
#define SG_ENGINE_WEIGHTS_H

#include "engine/matmul.h"
#include "model/model.h"

typedef struct sg_norm_weights { /* weight NULL: there is no such norm; bias NULL: none */
    float *weight, *bias;
} sg_norm_weights;

typedef struct sg_ffn_weights { /* one feed-forward; biases NULL: none */
    sg_weight *up;              /* gated: [2 * width, hidden], gate and up one below the other; else [width, hidden] */
    sg_weight *down;            /* [hidden, width] */
    float *up_bias, *down_bias;
    int width;
} sg_ffn_weights;

typedef struct sg_layer_weights {
    sg_norm_weights attn_norm, ffn_norm, attn_post_norm, ffn_post_norm; /* [hidden] */
    sg_weight *qkv; /* [(n_heads + 2 n_kv_heads) * head_dim, hidden]: q, k, v one below the other */
    sg_weight *o;   /* [hidden, n_heads * head_dim] */
    float *qkv_bias, *o_bias;
    float *q_norm, *k_norm;  /* as sg_qk_norm says */
    sg_ffn_weights ffn;      /* dense */
    sg_weight *router;       /* [n_experts, hidden] */
    sg_ffn_weights *experts; /* [n_experts]; apart: only the last that was asked for */
    int n_experts;           /* that are held */
    int in_slot;             /* apart: which one that is, -1: none */
    struct sg_loader *loader;
    int layer;
    sg_ffn_weights shared;
    float *shared_score; /* [hidden] */
} sg_layer_weights;

/* What loads a model's layers, one after another. */
typedef struct sg_loader {
    const sg_model *model;
    sg_mm *mm;
    sg_precision precision;
    bool experts_apart; /* a layer's experts are not held together, but loaded one by one when they are used */
    char *plain;        /* where a matrix waits to be packed; kept from one to the next */
    size_t plain_bytes;
} sg_loader;
void sg_loader_dispose(sg_loader *loader);
/* Gives that buffer back until the next layer. */
void sg_loader_rest(sg_loader *loader);

/* The loader has to stay until the weights are disposed of. */
int sg_layer_weights_load(sg_layer_weights *out, sg_loader *loader, int layer, sg_error *err);
void sg_layer_weights_dispose(sg_layer_weights *w);
/* Expert e of the layer; valid until the next call. */
int sg_layer_expert(const sg_ffn_weights **out, sg_layer_weights *w, int e, sg_error *err);
/* What the loader and the largest layer allocate. */
uint64_t sg_layer_weights_bytes(const sg_model *model, bool experts_apart, int threads, sg_precision precision);

/* For an error: the first tensor of a layer (-1: of the model) that holds NaN or infinity, by name; else a phrase that
 * says none does. */
const char *sg_weights_not_finite(const sg_model *model, int layer);

/* Can the engine compute this model? SG_ERR_REFUSED naming the tensor and its type, or, in a GGUF, a tensor that has no
 * role (llama.cpp would compute something with it). */
int sg_model_runnable(const sg_model *model, sg_error *err);

#endif
