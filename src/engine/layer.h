/* One layer over a batch of whole windows. */
#ifndef SG_ENGINE_LAYER_H
#define SG_ENGINE_LAYER_H

#include "engine/cache.h"
#include "engine/weights.h"

/* Buffers that every layer of a pass reuses; sized for the largest layer and batch. B = rows of a block, S = of a
 * slice, N = of the batch where a layer has experts, else B; X = experts. */
typedef struct sg_scratch {
    char *memory; /* owned; the others point into it */
    float *wide;  /* [B, widest]: results of a product */
    size_t widest;
    float *mid, *out; /* [N, hidden] */
    float *row;       /* [threads][widest row] */
    char *h;          /* [N, hidden] elements of the precision */
    char *act;        /* [B, widest feed-forward] elements */
    float *extra;     /* [B, hidden], where a layer is parallel or has experts */
    char *gathered;   /* [B, hidden] elements, where a layer has experts */
    float *router;    /* [N, X] */
    float *weights;   /* [N, experts used] */
    int *chosen;      /* [N, experts used] */
    int *expert_rows; /* [N] rows of one expert */
    sg_qkv qkv;       /* queries of a slice, keys and values of the batch */
    char *attended;   /* [S, n_heads * head_dim] elements */
    char *attention;  /* sg_attention's */
} sg_scratch;

/* Rows that go through a layer's products together; of a block each thread has its part. */
int sg_block_rows(int threads);

/* batch: rows at once, of whole windows. *bytes: what it takes; out NULL: only that. */
int sg_scratch_create(sg_scratch *out, const sg_model_spec *spec, int batch, int threads, sg_precision precision,
                      size_t *bytes, sg_error *err);
void sg_scratch_dispose(sg_scratch *s);

/* What the layer does to rows [first, first + n) of the batch, each [n, hidden]. The feed-forward's part is ffn_before
 * to ffn_after: in a sequential layer mid to after, in a parallel one before to before + its half. */
typedef struct sg_layer_rows {
    int first, n;
    const float *before, *mid, *after, *ffn_before, *ffn_after;
} sg_layer_rows;
typedef int sg_layer_seen(void *user, const sg_layer_rows *rows, sg_error *err); /* block after block, in order */

typedef struct sg_layer_run {
    const sg_layer_spec *spec;
    sg_layer_weights *weights;
    int hidden;
    sg_mm *mm;
    sg_precision precision;
    const float *cos, *sin; /* [longest window][rope_half] of this layer's rope */
    int rope_half;
    sg_scratch *scratch;
    bool skip_mixer, skip_ffn; /* without that half */
    const sg_past *past;       /* NULL: all rows of the windows are new */
} sg_layer_run;

/* x: [rows of the windows, hidden], the residual stream, updated in place. */
int sg_layer_forward(const sg_layer_run *run, float *x, const sg_span *windows, int n_windows, sg_layer_seen *seen,
                     void *user, sg_error *err);

/* out = ffn(h), h: [rows, hidden] elements, out: [rows, hidden]; rows: at most a block. Uses scratch wide, act and row.
 */
int sg_ffn_forward(const sg_layer_run *run, const sg_ffn_weights *w, float *out, const char *h, int rows,
                   sg_error *err);
/* The same for any number of rows and a layer with experts (experts.c). Uses all scratch but mid, out and h. */
int sg_experts_forward(const sg_layer_run *run, float *out, const char *h, int rows, sg_error *err);

/* A row normed into elements of the precision; row: [d] of scratch. */
void sg_norm_store_row(char *out, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int d, float eps,
                       sg_precision precision, float *row);

/* Rows normed into elements of the precision (no weight: as they are); row: [threads][d] of scratch. All threads. */
void sg_norm_rows(char *out, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int rows, int d, float eps,
                  sg_precision precision, float *row);

#endif
