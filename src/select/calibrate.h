/* The calibration text as methods measure it: one pass for all that they need, or several over more and more of it. */
#ifndef SG_SELECT_CALIBRATE_H
#define SG_SELECT_CALIBRATE_H

#include "measure/angular.h"
#include "measure/score.h"

enum { SG_NEEDS_INFLUENCE = 1, SG_NEEDS_LAST_ANGLES = 2, SG_NEEDS_ALL_ANGLES = 4, SG_NEEDS_TRIALS = 8 };

typedef struct sg_calibration {
    sg_model *model;
    const sg_run_opts *run;
    unsigned needs;
    sg_windows windows;
    int read; /* the first windows, that were measured */
    sg_influence influence;
    sg_similarity similarity; /* where run asks for it */
    sg_angular last, all;     /* the last token of a window; all of them */
    sg_pass_result pass;      /* seconds and chunks summed */
} sg_calibration;

/* Cuts the text. Nothing is measured. */
int sg_calibration_open(sg_calibration *c, sg_model *model, const sg_run_opts *run, unsigned needs, sg_error *err);
/* Measures on until `windows` are read. */
int sg_calibration_read(sg_calibration *c, int windows, sg_error *err);
void sg_calibration_dispose(sg_calibration *c);

/* Sets what the method orders units by, from the windows that were read: window w counts times[w] times (NULL: once).
 * values: [units], NaN: not measured. Not for greedy methods. */
void sg_unit_values(const sg_calibration *c, sg_method method, bool halves, uint64_t seed, const int *times,
                    double *values);
/* The mean angle over a block of n layers from first on. */
double sg_block_angle(const sg_calibration *c, bool all, int first, int n, const int *times);

/* n units, lowest value first, ties: higher number first; without those that are not allowed (NULL: all are) or NaN.
 * Returns how many. */
int sg_rank(const double *values, int n, const bool *allowed, int *order);

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t sg_random(uint64_t *state);
/* Uniform below n */
int sg_random_below(uint64_t *state, int n);

#endif
