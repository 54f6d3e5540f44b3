/* Numbers to multiply: random, since processors run faster on zeros. */
#ifndef SG_BENCH_NUMBERS_H
#define SG_BENCH_NUMBERS_H

#include <string.h>

#include "engine/matmul.h"

/* n elements of the precision, evenly between -1 and 1 */
static inline void random_elements(void *out, size_t n, sg_precision precision)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        float x = (float)(state >> 8) * 0x1p-23f - 1;
        uint32_t bits;
        memcpy(&bits, &x, 4);
        if (precision == SG_PRECISION_BF16)
            ((uint16_t *)out)[i] = (uint16_t)(bits >> 16);
        else
            ((float *)out)[i] = x;
    }
}

#endif
