/* One layer over a batch of whole windows. */
#ifndef SG_ENGINE_LAYER_H
#define SG_ENGINE_LAYER_H

#include "engine/attention.h"
#include "engine/weights.h"

enum { SG_BLOCK_ROWS = 512 }; /* rows per product: large enough for the matrix unit, small enough for the cache */

/* Buffers that every layer of a pass reuses; sized for the largest layer and batch. */
typedef struct sg_scratch {
    char *memory;      /* owned; the others point into it */
    float *a, *b;      /* [block, widest product] */
    float *row;        /* [threads][widest row] */
    char *h;           /* [block, widest input], elements of the precision */
    sg_qkv qkv;        /* of the batch */
    char *attended;    /* [batch, n_heads * head_dim], elements */
    char *attention;   /* sg_attention's */
    size_t bytes;
} sg_scratch;

/* batch: rows of whole windows at once; longest: window. Bytes only when out is NULL. */
int sg_scratch_create(sg_scratch *out, const sg_model_spec *spec, int batch, int longest, int threads, sg_precision precision, size_t *bytes,
                      sg_error *err);
void sg_scratch_dispose(sg_scratch *s);

/* What the layer does to rows [first, first + n) of the batch: the stream before, after the mixer's residual addition, and after the
 * feed-forward's. All [n, hidden]. Called block after block, in order. */
typedef int sg_layer_seen(void *user, int first, int n, const float *before, const float *mid, const float *after, sg_error *err);

typedef struct sg_layer_run {
    const sg_layer_spec *spec;
    const sg_layer_weights *weights;
    int hidden;
    sg_mm *mm;
    sg_precision precision;
    const float *cos, *sin; /* [longest window][rotary_dim / 2] */
    sg_scratch *scratch;
} sg_layer_run;

/* x: [rows of the windows, hidden], the residual stream, updated in place. */
int sg_layer_forward(const sg_layer_run *run, float *x, const sg_span *windows, int n_windows, sg_layer_seen *seen, void *user, sg_error *err);

/* Rows normalised into elements of the precision; row: [threads][d] of scratch. All threads. */
void sg_norm_rows(char *out, const float *x, const float *w, int rows, int d, float eps, sg_precision precision, float *row);

#endif
