/* Binding tensors to the roles of the family's table. */
#ifndef SG_MODEL_ROLES_H
#define SG_MODEL_ROLES_H

#include "model/model.h"

/* Sets m->root and m->layer_prefix: HF checkpoints of a base model leave the root ("transformer.") out. */
int sg_roles_prefix(sg_model *m, sg_error *err);
/* Fills m->roles from m->family, m->spec and m->ckpt. SG_ERR_FORMAT: a tensor is missing or has another shape. */
int sg_roles_bind(sg_model *m, sg_error *err);
void sg_roles_free(sg_model *m);

#endif
