/* Row kernels. See kernels.h; SG_CLONES compiles each for several instruction sets, chosen when the program starts. */
#include "engine/kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/clones.h"

enum { LANES = 16 };

/* 2^n of t = n + 1.5 * 2^23, whose low bits hold the integer n: -127 to 127 */
static inline __attribute__((always_inline)) float power_of_two(float t)
{
    uint32_t bits;
    memcpy(&bits, &t, 4);
    bits = (bits - 0x4b400000u + 127u) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return power;
}

/* e^x within 2 units in the last place; below -87 about 1e-38, which is 0 for our sums.
 * x = n ln 2 + r with |r| <= ln 2 / 2; the polynomial is Taylor's, good to 1e-8 there; n goes into the exponent's bits.
 */
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
    return p * power_of_two(t);
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

/* lanes[j] += term for k = j, j + LANES, j + 2 LANES, ... below n, four at a time, since lanes go through memory. The
 * order is the same on every processor. */
#define ADD_TERMS(lanes, n, k, term)                                                                                   \
    do {                                                                                                               \
        int at_ = 0;                                                                                                   \
        for (; at_ + 4 * LANES <= (n); at_ += 4 * LANES)                                                               \
            for (int j_ = 0; j_ < LANES; j_++) {                                                                       \
                float t0_, t1_, t2_, t3_;                                                                              \
                int k = at_ + j_;                                                                                      \
                t0_ = (term), k += LANES, t1_ = (term), k += LANES, t2_ = (term), k += LANES, t3_ = (term);            \
                (lanes)[j_] += (t0_ + t1_) + (t2_ + t3_);                                                              \
            }                                                                                                          \
        for (; at_ < (n); at_ += LANES)                                                                                \
            for (int j_ = 0; j_ < LANES && at_ + j_ < (n); j_++) {                                                     \
                int k = at_ + j_;                                                                                      \
                (lanes)[j_] += (term);                                                                                 \
            }                                                                                                          \
    } while (0)

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
    ADD_TERMS(lanes, n, k, x[k] * x[k]);
    float scale = 1.0f / sqrtf(sum_lanes(lanes) / (float)n + eps);
    for (int i = 0; i < n; i++)
        y[i] = x[i] * scale * w[i];
}

static float row_dot(const float *a, const float *b, int n)
{
    float lanes[LANES] = {0};
    ADD_TERMS(lanes, n, k, a[k] * b[k]);
    return sum_lanes(lanes);
}

float sg_row_dot_elements(const void *a, const float *b, int n, sg_precision precision)
{
    enum { PIECE = 256 };
    float piece[PIECE], sum = 0;
    if (precision != SG_PRECISION_BF16)
        return row_dot(a, b, n);
    for (int i = 0; i < n; i += PIECE) {
        int m = n - i < PIECE ? n - i : PIECE;
        for (int j = 0; j < m; j++) {
            uint32_t bits = (uint32_t)((const uint16_t *)a)[i + j] << 16;
            memcpy(&piece[j], &bits, 4);
        }
        sum += row_dot(piece, b + i, m);
    }
    return sum;
}

SG_CLONES void sg_row_layernorm(float *y, const float *x, const float *w, const float *b, int n, float eps)
{
    float lanes[LANES] = {0}, squares[LANES] = {0};
    ADD_TERMS(lanes, n, k, x[k]);
    float mean = sum_lanes(lanes) / (float)n;
    ADD_TERMS(squares, n, k, (x[k] - mean) * (x[k] - mean));
    float scale = 1.0f / sqrtf(sum_lanes(squares) / (float)n + eps);
    for (int i = 0; i < n; i++)
        y[i] = (x[i] - mean) * scale * w[i] + (b ? b[i] : 0);
}

SG_CLONES void sg_row_add(float *y, const float *x, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += x[i];
}

SG_CLONES void sg_row_sum(float *z, const float *x, const float *y, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++)
        z[i] = x[i] + y[i];
}

SG_CLONES bool sg_row_finite(const float *x, int n)
{
    int bad = 0;
    for (int i = 0; i < n; i++)
        bad |= !(fabsf(x[i]) <= FLT_MAX);
    return !bad;
}

SG_CLONES void sg_row_add_scaled(float *y, const float *x, float factor, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += factor * x[i];
}

SG_CLONES void sg_row_scale(float *x, float factor, int n)
{
    for (int i = 0; i < n; i++)
        x[i] *= factor;
}

SG_CLONES void sg_row_clip(float *x, float limit, int n)
{
    for (int i = 0; i < n; i++) {
        x[i] = x[i] > limit ? limit : x[i];
        x[i] = x[i] < -limit ? -limit : x[i];
    }
}

/* By e^2x; near 0, where that cancels, by the first terms of the series (the next is below 2e-7 of x there). */
static inline __attribute__((always_inline)) float tanh_f32(float x)
{
    float e = exp_f32(2 * x), far = 1 - 2 / (e + 1), square = x * x;
    float near = x * (1 + square * (-0.333333333f + square * (0.133333333f - square * 0.0539682540f)));
    return square < 0.0225f ? near : far;
}

SG_CLONES void sg_row_softcap(float *x, int n, float scale, float cap)
{
    for (int i = 0; i < n; i++)
        x[i] = cap * tanh_f32(x[i] * scale / cap);
}

SG_CLONES void sg_row_silu(float *y, const float *gate, const float *up, int n)
{
    if (!up)
        for (int i = 0; i < n; i++)
            y[i] = gate[i] / (1.0f + exp_f32(-gate[i]));
    else
        for (int i = 0; i < n; i++)
            y[i] = gate[i] / (1.0f + exp_f32(-gate[i])) * up[i];
}

static inline __attribute__((always_inline)) float gelu_tanh(float x)
{
    return 0.5f * x * (1 + tanh_f32(0.797884561f * (x + 0.044715f * x * x * x)));
}

SG_CLONES void sg_row_gelu_tanh(float *y, const float *gate, const float *up, int n)
{
    if (!up)
        for (int i = 0; i < n; i++)
            y[i] = gelu_tanh(gate[i]);
    else
        for (int i = 0; i < n; i++)
            y[i] = gelu_tanh(gate[i]) * up[i];
}

void sg_row_gelu_erf(float *y, const float *gate, const float *up, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = 0.5f * gate[i] * (1 + erff(gate[i] * 0.707106781f)) * (up ? up[i] : 1);
}

/* The order of a maximum does not matter, so the compiler may choose it. */
static inline __attribute__((always_inline)) float row_max(const float *x, int n)
{
    float max = -INFINITY;
#pragma omp simd reduction(max : max)
    for (int i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

/* e^x for x <= 0 in softmax: the same polynomial to one term less (3e-6 of the result, where weights are rounded to
 * 4e-3 or summed over many), and 0 below -87, -infinity included. One choice at the end, so that it stays straight
 * vectors. */
static inline __attribute__((always_inline)) float exp_negative(float x)
{
    const float round = 12582912.0f;
    float t = x * 1.44269504f + round;
    float n = t - round;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return x < -87.0f ? 0 : p * power_of_two(t);
}

/* y = e^(scale * (x - max)); n: whole steps */
static inline __attribute__((always_inline)) void exp_steps(float *y, const float *x, int n, float scale, float max)
{
    for (int i = 0; i < n; i += LANES)
        for (int j = 0; j < LANES; j++)
            y[i + j] = exp_negative(scale * (x[i + j] - max));
}

/* What is behind the last whole step is padded, so that no loop has a rest that is not vectors. */
SG_CLONES float sg_row_softmax_block(sg_softmax *row, void *weights, const float *scores, int from, int to, int n,
                                     float scale, sg_precision precision)
{
    enum { STEP = 4 * LANES };
    float y[SG_SOFTMAX_BLOCK], rest[STEP], lanes[LANES] = {0}, old = row->max, keep = 1;
    int seen = to - from, whole = seen / STEP * STEP;
    size_t element = precision == SG_PRECISION_BF16 ? 2 : 4;
    char *out = weights;
    if (seen <= 0) {
        memset(out, 0, (size_t)n * element);
        return 1;
    }
    scores += from;
    for (int i = 0; i < STEP; i++)
        rest[i] = -INFINITY;
    memcpy(rest, scores + whole, (size_t)(seen - whole) * sizeof *rest);

    float top = row_max(scores, whole), top_rest = row_max(rest, STEP);
    top = top_rest > top ? top_rest : top;
    if (top > old) {
        row->max = top;
        keep = old == -INFINITY ? 1 : expf(scale * (old - top));
    }
    exp_steps(y, scores, whole, scale, row->max);
    exp_steps(rest, rest, STEP, scale, row->max);
    ADD_TERMS(lanes, whole, k, y[k]);
    ADD_TERMS(lanes, STEP, k, rest[k]);
    row->sum = row->sum * keep + sum_lanes(lanes);

    memset(out, 0, (size_t)from * element);
    out += (size_t)from * element;
    sg_row_store(out, y, whole, precision);
    sg_row_store(out + (size_t)whole * element, rest, seen - whole, precision);
    memset(out + (size_t)seen * element, 0, (size_t)(n - to) * element);
    return keep;
}

SG_CLONES float sg_row_softmax_exp(float *x, int n, int width, float scale)
{
    float max = row_max(x, n), lanes[LANES] = {0};
    for (int i = 0; i < n; i++)
        x[i] = exp_f32(scale * (x[i] - max));
    for (int i = n; i < width; i++)
        x[i] = 0;
    ADD_TERMS(lanes, n, k, x[k]);
    return sum_lanes(lanes);
}

SG_CLONES void sg_row_log_sum_exp(const float *logits, int n, float *max, double *sum)
{
    float top = row_max(logits, n), lanes[LANES] = {0};
    if (!(top > *max))
        top = *max;
    ADD_TERMS(lanes, n, k, exp_f32(logits[k] - top));
    double more = 0;
    for (int j = 0; j < LANES; j++)
        more += (double)lanes[j];
    *sum = *sum * exp((double)*max - (double)top) + more;
    *max = top;
}

SG_CLONES int sg_row_argmax(const float *x, int n)
{
    float max = row_max(x, n);
    int i = 0;
    while (i < n - 1 && x[i] != max)
        i++;
    return i;
}

SG_CLONES void sg_row_add_gap(const float *a, const float *b, int n, sg_row_gap *gap)
{
    float top = row_max(a, n);
    double sums[LANES] = {0}, crosses[LANES] = {0};
    if (!(top > gap->max))
        top = gap->max;
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++) {
            double e = (double)exp_f32(a[i + j] - top);
            sums[j] += e;
            crosses[j] += e * ((double)a[i + j] - (double)b[i + j]);
        }
    for (int j = 0; i + j < n; j++) {
        double e = (double)exp_f32(a[i + j] - top);
        sums[j] += e;
        crosses[j] += e * ((double)a[i + j] - (double)b[i + j]);
    }
    double factor = exp((double)gap->max - (double)top), sum = 0, cross = 0;
    for (int j = 0; j < LANES; j++) {
        sum += sums[j];
        cross += crosses[j];
    }
    *gap = (sg_row_gap){top, gap->sum * factor + sum, gap->cross * factor + cross};
}

/* Eight sums that stay in registers: the compiler's vectors, cut to what the processor has. */
typedef double wide __attribute__((vector_size(64)));
typedef float narrow __attribute__((vector_size(32)));
enum { WIDE = 8 };

static inline __attribute__((always_inline)) void load_wide(wide *out, const float *x)
{
    narrow v;
    memcpy(&v, x, sizeof v);
    *out = __builtin_convertvector(v, wide);
}

static inline __attribute__((always_inline)) double sum_wide(const wide *v)
{
    double sum = 0;
    for (int j = 0; j < WIDE; j++)
        sum += (*v)[j];
    return sum;
}

SG_CLONES sg_dots sg_row_dots(const float *before, const float *mid, const float *after, int n)
{
    wide bb = {0}, mm = {0}, aa = {0}, bm = {0}, ma = {0}, ba = {0};
    float rest[3][WIDE] = {{0}};
    for (int i = 0; i < n; i += WIDE) {
        const float *at[3] = {before + i, mid + i, after + i};
        if (n - i < WIDE)
            for (int j = 0; j < 3; j++)
                at[j] = memcpy(rest[j], at[j], (size_t)(n - i) * sizeof(float));
        wide b, m, a;
        load_wide(&b, at[0]);
        load_wide(&m, at[1]);
        load_wide(&a, at[2]);
        bb += b * b;
        mm += m * m;
        aa += a * a;
        bm += b * m;
        ma += m * a;
        ba += b * a;
    }
    return (sg_dots){sum_wide(&bb), sum_wide(&mm), sum_wide(&aa), sum_wide(&bm), sum_wide(&ma), sum_wide(&ba)};
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
