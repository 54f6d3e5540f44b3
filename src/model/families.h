/* The family table's rows, and the readers of what only one family has (finish.c). */
#ifndef SG_MODEL_FAMILIES_H
#define SG_MODEL_FAMILIES_H

#include "model/family.h"

const sg_family *sg_family_row(size_t i); /* NULL behind the last */

typedef int sg_finish(sg_model_spec *spec, const sg_config *config, const sg_checkpoint *ckpt, sg_error *err);
sg_finish sg_finish_gemma, sg_finish_gemma2, sg_finish_gemma3, sg_finish_olmo2, sg_finish_granite, sg_finish_stablelm,
    sg_finish_gpt2, sg_finish_gpt_neox, sg_finish_mixtral, sg_finish_qwen2_moe, sg_finish_qwen3_moe, sg_finish_olmoe;

#endif
