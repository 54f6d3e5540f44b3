/* Results of sg_eval: an entry for the model as it is and, when layers are removed, one without them. */
#ifndef SG_MEASURE_ENTRIES_H
#define SG_MEASURE_ENTRIES_H

#include "model/model.h"

/* Entries that say what they are of; nothing is measured yet. For sg_eval_free. SG_ERR_USAGE, SG_ERR_REFUSED: a list of
 * layers that is not sorted, in range, and short of all. */
int sg_eval_start(sg_eval **out, const sg_model *model, const int *removed, size_t n_removed, sg_error *err);
/* *keep: [entries][layers] that each entry has; sg_free. SG_ERR_USAGE: entries of another model. */
int sg_eval_keep(bool **keep, const sg_eval *eval, const sg_model *model, sg_error *err);

/* The array and what its first n scores point to. */
void sg_task_scores_free(sg_task_score *tasks, size_t n);

/* The public structs point to const; these own. */
static inline sg_eval_entry *sg_eval_own(const sg_eval *eval)
{
    return (sg_eval_entry *)(uintptr_t)eval->entries;
}

#endif
