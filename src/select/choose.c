/* sg_choose: a method's sets, one unit after the other, until the one that was asked for. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/strbuf.h"
#include "select/chooser.h"
#include "select/plan.h"
#include "select/speed.h"
#include "select/stable.h"

enum { FIRST_WINDOWS = 8, AHEAD = 8 };

/* What sg_choice's pointers point to, and what is needed on the way. */
typedef struct work {
    sg_choice choice; /* first: an sg_choice * is one of these */
    sg_model *model;
    const sg_choose_opts *opts;
    unsigned needs;
    sg_calibration calibration;
    sg_trial trial;
    sg_chooser chooser;
    double *layer_seconds; /* [n_layers + 1], of a bound on speed */
    int64_t timed_tokens;
    bool *sets; /* [units][units]: what is gone after 1, 2 ... steps */
    int *removed;
    char *why, *source;
    sg_score *score;
} work;

void sg_choice_free(sg_choice *choice)
{
    work *w = (work *)choice;
    if (!w)
        return;
    sg_chooser_dispose(&w->chooser);
    sg_calibration_dispose(&w->calibration);
    sg_trial_dispose(&w->trial);
    sg_free(w->layer_seconds);
    sg_free(w->sets);
    sg_free(w->removed);
    sg_free(w->why);
    sg_free(w->source);
    sg_score_free(w->score);
    sg_free(w);
}

/* ---- options ------------------------------------------------------------------------------------------ */

static bool one_shot(const work *w)
{
    return w->needs && !(w->needs & SG_NEEDS_TRIALS);
}

int sg_check_allowed(const sg_choose_opts *o, int wanted, int units, sg_error *err)
{
    int may = 0, kept = -1;
    for (int i = 0; i < units; i++) {
        may += !o->allowed || o->allowed[i];
        kept = kept < 0 && o->allowed && !o->allowed[i] ? i : kept;
    }
    if (kept < 0 || !o->why || wanted <= may)
        return SG_OK;
    return sg_fail(err, SG_ERR_REFUSED, "%d %s to go, but only %d of %d can; layer %d: %s", wanted,
                   wanted == 1 ? "is" : "are", may, units, kept, o->why[kept]);
}

static int check(const work *w, sg_error *err)
{
    const sg_choose_opts *o = w->opts;
    int ways = (o->remove != 0) + (o->max_ppl_increase != 0) + (o->target_bytes != 0) + (o->target_speedup != 0);
    int units = w->model->spec.n_layers * (o->halves ? 2 : 1);
    if (ways != 1)
        return sg_fail(err, SG_ERR_USAGE, "how far to go is said %d times, expected once", ways);
    if (o->remove < 0 || !(o->max_ppl_increase >= 0) || (o->target_speedup != 0 && !(o->target_speedup > 1)))
        return sg_fail(err, SG_ERR_USAGE, "how far to go: a number is out of range");
    if (o->remove >= units)
        return sg_fail(err, SG_ERR_REFUSED, "removing %d of %d %s leaves none", o->remove, units,
                       o->halves ? "halves" : "layers");
    if (o->halves && !o->remove)
        return sg_fail(err, SG_ERR_USAGE,
                       "of halves a number is removed; size, speed and perplexity bounds are for "
                       "whole layers");
    if (o->until_stable && (!o->remove || !one_shot(w)))
        return sg_fail(err, SG_ERR_USAGE,
                       "reading until the choice is stable needs a number of layers and a method that scores layers "
                       "window by window: bi, relative-magnitude, angular or angular-all");
    return sg_check_allowed(o, o->remove ? o->remove : 1, units, err);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

/* More and more windows, half as many again each time, until the choice no longer changes. */
static int read_until_stable(work *w, sg_error *err)
{
    sg_calibration *c = &w->calibration;
    int rc = SG_OK, n = FIRST_WINDOWS;
    while (!rc && !w->choice.stable) {
        n = n < c->windows.n ? n : c->windows.n;
        if (!(rc = sg_calibration_read(c, n, err)))
            rc = sg_choice_stable(c, w->opts, w->opts->remove, &w->choice.stable, err);
        if (n == c->windows.n)
            break;
        n += n / 2;
    }
    return rc;
}

static int read_text(work *w, sg_error *err)
{
    const sg_choose_opts *o = w->opts;
    sg_run_opts run = o->run;
    bool bounded = o->max_ppl_increase > 0;
    if (o->until_stable && !run.tokens)
        run.tokens = INT64_MAX / 2;
    int rc = sg_calibration_open(&w->calibration, w->model, &run, w->needs, err);
    w->calibration.run = &o->run;
    if (rc)
        return rc;
    rc = o->until_stable ? read_until_stable(w, err)
                         : sg_calibration_read(&w->calibration, w->calibration.windows.n, err);
    int64_t tokens = w->needs & SG_NEEDS_TRIALS ? o->trial_tokens
                                                : (int64_t)w->calibration.windows.n * w->calibration.windows.window;
    if (!rc && (w->needs & SG_NEEDS_TRIALS || bounded))
        rc = sg_trial_open(&w->trial, w->model, &o->run, tokens, o->halves, err);
    if (!rc && o->target_speedup > 0) {
        w->layer_seconds = sg_alloc((size_t)w->model->spec.n_layers + 1, sizeof *w->layer_seconds);
        rc = w->layer_seconds ? sg_measure_layers(w->model, &w->calibration.windows, &o->run, w->layer_seconds,
                                                  &w->timed_tokens, err)
                              : sg_fail(err, SG_ERR_NOMEM, "no memory for layer times");
    }
    return rc;
}

/* ---- steps -------------------------------------------------------------------------------------------- */

static sg_choice_step *step(const work *w, int n)
{
    return &w->chooser.steps[n - 1];
}

/* Of the forward pass without the layers that are gone. */
static double speedup(const work *w, const bool *gone)
{
    double all = 0, left = 0;
    if (!w->layer_seconds)
        return NAN;
    for (int i = 0; i <= w->model->spec.n_layers; i++) {
        all += w->layer_seconds[i];
        left += i < w->model->spec.n_layers && gone[i] ? 0 : w->layer_seconds[i];
    }
    return all / left;
}

static int next(work *w, sg_error *err)
{
    sg_chooser *c = &w->chooser;
    int rc = sg_chooser_next(c, err);
    if (rc)
        return rc;
    memcpy(w->sets + (size_t)(c->n - 1) * (size_t)c->n_units, c->gone, (size_t)c->n_units * sizeof *c->gone);
    if (!w->opts->halves)
        step(w, c->n)->speedup = speedup(w, c->gone);
    return SG_OK;
}

/* Perplexity of the whole model (n 0) and of the sets n .. n + count - 1, in one pass. */
static int try_sets(work *w, int n, int count, sg_error *err)
{
    size_t units = (size_t)w->chooser.n_units;
    bool *keep = sg_alloc((size_t)(count + 1) * units, sizeof *keep);
    double *nll = sg_alloc((size_t)count + 1, sizeof *nll);
    int rc = keep && nll ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory to try %d sets", count);
    for (size_t i = 0; !rc && i < (size_t)count * units; i++)
        keep[i] = !w->sets[(size_t)(n - 1) * units + i];
    if (!rc)
        memset(keep + (size_t)count * units, true, units * sizeof *keep);
    if (!rc && !(rc = sg_trial_run(&w->trial, keep, count + 1, nll, NULL, err))) {
        for (int i = 0; i < count; i++)
            step(w, n + i)->ppl = exp(nll[i]);
        w->choice.base_ppl = exp(nll[count]);
    }
    sg_free(keep);
    sg_free(nll);
    return rc;
}

/* The step's perplexity, of one-shot methods together with those of the next few. */
static int know_ppl(work *w, int n, int most, sg_error *err)
{
    int rc = SG_OK;
    if (w->needs & SG_NEEDS_TRIALS) /* the round has measured it */
        return isnan(w->choice.base_ppl) ? try_sets(w, n, 1, err) : SG_OK;
    if (!isnan(step(w, n)->ppl))
        return SG_OK;
    int last = n + AHEAD - 1 < most ? n + AHEAD - 1 : most;
    while (w->chooser.n < last && !rc)
        rc = next(w, err);
    return rc ? rc : try_sets(w, n, last - n + 1, err);
}

/* Does the choice end at n units? *take: how many then. */
static bool reached(const work *w, int n, int *take)
{
    const sg_choose_opts *o = w->opts;
    const sg_choice_step *s = step(w, n);
    *take = n;
    if (o->max_ppl_increase > 0) {
        *take = n - 1;
        return !(s->ppl <= w->choice.base_ppl * (1 + o->max_ppl_increase));
    }
    return o->remove ? n == o->remove : o->target_bytes ? s->bytes <= o->target_bytes : s->speedup >= o->target_speedup;
}

static int fail_unreached(const work *w, sg_error *err)
{
    const sg_choose_opts *o = w->opts;
    const sg_choice_step *s = step(w, w->chooser.n);
    if (o->target_bytes)
        return sg_fail(err, SG_ERR_REFUSED,
                       "without %d layers there are still %.1f MB, more than the target of %.1f MB", s->n,
                       (double)s->bytes / 1e6, (double)o->target_bytes / 1e6);
    return sg_fail(err, SG_ERR_REFUSED, "without %d layers the forward pass is %.2f times as fast, less than %.2f",
                   s->n, s->speedup, o->target_speedup);
}

static int fail_first(const work *w, sg_error *err)
{
    const sg_choice_step *s = step(w, 1);
    return sg_fail(err, SG_ERR_REFUSED,
                   "no layer can go: without the first, perplexity goes from %.2f to %.2f (+%.1f%%)",
                   w->choice.base_ppl, s->ppl, 100 * (s->ppl / w->choice.base_ppl - 1));
}

static int find(work *w, int *take, sg_error *err)
{
    sg_chooser *c = &w->chooser;
    int most = c->most < c->n_units - 1 ? c->most : c->n_units - 1, rc = SG_OK;
    bool bounded = w->opts->max_ppl_increase > 0;
    if (most < 1)
        return sg_fail(err, SG_ERR_REFUSED, "%s: no layer may be removed", sg_method_name(c->method));
    for (int n = 1; n <= most; n++) {
        if (n > c->n && (rc = next(w, err)))
            return rc;
        if (bounded && (rc = know_ppl(w, n, most, err)))
            return rc;
        w->choice.n_steps = (size_t)n;
        if (reached(w, n, take))
            return *take ? SG_OK : fail_first(w, err);
    }
    if (w->opts->remove)
        return sg_fail(err, SG_ERR_REFUSED, "%s: %d are to go, but only %d of %d may", sg_method_name(c->method),
                       w->opts->remove, most, c->n_units);
    *take = most;
    return bounded ? SG_OK : fail_unreached(w, err);
}

/* ---- the result --------------------------------------------------------------------------------------- */

static void put_ppl(sg_strbuf *b, const work *w, int n)
{
    double ppl = step(w, n)->ppl;
    sg_strbuf_fixed(b, ppl, 2);
    sg_strbuf_puts(b, " (+");
    sg_strbuf_fixed(b, 100 * (ppl / w->choice.base_ppl - 1), 1);
    sg_strbuf_puts(b, "%)");
}

static int explain(work *w, int n, sg_error *err)
{
    const sg_choose_opts *o = w->opts;
    sg_strbuf b = {0};
    const char *what = o->halves ? "halves of layers" : n == 1 ? "layer" : "layers";
    sg_strbuf_printf(&b, "%d %s%s", n, what, o->remove ? ", as asked" : n == 1 ? " is " : " are ");
    if (o->max_ppl_increase > 0) {
        sg_strbuf_puts(&b, "the most within +");
        sg_strbuf_fixed(&b, 100 * o->max_ppl_increase, 1);
        sg_strbuf_puts(&b, "% of perplexity ");
        sg_strbuf_fixed(&b, w->choice.base_ppl, 2);
        sg_strbuf_printf(&b, " on %lld tokens: ", (long long)w->trial.windows.n * w->trial.windows.window);
        put_ppl(&b, w, n);
        if (n < (int)w->choice.n_steps) {
            sg_strbuf_printf(&b, "; %d would make it ", n + 1);
            put_ppl(&b, w, n + 1);
        }
    } else if (o->target_bytes) {
        sg_strbuf_puts(&b, "the fewest that leave at most ");
        sg_strbuf_fixed(&b, (double)o->target_bytes / 1e6, 1);
        sg_strbuf_puts(&b, " MB of tensor data: ");
        sg_strbuf_fixed(&b, (double)step(w, n)->bytes / 1e6, 1);
        sg_strbuf_puts(&b, " MB");
    } else if (o->target_speedup > 0) {
        sg_strbuf_puts(&b, "the fewest that make the forward pass ");
        sg_strbuf_fixed(&b, o->target_speedup, 2);
        sg_strbuf_puts(&b, " times as fast: ");
        sg_strbuf_fixed(&b, step(w, n)->speedup, 2);
        sg_strbuf_printf(&b, " by the layers' times over %lld tokens", (long long)w->timed_tokens);
    } else if (o->until_stable) {
        sg_strbuf_printf(&b,
                         w->choice.stable ? "; the same in 95%% of bootstrap samples after %lld tokens"
                                          : "; not the same in 95%% of bootstrap samples even after all %lld tokens",
                         (long long)w->calibration.read * w->calibration.windows.window);
    }
    return sg_strbuf_finish(&b, &w->why, err);
}

static int fill(work *w, int n, sg_error *err)
{
    sg_choice *r = &w->choice;
    const sg_windows *text = w->trial.windows.n && !w->calibration.read ? &w->trial.windows : &w->calibration.windows;
    bool read = w->needs || w->trial.windows.n || w->layer_seconds;
    int rc = SG_OK, units = w->chooser.n_units;
    w->removed = sg_alloc((size_t)n, sizeof *w->removed);
    if (!w->removed)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d units", n);
    for (int i = 0; i < units; i++)
        if (w->sets[(size_t)(n - 1) * (size_t)units + (size_t)i])
            w->removed[r->n_removed++] = i;
    if ((rc = explain(w, n, err)) || (read && (rc = sg_windows_source(&w->source, text, err))))
        return rc;
    if (w->opts->method <= SG_METHOD_RELATIVE_MAGNITUDE && !w->opts->halves) {
        sg_windows some = w->calibration.windows;
        some.n = w->calibration.read;
        if ((rc = sg_score_new(&w->score, &w->calibration.influence, &some, w->model->spec.n_layers,
                               &w->calibration.pass, err)) ||
            (rc = sg_score_set(w->score, sg_method_name(w->opts->method), w->chooser.values, err)))
            return rc;
    }
    r->method = w->opts->method;
    r->halves = w->opts->halves;
    r->removed = w->removed;
    r->steps = w->chooser.steps;
    r->why = w->why;
    r->source = w->source;
    r->windows = !read ? 0 : w->calibration.read ? w->calibration.read : text->n;
    if (!w->needs && !w->trial.windows.n && read) /* nothing was read but to time layers */
        r->windows = w->timed_tokens / text->window;
    r->window = read ? text->window : 0;
    r->tokens = r->windows * r->window;
    r->score = w->score;
    r->seconds = w->calibration.pass.seconds + w->trial.seconds;
    return SG_OK;
}

int sg_choose(sg_choice **out, sg_model *model, const sg_choose_opts *opts, sg_error *err)
{
    work *w = sg_alloc_zero(1, sizeof *w);
    int n = 0, rc;
    *out = NULL;
    if (!w)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to choose layers");
    *w = (work){.choice = {.base_ppl = NAN}, .model = model, .opts = opts, .needs = sg_method_needs(opts->method)};
    if ((rc = check(w, err)) || (rc = read_text(w, err)) ||
        (rc = sg_chooser_init(&w->chooser, opts->method, opts, &w->calibration, &w->trial, opts->remove, err)))
        goto out;
    w->sets = sg_alloc((size_t)w->chooser.n_units * (size_t)w->chooser.n_units, sizeof *w->sets);
    rc = w->sets ? find(w, &n, err) : sg_fail(err, SG_ERR_NOMEM, "no memory for %d sets", w->chooser.n_units);
    if (!rc)
        rc = fill(w, n, err);
out:
    if (rc)
        sg_choice_free(&w->choice);
    else
        *out = &w->choice;
    return rc;
}

int sg_plan_from_choice(sg_plan **out, const sg_model *model, const sg_choice *choice, sg_error *err)
{
    const sg_model_info *info = &model->info;
    sg_plan_model m = {info->layers, info->hidden, info->vocab, info->fingerprint};
    if (choice->halves)
        return sg_fail(err, SG_ERR_REFUSED,
                       "a plan is of whole layers: no format keeps a layer without one of its halves");
    return sg_plan_new(out, &m, sg_method_name(choice->method), choice->why, choice->removed, choice->n_removed, err);
}
