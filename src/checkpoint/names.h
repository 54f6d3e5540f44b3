/* Finding tensors by name: an open hash table over a list of tensors, which must stay where it is. */
#ifndef SG_CHECKPOINT_NAMES_H
#define SG_CHECKPOINT_NAMES_H

#include "checkpoint/tensor.h"

typedef struct sg_names {
    uint64_t *slots; /* 0: free; else the name's upper 16 hash bits, and the tensor's index + 1 in 48 */
    size_t mask;     /* slots - 1; a power of two of them, at least half free */
} sg_names;

/* *twice: the first tensor whose name an earlier one has, or NULL. false: no memory. */
bool sg_names_make(sg_names *names, const sg_tensor *tensors, size_t n, const sg_tensor **twice);
void sg_names_dispose(sg_names *names); /* a zeroed one is fine */
/* NULL: absent. tensors: those that the table was made of */
const sg_tensor *sg_names_find(const sg_names *names, const sg_tensor *tensors, const char *name);

#endif
