/* sg_score_run: every layer's influence in one pass. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/strbuf.h"
#include "measure/influence.h"
#include "measure/windows.h"

/* What sg_score's pointers point to. */
typedef struct owned_score {
    sg_score score; /* first: an sg_score * is one of these */
    char *source;
    sg_layer_score *layers;
    int *order;
} owned_score;

static int join_sources(char **out, const sg_windows *w, sg_error *err)
{
    sg_strbuf b = {0};
    for (size_t i = 0; i < w->n_texts; i++) {
        sg_strbuf_puts(&b, i ? ", " : "");
        sg_strbuf_puts(&b, w->texts[i].source);
    }
    return sg_strbuf_finish(&b, out, err);
}

/* Lowest influence first; ties, and layers without one, by the higher number. */
static int compare_scores(const void *a, const void *b)
{
    const sg_layer_score *x = a, *y = b;
    double p = isnan(x->bi) ? (double)INFINITY : x->bi, q = isnan(y->bi) ? (double)INFINITY : y->bi;
    return p != q ? (p < q ? -1 : 1) : y->index - x->index;
}

static int fill(owned_score *s, const sg_influence *inf, const sg_windows *w, int n_layers, const sg_pass_result *pass,
                sg_error *err)
{
    int rc = SG_OK;
    sg_layer_score *sorted = sg_alloc((size_t)n_layers, sizeof *sorted);
    double *means = sg_alloc((size_t)w->n, sizeof *means);
    s->layers = sg_alloc((size_t)n_layers, sizeof *s->layers);
    s->order = sg_alloc((size_t)n_layers, sizeof *s->order);
    if (!s->layers || !s->order || !sorted || !means) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the scores of %d layers", n_layers);
        goto out;
    }
    if ((rc = join_sources(&s->source, w, err)))
        goto out;
    for (int i = 0; i < n_layers; i++)
        s->layers[i] = sg_influence_score(inf, i, &s->score.skipped, means);
    memcpy(sorted, s->layers, (size_t)n_layers * sizeof *sorted);
    qsort(sorted, (size_t)n_layers, sizeof *sorted, compare_scores);
    for (int i = 0; i < n_layers; i++)
        s->order[i] = sorted[i].index;

    sg_score *r = &s->score;
    r->source = s->source;
    r->windows = w->n;
    r->window = w->window;
    r->tokens = (int64_t)w->n * w->window;
    r->bos = w->bos;
    r->precision = pass->precision;
    r->n_layers = n_layers;
    r->layers = s->layers;
    r->order = s->order;
    r->chunks = pass->chunks;
    r->seconds = pass->seconds;
    r->tokens_per_second = pass->seconds > 0 ? (double)r->tokens / pass->seconds : 0;
out:
    sg_free(sorted);
    sg_free(means);
    return rc;
}

int sg_score_run(sg_score **out, sg_model *model, const sg_run_opts *opts, sg_error *err)
{
    static const sg_window_defaults defaults = {.text = SG_EMBEDDED_SCORE, .window = 512, .tokens = 16384};
    static const sg_run_opts no_opts = {0};
    int L = model->spec.n_layers, rc;
    sg_windows w = {0};
    sg_influence inf = {0};
    sg_pass_result result;
    owned_score *s = sg_alloc_zero(1, sizeof *s);
    bool *keep = sg_alloc((size_t)L, sizeof *keep);
    opts = opts ? opts : &no_opts;
    *out = NULL;
    if (!s || !keep) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", L);
        goto out;
    }
    memset(keep, true, (size_t)L);
    if ((rc = sg_windows_make(&w, model, opts, &defaults, err)) ||
        (rc = sg_influence_init(&inf, w.windows, w.n, L, 0, err)))
        goto out;
    sg_observer observer = {.layer = sg_influence_layer, .self = &inf};
    sg_pass pass = {.model = model,
                    .windows = w.windows,
                    .n_windows = w.n,
                    .keep = keep,
                    .n_subsets = 1,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = opts->precision,
                    .memory = sg_memory_left(opts->memory),
                    .threads = opts->threads,
                    .progress = opts->progress,
                    .stage = "scoring"};
    if ((rc = sg_pass_run(&pass, &result, err)) || (rc = fill(s, &inf, &w, L, &result, err)))
        goto out;
    *out = &s->score;
    s = NULL; /* now the caller's */
out:
    sg_windows_dispose(&w);
    sg_influence_dispose(&inf);
    sg_free(keep);
    sg_score_free(s ? &s->score : NULL);
    return rc;
}

void sg_score_free(sg_score *score)
{
    owned_score *s = (owned_score *)score;
    if (!s)
        return;
    sg_free(s->source);
    sg_free(s->layers);
    sg_free(s->order);
    sg_free(s);
}
