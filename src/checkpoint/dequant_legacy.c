/* The first formats of ggml: blocks of 32 elements with one scale, some with a minimum. The layouts are ggml's
 * (ggml-common.h); the order of operations is that of gguf-py's quants.py, so that the results are the same bits.
 * d and m are f16.
 *
 *   Q4_0  d | 16 bytes: low halves are elements 0..15, high halves 16..31          y = d * (q - 8)
 *   Q4_1  d | m | 16 bytes                                                         y = d * q + m
 *   Q5_0  d | 32 fifth bits | 16 bytes                                             y = d * (q - 16)
 *   Q5_1  d | m | 32 fifth bits | 16 bytes                                         y = d * q + m
 *   Q8_0  d | 32 signed bytes                                                      y = q * d
 */
#include "checkpoint/dequant.h"
#include "checkpoint/dequant_bits.h"

SG_CLONES void sg_q4_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 18) {
        float d = load_f16(b), *restrict y = dst + i;
        const uint8_t *restrict q = b + 2;
        VECTOR_LOOP
        for (int k = 0; k < 16; k++) {
            y[k] = d * (float)((q[k] & 15) - 8);
            y[16 + k] = d * (float)((q[k] >> 4) - 8);
        }
    }
}

SG_CLONES void sg_q4_1_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 20) {
        float d = load_f16(b), m = load_f16(b + 2), *restrict y = dst + i;
        const uint8_t *restrict q = b + 4;
        VECTOR_LOOP
        for (int k = 0; k < 16; k++) {
            y[k] = d * (float)(q[k] & 15) + m;
            y[16 + k] = d * (float)(q[k] >> 4) + m;
        }
    }
}

/* Elements k and 16 + k of a five-bit block: low bits from q[k], the fifth ones from bits k and 16 + k of high. */
ALWAYS_INLINE int five_low(const uint8_t *q, uint32_t high, int k)
{
    return (q[k] & 15) | (int)(high >> k & 1) << 4;
}

ALWAYS_INLINE int five_high(const uint8_t *q, uint32_t high, int k)
{
    return q[k] >> 4 | (int)(high >> (16 + k) & 1) << 4;
}

SG_CLONES void sg_q5_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 22) {
        float d = load_f16(b), *restrict y = dst + i;
        uint32_t high = load_u32(b + 2);
        VECTOR_LOOP
        for (int k = 0; k < 16; k++) {
            y[k] = d * (float)(five_low(b + 6, high, k) - 16);
            y[16 + k] = d * (float)(five_high(b + 6, high, k) - 16);
        }
    }
}

SG_CLONES void sg_q5_1_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 24) {
        float d = load_f16(b), m = load_f16(b + 2), *restrict y = dst + i;
        uint32_t high = load_u32(b + 4);
        VECTOR_LOOP
        for (int k = 0; k < 16; k++) {
            y[k] = d * (float)five_low(b + 8, high, k) + m;
            y[16 + k] = d * (float)five_high(b + 8, high, k) + m;
        }
    }
}

SG_CLONES void sg_q8_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 34) {
        float d = load_f16(b), *restrict y = dst + i;
        for (int k = 0; k < 32; k++)
            y[k] = (float)(int8_t)b[2 + k] * d;
    }
}
