/* What both formats' parsers do with a tensor's description. */
#include "checkpoint/tensor.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

int sg_tensor_measure(sg_tensor *t, const char *path, sg_error *err)
{
    uint64_t n = 1, bytes, row = t->n_dims ? t->shape[t->n_dims - 1] : 1, block = (uint64_t)t->type->block;
    for (int i = 0; i < t->n_dims; i++)
        if (!sg_mul_ok(n, t->shape[i], &n))
            return sg_fail(err, SG_ERR_FORMAT,
                           "%s: tensor \"%.200s\": the product of its shape overflows 64 bits at %llu", path, t->name,
                           (unsigned long long)t->shape[i]);
    if (row % block)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: tensor \"%.200s\": rows of %llu are not whole blocks of %d as type %s has", path, t->name,
                       (unsigned long long)row, t->type->block, t->type->name);
    if (!sg_mul_ok(n / block, (uint64_t)t->type->block_bytes, &bytes) || bytes > INT64_MAX || n > INT64_MAX)
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": the size of its %llu elements overflows 63 bits",
                       path, t->name, (unsigned long long)n);
    t->n_elements = n;
    t->bytes = bytes;
    return SG_OK;
}

int sg_tensor_by_name(const sg_tensor *a, const sg_tensor *b)
{
    return strcmp(a->name, b->name);
}

int sg_tensor_by_offset(const sg_tensor *a, const sg_tensor *b)
{
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

struct sort {
    const sg_tensor *tensors;
    sg_tensor_order *order;
};

static int compare_indices(const void *a, const void *b, void *user)
{
    const struct sort *sort = user;
    return sort->order(&sort->tensors[*(const size_t *)a], &sort->tensors[*(const size_t *)b]);
}

size_t *sg_tensors_sort(const sg_tensor *tensors, size_t n, sg_tensor_order *order)
{
    size_t *index = sg_alloc(n, sizeof *index);
    if (!index)
        return NULL;
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    struct sort sort = {tensors, order};
    qsort_r(index, n, sizeof *index, compare_indices, &sort);
    return index;
}

void sg_tensors_free(sg_tensor *tensors, size_t n)
{
    if (!tensors)
        return;
    for (size_t i = 0; i < n; i++)
        sg_free(tensors[i].name);
    sg_free(tensors);
}
