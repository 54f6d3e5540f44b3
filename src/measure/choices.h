/* The choices observer: log-probabilities of given tokens at given rows of the pass, and whether each is the model's
 * first choice there. From these come the likelihoods of continuations. */
#ifndef SG_MEASURE_CHOICES_H
#define SG_MEASURE_CHOICES_H

#include "engine/pass.h"

typedef struct sg_probe {
    sg_position at; /* the row that predicts the token */
    int32_t token;
} sg_probe;

typedef struct sg_token_score {
    float logit, max; /* max: of the row, of the vocabulary so far while the pass runs */
    int32_t best;     /* the first token that has it */
    double logp;      /* natural */
} sg_token_score;

typedef struct sg_choices {
    const sg_probe *probes; /* sorted by window and position; several may have one row */
    size_t n, *first;       /* [n_windows + 1], owned: where each window's probes begin */
    sg_token_score *scores; /* [n_subsets][n], owned */
} sg_choices;

/* The observer's two functions are sg_choices_logits and sg_choices_nll. Every probe's row needs a target in the pass.
 */
int sg_choices_init(sg_choices *c, const sg_probe *probes, size_t n, int n_windows, int n_subsets, sg_error *err);
void sg_choices_dispose(sg_choices *c);
int sg_choices_logits(void *self, const sg_logits_event *event, sg_error *err);
int sg_choices_nll(void *self, const sg_nll_event *event, sg_error *err);

#endif
