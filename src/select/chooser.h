/* A method at work: the sets of 1, 2, 3 ... units that it removes. */
#ifndef SG_SELECT_CHOOSER_H
#define SG_SELECT_CHOOSER_H

#include "select/calibrate.h"
#include "select/trial.h"

/* SG_NEEDS_... of the method */
unsigned sg_method_needs(sg_method method);

typedef struct sg_chooser {
    sg_model *model;
    sg_method method;
    const sg_calibration *calibration; /* read */
    int n_units, most;                 /* that there are; that can go */
    const bool *allowed;
    bool *candidates; /* [n_units] of greedy methods */
    int *order;       /* [most] of one-shot methods */
    double *values;   /* [n_units], what `order` goes by */
    sg_greedy greedy;
    int n;                 /* units that are gone */
    bool *gone;            /* [n_units] */
    sg_choice_step *steps; /* [n]; [n_units] allocated */
} sg_chooser;

/* calibration: what the method needs, read; trial: of greedy methods, else NULL. Both outlive it, as does
 * opts->allowed. wanted: how many are to go at least (for bi-greedy's candidates). */
int sg_chooser_init(sg_chooser *c, sg_method method, const sg_choose_opts *opts, const sg_calibration *calibration,
                    sg_trial *trial, int wanted, sg_error *err);
void sg_chooser_dispose(sg_chooser *c);
/* One unit more: n, gone and steps. SG_ERR_REFUSED: no more can go. */
int sg_chooser_next(sg_chooser *c, sg_error *err);

/* The first of the n layers in a row, all allowed, that turn the stream least, and the angle; -1: there are none.
 * times as in sg_unit_values. */
int sg_best_block(const sg_calibration *c, bool all, int n, const bool *allowed, const int *times, double *value);

/* Tensor data that is left; gone: [layers]. */
uint64_t sg_bytes_without(const sg_model *model, const bool *gone);
/* SG_ERR_REFUSED, with a reason, when `wanted` of the units are more than may go. */
int sg_check_allowed(const sg_choose_opts *opts, int wanted, int units, sg_error *err);

#endif
