/* sg_eval_sample: how each entry's model continues three texts. */
#include <string.h>

#include "core/mem.h"
#include "measure/entries.h"
#include "measure/generate.h"
#include "measure/windows.h"

enum { PROMPTS = 3, TOKENS = 32 };

typedef struct prompts {
    sg_text texts[PROMPTS];
    sg_tokens tokens[PROMPTS];
    int capacity; /* positions of the longest with what follows it */
} prompts;

static int read_prompts(prompts *p, sg_model *model, const sg_generate_opts *opts, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = 0; i < PROMPTS && !rc; i++) {
        const char *prompt = sg_sample_prompt(i);
        p->texts[i] = (sg_text){.source = prompt, .data = prompt, .bytes = strlen(prompt)};
        if ((rc = sg_prompt_tokens(&p->tokens[i], model, &p->texts[i], opts->bos, err)))
            break;
        int n = (int)p->tokens[i].n + sg_new_tokens(model, &p->tokens[i], opts) - 1;
        p->capacity = n > p->capacity ? n : p->capacity;
    }
    return rc;
}

/* One entry's texts, by the layers in use. */
static int fill_entry(sg_eval_entry *e, sg_decoder *d, sg_model *model, const prompts *p, const sg_generate_opts *opts,
                      sg_error *err)
{
    sg_sample *samples = sg_alloc_zero(PROMPTS, sizeof *samples);
    int rc = samples ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the texts of %s", e->path);
    e->samples = samples;
    for (size_t i = 0; i < PROMPTS && !rc; i++) {
        sg_generation *g;
        if ((rc = sg_generate_by(&g, d, model, &p->texts[i], &p->tokens[i], opts, err)))
            break;
        samples[e->n_samples++] = (sg_sample){sg_sample_prompt(i), g->text};
        g->text = NULL; /* the entry's now */
        sg_generation_free(g);
    }
    return rc;
}

int sg_eval_sample(sg_eval *eval, sg_model *model, const sg_run_opts *run, sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    run = run ? run : &no_opts;
    const sg_generate_opts opts = {.tokens = TOKENS, .bos = run->bos, .progress = run->progress};
    sg_decoder *d = NULL;
    prompts p = {0};
    bool *keep = NULL;
    int rc;
    if ((rc = sg_model_runs(model, err)) || (rc = sg_eval_keep(&keep, eval, model, err)) ||
        (rc = read_prompts(&p, model, &opts, err)))
        goto out;
    sg_decoder_opts decoder = {.model = model,
                               .capacity = p.capacity,
                               .precision = run->precision,
                               .memory = sg_memory_left(run->memory),
                               .threads = run->threads,
                               .progress = run->progress};
    rc = sg_decoder_create(&d, &decoder, err);
    for (size_t i = 0; i < eval->n_entries && !rc; i++) {
        sg_eval_entry *e = &sg_eval_own(eval)[i];
        sg_decoder_use(d, keep + i * (size_t)model->spec.n_layers);
        rc = e->samples ? sg_fail(err, SG_ERR_USAGE, "%s: its texts are there already", e->path)
                        : fill_entry(e, d, model, &p, &opts, err);
    }
out:
    sg_decoder_free(d);
    for (size_t i = 0; i < PROMPTS; i++)
        sg_tokens_free(&p.tokens[i]);
    sg_free(keep);
    return rc;
}
