/* A text that goes on: positions are run through the layers as they come, against the keys and values of those behind.
 *
 * Weights stay in memory, packed, as far as the bound allows: the output matrix first, then layer by layer from the
 * first on; what does not fit is read again for every step. */
#ifndef SG_ENGINE_GENERATE_H
#define SG_ENGINE_GENERATE_H

#include "engine/pass.h"

typedef struct sg_decoder sg_decoder;

typedef struct sg_decoder_opts {
    const sg_model *model;
    const bool *keep; /* [n_layers]: the layers that it has; NULL: all */
    int capacity;     /* positions at most */
    sg_precision precision;
    uint64_t memory;      /* bytes; 0: half of what is available */
    int threads;          /* 0: all that the process may use */
    bool all_or_nothing;  /* where not all weights fit, *out is NULL, and that no error */
    sg_progress progress; /* of loading */
} sg_decoder_opts;

typedef struct sg_decoder_info {
    sg_precision precision; /* bf16 or f32 */
    int layers, held;       /* that it has; of these, that stay in memory */
    bool held_all;          /* and the output matrix too */
    uint64_t bytes;         /* that it takes: weights, keys and values, buffers */
} sg_decoder_info;

/* Loads what stays. SG_ERR_NOMEM: the bound is too small for one layer. SG_ERR_REFUSED: capacity is more than the
 * model's positions, or a model that does not run. */
int sg_decoder_create(sg_decoder **out, const sg_decoder_opts *opts, sg_error *err);
void sg_decoder_free(sg_decoder *d);
/* Back to no positions, and on without those of its layers that keep ([n_layers]) lacks; NULL: with all of them. */
void sg_decoder_use(sg_decoder *d, const bool *keep);
/* Of the layers in use. */
sg_decoder_info sg_decoder_get_info(const sg_decoder *d);

/* The next n ids, at least one, behind those of earlier calls; all together at most capacity. *logits: [vocab] of what
 * follows the last one, scaled and capped as the model says; they live until the next call. SG_ERR_NUMERIC: not finite.
 * Where the angles of rope depend on the text's length (dynamic, longrope) all positions are computed anew when they
 * change, so that the result is always that of the whole text. */
int sg_decoder_feed(sg_decoder *d, const int32_t *ids, int n, const float **logits, sg_error *err);
/* Back to no positions. */
void sg_decoder_reset(sg_decoder *d);

#endif
