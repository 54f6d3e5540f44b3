/* What kind each layer is of a model that does not run here. Its mixer: by the first list of the configuration that
 * says it in words, else by the names of its tensors; experts: by these alone. What a list's absence means, and what
 * hangs on a layer's number, the rules of surgery know (surgery/kinds.c). */
#include <string.h>

#include "core/mem.h"
#include "model/describe.h"

typedef enum kind {
    UNKNOWN,
    ATTENTION,
    FULL,
    SLIDING,
    CHUNKED,
    CROSS,
    LINEAR,
    SPARSE,
    MAMBA,
    MAMBA_AND_ATTENTION,
    RECURRENT,
    CONVOLUTION,
    HYBRID,
    HYBRID_SLIDING,
    FEED_FORWARD,
    N_KINDS,
} kind;

/* What else a layer's name says. */
enum { EXPERTS = 1, SHARED_KV = 2, N_NAMES = 4 };

#define NAMES(name)                                                                                                    \
    {                                                                                                                  \
        (name), name ", experts", name ", shared KV", name ", experts, shared KV"                                      \
    }
static const char *const names[N_KINDS][N_NAMES] = {
    [UNKNOWN] = {"unknown", "experts", "unknown", "experts"},
    [ATTENTION] = NAMES("attention"),
    [FULL] = NAMES("full attention"),
    [SLIDING] = NAMES("sliding attention"),
    [CHUNKED] = NAMES("chunked attention"),
    [CROSS] = NAMES("cross attention"),
    [LINEAR] = NAMES("linear attention"),
    [SPARSE] = NAMES("sparse attention"),
    [MAMBA] = NAMES("mamba"),
    [MAMBA_AND_ATTENTION] = NAMES("mamba and attention"),
    [RECURRENT] = NAMES("recurrent"),
    [CONVOLUTION] = NAMES("convolution"),
    [HYBRID] = NAMES("hybrid"),
    [HYBRID_SLIDING] = NAMES("hybrid, sliding"),
    [FEED_FORWARD] = {"dense feed-forward", "experts", "dense feed-forward", "experts"},
};

/* ---- the configuration ------------------------------------------------------------------------------- */

/* HF's lists with a word for each layer, or a string with a letter for each. */
static const char *const word_lists[] = {"layer_types", "layers_block_type", "hybrid_override_pattern"};
static const struct {
    const char *word;
    kind kind;
} words[] = {
    {"full_attention", FULL},
    {"attention", FULL},
    {"*", FULL},
    {"sliding_attention", SLIDING},
    {"global", FULL},
    {"local", SLIDING},
    {"chunked_attention", CHUNKED},
    {"cross_attention", CROSS},
    {"linear_attention", LINEAR},
    {"compressed_sparse_attention", SPARSE},
    {"heavily_compressed_attention", SPARSE},
    {"deepseek_sparse_attention", SPARSE},
    {"indexed_attention", SPARSE},
    {"minimax_m3_sparse", SPARSE},
    {"mamba", MAMBA},
    {"mamba2", MAMBA},
    {"M", MAMBA},
    {"recurrent", RECURRENT},
    {"conv", CONVOLUTION},
    {"hybrid", HYBRID},
    {"hybrid_sliding", HYBRID_SLIDING},
    {"mlp", FEED_FORWARD},
    {"moe", FEED_FORWARD},
    {"-", FEED_FORWARD},
    {"E", FEED_FORWARD},
};

/* HF's lists of the numbers of layers with full attention. */
static const char *const number_lists[] = {"attn_layer_indices", "full_attn_idxs"};

static kind of_word(const char *word, size_t n)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(words); i++)
        if (strlen(words[i].word) == n && memcmp(words[i].word, word, n) == 0)
            return words[i].kind;
    return UNKNOWN;
}

static kind listed(json_object *list, int layer)
{
    if (json_object_is_type(list, json_type_string))
        return layer < json_object_get_string_len(list) ? of_word(json_object_get_string(list) + layer, 1) : UNKNOWN;
    json_object *entry =
        json_object_is_type(list, json_type_array) ? json_object_array_get_idx(list, (size_t)layer) : NULL;
    if (!json_object_is_type(entry, json_type_string))
        return UNKNOWN;
    return of_word(json_object_get_string(entry), (size_t)json_object_get_string_len(entry));
}

static bool numbers(json_object *list, int layer)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < n; i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        if (json_object_is_type(entry, json_type_int) && json_object_get_int64(entry) == layer)
            return true;
    }
    return false;
}

static kind of_hf(json_object *config, int layer)
{
    kind found = UNKNOWN;
    for (size_t i = 0; !found && i < SG_ARRAY_LEN(word_lists); i++)
        found = listed(sg_json_get(config, word_lists[i]), layer);
    for (size_t i = 0; !found && i < SG_ARRAY_LEN(number_lists); i++)
        found = numbers(sg_json_get(config, number_lists[i]), layer) ? FULL : UNKNOWN;
    return found;
}

/* ---- the tensors ------------------------------------------------------------------------------------- */

enum {
    HAS_ATTENTION = 1,
    HAS_LINEAR = 2,
    HAS_MAMBA = 4,
    HAS_RECURRENT = 8,
    HAS_CONVOLUTION = 16,
    HAS_EXPERTS = 32,
    HAS_FEED_FORWARD = 64
};

/* What a part of a tensor's name, behind the layer's number, tells. */
static const struct {
    const char *part;
    unsigned has;
} parts[] = {
    /* HF */
    {"attn.", HAS_ATTENTION},
    {"attention.", HAS_ATTENTION},
    {"mixer.q_proj", HAS_ATTENTION},
    {"temporal_block.q_proj", HAS_ATTENTION},
    {"linear_attn.", HAS_LINEAR},
    {"slope_rate", HAS_LINEAR},
    {"A_log", HAS_MAMBA},
    {"mamba.", HAS_MAMBA},
    {"rg_lru", HAS_RECURRENT},
    {"time_decay", HAS_RECURRENT},
    {"mlstm", HAS_RECURRENT},
    {"conv.", HAS_CONVOLUTION},
    {"experts", HAS_EXPERTS},
    {"block_sparse_moe", HAS_EXPERTS},
    {"mlp", HAS_FEED_FORWARD},
    {"up_proj", HAS_FEED_FORWARD},
    /* GGUF */
    {"attn_q", HAS_ATTENTION},
    {"attn_k", HAS_ATTENTION},
    {"ssm_beta", HAS_LINEAR},
    {"ssm_ba", HAS_LINEAR},
    {"ssm_", HAS_MAMBA},
    {"time_mix_", HAS_RECURRENT},
    {"shortconv", HAS_CONVOLUTION},
    {"_exps", HAS_EXPERTS},
    {"ffn_", HAS_FEED_FORWARD},
};

static unsigned told_by(const char *name)
{
    unsigned has = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++)
        has |= strstr(name, parts[i].part) ? parts[i].has : 0;
    return has;
}

/* Where several are told, the first here: linear attention is written as a kind of mamba, and beside it nothing else
 * mixes. */
static kind of_tensors(unsigned has)
{
    return has & HAS_LINEAR                             ? LINEAR
           : has & HAS_RECURRENT                        ? RECURRENT
           : (has & HAS_MAMBA) && (has & HAS_ATTENTION) ? MAMBA_AND_ATTENTION
           : has & HAS_MAMBA                            ? MAMBA
           : has & HAS_CONVOLUTION                      ? CONVOLUTION
           : has & HAS_ATTENTION                        ? ATTENTION
           : has & (HAS_FEED_FORWARD | HAS_EXPERTS)     ? FEED_FORWARD
                                                        : UNKNOWN;
}

/* transformers 5 has one word for linear attention and mamba */
static kind agreed(kind shown, kind told)
{
    return told == LINEAR && shown == MAMBA ? MAMBA : told ? told : shown;
}

int sg_describe_kinds(sg_model *m, const sg_config *c, sg_error *err)
{
    int layers = m->spec.n_layers;
    unsigned *has = sg_alloc_zero((size_t)layers, sizeof *has);
    if (!has)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", layers);
    for (size_t i = 0; i < m->ckpt->n_tensors; i++) {
        const char *rest;
        int layer = sg_name_layer(m->layer_prefix, m->ckpt->tensors[i].name, &rest);
        if (layer >= 0 && layer < layers)
            has[layer] |= told_by(rest);
    }
    for (int i = 0; i < layers; i++) {
        kind shown = of_tensors(has[i]);
        kind told = c->hf ? of_hf(sg_config_text(c->hf), i) : UNKNOWN;
        m->layers[i].kind = names[agreed(shown, told)][has[i] & HAS_EXPERTS ? EXPERTS : 0];
    }
    sg_free(has);
    return SG_OK;
}

/* ---- names again ------------------------------------------------------------------------------------- */

static kind of_name(const char *name, unsigned *more)
{
    for (size_t k = 0; k < N_KINDS; k++)
        for (*more = 0; *more < N_NAMES; ++*more)
            if (strcmp(names[k][*more], name) == 0)
                return (kind)k;
    *more = 0;
    return UNKNOWN;
}

const char *sg_kind_said(const char *name, const char *word)
{
    unsigned more;
    kind shown = of_name(name, &more), told = of_word(word, strlen(word));
    return told == UNKNOWN || told == FEED_FORWARD ? NULL : names[agreed(shown, told)][more];
}

const char *sg_kind_shared(const char *name)
{
    unsigned more;
    kind shown = of_name(name, &more);
    return names[shown][more | SHARED_KV];
}
