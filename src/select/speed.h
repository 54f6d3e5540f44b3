/* How long each layer takes, measured. */
#ifndef SG_SELECT_SPEED_H
#define SG_SELECT_SPEED_H

#include "measure/windows.h"

/* seconds: [n_layers + 1], each layer's arithmetic and the head's for the first windows; the fastest of three runs.
 * *tokens: that each run took. */
int sg_measure_layers(const sg_model *model, const sg_windows *w, const sg_run_opts *run, double *seconds,
                      int64_t *tokens, sg_error *err);

#endif
