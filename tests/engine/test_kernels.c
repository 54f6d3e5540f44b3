/* Row kernels against the C library in f64. The exponential's own bound is 2 units in the last place of f32 (kernels.c); sums add one
 * rounding a term. */
#include <math.h>

#include "engine/kernels.h"
#include "sg_test.h"

enum { N = 577 }; /* odd: every tail runs */

static void fill(float *x, float scale)
{
    uint32_t seed = 7;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = scale * ((float)((int32_t)seed) / 2147483648.0f);
    }
}

static void close_to(const char *what, double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%s: got %.9g, expected %.9g", what, got, want);
}

static void test_rmsnorm(void **state)
{
    (void)state;
    float x[N], w[N], y[N];
    double sum = 0;
    fill(x, 3);
    fill(w, 1);
    for (int i = 0; i < N; i++)
        sum += (double)x[i] * (double)x[i];
    sg_row_rmsnorm(y, x, w, N, 1e-5f);
    for (int i = 0; i < N; i++)
        close_to("rmsnorm", (double)y[i], (double)x[i] / sqrt(sum / N + 1e-5) * (double)w[i], 1e-5);
}

static void test_silu(void **state)
{
    (void)state;
    float gate[N], up[N], y[N];
    fill(gate, 30);
    fill(up, 2);
    gate[0] = -200;
    gate[1] = 200;
    sg_row_silu(y, gate, up, N);
    for (int i = 0; i < N; i++) {
        double want = (double)gate[i] / (1 + exp(-(double)gate[i])) * (double)up[i];
        if (!(fabs((double)y[i] - want) <= 1e-6 * fabs(want) + 1e-30))
            fail_msg("silu(%g): got %g, expected %g", (double)gate[i], (double)y[i], want);
    }
}

static void test_layernorm(void **state)
{
    (void)state;
    float x[N], w[N], b[N], y[N];
    double mean = 0, var = 0;
    fill(x, 3);
    fill(w, 1);
    fill(b, 0.5f);
    for (int i = 0; i < N; i++)
        mean += (double)(x[i] += 10) / N; /* far from 0: the mean has to go first */
    for (int i = 0; i < N; i++)
        var += ((double)x[i] - mean) * ((double)x[i] - mean) / N;
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        sg_row_layernorm(y, x, w, with_bias ? b : NULL, N, 1e-5f);
        for (int i = 0; i < N; i++) {
            double want = ((double)x[i] - mean) / sqrt(var + 1e-5) * (double)w[i] + (with_bias ? (double)b[i] : 0);
            if (!(fabs((double)y[i] - want) <= 2e-6))
                fail_msg("layernorm[%d]: got %g, expected %g", i, (double)y[i], want);
        }
    }
}

/* Activations over -12 to 12, with and without a gate; the bound is a few units in the last place of the largest factor. */
static void test_gelu(void **state)
{
    (void)state;
    float x[N], up[N], tanh_form[N], erf_form[N];
    fill(x, 12);
    fill(up, 2);
    for (int gated = 0; gated < 2; gated++) {
        sg_row_gelu_tanh(tanh_form, x, gated ? up : NULL, N);
        sg_row_gelu_erf(erf_form, x, gated ? up : NULL, N);
        for (int i = 0; i < N; i++) {
            double v = (double)x[i], u = gated ? (double)up[i] : 1;
            double by_tanh = 0.5 * v * (1 + tanh(sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))) * u;
            double by_erf = 0.5 * v * (1 + erf(v / sqrt(2))) * u;
            if (!(fabs((double)tanh_form[i] - by_tanh) <= 1e-6 * fabs(v)) || !(fabs((double)erf_form[i] - by_erf) <= 1e-6 * fabs(v)))
                fail_msg("gelu(%g): got %g and %g, expected %g and %g", v, (double)tanh_form[i], (double)erf_form[i], by_tanh, by_erf);
        }
    }
}

static void test_softcap_and_clip(void **state)
{
    (void)state;
    float x[N], y[N];
    fill(x, 200);
    x[0] = 1e-4f;
    x[1] = 7.4f; /* on both sides of where tanh changes its form: 0.15 of 50 is 7.5 */
    x[2] = 7.6f;
    memcpy(y, x, sizeof y);
    sg_row_softcap(y, N, 0.5f, 50);
    for (int i = 0; i < N; i++)
        close_to("softcap", (double)y[i], 50 * tanh((double)x[i] * 0.5 / 50), 2e-6);
    memcpy(y, x, sizeof y);
    sg_row_clip(y, 30, N);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == fminf(fmaxf(x[i], -30), 30));
}

static void test_softmax(void **state)
{
    (void)state;
    float x[N];
    double sum = 0, top = -INFINITY, want[N];
    fill(x, 20);
    for (int i = 0; i < N - 7; i++)
        top = fmax(top, (double)x[i]);
    for (int i = 0; i < N - 7; i++)
        sum += want[i] = exp(0.5 * ((double)x[i] - top));
    close_to("softmax sum", (double)sg_row_softmax_exp(x, N - 7, N, 0.5f), sum, 1e-5);
    for (int i = 0; i < N; i++)
        close_to("softmax term", (double)x[i], i < N - 7 ? want[i] : 0, 2e-6);
}

static void test_log_sum_exp(void **state)
{
    (void)state;
    float x[N], max = -INFINITY;
    double sum = 0, want = 0;
    fill(x, 40);
    for (int i = 0; i < N; i++)
        want += exp((double)x[i]);
    for (int i = 0; i < N; i += 100) /* in pieces, as the head does */
        sg_row_log_sum_exp(x + i, N - i < 100 ? N - i : 100, &max, &sum);
    close_to("log sum exp", (double)max + log(sum), log(want), 1e-6);
}

static void test_dots(void **state)
{
    (void)state;
    float a[N], b[N], c[N];
    double aa = 0, ab = 0, bc = 0, ac = 0;
    fill(a, 3);
    fill(b, 100);
    fill(c, 0.01f);
    a[5] = 1e6f;
    for (int i = 0; i < N; i++) {
        aa += (double)a[i] * (double)a[i];
        ab += (double)a[i] * (double)b[i];
        bc += (double)b[i] * (double)c[i];
        ac += (double)a[i] * (double)c[i];
    }
    sg_dots d = sg_row_dots(a, b, c, N);
    close_to("before . before", d.bb, aa, 1e-14);
    close_to("before . mid", d.bm, ab, 1e-12);
    close_to("mid . after", d.ma, bc, 1e-12);
    close_to("before . after", d.ba, ac, 1e-12);
}

static void test_bf16(void **state)
{
    (void)state;
    static const struct { const char *name; uint32_t in; uint16_t out; } rows[] = {
        {"one", 0x3f800000, 0x3f80},
        {"tie to even, down", 0x3f808000, 0x3f80},
        {"tie to even, up", 0x3f818000, 0x3f82},
        {"above the tie", 0x3f808001, 0x3f81},
        {"largest rounds to infinity", 0x7f7fffff, 0x7f80},
        {"infinity", 0xff800000, 0xff80},
        {"NaN stays NaN", 0x7f800001, 0x7fc0},
        {"subnormal", 0x00018000, 0x0002},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        float x;
        uint16_t y;
        memcpy(&x, &rows[i].in, 4);
        sg_row_store(&y, &x, 1, SG_PRECISION_BF16);
        if (y != rows[i].out)
            fail_msg("%s: got %04x", rows[i].name, y);
    }
}

static void test_finite(void **state)
{
    (void)state;
    float x[N];
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    fill(x, 3e38f);
    assert_true(sg_row_finite(x, N));
    for (int i = 0; i < 3; i++) {
        x[N - 1] = bad[i];
        assert_false(sg_row_finite(x, N));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rmsnorm), cmocka_unit_test(test_layernorm), cmocka_unit_test(test_silu), cmocka_unit_test(test_gelu),
        cmocka_unit_test(test_softcap_and_clip), cmocka_unit_test(test_softmax), cmocka_unit_test(test_log_sum_exp),
        cmocka_unit_test(test_dots),    cmocka_unit_test(test_bf16), cmocka_unit_test(test_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
