/* Layer numbers in the names of a quantization configuration. */
#ifndef SG_SURGERY_QUANTIZATION_H
#define SG_SURGERY_QUANTIZATION_H

#include "surgery/cut.h"

/* Edits object's "quantization_config" (absent: nothing): names of modules in lists ("ignore",
 * "modules_to_not_convert", "targets") and as keys follow their layers; those of removed layers go. SG_ERR_REFUSED: a
 * pattern that picks layers by their numbers' digits. */
int sg_quantization_edit(const sg_cut *cut, json_object *object, sg_error *err);
/* The same for such a configuration itself, as a file of its own holds it: *out is a new one. */
int sg_quantization_follow(const sg_cut *cut, json_object *quantization, json_object **out, sg_error *err);

#endif
