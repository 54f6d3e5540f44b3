/* Divergences between next-token distributions. See divergence.h. Every row is reduced by one thread, so that results
 * do not depend on how many there are. */
#include "measure/divergence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

int sg_divergence_init(sg_divergence *d, const sg_window *windows, int n_windows, int n_subsets, sg_error *err)
{
    *d = (sg_divergence){.windows = windows, .n_windows = n_windows, .n_subsets = n_subsets};
    d->first = sg_alloc((size_t)n_windows, sizeof *d->first);
    for (int w = 0; d->first && w < n_windows; w++) {
        d->first[w] = (int)d->positions;
        d->positions += (size_t)windows[w].n;
        if (d->positions > INT32_MAX)
            return sg_fail(err, SG_ERR_USAGE, "divergence of more than %d positions; use --tokens", INT32_MAX);
    }
    size_t all = (size_t)n_subsets * d->positions, others = all - d->positions;
    d->gaps = sg_alloc(others, sizeof *d->gaps);
    d->kl = sg_alloc(others, sizeof *d->kl);
    d->tops = sg_alloc(all, sizeof *d->tops);
    d->log_sums = sg_alloc(d->positions, sizeof *d->log_sums);
    if (!d->first || !d->gaps || !d->kl || !d->tops || !d->log_sums)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the divergences of %zu positions", d->positions);
    /* All is written at once: what is in memory already, the pass's bound leaves out (sg_memory_left). */
    for (size_t i = 0; i < others; i++) {
        d->gaps[i] = (sg_row_gap){.max = -INFINITY};
        d->kl[i] = NAN; /* until it is known; a window's last position stays so */
    }
    for (size_t i = 0; i < all; i++)
        d->tops[i] = (sg_top){.logit = -INFINITY};
    for (size_t i = 0; i < d->positions; i++)
        d->log_sums[i] = NAN;
    return SG_OK;
}

void sg_divergence_dispose(sg_divergence *d)
{
    sg_free(d->first);
    sg_free(d->gaps);
    sg_free(d->kl);
    sg_free(d->tops);
    sg_free(d->log_sums);
    sg_free(d->block);
    *d = (sg_divergence){0};
}

static size_t place(const sg_divergence *d, sg_position at)
{
    return (size_t)d->first[at.window] + (size_t)at.pos;
}

/* The last token of a window has no successor. */
static bool predicts(const sg_divergence *d, sg_position at)
{
    return at.pos + 1 < d->windows[at.window].n;
}

static int keep_block(sg_divergence *d, const sg_logits_event *e, sg_error *err)
{
    size_t n = (size_t)e->n * (size_t)e->nv;
    if (n > d->block_capacity) {
        sg_free(d->block);
        d->block_capacity = 0;
        d->block = sg_alloc_aligned(n, sizeof *d->block);
        if (!d->block)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for a block of logits, %d x %d", e->n, e->nv);
        d->block_capacity = n;
    }
    memcpy(d->block, e->logits, n * sizeof *d->block);
    return SG_OK;
}

static void see_top(sg_top *top, const float *logits, int v0, int nv)
{
    int best = sg_row_argmax(logits, nv);
    if (v0 == 0 || logits[best] > top->logit)
        *top = (sg_top){logits[best], v0 + best};
}

static int see_logits(void *self, const sg_logits_event *e, sg_error *err)
{
    sg_divergence *d = self;
    int rc = e->subsets[0] == 0 ? keep_block(d, e, err) : SG_OK;
    if (rc)
        return rc;
    for (int s = 0; s < e->n_subsets; s++) {
        size_t subset = (size_t)e->subsets[s];
#pragma omp parallel for schedule(static)
        for (int i = 0; i < e->n; i++) {
            if (!predicts(d, e->at[i]))
                continue;
            size_t at = place(d, e->at[i]), row = (size_t)i * (size_t)e->nv;
            see_top(&d->tops[subset * d->positions + at], e->logits + row, e->v0, e->nv);
            if (subset == 0)
                continue;
            sg_row_gap *gap = &d->gaps[(subset - 1) * d->positions + at];
            if (e->v0 == 0)
                *gap = (sg_row_gap){.max = -INFINITY};
            sg_row_add_gap(d->block + row, e->logits + row, e->nv, gap);
        }
    }
    return SG_OK;
}

static int see_sums(void *self, const sg_nll_event *e, sg_error *err)
{
    sg_divergence *d = self;
    for (int s = 0; s < e->n_subsets; s++)
        for (int i = 0; i < e->n; i++) {
            if (!predicts(d, e->at[i]))
                continue;
            size_t subset = (size_t)e->subsets[s], at = place(d, e->at[i]);
            double log_sum = (double)e->sums[i].max + log(e->sums[i].sum);
            if (subset == 0) {
                d->log_sums[at] = log_sum;
                continue;
            }
            const sg_row_gap *gap = &d->gaps[(subset - 1) * d->positions + at];
            double kl = gap->cross / gap->sum - d->log_sums[at] + log_sum;
            if (!isfinite(kl))
                return sg_fail(err, SG_ERR_NUMERIC,
                               "the divergence is not finite in window %d, position %d: a logit is infinite",
                               e->at[i].window, e->at[i].pos);
            d->kl[(subset - 1) * d->positions + at] = fmax(0, kl); /* below 0 by rounding */
        }
    return SG_OK;
}

sg_observer sg_divergence_observer(sg_divergence *d)
{
    return (sg_observer){.logits = see_logits, .nll = see_sums, .self = d, .keeps_logits = true};
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int sg_divergence_of(const sg_divergence *d, int subset, int first, int n, sg_divergence_stats *out, sg_error *err)
{
    size_t begin = (size_t)d->first[first], end = first + n < d->n_windows ? (size_t)d->first[first + n] : d->positions;
    const double *kl = d->kl + (size_t)(subset - 1) * d->positions;
    const sg_top *mine = d->tops + (size_t)subset * d->positions;
    double *sorted = sg_alloc(end - begin, sizeof *sorted), sum = 0;
    int64_t same = 0;
    size_t count = 0;
    *out = (sg_divergence_stats){.kl = NAN, .kl_p99 = NAN, .top1 = NAN};
    if (!sorted)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the divergences of %zu positions", end - begin);
    for (size_t i = begin; i < end; i++)
        if (!isnan(kl[i])) {
            sorted[count++] = kl[i];
            sum += kl[i];
            same += mine[i].token == d->tops[i].token;
        }
    if (count) {
        qsort(sorted, count, sizeof *sorted, ascending);
        size_t rank = (count * 99 + 99) / 100; /* the least value that 99 % of all are not above */
        *out = (sg_divergence_stats){.kl = sum / (double)count,
                                     .kl_p99 = sorted[rank - 1],
                                     .top1 = (double)same / (double)count,
                                     .n = (int64_t)count};
    }
    sg_free(sorted);
    return SG_OK;
}
