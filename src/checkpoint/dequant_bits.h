/* What the dequant_*.c share: unaligned loads, small floats to f32, and the last step of most formats. All inline, so
 * that each clone of a loop gets them for its own instruction set. Files are little-endian, and so are we. */
#ifndef SG_CHECKPOINT_DEQUANT_BITS_H
#define SG_CHECKPOINT_DEQUANT_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/clones.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* In front of a loop of 16 that shall become vectors: gcc would unroll it first. (clang does not, and warns at -O1.) */
#if defined(__GNUC__) && !defined(__clang__)
#define VECTOR_LOOP _Pragma("omp simd")
#else
#define VECTOR_LOOP
#endif

ALWAYS_INLINE uint16_t load_u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

ALWAYS_INLINE uint32_t load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

ALWAYS_INLINE float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

ALWAYS_INLINE uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
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
    uint32_t subnormal = bits_of(float_of(normal + (1u << 23)) - float_of((127u - 14) << 23)); /* 1.m * 2^-14 - 2^-14 */

    uint32_t is_special = 0u - (uint32_t)(exponent == 0x7c00u << 13);
    uint32_t is_subnormal = 0u - (uint32_t)(exponent == 0);
    uint32_t bits = (special & is_special) | (subnormal & is_subnormal) | (normal & ~is_special & ~is_subnormal);
    return float_of(bits | (uint32_t)(half & 0x8000) << 16);
}

ALWAYS_INLINE float load_f16(const uint8_t *p)
{
    return f16_to_f32(load_u16(p));
}

/* Half-byte j, low ones first. */
ALWAYS_INLINE int nibble(const uint8_t *p, int j)
{
    return p[j / 2] >> (4 * (j & 1)) & 15;
}

/* y = d * q */
ALWAYS_INLINE void scale_i8(float *restrict y, const int8_t *restrict q, float d, int n)
{
    VECTOR_LOOP
    for (int k = 0; k < n; k++)
        y[k] = d * (float)q[k];
}

#endif
