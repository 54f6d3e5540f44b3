/* Attention in blocks against the plain sums in f64: windows of one and of several blocks of keys, slices that cut
 * windows, shared heads, sliding windows, soft caps.
 * Tolerance: a weight's error is that of its score, times the result's size: with |q|, |k| <= 1 and E = 16 a score is
 * off by at most 17 * 2^-24 * 16 in f32, e^x adds 2 units in the last place, sums of n terms n / 2 roundings of parts:
 * 1e-5 in all; with bf16 each weight and each result is rounded to 8 bits, by 2^-9 of it: 2 * 2^-9 of the largest |v|
 * = 1. */
#include <math.h>
#include <omp.h>

#include "core/mem.h"
#include "engine/attention.h"
#include "engine/kernels.h"
#include "sg_test.h"

enum { E = 16, MAX_WINDOWS = 4 };

typedef struct shape {
    const char *name;
    int lengths[MAX_WINDOWS]; /* 0: no more windows */
    int n_heads, n_kv_heads, window, slice;
    float softcap;
} shape;

static const shape shapes[] = {
    {"one position", {1}, 2, 1, 0, 2048, 0},
    {"short windows in one slice", {5, 17, 64, 3}, 4, 2, 0, 2048, 0},
    {"heads of their own", {65, 30}, 2, 2, 0, 2048, 0},
    {"several blocks of keys", {1100}, 3, 1, 0, 2048, 0},
    {"slices that cut windows", {40, 700, 33}, 2, 1, 0, 100, 0},
    {"a slice for each position", {9, 4}, 2, 1, 0, 1, 0},
    {"a window of one", {70}, 2, 1, 1, 2048, 0},
    {"a window over blocks of keys", {1200, 90}, 2, 1, 130, 2048, 0},
    {"a window longer than a block of keys", {1300}, 2, 1, 600, 333, 0},
    {"capped scores", {600, 20}, 2, 1, 0, 2048, 1.5f},
    {"capped scores in a window", {600}, 2, 1, 77, 2048, 1.5f},
};

static uint32_t seed = 1;

/* in [-1, 1), exact in bf16 */
static float random_bf16(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)((int32_t)seed >> 24) / 128;
}

/* Head h of row `row`: the row holds q, k and v. */
static const float *head_of(const float *fused, const shape *s, int row, int h)
{
    return fused + ((size_t)row * (size_t)(s->n_heads + 2 * s->n_kv_heads) + (size_t)h) * E;
}

/* Position t of the window that starts at row `start`, head h. */
static void plain(double out[E], const float *fused, const shape *s, int start, int t, int h, double scale)
{
    int g = h / (s->n_heads / s->n_kv_heads), from = s->window && t >= s->window ? t - s->window + 1 : 0;
    double sum = 0;
    for (int e = 0; e < E; e++)
        out[e] = 0;
    for (int j = from; j <= t; j++) {
        const float *q = head_of(fused, s, start + t, h), *k = head_of(fused, s, start + j, s->n_heads + g),
                    *v = head_of(fused, s, start + j, s->n_heads + s->n_kv_heads + g);
        double score = 0;
        for (int e = 0; e < E; e++)
            score += scale * (double)q[e] * (double)k[e];
        double w = exp(s->softcap > 0 ? (double)s->softcap * tanh(score / (double)s->softcap) : score);
        sum += w;
        for (int e = 0; e < E; e++)
            out[e] += w * (double)v[e];
    }
    for (int e = 0; e < E; e++)
        out[e] /= sum;
}

static float element(const char *data, size_t i, sg_precision precision)
{
    float x;
    uint32_t bits = 0;
    if (precision == SG_PRECISION_BF16)
        memcpy((char *)&bits + 2, data + 2 * i, 2);
    else
        memcpy(&bits, data + 4 * i, 4);
    memcpy(&x, &bits, 4);
    return x;
}

static void run(char *out, const float *fused, const shape *s, const sg_span *windows, int n_windows, int rows,
                const sg_layer_spec *spec, sg_precision precision, int threads)
{
    sg_error err = {0};
    sg_mm *mm;
    size_t element_bytes = sg_element_bytes(precision), width = (size_t)(s->n_heads + 2 * s->n_kv_heads) * E;
    int slice_rows = s->slice < rows ? s->slice : rows;
    sg_qkv qkv = {.q_rows = slice_rows, .kv_rows = rows};
    qkv.q = sg_alloc_aligned((size_t)slice_rows * (size_t)s->n_heads * E, element_bytes);
    qkv.k = sg_alloc_aligned((size_t)rows * (size_t)s->n_kv_heads * E, element_bytes);
    qkv.v = sg_alloc_aligned((size_t)rows * (size_t)s->n_kv_heads * E, element_bytes);
    char *scratch = sg_alloc_aligned(sg_attention_scratch_bytes(spec, threads), 1);
    float *copy = sg_alloc((size_t)slice_rows * width, sizeof *copy);
    assert_true(qkv.q && qkv.k && qkv.v && scratch && copy);
    omp_set_num_threads(threads);
    assert_int_equal(sg_mm_create(&mm, threads, SG_MM_FASTEST, &err), SG_OK);
    for (int first = 0; first < rows; first += slice_rows) {
        sg_slice slice = {first, rows - first < slice_rows ? rows - first : slice_rows};
        memcpy(copy, fused + (size_t)first * width, (size_t)slice.n * width * sizeof *copy);
        sg_qkv_split(&qkv, copy, slice, slice, windows, n_windows, spec, &(sg_qkv_run){0}, precision);
        if (sg_attention(out + (size_t)first * (size_t)s->n_heads * E * element_bytes, &qkv, slice, windows, n_windows,
                         spec, precision, mm, scratch, &err))
            fail_msg("%s: %s", s->name, err.message);
    }
    sg_mm_free(mm);
    sg_free(copy);
    sg_free(scratch);
    sg_free(qkv.q);
    sg_free(qkv.k);
    sg_free(qkv.v);
}

static void check(const shape *s, sg_precision precision, int threads)
{
    sg_layer_spec spec = {.n_heads = s->n_heads,
                          .n_kv_heads = s->n_kv_heads,
                          .head_dim = E,
                          .window = s->window,
                          .attn_scale = 0.5f,
                          .attn_softcap = s->softcap,
                          .norm_eps = 1e-6f};
    sg_span windows[MAX_WINDOWS];
    int n = 0, rows = 0, H = s->n_heads;
    for (; n < MAX_WINDOWS && s->lengths[n]; rows += s->lengths[n++])
        windows[n] = (sg_span){rows, s->lengths[n]};
    size_t numbers = (size_t)rows * (size_t)(H + 2 * s->n_kv_heads) * E;
    float *fused = sg_alloc(numbers, sizeof *fused);
    char *out = sg_alloc_aligned((size_t)(rows * H) * E, sg_element_bytes(precision));
    assert_true(fused && out);
    for (size_t i = 0; i < numbers; i++)
        fused[i] = random_bf16();
    run(out, fused, s, windows, n, rows, &spec, precision, threads);
    double tolerance = precision == SG_PRECISION_BF16 ? 0x1p-8 : 1e-5;
    for (int w = 0; w < n; w++)
        for (int t = 0; t < windows[w].n; t++)
            for (int h = 0; h < H; h++) {
                double want[E];
                plain(want, fused, s, windows[w].start, t, h, 0.5);
                for (int e = 0; e < E; e++) {
                    size_t at = ((size_t)(windows[w].start + t) * (size_t)H + (size_t)h) * E + (size_t)e;
                    double got = (double)element(out, at, precision);
                    if (!(fabs(got - want[e]) <= tolerance))
                        fail_msg("%s (%s, %d threads): window %d, position %d, head %d: %g, expected %g", s->name,
                                 sg_precision_name(precision), threads, w, t, h, got, want[e]);
                }
            }
    sg_free(fused);
    sg_free(out);
}

static void test_f32(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(shapes); i++)
        check(&shapes[i], SG_PRECISION_F32, 1 + (int)(i % 2));
}

static void test_bf16(void **state)
{
    (void)state;
    if (!sg_matmul_native_bf16())
        skip();
    for (size_t i = 0; i < SG_ARRAY_LEN(shapes); i++)
        check(&shapes[i], SG_PRECISION_BF16, 1 + (int)(i % 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
