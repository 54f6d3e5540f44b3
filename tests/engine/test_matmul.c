/* Matrix products against a plain triple loop in f64, on odd shapes, in both precisions.
 * Tolerance: every term is exact in f32 up to one rounding, and at most k roundings are added: |error| <= (k + 1) 2^-24 sum |a b|. Inputs are
 * rounded to bf16 beforehand, so that both precisions multiply the same numbers. */
#include <math.h>
#include <omp.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "engine/matmul.h"
#include "sg_test.h"

static const struct {
    int m, n, k;
} shapes[] = {{1, 1, 1}, {3, 5, 7}, {1, 64, 64}, {17, 33, 65}, {64, 48, 16}, {130, 96, 577}, {512, 40, 100}, {5, 320, 64}};

static uint32_t seed = 1;

static float random_bf16(void)
{
    seed = seed * 1664525u + 1013904223u;
    float x = (float)((int32_t)seed) / 2147483648.0f;
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits &= 0xffff0000u;
    memcpy(&x, &bits, 4);
    return x;
}

/* n numbers, as f32 and as elements of the precision */
static void *make(float *plain, size_t n, sg_precision precision)
{
    void *elements = sg_alloc_aligned(n, sg_element_bytes(precision));
    for (size_t i = 0; i < n; i++)
        plain[i] = random_bf16();
    sg_row_store(elements, plain, (int)n, precision);
    return elements;
}

/* b: [n, k] when nk, else [k, n] */
static void check(const float *c, const float *a, const float *b, bool nk, int m, int n, int k, const char *what)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0, size = 0;
            for (int l = 0; l < k; l++) {
                double term = (double)a[i * k + l] * (double)(nk ? b[j * k + l] : b[l * n + j]);
                sum += term;
                size += fabs(term);
            }
            if (!(fabs((double)c[i * n + j] - sum) <= (k + 1) * 0x1p-24 * size))
                fail_msg("%s %d x %d x %d: [%d, %d] is %g, expected %g", what, m, n, k, i, j, (double)c[i * n + j], sum);
        }
}

static void check_shape(sg_mm *mm, int m, int n, int k, sg_precision precision)
{
    sg_error err = {0};
    sg_weight *w;
    float *a = sg_alloc((size_t)(m * k), 4), *b = sg_alloc((size_t)(n * k), 4), *c = sg_alloc_aligned((size_t)(m * n), 4);
    void *ea = make(a, (size_t)(m * k), precision), *eb = make(b, (size_t)(n * k), precision);
    if (sg_weight_pack(&w, mm, eb, n, k, precision, &err) || sg_mm_weight(mm, c, ea, w, m, &err))
        fail_msg("%s", err.message);
    check(c, a, b, true, m, n, k, "packed");
    int rc[2] = {0};
    for (int layout = 0; layout < 2; layout++) {
#pragma omp parallel num_threads(1)
        {
            sg_mm_enter_thread();
            rc[layout] = sg_mm_plain(mm, 0, c, ea, eb, layout ? SG_MM_B_KN : SG_MM_B_NK, m, n, k, precision, &err);
        }
        if (rc[layout])
            fail_msg("%s", err.message);
        check(c, a, b, !layout, m, n, k, "plain");
    }
    sg_weight_free(w);
    sg_free(a);
    sg_free(b);
    sg_free(c);
    sg_free(ea);
    sg_free(eb);
}

static void check_precision(sg_precision precision)
{
    sg_error err = {0};
    sg_mm *mm;
    if (sg_mm_create(&mm, 2, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < SG_ARRAY_LEN(shapes); i++)
        check_shape(mm, shapes[i].m, shapes[i].n, shapes[i].k, precision);
    sg_mm_free(mm);
}

static void test_f32(void **state)
{
    (void)state;
    check_precision(SG_PRECISION_F32);
}

static void test_bf16(void **state)
{
    (void)state;
    if (!sg_matmul_native_bf16()) {
        print_message("skip: this processor has no native bf16\n");
        skip();
    }
    check_precision(SG_PRECISION_BF16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
