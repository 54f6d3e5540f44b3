/* One set more by each method. */
#include "select/chooser.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

unsigned sg_method_needs(sg_method method)
{
    static const unsigned needs[SG_N_METHODS] = {
        [SG_METHOD_BI] = SG_NEEDS_INFLUENCE,
        [SG_METHOD_RELATIVE_MAGNITUDE] = SG_NEEDS_INFLUENCE,
        [SG_METHOD_ANGULAR] = SG_NEEDS_LAST_ANGLES,
        [SG_METHOD_ANGULAR_ALL] = SG_NEEDS_ALL_ANGLES,
        [SG_METHOD_GREEDY] = SG_NEEDS_TRIALS,
        [SG_METHOD_GREEDY_KL] = SG_NEEDS_TRIALS,
        [SG_METHOD_BI_GREEDY] = SG_NEEDS_INFLUENCE | SG_NEEDS_TRIALS,
    };
    return needs[method];
}

static bool by_blocks(const sg_chooser *c)
{
    return c->method == SG_METHOD_ANGULAR || c->method == SG_METHOD_ANGULAR_ALL;
}

/* Those that greedy may try: of bi-greedy the k lowest by influence. */
static void mark_candidates(sg_chooser *c, const sg_choose_opts *opts, int wanted)
{
    int k = opts->candidates ? opts->candidates : c->n_units / 2;
    k = !opts->candidates && k < wanted ? wanted : k;
    for (int i = 0; i < c->n_units; i++)
        c->candidates[i] = !c->allowed || c->allowed[i];
    if (c->method != SG_METHOD_BI_GREEDY)
        return;
    c->most = sg_rank(c->values, c->n_units, c->allowed, c->order);
    c->most = k < c->most ? k : c->most;
    memset(c->candidates, false, (size_t)c->n_units * sizeof *c->candidates);
    for (int i = 0; i < c->most; i++)
        c->candidates[c->order[i]] = true;
}

int sg_chooser_init(sg_chooser *c, sg_method method, const sg_choose_opts *opts, const sg_calibration *calibration,
                    sg_trial *trial, int wanted, sg_error *err)
{
    sg_model *model = calibration->model;
    size_t n = (size_t)model->spec.n_layers * (opts->halves ? 2 : 1);
    unsigned needs = sg_method_needs(method);
    *c = (sg_chooser){
        .model = model, .method = method, .calibration = calibration, .n_units = (int)n, .allowed = opts->allowed};
    if (opts->halves && by_blocks(c))
        return sg_fail(err, SG_ERR_USAGE, "%s removes blocks of whole layers, not halves", sg_method_name(method));
    c->candidates = sg_alloc_zero(n, sizeof *c->candidates);
    c->order = sg_alloc_zero(n, sizeof *c->order);
    c->values = sg_alloc_zero(n, sizeof *c->values);
    c->gone = sg_alloc_zero(n, sizeof *c->gone);
    c->steps = sg_alloc_zero(n, sizeof *c->steps);
    if (!c->candidates || !c->order || !c->values || !c->gone || !c->steps)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to choose among %zu units", n);
    for (size_t i = 0; i < n; i++)
        c->most += !c->allowed || c->allowed[i];
    if (!needs || needs & ~(unsigned)SG_NEEDS_TRIALS)
        sg_unit_values(calibration, method == SG_METHOD_BI_GREEDY ? SG_METHOD_BI : method, opts->halves, opts->seed,
                       NULL, c->values);
    if (needs & SG_NEEDS_TRIALS) {
        mark_candidates(c, opts, wanted);
        return sg_greedy_init(&c->greedy, trial, (int)n, c->candidates, method == SG_METHOD_GREEDY_KL, err);
    }
    if (!by_blocks(c))
        c->most = sg_rank(c->values, (int)n, c->allowed, c->order);
    return SG_OK;
}

void sg_chooser_dispose(sg_chooser *c)
{
    sg_greedy_dispose(&c->greedy);
    sg_free(c->candidates);
    sg_free(c->order);
    sg_free(c->values);
    sg_free(c->gone);
    sg_free(c->steps);
    *c = (sg_chooser){0};
}

uint64_t sg_bytes_without(const sg_model *model, const bool *gone)
{
    uint64_t bytes = model->info.bytes;
    for (int i = 0; i < model->spec.n_layers; i++)
        bytes -= gone[i] ? model->layers[i].bytes : 0;
    return bytes;
}

int sg_best_block(const sg_calibration *c, bool all, int n, const bool *allowed, const int *times, double *value)
{
    int best = -1, L = c->model->spec.n_layers;
    *value = NAN;
    for (int first = 0; first + n <= L; first++) {
        bool may = true;
        for (int i = first; i < first + n; i++)
            may = may && (!allowed || allowed[i]);
        double angle = may ? sg_block_angle(c, all, first, n, times) : (double)NAN;
        if (!isnan(angle) && (best < 0 || angle <= *value)) {
            best = first;
            *value = angle;
        }
    }
    return best;
}

static int next_block(sg_chooser *c, int n, sg_choice_step *step, sg_error *err)
{
    int first = sg_best_block(c->calibration, c->method == SG_METHOD_ANGULAR_ALL, n, c->allowed, NULL, &step->value);
    if (first < 0)
        return sg_fail(err, SG_ERR_REFUSED, "%s: no %d layers in a row may all be removed", sg_method_name(c->method),
                       n);
    for (int i = 0; i < c->n_units; i++)
        c->gone[i] = i >= first && i < first + n;
    step->unit = -1;
    return SG_OK;
}

int sg_chooser_next(sg_chooser *c, sg_error *err)
{
    int n = c->n + 1, rc = SG_OK;
    sg_choice_step *step = &c->steps[c->n];
    double nll = NAN;
    *step = (sg_choice_step){.n = n, .unit = -1, .value = NAN, .ppl = NAN, .speedup = NAN};
    if (n >= c->n_units)
        return sg_fail(err, SG_ERR_REFUSED, "%s: removing all %d units leaves nothing", sg_method_name(c->method),
                       c->n_units);
    if (n > c->most)
        return sg_fail(err, SG_ERR_REFUSED, "%s: only %d of %d units may be removed", sg_method_name(c->method),
                       c->most, c->n_units);
    if (by_blocks(c)) {
        rc = next_block(c, n, step, err);
    } else if (c->greedy.gone) {
        rc = sg_greedy_round(&c->greedy, &step->unit, &step->value, &nll, NULL, NULL, err);
        step->ppl = exp(nll);
    } else {
        step->unit = c->order[c->n];
        step->value = c->values[step->unit];
    }
    if (rc)
        return rc;
    if (step->unit >= 0)
        c->gone[step->unit] = true;
    if (c->n_units == c->model->spec.n_layers)
        step->bytes = sg_bytes_without(c->model, c->gone);
    c->n = n;
    return SG_OK;
}
