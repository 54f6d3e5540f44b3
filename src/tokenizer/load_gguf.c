/* A tokenizer from tokenizer.ggml.*. The metadata names a pre-tokenizer instead of spelling it, so what a name means is
 * llama.cpp's source: src/llama-vocab.cpp (names, expressions, defaults, which tokens are special) and src/unicode.cpp
 * (how it matches them). */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tokenizer/internal.h"

/* ---- what the names mean --------------------------------------------------------------------------------- */

/* llama.cpp has no caseless groups: its 's does not match U+017F, which HF's (?i:'s) does. */
static const char llama3_regex[] =
    "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
    "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char *const llama3_regexes[] = {llama3_regex, NULL};
static const char *const gpt2_regexes[] = {sg_gpt2_regex, NULL};
static const char *const smollm_regexes[] = {"\\p{N}", sg_gpt2_regex, NULL};

/* clang-format off */
/* The expressions cut one after the other; each match and each text between is a piece. */
static const struct pre_type {
    const char *name;
    const char *const *regexes;
    bool ignore_merges, adds_bos; /* llama.cpp's defaults for the name */
} pre_types[] = {
    {"gpt-2",        gpt2_regexes,   false, false},
    {"phi-2",        gpt2_regexes,   false, false},
    {"jina-es",      gpt2_regexes,   false, false},
    {"jina-de",      gpt2_regexes,   false, false},
    {"gigachat",     gpt2_regexes,   false, false},
    {"a.x-4.0",      gpt2_regexes,   false, false},
    {"mellum",       gpt2_regexes,   false, false},
    {"smollm",       smollm_regexes, false, false},
    {"llama-bpe",    llama3_regexes, true,  true },
    {"llama3",       llama3_regexes, true,  true },
    {"llama-v3",     llama3_regexes, true,  true },
    {"falcon3",      llama3_regexes, true,  true },
    {"falcon-h1",    llama3_regexes, true,  true },
    {"pixtral",      llama3_regexes, true,  true },
    {"midm-2.0",     llama3_regexes, true,  true },
    {"lfm2",         llama3_regexes, true,  true },
    {"jina-v5-nano", llama3_regexes, true,  true },
};

/* Spellings that llama.cpp takes for special whatever their token_type says. With a key: only where the metadata lacks
 * it (of several such spellings llama.cpp then takes one, by the order of a hash; we take all). */
static const struct special_group {
    const char *key;
    const char *const spellings[28]; /* up to the first NULL */
} special_groups[] = {
    {NULL,
     {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
      "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
      "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[", "<|channel|>",
      "<|message|>", "<|start|>", "<|constrain|>"}},
    {"tokenizer.ggml.fim_pre_token_id",
     {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>", "<|prefix|>"}},
    {"tokenizer.ggml.fim_suf_token_id",
     {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>", "<|suffix|>"}},
    {"tokenizer.ggml.fim_mid_token_id",
     {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>", "<|middle|>"}},
    {"tokenizer.ggml.fim_pad_token_id", {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
    {"tokenizer.ggml.fim_rep_token_id", {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
    {"tokenizer.ggml.fim_sep_token_id", {"<|file_sep|>"}},
};
/* clang-format on */

enum token_type { TYPE_NORMAL = 1, TYPE_UNKNOWN = 2, TYPE_CONTROL = 3, TYPE_USER_DEFINED = 4 };

/* ---- reading ------------------------------------------------------------------------------------------- */

typedef struct loader {
    const sg_gguf *gguf;
    const char *file;
    sg_tokenizer *tok;
    sg_error *err;
} loader;

static int bad(const loader *l, const char *key, const char *expected)
{
    return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s is %s, expected %s", l->file, key,
                   sg_gguf_find(l->gguf, key) ? "of another type" : "absent", expected);
}

static bool same(sg_str s, const char *word)
{
    return s.bytes == strlen(word) && !memcmp(s.data, word, s.bytes);
}

static int refuse_name(const loader *l, const char *key, sg_str name, const char *supported)
{
    return sg_fail(l->err, SG_ERR_REFUSED, "%s: %s is \"%.*s\", supported: %s", l->file, key,
                   (int)(name.bytes < 60 ? name.bytes : 60), name.data, supported);
}

static int read_pre(const loader *l, const struct pre_type **out)
{
    static const char supported[] = "gpt-2, smollm, llama-bpe and the names that mean the same";
    static const char key[] = "tokenizer.ggml.pre";
    const sg_gguf_kv *model = sg_gguf_find(l->gguf, "tokenizer.ggml.model"), *pre = sg_gguf_find(l->gguf, key);
    sg_str name;
    if (!model || !sg_gguf_get_str(model, &name))
        return bad(l, "tokenizer.ggml.model", "a string");
    if (!same(name, "gpt2"))
        return refuse_name(l, "tokenizer.ggml.model", name, "gpt2 (byte-level BPE)");
    if (!pre)
        return sg_fail(l->err, SG_ERR_REFUSED,
                       "%s: %s is absent: llama.cpp guesses (\"default\") and warns; convert the model again "
                       "(supported: %s)",
                       l->file, key, supported);
    if (!sg_gguf_get_str(pre, &name))
        return bad(l, key, "a string");
    for (size_t i = 0; i < SG_ARRAY_LEN(pre_types); i++)
        if (same(name, pre_types[i].name)) {
            *out = &pre_types[i];
            return SG_OK;
        }
    return refuse_name(l, key, name, supported);
}

static int strings(const loader *l, const char *key, sg_str **out, size_t *n)
{
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    if (!kv || kv->type != SG_GGUF_ARRAY || kv->element != SG_GGUF_STRING)
        return bad(l, key, "a list of strings");
    if (kv->count > INT32_MAX)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s has %llu entries, expected fewer than 2^31", l->file, key,
                       (unsigned long long)kv->count);
    *n = (size_t)kv->count;
    return sg_gguf_get_strings(kv, out, l->err);
}

static int read_tokens(const loader *l)
{
    sg_str *tokens = NULL;
    size_t n = 0;
    char what[1024], empty[32];
    int rc = strings(l, "tokenizer.ggml.tokens", &tokens, &n);
    snprintf(what, sizeof what, "%s: tokenizer.ggml.tokens", l->file);
    if (rc == SG_OK && !n)
        rc = sg_fail(l->err, SG_ERR_FORMAT, "%s has no entries", what);
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        sg_str s = tokens[i];
        if (!s.bytes) /* llama.cpp's name for it */
            s = (sg_str){empty, (size_t)snprintf(empty, sizeof empty, "[EMPTY_%zu]", i)};
        rc = sg_vocab_put(&l->tok->vocab, (int64_t)i, s.data, s.bytes, true, what, l->err);
    }
    sg_free(tokens);
    return rc;
}

static bool special_by_spelling(const loader *l, int32_t id)
{
    size_t bytes;
    const char *spelling = sg_vocab_spelling(&l->tok->vocab, id, &bytes);
    for (size_t i = 0; i < SG_ARRAY_LEN(special_groups); i++)
        for (const char *const *s = special_groups[i].spellings; *s; s++)
            if (same((sg_str){spelling, bytes}, *s))
                return !special_groups[i].key || !sg_gguf_find(l->gguf, special_groups[i].key);
    return false;
}

static int read_special(const loader *l)
{
    static const char key[] = "tokenizer.ggml.token_type";
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    size_t n = l->tok->vocab.n;
    int rc = SG_OK;
    l->tok->added[0].order = SG_LONGEST_FIRST;
    if (kv && (kv->type != SG_GGUF_ARRAY || kv->element != SG_GGUF_I32))
        return bad(l, key, "a list of 32-bit integers");
    if (kv && kv->count < n)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s has %llu entries, expected one for each of the %zu tokens",
                       l->file, key, (unsigned long long)kv->count, n);
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        int64_t type = TYPE_NORMAL;
        if (kv && !sg_gguf_get_int(kv, i, &type))
            return bad(l, key, "a list of 32-bit integers");
        if (type == TYPE_CONTROL || type == TYPE_USER_DEFINED || type == TYPE_UNKNOWN ||
            special_by_spelling(l, (int32_t)i))
            rc = sg_added_add(&l->tok->added[0], &(sg_added_token){.id = (int32_t)i}, l->err);
    }
    return rc;
}

/* "left right": the first blank that is not the first character divides, as llama.cpp reads it. */
static int read_merges(const loader *l)
{
    sg_str *merges = NULL;
    size_t n = 0;
    char what[1024];
    int rc = strings(l, "tokenizer.ggml.merges", &merges, &n);
    snprintf(what, sizeof what, "%s: tokenizer.ggml.merges", l->file);
    if (rc == SG_OK)
        rc = sg_bpe_reserve(&l->tok->bpe, n, l->err);
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        sg_str m = merges[i];
        const char *blank = m.bytes > 1 ? memchr(m.data + 1, ' ', m.bytes - 1) : NULL;
        if (!blank)
            rc = sg_fail(l->err, SG_ERR_FORMAT, "%s[%zu] is \"%.*s\", expected two parts and a blank between", what, i,
                         (int)(m.bytes < 60 ? m.bytes : 60), m.data);
        else
            rc = sg_bpe_add(&l->tok->bpe, &l->tok->vocab, i, m.data, (size_t)(blank - m.data), blank + 1,
                            (size_t)(m.data + m.bytes - blank - 1), false, what, l->err);
    }
    sg_free(merges);
    return rc;
}

static int read_bos(const loader *l, const struct pre_type *pre)
{
    static const char id_key[] = "tokenizer.ggml.bos_token_id", add_key[] = "tokenizer.ggml.add_bos_token";
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, id_key);
    int64_t id = -1, add = pre->adds_bos;
    if (kv && !sg_gguf_get_int(kv, 0, &id))
        return bad(l, id_key, "an integer");
    if (kv && (id < 0 || (uint64_t)id >= l->tok->vocab.n))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s is %lld, expected 0 to %zu", l->file, id_key, (long long)id,
                       l->tok->vocab.n - 1);
    kv = sg_gguf_find(l->gguf, add_key);
    if (kv && (kv->type != SG_GGUF_BOOL || !sg_gguf_get_int(kv, 0, &add)))
        return bad(l, add_key, "a boolean");
    if (add && id < 0)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s is absent, but this tokenizer adds a BOS (%s)", l->file, id_key,
                       kv ? add_key : "by its tokenizer.ggml.pre");
    l->tok->bos = (int32_t)id;
    l->tok->adds_bos = add != 0;
    return SG_OK;
}

static int load(const loader *l)
{
    const struct pre_type *pre = NULL;
    bool complete;
    int rc;
    if ((rc = read_pre(l, &pre)) < 0 || (rc = read_tokens(l)) < 0 || (rc = read_special(l)) < 0 ||
        (rc = read_merges(l)) < 0 || (rc = read_bos(l, pre)) < 0)
        return rc;
    for (const char *const *regex = pre->regexes; *regex && rc == SG_OK; regex++)
        rc = sg_pretokenizer_split(&l->tok->pre, *regex, strlen(*regex), false, SG_ISOLATED, false, pre->name, l->err);
    l->tok->bpe.ignore_merges = pre->ignore_merges;
    l->tok->bpe.missing = SG_MISSING_BREAK;
    sg_bpe_find_bytes(&l->tok->bpe, &l->tok->vocab, &complete);
    return rc == SG_OK ? sg_tokenizer_finish(l->tok, l->err) : rc;
}

int sg_tokenizer_from_gguf(sg_tokenizer **out, const sg_gguf *gguf, const char *what, sg_error *err)
{
    loader l = {.gguf = gguf, .file = what, .err = err};
    int rc = sg_tokenizer_create(&l.tok, err);
    if (rc == SG_OK)
        rc = load(&l);
    if (rc < 0) {
        sg_tokenizer_free(l.tok);
        return rc;
    }
    *out = l.tok;
    return SG_OK;
}
