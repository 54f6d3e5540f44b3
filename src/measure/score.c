/* sg_score_run: every layer's influence in one pass. */
#include "measure/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/strbuf.h"
#include "measure/similarity.h"

const sg_window_defaults sg_score_windows = {.text = SG_EMBEDDED_SCORE, .window = 512, .tokens = 16384};

/* What sg_score's pointers point to. */
typedef struct owned_score {
    sg_score score; /* first: an sg_score * is one of these */
    char *source;
    sg_layer_score *layers;
    int *order;
    sg_half_score *halves;
    double *similarity;
} owned_score;

int sg_windows_source(char **out, const sg_windows *w, sg_error *err)
{
    sg_strbuf b = {0};
    for (size_t i = 0; i < w->n_texts; i++) {
        sg_strbuf_puts(&b, i ? ", " : "");
        sg_strbuf_puts(&b, w->texts[i].source);
    }
    return sg_strbuf_finish(&b, out, err);
}

/* Lowest value first; ties, and layers without one, by the higher number. */
static int compare_scores(const void *a, const void *b)
{
    const sg_layer_score *x = a, *y = b;
    double p = isnan(x->value) ? (double)INFINITY : x->value, q = isnan(y->value) ? (double)INFINITY : y->value;
    return p != q ? (p < q ? -1 : 1) : y->index - x->index;
}

static int fill_order(owned_score *s, sg_error *err)
{
    size_t n = (size_t)s->score.n_layers;
    sg_layer_score *sorted = sg_alloc(n, sizeof *sorted);
    if (!sorted)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the order of %zu layers", n);
    memcpy(sorted, s->layers, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_scores);
    for (size_t i = 0; i < n; i++)
        s->order[i] = sorted[i].index;
    sg_free(sorted);
    return SG_OK;
}

static int fill(owned_score *s, const sg_influence *inf, const sg_windows *w, int n_layers, const sg_pass_result *pass,
                sg_error *err)
{
    int rc = SG_OK;
    double *means = sg_alloc((size_t)w->n, sizeof *means);
    s->layers = sg_alloc((size_t)n_layers, sizeof *s->layers);
    s->order = sg_alloc((size_t)n_layers, sizeof *s->order);
    if (!s->layers || !s->order || !means) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the scores of %d layers", n_layers);
        goto out;
    }
    if ((rc = sg_windows_source(&s->source, w, err)))
        goto out;
    for (int i = 0; i < n_layers; i++)
        s->layers[i] = sg_influence_score(inf, i, &s->score.skipped, means);

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
    r->method = sg_method_name(SG_METHOD_BI);
    r->chunks = pass->chunks;
    r->seconds = pass->seconds;
    r->tokens_per_second = pass->seconds > 0 ? (double)r->tokens / pass->seconds : 0;
    rc = fill_order(s, err);
out:
    sg_free(means);
    return rc;
}

int sg_score_new(sg_score **out, const sg_influence *inf, const sg_windows *w, int n_layers, const sg_pass_result *pass,
                 sg_error *err)
{
    owned_score *s = sg_alloc_zero(1, sizeof *s);
    int rc = s ? fill(s, inf, w, n_layers, pass, err)
               : sg_fail(err, SG_ERR_NOMEM, "no memory for the scores of %d layers", n_layers);
    if (rc)
        sg_score_free(s ? &s->score : NULL);
    else
        *out = &s->score;
    return rc;
}

int sg_score_set(sg_score *score, const char *method, const double *values, sg_error *err)
{
    owned_score *s = (owned_score *)score;
    for (int i = 0; i < score->n_layers; i++)
        s->layers[i].value = values[i];
    score->method = method;
    return fill_order(s, err);
}

/* As compare_scores; a unit has the higher number where it lies deeper. */
static int compare_halves(const void *a, const void *b)
{
    const sg_half_score *x = a, *y = b;
    int deeper = y->layer != x->layer ? y->layer - x->layer : y->ffn - x->ffn;
    return x->value != y->value ? (x->value < y->value ? -1 : 1) : deeper;
}

int sg_score_set_halves(sg_score *score, const char *method, const double *values, sg_error *err)
{
    owned_score *s = (owned_score *)score;
    s->halves = sg_alloc(2 * (size_t)score->n_layers, sizeof *s->halves);
    if (!s->halves)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the halves of %d layers", score->n_layers);
    for (int i = 0; i < 2 * score->n_layers; i++)
        if (!isnan(values[i]))
            s->halves[score->n_halves++] = (sg_half_score){i / 2, i % 2, values[i]};
    qsort(s->halves, (size_t)score->n_halves, sizeof *s->halves, compare_halves);
    score->halves = s->halves;
    score->method = method;
    return SG_OK;
}

int sg_score_set_similarity(sg_score *score, const sg_similarity *sim, sg_error *err)
{
    owned_score *s = (owned_score *)score;
    size_t n = (size_t)sim->L + 1;
    s->similarity = sg_alloc(n * n, sizeof *s->similarity);
    if (!s->similarity)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the similarity of %zu layer boundaries", n);
    sg_similarity_result(sim, s->similarity);
    s->score.similarity = s->similarity;
    s->score.similarity_positions = sim->n;
    return SG_OK;
}

int sg_score_run(sg_score **out, sg_model *model, const sg_run_opts *opts, sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    int L = model->spec.n_layers, rc;
    sg_windows w = {0};
    sg_influence inf = {0};
    sg_similarity sim = {0};
    sg_pass_result result;
    bool *keep = sg_alloc((size_t)L, sizeof *keep);
    opts = opts ? opts : &no_opts;
    *out = NULL;
    if (!keep)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", L);
    memset(keep, true, (size_t)L);
    if ((rc = sg_windows_make(&w, model, opts, &sg_score_windows, err)) ||
        (rc = sg_influence_init(&inf, w.windows, w.n, L, 0, err)))
        goto out;
    if (opts->similarity && (rc = sg_similarity_init(&sim, w.windows, w.n, L, model->spec.hidden, err)))
        goto out;
    sg_observer observers[] = {{.layer = sg_influence_layer, .self = &inf},
                               {.layer = sg_similarity_layer, .self = &sim}};
    sg_pass pass = {.model = model,
                    .windows = w.windows,
                    .n_windows = w.n,
                    .keep = keep,
                    .n_subsets = 1,
                    .observers = observers,
                    .n_observers = opts->similarity ? 2 : 1,
                    .precision = opts->precision,
                    .memory = sg_memory_left(opts->memory),
                    .threads = opts->threads,
                    .progress = opts->progress,
                    .stage = "scoring"};
    if (!(rc = sg_pass_run(&pass, &result, err)))
        rc = sg_score_new(out, &inf, &w, L, &result, err);
    if (!rc && opts->similarity && (rc = sg_score_set_similarity(*out, &sim, err))) {
        sg_score_free(*out);
        *out = NULL;
    }
out:
    sg_windows_dispose(&w);
    sg_influence_dispose(&inf);
    sg_similarity_dispose(&sim);
    sg_free(keep);
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
    sg_free(s->halves);
    sg_free(s->similarity);
    sg_free(s);
}
