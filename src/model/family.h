/* Families as data: how a configuration becomes specifications, and which tensor plays which role in both formats. A
 * family is a row of families.c; tensor roles are groups of rows (roles.c) that families share. */
#ifndef SG_MODEL_FAMILY_H
#define SG_MODEL_FAMILY_H

#include "model/config.h"
#include "model/spec.h"

typedef enum sg_role {
    /* of the model */
    SG_EMBEDDING,
    SG_POSITIONS,
    SG_FINAL_NORM,
    SG_FINAL_NORM_BIAS,
    SG_HEAD,
    SG_ROPE_FACTORS,
    SG_ROPE_LONG_FACTORS,
    SG_ROPE_SHORT_FACTORS,
    /* of a layer: norms in front of and behind each half */
    SG_ATTN_NORM,
    SG_ATTN_NORM_BIAS,
    SG_ATTN_POST_NORM,
    SG_FFN_NORM,
    SG_FFN_NORM_BIAS,
    SG_FFN_POST_NORM,
    /* the mixer; QKV is q, k and v in one tensor */
    SG_QKV,
    SG_Q,
    SG_K,
    SG_V,
    SG_O,
    SG_QKV_BIAS,
    SG_Q_BIAS,
    SG_K_BIAS,
    SG_V_BIAS,
    SG_O_BIAS,
    SG_Q_NORM,
    SG_K_NORM,
    /* the feed-forward; GATE_UP is both in one tensor */
    SG_GATE_UP,
    SG_GATE,
    SG_UP,
    SG_DOWN,
    SG_GATE_BIAS,
    SG_UP_BIAS,
    SG_DOWN_BIAS,
    SG_ROUTER,
    SG_EXPERT_GATE,
    SG_EXPERT_UP,
    SG_EXPERT_DOWN,
    SG_SHARED_GATE,
    SG_SHARED_UP,
    SG_SHARED_DOWN,
    SG_SHARED_SCORE,
    SG_N_ROLES
} sg_role;

static inline bool sg_role_of_layer(sg_role role)
{
    return role >= SG_ATTN_NORM;
}

/* A dimension of a role's shape, by the layer's specification. */
typedef enum sg_extent {
    SG_EXT_NONE,
    SG_EXT_VOCAB,
    SG_EXT_POSITIONS,
    SG_EXT_HIDDEN,
    SG_EXT_Q,
    SG_EXT_KV,
    SG_EXT_QKV,
    SG_EXT_HEAD,
    SG_EXT_HEADS,
    SG_EXT_KV_HEADS,
    SG_EXT_FFN,
    SG_EXT_GATE_UP,
    SG_EXT_EXPERTS,
    SG_EXT_EXPERT_FFN,
    SG_EXT_SHARED_FFN,
    SG_EXT_ONE,
    SG_EXT_ROTARY_HALF
} sg_extent;

/* When a role's tensor must be there. */
typedef enum sg_need {
    SG_ALWAYS,
    SG_OPTIONAL,
    SG_IF_UNTIED,
    SG_IF_QKV_BIAS,
    SG_IF_O_BIAS,
    SG_IF_FFN_BIAS,
    SG_UNLESS_FUSED, /* unless the fused tensor of the same group is there (q, k, v or gate, up) */
    SG_IF_DENSE,
    SG_IF_EXPERTS,
    SG_IF_SHARED,
    SG_IF_SEQUENTIAL,
    SG_IF_QK_NORM
} sg_need;

/* How the rows of a file's tensor lie, against ours. */
typedef enum sg_row_order {
    SG_ROWS_AS_OURS,
    SG_ROWS_INTERLEAVED, /* each head's roped rows as pairs (0, half), (1, half + 1), ...; ours are two halves */
    SG_ROWS_BY_HEAD,     /* fused q, k, v per head: q_0 k_0 v_0 q_1 ...; ours are all q, all k, all v */
    SG_ROWS_AS_COLUMNS,  /* stored [in, out] */
} sg_row_order;

typedef struct sg_role_row {
    sg_role role;
    const char *hf;   /* NULL: the format does not have it. Behind the family's root ("model."), or with a leading "/"
                       * from the start; a   layer's role behind the layer's prefix ("model.layers.N."). With "%d" there is
                       * a tensor for each index of dims[0] */
    const char *gguf; /* a layer's role behind "blk.N." */
    sg_extent dims[3];
    sg_need need;
    sg_row_order hf_order, gguf_order;
} sg_role_row;

typedef struct sg_role_group {
    const sg_role_row *rows;
    size_t n;
} sg_role_group;

enum { SG_MAX_GROUPS = 8 };

/* Which layers see only a window, in transformers. */
typedef enum sg_window_rule {
    SG_WINDOW_NONE,
    SG_WINDOW_ALL,       /* sliding_window, where set, holds for every layer */
    SG_WINDOW_QWEN2,     /* use_sliding_window: layer_types, else layers from max_window_layers on */
    SG_WINDOW_QWEN2_MOE, /* use_sliding_window: layer_types, else even layers below max_window_layers */
    SG_WINDOW_QWEN3_MOE, /* use_sliding_window: every layer */
    SG_WINDOW_PERIOD,    /* layer_types, else the last layer of each sliding_window_pattern is full */
} sg_window_rule;

/* Configuration keys that families spell differently; NULL: as most do (read.c); "": HF has no such key. */
typedef struct sg_family_keys {
    const char *n_layers, *hidden, *heads, *kv_heads, *intermediate, *positions, *act, *norm_eps, *experts;
} sg_family_keys;

typedef struct sg_family {
    const char *name;                /* ours, and HF's model_type */
    const char *gguf;                /* general.architecture */
    bool experts;                    /* a GGUF of this architecture is this family only with expert_count */
    const char *hf_root, *hf_layers; /* "model.", "layers." */
    const sg_role_group *groups[SG_MAX_GROUPS];
    sg_family_keys keys;

    /* what the layers are */
    sg_norm_kind norm;
    bool norm_plus_one; /* HF stores w where 1 + w is meant; GGUF stores 1 + w */
    sg_qk_norm qk_norm;
    bool ungated, no_rope;
    sg_window_rule window, gguf_window;
    const char *act; /* the default of keys.act */

    /* Biases: HF's key (NULL: as the default says); in a GGUF the tensors are there or not. */
    const char *qkv_bias, *o_bias, *ffn_bias;
    bool qkv_bias_default, o_bias_default, ffn_bias_default;

    /* defaults of transformers' configuration class */
    int kv_heads, head_dim, positions, window_size, period; /* kv_heads, head_dim 0: as many as heads; hidden / heads */
    double eps, theta, partial_rotary;                      /* theta 0: 10,000 */
    bool honours_partial;                                   /* else another partial_rotary_factor is refused */
    bool tied;

    /* what only this family has, behind the common reading; NULL: nothing */
    int (*finish)(sg_model_spec *spec, const sg_config *config, const sg_checkpoint *ckpt, sg_error *err);
} sg_family;

/* The family of a checkpoint. *architecture is the file's word for it, sg_free'd by the caller.
 * SG_ERR_REFUSED with the list of known families for any other. */
int sg_family_find(const sg_family **out, const sg_config *config, char **architecture, sg_error *err);

/* The specification of a checkpoint (read.c, read_layer.c, read_rope.c). */
int sg_spec_read(sg_model_spec *spec, const sg_family *family, const sg_config *config, const sg_checkpoint *ckpt,
                 sg_error *err);

/* The family's row for a role; NULL: it has none. */
const sg_role_row *sg_family_role(const sg_family *family, sg_role role);

#endif
