/* "decoder" of tokenizer.json. One that is not known does not keep a text from being tokenized: it is remembered, and
 * refused where ids become text. */
#include <stdio.h>
#include <string.h>

#include "tokenizer/hf.h"

static int read_step(sg_hf *l, json_object *step, const char *name, bool *fused, int depth);

static int not_known(sg_hf *l, const char *type)
{
    snprintf(l->tok->decoding.refusal, sizeof l->tok->decoding.refusal, "%.60s", *type ? type : "of no type");
    return SG_OK;
}

/* {"pattern": {"String": from}, "content": to} */
static int read_replace(sg_hf *l, json_object *step, const char *name)
{
    json_object *pattern = sg_json_get(step, "pattern");
    sg_str from, to;
    if (!sg_json_get(pattern, "String"))
        return not_known(l, "Replace by a regular expression");
    int rc = sg_hf_string(l, pattern, name, "String", false, &from);
    if (rc < 0 || (rc = sg_hf_string(l, step, name, "content", true, &to)) < 0)
        return rc;
    return sg_decoding_replace(&l->tok->decoding, from.data, to.data, l->err);
}

/* {"content": " ", "start": n, "stop": 0}, of the whole text */
static int read_strip(sg_hf *l, json_object *step, const char *name, bool fused)
{
    int64_t start = 0, stop = 0;
    sg_str content;
    int rc = sg_hf_string(l, step, name, "content", false, &content);
    if (rc < 0 || (rc = sg_json_get_int(step, sg_hf_field(l, name), "start", 0, 64, &start, NULL, l->err)) < 0 ||
        (rc = sg_json_get_int(step, sg_hf_field(l, name), "stop", 0, 64, &stop, NULL, l->err)) < 0)
        return rc;
    if (strcmp(content.data, " ") != 0 || stop || (start && !fused))
        return not_known(l, "Strip but of blanks at the beginning of the whole");
    l->tok->decoding.drop_blanks = (int)start;
    return SG_OK;
}

static int read_metaspace(sg_hf *l, json_object *step, const char *name)
{
    const char *scheme = "always";
    bool prefix = true;
    sg_str mark;
    int rc = sg_hf_string(l, step, name, "replacement", false, &mark);
    if (rc < 0 || (rc = sg_json_get_string(step, sg_hf_field(l, name), "prepend_scheme", &scheme, NULL, l->err)) < 0 ||
        (rc = sg_json_get_bool(step, sg_hf_field(l, name), "add_prefix_space", &prefix, NULL, l->err)) < 0)
        return rc;
    if (strcmp(mark.data, "\xe2\x96\x81") != 0)
        return not_known(l, "Metaspace with another mark than U+2581");
    l->tok->decoding.drop_marks = prefix && strcmp(scheme, "never") != 0;
    return sg_decoding_replace(&l->tok->decoding, mark.data, " ", l->err);
}

static int read_sequence(sg_hf *l, json_object *step, bool *fused, int depth)
{
    json_object *list = sg_json_get(step, "decoders");
    int rc = SG_OK;
    if (!json_object_is_type(list, json_type_array) || depth)
        return sg_hf_wrong(l, "decoder.decoders", "a list of steps");
    for (size_t i = 0; i < json_object_array_length(list) && rc == SG_OK; i++)
        rc = read_step(l, json_object_array_get_idx(list, i), "decoder.decoders", fused, depth + 1);
    return rc;
}

static int read_step(sg_hf *l, json_object *step, const char *name, bool *fused, int depth)
{
    const char *type;
    int rc = sg_hf_type(l, step, name, &type);
    if (rc < 0)
        return rc;
    if (!strcmp(type, "ByteLevel"))
        l->tok->decoding.byte_level = true;
    else if (!strcmp(type, "ByteFallback"))
        l->tok->decoding.byte_tokens = true;
    else if (!strcmp(type, "Fuse"))
        *fused = true;
    else if (!strcmp(type, "Replace"))
        return read_replace(l, step, name);
    else if (!strcmp(type, "Strip"))
        return read_strip(l, step, name, *fused);
    else if (!strcmp(type, "Metaspace"))
        return read_metaspace(l, step, name);
    else if (!strcmp(type, "Sequence"))
        return read_sequence(l, step, fused, depth);
    else
        return not_known(l, type);
    return SG_OK;
}

int sg_hf_read_decoder(sg_hf *l)
{
    json_object *decoder = sg_json_get(l->root, "decoder");
    bool fused = false;
    if (decoder && !json_object_is_type(decoder, json_type_object))
        return not_known(l, "no object");
    if (decoder)
        return read_step(l, decoder, "decoder", &fused, 0);
    l->tok->decoding.blanks = true;
    return SG_OK;
}
