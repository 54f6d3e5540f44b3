/* sg_eval_speed. */
#include <math.h>
#include <time.h>

#include "core/mem.h"
#include "engine/generate.h"
#include "measure/entries.h"
#include "measure/windows.h"

enum { PROMPT = 128, TOKENS = 4, MIN_TURNS = 3, MAX_TURNS = 8 };
static const double enough = 4; /* seconds, after which no further turns begin */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Ids all over the vocabulary. */
static int32_t id_at(int i, int vocab)
{
    return (int32_t)((uint64_t)((uint32_t)(i + 1) * 2654435761u) * (uint64_t)vocab >> 32);
}

/* One prompt and what goes on behind it. The fastest prompt and token so far count: what else runs on the machine only
 * slows them. */
static int run_once(sg_decoder *d, const int32_t *ids, const sg_speed *s, double *prompt, double *token, sg_error *err)
{
    const float *logits;
    double start = now();
    int rc = sg_decoder_feed(d, ids, s->prompt_tokens, &logits, err);
    *prompt = fmin(*prompt, now() - start);
    for (int i = 0; i < s->tokens && !rc; i++) {
        start = now();
        rc = sg_decoder_feed(d, ids + s->prompt_tokens + i, 1, &logits, err);
        *token = fmin(*token, now() - start);
    }
    return rc;
}

/* keep: [n][n_layers]. The first turn warms up; as the slowest, it does not count. */
static int take_turns(sg_eval *eval, sg_decoder *d, const sg_model *model, const bool *keep, sg_speed *s,
                      const sg_progress *progress, sg_error *err)
{
    size_t n = eval->n_entries, L = (size_t)model->spec.n_layers;
    double *prompt = sg_alloc(n, sizeof *prompt), *token = sg_alloc(n, sizeof *token), begin = now();
    int32_t ids[PROMPT + TOKENS];
    int rc = prompt && token ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for %zu times", n);
    for (int i = 0; i < PROMPT + TOKENS; i++)
        ids[i] = id_at(i, model->spec.vocab);
    for (size_t i = 0; i < n && !rc; i++)
        prompt[i] = token[i] = INFINITY;
    for (; !rc && s->turns < MAX_TURNS && (s->turns < MIN_TURNS || now() - begin < enough); s->turns++) {
        if (progress->report && progress->report("timing", (uint64_t)s->turns, MAX_TURNS, "turns", progress->user))
            rc = sg_fail(err, SG_ERR_CANCELLED, "timing was interrupted");
        for (size_t i = 0; i < n && !rc; i++) {
            sg_decoder_use(d, keep + i * L);
            rc = run_once(d, ids, s, &prompt[i], &token[i], err);
        }
    }
    for (size_t i = 0; i < n && !rc; i++) {
        sg_decoder_use(d, keep + i * L);
        s->prompt_tokens_per_second = s->prompt_tokens / prompt[i];
        s->tokens_per_second = 1 / token[i];
        s->memory = sg_decoder_get_info(d).bytes;
        sg_eval_own(eval)[i].speed = *s;
    }
    sg_free(prompt);
    sg_free(token);
    return rc;
}

int sg_eval_speed(sg_eval *eval, const sg_model *model, const sg_run_opts *opts, sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    opts = opts ? opts : &no_opts;
    int positions = model->spec.max_positions ? model->spec.max_positions : PROMPT + TOKENS, rc;
    sg_speed s = {.tokens = positions > 2 * TOKENS ? TOKENS : positions / 2};
    s.prompt_tokens = positions - s.tokens < PROMPT ? positions - s.tokens : PROMPT;
    sg_decoder *d = NULL;
    sg_decoder_opts decoder = {.model = model,
                               .capacity = s.prompt_tokens + s.tokens,
                               .precision = opts->precision,
                               .memory = sg_memory_left(opts->memory),
                               .threads = opts->threads,
                               .progress = opts->progress,
                               .all_or_nothing = true};
    bool *keep;
    if ((rc = sg_eval_keep(&keep, eval, model, err)))
        return rc;
    if (!(rc = sg_decoder_create(&d, &decoder, err)) && d)
        rc = take_turns(eval, d, model, keep, &s, &opts->progress, err);
    sg_decoder_free(d);
    sg_free(keep);
    return rc;
}
