/* An open model: its checkpoint, what it computes, and which tensor plays which role. */
#ifndef SG_MODEL_MODEL_H
#define SG_MODEL_MODEL_H

#include "model/family.h"
#include "tokenizer/tokenizer.h"

/* A role's tensor. Where a file keeps one tensor for each index of the first dimension (experts), `parts` has them all.
 */
typedef struct sg_bound {
    const sg_tensor *tensor; /* NULL: absent; parts[0] where there are parts */
    const sg_tensor **parts; /* NULL: one tensor */
} sg_bound;

struct sg_model {
    sg_checkpoint *ckpt;
    const sg_family
        *family; /* NULL: it does not run here, for the reason in refusal; spec then has only what sg_describe fills */
    sg_error refusal;
    sg_model_spec spec;
    sg_model_info info;
    sg_layer_info *layers;         /* [spec.n_layers] */
    sg_bound (*roles)[SG_N_ROLES]; /* [1 + n_layers]: row 0 the model's own, row 1 + i layer i's */
    char *layer_prefix;            /* "model.layers.", "blk." */
    char *root;                    /* "model." in HF; "" in GGUF, and in a file that leaves it out */
    sg_tokenizer *tokenizer;       /* read at first use */
    char *architecture, *name, *weight_types, *config_path; /* owned */
};

/* The layer number behind prefix in a tensor's name and, behind its dot, the rest (NULL ok); -1: it belongs to no
 * layer. */
int sg_name_layer(const char *prefix, const char *name, const char **rest);
/* The same for a model's tensor. */
int sg_tensor_layer(const sg_model *model, const sg_tensor *tensor);

/* NULL: absent. Of a role in parts the first. */
static inline const sg_tensor *sg_model_role(const sg_model *model, sg_role role)
{
    return model->roles[0][role].tensor;
}
static inline const sg_tensor *sg_layer_role(const sg_model *model, int layer, sg_role role)
{
    return model->roles[1 + layer][role].tensor;
}
/* Where index i of a role's first dimension lies: its tensor and the row there at which it begins (rows_each rows for
 * an index). */
const sg_tensor *sg_layer_part(const sg_model *model, int layer, sg_role role, int i, uint64_t rows_each,
                               uint64_t *first_row);

/* The id that `bos` puts in front, -1 for none. Reads the tokenizer at first use. */
int sg_model_bos(sg_model *model, sg_bos bos, int32_t *id, sg_error *err);
/* The text's ids without BOS, each inside the model's vocabulary. */
int sg_model_encode(sg_model *model, const sg_text *text, sg_tokens *out, sg_error *err);

/* Does a text end with this id? After sg_model_encode or sg_model_bos. */
bool sg_model_ends(const sg_model *model, int32_t id);

/* The output matrix: the head, or the embedding when tied. */
const sg_tensor *sg_model_head(const sg_model *model);

#endif
