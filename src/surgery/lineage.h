/* The plan that OUT carries: what is gone from the first original, also when MODEL was pruned before. */
#ifndef SG_SURGERY_LINEAGE_H
#define SG_SURGERY_LINEAGE_H

#include "surgery/cut.h"

#define SG_PLAN_FILE "shortgpt.json" /* in a HF directory; GGUF has keys shortgpt.* */

/* The cut's plan in the first original's numbers; sg_plan_free. SG_ERR_FORMAT: MODEL carries a plan that does not fit
 * it. */
int sg_lineage(sg_plan **out, const sg_cut *cut, sg_error *err);

#endif
