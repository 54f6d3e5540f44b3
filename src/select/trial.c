/* Trials of subsets, and greedy rounds of them. */
#include "select/trial.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "measure/divergence.h"
#include "measure/likelihood.h"
#include "measure/score.h"

enum { TRIAL_TOKENS = 4096 };

int sg_trial_open(sg_trial *t, sg_model *model, const sg_run_opts *run, int64_t tokens, bool halves, sg_error *err)
{
    int window = run->window ? run->window : sg_score_windows.window;
    sg_run_opts opts = *run;
    tokens = tokens ? tokens : TRIAL_TOKENS;
    *t = (sg_trial){.model = model, .run = run, .halves = halves, .stage = "trying"};
    opts.tokens = tokens > window ? tokens : window;
    if (run->tokens && opts.tokens > run->tokens)
        opts.tokens = run->tokens;
    return sg_windows_make(&t->windows, model, &opts, &sg_score_windows, err);
}

void sg_trial_dispose(sg_trial *t)
{
    sg_windows_dispose(&t->windows);
}

/* Mean of the windows' sums over all predictions. */
static double mean_nll(const sg_windows *w, const double *sums)
{
    double sum = 0;
    int predictions = w->window - (w->bos ? 0 : 1);
    for (int i = 0; i < w->n; i++)
        sum += sums[i];
    return sum / ((double)predictions * w->n);
}

int sg_trial_run(sg_trial *t, const bool *keep, int n, double *nll, double *kl, sg_error *err)
{
    const sg_windows *w = &t->windows;
    sg_likelihood lik = {0};
    sg_divergence div = {0};
    sg_pass_result result;
    int rc = sg_likelihood_init(&lik, w->windows, w->n, n, err);
    if (!rc && kl)
        rc = sg_divergence_init(&div, w->windows, w->n, n, err);
    if (rc)
        goto out;
    sg_observer observers[2] = {{.nll = sg_likelihood_nll, .self = &lik}};
    if (kl)
        observers[1] = sg_divergence_observer(&div);
    sg_pass pass = {.model = t->model,
                    .windows = w->windows,
                    .n_windows = w->n,
                    .keep = keep,
                    .halves = t->halves,
                    .n_subsets = n,
                    .reference = kl,
                    .observers = observers,
                    .n_observers = kl ? 2 : 1,
                    .precision = t->run->precision,
                    .memory = sg_memory_left(t->run->memory),
                    .threads = t->run->threads,
                    .progress = t->run->progress,
                    .stage = t->stage};
    if ((rc = sg_pass_run(&pass, &result, err)))
        goto out;
    t->seconds += result.seconds;
    t->precision = result.precision;
    for (int i = 0; i < n; i++)
        nll[i] = mean_nll(w, lik.nll + (size_t)i * (size_t)w->n);
    for (int i = 0; kl && i < n && !rc; i++) {
        sg_divergence_stats stats = {0};
        rc = i ? sg_divergence_of(&div, i, 0, w->n, &stats, err) : SG_OK;
        kl[i] = stats.kl;
    }
out:
    sg_likelihood_dispose(&lik);
    sg_divergence_dispose(&div);
    return rc;
}

/* ---- greedy ------------------------------------------------------------------------------------------- */

int sg_greedy_init(sg_greedy *g, sg_trial *trial, int n_units, const bool *candidates, bool kl, sg_error *err)
{
    *g = (sg_greedy){.trial = trial, .n_units = n_units, .kl = kl, .candidates = candidates};
    g->gone = sg_alloc_zero((size_t)n_units, sizeof *g->gone);
    return g->gone ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for %d units", n_units);
}

void sg_greedy_dispose(sg_greedy *g)
{
    sg_free(g->gone);
}

/* A row for each candidate: what is left without it. who: [n_units], the rows' candidates. In front, wanted by `extra`:
 * for kl the whole model, else what there is now. Returns the rows. */
static int write_subsets(const sg_greedy *g, bool extra, bool *keep, int *who)
{
    size_t n = (size_t)g->n_units;
    int rows = 0;
    if (extra) {
        for (size_t i = 0; i < n; i++)
            keep[i] = g->kl || !g->gone[i];
        who[rows++] = -1;
    }
    for (int u = 0; u < g->n_units; u++) {
        if (g->gone[u] || !g->candidates[u])
            continue;
        bool *row = keep + (size_t)rows * n;
        for (size_t i = 0; i < n; i++)
            row[i] = !g->gone[i];
        row[u] = false;
        who[rows++] = u;
    }
    return rows;
}

int sg_greedy_round(sg_greedy *g, int *unit, double *value, double *nll, double *values, double *base, sg_error *err)
{
    size_t n = (size_t)g->n_units;
    bool extra = g->kl || base;
    bool *keep = sg_alloc((n + 1) * n, sizeof *keep);
    int *who = sg_alloc(n + 1, sizeof *who), rc = SG_OK;
    double *costs = sg_alloc(n + 1, sizeof *costs), *kl = sg_alloc(n + 1, sizeof *kl);
    if (!keep || !who || !costs || !kl) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory to try %zu units", n);
        goto out;
    }
    int rows = write_subsets(g, extra, keep, who), best = -1;
    if (rows == extra)
        rc = sg_fail(err, SG_ERR_REFUSED, "greedy: no candidate is left to remove");
    if (!rc)
        rc = sg_trial_run(g->trial, keep, rows, costs, g->kl ? kl : NULL, err);
    if (rc)
        goto out;
    const double *by = g->kl ? kl : costs;
    for (size_t i = 0; values && i < n; i++)
        values[i] = NAN;
    for (int i = extra; i < rows; i++) {
        if (values)
            values[who[i]] = by[i];
        best = best < 0 || by[i] <= by[best] ? i : best;
    }
    if (base)
        *base = costs[0];
    *unit = who[best];
    *value = by[best];
    *nll = costs[best];
    g->gone[*unit] = true;
out:
    sg_free(keep);
    sg_free(who);
    sg_free(costs);
    sg_free(kl);
    return rc;
}
