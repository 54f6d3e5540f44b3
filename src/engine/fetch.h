/* Reading ahead: while a layer runs, a thread has the bytes of the next one brought into memory, so that nothing waits
 * for the disk. The thread only waits, it computes nothing, so that no more threads work than the user allows.
 * Dequantizing and packing are work for the pass's threads, all of them, between two layers: about 1.5% of a pass when
 * 16,384 positions go through each layer, which a thread beside them would take from the products. */
#ifndef SG_ENGINE_FETCH_H
#define SG_ENGINE_FETCH_H

#include "model/model.h"

typedef struct sg_fetch sg_fetch;

int sg_fetch_create(sg_fetch **out, const sg_model *model, sg_error *err);
void sg_fetch_free(sg_fetch *f); /* stops at once; NULL is fine */
/* Wants layer `layer` next, or the output matrix where that is the model's number of layers; -1: nothing. What was
 * wanted just before is still read to its end, what was wanted earlier is dropped. Returns at once; f NULL: nothing
 * happens. */
void sg_fetch_want(sg_fetch *f, int layer);

/* The layer's pages are no longer mapped: the kernel may use them for something else. */
void sg_fetch_release(const sg_model *model, int layer);

/* Bytes that the largest layer takes in its files, or with head the output matrix where it is larger. */
uint64_t sg_fetch_bytes(const sg_model *model, bool head);

#endif
