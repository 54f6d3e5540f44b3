/* sg_generate_run: a text goes on, token by token. */
#include "measure/generate.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "measure/subset.h"
#include "measure/windows.h"
#include "tokenizer/decode.h"

enum { DEFAULT_TOKENS = 64 };

const char *sg_stop_name(sg_stop stop)
{
    static const char *const names[] = {"tokens", "end", "positions"};
    return names[stop];
}

const char *sg_sample_prompt(size_t i)
{
    static const char *const prompts[] = {"The capital of France is",
                                          "Once upon a time, in a small village by the sea,",
                                          "To make a good cup of tea, first"};
    return i < SG_ARRAY_LEN(prompts) ? prompts[i] : NULL;
}

/* ---- choosing ------------------------------------------------------------------------------------------ */

static int32_t most_likely(const float *logits, int n)
{
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* In [0, 1): splitmix64 (Steele, Lea, Flood 2014), its upper 53 bits. */
static double draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Token i with probability e^(logits[i] / temperature) / sum. The sums are the same in both loops, so the last one is
 * reached at the latest. */
static int32_t sample(const float *logits, int n, double temperature, uint64_t *state)
{
    double top = logits[most_likely(logits, n)], sum = 0, below = 0, at = draw(state);
    for (int i = 0; i < n; i++)
        sum += exp((logits[i] - top) / temperature);
    for (int i = 0; i < n; i++)
        if ((below += exp((logits[i] - top) / temperature)) > at * sum)
            return i;
    return most_likely(logits, n);
}

/* ---- the run ------------------------------------------------------------------------------------------- */

typedef struct run {
    sg_model *model;
    const sg_generate_opts *opts;
    sg_decoder *decoder; /* the caller's */
    sg_detok detok;
    sg_strbuf text;
    size_t shown; /* bytes of text that piece() was given */
    uint64_t random;
    sg_generation *out;
} run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int show(run *r, sg_error *err)
{
    const sg_generate_opts *o = r->opts;
    size_t n = r->text.n - r->shown;
    const char *piece = r->text.data + r->shown;
    r->shown = r->text.n;
    if (n && o->piece && o->piece(piece, n, o->user))
        return sg_fail(err, SG_ERR_CANCELLED, "generating was interrupted");
    return SG_OK;
}

/* A new token: its text, and whether the text goes on. */
static int take(run *r, int32_t id, sg_error *err)
{
    r->out->ids[r->out->n++] = id;
    int rc = sg_detok_add(&r->detok, id, &r->text, err);
    return rc ? rc : show(r, err);
}

static int go_on(run *r, const sg_tokens *prompt, int wanted, sg_error *err)
{
    const sg_generate_opts *o = r->opts;
    const float *logits;
    int vocab = r->model->spec.vocab;
    double start = now();
    int rc = sg_decoder_feed(r->decoder, prompt->ids, (int)prompt->n, &logits, err);
    double first = now();
    r->out->prompt_seconds = first - start;
    while (!rc) {
        int32_t id =
            o->temperature > 0 ? sample(logits, vocab, o->temperature, &r->random) : most_likely(logits, vocab);
        if (sg_model_ends(r->model, id)) {
            r->out->stop = SG_STOP_END;
            break;
        }
        if ((rc = take(r, id, err)) || r->out->n == wanted)
            break;
        if (!o->piece && o->progress.report &&
            o->progress.report("generating", (uint64_t)r->out->n, (uint64_t)wanted, "tokens", o->progress.user))
            rc = sg_fail(err, SG_ERR_CANCELLED, "generating was interrupted");
        else
            rc = sg_decoder_feed(r->decoder, &id, 1, &logits, err);
    }
    r->out->seconds = now() - first;
    if (rc)
        return rc;
    sg_detok_end(&r->detok, &r->text);
    return show(r, err);
}

/* The prompt as the model sees it, so that its last token and the first new one are joined rightly. */
static int begin_text(run *r, const sg_text *prompt, const sg_tokens *tokens, sg_error *err)
{
    sg_strbuf seen = {0};
    int rc = sg_detok_init(&r->detok, r->model->tokenizer, err);
    for (size_t i = 0; i < tokens->n && !rc; i++)
        rc = sg_detok_add(&r->detok, tokens->ids[i], &seen, err);
    sg_strbuf_free(&seen);
    r->out->prompt = sg_strndup(prompt->data, prompt->bytes);
    if (!rc && !r->out->prompt)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the prompt");
    return rc;
}

int sg_prompt_tokens(sg_tokens *out, sg_model *model, const sg_text *prompt, sg_bos bos, sg_error *err)
{
    int positions = model->spec.max_positions, rc = sg_tokenize(model, prompt, bos, out, err);
    if (rc)
        return rc;
    if (!out->n)
        rc = sg_fail(err, SG_ERR_USAGE,
                     "the prompt has no tokens, and this model's texts do not begin with a BOS (see --bos)");
    else if (positions ? out->n > (size_t)positions : out->n > INT32_MAX / 2)
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: the prompt has %zu tokens, the model only %d positions",
                     model->info.path, out->n, positions ? positions : INT32_MAX / 2);
    if (rc)
        sg_tokens_free(out);
    return rc;
}

int sg_new_tokens(const sg_model *model, const sg_tokens *prompt, const sg_generate_opts *opts)
{
    int wanted = opts->tokens ? opts->tokens : DEFAULT_TOKENS;
    int left = model->spec.max_positions - (int)prompt->n + 1; /* the last new token needs no position */
    return model->spec.max_positions && wanted > left ? left : wanted;
}

static int generate(run *r, const sg_text *prompt, const sg_tokens *tokens, sg_error *err)
{
    int wanted = sg_new_tokens(r->model, tokens, r->opts), rc;
    if (wanted < (r->opts->tokens ? r->opts->tokens : DEFAULT_TOKENS))
        r->out->stop = SG_STOP_POSITIONS;
    r->out->n_prompt = (int)tokens->n;
    r->out->ids = sg_alloc((size_t)wanted, sizeof *r->out->ids);
    if (!r->out->ids)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d tokens", wanted);
    if ((rc = begin_text(r, prompt, tokens, err)) || (rc = go_on(r, tokens, wanted, err)))
        return rc;
    sg_decoder_info info = sg_decoder_get_info(r->decoder);
    r->out->precision = info.precision;
    r->out->layers = info.layers;
    r->out->layers_in_memory = info.held;
    r->out->memory = info.bytes;
    return sg_strbuf_finish(&r->text, &r->out->text, err);
}

int sg_generate_by(sg_generation **out, sg_decoder *decoder, sg_model *model, const sg_text *prompt,
                   const sg_tokens *tokens, const sg_generate_opts *opts, sg_error *err)
{
    *out = NULL;
    run r = {
        .model = model, .opts = opts, .decoder = decoder, .random = opts->seed, .out = sg_alloc_zero(1, sizeof *r.out)};
    if (!r.out)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a text");
    sg_decoder_reset(decoder);
    int rc = generate(&r, prompt, tokens, err);
    sg_strbuf_free(&r.text);
    sg_detok_dispose(&r.detok);
    if (rc)
        sg_generation_free(r.out);
    else
        *out = r.out;
    return rc;
}

int sg_generate_run(sg_generation **out, sg_model *model, const sg_text *prompt, const int *removed, size_t n_removed,
                    const sg_generate_opts *opts, sg_error *err)
{
    static const sg_generate_opts no_opts = {0};
    sg_decoder *d = NULL;
    sg_tokens tokens = {0};
    bool *keep = NULL;
    int rc;
    opts = opts ? opts : &no_opts;
    *out = NULL;
    if ((rc = sg_model_runs(model, err)) || (rc = sg_subset_keep(&keep, model, removed, n_removed, err)) ||
        (rc = sg_prompt_tokens(&tokens, model, prompt, opts->bos, err)))
        goto out;
    sg_decoder_opts decoder = {.model = model,
                               .keep = keep,
                               .capacity = (int)tokens.n + sg_new_tokens(model, &tokens, opts) - 1,
                               .precision = opts->precision,
                               .memory = sg_memory_left(opts->memory),
                               .threads = opts->threads,
                               .progress = opts->progress};
    if (!(rc = sg_decoder_create(&d, &decoder, err)))
        rc = sg_generate_by(out, d, model, prompt, &tokens, opts, err);
out:
    sg_decoder_free(d);
    sg_tokens_free(&tokens);
    sg_free(keep);
    return rc;
}

void sg_generation_free(sg_generation *g)
{
    if (!g)
        return;
    sg_free(g->prompt);
    sg_free(g->text);
    sg_free(g->ids);
    sg_free(g);
}
