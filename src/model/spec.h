/* What a model computes, as data: one specification per layer, so that the engine knows no family by name. */
#ifndef SG_MODEL_SPEC_H
#define SG_MODEL_SPEC_H

#include "core/error.h"

typedef enum sg_activation { SG_ACT_SILU } sg_activation;

/* A layer is x += attention(norm(x)); x += ffn(norm(x)), with
 *   attention: q [T, n_heads * head_dim], k and v [T, n_kv_heads * head_dim], rope on the first rotary_dim of each head
 *              (its two halves rotated against each other), scores * attn_scale, causal, softmax
 *   ffn:       down(act(gate(h)) * up(h)), gate and up [T, intermediate] */
typedef struct sg_layer_spec {
    int n_heads, n_kv_heads, head_dim;
    int rotary_dim;        /* even, <= head_dim */
    const float *inv_freq; /* [rotary_dim / 2] radians per position; owned by the sg_model_spec */
    int window;            /* a position sees itself and window - 1 before it; 0: all */
    float attn_scale;
    float norm_eps;        /* of both RMS norms */
    int intermediate;
    sg_activation act;
    bool qkv_bias, o_bias, ffn_bias;
} sg_layer_spec;

typedef struct sg_model_spec {
    int n_layers, hidden, vocab;
    int max_positions; /* 0: not said */
    double rope_theta; /* for people; inv_freq has it applied */
    float final_norm_eps;
    bool tied;         /* logits use the token embedding */
    sg_layer_spec *layers;
    float *inv_freq;
} sg_model_spec;

void sg_model_spec_dispose(sg_model_spec *spec);

/* Field by field, inv_freq by its numbers. false: *field names the first that differs. */
bool sg_layer_spec_equal(const sg_layer_spec *a, const sg_layer_spec *b, const char **field);

#endif
