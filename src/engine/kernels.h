/* Loops over one row, written so that the compiler vectorises them: sums keep 16 partial results in a fixed order, so
 * results do not depend on the processor's vector width. bf16 is stored as uint16_t, rounded to nearest even. */
#ifndef SG_ENGINE_KERNELS_H
#define SG_ENGINE_KERNELS_H

#include "core/error.h"

/* n numbers to the precision's element type */
void sg_row_store(void *out, const float *x, int n, sg_precision precision);

/* y = x / sqrt(mean(x^2) + eps) * w (RMSNorm, arXiv 1910.07467). y may be x. */
void sg_row_rmsnorm(float *y, const float *x, const float *w, int n, float eps);

/* y = (x - mean) / sqrt(variance + eps) * w + b (LayerNorm, arXiv 1607.06450); b NULL: none. y may be x. */
void sg_row_layernorm(float *y, const float *x, const float *w, const float *b, int n, float eps);

/* y += x; z = x + y, where z may be one of them */
void sg_row_add(float *y, const float *x, int n);
void sg_row_sum(float *z, const float *x, const float *y, int n);

/* Is every number finite? */
bool sg_row_finite(const float *x, int n);

/* y += factor * x; x *= factor; x into [-limit, limit] */
void sg_row_add_scaled(float *y, const float *x, float factor, int n);
void sg_row_scale(float *x, float factor, int n);
void sg_row_clip(float *x, float limit, int n);

/* x = cap * tanh(x * scale / cap) */
void sg_row_softcap(float *x, int n, float scale, float cap);

/* y = act(gate) * up; up NULL: y = act(gate). silu(g) = g / (1 + e^-g); gelu by erf or by tanh (arXiv 1606.08415). */
void sg_row_silu(float *y, const float *gate, const float *up, int n);
void sg_row_gelu_tanh(float *y, const float *gate, const float *up, int n);
void sg_row_gelu_erf(float *y, const float *gate, const float *up, int n);

/* x = e^(scale * (x - max)) for the first n of width numbers, 0 for the others; returns the sum of the n. n >= 1 */
float sg_row_softmax_exp(float *x, int n, int width, float scale);

/* Softmax of a row whose scores come block after block (online softmax, arXiv 1805.02867). */
typedef struct sg_softmax { /* of the blocks so far; begin with max = -INFINITY and sum = 0 */
    float max, sum;         /* sum of e^(scale * (score - max)) */
} sg_softmax;
enum { SG_SOFTMAX_BLOCK = 512 }; /* the most scores of a block */
/* weights[i] = e^(scale * (scores[i] - max)) for i in [from, to), 0 elsewhere; n elements of the precision. Takes the
 * block into *row. Returns the factor that brings what was summed with earlier weights to the new maximum. */
float sg_row_softmax_block(sg_softmax *row, void *weights, const float *scores, int from, int to, int n, float scale,
                           sg_precision precision);

/* Takes n more logits into a running log-sum-exp: *max and *sum stand for sum of e^(logit - max); begin with -INFINITY
 * and 0. */
void sg_row_log_sum_exp(const float *logits, int n, float *max, double *sum);

/* Place of the largest number, the first of equals; n >= 1, no NaN */
int sg_row_argmax(const float *x, int n);

/* Takes n more logits of two rows into sum = sum of e^(a - max) and cross = sum of e^(a - max) (a - b); begin with max
 * -INFINITY and 0. */
typedef struct sg_row_gap {
    float max;
    double sum, cross;
} sg_row_gap;
void sg_row_add_gap(const float *a, const float *b, int n, sg_row_gap *gap);

/* Of a layer's row at three points (before, after the mixer, after the feed-forward): sums of products, in f64. */
typedef struct sg_dots {
    double bb, mm, aa, bm, ma, ba;
} sg_dots;
sg_dots sg_row_dots(const float *before, const float *mid, const float *after, int n);

/* a: elements of the precision */
float sg_row_dot_elements(const void *a, const float *b, int n, sg_precision precision);

/* The first 2 * half numbers of a head: (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin), x1 its first half, x2 the
 * second; the rest copied. */
void sg_row_rope(float *y, const float *x, const float *cos, const float *sin, int half, int n);

#endif
