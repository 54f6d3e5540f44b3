/* Mean and confidence interval of window means (design.md, "Intervals"). */
#ifndef SG_CORE_STATS_H
#define SG_CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>

/* Student's t: the value that a variable with df degrees of freedom stays below with probability 0.975; NaN for df < 1.
 */
double sg_student_t975(double df);

/* *mean of n values, and mean -+ t(0.975, n - 1) s / sqrt(n). n = 1: *low and *high are NaN.
 * false, all three NaN, when n is 0 or a value is not finite. The sums run in the order given. */
bool sg_interval(const double *values, size_t n, double *mean, double *low, double *high);

#endif
