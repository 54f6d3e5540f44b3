/* What config.json's quantization_config says about the weights of a Hugging Face checkpoint.
 *
 * Read are 8-bit floats with scales beside them (scales.h): quant_method fp8 (DeepSeek, Qwen3 and others: blocks of 128
 * by 128), fbgemm_fp8 (a scale per row) and compressed-tensors whose weights are all 8-bit floats (a scale per tensor,
 * row or block). Everything else (GPTQ, AWQ, bitsandbytes, int8, 4-bit floats, ...) is refused by name: such a checkpoint can
 * be described, its weights are bytes.
 *
 * These methods also round activations to 8 bits on hardware that multiplies them; where there is none, transformers
 * computes with the dequantized weights and whole activations (fp8: always on a CPU; compressed-tensors:
 * dequantize=True), and that is what we do. Scales of activations and of the key-value cache are carried, not used. */
#ifndef SG_CHECKPOINT_QUANTIZATION_H
#define SG_CHECKPOINT_QUANTIZATION_H

#include "core/json.h"

typedef struct sg_quantization {
    bool scaled;                     /* 8-bit float weights have scales; false: nothing is quantized */
    uint64_t block_rows, block_cols; /* of a scale that is neither a tensor's nor a row's; 0: no such scales */
    bool rounds;                     /* a weight times its scale is rounded to the scale's type (compressed-tensors) */
} sg_quantization;

/* config: config.json's object, or NULL; what: its name in errors. SG_ERR_REFUSED naming the method, or what of it is
 * not read; SG_ERR_FORMAT naming a field that is malformed. */
int sg_quantization_read(sg_quantization *out, json_object *config, const char *what, sg_error *err);

#endif
