/* Four-bit formats whose 16 codes stand for a table of values. In each run of bytes the low halves come first, then the
 * high ones. Layouts and order of operations as gguf-py's quants.py. d is f16.
 *
 *   IQ4_NL  d | 16 bytes                                                       y = d * value(q)
 *   IQ4_XS  d | upper 2 bits of 8 scales | their low 4 bits | 8 x 16 bytes     y = (d * (scale - 32)) * value(q)
 *   MXFP4   e | 16 bytes                                                       y = 2^(e - 128) * value(q)
 *   NVFP4   4 unsigned E4M3 scales | 4 x 8 bytes                               y = scale / 2 * value(q)
 */
#include "checkpoint/dequant.h"
#include "checkpoint/dequant_bits.h"

static const float nonlinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
/* E2M1, doubled so that all are integers */
static const float e2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* n bytes to 2 n elements */
ALWAYS_INLINE void put_values(float *restrict y, const uint8_t *restrict q, const float table[16], float d, int n)
{
    for (int k = 0; k < n; k++) {
        y[k] = d * table[q[k] & 15];
        y[n + k] = d * table[q[k] >> 4];
    }
}

SG_CLONES void sg_iq4_nl_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 18)
        put_values(dst + i, b + 2, nonlinear, load_f16(b), 16);
}

SG_CLONES void sg_iq4_xs_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 136) {
        float d = load_f16(b);
        int high = load_u16(b + 2);
        for (int j = 0; j < 8; j++) {
            int scale = (nibble(b + 4, j) | (high >> (2 * j) & 3) << 4) - 32;
            put_values(dst + i + 32 * (size_t)j, b + 8 + 16 * j, nonlinear, d * (float)scale, 16);
        }
    }
}

SG_CLONES void sg_mxfp4_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 32, b += 17) {
        /* 2^-128 and 2^-127 are subnormal; 255 is no NaN here */
        uint32_t d = b[0] < 2 ? 1u << (21 + b[0]) : (uint32_t)(b[0] - 1) << 23;
        put_values(dst + i, b + 1, e2m1, float_of(d), 16);
    }
}

/* Half of an E4M3 whose sign bit means nothing, and whose NaN is 0. */
ALWAYS_INLINE float half_ue4m3(uint8_t x)
{
    int exponent = x >> 3 & 15, mantissa = x & 7;
    if (x == 0x7f)
        return 0;
    return exponent ? float_of((uint32_t)(exponent + 127 - 8) << 23 | (uint32_t)mantissa << 20)
                    : (float)mantissa * 0x1p-10f;
}

SG_CLONES void sg_nvfp4_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 64, b += 36)
        for (int j = 0; j < 4; j++)
            put_values(dst + i + 16 * (size_t)j, b + 4 + 8 * j, e2m1, half_ue4m3(b[j]), 8);
}
