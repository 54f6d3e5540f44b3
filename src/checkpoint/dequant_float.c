/* Floats of 8, 16 and 32 bits to f32, exactly. The 8-bit ones are those of the OCP specifications (OFP8, MX), as torch
 * has them: E4M3 without infinities, its NaN is 0x7f and 0xff; E5M2 is the upper half of an f16; E8M0 is a power of
 * two, 2^(x - 127), NaN at 255. */
#include "checkpoint/dequant.h"
#include "checkpoint/dequant_bits.h"

void sg_f32_to_f32(const void *src, float *dst, size_t n)
{
    if (n)
        memcpy(dst, src, n * sizeof *dst);
}

SG_CLONES void sg_f16_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++)
        dst[i] = load_f16(p + 2 * i);
}

SG_CLONES void sg_bf16_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++)
        dst[i] = float_of((uint32_t)load_u16(p + 2 * i) << 16);
}

SG_CLONES void sg_f8_e5m2_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++)
        dst[i] = f16_to_f32((uint16_t)(p[i] << 8));
}

/* As f16_to_f32, but that only one magnitude is special. */
ALWAYS_INLINE float e4m3_to_f32(uint8_t x)
{
    uint32_t magnitude = (uint32_t)(x & 0x7f) << 20;
    uint32_t normal = magnitude + ((127 - 7) << 23);
    uint32_t subnormal = bits_of(float_of(normal + (1u << 23)) - float_of((127u - 6) << 23)); /* 1.m * 2^-6 - 2^-6 */

    uint32_t is_nan = 0u - (uint32_t)(magnitude == 0x7fu << 20);
    uint32_t is_subnormal = 0u - (uint32_t)(magnitude < 1u << 23);
    uint32_t bits = (0x7fc00000u & is_nan) | (subnormal & is_subnormal) | (normal & ~is_nan & ~is_subnormal);
    return float_of(bits | (uint32_t)(x & 0x80) << 24);
}

SG_CLONES void sg_f8_e4m3_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++)
        dst[i] = e4m3_to_f32(p[i]);
}

SG_CLONES void sg_f8_e8m0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict p = src;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = p[i] ? (uint32_t)p[i] << 23 : 1u << 22; /* 2^-127 is subnormal */
        dst[i] = float_of(p[i] == 255 ? 0x7fc00000u : bits);
    }
}
