/* Parts of reading a specification, and helpers for finish.c. */
#ifndef SG_MODEL_READ_H
#define SG_MODEL_READ_H

#include "model/family.h"

/* Each layer's window, by the family's rule for this format (windows.c). */
int sg_windows_read(sg_model_spec *spec, const sg_family *family, const sg_config *config, sg_error *err);

#endif
