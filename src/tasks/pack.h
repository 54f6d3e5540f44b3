/* Sequences of tokens as windows of a pass, what they have in common once.
 *
 * Sorted by their tokens, each sequence shares its beginning with the one before it: it becomes a window of what is its
 * own behind that, or none when it is all there already (letters behind one question). */
#ifndef SG_TASKS_PACK_H
#define SG_TASKS_PACK_H

#include "measure/choices.h"
#include "tasks/encode.h"

typedef struct sg_packed {
    sg_window *windows; /* ids point into the sequences */
    int n_windows;
    int32_t *targets; /* [rows], what the windows' targets point into */
    sg_probe *probes; /* [n_probes], sorted: one for each scored token */
    size_t *owner;    /* [n_probes], which sequence's */
    size_t n_probes;
    int64_t rows, rows_alone; /* positions put in, and what they would be without sharing */
} sg_packed;

/* share: the model's positions mean the same in windows of any length (sg_rope_lengths_alike). */
int sg_pack(sg_packed *out, const sg_encoded *encoded, bool share, sg_error *err);
void sg_packed_dispose(sg_packed *p);

#endif
