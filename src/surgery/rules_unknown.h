/* Families that the HF table does not know. */
#ifndef SG_SURGERY_RULES_UNKNOWN_H
#define SG_SURGERY_RULES_UNKNOWN_H

#include "surgery/rule.h"

/* Adds the keys of the decoder's configuration that could hang on a layer's number, as "key", "key". */
int sg_suspect_config(const sg_cut *cut, sg_strbuf *keys, sg_error *err);

#endif
