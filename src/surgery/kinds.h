/* What kind each layer is, by the rules of surgery. */
#ifndef SG_SURGERY_KINDS_H
#define SG_SURGERY_KINDS_H

#include "model/model.h"

/* Puts into the kinds of layers [model->info.layers], as sg_model_get_layer says them, what the rules know of a model
 * that does not run here: lists that are only meant, periods, windows that all layers have, shared keys and values.
 * What is malformed tells nothing. Only SG_ERR_NOMEM. */
int sg_kinds_find(const sg_model *model, sg_layer_info *layers, sg_error *err);

#endif
