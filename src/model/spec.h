/* What a model computes, as data: one specification per layer, so that the engine knows no family by name. */
#ifndef SG_MODEL_SPEC_H
#define SG_MODEL_SPEC_H

#include "core/error.h"

typedef enum sg_activation { SG_ACT_SILU, SG_ACT_GELU_TANH, SG_ACT_GELU_ERF } sg_activation;

typedef enum sg_norm_kind { SG_NORM_RMS, SG_NORM_LAYER } sg_norm_kind;

typedef enum sg_qk_norm {
    SG_QK_NORM_NONE,
    SG_QK_NORM_HEAD,  /* RMS over each head, one weight [head_dim] for all */
    SG_QK_NORM_ROW,   /* RMS over the whole projected row, weight [heads * head_dim] */
    SG_QK_NORM_HEADS, /* LayerNorm over each head, a weight [heads, head_dim], no bias */
} sg_qk_norm;

/* Rotary embeddings (arXiv 2104.09864): the first `dim` numbers of a head, its two halves rotated against each other,
 * at position p by the angle p * inv_freq[i]; cos and sin times magnitude. Some kinds depend on the length T of the
 * window. */
typedef enum sg_rope_kind {
    SG_ROPE_FIXED,
    SG_ROPE_DYNAMIC, /* T > original: theta grows (dynamic NTK) */
    SG_ROPE_LONG,    /* T > original: inv_freq_long instead (longrope) */
} sg_rope_kind;

typedef struct sg_rope {
    sg_rope_kind kind;
    int dim;              /* even, <= head_dim */
    int original;         /* positions, for the kinds that depend on T */
    double theta, factor; /* dynamic: of its formula */
    float magnitude;      /* 1 but for yarn and longrope */
    float *inv_freq;      /* [dim / 2] radians per position; owned by the sg_model_spec */
    float *inv_freq_long; /* [dim / 2] or NULL; owned likewise */
} sg_rope;

enum { SG_MAX_ROPES = 2 };

/* A layer has a mixer and a feed-forward half. h is the stream, normed where the family has a norm in front; out the
 * half's result, normed where it has one behind, times residual_scale. sequential: x += mixer(h(x)); x += ffn(h(x))
 * parallel: x += mixer(h(x)) + ffn(h'(x)) mixer: q [T, n_heads * head_dim], k and v [T, n_kv_heads * head_dim] (+
 * bias), clipped, normed, roped; scores * attn_scale, soft-capped, causal within the window, softmax. ffn:   gated:
 * down(act(gate(h)) * up(h)), gate and up [T, intermediate]; else down(act(up(h))). With experts: p =
 * softmax(router(h)) over all; the n_experts_used largest, renormalised or not, weigh their experts' gated ffn; plus
 *        the shared expert's, times sigmoid(shared_gate(h)) where it has such a gate. */
typedef struct sg_layer_spec {
    int n_heads, n_kv_heads, head_dim;
    int rope;   /* into the model's ropes; -1: none */
    int window; /* a position sees itself and window - 1 before it; 0: all */
    float attn_scale;
    float attn_softcap; /* scores become cap * tanh(score / cap); 0: none */
    float clip_qkv;     /* to [-clip, clip]; 0: none */
    sg_qk_norm qk_norm;
    bool qkv_bias, o_bias, ffn_bias;
    sg_norm_kind norm;
    float norm_eps; /* of all the layer's norms */
    bool parallel;
    float residual_scale;
    bool gated;
    sg_activation act;
    int intermediate; /* of a dense feed-forward; 0 with experts */
    int n_experts, n_experts_used, expert_intermediate, shared_intermediate; /* 0: none */
    bool renormalise;
} sg_layer_spec;

typedef struct sg_model_spec {
    int n_layers, hidden, vocab;
    int max_positions; /* 0: not said */
    double rope_theta; /* for people; the ropes have it applied */
    sg_norm_kind final_norm;
    float final_norm_eps;
    bool tied;           /* logits use the token embedding */
    float embed_scale;   /* the stream starts as embedding * embed_scale (+ position embedding) */
    float logit_scale;   /* logits * logit_scale, then */
    float logit_softcap; /* cap * tanh(logit / cap); 0: none */
    sg_rope ropes[SG_MAX_ROPES];
    int n_ropes;
    sg_layer_spec *layers;
} sg_model_spec;

void sg_model_spec_dispose(sg_model_spec *spec);

/* Field by field; ropes by their numbers; of models all but the layers. false: *field names the first that differs. */
bool sg_model_spec_equal(const sg_model_spec *a, const sg_model_spec *b, const char **field);
bool sg_layer_spec_equal(const sg_layer_spec *a, const sg_layer_spec *b, const char **field);

#endif
