/* Rotary frequencies: formulas, and reading them from a configuration. In f32 on purpose: transformers computes them
 * so, and positions multiply the difference. */
#ifndef SG_MODEL_ROPE_H
#define SG_MODEL_ROPE_H

#include "model/family.h"

/* 1 / theta^(2i/dim); out: [dim / 2] */
void sg_rope_default(float *out, int dim, double theta);

/* Llama 3's scaling, in place (transformers' rope type "llama3"). */
typedef struct sg_rope_llama3 {
    double factor, low_freq_factor, high_freq_factor, original_positions;
} sg_rope_llama3;
void sg_rope_scale_llama3(float *inv_freq, int n, const sg_rope_llama3 *scale);

/* YaRN's (arXiv 2309.00071), in place, for frequencies of theta. truncate: round the ramp's ends to whole dimensions.
 */
typedef struct sg_rope_yarn {
    double factor, theta, original_positions, beta_fast, beta_slow;
    bool truncate;
} sg_rope_yarn;
void sg_rope_scale_yarn(float *inv_freq, int n, const sg_rope_yarn *scale);

/* The frequencies that a window of T positions uses; out: [rope->dim / 2]. Two lengths of the same variant use the
 * same. */
void sg_rope_at(const sg_rope *rope, int T, float *out);
int sg_rope_variant(const sg_rope *rope, int T);

/* Appends a rope to spec->ropes, with plain frequencies; NULL: no memory, or too many. */
sg_rope *sg_rope_add(sg_model_spec *spec, int dim, double theta);

/* Reads the model's rope: spec->ropes[0], for heads of head_dim. */
int sg_rope_read(sg_model_spec *spec, const sg_family *family, const sg_config *config, const sg_checkpoint *ckpt,
                 int head_dim, sg_error *err);
/* HF: one rope from an object of parameters (rope_type, factor, ...; NULL: plain) around theta. Adds to spec->ropes. */
int sg_rope_read_hf(sg_model_spec *spec, const sg_config *config, json_object *params, int dim, double theta,
                    sg_error *err);

#endif
