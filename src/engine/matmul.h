/* Matrix products. Two kinds: by a weight that is packed once and used for many rows, and plain small ones (attention).
 * Inputs are bf16 or f32, results and accumulation f32. A row's result does not depend on the rows beside it nor on
 * the threads (but for f32 without AVX-512, where a row alone may be summed in another order). This interface is all
 * that the engine knows of the implementations behind it (matmul_impl.h). */
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

/* Rows [0, m) shared out: part is called in each thread for rows [first, first + n) of its own, or where there are too
 * few rows once for all of them, in no region, with thread = SG_MM_ALL. */
enum { SG_MM_ALL = -1 };
typedef int sg_mm_part(void *user, int thread, int first, int n, sg_error *err);
int sg_mm_share(sg_mm *mm, int m, sg_mm_part *part, void *user, sg_error *err);

/* Results while they are in the cache: rows [row, row + rows), columns [col, col + cols). c: ld floats from row to
 * row, may be overwritten. second: the columns behind by sg_mm_sink's pair, or NULL. */
typedef struct sg_mm_block {
    float *c, *second;
    size_t ld;
    int row, rows, col, cols;
} sg_mm_block;

typedef struct sg_mm_sink {
    void (*take)(void *user, const sg_mm_block *block);
    void *user;
    int pair; /* half of the columns, to have column j together with column pair + j; 0: each column once */
} sg_mm_sink;

/* y = x w^T as the part of a sg_mm_share, with its thread. sink: NULL, or takes the results; then y, [m, n], is
 * scratch.
 */
int sg_mm_rows(sg_mm *mm, int thread, float *y, const void *x, sg_weight *w, int m, const sg_mm_sink *sink,
               sg_error *err);

/* First thing in a thread of a parallel region that calls sg_mm_plain. */
void sg_mm_enter_thread(void);

/* c = a b^T for b [n, k], or c = a b for b [k, n]; a: [m, k], c: [m, n]. One thread; thread: the caller's number, below
 * sg_mm_threads, whose scratch is used. */
typedef enum sg_mm_b { SG_MM_B_NK, SG_MM_B_KN } sg_mm_b;
int sg_mm_plain(sg_mm *mm, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                sg_precision precision, sg_error *err);

/* The largest shapes that a context meets: weights [n, k], and b of sg_mm_plain [plain_n, plain_k] in either layout. */
typedef struct sg_mm_shapes {
    int n, k, plain_n, plain_k;
} sg_mm_shapes;
/* Upper bound of what each thread of the context keeps for products up to these. */
uint64_t sg_mm_scratch_bytes(sg_mm_kernel kernel, sg_precision precision, const sg_mm_shapes *shapes);

/* For people: "AVX512_CORE_AMX", "2.6.3" */
const char *sg_matmul_isa(void);
const char *sg_matmul_version(void);
/* Does the processor multiply bf16 natively? */
bool sg_matmul_native_bf16(void);

#endif
