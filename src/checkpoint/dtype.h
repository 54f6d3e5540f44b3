/* Number formats: one row per tensor type of GGUF (ggml.h, gguf-py constants) and safetensors.
 * A type without `to_f32` is carried through surgery as bytes and refused, by name, where numbers are needed. */
#ifndef SG_CHECKPOINT_DTYPE_H
#define SG_CHECKPOINT_DTYPE_H

#include "core/error.h"

typedef struct sg_dtype {
    const char *name; /* "Q4_1", "BF16": how both formats spell it */
    int gguf_id;      /* ggml_type, -1: not in GGUF */
    bool safetensors; /* a dtype of safetensors */
    int block;        /* elements per block */
    int block_bytes;
    /* n elements (a multiple of block) from src (any alignment) to dst, no fused multiply-add, bit for bit as gguf-py
     * dequantizes */
    void (*to_f32)(const void *src, float *dst, size_t n);
} sg_dtype;

static inline bool sg_dtype_is_bf16(const sg_dtype *type)
{
    return type->gguf_id == 30;
}

const sg_dtype *sg_dtype_by_gguf(uint32_t id); /* NULL: unknown */
const sg_dtype *sg_dtype_by_safetensors(const char *name);

#endif
