/* Layer lists from outside. */
#ifndef SG_MEASURE_SUBSET_H
#define SG_MEASURE_SUBSET_H

#include "model/model.h"

/* *keep: [n_layers], true but for removed; sg_free. SG_ERR_USAGE: out of range, not sorted, twice; SG_ERR_REFUSED: none
 * would be left. */
int sg_subset_keep(bool **keep, const sg_model *model, const int *removed, size_t n_removed, sg_error *err);

#endif
