/* Layer numbers in the names of a quantization configuration. */
#ifndef SG_SURGERY_QUANTIZATION_H
#define SG_SURGERY_QUANTIZATION_H

#include "surgery/cut.h"

/* Edits object's "quantization_config" (absent: nothing): names of modules in lists ("ignore",
 * "modules_to_not_convert", "targets") and as keys follow their layers; those of removed layers go. SG_ERR_REFUSED: a
 * pattern that picks layers by their numbers' digits. */
int sg_quantization_edit(const sg_cut *cut, json_object *object, sg_error *err);

#endif
