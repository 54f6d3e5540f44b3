/* sg_speed_measure. */
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "engine/generate.h"
#include "measure/subset.h"
#include "measure/windows.h"

enum { PROMPT = 512, TOKENS = 32, REPEATS = 3 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Ids all over the vocabulary. */
static int32_t id_at(int i, int vocab)
{
    return (int32_t)((uint64_t)((uint32_t)(i + 1) * 2654435761u) * (uint64_t)vocab >> 32);
}

/* One prompt and what goes on behind it, in seconds. */
static int run_once(sg_decoder *d, const int32_t *ids, const sg_speed *s, double *prompt, double *tokens, sg_error *err)
{
    const float *logits;
    sg_decoder_reset(d);
    double start = now();
    int rc = sg_decoder_feed(d, ids, s->prompt_tokens, &logits, err);
    double middle = now();
    for (int i = 0; i < s->tokens && !rc; i++)
        rc = sg_decoder_feed(d, ids + s->prompt_tokens + i, 1, &logits, err);
    *prompt = middle - start;
    *tokens = now() - middle;
    return rc;
}

static int measure(sg_speed *s, sg_decoder *d, int vocab, const sg_progress *progress, sg_error *err)
{
    double prompt[REPEATS], tokens[REPEATS], unused;
    int32_t ids[PROMPT + TOKENS];
    for (int i = 0; i < PROMPT + TOKENS; i++)
        ids[i] = id_at(i, vocab);
    int rc = run_once(d, ids, &(sg_speed){.prompt_tokens = s->prompt_tokens}, &unused, &unused, err); /* warms up */
    for (int i = 0; i < REPEATS && !rc; i++) {
        if (progress->report && progress->report("timing", (uint64_t)i, REPEATS, "runs", progress->user))
            return sg_fail(err, SG_ERR_CANCELLED, "timing was interrupted");
        rc = run_once(d, ids, s, &prompt[i], &tokens[i], err);
    }
    if (rc)
        return rc;
    qsort(prompt, REPEATS, sizeof *prompt, ascending);
    qsort(tokens, REPEATS, sizeof *tokens, ascending);
    s->prompt_tokens_per_second = s->prompt_tokens / prompt[REPEATS / 2];
    s->tokens_per_second = s->tokens / tokens[REPEATS / 2];
    s->memory = sg_decoder_get_info(d).bytes;
    return SG_OK;
}

int sg_speed_measure(sg_speed *out, const sg_model *model, const int *removed, size_t n_removed,
                     const sg_run_opts *opts, sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    opts = opts ? opts : &no_opts;
    int positions = model->spec.max_positions ? model->spec.max_positions : PROMPT + TOKENS, rc;
    sg_speed s = {.tokens = positions > TOKENS ? TOKENS : positions / 2};
    s.prompt_tokens = positions - s.tokens < PROMPT ? positions - s.tokens : PROMPT;
    bool *keep = NULL;
    sg_decoder *d = NULL;
    *out = (sg_speed){0};
    if ((rc = sg_model_runs(model, err)) || (rc = sg_subset_keep(&keep, model, removed, n_removed, err)))
        return rc;
    sg_decoder_opts decoder = {.model = model,
                               .keep = keep,
                               .capacity = s.prompt_tokens + s.tokens,
                               .precision = opts->precision,
                               .memory = sg_memory_left(opts->memory),
                               .threads = opts->threads,
                               .progress = opts->progress,
                               .all_or_nothing = true};
    rc = sg_decoder_create(&d, &decoder, err);
    if (!rc && d)
        rc = measure(&s, d, model->spec.vocab, &opts->progress, err);
    if (!rc && d)
        *out = s;
    sg_decoder_free(d);
    sg_free(keep);
    return rc;
}
