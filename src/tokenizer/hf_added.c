/* "added_tokens" and "post_processor" of tokenizer.json, and what tokenizer_config.json changes: transformers lets its
 * added_tokens_decoder add tokens and set the flags of those that are there, and its bos_token and add_bos_token win.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/hf.h"

/* ---- added tokens -------------------------------------------------------------------------------------- */

static const char config_tokens[] = "tokenizer_config.json: added_tokens_decoder";

enum flag { SINGLE_WORD, LSTRIP, RSTRIP, NORMALIZED, SPECIAL, N_FLAGS };
static const char *const flag_names[N_FLAGS] = {"single_word", "lstrip", "rstrip", "normalized", "special"};

/* The entry of tokenizer_config.json with this id and spelling, or NULL. */
static json_object *configured(const sg_hf *l, int64_t id, sg_str text)
{
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)id);
    json_object *entry = sg_json_get(sg_json_get(l->config, "added_tokens_decoder"), key);
    json_object *content = sg_json_get(entry, "content");
    if (!json_object_is_type(content, json_type_string))
        return NULL;
    sg_str other = sg_hf_text(content);
    return other.bytes == text.bytes && !memcmp(other.data, text.data, text.bytes) ? entry : NULL;
}

/* Flags may be absent there; normalized is then what special is not. */
static int configured_flags(sg_hf *l, json_object *entry, bool flags[N_FLAGS])
{
    bool found = false;
    int rc = SG_OK;
    for (size_t i = 0; i < N_FLAGS && rc == SG_OK; i++) {
        flags[i] = false;
        rc = sg_json_get_bool(entry, config_tokens, flag_names[i], &flags[i], &found, l->err);
    }
    if (!sg_json_get(entry, flag_names[NORMALIZED]))
        flags[NORMALIZED] = !flags[SPECIAL];
    return rc;
}

/* A token of either file, at that place among all. */
static int add_token(sg_hf *l, int64_t id, sg_str text, const bool flags[N_FLAGS], const char *what)
{
    int rc;
    size_t n = l->tok->added[0].n + l->tok->added[1].n;
    if (!text.bytes)
        return SG_OK; /* never found in a text: HF leaves it out, too */
    int32_t known = sg_vocab_find(&l->tok->vocab, text.data, text.bytes);
    if (known != id && (rc = sg_vocab_put(&l->tok->vocab, id, text.data, text.bytes, false, what, l->err)) < 0)
        return rc;
    l->tok->vocab.entries[id].special = flags[SPECIAL];
    return sg_added_add(
        &l->tok->added[flags[NORMALIZED]],
        &(sg_added_token){.id = (int32_t)id,
                          .order = (uint32_t)n | (flags[SPECIAL] ? 0 : 1u << 31), /* HF: specials first */
                          .single_word = flags[SINGLE_WORD],
                          .lstrip = flags[LSTRIP],
                          .rstrip = flags[RSTRIP]},
        l->err);
}

static int read_added_token(sg_hf *l, json_object *entry, const char *name)
{
    bool flags[N_FLAGS] = {false}, found;
    int64_t id = -1;
    json_object *content = sg_json_get(entry, "content"), *other;
    int rc = sg_json_get_int(entry, sg_hf_field(l, name), "id", 0, SG_MAX_VOCAB - 1, &id, &found, l->err);
    if (rc < 0)
        return rc;
    if (!found || !json_object_is_type(content, json_type_string))
        return sg_hf_wrong(l, name, "an object with id and content");
    for (size_t i = 0; i < N_FLAGS; i++)
        if ((rc = sg_hf_flag(l, entry, name, flag_names[i], &flags[i])) < 0)
            return rc;
    sg_str text = sg_hf_text(content);
    if ((other = configured(l, id, text)) && (rc = configured_flags(l, other, flags)) < 0)
        return rc;
    return add_token(l, id, text, flags, sg_hf_field(l, name));
}

/* The tokens that only tokenizer_config.json has. */
static int read_new_tokens(sg_hf *l, json_object *decoder)
{
    size_t n = l->tok->vocab.n;
    uint8_t *known = sg_alloc_zero(n, 1); /* by id */
    int rc = known ? SG_OK : sg_fail(l->err, SG_ERR_NOMEM, "no memory for %zu tokens", n);
    for (size_t a = 0; a < SG_ARRAY_LEN(l->tok->added); a++)
        for (size_t i = 0; i < l->tok->added[a].n && known; i++)
            known[l->tok->added[a].tokens[i].id] = 1;
    json_object_object_foreach(decoder, key, entry)
    {
        bool flags[N_FLAGS];
        char *end;
        long long id = strtoll(key, &end, 10);
        json_object *content = sg_json_get(entry, "content");
        if (rc < 0)
            break;
        if (*key < '0' || *key > '9' || *end || !json_object_is_type(content, json_type_string))
            rc = sg_fail(l->err, SG_ERR_FORMAT, "%s: \"%.60s\": expected an id, and a token with content",
                         config_tokens, key);
        else
            rc = configured_flags(l, entry, flags);
        if (rc < 0)
            break;
        sg_str text = sg_hf_text(content);
        int32_t other = sg_vocab_find(&l->tok->vocab, text.data, text.bytes);
        if (other >= 0 && other != id)
            rc = sg_fail(l->err, SG_ERR_FORMAT, "%s: \"%.60s\" has id %lld, and id %d in %s", config_tokens, text.data,
                         id, other, l->file);
        else if (!((size_t)id < n && known[id]))
            rc = add_token(l, id, text, flags, config_tokens);
    }
    sg_free(known);
    return rc;
}

int sg_hf_read_added(sg_hf *l)
{
    json_object *list = sg_json_get(l->root, "added_tokens");
    json_object *decoder = sg_json_get(l->config, "added_tokens_decoder");
    int rc = SG_OK;
    if (list && !json_object_is_type(list, json_type_array))
        return sg_hf_wrong(l, "added_tokens", "a list");
    for (size_t i = 0; list && i < json_object_array_length(list) && rc == SG_OK; i++) {
        char name[48];
        snprintf(name, sizeof name, "added_tokens[%zu]", i);
        rc = read_added_token(l, json_object_array_get_idx(list, i), name);
    }
    if (rc < 0 || !decoder)
        return rc;
    if (!json_object_is_type(decoder, json_type_object))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: expected an object of ids and tokens", config_tokens);
    return read_new_tokens(l, decoder);
}

/* ---- BOS ----------------------------------------------------------------------------------------------- */

/* TemplateProcessing: does `single` begin with a special token, and which id has it? */
static int read_template(sg_hf *l, json_object *post, const char *name)
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

static int read_post_processor(sg_hf *l, json_object *post, const char *name, int depth)
{
    const char *type;
    int rc;
    if (!post)
        return SG_OK;
    if ((rc = sg_hf_type(l, post, name, &type)) < 0)
        return rc;
    if (strcmp(type, "ByteLevel") == 0)
        return SG_OK; /* offsets only */
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_template(l, post, name);
    if (strcmp(type, "Sequence") != 0 || depth)
        return sg_hf_refuse(l, name, type, "ByteLevel, TemplateProcessing and a Sequence of them");
    json_object *list = sg_json_get(post, "processors");
    if (!json_object_is_type(list, json_type_array))
        return sg_hf_wrong(l, "post_processor.processors", "a list");
    for (size_t i = 0; i < json_object_array_length(list) && rc == SG_OK; i++)
        rc = read_post_processor(l, json_object_array_get_idx(list, i), "post_processor.processors", 1);
    return rc;
}

/* tokenizer_config.json names a token as a string or as {"content": ...}. *text NULL: not; *id -1: the vocabulary lacks
 * it. */
static int read_named(const sg_hf *l, const char *key, json_object **text, int32_t *id)
{
    json_object *token = sg_json_get(l->config, key);
    *text = json_object_is_type(token, json_type_object) ? sg_json_get(token, "content") : token;
    *id = -1;
    if (token && !json_object_is_type(*text, json_type_string))
        return sg_fail(l->err, SG_ERR_FORMAT, "tokenizer_config.json: %s: expected a string or an object with content",
                       key);
    if (*text) {
        sg_str s = sg_hf_text(*text);
        *id = sg_vocab_find(&l->tok->vocab, s.data, s.bytes);
    }
    return SG_OK;
}

/* BOS and EOS; the file may overrule the post-processor. */
static int read_config(sg_hf *l)
{
    json_object *text, *end;
    bool found = false, add = false;
    int32_t bos;
    int rc = sg_json_get_bool(l->config, "tokenizer_config.json", "add_bos_token", &add, &found, l->err);
    if (rc < 0 || (rc = read_named(l, "bos_token", &text, &bos)) < 0 ||
        (rc = read_named(l, "eos_token", &end, &l->tok->eos)) < 0)
        return rc;
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

int sg_hf_read_bos(sg_hf *l)
{
    int rc = read_post_processor(l, sg_json_get(l->root, "post_processor"), "post_processor", 0);
    return rc == SG_OK ? read_config(l) : rc;
}
