/* What stands behind matmul.h: one row of functions per implementation. Internal to matmul*.c. */
#ifndef SG_ENGINE_MATMUL_IMPL_H
#define SG_ENGINE_MATMUL_IMPL_H

#include "engine/matmul.h"

typedef struct sg_mm_impl {
    const char *name;
    bool (*runs)(sg_precision precision);
    int (*start)(void **state, int threads, sg_error *err); /* NULL: needs no state */
    void (*stop)(void *state);
    int (*pack)(void **packed, void *state, const void *w, int n, int k, sg_precision precision, sg_error *err);
    void (*release)(void *packed);
    /* As sg_mm_rows with one thread. */
    int (*rows)(void *state, int thread, float *y, const void *x, void *packed, int m, const sg_mm_sink *sink,
                sg_error *err);
    int sink_columns; /* 0: sinks are not for it; else what a sink's pair must be a multiple of */
    /* With all threads, called in no region: few rows. */
    int (*few_rows)(void *state, float *y, const void *x, void *packed, int m, sg_error *err);
    /* As sg_mm_plain. */
    int (*plain)(void *state, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                 sg_precision precision, sg_error *err);
    /* As sg_mm_scratch_bytes; NULL: it keeps nothing. */
    uint64_t (*scratch_bytes)(sg_precision precision, const sg_mm_shapes *shapes);
} sg_mm_impl;

extern const sg_mm_impl sg_mm_onednn, sg_mm_amx, sg_mm_loops;

/* oneDNN's limit on instructions holds for our own kernels too: does it allow AMX? */
bool sg_onednn_allows_amx(void);

#endif
