/* sg_eval_run: perplexity of a model, and of the model without some layers, in one pass. */
#include "measure/eval.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/stats.h"
#include "measure/divergence.h"
#include "measure/entries.h"
#include "measure/likelihood.h"

const sg_window_defaults sg_eval_windows = {.text = SG_EMBEDDED_EVAL, .window = 1024};

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

/* One subset's entry. */
static int fill_entry(sg_eval_entry *e, const sg_windows *w, const double *nll, sg_error *err)
{
    sg_perplexity *list = sg_alloc_zero(w->n_texts, sizeof *list);
    double *means = sg_alloc((size_t)w->n, sizeof *means);
    bool ok = list && means;
    e->perplexity = list;
    for (size_t i = 0; ok && i < w->n_texts; i++) {
        list[i] = sg_perplexity_of(w, &w->texts[i], nll, means);
        e->n_perplexity = i + 1;
        ok = list[i].source != NULL;
    }
    sg_free(means);
    return ok ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the result of %s", e->path);
}

int sg_eval_run(sg_eval **out, sg_model *model, const int *removed, size_t n_removed, const sg_run_opts *opts,
                sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    int S = n_removed ? 2 : 1;
    sg_windows w = {0};
    sg_likelihood lik = {0};
    sg_divergence div = {0};
    sg_pass_result result;
    sg_eval *eval = NULL;
    bool *keep = NULL;
    *out = NULL;
    opts = opts ? opts : &no_opts;
    int rc = sg_eval_start(&eval, model, removed, n_removed, err);
    if (rc)
        return rc;
    if ((rc = sg_eval_keep(&keep, eval, model, err)) ||
        (rc = sg_windows_make(&w, model, opts, &sg_eval_windows, err)) ||
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
    for (int i = 0; i < S && !rc; i++)
        rc = fill_entry(&sg_eval_own(eval)[i], &w, lik.nll + (size_t)i * (size_t)w.n, err);
    if (!rc && S > 1)
        rc = fill_divergence(&sg_eval_own(eval)[1], &w, &div, err);
    eval->precision = result.precision;
    eval->seconds = result.seconds;
    eval->scored = (int64_t)S * w.n * (w.window + (w.bos ? 1 : 0));
out:
    sg_windows_dispose(&w);
    sg_likelihood_dispose(&lik);
    sg_divergence_dispose(&div);
    sg_free(keep);
    if (rc)
        sg_eval_free(eval);
    else
        *out = eval;
    return rc;
}
