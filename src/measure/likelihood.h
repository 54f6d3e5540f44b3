/* The likelihood observer: per subset and window, the sum of -log p over the tokens that have a predecessor. */
#ifndef SG_MEASURE_LIKELIHOOD_H
#define SG_MEASURE_LIKELIHOOD_H

#include "engine/pass.h"

typedef struct sg_likelihood {
    const sg_window *windows;
    int n_windows;
    double *nll; /* [n_subsets][n_windows], owned */
} sg_likelihood;

int sg_likelihood_init(sg_likelihood *lik, const sg_window *windows, int n_windows, int n_subsets, sg_error *err);
void sg_likelihood_dispose(sg_likelihood *lik);
int sg_likelihood_nll(void *self, const sg_nll_event *event, sg_error *err); /* the observer's function */

#endif
