/* From stored numbers to f32. The block layouts are ggml's (ggml-common.h); the order of operations is that of
 * gguf-py's quants.py, so that the results are the same bits. Scales d, dmin, m are f16.
 *
 *   Q4_0  d | 16 bytes: low halves are elements 0..15, high halves 16..31          y = d * (q - 8)
 *   Q4_1  d | m | 16 bytes                                                         y = d * q + m
 *   Q5_0  d | 32 fifth bits | 16 bytes                                             y = d * (q - 16)
 *   Q5_1  d | m | 32 fifth bits | 16 bytes                                         y = d * q + m
 *   Q8_0  d | 32 signed bytes                                                      y = q * d
 *   Q4_K  d | dmin | 8 6-bit (scale, min) pairs in 12 bytes | 4 x 32 bytes         y = (d * scale) * q - (dmin * min)
 *   Q5_K  d | dmin | the same 12 bytes | 32 bytes of fifth bits | 4 x 32 bytes     as Q4_K
 *   Q6_K  128 low halves | 64 bytes of upper 2 bits | 16 signed scales | d         y = (d * scale) * (q - 32)
 */
#include "checkpoint/dequant.h"

#include <stdint.h>
#include <string.h>

#include "core/clones.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

ALWAYS_INLINE uint16_t load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

/* f16 bits to f32, exactly, NaN payloads kept. Three candidates and two masks instead of branches, so that loops
 * vectorize; no step touches a subnormal f32, so it does not depend on the processor's flush-to-zero mode. */
ALWAYS_INLINE float f16_to_f32(uint16_t half)
{
    const uint32_t rebias = (127 - 15) << 23;
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t exponent = magnitude & (0x7c00u << 13);
    uint32_t normal = magnitude + rebias;
    uint32_t special = normal + rebias; /* exponent 31 becomes 255 */
    float tiny = float_of(normal + (1u << 23)) - float_of((127u - 14) << 23); /* 1.m * 2^-14 - 2^-14 */
    uint32_t subnormal;
    memcpy(&subnormal, &tiny, sizeof subnormal);

    uint32_t is_special = 0u - (uint32_t)(exponent == 0x7c00u << 13);
    uint32_t is_subnormal = 0u - (uint32_t)(exponent == 0);
    uint32_t bits = (special & is_special) | (subnormal & is_subnormal) | (normal & ~is_special & ~is_subnormal);
    return float_of(bits | (uint32_t)(half & 0x8000) << 16);
}

ALWAYS_INLINE float load_f16(const uint8_t *p)
{
    return f16_to_f32(load_u16(p));
}

/* ---- plain numbers ------------------------------------------------------------------------------------ */

void sg_f32_to_f32(const void *src, float *dst, size_t n)
{
    if (n)
        memcpy(dst, src, n * sizeof *dst);
}

SG_CLONES void sg_f16_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, p + 2 * i, sizeof half);
        dst[i] = f16_to_f32(half);
    }
}

SG_CLONES void sg_bf16_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, p + 2 * i, sizeof half);
        dst[i] = float_of((uint32_t)half << 16);
    }
}

/* ---- blocks of 32 ------------------------------------------------------------------------------------- */

SG_CLONES void sg_q4_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 18) {
        float d = load_f16(b);
        const uint8_t *q = b + 2;
        for (int j = 0; j < 16; j++) {
            dst[i + (size_t)j] = d * (float)((q[j] & 15) - 8);
            dst[i + 16 + (size_t)j] = d * (float)((q[j] >> 4) - 8);
        }
    }
}

SG_CLONES void sg_q4_1_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 20) {
        float d = load_f16(b), m = load_f16(b + 2);
        const uint8_t *q = b + 4;
        for (int j = 0; j < 16; j++) {
            dst[i + (size_t)j] = d * (float)(q[j] & 15) + m;
            dst[i + 16 + (size_t)j] = d * (float)(q[j] >> 4) + m;
        }
    }
}

/* Elements j and 16 + j of a five-bit block: low bits from q[j], the fifth ones from bits j and 16 + j of high. */
ALWAYS_INLINE int five_low(const uint8_t *q, uint32_t high, int j)
{
    return (q[j] & 15) | (int)(high >> j & 1) << 4;
}

ALWAYS_INLINE int five_high(const uint8_t *q, uint32_t high, int j)
{
    return q[j] >> 4 | (int)(high >> (16 + j) & 1) << 4;
}

ALWAYS_INLINE uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)load_u16(p) | (uint32_t)load_u16(p + 2) << 16;
}

SG_CLONES void sg_q5_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 22) {
        float d = load_f16(b);
        uint32_t high = load_u32(b + 2);
        for (int j = 0; j < 16; j++) {
            dst[i + (size_t)j] = d * (float)(five_low(b + 6, high, j) - 16);
            dst[i + 16 + (size_t)j] = d * (float)(five_high(b + 6, high, j) - 16);
        }
    }
}

SG_CLONES void sg_q5_1_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 24) {
        float d = load_f16(b), m = load_f16(b + 2);
        uint32_t high = load_u32(b + 4);
        for (int j = 0; j < 16; j++) {
            dst[i + (size_t)j] = d * (float)five_low(b + 8, high, j) + m;
            dst[i + 16 + (size_t)j] = d * (float)five_high(b + 8, high, j) + m;
        }
    }
}

SG_CLONES void sg_q8_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 34) {
        float d = load_f16(b);
        for (int j = 0; j < 32; j++)
            dst[i + (size_t)j] = (float)(int8_t)b[2 + j] * d;
    }
}

/* ---- blocks of 256 ------------------------------------------------------------------------------------ */

/* Pair j (0..7) of the 12 bytes s: pairs 0..3 are the low 6 bits of s[j], s[4 + j]; of pairs 4..7 the low 4 bits are in
 * s[4 + j], and the upper 2 in the top of s[j - 4] and s[j]. */
ALWAYS_INLINE void scale_min(const uint8_t *s, int j, int *scale, int *min)
{
    if (j < 4) {
        *scale = s[j] & 63;
        *min = s[4 + j] & 63;
    } else {
        *scale = (s[4 + j] & 15) | (s[j - 4] >> 6) << 4;
        *min = s[4 + j] >> 4 | (s[j] >> 6) << 4;
    }
}

SG_CLONES void sg_q4_k_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 144) {
        float d = load_f16(b), dmin = load_f16(b + 2);
        for (int j = 0; j < 8; j++) { /* sub-blocks of 32: even ones in the low halves, odd ones in the high */
            int scale, min, shift = 4 * (j & 1);
            scale_min(b + 4, j, &scale, &min);
            float ds = d * (float)scale, dm = dmin * (float)min;
            const uint8_t *restrict q = b + 16 + 32 * (j >> 1);
            float *restrict y = dst + i + 32 * (size_t)j;
            for (int k = 0; k < 32; k++)
                y[k] = ds * (float)(q[k] >> shift & 15) - dm;
        }
    }
}

SG_CLONES void sg_q5_k_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 176) {
        float d = load_f16(b), dmin = load_f16(b + 2);
        const uint8_t *restrict high = b + 16; /* bit j of high[k]: the fifth bit of element k of sub-block j */
        for (int j = 0; j < 8; j++) {
            int scale, min, shift = 4 * (j & 1);
            scale_min(b + 4, j, &scale, &min);
            float ds = d * (float)scale, dm = dmin * (float)min;
            const uint8_t *restrict q = b + 48 + 32 * (j >> 1);
            float *restrict y = dst + i + 32 * (size_t)j;
            for (int k = 0; k < 32; k++)
                y[k] = ds * (float)((q[k] >> shift & 15) | (high[k] >> j & 1) << 4) - dm;
        }
    }
}

SG_CLONES void sg_q6_k_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 210) {
        float d = load_f16(b + 208);
        for (int j = 0; j < 16; j++) { /* sub-blocks of 16, each with a scale; half a block holds 8 */
            int half = j >> 3, row = j >> 1 & 3, at = 16 * (j & 1); /* row: which 32 of the half's 128 elements */
            float ds = d * (float)(int8_t)b[192 + j];
            const uint8_t *restrict low = b + 64 * half + 32 * (row & 1) + at;
            const uint8_t *restrict high = b + 128 + 32 * half + at;
            float *restrict y = dst + i + 16 * (size_t)j;
            for (int k = 0; k < 16; k++)
                y[k] = ds * (float)(((low[k] >> (4 * (row >> 1)) & 15) | (high[k] >> (2 * row) & 3) << 4) - 32);
        }
    }
}
