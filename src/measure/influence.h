/* The influence observer: per window and layer, sums over positions of what a layer does to the residual stream.
 * Block Influence: ShortGPT, arXiv 2403.03853, equation 1. */
#ifndef SG_MEASURE_INFLUENCE_H
#define SG_MEASURE_INFLUENCE_H

#include "engine/pass.h"

typedef struct sg_influence_sums {                    /* of one layer and window */
    double bi, mixer, ffn;                            /* sums of 1 - cos */
    double magnitude, mixer_magnitude, ffn_magnitude; /* and of ||x' - x|| / ||x'|| */
    int n, n_mixer, n_ffn,
        skipped; /* positions in those of the layer, the mixer, the ffn; and left out of the layer's */
} sg_influence_sums;

typedef struct sg_influence {
    const sg_window *windows;
    int n_windows;
    int subset;              /* the one that is observed */
    int first;               /* the window that is the pass's first */
    sg_influence_sums *sums; /* [n_layers][n_windows], owned */
} sg_influence;

int sg_influence_init(sg_influence *inf, const sg_window *windows, int n_windows, int n_layers, int subset,
                      sg_error *err);
void sg_influence_dispose(sg_influence *inf);
/* A sum and its positions: of a layer, or of one of its halves. */
typedef enum sg_part { SG_LAYER, SG_MIXER, SG_FFN } sg_part;
double sg_influence_sum(const sg_influence *inf, int layer, int window, sg_part part, bool magnitude, int *n);
/* The observer's function; self is the sg_influence. A BOS that was put in front is left out. */
int sg_influence_layer(void *self, const sg_layer_event *event, sg_error *err);
/* One layer's result, with 95 % intervals over window means. n_skipped is added to. */
sg_layer_score sg_influence_score(const sg_influence *inf, int layer, int64_t *n_skipped, double *window_means);

#endif
