/* Quantiles against published values (computed with mpmath to 30 digits: bisection on the regularised incomplete beta). */
#include "sg_test.h"

#include <math.h>

#include "core/error.h"
#include "core/stats.h"

static void test_quantiles(void **state)
{
    (void)state;
    static const struct { double df, t; } known[] = {
        {1, 12.70620473617}, {2, 4.302652729749}, {3, 3.182446305284}, {4, 2.776445105198},
        {5, 2.570581835636}, {7, 2.364624251593}, {10, 2.228138851986}, {15, 2.13144954556},
        {31, 2.039513446396}, {30, 2.042272456301}, {60, 2.000297822014}, {99, 1.984216951586},
        {100, 1.983971518524}, {101, 1.983731002956}, {127, 1.978819534703}, {500, 1.964719837467},
        {1000, 1.962339080826}, {10000, 1.960201239891}, {1000000, 1.959966356814},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(known); i++)
        if (!(fabs(sg_student_t975(known[i].df) - known[i].t) < 1e-7))
            fail_msg("df %g: got %.12f, not %.12f", known[i].df, sg_student_t975(known[i].df), known[i].t);
    assert_true(isnan(sg_student_t975(0)));
    assert_true(isnan(sg_student_t975(NAN)));
}

static void test_intervals(void **state)
{
    (void)state;
    double mean, low, high;
    const double five[] = {1, 2, 3, 4, 5}; /* s = sqrt(2.5), t(0.975, 4) = 2.7764451, half = t s / sqrt 5 = 1.9632432 */
    assert_true(sg_interval(five, 5, &mean, &low, &high));
    assert_true(fabs(mean - 3) < 1e-12 && fabs(low - 1.0367568) < 1e-6 && fabs(high - 4.9632432) < 1e-6);

    const double same[] = {0.25, 0.25, 0.25};
    assert_true(sg_interval(same, 3, &mean, &low, &high));
    assert_true(mean == 0.25 && low == 0.25 && high == 0.25);

    assert_true(sg_interval(five, 1, &mean, &low, &high));
    assert_true(mean == 1 && isnan(low) && isnan(high));

    const double bad[] = {1, NAN, 2}, huge[] = {1, INFINITY};
    assert_false(sg_interval(bad, 3, &mean, &low, &high));
    assert_false(sg_interval(huge, 2, &mean, &low, &high));
    assert_false(sg_interval(five, 0, &mean, &low, &high));
    assert_true(isnan(mean) && isnan(low) && isnan(high));
}

/* Exact binomials (Python's integers: min(1, 2 sum C(n, k) / 2^n)), and the last by the normal tail. */
static void test_mcnemar(void **state)
{
    (void)state;
    static const struct { int64_t b, c; double p; } known[] = {
        {0, 0, 1}, {0, 1, 1}, {3, 9, 0.14599609375}, {9, 3, 0.14599609375}, {10, 10, 1}, {1, 12, 0.00341796875},
        {40, 70, 0.005447429511444482}, {300, 250, 0.036578745549102704}, {0, 60, 1.734723475976807e-18},
        {5100, 4900, 0.04658552770494739}, {6000, 5800, 0.06695529843698618},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(known); i++) {
        double p = sg_mcnemar(known[i].b, known[i].c), bound = i + 1 == SG_ARRAY_LEN(known) ? 1e-4 : 1e-9;
        if (!(fabs(p - known[i].p) <= bound * known[i].p))
            fail_msg("%d, %d: got %.15g, not %.15g", (int)known[i].b, (int)known[i].c, p, known[i].p);
    }
}

static void test_standard_errors(void **state)
{
    (void)state;
    assert_true(fabs(sg_standard_error(9, 9, 10) - 0.1) < 1e-12);
    assert_true(fabs(sg_standard_error(15, 55, 5) - sqrt(0.5)) < 1e-12); /* 1 to 5: s^2 = 2.5 */
    assert_true(sg_standard_error(4, 4, 4) == 0);
    assert_true(isnan(sg_standard_error(1, 1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_mcnemar),
        cmocka_unit_test(test_standard_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
