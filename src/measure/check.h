/* Does a written model compute what the original computes without the removed layers? */
#ifndef SG_MEASURE_CHECK_H
#define SG_MEASURE_CHECK_H

#include "model/model.h"

/* Runs both over the same made-up tokens with the same kernels and compares every likelihood bit for bit.
 * SG_ERR_LIBRARY: they differ (then the written model is wrong). removed: sorted; memory, threads and progress are of
 * opts. */
int sg_check_likelihoods(const sg_model *original, const int *removed, size_t n_removed, const sg_model *pruned,
                         const sg_prune_opts *opts, sg_error *err);

#endif
