/* The similarity observer: mean cosine of the residual stream at every two layer boundaries, over positions taken
 * evenly from all windows. Of these it keeps the stream at every boundary, so their number is bounded by memory. */
#ifndef SG_MEASURE_SIMILARITY_H
#define SG_MEASURE_SIMILARITY_H

#include "engine/pass.h"

typedef struct sg_similarity {
    const sg_window *windows;
    int first;      /* which of them is the pass's window 0 */
    int L, D, step; /* every step-th position of all windows, without a BOS in front */
    int *slots;     /* [n_windows] where a window's positions begin among those kept */
    int *skip;      /* [n_windows] positions before the window's first that is kept */
    int n;          /* positions kept */
    float *streams; /* [L + 1][n][D] of length 1, or 0 */
    double *sums;   /* [L + 1][L + 1] of cosines */
    int *counts;    /* [L + 1][L + 1] of positions where both have a direction */
} sg_similarity;

int sg_similarity_init(sg_similarity *s, const sg_window *windows, int n_windows, int n_layers, int hidden,
                       sg_error *err);
void sg_similarity_dispose(sg_similarity *s);
/* The observer's function, of subset 0. */
int sg_similarity_layer(void *self, const sg_layer_event *event, sg_error *err);
/* out: [L + 1][L + 1]; NaN where no position has a direction */
void sg_similarity_result(const sg_similarity *s, double *out);

#endif
