/* The refusals of the HF table. */
#ifndef SG_SURGERY_RULES_LIMITS_H
#define SG_SURGERY_RULES_LIMITS_H

#include "surgery/rule.h"

int sg_limit_hf(const sg_cut *cut, const sg_rule *rule, sg_error *err);

#endif
