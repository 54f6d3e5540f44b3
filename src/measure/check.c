/* The forward check after surgery. */
#include "measure/check.h"

#include <string.h>

#include "core/mem.h"
#include "measure/likelihood.h"
#include "measure/windows.h"

enum { WINDOWS = 2, WINDOW = 96 };

/* Ids all over the vocabulary, the same for both models. A window is longer than the sliding window, where positions
 * allow. */
static int make_windows(sg_window *windows, int32_t **ids, const sg_model *model, sg_error *err)
{
    int n = WINDOW;
    for (int i = 0; i < model->spec.n_layers; i++)
        if (model->spec.layers[i].window >= n)
            n = model->spec.layers[i].window + 1;
    if (model->spec.max_positions && n > model->spec.max_positions)
        n = model->spec.max_positions;
    *ids = sg_alloc((size_t)n * WINDOWS, sizeof **ids);
    if (!*ids)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the forward check");
    uint32_t state = 1;
    for (int i = 0; i < n * WINDOWS; i++) {
        state = state * 1664525u + 1013904223u;
        (*ids)[i] = (int32_t)((uint64_t)state * (uint64_t)model->spec.vocab >> 32);
    }
    for (int i = 0; i < WINDOWS; i++)
        windows[i] = (sg_window){*ids + i * n, n, false};
    return SG_OK;
}

static int run(double nll[WINDOWS], const sg_model *model, const bool *keep, const sg_window *windows,
               const sg_prune_opts *opts, sg_error *err)
{
    sg_likelihood lik;
    sg_pass_result result;
    int rc = sg_likelihood_init(&lik, windows, WINDOWS, 1, err);
    if (rc)
        return rc;
    sg_observer observer = {.nll = sg_likelihood_nll, .self = &lik};
    sg_pass pass = {.model = model,
                    .windows = windows,
                    .n_windows = WINDOWS,
                    .keep = keep,
                    .n_subsets = 1,
                    .observers = &observer,
                    .n_observers = 1,
                    .memory = sg_memory_left(opts->memory),
                    .threads = opts->threads,
                    .progress = opts->progress,
                    .stage = "checking"};
    rc = sg_pass_run(&pass, &result, err);
    if (!rc)
        memcpy(nll, lik.nll, WINDOWS * sizeof *nll);
    sg_likelihood_dispose(&lik);
    return rc;
}

int sg_check_likelihoods(const sg_model *original, const int *removed, size_t n_removed, const sg_model *pruned,
                         const sg_prune_opts *opts, sg_error *err)
{
    int L = original->spec.n_layers;
    sg_window windows[WINDOWS];
    int32_t *ids = NULL;
    double want[WINDOWS], got[WINDOWS];
    bool *keep = sg_alloc(2 * (size_t)L, sizeof *keep);
    if (!keep)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the forward check");
    memset(keep, true, 2 * (size_t)L);
    for (size_t i = 0; i < n_removed; i++)
        keep[removed[i]] = false;
    int rc = make_windows(windows, &ids, original, err);
    if (!rc && !(rc = run(want, original, keep, windows, opts, err)) &&
        !(rc = run(got, pruned, keep + L, windows, opts, err)) && memcmp(want, got, sizeof want) != 0)
        rc = sg_fail(
            err, SG_ERR_LIBRARY,
            "%s: the written model gives log-likelihood %.9g where the original without those layers gives %.9g; "
            "nothing was kept",
            pruned->ckpt->path, -got[0], -want[0]);
    sg_free(ids);
    sg_free(keep);
    return rc;
}
