/* A tokenizer from HF's tokenizer.json (what `tokenizers` 0.2x writes and reads) and tokenizer_config.json.
 *
 *   {"added_tokens": [{"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}],
 *    "normalizer": null, "pre_tokenizer": step or Sequence of steps, "post_processor": what is put around the ids,
 *    "model": {"type": "BPE", "vocab": {spelling: id}, "merges": ["a b"] or [["a", "b"]], ...}}
 *
 * truncation, padding and decoder do not change ids and are not read. */
#include <stdio.h>
#include <string.h>

#include "tokenizer/internal.h"

typedef struct loader {
    json_object *root, *config; /* config may be NULL */
    const char *file;
    sg_tokenizer *tok;
    sg_error *err;
    char what[1200]; /* "file: field", of `field` below */
} loader;

/* "file: field" for errors; valid until the next call. */
static const char *field(loader *l, const char *name)
{
    snprintf(l->what, sizeof l->what, "%s: %s", l->file, name);
    return l->what;
}

static int refuse(loader *l, const char *name, const char *value, const char *supported)
{
    return sg_fail(l->err, SG_ERR_REFUSED, "%s: %s is \"%.60s\", supported: %s", l->file, name, value, supported);
}

static int wrong(loader *l, const char *name, const char *expected)
{
    return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s: expected %s", l->file, name, expected);
}

/* obj.key, a boolean that must be there. */
static int flag(loader *l, json_object *obj, const char *name, const char *key, bool *out)
{
    bool found = false;
    int rc = sg_json_get_bool(obj, field(l, name), key, out, &found, l->err);
    return rc == SG_OK && !found ? sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.%s is absent", l->file, name, key) : rc;
}

/* obj.type; *out is "" when it is absent. */
static int type_of(loader *l, json_object *obj, const char *name, const char **out)
{
    bool found;
    *out = "";
    if (!json_object_is_type(obj, json_type_object))
        return wrong(l, name, "an object or null");
    return sg_json_get_string(obj, field(l, name), "type", out, &found, l->err);
}

/* The strings of a JSON value, which may hold NUL. */
static sg_str text_of(json_object *string)
{
    return (sg_str){json_object_get_string(string), (size_t)json_object_get_string_len(string)};
}

/* ---- the model ----------------------------------------------------------------------------------------- */

static int read_vocab(loader *l, json_object *model)
{
    json_object *vocab = sg_json_get(model, "vocab");
    if (!json_object_is_type(vocab, json_type_object) || json_object_object_length(vocab) == 0)
        return wrong(l, "model.vocab", "an object of spellings and ids, not empty");
    const char *what = field(l, "model.vocab");
    json_object_object_foreach(vocab, spelling, id)
    {
        if (!json_object_is_type(id, json_type_int))
            return sg_fail(l->err, SG_ERR_FORMAT, "%s: the id of \"%.60s\" is no integer", what, spelling);
        int rc =
            sg_vocab_put(&l->tok->vocab, json_object_get_int64(id), spelling, strlen(spelling), true, what, l->err);
        if (rc < 0)
            return rc;
    }
    return SG_OK;
}

/* One merge: "left right" with exactly one blank, or ["left", "right"]. false: neither. */
static bool merge_parts(json_object *merge, sg_str *left, sg_str *right)
{
    if (json_object_is_type(merge, json_type_string)) {
        sg_str s = text_of(merge);
        const char *blank = memchr(s.data, ' ', s.bytes);
        if (!blank)
            return false;
        *left = (sg_str){s.data, (size_t)(blank - s.data)};
        *right = (sg_str){blank + 1, s.bytes - left->bytes - 1};
        return !memchr(right->data, ' ', right->bytes);
    }
    if (!json_object_is_type(merge, json_type_array) || json_object_array_length(merge) != 2)
        return false;
    json_object *a = json_object_array_get_idx(merge, 0), *b = json_object_array_get_idx(merge, 1);
    if (!json_object_is_type(a, json_type_string) || !json_object_is_type(b, json_type_string))
        return false;
    *left = text_of(a);
    *right = text_of(b);
    return true;
}

static int read_merges(loader *l, json_object *model)
{
    json_object *merges = sg_json_get(model, "merges");
    if (!json_object_is_type(merges, json_type_array))
        return wrong(l, "model.merges", "a list of merges");
    size_t n = json_object_array_length(merges);
    const char *what = field(l, "model.merges");
    int rc = sg_bpe_reserve(&l->tok->bpe, n, l->err);
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        json_object *merge = json_object_array_get_idx(merges, i);
        sg_str left, right;
        if (!merge_parts(merge, &left, &right))
            rc = sg_fail(l->err, SG_ERR_FORMAT, "%s[%zu] is %.60s, expected \"left right\" or [\"left\", \"right\"]",
                         what, i, json_object_to_json_string_ext(merge, JSON_C_TO_STRING_PLAIN));
        else
            rc = sg_bpe_add(&l->tok->bpe, &l->tok->vocab, i, left.data, left.bytes, right.data, right.bytes, true, what,
                            l->err);
    }
    return rc;
}

/* What becomes of bytes that the vocabulary lacks; of no account when it has all 256. */
static int read_missing(loader *l, json_object *model)
{
    sg_bpe *bpe = &l->tok->bpe;
    const char *unk = "";
    bool complete, found, byte_fallback = false;
    int rc;
    if ((rc = sg_json_get_string(model, field(l, "model"), "unk_token", &unk, &found, l->err)) < 0 ||
        (rc = sg_json_get_bool(model, field(l, "model"), "byte_fallback", &byte_fallback, &found, l->err)) < 0 ||
        (rc = sg_json_get_bool(model, field(l, "model"), "fuse_unk", &bpe->fuse_unk, &found, l->err)) < 0)
        return rc;
    sg_bpe_find_bytes(bpe, &l->tok->vocab, &complete);
    if (complete)
        return SG_OK;
    if (byte_fallback)
        return refuse(l, "model.byte_fallback", "true", "false, for a vocabulary that lacks a byte");
    if (!*unk)
        return SG_OK; /* SG_MISSING_JOIN */
    bpe->missing = SG_MISSING_UNK;
    bpe->unk = sg_vocab_find(&l->tok->vocab, unk, strlen(unk));
    return bpe->unk < 0
               ? sg_fail(l->err, SG_ERR_FORMAT, "%s: model.unk_token \"%.60s\" is not in the vocabulary", l->file, unk)
               : SG_OK;
}

static int read_model(loader *l)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    json_object *model = sg_json_get(l->root, "model");
    const char *type, *affix;
    bool found;
    double dropout = 0;
    int rc;
    if (!model)
        return wrong(l, "model", "an object");
    if ((rc = type_of(l, model, "model", &type)) < 0)
        return rc;
    if (strcmp(type, "BPE") != 0)
        return refuse(l, "model.type", type, "BPE (byte-level)");
    if ((rc = sg_json_get_double(model, field(l, "model"), "dropout", &dropout, &found, l->err)) < 0)
        return rc;
    if (dropout != 0)
        return refuse(l, "model.dropout", "not zero", "null");
    for (size_t i = 0; i < SG_ARRAY_LEN(affixes); i++) {
        affix = "";
        if ((rc = sg_json_get_string(model, field(l, "model"), affixes[i], &affix, &found, l->err)) < 0)
            return rc;
        if (*affix)
            return refuse(l, affixes[i], affix, "null");
    }
    if ((rc = sg_json_get_bool(model, field(l, "model"), "ignore_merges", &l->tok->bpe.ignore_merges, &found, l->err)) <
            0 ||
        (rc = read_vocab(l, model)) < 0 || (rc = read_merges(l, model)) < 0)
        return rc;
    return read_missing(l, model);
}

/* ---- added tokens -------------------------------------------------------------------------------------- */

static int read_added_token(loader *l, json_object *entry, const char *name)
{
    static const char *const keys[] = {"single_word", "lstrip", "rstrip", "normalized"};
    bool flags[4] = {false};
    int64_t id = -1;
    bool found;
    json_object *content = sg_json_get(entry, "content");
    int rc = sg_json_get_int(entry, field(l, name), "id", 0, SG_MAX_VOCAB - 1, &id, &found, l->err);
    if (rc < 0)
        return rc;
    if (!found || !json_object_is_type(content, json_type_string))
        return wrong(l, name, "an object with id and content");
    for (size_t i = 0; i < SG_ARRAY_LEN(keys); i++)
        if ((rc = flag(l, entry, name, keys[i], &flags[i])) < 0)
            return rc;
    sg_str text = text_of(content);
    if (!text.bytes)
        return SG_OK; /* never found in a text: HF leaves it out, too */
    int32_t known = sg_vocab_find(&l->tok->vocab, text.data, text.bytes);
    if (known != id &&
        (rc = sg_vocab_put(&l->tok->vocab, id, text.data, text.bytes, false, field(l, name), l->err)) < 0)
        return rc;
    return sg_added_add(
        &l->tok->added[flags[3]],
        &(sg_added_token){.id = (int32_t)id, .single_word = flags[0], .lstrip = flags[1], .rstrip = flags[2]}, l->err);
}

static int read_added(loader *l)
{
    json_object *list = sg_json_get(l->root, "added_tokens");
    int rc = SG_OK;
    if (!list)
        return SG_OK;
    if (!json_object_is_type(list, json_type_array))
        return wrong(l, "added_tokens", "a list");
    for (size_t i = 0; i < json_object_array_length(list) && rc == SG_OK; i++) {
        char name[48];
        snprintf(name, sizeof name, "added_tokens[%zu]", i);
        rc = read_added_token(l, json_object_array_get_idx(list, i), name);
    }
    return rc;
}

/* ---- the pre-tokenizer --------------------------------------------------------------------------------- */

static int read_byte_level(loader *l, json_object *step, const char *name)
{
    bool prefix = false, use_regex = true, found;
    int rc = flag(l, step, name, "add_prefix_space", &prefix);
    if (rc == SG_OK)
        rc = sg_json_get_bool(step, field(l, name), "use_regex", &use_regex, &found, l->err);
    if (rc == SG_OK && prefix)
        rc = sg_pretokenizer_prefix_blank(&l->tok->pre, field(l, name), l->err);
    if (rc == SG_OK && use_regex)
        rc = sg_pretokenizer_split(&l->tok->pre, sg_gpt2_regex, strlen(sg_gpt2_regex), false, SG_ISOLATED, false,
                                   field(l, name), l->err);
    return rc;
}

/* Rust's char::is_numeric is \p{N}. */
static int read_digits(loader *l, json_object *step, const char *name)
{
    bool individual = false;
    int rc = flag(l, step, name, "individual_digits", &individual);
    if (rc < 0)
        return rc;
    return sg_pretokenizer_split(&l->tok->pre, "\\p{N}", 5, false, individual ? SG_ISOLATED : SG_CONTIGUOUS, false,
                                 field(l, name), l->err);
}

static int read_split(loader *l, json_object *step, const char *name)
{
    static const char *const behaviors[] = {[SG_REMOVED] = "Removed",
                                            [SG_ISOLATED] = "Isolated",
                                            [SG_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                            [SG_MERGED_WITH_NEXT] = "MergedWithNext",
                                            [SG_CONTIGUOUS] = "Contiguous"};
    json_object *pattern = sg_json_get(step, "pattern");
    json_object *regex = sg_json_get(pattern, "Regex"), *literal = sg_json_get(pattern, "String");
    json_object *text = regex ? regex : literal;
    const char *behavior = "";
    bool invert = false, found;
    size_t b = 0;
    int rc;
    if (!json_object_is_type(text, json_type_string))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.pattern: expected {\"Regex\": ...} or {\"String\": ...}", l->file,
                       name);
    if ((rc = flag(l, step, name, "invert", &invert)) < 0 ||
        (rc = sg_json_get_string(step, field(l, name), "behavior", &behavior, &found, l->err)) < 0)
        return rc;
    while (b < SG_ARRAY_LEN(behaviors) && strcmp(behaviors[b], behavior) != 0)
        b++;
    if (b == SG_ARRAY_LEN(behaviors))
        return sg_fail(
            l->err, SG_ERR_FORMAT,
            "%s: %s.behavior is \"%.60s\", expected Removed, Isolated, MergedWithPrevious, MergedWithNext or "
            "Contiguous",
            l->file, name, behavior);
    sg_str s = text_of(text);
    if (!regex && !s.bytes)
        return refuse(l, name, "a split at an empty text", "a text that is not empty");
    return sg_pretokenizer_split(&l->tok->pre, s.data, s.bytes, !regex, (sg_behavior)b, invert, field(l, name), l->err);
}

static const struct step_reader {
    const char *type;
    int (*read)(loader *l, json_object *step, const char *name);
} step_readers[] = {
    {"ByteLevel", read_byte_level},
    {"Digits", read_digits},
    {"Split", read_split},
};

static int read_step(loader *l, json_object *step, const char *name, bool last)
{
    const char *type;
    int rc = type_of(l, step, name, &type);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < SG_ARRAY_LEN(step_readers); i++) {
        if (strcmp(step_readers[i].type, type) != 0)
            continue;
        if ((strcmp(type, "ByteLevel") == 0) != last)
            return refuse(l, name, type, "byte-level tokenizers: ByteLevel, once, as the last step");
        return step_readers[i].read(l, step, name);
    }
    return refuse(l, name, type, "ByteLevel, Digits, Split and a Sequence of them");
}

static int read_pre_tokenizer(loader *l)
{
    json_object *pre = sg_json_get(l->root, "pre_tokenizer");
    const char *type;
    int rc;
    if (!pre)
        return refuse(l, "pre_tokenizer", "null", "ByteLevel, or a Sequence that ends in it");
    if ((rc = type_of(l, pre, "pre_tokenizer", &type)) < 0)
        return rc;
    if (strcmp(type, "Sequence") != 0)
        return read_step(l, pre, "pre_tokenizer", true);
    json_object *steps = sg_json_get(pre, "pretokenizers");
    if (!json_object_is_type(steps, json_type_array) || !json_object_array_length(steps))
        return wrong(l, "pre_tokenizer.pretokenizers", "a list of steps");
    size_t n = json_object_array_length(steps);
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        char name[64];
        snprintf(name, sizeof name, "pre_tokenizer.pretokenizers[%zu]", i);
        rc = read_step(l, json_object_array_get_idx(steps, i), name, i == n - 1);
    }
    return rc;
}

/* ---- BOS ----------------------------------------------------------------------------------------------- */

/* TemplateProcessing: does `single` begin with a special token, and which id has it? */
static int read_template(loader *l, json_object *post, const char *name)
{
    json_object *single = sg_json_get(post, "single");
    if (!json_object_is_type(single, json_type_array))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.single: expected a list", l->file, name);
    json_object *special = sg_json_get(json_object_array_get_idx(single, 0), "SpecialToken"), *ids;
    if (!special)
        return SG_OK;
    json_object *id = sg_json_get(special, "id");
    if (!json_object_is_type(id, json_type_string))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.single[0].SpecialToken.id: expected a string", l->file, name);
    ids = sg_json_get(sg_json_get(sg_json_get(post, "special_tokens"), json_object_get_string(id)), "ids");
    if (!json_object_is_type(ids, json_type_array) || json_object_array_length(ids) != 1)
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.special_tokens: expected one id for \"%.60s\"", l->file, name,
                       json_object_get_string(id));
    int64_t bos = json_object_get_int64(json_object_array_get_idx(ids, 0));
    size_t bytes;
    if (bos < 0 || bos >= SG_MAX_VOCAB || !sg_vocab_spelling(&l->tok->vocab, (int32_t)bos, &bytes))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.special_tokens: id %lld of \"%.60s\" is not in the vocabulary",
                       l->file, name, (long long)bos, json_object_get_string(id));
    l->tok->bos = (int32_t)bos;
    l->tok->adds_bos = true;
    return SG_OK;
}

static int read_post_processor(loader *l, json_object *post, const char *name, int depth)
{
    const char *type;
    int rc;
    if (!post)
        return SG_OK;
    if ((rc = type_of(l, post, name, &type)) < 0)
        return rc;
    if (strcmp(type, "ByteLevel") == 0)
        return SG_OK; /* offsets only */
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_template(l, post, name);
    if (strcmp(type, "Sequence") != 0 || depth)
        return refuse(l, name, type, "ByteLevel, TemplateProcessing and a Sequence of them");
    json_object *list = sg_json_get(post, "processors");
    if (!json_object_is_type(list, json_type_array))
        return wrong(l, "post_processor.processors", "a list");
    for (size_t i = 0; i < json_object_array_length(list) && rc == SG_OK; i++)
        rc = read_post_processor(l, json_object_array_get_idx(list, i), "post_processor.processors", 1);
    return rc;
}

/* tokenizer_config.json names the token, as a string or as {"content": ...}, and may overrule the post-processor. */
static int read_config(loader *l)
{
    json_object *token = sg_json_get(l->config, "bos_token");
    json_object *text = json_object_is_type(token, json_type_object) ? sg_json_get(token, "content") : token;
    bool found = false, add = false;
    int32_t bos = -1;
    int rc = sg_json_get_bool(l->config, "tokenizer_config.json", "add_bos_token", &add, &found, l->err);
    if (rc < 0)
        return rc;
    if (token && !json_object_is_type(text, json_type_string))
        return sg_fail(l->err, SG_ERR_FORMAT,
                       "tokenizer_config.json: bos_token: expected a string or an object with content");
    if (text) {
        sg_str s = text_of(text);
        bos = sg_vocab_find(&l->tok->vocab, s.data, s.bytes);
    }
    if (bos >= 0)
        l->tok->bos = bos;
    if (!found)
        return SG_OK;
    if (add && text && bos < 0)
        return sg_fail(l->err, SG_ERR_FORMAT,
                       "tokenizer_config.json: bos_token \"%.60s\" is not in the vocabulary of %s",
                       json_object_get_string(text), l->file);
    l->tok->adds_bos = add && l->tok->bos >= 0;
    return SG_OK;
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

static int load(loader *l)
{
    json_object *normalizer = sg_json_get(l->root, "normalizer");
    const char *type;
    int rc;
    if (!json_object_is_type(l->root, json_type_object))
        return wrong(l, "the file", "a JSON object");
    if (normalizer && (rc = type_of(l, normalizer, "normalizer", &type)) < 0)
        return rc;
    if (normalizer)
        return refuse(l, "normalizer", type, "null");
    if ((rc = read_model(l)) < 0 || (rc = read_added(l)) < 0 || (rc = read_pre_tokenizer(l)) < 0 ||
        (rc = read_post_processor(l, sg_json_get(l->root, "post_processor"), "post_processor", 0)) < 0 ||
        (rc = read_config(l)) < 0)
        return rc;
    return sg_tokenizer_finish(l->tok, l->err);
}

int sg_tokenizer_from_hf(sg_tokenizer **out, json_object *tokenizer, json_object *config, const char *what,
                         sg_error *err)
{
    loader l = {.root = tokenizer, .config = config, .file = what, .err = err};
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
