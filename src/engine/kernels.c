/* Row kernels. See kernels.h; SG_CLONES compiles each for several instruction sets, chosen when the program starts. */
#include "engine/kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/clones.h"

enum { LANES = 16 };

/* e^x within 2 units in the last place; below -87 about 1e-38, which is 0 for our sums.
 * x = n ln 2 + r with |r| <= ln 2 / 2; the polynomial is Taylor's, good to 1e-8 there; n goes into the exponent's bits. */
static inline __attribute__((always_inline)) float exp_f32(float x)
{
    const float round = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer, kept in the low bits */
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float t = x * 1.44269504f + round;
    float n = t - round;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f; /* ln 2 in two parts */
    float p = 1.98412698e-4f;
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &t, 4);
    bits = (bits - 0x4b400000u + 127u) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return p * power;
}

SG_CLONES static void store_bf16(uint16_t *out, const float *x, int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], 4);
        uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
        bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
        out[i] = (uint16_t)(nan ? 0x7fc0u : rounded);
    }
}

void sg_row_store(void *out, const float *x, int n, sg_precision precision)
{
    if (precision == SG_PRECISION_BF16)
        store_bf16(out, x, n);
    else
        memcpy(out, x, (size_t)n * sizeof *x);
}

static inline __attribute__((always_inline)) float sum_lanes(const float *lanes)
{
    float sum = 0;
    for (int j = 0; j < LANES; j++)
        sum += lanes[j];
    return sum;
}

SG_CLONES void sg_row_rmsnorm(float *y, const float *x, const float *w, int n, float eps)
{
    float lanes[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += x[i + j] * x[i + j];
    for (int j = 0; i + j < n; j++)
        lanes[j] += x[i + j] * x[i + j];
    float scale = 1.0f / sqrtf(sum_lanes(lanes) / (float)n + eps);
    for (i = 0; i < n; i++)
        y[i] = x[i] * scale * w[i];
}

SG_CLONES void sg_row_add(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += x[i];
}

SG_CLONES bool sg_row_finite(const float *x, int n)
{
    int bad = 0;
    for (int i = 0; i < n; i++)
        bad |= !(fabsf(x[i]) <= FLT_MAX);
    return !bad;
}

SG_CLONES void sg_row_silu_mul(float *y, const float *gate, const float *up, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = gate[i] / (1.0f + exp_f32(-gate[i])) * up[i];
}

static inline __attribute__((always_inline)) float row_max(const float *x, int n)
{
    float lanes[LANES];
    for (int j = 0; j < LANES; j++)
        lanes[j] = -INFINITY;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    for (int j = 0; i + j < n; j++)
        lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
    float max = lanes[0];
    for (int j = 1; j < LANES; j++)
        max = lanes[j] > max ? lanes[j] : max;
    return max;
}

SG_CLONES float sg_row_softmax_exp(float *x, int n, int width, float scale)
{
    float max = row_max(x, n), lanes[LANES] = {0};
    for (int i = 0; i < n; i++)
        x[i] = exp_f32(scale * (x[i] - max));
    for (int i = n; i < width; i++)
        x[i] = 0;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += x[i + j];
    for (int j = 0; i + j < n; j++)
        lanes[j] += x[i + j];
    return sum_lanes(lanes);
}

SG_CLONES void sg_row_log_sum_exp(const float *logits, int n, float *max, double *sum)
{
    float top = row_max(logits, n), lanes[LANES] = {0};
    if (!(top > *max))
        top = *max;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += exp_f32(logits[i + j] - top);
    for (int j = 0; i + j < n; j++)
        lanes[j] += exp_f32(logits[i + j] - top);
    double more = 0;
    for (int j = 0; j < LANES; j++)
        more += (double)lanes[j];
    *sum = *sum * exp((double)*max - (double)top) + more;
    *max = top;
}

SG_CLONES sg_dots sg_row_dots(const float *before, const float *mid, const float *after, int n)
{
    enum { WIDE = 8 };
    double bb[WIDE] = {0}, mm[WIDE] = {0}, aa[WIDE] = {0}, bm[WIDE] = {0}, ma[WIDE] = {0}, ba[WIDE] = {0};
    int i = 0;
    for (; i + WIDE <= n; i += WIDE)
        for (int j = 0; j < WIDE; j++) {
            double b = (double)before[i + j], m = (double)mid[i + j], a = (double)after[i + j];
            bb[j] += b * b;
            mm[j] += m * m;
            aa[j] += a * a;
            bm[j] += b * m;
            ma[j] += m * a;
            ba[j] += b * a;
        }
    for (int j = 0; i + j < n; j++) {
        double b = (double)before[i + j], m = (double)mid[i + j], a = (double)after[i + j];
        bb[j] += b * b;
        mm[j] += m * m;
        aa[j] += a * a;
        bm[j] += b * m;
        ma[j] += m * a;
        ba[j] += b * a;
    }
    sg_dots d = {0};
    for (int j = 0; j < WIDE; j++) {
        d.bb += bb[j];
        d.mm += mm[j];
        d.aa += aa[j];
        d.bm += bm[j];
        d.ma += ma[j];
        d.ba += ba[j];
    }
    return d;
}

SG_CLONES void sg_row_rope(float *y, const float *x, const float *cos, const float *sin, int half, int n)
{
    for (int i = 0; i < half; i++) {
        float a = x[i], b = x[half + i];
        y[i] = a * cos[i] - b * sin[i];
        y[half + i] = b * cos[i] + a * sin[i];
    }
    for (int i = 2 * half; i < n; i++)
        y[i] = x[i];
}
