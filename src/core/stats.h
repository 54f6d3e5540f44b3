/* Mean and confidence interval of window means (design.md, "Intervals"). */
#ifndef SG_CORE_STATS_H
#define SG_CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Student's t: the value that a variable with df degrees of freedom stays below with probability 0.975; NaN for df < 1.
 */
double sg_student_t975(double df);

/* *mean of n values, and mean -+ t(0.975, n - 1) s / sqrt(n). n = 1: *low and *high are NaN.
 * false, all three NaN, when n is 0 or a value is not finite. The sums run in the order given. */
bool sg_interval(const double *values, size_t n, double *mean, double *low, double *high);

/* Exact two-sided p of McNemar's test, for b and c discordant pairs: the binomial of b in b + c at one half, and from
 * 10,000 pairs on the chi-squared with continuity correction, which then agrees to four digits. No pairs: 1. */
double sg_mcnemar(int64_t b, int64_t c);
/* sum, squares: of n values. The standard error of their mean, s / sqrt(n); NaN for n < 2. */
double sg_standard_error(double sum, double squares, int64_t n);

#endif
