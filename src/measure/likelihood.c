/* Likelihoods summed by window. */
#include "measure/likelihood.h"

#include <math.h>

#include "core/mem.h"

int sg_likelihood_init(sg_likelihood *lik, const sg_window *windows, int n_windows, int n_subsets, sg_error *err)
{
    *lik = (sg_likelihood){.windows = windows, .n_windows = n_windows};
    lik->nll = sg_alloc_zero((size_t)n_subsets * (size_t)n_windows, sizeof *lik->nll);
    return lik->nll ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the likelihoods of %d windows", n_windows);
}

void sg_likelihood_dispose(sg_likelihood *lik)
{
    sg_free(lik->nll);
    *lik = (sg_likelihood){0};
}

int sg_likelihood_nll(void *self, const sg_nll_event *event, sg_error *err)
{
    (void)err;
    sg_likelihood *lik = self;
    for (int i = 0; i < event->n; i++) {
        sg_position at = event->at[i];
        const sg_logit_sums *s = &event->sums[i];
        for (int j = 0; at.pos == 0 && j < event->n_subsets; j++) /* a reference subset is seen again */
            lik->nll[(size_t)event->subsets[j] * (size_t)lik->n_windows + (size_t)at.window] = 0;
        if (at.pos + 1 >= lik->windows[at.window].n)
            continue;
        double nll = (double)s->max + log(s->sum) - (double)s->target;
        for (int j = 0; j < event->n_subsets; j++)
            lik->nll[(size_t)event->subsets[j] * (size_t)lik->n_windows + (size_t)at.window] += nll;
    }
    return SG_OK;
}
