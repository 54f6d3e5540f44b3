/* The divergence observer: how far the next-token distributions of subsets are from subset 0's.
 *
 *     KL(P || Q) = sum over the vocabulary of p (log p - log q) = U / S - log sum e^a + log sum e^b
 *     with P = softmax(a) of subset 0, Q = softmax(b), S = sum of e^(a - m), U = sum of e^(a - m) (a - b)
 *
 * The sums run block by block over the vocabulary, beside the pass's own log-sum-exp; of the logits only one block of
 * subset 0 is kept. The pass has subset 0 alone in its first stream, and .reference set. */
#ifndef SG_MEASURE_DIVERGENCE_H
#define SG_MEASURE_DIVERGENCE_H

#include "engine/kernels.h"
#include "engine/pass.h"

typedef struct sg_top { /* the likeliest token so far */
    float logit;
    int token;
} sg_top;

typedef struct sg_divergence {
    const sg_window *windows;
    int n_windows, n_subsets;
    int *first;       /* [n_windows]: the window's first position among all */
    size_t positions; /* of all windows */
    sg_row_gap *gaps; /* [n_subsets - 1][positions] */
    sg_top *tops;     /* [n_subsets][positions] */
    double *log_sums; /* [positions], of subset 0 */
    double *kl;       /* [n_subsets - 1][positions]; NaN: a position that predicts nothing */
    float *block;     /* subset 0's logits of the last rows and vocabulary block */
    size_t block_capacity;
} sg_divergence;

int sg_divergence_init(sg_divergence *d, const sg_window *windows, int n_windows, int n_subsets, sg_error *err);
void sg_divergence_dispose(sg_divergence *d);
sg_observer sg_divergence_observer(sg_divergence *d);

typedef struct sg_divergence_stats {
    double kl, kl_p99; /* mean, and 99th percentile (nearest rank) */
    double top1;       /* part of the predictions whose likeliest token is subset 0's */
    int64_t n;         /* predictions */
} sg_divergence_stats;
/* Of a subset above 0 on windows [first, first + n). SG_ERR_NOMEM. */
int sg_divergence_of(const sg_divergence *d, int subset, int first, int n, sg_divergence_stats *out, sg_error *err);

#endif
