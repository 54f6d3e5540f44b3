/* A tokenizer from tokenizer.ggml.*, meaning what llama.cpp (src/llama-vocab.cpp) makes of it: models "gpt2" (BPE of
 * bytes, by merges), "llama" (SentencePiece's BPE: by scores), "t5" (Unigram), "gemma4" (BPE of characters, by merges).
 */
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tokenizer/gguf_pre.h"
#include "tokenizer/internal.h"

/* clang-format off */
/* Spellings that llama.cpp takes for special whatever their token_type says. With a key: only where the metadata lacks
 * it (of several such spellings llama.cpp then takes one, by the order of a hash; we take all). */
static const struct special_group {
    const char *name; /* of the key tokenizer.ggml.NAME_token_id */
    const char *const spellings[28]; /* up to the first NULL */
} special_groups[] = {
    {NULL,
     {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
      "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>",
      "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[", "<|channel|>",
      "<|message|>", "<|start|>", "<|constrain|>"}},
    {"fim_pre",
     {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>", "<|prefix|>"}},
    {"fim_suf",
     {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>", "<|suffix|>"}},
    {"fim_mid",
     {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>", "<|middle|>"}},
    {"fim_pad", {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
    {"fim_rep", {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
    {"fim_sep", {"<|file_sep|>"}},
};
/* clang-format on */

enum token_type { TYPE_NORMAL = 1, TYPE_UNKNOWN = 2, TYPE_CONTROL = 3, TYPE_USER_DEFINED = 4, TYPE_UNUSED = 5 };

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

static int read_pre(const loader *l, const sg_gguf_pre **out)
{
    static const char supported[] = "gpt-2, smollm, llama-bpe, qwen2, deepseek-llm and the other names of llama.cpp's "
                                    "decoders";
    static const char key[] = "tokenizer.ggml.pre";
    const sg_gguf_kv *pre = sg_gguf_find(l->gguf, key);
    sg_str name;
    if (!pre)
        return sg_fail(l->err, SG_ERR_REFUSED,
                       "%s: %s is absent: llama.cpp guesses (\"default\") and warns; convert the model again "
                       "(supported: %s)",
                       l->file, key, supported);
    if (!sg_gguf_get_str(pre, &name))
        return bad(l, key, "a string");
    *out = sg_gguf_pre_find(name.data, name.bytes);
    return *out ? SG_OK : refuse_name(l, key, name, supported);
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

static bool has(const loader *l, const char *spelling)
{
    return sg_vocab_find(&l->tok->vocab, spelling, strlen(spelling)) >= 0;
}

/* NULL: not special by its spelling */
static const struct special_group *special_by_spelling(const loader *l, int32_t id)
{
    size_t bytes;
    const char *spelling = sg_vocab_spelling(&l->tok->vocab, id, &bytes);
    if (same((sg_str){spelling, bytes}, "</s>") && has(l, "<|tool_response>"))
        return NULL; /* Gemma 4's is an ordinary token */
    for (size_t i = 0; i < SG_ARRAY_LEN(special_groups); i++)
        for (const char *const *s = special_groups[i].spellings; *s; s++)
            if (same((sg_str){spelling, bytes}, *s)) {
                char key[64];
                snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id",
                         special_groups[i].name ? special_groups[i].name : "");
                return special_groups[i].name && sg_gguf_find(l->gguf, key) ? NULL : &special_groups[i];
            }
    return NULL;
}

/* llama.cpp goes by the model's name: after Phi-3's special tokens blanks are dropped. */
static bool is_phi3(const loader *l)
{
    sg_str name;
    if (!sg_gguf_get_str(sg_gguf_find(l->gguf, "general.name"), &name))
        return false;
    for (size_t i = 0; i + 4 <= name.bytes; i++) {
        const char *s = name.data + i;
        size_t dash = s[3] == '-' && i + 5 <= name.bytes;
        if (tolower(s[0]) == 'p' && tolower(s[1]) == 'h' && tolower(s[2]) == 'i' && s[3 + dash] == '3')
            return true;
    }
    return false;
}

static bool drops_blanks(const loader *l, int32_t id)
{
    static const char *const keep[] = {"<unk>", "<s>", "<|endoftext|>"};
    size_t bytes;
    const char *spelling = sg_vocab_spelling(&l->tok->vocab, id, &bytes);
    for (size_t i = 0; i < SG_ARRAY_LEN(keep); i++)
        if (same((sg_str){spelling, bytes}, keep[i]))
            return false;
    return true;
}

/* token_type of each id, as far as the file says. */
static int read_types(const loader *l, uint8_t *types)
{
    static const char key[] = "tokenizer.ggml.token_type";
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    size_t n = l->tok->vocab.n;
    memset(types, TYPE_NORMAL, n);
    if (!kv)
        return SG_OK;
    if (kv->type != SG_GGUF_ARRAY || kv->element != SG_GGUF_I32)
        return bad(l, key, "a list of 32-bit integers");
    if (kv->count < n)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s has %llu entries, expected one for each of the %zu tokens",
                       l->file, key, (unsigned long long)kv->count, n);
    for (size_t i = 0; i < n; i++) {
        int64_t type = 0;
        if (!sg_gguf_get_int(kv, i, &type))
            return bad(l, key, "a list of 32-bit integers");
        types[i] = type > 0 && type < UINT8_MAX ? (uint8_t)type : 0;
    }
    return SG_OK;
}

static int read_special(const loader *l, const uint8_t *types)
{
    bool phi3 = is_phi3(l);
    int rc = SG_OK;
    l->tok->added[0].order = SG_LONGEST_FIRST;
    for (size_t i = 0; i < l->tok->vocab.n && rc == SG_OK; i++) {
        int32_t id = (int32_t)i;
        if (types[i] == TYPE_CONTROL || types[i] == TYPE_USER_DEFINED || types[i] == TYPE_UNKNOWN ||
            special_by_spelling(l, id))
            rc = sg_added_add(&l->tok->added[0], &(sg_added_token){.id = id, .rstrip = phi3 && drops_blanks(l, id)},
                              l->err);
    }
    return rc;
}

/* ---- what ids mean as text ---------------------------------------------------------------------------- */

static bool in_list(const char *const *list, sg_str s)
{
    for (; *list; list++)
        if (same(s, *list))
            return true;
    return false;
}

/* llama.cpp ends a text at the tokens that these keys name and at all that it takes for special by their spelling, but
 * for four that it prints, and for the parts of a text with a hole. */
static int read_texts(const loader *l, const uint8_t *types)
{
    static const char *const keys[] = {"eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"};
    static const char *const printed[] = {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>", NULL};
    static const char *const inner[] = {"fim_pre", "fim_suf", "fim_mid", NULL};
    sg_vocab *v = &l->tok->vocab;
    bool harmony = has(l, "<|call|>") && has(l, "<|return|>"),
         solar = (has(l, "<|call|>") || has(l, "<|calls|>")) && has(l, "<|flush|>");
    for (size_t i = 0; i < v->n; i++) {
        sg_vocab_entry *e = &v->entries[i];
        sg_str s = {v->text + e->offset, e->bytes};
        const struct special_group *group = special_by_spelling(l, (int32_t)i);
        bool shown = in_list(printed, s) || (same(s, "<|end|>") && (harmony || solar));
        e->literal = types[i] == TYPE_USER_DEFINED || shown;
        e->special =
            !e->literal && (group || types[i] == TYPE_CONTROL || types[i] == TYPE_UNKNOWN || types[i] == TYPE_UNUSED);
        e->ends = group && !shown && !(group->name && in_list(inner, (sg_str){group->name, strlen(group->name)}));
    }
    for (size_t i = 0; i < SG_ARRAY_LEN(keys); i++) {
        char key[64];
        int64_t id = -1;
        snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", keys[i]);
        if (sg_gguf_get_int(sg_gguf_find(l->gguf, key), 0, &id))
            sg_tokenizer_set_end(l->tok, id);
        if (i == 0 && id >= 0 && (size_t)id < v->n)
            l->tok->eos = (int32_t)id;
    }
    return SG_OK;
}

/* ---- reading on ---------------------------------------------------------------------------------------- */

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

/* An id of the vocabulary; *id stays as it is when the key is absent. */
static int read_id(const loader *l, const char *key, int64_t *id)
{
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    if (kv && !sg_gguf_get_int(kv, 0, id))
        return bad(l, key, "an integer");
    if (kv && (*id < 0 || (uint64_t)*id >= l->tok->vocab.n))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s is %lld, expected 0 to %zu", l->file, key, (long long)*id,
                       l->tok->vocab.n - 1);
    return SG_OK;
}

static int read_flag(const loader *l, const char *key, bool *out)
{
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    int64_t value = *out;
    if (kv && (kv->type != SG_GGUF_BOOL || !sg_gguf_get_int(kv, 0, &value)))
        return bad(l, key, "a boolean");
    *out = value != 0;
    return SG_OK;
}

/* id, adds: the defaults. */
static int read_bos(const loader *l, int64_t id, bool adds, bool always)
{
    static const char id_key[] = "tokenizer.ggml.bos_token_id", add_key[] = "tokenizer.ggml.add_bos_token";
    int rc;
    if (id >= (int64_t)l->tok->vocab.n)
        id = -1;
    if ((rc = read_id(l, id_key, &id)) < 0 || (rc = read_flag(l, add_key, &adds)) < 0)
        return rc;
    adds = adds || always;
    if (adds && id < 0)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s is absent, but this tokenizer adds a BOS (%s)", l->file, id_key,
                       sg_gguf_find(l->gguf, add_key) ? add_key : "by its kind");
    l->tok->bos = (int32_t)id;
    l->tok->adds_bos = adds;
    return SG_OK;
}

/* scores of each id, 0 when the file has none; [vocab.n]. */
static int read_scores(const loader *l, float *scores)
{
    static const char key[] = "tokenizer.ggml.scores";
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    size_t n = l->tok->vocab.n;
    if (kv && (kv->type != SG_GGUF_ARRAY || (kv->element != SG_GGUF_F32 && kv->element != SG_GGUF_I32)))
        return bad(l, key, "a list of 32-bit floats");
    if (kv && kv->count < n)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s has %llu entries, expected one for each of the %zu tokens",
                       l->file, key, (unsigned long long)kv->count, n);
    for (size_t i = 0; i < n; i++) {
        double score = 0;
        sg_gguf_get_f64(kv, i, &score);
        if (!isfinite(score))
            return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s[%zu] is not finite", l->file, key, i);
        scores[i] = (float)score;
    }
    return SG_OK;
}

/* ---- the models ---------------------------------------------------------------------------------------- */

static int blanks_to_marks(const loader *l, const char *what)
{
    sg_rewrite *r = sg_normalizer_add(&l->tok->norm, SG_REWRITE_REPLACE, what, l->err);
    int rc = r ? sg_rewrite_set(&r->from, &r->from_bytes, " ", 1, what, l->err) : SG_ERR_REFUSED;
    return rc == SG_OK ? sg_rewrite_set(&r->to, &r->to_bytes, "\xe2\x96\x81", 3, what, l->err) : rc;
}

static int marks_to_blanks(const loader *l)
{
    return sg_decoding_replace(&l->tok->decoding, "\xe2\x96\x81", " ", l->err);
}

static int load_merges(const loader *l, const sg_gguf_pre *pre)
{
    sg_bpe *bpe = &l->tok->bpe;
    int rc;
    if ((rc = read_merges(l)) < 0 || (rc = read_bos(l, -1, pre->adds_bos, pre->always_bos)) < 0)
        return rc;
    l->tok->decoding.byte_level = !pre->characters;
    l->tok->decoding.byte_tokens = pre->characters;
    if (pre->characters && (rc = marks_to_blanks(l)) == SG_OK)
        rc = blanks_to_marks(l, pre->names[0]);
    for (const char *const *regex = pre->regexes; *regex && rc == SG_OK; regex++)
        rc = sg_pretokenizer_split(&l->tok->pre, *regex, strlen(*regex), false, SG_ISOLATED, false, pre->names[0],
                                   l->err);
    bpe->ignore_merges = pre->ignore_merges;
    bpe->characters = bpe->bytes_at_end = pre->characters;
    bpe->newlines_whole = pre->newlines_whole;
    bpe->missing = SG_MISSING_BREAK;
    sg_bpe_find_bytes(bpe, &l->tok->vocab, NULL);
    return rc;
}

static int load_gpt2(const loader *l, const float *scores, const uint8_t *types)
{
    const sg_gguf_pre *pre = NULL;
    (void)scores;
    (void)types;
    int rc = read_pre(l, &pre);
    return rc == SG_OK ? load_merges(l, pre) : rc;
}

static int load_gemma4(const loader *l, const float *scores, const uint8_t *types)
{
    (void)scores;
    (void)types;
    return load_merges(l, sg_gguf_pre_find("gemma4", 6));
}

static int load_llama(const loader *l, const float *scores, const uint8_t *types)
{
    static const char what[] = "tokenizer.ggml.add_space_prefix";
    sg_bpe *bpe = &l->tok->bpe;
    bool prefix = true;
    int rc;
    (void)types;
    if ((rc = read_bos(l, 1, true, false)) < 0 || (rc = read_flag(l, what, &prefix)) < 0)
        return rc;
    if (prefix) {
        sg_rewrite *r = sg_normalizer_add(&l->tok->norm, SG_REWRITE_PREPEND_AFTER, what, l->err);
        rc = r ? sg_rewrite_set(&r->to, &r->to_bytes, " ", 1, what, l->err) : SG_ERR_REFUSED;
    }
    if (rc < 0 || (rc = blanks_to_marks(l, what)) < 0 || (rc = marks_to_blanks(l)) < 0)
        return rc;
    l->tok->decoding.byte_tokens = true;
    l->tok->decoding.drop_blanks = prefix;
    bpe->characters = bpe->bytes_at_end = bpe->bytes_needed = true;
    bpe->missing = SG_MISSING_BREAK;
    sg_bpe_find_bytes(bpe, &l->tok->vocab, NULL);
    return sg_bpe_rank_by_score(bpe, &l->tok->vocab, scores, l->err);
}

static int read_charsmap(const loader *l, sg_charsmap *map)
{
    static const char key[] = "tokenizer.ggml.precompiled_charsmap";
    const sg_gguf_kv *kv = sg_gguf_find(l->gguf, key);
    char what[1024];
    if (!kv)
        return SG_OK;
    if (kv->type != SG_GGUF_ARRAY || (kv->element != SG_GGUF_I8 && kv->element != SG_GGUF_U8))
        return bad(l, key, "a list of bytes");
    snprintf(what, sizeof what, "%s: %s", l->file, key);
    return sg_charsmap_read(map, kv->value, kv->count, what, l->err);
}

static int load_t5(const loader *l, const float *scores, const uint8_t *types)
{
    static const char unk_key[] = "tokenizer.ggml.unknown_token_id";
    static const char prefix_key[] = "tokenizer.ggml.add_space_prefix";
    static const char merge_key[] = "tokenizer.ggml.remove_extra_whitespaces";
    sg_tokenizer *tok = l->tok;
    sg_unigram *u = &tok->unigram;
    float lowest = FLT_MAX;
    int64_t unk = 2 < tok->vocab.n ? 2 : -1;
    sg_rewrite *r = sg_normalizer_add(&tok->norm, SG_REWRITE_UGM, prefix_key, l->err);
    int rc = r ? SG_OK : SG_ERR_REFUSED;
    tok->is_unigram = true;
    if (rc < 0 || (rc = read_bos(l, -1, false, false)) < 0 || (rc = read_id(l, unk_key, &unk)) < 0 ||
        (rc = read_flag(l, prefix_key, &r->prefix)) < 0 || (rc = read_flag(l, merge_key, &r->merge)) < 0 ||
        (rc = read_charsmap(l, &r->map)) < 0 || (rc = marks_to_blanks(l)) < 0)
        return rc;
    tok->decoding.byte_tokens = true;
    tok->decoding.drop_blanks = r->prefix;
    u->scores = sg_alloc(tok->vocab.n, sizeof *u->scores);
    if (!u->scores)
        return sg_fail(l->err, SG_ERR_NOMEM, "%s: no memory for %zu scores", l->file, tok->vocab.n);
    for (size_t i = 0; i < tok->vocab.n && rc == SG_OK; i++) {
        u->scores[i] = types[i] == TYPE_USER_DEFINED ? 0 : (double)scores[i];
        if (types[i] == TYPE_NORMAL && scores[i] < lowest)
            lowest = scores[i];
        size_t bytes = 0;
        const char *spelling = sg_vocab_spelling(&tok->vocab, (int32_t)i, &bytes);
        if (types[i] == TYPE_NORMAL || types[i] == TYPE_USER_DEFINED || types[i] == TYPE_UNUSED)
            rc = sg_trie_add(&u->trie, spelling, bytes, (int32_t)i, l->err);
        if (rc == SG_OK && types[i] == TYPE_USER_DEFINED)
            rc = sg_trie_add(&r->kept, spelling, bytes, (int32_t)i, l->err);
    }
    u->unk = (int32_t)unk;
    u->unk_score = (double)(lowest - (float)SG_UNK_PENALTY);
    return rc;
}

static const struct model {
    const char *name;
    int (*load)(const loader *l, const float *scores, const uint8_t *types);
} models[] = {{"gpt2", load_gpt2}, {"llama", load_llama}, {"t5", load_t5}, {"gemma4", load_gemma4}};

static int read_model(const loader *l, const struct model **out)
{
    static const char key[] = "tokenizer.ggml.model";
    sg_str name;
    if (!sg_gguf_get_str(sg_gguf_find(l->gguf, key), &name))
        return bad(l, key, "a string");
    for (size_t i = 0; i < SG_ARRAY_LEN(models); i++)
        if (same(name, models[i].name)) {
            *out = &models[i];
            return SG_OK;
        }
    return refuse_name(l, key, name, "gpt2 (BPE), llama (SentencePiece), t5 (Unigram), gemma4");
}

static int load(const loader *l)
{
    const struct model *model = NULL;
    float *scores = NULL;
    uint8_t *types = NULL;
    int rc;
    if ((rc = read_model(l, &model)) < 0 || (rc = read_tokens(l)) < 0)
        return rc;
    scores = sg_alloc(l->tok->vocab.n, sizeof *scores);
    types = sg_alloc(l->tok->vocab.n, 1);
    if (!scores || !types)
        rc = sg_fail(l->err, SG_ERR_NOMEM, "%s: no memory for %zu tokens", l->file, l->tok->vocab.n);
    if (rc == SG_OK && (rc = read_types(l, types)) == SG_OK && (rc = read_scores(l, scores)) == SG_OK &&
        (rc = read_special(l, types)) == SG_OK && (rc = read_texts(l, types)) == SG_OK)
        rc = model->load(l, scores, types);
    sg_free(scores);
    sg_free(types);
    return rc == SG_OK ? sg_tokenizer_finish(l->tok, l->file, l->err) : rc;
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
