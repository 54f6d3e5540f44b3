/* One tensor of a checkpoint, in either format, as its header describes it. */
#ifndef SG_CHECKPOINT_TENSOR_H
#define SG_CHECKPOINT_TENSOR_H

#include "checkpoint/dtype.h"

#define SG_MAX_DIMS 8 /* GGUF has 4; safetensors files in use have up to 5 */

typedef struct sg_tensor {
    char *name; /* owned by the checkpoint */
    const sg_dtype *type;
    int n_dims;
    uint64_t shape[SG_MAX_DIMS]; /* outermost first, [out, in] for a matrix, in both formats */
    uint64_t n_elements;
    uint64_t bytes;
    size_t file;     /* index into the checkpoint's files */
    uint64_t offset; /* from the file's start; the span is checked */
} sg_tensor;

/* Fills n_elements and bytes from type and shape. SG_ERR_FORMAT: they overflow, or a row is not whole blocks. */
int sg_tensor_measure(sg_tensor *t, const char *path, sg_error *err);

typedef int sg_tensor_order(const sg_tensor *a, const sg_tensor *b);
sg_tensor_order sg_tensor_by_name;
sg_tensor_order sg_tensor_by_offset; /* within one file; an empty tensor before the one that starts at the same byte */
/* The indices 0 .. n-1 in that order; sg_free. NULL: no memory. */
size_t *sg_tensors_sort(const sg_tensor *tensors, size_t n, sg_tensor_order *order);

void sg_tensors_free(sg_tensor *tensors, size_t n); /* with their names; NULL is fine */

#endif
