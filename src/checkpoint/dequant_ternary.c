/* Elements of -1, 0, 1 in blocks of 256 with one scale. Layouts and order of operations as gguf-py's quants.py. d is
 * f16.
 *
 *   TQ1_0  48 bytes of 5 digits | 4 bytes of 4 digits | d     y = d * (q - 1)
 *   TQ2_0  2 x 32 bytes of 4 x 2 bits | d                     y = d * (q - 1)
 *
 * A TQ1_0 byte is a fraction of 256 in base 3: multiplied by 3, what is carried out of the byte is the first digit, and
 * what stays in it the fraction of the others. Digit r of byte k is element n r + k, for the runs of n = 32, 16 and 4
 * bytes apart.
 */
#include "checkpoint/dequant.h"
#include "checkpoint/dequant_bits.h"

/* The first n_digits of n bytes. */
ALWAYS_INLINE void unpack_digits(int8_t *restrict q, const uint8_t *restrict packed, int n, int n_digits)
{
    static const uint8_t power[5] = {1, 3, 9, 27, 81};
    for (int r = 0; r < n_digits; r++)
        for (int k = 0; k < n; k++)
            q[n * r + k] = (int8_t)(((uint8_t)(packed[k] * power[r]) * 3 >> 8) - 1);
}

SG_CLONES void sg_tq1_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 54) {
        int8_t q[256];
        unpack_digits(q, b, 32, 5);
        unpack_digits(q + 160, b + 32, 16, 5);
        unpack_digits(q + 240, b + 48, 4, 4);
        scale_i8(dst + i, q, load_f16(b + 52), 256);
    }
}

SG_CLONES void sg_tq2_0_to_f32(const void *src, float *restrict dst, size_t n)
{
    const uint8_t *restrict b = src;
    for (size_t i = 0; i < n; i += 256, b += 66) {
        int8_t q[256];
        for (int half = 0; half < 2; half++)
            for (int row = 0; row < 4; row++)
                for (int k = 0; k < 32; k++)
                    q[128 * half + 32 * row + k] = (int8_t)((b[32 * half + k] >> (2 * row) & 3) - 1);
        scale_i8(dst + i, q, load_f16(b + 64), 256);
    }
}
