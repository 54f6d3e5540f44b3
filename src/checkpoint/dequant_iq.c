/* The IQ formats of 256 elements that name groups of 8 (or 4) elements by their place in a grid (dequant_iq_grids.h).
 * Layouts and order of operations as gguf-py's quants.py. d is f16; integers are little-endian.
 *
 *   IQ2_XXS  d | 8 x (4 grid bytes, u32: 4 x 7 bits of signs, 4 bits of scale)         y = (d * (0.5 + s)) / 4 * g
 *   IQ2_XS   d | 32 u16: 9 bits of grid, 7 of signs | 16 4-bit scales                  the same
 *   IQ2_S    d | 32 grid bytes | 32 sign bytes | 32 x 2 upper grid bits | 16 scales    the same
 *   IQ3_XXS  d | 64 grid bytes | 8 u32: 4 x 7 bits of signs, 4 bits of scale           y = (d * (0.5 + s)) / 2 * g
 *   IQ3_S    d | 64 grid bytes | 64 ninth bits | 32 sign bytes | 8 4-bit scales        y = (d * (1 + 2 s)) * g
 *   IQ1_S    d | 32 grid bytes | 8 u16: 4 x 3 upper grid bits, 3 bits of scale, sign of the shift
 *                                                                                      y = (d * (1 + 2 s)) * (g +- 1/8)
 *   IQ1_M    32 grid bytes | 16 bytes: 2 x (3 upper grid bits, sign of the shift) | 4 u16: 4 x 3 bits of scale, and d
 *            in the four top digits                                                    the same
 *
 * IQ2 and IQ3 grids hold magnitudes; bit k of a sign byte makes element k of 8 negative. 7 bits of signs stand for 8
 * whose number is even. Eight elements at a time are one 64-bit word of bytes.
 */
#include "checkpoint/dequant.h"
#include "checkpoint/dequant_bits.h"
#include "checkpoint/dequant_iq_grids.h"

#define ONES 0x0101010101010101u

/* Spreads 8 codes of 2 bits, the first lowest, into bytes. */
ALWAYS_INLINE uint64_t spread_2_bits(uint16_t codes)
{
    uint64_t x = codes;
    x = (x | x << 24) & 0x000000ff000000ffu;
    x = (x | x << 12) & 0x000f000f000f000fu;
    return (x | x << 6) & 0x0303030303030303u;
}

/* Two groups of 4 codes in half-bytes into bytes. */
ALWAYS_INLINE uint64_t spread_4_bits(uint16_t first, uint16_t second)
{
    uint64_t x = first | (uint64_t)second << 32;
    x = (x | x << 8) & 0x00ff00ff00ff00ffu;
    return (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
}

/* Eight magnitudes below 128, none 0, to signed bytes. */
ALWAYS_INLINE void put_signed(int8_t *q, uint64_t magnitudes, uint8_t signs)
{
    uint64_t bits = signs * ONES & 0x8040201008040201u;        /* byte k: bit k or nothing */
    uint64_t minus = (bits + 0x7f7f7f7f7f7f7f7fu) >> 7 & ONES; /* 1 where it is set */
    uint64_t values = (magnitudes ^ minus * 255) + minus;      /* two's complement; no byte carries */
    memcpy(q, &values, sizeof values);
}

ALWAYS_INLINE uint8_t even_signs(uint32_t seven)
{
    uint32_t x = seven & 127, parity = x ^ x >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return (uint8_t)(x | (parity & 1) << 7);
}

/* ---- IQ2: magnitudes 8, 25, 43 ------------------------------------------------------------------------ */

ALWAYS_INLINE uint64_t iq2_magnitudes(uint16_t codes)
{
    uint64_t x = spread_2_bits(codes);
    return x * 17 + (x >> 1 & ONES) + 8 * ONES;
}

ALWAYS_INLINE float iq2_scale(float d, int scale)
{
    return d * (0.5f + (float)scale) * 0.25f;
}

SG_CLONES void sg_iq2_xxs_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 66) {
        float d = load_f16(b);
        for (int j = 0; j < 8; j++) {
            const uint8_t *grid = b + 2 + 8 * j;
            uint32_t signs = load_u32(grid + 4);
            int8_t q[32];
            for (int k = 0; k < 4; k++)
                put_signed(q + 8 * k, iq2_magnitudes(sg_iq2_xxs_grid[grid[k]]), even_signs(signs >> (7 * k)));
            scale_i8(dst + i + 32 * (size_t)j, q, iq2_scale(d, (int)(signs >> 28)), 32);
        }
    }
}

SG_CLONES void sg_iq2_xs_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 74) {
        float d = load_f16(b);
        int8_t q[256];
        for (int k = 0; k < 32; k++) {
            uint32_t code = load_u16(b + 2 + 2 * k);
            put_signed(q + 8 * k, iq2_magnitudes(sg_iq2_xs_grid[code & 511]), even_signs(code >> 9));
        }
        for (int j = 0; j < 16; j++)
            scale_i8(dst + i + 16 * (size_t)j, q + 16 * j, iq2_scale(d, nibble(b + 66, j)), 16);
    }
}

SG_CLONES void sg_iq2_s_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 82) {
        float d = load_f16(b);
        int8_t q[256];
        for (int k = 0; k < 32; k++) {
            int code = b[2 + k] | (b[66 + k / 4] >> (2 * (k & 3)) & 3) << 8;
            put_signed(q + 8 * k, iq2_magnitudes(sg_iq2_s_grid[code]), b[34 + k]);
        }
        for (int j = 0; j < 16; j++)
            scale_i8(dst + i + 16 * (size_t)j, q + 16 * j, iq2_scale(d, nibble(b + 74, j)), 16);
    }
}

/* ---- IQ3 ---------------------------------------------------------------------------------------------- */

/* 4, 12, 20, 28, 36, 44, 52, 62 */
ALWAYS_INLINE uint64_t iq3_xxs_magnitudes(uint16_t first, uint16_t second)
{
    uint64_t x = spread_4_bits(first, second), seven = x & x >> 1 & x >> 2 & ONES;
    return x * 8 + 4 * ONES + 2 * seven;
}

SG_CLONES void sg_iq3_xxs_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 98) {
        float d = load_f16(b);
        for (int j = 0; j < 8; j++) {
            const uint8_t *grid = b + 2 + 8 * j;
            uint32_t signs = load_u32(b + 66 + 4 * j);
            int8_t q[32];
            for (int k = 0; k < 4; k++)
                put_signed(q + 8 * k,
                           iq3_xxs_magnitudes(sg_iq3_xxs_grid[grid[2 * k]], sg_iq3_xxs_grid[grid[2 * k + 1]]),
                           even_signs(signs >> (7 * k)));
            scale_i8(dst + i + 32 * (size_t)j, q, d * (0.5f + (float)(signs >> 28)) * 0.5f, 32);
        }
    }
}

SG_CLONES void sg_iq3_s_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 110) {
        float d = load_f16(b);
        for (int j = 0; j < 8; j++) {
            const uint8_t *grid = b + 2 + 8 * j;
            int ninth = b[66 + j] << 8;
            int8_t q[32];
            for (int k = 0; k < 4; k++) {
                int first = grid[2 * k] | (ninth >> (2 * k) & 256),
                    second = grid[2 * k + 1] | (ninth >> (2 * k + 1) & 256);
                uint64_t x = spread_4_bits(sg_iq3_s_grid[first], sg_iq3_s_grid[second]);
                put_signed(q + 8 * k, 2 * x + ONES, b[74 + 4 * j + k]); /* 1, 3, ... 15 */
            }
            scale_i8(dst + i + 32 * (size_t)j, q, d * (float)(1 + 2 * nibble(b + 106, j)), 32);
        }
    }
}

/* ---- IQ1: -1, 0, 1, all shifted up or down by 1/8 ----------------------------------------------------- */

/* Elements of 8, in eighths: 8 g + 1 or 8 g - 1. */
ALWAYS_INLINE void put_iq1(int8_t *q, int code, int down)
{
    uint64_t x = spread_2_bits(sg_iq1_grid[code]);                    /* 0, 1, 2 */
    uint64_t eighths = (x * 8 | 0x80 * ONES) - (down ? 9 : 7) * ONES; /* bit 7 keeps the bytes from borrowing */
    eighths ^= 0x80 * ONES;
    memcpy(q, &eighths, sizeof eighths);
}

/* dl * (g +- 1/8), as eighths of dl: these are exact, dl being an f16 times a small integer. */
ALWAYS_INLINE float iq1_scale(float d, int scale)
{
    return d * (float)(2 * scale + 1) * 0.125f;
}

SG_CLONES void sg_iq1_s_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 50) {
        float d = load_f16(b);
        for (int j = 0; j < 8; j++) {
            int high = load_u16(b + 34 + 2 * j);
            int8_t q[32];
            for (int k = 0; k < 4; k++)
                put_iq1(q + 8 * k, b[2 + 4 * j + k] | (high >> (3 * k) & 7) << 8, high & 0x8000);
            scale_i8(dst + i + 32 * (size_t)j, q, iq1_scale(d, high >> 12 & 7), 32);
        }
    }
}

SG_CLONES void sg_iq1_m_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 56) {
        int digits = 0;
        for (int k = 0; k < 4; k++)
            digits |= b[49 + 2 * k] >> 4 << (4 * k);
        float d = f16_to_f32((uint16_t)digits);
        int8_t q[256];
        for (int k = 0; k < 32; k++) {
            int high = nibble(b + 32, k);
            put_iq1(q + 8 * k, b[k] | (high & 7) << 8, high & 8);
        }
        for (int j = 0; j < 16; j++) {
            int scale = load_u16(b + 48 + 2 * (j / 4)) >> (3 * (j & 3)) & 7;
            scale_i8(dst + i + 16 * (size_t)j, q + 16 * j, iq1_scale(d, scale), 16);
        }
    }
}
