/* The bootstrap. Its draws depend on the seed and the number of windows alone. */
#include "select/stable.h"

#include <string.h>

#include "core/mem.h"
#include "select/chooser.h"

enum { SAMPLES = 1000, WANTED = 950 };

typedef struct scratch {
    double *values;     /* [units] */
    int *order;         /* [units] */
    int *times;         /* [windows] */
    bool *all, *sample; /* [units], chosen */
} scratch;

static void choose(const sg_calibration *c, const sg_choose_opts *o, int n, int units, const int *times, scratch *s,
                   bool *chosen)
{
    memset(chosen, false, (size_t)units * sizeof *chosen);
    if (sg_method_needs(o->method) & (SG_NEEDS_LAST_ANGLES | SG_NEEDS_ALL_ANGLES)) {
        double angle;
        int first = sg_best_block(c, o->method == SG_METHOD_ANGULAR_ALL, n, o->allowed, times, &angle);
        for (int i = first; first >= 0 && i < first + n; i++)
            chosen[i] = true;
        return;
    }
    sg_unit_values(c, o->method, o->halves, o->seed, times, s->values);
    int ranked = sg_rank(s->values, units, o->allowed, s->order);
    for (int i = 0; i < n && i < ranked; i++)
        chosen[s->order[i]] = true;
}

int sg_choice_stable(const sg_calibration *c, const sg_choose_opts *opts, int n, bool *stable, sg_error *err)
{
    int units = c->model->spec.n_layers * (opts->halves ? 2 : 1), same = 0, rc = SG_OK;
    size_t u = (size_t)units, windows = (size_t)c->read;
    uint64_t seed = opts->seed;
    scratch s = {.values = sg_alloc(u, sizeof *s.values),
                 .order = sg_alloc(u, sizeof *s.order),
                 .times = sg_alloc(windows, sizeof *s.times),
                 .all = sg_alloc(u, sizeof *s.all),
                 .sample = sg_alloc(u, sizeof *s.sample)};
    *stable = false;
    if (!s.values || !s.order || !s.times || !s.all || !s.sample) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a bootstrap over %zu windows", windows);
        goto out;
    }
    choose(c, opts, n, units, NULL, &s, s.all);
    for (int i = 0; i < SAMPLES; i++) {
        memset(s.times, 0, windows * sizeof *s.times);
        for (size_t w = 0; w < windows; w++)
            s.times[sg_random_below(&seed, c->read)]++;
        choose(c, opts, n, units, s.times, &s, s.sample);
        same += memcmp(s.all, s.sample, u * sizeof *s.all) == 0;
    }
    *stable = same >= WANTED && windows > 1;
out:
    sg_free(s.values);
    sg_free(s.order);
    sg_free(s.times);
    sg_free(s.all);
    sg_free(s.sample);
    return rc;
}
