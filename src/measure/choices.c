/* Log-probabilities of given tokens. */
#include "measure/choices.h"

#include <math.h>

#include "core/mem.h"

int sg_choices_init(sg_choices *c, const sg_probe *probes, size_t n, int n_windows, int n_subsets, sg_error *err)
{
    *c = (sg_choices){.probes = probes, .n = n};
    c->first = sg_alloc_zero((size_t)n_windows + 1, sizeof *c->first);
    c->scores = sg_alloc(n * (size_t)n_subsets, sizeof *c->scores);
    if (!c->first || !c->scores)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the likelihoods of %zu tokens", n);
    for (size_t i = 0; i < n * (size_t)n_subsets; i++)
        c->scores[i] = (sg_token_score){.max = -INFINITY, .logp = NAN};
    for (size_t i = 0; i < n; i++)
        c->first[probes[i].at.window + 1] = i + 1;
    for (int w = 1; w <= n_windows; w++) /* windows without a probe */
        if (c->first[w] < c->first[w - 1])
            c->first[w] = c->first[w - 1];
    return SG_OK;
}

void sg_choices_dispose(sg_choices *c)
{
    sg_free(c->first);
    sg_free(c->scores);
    *c = (sg_choices){0};
}

/* The row's probes: [*from, *to) */
static void find(const sg_choices *c, sg_position at, size_t *from, size_t *to)
{
    size_t low = c->first[at.window], high = c->first[at.window + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->probes[middle].at.pos < at.pos)
            low = middle + 1;
        else
            high = middle;
    }
    *from = *to = low;
    while (*to < c->first[at.window + 1] && c->probes[*to].at.pos == at.pos)
        ++*to;
}

/* The first of the largest. */
static int argmax(const float *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}

int sg_choices_logits(void *self, const sg_logits_event *event, sg_error *err)
{
    (void)err;
    sg_choices *c = self;
#pragma omp parallel for schedule(static)
    for (int r = 0; r < event->n; r++) {
        const float *logits = event->logits + (size_t)r * (size_t)event->nv;
        size_t from, to;
        find(c, event->at[r], &from, &to);
        if (from == to)
            continue;
        int best = argmax(logits, event->nv);
        for (int j = 0; j < event->n_subsets; j++)
            for (size_t i = from; i < to; i++) {
                sg_token_score *s = &c->scores[(size_t)event->subsets[j] * c->n + i];
                int32_t token = c->probes[i].token;
                if (logits[best] > s->max) {
                    s->max = logits[best];
                    s->best = event->v0 + best;
                }
                if (token >= event->v0 && token < event->v0 + event->nv)
                    s->logit = logits[token - event->v0];
            }
    }
    return SG_OK;
}

int sg_choices_nll(void *self, const sg_nll_event *event, sg_error *err)
{
    (void)err;
    sg_choices *c = self;
    for (int r = 0; r < event->n; r++) {
        size_t from, to;
        find(c, event->at[r], &from, &to);
        for (int j = 0; j < event->n_subsets; j++)
            for (size_t i = from; i < to; i++) {
                sg_token_score *s = &c->scores[(size_t)event->subsets[j] * c->n + i];
                s->logp = (double)s->logit - (double)event->sums[r].max - log(event->sums[r].sum);
            }
    }
    return SG_OK;
}
