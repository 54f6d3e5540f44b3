/* Names of precisions. */
#include "shortgpt.h"

const char *sg_precision_name(sg_precision precision)
{
    return precision == SG_PRECISION_BF16 ? "bf16" : precision == SG_PRECISION_F32 ? "f32" : "auto";
}
