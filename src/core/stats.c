/* Student's t, the interval of a mean, paired counts. */
#include "core/stats.h"

#include <math.h>

#define EXACT_DF 100 /* up to here the distribution's finite sum; behind it a series whose error is under 1e-9 */

/* P(|t| <= sqrt(df) tan theta), by the finite sums of Abramowitz and Stegun 26.7.3 (odd df) and 26.7.4 (even df). */
static double two_sided(double theta, int df)
{
    double s = sin(theta), c = cos(theta), term = df % 2 ? c : 1, sum = 0;
    for (int k = df % 2 ? 1 : 0; k <= df - 2; k += 2) { /* term: cos^k times its coefficient */
        sum += term;
        term *= c * c * (k + 1) / (k + 2);
    }
    return df % 2 ? 2 / M_PI * (theta + s * sum) : s * sum;
}

static double by_bisection(int df)
{
    double low = 0, high = M_PI / 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (two_sided(middle, df) < 0.95)
            low = middle;
        else
            high = middle;
    }
    return sqrt(df) * tan(low);
}

/* Cornish-Fisher expansion around the normal quantile, Abramowitz and Stegun 26.7.5. */
static double by_series(double df)
{
    const double z = 1.959963984540054235, z2 = z * z; /* the normal distribution's 0.975 quantile */
    double g1 = (z2 + 1) * z / 4;
    double g2 = ((5 * z2 + 16) * z2 + 3) * z / 96;
    double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
    double g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
    return z + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df;
}

double sg_student_t975(double df)
{
    if (!(df >= 1))
        return NAN;
    return df <= EXACT_DF && df == floor(df) ? by_bisection((int)df) : by_series(df);
}

bool sg_interval(const double *values, size_t n, double *mean, double *low, double *high)
{
    *mean = *low = *high = NAN;
    if (!n)
        return false;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    if (!isfinite(sum))
        return false;
    double m = sum / (double)n;
    *mean = m;
    if (n == 1)
        return true;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - m) * (values[i] - m);
    double half = sg_student_t975((double)n - 1) * sqrt(squares / ((double)n - 1) / (double)n);
    *low = m - half;
    *high = m + half;
    return true;
}

double sg_mcnemar(int64_t b, int64_t c)
{
    enum { EXACT = 10000 };
    int64_t n = b + c, low = b < c ? b : c;
    double p = 0;
    if (n == 0)
        return 1;
    if (n > EXACT) {
        double z = (fabs((double)(b - c)) - 1) / sqrt((double)n);
        return erfc((z > 0 ? z : 0) / sqrt(2));
    }
    for (int64_t k = 0; k <= low; k++) /* twice the smaller tail */
        p += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * log(2));
    return 2 * p < 1 ? 2 * p : 1;
}

double sg_standard_error(double sum, double squares, int64_t n)
{
    double mean = sum / (double)n, spread = squares - (double)n * mean * mean;
    if (n < 2)
        return NAN;
    return sqrt((spread > 0 ? spread : 0) / (double)(n - 1) / (double)n);
}
