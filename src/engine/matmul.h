/* Matrix products. Two kinds: by a weight that is packed once and used for many rows, and plain small ones (attention).
 * Inputs are bf16 or f32, results and accumulation f32. A row's result does not depend on the rows beside it nor on
 * the threads. This interface is all that the engine knows of the implementations behind it (matmul_impl.h). */
#ifndef SG_ENGINE_MATMUL_H
#define SG_ENGINE_MATMUL_H

#include "core/error.h"

typedef struct sg_mm sg_mm;         /* a context: threads and their scratch */
typedef struct sg_weight sg_weight; /* a packed matrix */

typedef enum sg_mm_kernel {
    SG_MM_FASTEST, /* for each shape, of those that this processor runs */
    SG_MM_ONEDNN,
    SG_MM_AMX,  /* bf16 alone, on x86-64 with AMX */
    SG_MM_PLAIN /* loops in C, summed in f64: what the others are tested against */
} sg_mm_kernel;

/* Bytes of an element of matrix inputs: 2 for bf16, 4 for f32. */
static inline size_t sg_element_bytes(sg_precision precision)
{
    return precision == SG_PRECISION_BF16 ? 2 : 4;
}

/* Does it run here, in this precision? */
bool sg_mm_runs(sg_mm_kernel kernel, sg_precision precision);
/* What FASTEST takes for large products: "amx", "onednn" */
const char *sg_mm_kernel_name(sg_precision precision);

/* A kernel that does not run in a precision is replaced there by oneDNN. */
int sg_mm_create(sg_mm **out, int threads, sg_mm_kernel kernel, sg_error *err);
void sg_mm_free(sg_mm *mm);
int sg_mm_threads(const sg_mm *mm);

/* w: [n, k] row-major, of the precision's element type; it may be freed afterwards.
 * SG_ERR_REFUSED: the processor cannot multiply in this precision. */
int sg_weight_pack(sg_weight **out, sg_mm *mm, const void *w, int n, int k, sg_precision precision, sg_error *err);
void sg_weight_free(sg_weight *w);
/* Upper bound of what packing [n, k] allocates. */
uint64_t sg_weight_bytes(int n, int k, sg_precision precision);

/* y = x w^T with all threads. x: [m, k], y: [m, n] */
int sg_mm_weight(sg_mm *mm, float *y, const void *x, sg_weight *w, int m, sg_error *err);

/* First thing in a thread of a parallel region that calls the two functions below. */
void sg_mm_enter_thread(void);

/* The same with one thread; thread: the caller's number, below sg_mm_threads, whose scratch is used. */
int sg_mm_rows(sg_mm *mm, int thread, float *y, const void *x, sg_weight *w, int m, sg_error *err);

/* c = a b^T for b [n, k], or c = a b for b [k, n]; a: [m, k], c: [m, n]. One thread, as above. */
typedef enum sg_mm_b { SG_MM_B_NK, SG_MM_B_KN } sg_mm_b;
int sg_mm_plain(sg_mm *mm, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                sg_precision precision, sg_error *err);

/* For people: "AVX512_CORE_AMX", "2.6.3" */
const char *sg_matmul_isa(void);
const char *sg_matmul_version(void);
/* Does the processor multiply bf16 natively? */
bool sg_matmul_native_bf16(void);

#endif
