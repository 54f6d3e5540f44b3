/* The parts of sg_generate_run, for several texts by one decoder. */
#ifndef SG_MEASURE_GENERATE_H
#define SG_MEASURE_GENERATE_H

#include "engine/generate.h"

/* *out empty; sg_tokens_free. Errors as sg_generate_run. */
int sg_prompt_tokens(sg_tokens *out, sg_model *model, const sg_text *prompt, sg_bos bos, sg_error *err);
/* As many as opts want and the model has positions for. With them the prompt takes their sum - 1 positions. */
int sg_new_tokens(const sg_model *model, const sg_tokens *prompt, const sg_generate_opts *opts);
/* A text of its own, by the layers that the decoder has in use. tokens: the prompt's. */
int sg_generate_by(sg_generation **out, sg_decoder *decoder, sg_model *model, const sg_text *prompt,
                   const sg_tokens *tokens, const sg_generate_opts *opts, sg_error *err);

#endif
