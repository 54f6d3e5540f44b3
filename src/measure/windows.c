/* Cutting texts into windows. */
#include "measure/windows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

/* Appends the windows of one text, ids with the BOS in front of each. *used: ids stored so far. */
static int add_text(sg_windows *w, const sg_text *text, const sg_tokens *tokens, int64_t limit, int32_t bos,
                    size_t *used, sg_error *err)
{
    size_t T = (size_t)w->window, step = T + (bos >= 0), n = tokens->n / T;
    if (limit && n > (uint64_t)limit / T)
        n = (size_t)((uint64_t)limit / T);
    if (n == 0)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: %zu tokens, one window needs %zu; give a longer text or a smaller --window", text->source,
                       tokens->n, T);
    if (n + (size_t)w->n > INT32_MAX / 2)
        return sg_fail(err, SG_ERR_USAGE, "%s: more than %d windows; use --tokens", text->source, INT32_MAX / 2);
    int32_t *ids = sg_resize(w->ids, *used + n * step, sizeof *ids);
    if (!ids)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the tokens of %s", text->source);
    w->ids = ids;
    ids += *used;
    for (size_t i = 0; i < n; i++, ids += step) {
        if (bos >= 0)
            ids[0] = bos;
        memcpy(ids + (bos >= 0), tokens->ids + i * T, T * sizeof *ids);
    }
    w->texts[w->n_texts++] = (sg_text_windows){text->source, w->n, (int)n};
    w->n += (int)n;
    *used += n * step;
    return SG_OK;
}

static int point_windows(sg_windows *w, sg_error *err)
{
    int step = w->window + (w->bos ? 1 : 0);
    w->windows = sg_alloc((size_t)w->n, sizeof *w->windows);
    if (!w->windows)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d windows", w->n);
    for (int i = 0; i < w->n; i++)
        w->windows[i] = (sg_window){w->ids + (size_t)i * (size_t)step, step, w->bos};
    return SG_OK;
}

int sg_windows_make(sg_windows *out, sg_model *model, const sg_run_opts *opts, const sg_window_defaults *defaults,
                    sg_error *err)
{
    sg_text embedded = sg_text_embedded(defaults->text);
    const sg_text *texts = opts->n_texts ? opts->texts : &embedded;
    size_t n_texts = opts->n_texts ? opts->n_texts : 1, used = 0;
    int window = opts->window ? opts->window : defaults->window, rc;
    int64_t limit = opts->tokens ? opts->tokens : defaults->tokens;
    int32_t bos;
    sg_windows w = {.window = window};
    *out = w;
    if ((rc = sg_model_runs(model, err)))
        return rc;
    if (window < 2 || window > (1 << 24))
        return sg_fail(err, SG_ERR_USAGE, "--window %d: expected 2 to %d tokens", window, 1 << 24);
    if (opts->tokens && opts->tokens < window)
        return sg_fail(err, SG_ERR_USAGE, "--tokens %" PRId64 " is less than one window of %d", opts->tokens, window);
    if (!opts->tokens && limit && limit < window)
        limit = window;
    if ((rc = sg_model_bos(model, opts->bos, &bos, err)))
        return rc;
    w.bos = bos >= 0;
    w.texts = sg_alloc(n_texts, sizeof *w.texts);
    if (!w.texts)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for %zu texts", n_texts);
    for (size_t i = 0; i < n_texts && !rc; i++) {
        sg_tokens tokens;
        if (!(rc = sg_model_encode(model, &texts[i], &tokens, err)))
            rc = add_text(&w, &texts[i], &tokens, limit, bos, &used, err);
        sg_tokens_free(&tokens);
    }
    if (!rc)
        rc = point_windows(&w, err);
    if (rc)
        sg_windows_dispose(&w);
    else
        *out = w;
    return rc;
}

uint64_t sg_memory_left(uint64_t bound)
{
    unsigned long long kib = 0;
    char line[128];
    FILE *f = bound ? fopen("/proc/self/status", "re") : NULL;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return !bound ? 0 : bound > kib * 1024 ? bound - kib * 1024 : 1;
}

void sg_windows_dispose(sg_windows *w)
{
    sg_free(w->windows);
    sg_free(w->texts);
    sg_free(w->ids);
    *w = (sg_windows){0};
}
