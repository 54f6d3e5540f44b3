/* Binding tensors to the roles of the family's table. */
#ifndef SG_MODEL_ROLES_H
#define SG_MODEL_ROLES_H

#include "model/model.h"

/* Fills m->roles from m->family, m->spec and m->ckpt. SG_ERR_FORMAT: a tensor is missing or has another shape. */
int sg_roles_bind(sg_model *m, sg_error *err);

#endif
