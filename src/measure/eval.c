/* sg_eval_run: perplexity of a model, and of the model without some layers, in one pass. */
#include "measure/eval.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/stats.h"
#include "measure/divergence.h"
#include "measure/likelihood.h"

const sg_window_defaults sg_eval_windows = {.text = SG_EMBEDDED_EVAL, .window = 1024};

/* The public structs point to const; these own. */
static void free_entry(const sg_eval_entry *e)
{
    for (size_t i = 0; i < e->n_perplexity; i++)
        sg_free((char *)(uintptr_t)e->perplexity[i].source);
    sg_free((sg_perplexity *)(uintptr_t)e->perplexity);
    sg_free((int *)(uintptr_t)e->removed);
    sg_free((char *)(uintptr_t)e->path);
}

void sg_eval_free(sg_eval *eval)
{
    if (!eval)
        return;
    for (size_t i = 0; i < eval->n_entries; i++)
        free_entry(&eval->entries[i]);
    sg_free((sg_eval_entry *)(uintptr_t)eval->entries);
    sg_free(eval);
}

int sg_eval_append(sg_eval *a, sg_eval *b, sg_error *err)
{
    if (a->precision != b->precision)
        return sg_fail(err, SG_ERR_USAGE, "evaluations in %s and %s cannot stand in one table",
                       sg_precision_name(a->precision), sg_precision_name(b->precision));
    sg_eval_entry *all = sg_resize((sg_eval_entry *)(uintptr_t)a->entries, a->n_entries + b->n_entries, sizeof *all);
    if (!all)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu results", a->n_entries + b->n_entries);
    if (b->n_entries)
        memcpy(all + a->n_entries, b->entries, b->n_entries * sizeof *all);
    a->entries = all;
    a->n_entries += b->n_entries;
    a->seconds += b->seconds;
    a->scored += b->scored;
    b->n_entries = 0;
    return SG_OK;
}

sg_perplexity sg_perplexity_of(const sg_windows *w, const sg_text_windows *text, const double *nll, double *means)
{
    int predictions = w->window - (w->bos ? 0 : 1);
    double mean, low, high;
    for (int i = 0; i < text->n; i++)
        means[i] = nll[text->first + i] / predictions;
    sg_interval(means, (size_t)text->n, &mean, &low, &high);
    return (sg_perplexity){.source = sg_strdup(text->source),
                           .window = w->window,
                           .bos = w->bos,
                           .windows = text->n,
                           .tokens = (int64_t)text->n * predictions,
                           .ppl = exp(mean),
                           .ppl_low = exp(low),
                           .ppl_high = exp(high),
                           .kl = NAN,
                           .kl_p99 = NAN,
                           .top1 = NAN};
}

/* The entry's distance from the original, text by text. */
static int fill_divergence(sg_eval_entry *e, const sg_windows *w, const sg_divergence *d, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = 0; i < e->n_perplexity && !rc; i++) {
        sg_perplexity *p = (sg_perplexity *)(uintptr_t)&e->perplexity[i];
        sg_divergence_stats stats;
        if (!(rc = sg_divergence_of(d, 1, w->texts[i].first, w->texts[i].n, &stats, err))) {
            p->kl = stats.kl;
            p->kl_p99 = stats.kl_p99;
            p->top1 = stats.top1;
        }
    }
    return rc;
}

/* One subset's entry; its parts are zeroed first, so that sg_eval_free may follow any failure. */
static int fill_entry(sg_eval_entry *e, const sg_model *model, const int *removed, size_t n_removed,
                      const sg_windows *w, const double *nll, sg_error *err)
{
    sg_perplexity *list = sg_alloc_zero(w->n_texts, sizeof *list);
    int *copy = sg_alloc(n_removed, sizeof *copy);
    double *means = sg_alloc((size_t)w->n, sizeof *means);
    *e = (sg_eval_entry){.path = sg_strdup(model->info.path),
                         .removed = copy,
                         .n_removed = n_removed,
                         .perplexity = list,
                         .layers = model->spec.n_layers - (int)n_removed,
                         .parameters = model->info.parameters,
                         .bytes = model->info.bytes};
    bool ok = list && copy && means && e->path;
    for (size_t i = 0; ok && i < n_removed; i++) {
        copy[i] = removed[i];
        e->parameters -= model->layers[removed[i]].parameters;
        e->bytes -= model->layers[removed[i]].bytes;
    }
    for (size_t i = 0; ok && i < w->n_texts; i++) {
        list[i] = sg_perplexity_of(w, &w->texts[i], nll, means);
        e->n_perplexity = i + 1;
        ok = list[i].source != NULL;
    }
    sg_free(means);
    return ok ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the result of %s", model->info.path);
}

static int check_removed(const sg_model *model, const int *removed, size_t n, sg_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (removed[i] < 0 || removed[i] >= model->spec.n_layers || (i > 0 && removed[i] <= removed[i - 1]))
            return sg_fail(err, SG_ERR_USAGE, "layer %d is out of range, out of order or given twice", removed[i]);
    if (n >= (size_t)model->spec.n_layers)
        return sg_fail(err, SG_ERR_REFUSED, "%s: no layer would be left", model->info.path);
    return SG_OK;
}

int sg_eval_run(sg_eval **out, sg_model *model, const int *removed, size_t n_removed, const sg_run_opts *opts,
                sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    int L = model->spec.n_layers, S = n_removed ? 2 : 1;
    sg_windows w = {0};
    sg_likelihood lik = {0};
    sg_divergence div = {0};
    sg_pass_result result;
    sg_eval *eval = NULL;
    sg_eval_entry *entries = NULL;
    bool *keep = NULL;
    *out = NULL;
    opts = opts ? opts : &no_opts;
    int rc = check_removed(model, removed, n_removed, err);
    if (rc)
        return rc;
    eval = sg_alloc_zero(1, sizeof *eval);
    entries = sg_alloc_zero((size_t)S, sizeof *entries);
    keep = sg_alloc((size_t)S * (size_t)L, sizeof *keep);
    if (!eval || !entries || !keep) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory to evaluate %s", model->info.path);
        goto out;
    }
    eval->entries = entries;
    memset(keep, true, (size_t)S * (size_t)L);
    for (size_t i = 0; i < n_removed; i++)
        keep[L + removed[i]] = false;
    if ((rc = sg_windows_make(&w, model, opts, &sg_eval_windows, err)) ||
        (rc = sg_likelihood_init(&lik, w.windows, w.n, S, err)) ||
        (S > 1 && (rc = sg_divergence_init(&div, w.windows, w.n, S, err))))
        goto out;
    sg_observer observers[2] = {{.nll = sg_likelihood_nll, .self = &lik}};
    if (S > 1)
        observers[1] = sg_divergence_observer(&div);
    sg_pass pass = {.model = model,
                    .windows = w.windows,
                    .n_windows = w.n,
                    .keep = keep,
                    .n_subsets = S,
                    .reference = true,
                    .observers = observers,
                    .n_observers = S,
                    .precision = opts->precision,
                    .memory = sg_memory_left(opts->memory),
                    .threads = opts->threads,
                    .progress = opts->progress,
                    .stage = "evaluating"};
    if ((rc = sg_pass_run(&pass, &result, err)))
        goto out;
    for (int i = 0; i < S && !rc; i++, eval->n_entries++)
        rc = fill_entry(&entries[i], model, removed, i ? n_removed : 0, &w, lik.nll + (size_t)i * (size_t)w.n, err);
    if (!rc && S > 1)
        rc = fill_divergence(&entries[1], &w, &div, err);
    eval->precision = result.precision;
    eval->seconds = result.seconds;
    eval->scored = (int64_t)S * w.n * (w.window + (w.bos ? 1 : 0));
out:
    sg_windows_dispose(&w);
    sg_likelihood_dispose(&lik);
    sg_divergence_dispose(&div);
    sg_free(keep);
    if (!eval || !eval->entries)
        sg_free(entries);
    if (rc)
        sg_eval_free(eval);
    else
        *out = eval;
    return rc;
}
