/* The angular observer: per window, the mean angle between the residual streams at every two layer boundaries.
 * Boundary i is what enters layer i; boundary n_layers leaves the last. d(i, j) = arccos(cos(x_i, x_j)) / pi
 * (Gromov et al. 2024, arXiv 2403.17887, equation 5): the block of layers i .. j - 1 turns the stream by that much. */
#ifndef SG_MEASURE_ANGULAR_H
#define SG_MEASURE_ANGULAR_H

#include "engine/pass.h"

typedef struct sg_angular {
    const sg_window *windows;
    int n_windows, n_layers, hidden;
    bool all;     /* every position of a window; else its last */
    int first;    /* the window that is the pass's first */
    double *sums; /* [n_windows][n_layers + 1][n_layers + 1], owned; i < j are in use */
    int *n;       /* [n_windows][n_layers + 1][n_layers + 1], positions in the sum; zero vectors have no angle */
    float **rows; /* [n_windows] owned: [positions in use][n_layers + 1][hidden], while the window is in the pass */
} sg_angular;

int sg_angular_init(sg_angular *a, const sg_window *windows, int n_windows, const sg_model *model, bool all,
                    sg_error *err);
void sg_angular_dispose(sg_angular *a);
/* What the sums of so many windows take. */
uint64_t sg_angular_bytes(const sg_angular *a, int windows);
/* To observe a pass of one subset, all layers. */
sg_observer sg_angular_observer(sg_angular *a);
/* The sum over a window's positions, in parts of a half turn, and their number. */
double sg_angular_sum(const sg_angular *a, int window, int from, int to, int *n);

#endif
