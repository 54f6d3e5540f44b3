/* A text that goes on: a layer's keys and values of the positions behind are there, so that only new positions are run.
 */
#ifndef SG_ENGINE_CACHE_H
#define SG_ENGINE_CACHE_H

#include "engine/attention.h"

/* For a layer's run over one window: its first n rows are behind. Their keys and values stand in scratch->qkv, and the
 * layer leaves them alone. */
typedef struct sg_past {
    int n;
    float *scratch; /* sg_attend_row's */
} sg_past;

/* Attention of one row to all keys up to its own: in->q holds its queries alone, in->k and in->v those of rows 0 to
 * row. out: [n_heads * E] elements. All threads. */
void sg_attend_row(void *out, const sg_qkv *in, int row, const sg_layer_spec *spec, sg_precision precision,
                   float *scratch);
size_t sg_attend_row_bytes(const sg_layer_spec *spec, int rows, int threads);

#endif
