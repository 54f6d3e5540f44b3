/* Layer times: the forward pass of a prompt, reading of weights left out. */
#include "select/speed.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "measure/likelihood.h"

enum { RUNS = 3, WINDOWS = 4 };

int sg_measure_layers(const sg_model *model, const sg_windows *w, const sg_run_opts *run, double *seconds,
                      int64_t *tokens, sg_error *err)
{
    int L = model->spec.n_layers, windows = w->n < WINDOWS ? w->n : WINDOWS;
    sg_likelihood lik = {0};
    sg_pass_result result;
    bool *keep = sg_alloc((size_t)L, sizeof *keep);
    double *once = sg_alloc((size_t)L + 1, sizeof *once);
    int rc = keep && once ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", L);
    if (!rc)
        rc = sg_likelihood_init(&lik, w->windows, windows, 1, err);
    if (rc)
        goto out;
    memset(keep, true, (size_t)L);
    sg_observer observer = {.nll = sg_likelihood_nll, .self = &lik};
    sg_pass pass = {.model = model,
                    .windows = w->windows,
                    .n_windows = windows,
                    .keep = keep,
                    .n_subsets = 1,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = run->precision,
                    .memory = sg_memory_left(run->memory),
                    .threads = run->threads,
                    .progress = run->progress,
                    .stage = "timing",
                    .layer_seconds = once};
    for (int i = 0; i < RUNS && !rc; i++) {
        memset(once, 0, ((size_t)L + 1) * sizeof *once);
        rc = sg_pass_run(&pass, &result, err);
        for (int l = 0; l <= L && !rc; l++)
            seconds[l] = i ? fmin(seconds[l], once[l]) : once[l];
    }
    *tokens = (int64_t)windows * w->window;
out:
    sg_likelihood_dispose(&lik);
    sg_free(keep);
    sg_free(once);
    return rc;
}
