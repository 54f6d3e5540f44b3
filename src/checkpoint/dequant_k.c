/* The K formats: super-blocks of 256 elements with a scale (and minimum) for each sub-block of 16 or 32, themselves in
 * 4, 6 or 8 bits. The layouts are ggml's (ggml-common.h); the order of operations is that of gguf-py's quants.py, so
 * that the results are the same bits. d and dmin are f16.
 *
 *   Q2_K  16 x (4-bit scale, 4-bit min) | 2 x 32 bytes of 4 x 2 bits | d | dmin     y = (d * scale) * q - (dmin * min)
 *   Q3_K  32 bytes of third bits | 2 x 32 bytes of 4 x 2 bits | 16 6-bit scales in 12 bytes | d
 *                                                                                   y = (d * (scale - 32)) * (q - 4)
 *   Q4_K  d | dmin | 8 6-bit (scale, min) pairs in 12 bytes | 4 x 32 bytes          y = (d * scale) * q - (dmin * min)
 *   Q5_K  d | dmin | the same 12 bytes | 32 bytes of fifth bits | 4 x 32 bytes      as Q4_K
 *   Q6_K  128 low halves | 64 bytes of upper 2 bits | 16 signed scales | d          y = (d * scale) * (q - 32)
 *
 * Each function first unpacks a block's q into bytes, which takes few instructions for many elements, and then
 * converts. */
#include "checkpoint/dequant.h"
#include "checkpoint/dequant_bits.h"

/* Two bits at a time: byte k of each 32 has element k in its lowest bits, 32 + k above, 64 + k, 96 + k. */
ALWAYS_INLINE void unpack_2_bits(uint8_t *restrict q, const uint8_t *restrict packed)
{
    for (int half = 0; half < 2; half++)
        for (int row = 0; row < 4; row++)
            for (int k = 0; k < 32; k++)
                q[128 * half + 32 * row + k] = packed[32 * half + k] >> (2 * row) & 3;
}

SG_CLONES void sg_q2_k_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 84) {
        float d = load_f16(b + 80), dmin = load_f16(b + 82);
        uint8_t q[256];
        unpack_2_bits(q, b + 16);
        for (int j = 0; j < 16; j++) {
            float ds = d * (float)(b[j] & 15), dm = dmin * (float)(b[j] >> 4);
            float *restrict y = dst + i + 16 * (size_t)j;
            VECTOR_LOOP
            for (int k = 0; k < 16; k++)
                y[k] = ds * (float)q[16 * j + k] - dm;
        }
    }
}

/* Scale j (0..15) of the 12 bytes s: low 4 bits of 0..7 and 8..15 in the halves of s[0..7], upper 2 in s[8 + j % 4]. */
ALWAYS_INLINE int q3_scale(const uint8_t *s, int j)
{
    int low = s[j & 7] >> (j & 8 ? 4 : 0) & 15, high = s[8 + (j & 3)] >> (2 * (j >> 2)) & 3;
    return (low | high << 4) - 32;
}

SG_CLONES void sg_q3_k_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 110) {
        float d = load_f16(b + 108);
        uint8_t low[256];
        int8_t q[256];
        unpack_2_bits(low, b + 32);
        for (int j = 0; j < 8; j++) /* bit j of b[k]: the third bit of element 32 j + k */
            for (int k = 0; k < 32; k++)
                q[32 * j + k] = (int8_t)((low[32 * j + k] | (b[k] >> j & 1) << 2) - 4);
        for (int j = 0; j < 16; j++)
            scale_i8(dst + i + 16 * (size_t)j, q + 16 * j, d * (float)q3_scale(b + 96, j), 16);
    }
}

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
        int8_t q[256];
        for (int j = 0; j < 8; j++) { /* rows of 32; half a block holds four */
            const uint8_t *low = b + 64 * (j >> 2) + 32 * (j & 1), *high = b + 128 + 32 * (j >> 2);
            int low_shift = 4 * (j >> 1 & 1), high_shift = 2 * (j & 3);
            for (int k = 0; k < 32; k++)
                q[32 * j + k] = (int8_t)(((low[k] >> low_shift & 15) | (high[k] >> high_shift & 3) << 4) - 32);
        }
        for (int j = 0; j < 16; j++)
            scale_i8(dst + i + 16 * (size_t)j, q + 16 * j, d * (float)(int8_t)b[192 + j], 16);
    }
}
