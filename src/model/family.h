/* Families as data: how a configuration becomes specifications, and which tensor plays which role in both formats. */
#ifndef SG_MODEL_FAMILY_H
#define SG_MODEL_FAMILY_H

#include "model/config.h"
#include "model/spec.h"

typedef enum sg_role {
    SG_EMBEDDING, SG_FINAL_NORM, SG_HEAD, SG_ROPE_FACTORS, /* of the model */
    SG_ATTN_NORM, SG_Q, SG_K, SG_V, SG_O, SG_FFN_NORM, SG_GATE, SG_UP, SG_DOWN, /* of a layer */
    SG_Q_BIAS, SG_K_BIAS, SG_V_BIAS, SG_O_BIAS, SG_GATE_BIAS, SG_UP_BIAS, SG_DOWN_BIAS,
    SG_N_ROLES
} sg_role;

/* A dimension of a role's shape, by the layer's specification. */
typedef enum sg_extent {
    SG_EXT_NONE, SG_EXT_VOCAB, SG_EXT_HIDDEN, SG_EXT_Q, SG_EXT_KV, SG_EXT_FFN, SG_EXT_ROTARY_HALF
} sg_extent;

/* When a role's tensor must be there. */
typedef enum sg_need { SG_ALWAYS, SG_OPTIONAL, SG_IF_UNTIED, SG_IF_QKV_BIAS, SG_IF_O_BIAS, SG_IF_FFN_BIAS } sg_need;

typedef struct sg_role_row {
    sg_role role;
    const char *hf;         /* behind "model.layers.N." for a layer's role; NULL: the format does not have it */
    const char *gguf;       /* behind "blk.N." */
    sg_extent rows, cols;   /* [rows, cols], or [rows] when cols is SG_EXT_NONE */
    sg_need need;
    bool gguf_interleaved;  /* GGUF keeps each head's rows as pairs (0, half), (1, half + 1), ...; we and HF as two halves */
} sg_role_row;

static inline bool sg_role_of_layer(sg_role role)
{
    return role >= SG_ATTN_NORM;
}

typedef struct sg_family {
    const char *name;  /* ours, and HF's model_type */
    const char *gguf;  /* general.architecture */
    const sg_role_row *roles;
    size_t n_roles;
    int (*read)(sg_model_spec *spec, const sg_config *config, const sg_checkpoint *ckpt, sg_error *err);
} sg_family;

extern const sg_family sg_family_llama;

/* The family of a checkpoint. *architecture is the file's word for it, sg_free'd by the caller.
 * SG_ERR_REFUSED with the list of known families for any other. */
int sg_family_find(const sg_family **out, const sg_config *config, char **architecture, sg_error *err);

/* Frequencies of rotary embeddings: 1 / theta^(2i/rotary_dim), in f32 as transformers computes them. out: [rotary_dim / 2] */
void sg_rope_default(float *out, int rotary_dim, double theta);
/* Llama 3's scaling of them, in place (transformers' rope type "llama3"). */
typedef struct sg_rope_llama3 {
    double factor, low_freq_factor, high_freq_factor, original_positions;
} sg_rope_llama3;
void sg_rope_scale_llama3(float *inv_freq, int n, const sg_rope_llama3 *scale);

#endif
