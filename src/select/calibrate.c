/* Measuring the calibration text, and what methods make of it. */
#include "select/calibrate.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

int sg_calibration_open(sg_calibration *c, sg_model *model, const sg_run_opts *run, unsigned needs, sg_error *err)
{
    *c = (sg_calibration){.model = model, .run = run, .needs = needs};
    c->pass.precision = sg_precision_effective(run->precision);
    int L = model->spec.n_layers, rc = sg_windows_make(&c->windows, model, run, &sg_score_windows, err);
    const sg_window *w = c->windows.windows;
    if (!rc && needs & SG_NEEDS_INFLUENCE)
        rc = sg_influence_init(&c->influence, w, c->windows.n, L, 0, err);
    if (!rc && run->similarity)
        rc = sg_similarity_init(&c->similarity, w, c->windows.n, L, model->spec.hidden, err);
    if (!rc && needs & SG_NEEDS_LAST_ANGLES)
        rc = sg_angular_init(&c->last, w, c->windows.n, model, false, err);
    if (!rc && needs & SG_NEEDS_ALL_ANGLES)
        rc = sg_angular_init(&c->all, w, c->windows.n, model, true, err);
    return rc;
}

void sg_calibration_dispose(sg_calibration *c)
{
    sg_influence_dispose(&c->influence);
    sg_similarity_dispose(&c->similarity);
    sg_angular_dispose(&c->last);
    sg_angular_dispose(&c->all);
    sg_windows_dispose(&c->windows);
    *c = (sg_calibration){0};
}

/* What is left of the bound for the pass: sums of angles are there from the start, but take memory only as they are
 * written. */
static int memory_for_pass(const sg_calibration *c, int windows, uint64_t *left, sg_error *err)
{
    uint64_t sums = sg_angular_bytes(&c->last, windows - c->read) + sg_angular_bytes(&c->all, windows - c->read);
    *left = sg_memory_left(c->run->memory);
    if (!*left || !sums)
        return SG_OK;
    if (sums >= *left)
        return sg_fail(err, SG_ERR_NOMEM,
                       "the angles between all layer boundaries in %d windows take %llu MB, the memory bound leaves "
                       "%llu MB; use fewer tokens or longer windows",
                       windows, (unsigned long long)(sums >> 20) + 1, (unsigned long long)(*left >> 20));
    *left -= sums;
    return SG_OK;
}

int sg_calibration_read(sg_calibration *c, int windows, sg_error *err)
{
    sg_observer observers[4];
    int n = 0, L = c->model->spec.n_layers;
    if (c->needs & SG_NEEDS_INFLUENCE)
        observers[n++] = (sg_observer){.layer = sg_influence_layer, .self = &c->influence};
    if (c->needs & SG_NEEDS_LAST_ANGLES)
        observers[n++] = sg_angular_observer(&c->last);
    if (c->needs & SG_NEEDS_ALL_ANGLES)
        observers[n++] = sg_angular_observer(&c->all);
    if (c->run->similarity)
        observers[n++] = (sg_observer){.layer = sg_similarity_layer, .self = &c->similarity};
    if (!n || c->read >= windows)
        return SG_OK;
    uint64_t memory;
    int rc = memory_for_pass(c, windows, &memory, err);
    if (rc)
        return rc;
    bool *keep = sg_alloc((size_t)L, sizeof *keep);
    if (!keep)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", L);
    memset(keep, true, (size_t)L);
    c->influence.first = c->last.first = c->all.first = c->similarity.first = c->read;
    sg_pass_result result;
    sg_pass pass = {.model = c->model,
                    .windows = c->windows.windows + c->read,
                    .n_windows = windows - c->read,
                    .keep = keep,
                    .n_subsets = 1,
                    .observers = observers,
                    .n_observers = n,
                    .precision = c->run->precision,
                    .memory = memory,
                    .threads = c->run->threads,
                    .progress = c->run->progress,
                    .stage = "scoring"};
    rc = sg_pass_run(&pass, &result, err);
    sg_free(keep);
    if (rc)
        return rc;
    c->pass.precision = result.precision;
    c->pass.seconds += result.seconds;
    c->pass.chunks += result.chunks;
    c->read = windows;
    return SG_OK;
}

static double influence(const sg_calibration *c, bool magnitude, int layer, sg_part part, const int *times)
{
    double sum = 0;
    int64_t n = 0;
    for (int w = 0; w < c->read; w++) {
        int in_window, weight = times ? times[w] : 1;
        sum += weight * sg_influence_sum(&c->influence, layer, w, part, magnitude, &in_window);
        n += (int64_t)weight * in_window;
    }
    return n ? sum / (double)n : (double)NAN;
}

double sg_block_angle(const sg_calibration *c, bool all, int first, int n, const int *times)
{
    double sum = 0;
    int64_t count = 0;
    for (int w = 0; w < c->read; w++) {
        int in_window, weight = times ? times[w] : 1;
        sum += weight * sg_angular_sum(all ? &c->all : &c->last, w, first, first + n, &in_window);
        count += (int64_t)weight * in_window;
    }
    return count ? sum / (double)count : (double)NAN;
}

uint64_t sg_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int sg_random_below(uint64_t *state, int n)
{
    return (int)((sg_random(state) >> 32) * (uint64_t)n >> 32);
}

/* The units' places in an order drawn by Fisher and Yates' shuffle. */
static void draw_order(double *values, int n, uint64_t seed)
{
    for (int i = 0; i < n; i++)
        values[i] = i;
    for (int i = n - 1; i > 0; i--) {
        int j = sg_random_below(&seed, i + 1);
        double other = values[j];
        values[j] = values[i];
        values[i] = other;
    }
}

void sg_unit_values(const sg_calibration *c, sg_method method, bool halves, uint64_t seed, const int *times,
                    double *values)
{
    int n = c->model->spec.n_layers * (halves ? 2 : 1);
    if (method == SG_METHOD_RANDOM)
        draw_order(values, n, seed);
    for (int i = 0; i < n && method != SG_METHOD_RANDOM; i++) {
        sg_part part = !halves ? SG_LAYER : i % 2 ? SG_FFN : SG_MIXER;
        if (method == SG_METHOD_REVERSE)
            values[i] = n - 1 - i;
        else if (method == SG_METHOD_SEQUENTIAL)
            values[i] = i;
        else if (method == SG_METHOD_ANGULAR || method == SG_METHOD_ANGULAR_ALL)
            values[i] = halves ? (double)NAN : sg_block_angle(c, method == SG_METHOD_ANGULAR_ALL, i, 1, times);
        else
            values[i] = influence(c, method == SG_METHOD_RELATIVE_MAGNITUDE, halves ? i / 2 : i, part, times);
    }
}

int sg_rank(const double *values, int n, const bool *allowed, int *order)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        if ((allowed && !allowed[i]) || isnan(values[i]))
            continue;
        int at = count++; /* behind lower values; before equal ones, which have lower numbers */
        for (; at > 0 && values[order[at - 1]] >= values[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return count;
}
