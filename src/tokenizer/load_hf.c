/* A tokenizer from HF's tokenizer.json (what `tokenizers` 0.2x writes and reads) and tokenizer_config.json.
 *
 *   {"added_tokens": [{"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}],   hf_added.c
 *    "normalizer": step or Sequence of steps, "pre_tokenizer": step or Sequence of steps,               hf_steps.c
 *    "post_processor": what is put around the ids,                                                      hf_added.c
 *    "model": {"type": "BPE", "vocab": {spelling: id}, "merges": ["a b"] or [["a", "b"]], ...}          hf_model.c
 *          or {"type": "Unigram", "vocab": [[spelling, score]], "unk_id", ...}}
 *
 *    "decoder": step or Sequence of steps                                                               hf_decoder.c
 *
 * truncation and padding do not change ids and are not read. */
#include <stdio.h>
#include <string.h>

#include "tokenizer/hf.h"

const char *sg_hf_field(sg_hf *l, const char *name)
{
    snprintf(l->what, sizeof l->what, "%s: %s", l->file, name);
    return l->what;
}

int sg_hf_refuse(sg_hf *l, const char *name, const char *value, const char *supported)
{
    return sg_fail(l->err, SG_ERR_REFUSED, "%s: %s is \"%.60s\", supported: %s", l->file, name, value, supported);
}

int sg_hf_wrong(sg_hf *l, const char *name, const char *expected)
{
    return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s: expected %s", l->file, name, expected);
}

int sg_hf_flag(sg_hf *l, json_object *obj, const char *name, const char *key, bool *out)
{
    bool found = false;
    int rc = sg_json_get_bool(obj, sg_hf_field(l, name), key, out, &found, l->err);
    return rc == SG_OK && !found ? sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.%s is absent", l->file, name, key) : rc;
}

int sg_hf_type(sg_hf *l, json_object *obj, const char *name, const char **out)
{
    bool found;
    *out = "";
    if (!json_object_is_type(obj, json_type_object))
        return sg_hf_wrong(l, name, "an object or null");
    return sg_json_get_string(obj, sg_hf_field(l, name), "type", out, &found, l->err);
}

sg_str sg_hf_text(json_object *string)
{
    return (sg_str){json_object_get_string(string), (size_t)json_object_get_string_len(string)};
}

int sg_hf_string(sg_hf *l, json_object *obj, const char *name, const char *key, bool empty, sg_str *out)
{
    json_object *value = sg_json_get(obj, key);
    if (!json_object_is_type(value, json_type_string))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.%s: expected a string", l->file, name, key);
    *out = sg_hf_text(value);
    if (!out->bytes && !empty)
        return sg_fail(l->err, SG_ERR_REFUSED, "%s: %s.%s is empty, supported: a text that is not", l->file, name, key);
    return SG_OK;
}

static int load(sg_hf *l)
{
    int rc;
    if (!json_object_is_type(l->root, json_type_object))
        return sg_hf_wrong(l, "the file", "a JSON object");
    if ((rc = sg_hf_read_model(l)) < 0 || (rc = sg_hf_read_added(l)) < 0 || (rc = sg_hf_read_normalizer(l)) < 0 ||
        (rc = sg_hf_read_pre_tokenizer(l)) < 0 || (rc = sg_hf_finish_model(l)) < 0 || (rc = sg_hf_read_bos(l)) < 0 ||
        (rc = sg_hf_read_decoder(l)) < 0)
        return rc;
    return sg_tokenizer_finish(l->tok, l->file, l->err);
}

int sg_tokenizer_from_hf(sg_tokenizer **out, json_object *tokenizer, json_object *config, const char *what,
                         sg_error *err)
{
    sg_hf l = {.root = tokenizer, .config = config, .file = what, .err = err};
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
