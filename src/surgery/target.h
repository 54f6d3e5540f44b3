/* Whether OUT may be written. */
#ifndef SG_SURGERY_TARGET_H
#define SG_SURGERY_TARGET_H

#include "surgery/draft.h"

/* SG_ERR_USAGE, saying why, when path cannot be OUT: a name of the other format, no parent directory, equal to MODEL,
 * inside or around it, there already (overwrite: of the other kind, or a directory that holds no model). */
int sg_target_check(const char *path, const sg_model *model, const sg_draft *draft, bool overwrite, sg_error *err);

/* The room that a draft takes, files rounded up to the file system's blocks. SG_ERR_IO when there is less. */
int sg_target_space(const char *path, const sg_draft *draft, uint64_t *needed, sg_error *err);

#endif
