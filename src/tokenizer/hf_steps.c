/* "normalizer" and "pre_tokenizer" of tokenizer.json: steps, or Sequences of steps. */
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/hf.h"

#define MAX_NESTING 4 /* Sequences in Sequences */

typedef struct step_reader {
    const char *type;
    int (*read)(sg_hf *l, json_object *step, const char *name);
} step_reader;

/* pattern: {"Regex": ...} or {"String": ...}, not empty as a string. */
static int read_pattern(sg_hf *l, json_object *step, const char *name, sg_str *out, bool *is_regex)
{
    json_object *pattern = sg_json_get(step, "pattern");
    json_object *regex = sg_json_get(pattern, "Regex"), *text = regex ? regex : sg_json_get(pattern, "String");
    if (!json_object_is_type(text, json_type_string))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.pattern: expected {\"Regex\": ...} or {\"String\": ...}", l->file,
                       name);
    *out = sg_hf_text(text);
    *is_regex = regex != NULL;
    return regex || out->bytes ? SG_OK
                               : sg_hf_refuse(l, name, "a search for an empty text", "a text that is not empty");
}

/* ---- normalizers --------------------------------------------------------------------------------------- */

static sg_rewrite *rewrite(sg_hf *l, sg_rewrite_kind kind, const char *name)
{
    return sg_normalizer_add(&l->tok->norm, kind, sg_hf_field(l, name), l->err);
}

static int read_form(sg_hf *l, json_object *step, const char *name)
{
    static const char *const forms[] = {[SG_NFC] = "NFC", [SG_NFD] = "NFD", [SG_NFKC] = "NFKC", [SG_NFKD] = "NFKD"};
    const char *type;
    size_t form = 0;
    sg_rewrite *r = rewrite(l, SG_REWRITE_FORM, name);
    int rc = r ? sg_hf_type(l, step, name, &type) : SG_ERR_REFUSED;
    if (rc < 0)
        return rc;
    while (strcmp(forms[form], type) != 0)
        form++;
    r->form = (sg_form)form;
    return SG_OK;
}

static int read_lowercase(sg_hf *l, json_object *step, const char *name)
{
    (void)step;
    return rewrite(l, SG_REWRITE_LOWERCASE, name) ? SG_OK : SG_ERR_REFUSED;
}

static int read_strip_accents(sg_hf *l, json_object *step, const char *name)
{
    (void)step;
    return rewrite(l, SG_REWRITE_STRIP_ACCENTS, name) ? SG_OK : SG_ERR_REFUSED;
}

static int read_strip(sg_hf *l, json_object *step, const char *name)
{
    sg_rewrite *r = rewrite(l, SG_REWRITE_STRIP, name);
    int rc = r ? sg_hf_flag(l, step, name, "strip_left", &r->left) : SG_ERR_REFUSED;
    return rc == SG_OK ? sg_hf_flag(l, step, name, "strip_right", &r->right) : rc;
}

static int read_prepend(sg_hf *l, json_object *step, const char *name)
{
    sg_str text;
    sg_rewrite *r = rewrite(l, SG_REWRITE_PREPEND, name);
    int rc = r ? sg_hf_string(l, step, name, "prepend", true, &text) : SG_ERR_REFUSED;
    return rc == SG_OK ? sg_rewrite_set(&r->to, &r->to_bytes, text.data, text.bytes, sg_hf_field(l, name), l->err) : rc;
}

static int read_replace(sg_hf *l, json_object *step, const char *name)
{
    sg_str pattern, content;
    bool is_regex;
    sg_rewrite *r = rewrite(l, SG_REWRITE_REPLACE, name);
    int rc = r ? read_pattern(l, step, name, &pattern, &is_regex) : SG_ERR_REFUSED;
    if (rc < 0 || (rc = sg_hf_string(l, step, name, "content", true, &content)) < 0 ||
        (rc = sg_rewrite_set(&r->to, &r->to_bytes, content.data, content.bytes, sg_hf_field(l, name), l->err)) < 0)
        return rc;
    if (is_regex)
        return sg_regex_compile(&r->regex, pattern.data, pattern.bytes, false, sg_hf_field(l, name), l->err);
    return sg_rewrite_set(&r->from, &r->from_bytes, pattern.data, pattern.bytes, sg_hf_field(l, name), l->err);
}

/* Base64 with its padding; out has room for 3/4 of n. false: it is none. */
static bool decode_base64(const char *text, size_t n, uint8_t *out, size_t *n_out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    *n_out = 0;
    if (n % 4)
        return false;
    while (n && text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4)
            out[(*n_out)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return true;
}

static int read_precompiled(sg_hf *l, json_object *step, const char *name)
{
    sg_str text;
    size_t n;
    sg_rewrite *r = rewrite(l, SG_REWRITE_CHARSMAP, name);
    int rc = r ? sg_hf_string(l, step, name, "precompiled_charsmap", false, &text) : SG_ERR_REFUSED;
    if (rc < 0)
        return rc;
    uint8_t *data = sg_alloc(text.bytes, 1);
    if (!data)
        return sg_fail(l->err, SG_ERR_NOMEM, "%s: no memory for %zu bytes", sg_hf_field(l, name), text.bytes);
    if (decode_base64(text.data, text.bytes, data, &n))
        rc = sg_charsmap_read(&r->map, data, n, sg_hf_field(l, name), l->err);
    else
        rc = sg_hf_wrong(l, name, "precompiled_charsmap in base64");
    sg_free(data);
    return rc;
}

static const step_reader normalizers[] = {
    {"NFC", read_form},
    {"NFD", read_form},
    {"NFKC", read_form},
    {"NFKD", read_form},
    {"Lowercase", read_lowercase},
    {"StripAccents", read_strip_accents},
    {"Strip", read_strip},
    {"Prepend", read_prepend},
    {"Replace", read_replace},
    {"Precompiled", read_precompiled},
    {NULL, NULL},
};

/* ---- pre-tokenizers ------------------------------------------------------------------------------------ */

static int read_byte_level(sg_hf *l, json_object *step, const char *name)
{
    bool prefix = false, use_regex = true, found;
    int rc = sg_hf_flag(l, step, name, "add_prefix_space", &prefix);
    if (rc == SG_OK)
        rc = sg_json_get_bool(step, sg_hf_field(l, name), "use_regex", &use_regex, &found, l->err);
    if (rc == SG_OK && prefix)
        rc = sg_pretokenizer_prefix_blank(&l->tok->pre, sg_hf_field(l, name), l->err);
    if (rc == SG_OK && use_regex)
        rc = sg_pretokenizer_split(&l->tok->pre, sg_gpt2_regex, strlen(sg_gpt2_regex), false, SG_ISOLATED, false,
                                   sg_hf_field(l, name), l->err);
    return rc == SG_OK ? sg_pretokenizer_spell(&l->tok->pre, sg_hf_field(l, name), l->err) : rc;
}

/* Rust's char::is_numeric is \p{N}. */
static int read_digits(sg_hf *l, json_object *step, const char *name)
{
    bool individual = false;
    int rc = sg_hf_flag(l, step, name, "individual_digits", &individual);
    if (rc < 0)
        return rc;
    return sg_pretokenizer_split(&l->tok->pre, "\\p{N}", 5, false, individual ? SG_ISOLATED : SG_CONTIGUOUS, false,
                                 sg_hf_field(l, name), l->err);
}

/* behavior may be absent where the step's own default is in *out. */
static int read_behavior(sg_hf *l, json_object *step, const char *name, sg_behavior *out)
{
    static const char *const behaviors[] = {[SG_REMOVED] = "Removed",
                                            [SG_ISOLATED] = "Isolated",
                                            [SG_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                            [SG_MERGED_WITH_NEXT] = "MergedWithNext",
                                            [SG_CONTIGUOUS] = "Contiguous"};
    const char *behavior = "";
    bool found;
    size_t b = 0;
    int rc = sg_json_get_string(step, sg_hf_field(l, name), "behavior", &behavior, &found, l->err);
    if (rc < 0)
        return rc;
    while (b < SG_ARRAY_LEN(behaviors) && strcmp(behaviors[b], behavior) != 0)
        b++;
    if (b == SG_ARRAY_LEN(behaviors))
        return sg_fail(
            l->err, SG_ERR_FORMAT,
            "%s: %s.behavior is \"%.60s\", expected Removed, Isolated, MergedWithPrevious, MergedWithNext or "
            "Contiguous",
            l->file, name, behavior);
    *out = (sg_behavior)b;
    return SG_OK;
}

static int read_split(sg_hf *l, json_object *step, const char *name)
{
    sg_behavior behavior = SG_ISOLATED;
    bool invert = false, regex = false;
    sg_str pattern;
    int rc;
    if ((rc = read_pattern(l, step, name, &pattern, &regex)) < 0 ||
        (rc = sg_hf_flag(l, step, name, "invert", &invert)) < 0 || (rc = read_behavior(l, step, name, &behavior)) < 0)
        return rc;
    return sg_pretokenizer_split(&l->tok->pre, pattern.data, pattern.bytes, !regex, behavior, invert,
                                 sg_hf_field(l, name), l->err);
}

static int split_at(sg_hf *l, const char *name, const char *pattern, sg_behavior behavior)
{
    return sg_pretokenizer_split(&l->tok->pre, pattern, strlen(pattern), false, behavior, false, sg_hf_field(l, name),
                                 l->err);
}

static int read_punctuation(sg_hf *l, json_object *step, const char *name)
{
    sg_behavior behavior = SG_ISOLATED;
    int rc = sg_json_get(step, "behavior") ? read_behavior(l, step, name, &behavior) : SG_OK;
    return rc == SG_OK ? split_at(l, name, "[!-/:-@\\[-`{-~\\p{P}]", behavior) : rc;
}

static int read_whitespace_split(sg_hf *l, json_object *step, const char *name)
{
    (void)step;
    return split_at(l, name, "\\s", SG_REMOVED);
}

static int read_metaspace(sg_hf *l, json_object *step, const char *name)
{
    static const char *const schemes[] = {
        [SG_PREPEND_ALWAYS] = "always", [SG_PREPEND_FIRST] = "first", [SG_PREPEND_NEVER] = "never"};
    const char *scheme = "always";
    bool found, prefix = true, cuts = true;
    size_t s = 0;
    sg_str mark;
    int rc;
    if ((rc = sg_hf_string(l, step, name, "replacement", false, &mark)) < 0 ||
        (rc = sg_json_get_string(step, sg_hf_field(l, name), "prepend_scheme", &scheme, &found, l->err)) < 0 ||
        (rc = sg_json_get_bool(step, sg_hf_field(l, name), "split", &cuts, &found, l->err)) < 0 ||
        (rc = sg_json_get_bool(step, sg_hf_field(l, name), "add_prefix_space", &prefix, &found, l->err)) < 0)
        return rc;
    while (s < SG_ARRAY_LEN(schemes) && strcmp(schemes[s], scheme) != 0)
        s++;
    if (s == SG_ARRAY_LEN(schemes))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.prepend_scheme is \"%.60s\", expected always, first or never",
                       l->file, name, scheme);
    if (!*mark.data || mark.bytes != sg_utf8_length(*mark.data))
        return sg_hf_wrong(l, name, "a replacement of one character");
    return sg_pretokenizer_metaspace(&l->tok->pre, mark.data, prefix ? (sg_prepend)s : SG_PREPEND_NEVER, cuts,
                                     sg_hf_field(l, name), l->err);
}

static const step_reader pre_tokenizers[] = {
    {"ByteLevel", read_byte_level},
    {"Digits", read_digits},
    {"Split", read_split},
    {"Metaspace", read_metaspace},
    {"Punctuation", read_punctuation},
    {"WhitespaceSplit", read_whitespace_split},
    {NULL, NULL},
};

/* ---- either -------------------------------------------------------------------------------------------- */

typedef struct step_kind {
    const step_reader *readers;
    const char *list; /* the key of a Sequence's steps */
    const char *supported;
} step_kind;

static const step_kind normalizer_kind = {
    normalizers, "normalizers",
    "NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace, Precompiled and a Sequence of them"};
static const step_kind pre_tokenizer_kind = {
    pre_tokenizers, "pretokenizers",
    "ByteLevel, Digits, Split, Metaspace, Punctuation, WhitespaceSplit and a Sequence of them"};

static int read_steps(sg_hf *l, const step_kind *kind, json_object *step, const char *name, int depth)
{
    const char *type;
    int rc = sg_hf_type(l, step, name, &type);
    if (rc < 0)
        return rc;
    for (const step_reader *r = kind->readers; r->type; r++)
        if (strcmp(r->type, type) == 0)
            return r->read(l, step, name);
    if (strcmp(type, "Sequence") != 0 || depth == MAX_NESTING)
        return sg_hf_refuse(l, name, type, kind->supported);
    json_object *list = sg_json_get(step, kind->list);
    if (!json_object_is_type(list, json_type_array))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: %s.%s: expected a list of steps", l->file, name, kind->list);
    for (size_t i = 0; i < json_object_array_length(list) && rc == SG_OK; i++) {
        char inner[160];
        if (snprintf(inner, sizeof inner, "%s.%s[%zu]", name, kind->list, i) >= (int)sizeof inner)
            inner[sizeof inner - 4] = 0; /* a name for errors: cut is good enough */
        rc = read_steps(l, kind, json_object_array_get_idx(list, i), inner, depth + 1);
    }
    return rc;
}

int sg_hf_read_normalizer(sg_hf *l)
{
    json_object *step = sg_json_get(l->root, "normalizer");
    return step ? read_steps(l, &normalizer_kind, step, "normalizer", 0) : SG_OK;
}

int sg_hf_read_pre_tokenizer(sg_hf *l)
{
    json_object *step = sg_json_get(l->root, "pre_tokenizer");
    return step ? read_steps(l, &pre_tokenizer_kind, step, "pre_tokenizer", 0) : SG_OK;
}
