/* Making plans from their parts; include/shortgpt.h says what a plan is. */
#ifndef SG_SELECT_PLAN_H
#define SG_SELECT_PLAN_H

#include "core/json.h"

/* Which model a plan was made for. */
typedef struct sg_plan_model {
    int layers, hidden, vocab;
    const char *fingerprint; /* 32 hex digits */
} sg_plan_model;

/* Copies and sorts the list; why: NULL ok; keep is what is left of it. SG_ERR_USAGE: an empty list, a number twice or
 * out of range; SG_ERR_REFUSED: all layers. */
int sg_plan_new(sg_plan **out, const sg_plan_model *model, const char *method, const char *why, const int *remove,
                size_t n, sg_error *err);

/* A plan's JSON, checked in itself (not against a model): SG_ERR_FORMAT with what and the key. */
int sg_plan_from_json(sg_plan **out, json_object *json, const char *what, sg_error *err);

#endif
