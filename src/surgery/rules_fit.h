/* Layers that a period, or a range with an interval, tells apart: numbers that fit the survivors. */
#ifndef SG_SURGERY_RULES_FIT_H
#define SG_SURGERY_RULES_FIT_H

#include "surgery/rule.h"

/* SG_ERR_REFUSED with what can go instead when no numbers fit. config: the object to edit. */
int sg_fit_period(const sg_cut *cut, const sg_rule *rule, json_object *config, const char *what, sg_error *err);
int sg_fit_range(const sg_cut *cut, json_object *config, const char *what, sg_error *err);

#endif
