/* Scales of 8-bit float weights in Hugging Face checkpoints. A weight W [.., rows, cols] may have one beside it, named
 * W_scale_inv or W_scale ("inv" since it undoes the scaling: both are multiplied), in F32, F16, BF16 or E8M0 (also as
 * U8):
 *
 *   one element          for the whole tensor
 *   [.., 1, 1]           for each matrix
 *   [.., rows], [.., rows, 1]                     for each row
 *   [.., ceil(rows / R), ceil(cols / C)]          for each block of R x C, the last ones cut off
 *
 * The weight's type (sg_dtype.to_f32) gives the bare values; whoever loads rows multiplies them here. */
#ifndef SG_CHECKPOINT_SCALES_H
#define SG_CHECKPOINT_SCALES_H

#include "checkpoint/checkpoint.h"

typedef struct sg_scale {
    const uint8_t *data; /* NULL: the values are what they are */
    const sg_dtype *type;
    const sg_dtype *round; /* the product is rounded to F16 or BF16; NULL: it stays f32 */
    uint64_t rows, cols;   /* of one matrix of the weight */
    uint64_t block_rows, block_cols;
    uint64_t grid_rows, grid_cols; /* of the scales of one matrix */
    bool shared;                   /* one scale for all matrices */
} sg_scale;

/* The scale of a weight. SG_ERR_FORMAT: an 8-bit float in a checkpoint that says it has scales has none, or two, or one
 * of another shape. SG_ERR_REFUSED: a scale of a type that has no numbers, or beside a weight that is no 8-bit float.
 */
int sg_tensor_scale(sg_scale *out, const sg_checkpoint *ckpt, const sg_tensor *weight, sg_error *err);
/* Multiplies row `row` (counted over all matrices) of the weight; values [cols]. */
void sg_scale_row(const sg_scale *scale, uint64_t row, float *values);

#endif
