/* Trying sets of units without writing anything: how well a text is predicted without them. */
#ifndef SG_SELECT_TRIAL_H
#define SG_SELECT_TRIAL_H

#include "measure/windows.h"

typedef struct sg_trial {
    sg_model *model;
    const sg_run_opts *run;
    bool halves; /* units are halves of layers */
    sg_windows windows;
    const char *stage;      /* for progress */
    double seconds;         /* of all passes so far */
    sg_precision precision; /* of the last */
} sg_trial;

/* The first tokens (0: 4,096) of each text, in whole windows, at least one. */
int sg_trial_open(sg_trial *t, sg_model *model, const sg_run_opts *run, int64_t tokens, bool halves, sg_error *err);
void sg_trial_dispose(sg_trial *t);

/* keep: [n][units], no two alike. nll[i]: mean -log p of a prediction, in nats, by subset i. kl (NULL: not wanted):
 * mean KL(subset 0 || subset i), kl[0] is 0. One layer-major pass, in groups where memory is short. */
int sg_trial_run(sg_trial *t, const bool *keep, int n, double *nll, double *kl, sg_error *err);

/* Rounds of greedy removal. */
typedef struct sg_greedy {
    sg_trial *trial;
    int n_units;
    bool kl;                /* by divergence from the whole model, else by likelihood */
    const bool *candidates; /* [n_units]: those that may go */
    bool *gone;             /* [n_units], owned: went in earlier rounds */
} sg_greedy;

int sg_greedy_init(sg_greedy *g, sg_trial *trial, int n_units, const bool *candidates, bool kl, sg_error *err);
void sg_greedy_dispose(sg_greedy *g);
/* Removes the candidate whose absence costs least, of equals the one with the higher number: *unit, *value (nats per
 * prediction, or divergence), *nll without it. SG_ERR_REFUSED: no candidate is left. values (NULL ok): [n_units], of
 * all candidates, else NaN; base (NULL ok): nll of what there was before. */
int sg_greedy_round(sg_greedy *g, int *unit, double *value, double *nll, double *values, double *base, sg_error *err);

#endif
