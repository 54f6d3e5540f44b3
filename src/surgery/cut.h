/* A plan laid on a model: which layer and which tensor stays, and under which number. */
#ifndef SG_SURGERY_CUT_H
#define SG_SURGERY_CUT_H

#include "model/model.h"

/* A tensor that holds a part of every layer: its rows (the dimensions in front) are chunks, one a layer. */
typedef struct sg_slice {
    const sg_tensor *whole;
    sg_tensor part; /* as it stays; the name is the whole's */
    uint64_t rows, chunk;
} sg_slice;

typedef struct sg_cut {
    const sg_model *model;
    const char *word;    /* the file's for its family: HF's model_type (of text_config, if that has one), GGUF's
                          * architecture; "": none */
    bool unknown_ok;     /* a family that the rules do not know is cut all the same */
    const sg_plan *plan; /* remove and keep are sorted and together the model's layers */
    int *to;             /* [layers] a layer's new number, -1: removed */
    size_t tensors_kept, tensors_removed;
    uint64_t parameters, bytes; /* of what stays; tied weights once, as sg_model_info counts */
    sg_slice *slices;           /* see sg_cut_slices */
    size_t n_slices;
} sg_cut;

/* Checks the plan against the model. SG_ERR_REFUSED: made for another shape, or nothing is left; SG_ERR_USAGE: no
 * sorted list of layers. */
int sg_cut_make(sg_cut *cut, const sg_model *model, const sg_plan *plan, sg_error *err);
/* Counts the tensors, parameters and bytes: a walk over all tensors, which a plan that is only judged does without. */
void sg_cut_count(sg_cut *cut);
void sg_cut_dispose(sg_cut *cut);

/* The file's word for the model's family, as in sg_cut. */
const char *sg_cut_word(const sg_model *model);

/* Finds the tensors that the rules slice, and takes what goes of them off parameters and bytes. */
int sg_cut_slices(sg_cut *cut, sg_error *err);
const sg_slice *sg_cut_slice(const sg_cut *cut, const sg_tensor *t); /* NULL: it stays whole */

bool sg_cut_keeps(const sg_cut *cut, const sg_tensor *t);
/* The name a kept tensor will have; sg_free. NULL: no memory. */
char *sg_cut_name(const sg_cut *cut, const sg_tensor *t);

#endif
