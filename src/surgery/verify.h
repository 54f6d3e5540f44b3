/* Whether what was written is what was meant. */
#ifndef SG_SURGERY_VERIFY_H
#define SG_SURGERY_VERIFY_H

#include "surgery/draft.h"

/* Reopens temp and holds it against MODEL: each kept tensor under its new name, with type, shape and place as laid out
 * (its bytes were read back already); every survivor's specification; likelihoods, bit for bit, of both on the same
 * tokens, unless a tensor has a type without numbers here (*forward says). SG_ERR_LIBRARY: they differ. */
int sg_verify(const sg_cut *cut, const sg_draft *draft, const char *temp, const sg_prune_opts *opts, bool *forward,
              sg_error *err);

#endif
