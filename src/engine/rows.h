/* Numbers out of a checkpoint's tensors: rows and vectors, dequantized, in our order. A tensor is seen as rows of its
 * last dimension. */
#ifndef SG_ENGINE_ROWS_H
#define SG_ENGINE_ROWS_H

#include "checkpoint/scales.h"
#include "model/model.h"

/* A tensor to read from, with its scale where it is an 8-bit float. */
typedef struct sg_source {
    const sg_tensor *tensor;
    const uint8_t *data;
    sg_scale scale;
} sg_source;
int sg_source_open(sg_source *s, const sg_model *model, const sg_tensor *t, sg_error *err);
/* Rows [first, first + n) as they are stored; out: [n, cols]. */
void sg_source_rows(const sg_source *s, float *out, uint64_t first, int n);

/* How a layer's role is stored in this file. layer -1: a role of the model. */
typedef struct sg_row_layout {
    sg_row_order order;
    int head_dim, half; /* half: pairs that interleaved rows keep at the start of each head */
    int q_rows, kv_rows;
} sg_row_layout;
sg_row_layout sg_row_layout_of(const sg_model *model, int layer, sg_role role);

/* Our rows [first, first + n) as elements of the precision, with all threads; out: [n, cols] where cols is the matrix's
 * width. */
int sg_rows_load(void *out, const sg_model *model, const sg_tensor *t, const sg_row_layout *layout, uint64_t first,
                 int n, sg_precision precision, sg_error *err);

/* What that allocates while it works. */
uint64_t sg_rows_scratch_bytes(const sg_tensor *t, const sg_row_layout *layout, int threads);

/* A whole vector (or small matrix) in our order; *out: sg_free. */
int sg_vector_load(float **out, const sg_model *model, const sg_tensor *t, const sg_row_layout *layout, sg_error *err);
/* A norm's weight: as stored, plus 1 where the family means 1 + w. t NULL: *out stays NULL. */
int sg_norm_load(float **out, const sg_model *model, const sg_tensor *t, sg_error *err);

/* Rows and columns of our matrix. */
static inline int sg_matrix_rows(const sg_tensor *t, const sg_row_layout *layout)
{
    return (int)(layout->order == SG_ROWS_AS_COLUMNS ? t->shape[1] : t->shape[0]);
}
static inline int sg_matrix_cols(const sg_tensor *t, const sg_row_layout *layout)
{
    return (int)(layout->order == SG_ROWS_AS_COLUMNS ? t->shape[0] : t->shape[t->n_dims - 1]);
}

#endif
