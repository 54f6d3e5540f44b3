/* logits MODEL.gguf WINDOWS TOKENS VOCABULARY < ids > logits: what llama.cpp computes, on the CPU, with a cache in F32.
 * ids: i32 [WINDOWS, TOKENS]; logits: f32 [WINDOWS, TOKENS, VOCABULARY]. */
#include <stdio.h>
#include <stdlib.h>

#include "llama.h"

static void quiet(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == GGML_LOG_LEVEL_ERROR)
        fputs(text, stderr);
}

static int fail(const char *what)
{
    fprintf(stderr, "logits: %s\n", what);
    return 1;
}

static int run_window(struct llama_context *context, const int *ids, int tokens, int vocabulary)
{
    struct llama_batch batch = llama_batch_init(tokens, 0, 1);
    batch.n_tokens = tokens;
    for (int t = 0; t < tokens; t++) {
        batch.token[t] = ids[t];
        batch.pos[t] = t;
        batch.n_seq_id[t] = 1;
        batch.seq_id[t][0] = 0;
        batch.logits[t] = 1;
    }
    llama_memory_clear(llama_get_memory(context), true);
    int rc = llama_decode(context, batch) ? fail("llama_decode failed") : 0;
    for (int t = 0; rc == 0 && t < tokens; t++)
        if (fwrite(llama_get_logits_ith(context, t), sizeof(float), (size_t)vocabulary, stdout) != (size_t)vocabulary)
            rc = fail("cannot write");
    llama_batch_free(batch);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return fail("usage: logits MODEL.gguf WINDOWS TOKENS VOCABULARY");
    int windows = atoi(argv[2]), tokens = atoi(argv[3]), vocabulary = atoi(argv[4]), rc = 0;
    int *ids = malloc(sizeof *ids * (size_t)windows * (size_t)tokens);
    if (!ids || fread(ids, sizeof *ids * (size_t)tokens, (size_t)windows, stdin) != (size_t)windows)
        return fail("cannot read the ids");

    llama_log_set(quiet, NULL);
    llama_backend_init();
    struct llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model)
        return fail("the model does not load");
    if (llama_vocab_n_tokens(llama_model_get_vocab(model)) != vocabulary)
        return fail("another vocabulary");
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = 256;
    params.n_batch = params.n_ubatch = (uint32_t)tokens;
    params.n_threads = params.n_threads_batch = 1;
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    struct llama_context *context = llama_init_from_model(model, params);
    if (!context)
        return fail("no context");
    for (int w = 0; rc == 0 && w < windows; w++)
        rc = run_window(context, ids + (size_t)w * (size_t)tokens, tokens, vocabulary);
    llama_free(context);
    llama_model_free(model);
    free(ids);
    return rc;
}
