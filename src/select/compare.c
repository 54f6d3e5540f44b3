/* sg_compare_run: what each method removes at each count, equal sets once, all of them evaluated together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "measure/entries.h"
#include "measure/eval.h"
#include "measure/likelihood.h"
#include "select/compare.h"

void sg_compare_free(sg_compare *compare)
{
    sg_comparison *w = (sg_comparison *)compare;
    if (!w)
        return;
    for (size_t i = 0; i < w->n_perplexity; i++)
        sg_free((char *)(uintptr_t)w->perplexity[i].source);
    for (size_t i = 0; w->points && i < w->n_points; i++)
        sg_free((int *)(uintptr_t)w->points[i].removed);
    sg_calibration_dispose(&w->calibration);
    sg_trial_dispose(&w->trial);
    sg_free(w->source);
    sg_free(w->methods);
    sg_free(w->points);
    sg_free(w->keep);
    sg_free(w->subset_of);
    sg_free(w->perplexity);
    sg_task_scores_free(w->tasks, w->n_tasks);
    sg_free(w->speeds);
    sg_free(w);
}

static int allocate(sg_comparison *w, const sg_method *methods, size_t n_methods, sg_error *err)
{
    w->n_points = n_methods * w->n_counts;
    w->methods = sg_alloc_zero(n_methods, sizeof *w->methods);
    w->points = sg_alloc_zero(w->n_points, sizeof *w->points);
    w->keep = sg_alloc(w->n_points * w->n_units, sizeof *w->keep);
    w->subset_of = sg_alloc(w->n_points, sizeof *w->subset_of);
    if (!w->methods || !w->points || !w->keep || !w->subset_of)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to compare %zu methods at %zu counts", n_methods, w->n_counts);
    for (size_t i = 0; i < n_methods; i++)
        w->methods[i] = (sg_compare_method){methods[i], w->points + i * w->n_counts, w->n_counts};
    w->compare.methods = w->methods;
    w->compare.n_methods = n_methods;
    w->compare.halves = w->choose->halves;
    return SG_OK;
}

/* ---- choosing ----------------------------------------------------------------------------------------- */

static int measure(sg_comparison *w, sg_error *err)
{
    unsigned needs = 0;
    const sg_run_opts *run = &w->choose->run;
    for (size_t i = 0; i < w->compare.n_methods; i++)
        needs |= sg_method_needs(w->methods[i].method);
    int rc = sg_calibration_open(&w->calibration, w->model, run, needs, err);
    if (!rc)
        rc = sg_calibration_read(&w->calibration, w->calibration.windows.n, err);
    if (rc || !(needs & SG_NEEDS_TRIALS))
        return rc;
    if ((rc = sg_trial_open(&w->trial, w->model, run, w->choose->trial_tokens, w->choose->halves, err)))
        return rc;
    w->compare.trial_tokens = (int64_t)w->trial.windows.n * w->trial.windows.window;
    return SG_OK;
}

static int fill_point(sg_comparison *w, sg_compare_point *p, const bool *gone, bool *keep, int n, sg_error *err)
{
    const sg_model *model = w->model;
    int *removed = sg_alloc((size_t)n, sizeof *removed), at = 0;
    if (!removed)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d units", n);
    *p = (sg_compare_point){.n = n, .removed = removed};
    for (size_t i = 0; i < w->n_units; i++) {
        keep[i] = !gone[i];
        if (gone[i])
            removed[at++] = (int)i;
    }
    if (w->choose->halves)
        return SG_OK;
    p->bytes = sg_bytes_without(model, gone);
    p->parameters = model->info.parameters;
    for (int i = 0; i < n; i++)
        p->parameters -= model->layers[removed[i]].parameters;
    return SG_OK;
}

static int choose_sets(sg_comparison *w, size_t method, sg_error *err)
{
    sg_chooser c;
    int most = w->counts[w->n_counts - 1];
    int rc = sg_chooser_init(&c, w->methods[method].method, w->choose, &w->calibration, &w->trial, most, err);
    for (size_t i = 0; i < w->n_counts && !rc; i++) {
        size_t at = method * w->n_counts + i;
        while (c.n < w->counts[i] && !rc)
            rc = sg_chooser_next(&c, err);
        if (!rc)
            rc = fill_point(w, &w->points[at], c.gone, w->keep + at * w->n_units, w->counts[i], err);
    }
    sg_chooser_dispose(&c);
    return rc;
}

/* ---- evaluating --------------------------------------------------------------------------------------- */

typedef struct row {
    const bool *keep;
    size_t n, point;
} row;

static int compare_rows(const void *a, const void *b)
{
    const row *x = a, *y = b;
    return memcmp(y->keep, x->keep, x->n * sizeof *x->keep); /* those that agree longest side by side: they share */
}

/* The different sets in w->keep's first rows, in an order that lets them share streams. */
static int unite(sg_comparison *w, sg_error *err)
{
    size_t n = w->n_units;
    row *rows = sg_alloc(w->n_points, sizeof *rows);
    bool *keep = sg_alloc(w->n_points * n, sizeof *keep);
    if (!rows || !keep) {
        sg_free(rows);
        sg_free(keep);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu sets", w->n_points);
    }
    for (size_t i = 0; i < w->n_points; i++)
        rows[i] = (row){w->keep + i * n, n, i};
    qsort(rows, w->n_points, sizeof *rows, compare_rows);
    for (size_t i = 0; i < w->n_points; i++) {
        if (i == 0 || memcmp(rows[i].keep, rows[i - 1].keep, n * sizeof *keep) != 0)
            memcpy(keep + (size_t)w->compare.subsets++ * n, rows[i].keep, n * sizeof *keep);
        w->subset_of[rows[i].point] = w->compare.subsets - 1;
    }
    sg_free(rows);
    sg_free(w->keep);
    w->keep = keep;
    return SG_OK;
}

static int fill_perplexities(sg_comparison *w, const sg_windows *windows, const sg_likelihood *lik, sg_error *err)
{
    size_t texts = windows->n_texts, subsets = (size_t)w->compare.subsets;
    double *means = sg_alloc((size_t)windows->n, sizeof *means);
    w->perplexity = sg_alloc_zero(subsets * texts, sizeof *w->perplexity);
    bool ok = means && w->perplexity;
    for (size_t i = 0; ok && i < subsets * texts; i++) {
        const double *nll = lik->nll + i / texts * (size_t)windows->n;
        w->perplexity[i] = sg_perplexity_of(windows, &windows->texts[i % texts], nll, means);
        w->n_perplexity = i + 1;
        ok = w->perplexity[i].source;
    }
    for (size_t i = 0; ok && i < w->n_points; i++) {
        w->points[i].perplexity = w->perplexity + (size_t)w->subset_of[i] * texts;
        w->points[i].n_perplexity = texts;
    }
    sg_free(means);
    return ok ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the results of %zu sets", subsets);
}

static int evaluate(sg_comparison *w, const sg_windows *windows, const sg_run_opts *opts, sg_error *err)
{
    sg_likelihood lik = {0};
    sg_pass_result result = {0};
    int rc = sg_likelihood_init(&lik, windows->windows, windows->n, w->compare.subsets, err);
    sg_observer observer = {.nll = sg_likelihood_nll, .self = &lik};
    sg_pass pass = {.model = w->model,
                    .windows = windows->windows,
                    .n_windows = windows->n,
                    .keep = w->keep,
                    .halves = w->choose->halves,
                    .n_subsets = w->compare.subsets,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = opts->precision,
                    .memory = sg_memory_left(opts->memory),
                    .threads = opts->threads,
                    .progress = opts->progress,
                    .stage = "evaluating"};
    if (!rc && !(rc = sg_pass_run(&pass, &result, err)))
        rc = fill_perplexities(w, windows, &lik, err);
    w->compare.precision = result.precision;
    w->compare.seconds = w->calibration.pass.seconds + w->trial.seconds + result.seconds;
    sg_likelihood_dispose(&lik);
    return rc;
}

/* ---- both --------------------------------------------------------------------------------------------- */

static int check(const sg_comparison *w, size_t n_methods, sg_error *err)
{
    if (!n_methods || !w->n_counts)
        return sg_fail(err, SG_ERR_USAGE, "comparing needs a method and a number of layers to remove");
    for (size_t i = 0; i < w->n_counts; i++) {
        if (w->counts[i] < 0 || (i && w->counts[i] <= w->counts[i - 1]))
            return sg_fail(err, SG_ERR_USAGE, "numbers of layers to remove: %d is negative or does not ascend",
                           w->counts[i]);
        if ((size_t)w->counts[i] >= w->n_units)
            return sg_fail(err, SG_ERR_REFUSED, "removing %d of %zu %s leaves none", w->counts[i], w->n_units,
                           w->choose->halves ? "halves" : "layers");
    }
    return SG_OK;
}

static int describe_calibration(sg_comparison *w, sg_error *err)
{
    const sg_windows *c = &w->calibration.windows;
    sg_compare *r = &w->compare;
    int rc = w->calibration.needs ? sg_windows_source(&w->source, c, err) : SG_OK;
    r->source = w->source;
    r->window = c->window;
    r->bos = c->bos;
    r->windows = w->calibration.read ? w->calibration.read : w->trial.windows.n;
    r->tokens = r->windows * r->window;
    return rc;
}

int sg_compare_run(sg_compare **out, sg_model *model, const sg_method *methods, size_t n_methods, const int *counts,
                   size_t n_counts, const sg_choose_opts *choose, const sg_run_opts *eval, sg_error *err)
{
    sg_windows windows = {0};
    sg_comparison *w = sg_alloc_zero(1, sizeof *w);
    *out = NULL;
    if (!w)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to compare methods");
    w->model = model;
    w->choose = choose;
    w->counts = counts;
    w->n_counts = n_counts;
    w->n_units = (size_t)model->spec.n_layers * (choose->halves ? 2 : 1);
    int rc;
    if ((rc = check(w, n_methods, err)) ||
        (rc = sg_check_allowed(choose, counts[n_counts - 1], (int)w->n_units, err)) ||
        (rc = allocate(w, methods, n_methods, err)) ||
        (rc = sg_windows_make(&windows, model, eval, &sg_eval_windows, err)) || (rc = measure(w, err)))
        goto out;
    for (size_t i = 0; i < n_methods && !rc; i++)
        rc = choose_sets(w, i, err);
    if (!rc && !(rc = unite(w, err)) && !(rc = describe_calibration(w, err)))
        rc = evaluate(w, &windows, eval, err);
out:
    sg_windows_dispose(&windows);
    if (rc)
        sg_compare_free(&w->compare);
    else
        *out = &w->compare;
    return rc;
}
