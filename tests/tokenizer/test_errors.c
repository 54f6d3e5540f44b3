/* Files and texts that are wrong or not supported: the code, and a sentence that names file, field and value. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/mem.h"
#include "tokenizer/tokenizer.h"

static long fail_at = -1; /* this allocation, counted from 0, fails */

int sg_test_fault(const char *operation)
{
    return strcmp(operation, "alloc") == 0 && fail_at >= 0 && fail_at-- == 0 ? 12 : 0;
}

static void expect(const char *name, int rc, const sg_error *err, int code, const char *words)
{
    if (rc != code || (rc && err->code != (sg_code)code))
        fail_msg("%s: got %d (%s), expected %d", name, rc, err->message, code);
    if (rc && (!strstr(err->message, words) ||
               (!strstr(err->message, "FILE") && !strstr(err->message, "tokenizer_config.json"))))
        fail_msg("%s: \"%s\" does not say FILE or \"%s\"", name, err->message, words);
}

/* ---- tokenizer.json -------------------------------------------------------------------------------------- */

#define VOCAB "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}"
#define MODEL "\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":[\"a b\"]}"
#define PRE "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define STEPS(steps) "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" steps "]}}"
#define MERGES(merges) "{\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":" merges "}," PRE "}"
#define IN_MODEL(more) "{\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":[\"a b\"]," more "}," PRE "}"
#define WITH_VOCAB(vocab) "{\"model\":{\"type\":\"BPE\",\"vocab\":" vocab ",\"merges\":[]}," PRE "}"
#define ADDED(added) "{" MODEL "," PRE ",\"added_tokens\":" added "}"
#define FLAGS "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true"
#define POST(post) "{" MODEL "," PRE ",\"post_processor\":" post "}"
#define SPLIT(pattern)                                                                                               \
    STEPS("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" pattern "\"},\"behavior\":\"Isolated\",\"invert\":false}," \
          "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}")

static const struct hf_row {
    const char *name, *json, *config;
    int code;
    const char *words;
} hf_rows[] = {
    {"good", "{" MODEL "," PRE "}", NULL, SG_OK, ""},
    {"good with all",
     "{" MODEL "," PRE ",\"normalizer\":null,\"added_tokens\":[{\"id\":5,\"content\":\"<s>\"," FLAGS
     "}],\"decoder\":7}",
     "{\"bos_token\":\"<s>\"}", SG_OK, ""},
    {"no object", "[]", NULL, SG_ERR_FORMAT, "JSON object"},
    {"no model", "{" PRE "}", NULL, SG_ERR_FORMAT, "model"},
    {"Unigram", "{\"model\":{\"type\":\"Unigram\"}," PRE "}", NULL, SG_ERR_REFUSED, "model.type is \"Unigram\""},
    {"no type", "{\"model\":{" VOCAB "}," PRE "}", NULL, SG_ERR_REFUSED, "model.type"},
    {"type is a number", "{\"model\":{\"type\":1}}", NULL, SG_ERR_FORMAT, "\"type\" is 1"},
    {"normalizer", "{" MODEL "," PRE ",\"normalizer\":{\"type\":\"NFC\"}}", NULL, SG_ERR_REFUSED,
     "normalizer is \"NFC\""},
    {"normalizer is a string", "{" MODEL "," PRE ",\"normalizer\":\"NFC\"}", NULL, SG_ERR_FORMAT, "normalizer"},

    {"no vocab", "{\"model\":{\"type\":\"BPE\",\"merges\":[]}," PRE "}", NULL, SG_ERR_FORMAT, "model.vocab"},
    {"empty vocab", WITH_VOCAB("{}"), NULL, SG_ERR_FORMAT, "model.vocab"},
    {"vocab is a list", WITH_VOCAB("[\"a\"]"), NULL, SG_ERR_FORMAT, "model.vocab"},
    {"id is a string", WITH_VOCAB("{\"a\":\"0\"}"), NULL, SG_ERR_FORMAT, "\"a\" is no integer"},
    {"id is negative", WITH_VOCAB("{\"a\":-1}"), NULL, SG_ERR_FORMAT, "\"a\" has id -1"},
    {"id is huge", WITH_VOCAB("{\"a\":4294967296}"), NULL, SG_ERR_FORMAT, "\"a\" has id 4294967296"},
    {"id past the limit", WITH_VOCAB("{\"a\":16777216}"), NULL, SG_ERR_FORMAT, "\"a\" has id 16777216"},
    {"id used twice", WITH_VOCAB("{\"a\":0,\"b\":0}"), NULL, SG_ERR_FORMAT, "id 0 is used twice, by \"a\" and \"b\""},

    {"no merges", "{\"model\":{\"type\":\"BPE\"," VOCAB "}," PRE "}", NULL, SG_ERR_FORMAT, "model.merges"},
    {"merges null", MERGES("null"), NULL, SG_ERR_FORMAT, "model.merges"},
    {"merges empty", MERGES("[]"), NULL, SG_OK, ""},
    {"merge as a pair", MERGES("[[\"a\",\"b\"]]"), NULL, SG_OK, ""},
    {"merge without a blank", MERGES("[\"ab\"]"), NULL, SG_ERR_FORMAT, "model.merges[0] is \"ab\""},
    {"merge with two blanks", MERGES("[\"a b\",\"a b a\"]"), NULL, SG_ERR_FORMAT, "model.merges[1] is \"a b a\""},
    {"merge of three", MERGES("[[\"a\",\"b\",\"a\"]]"), NULL, SG_ERR_FORMAT, "model.merges[0]"},
    {"merge of numbers", MERGES("[[1,2]]"), NULL, SG_ERR_FORMAT, "model.merges[0] is [1,2]"},
    {"merge null", MERGES("[null]"), NULL, SG_ERR_FORMAT, "model.merges[0]"},
    {"merge of nothing", MERGES("[\" \"]"), NULL, SG_ERR_FORMAT, "the first part"},
    {"first part missing", MERGES("[\"c b\"]"), NULL, SG_ERR_FORMAT,
     "\"c b\": the first part is not in the vocabulary"},
    {"second part missing", MERGES("[\"a c\"]"), NULL, SG_ERR_FORMAT, "\"a c\": the second part"},
    {"result missing", MERGES("[\"a b\",\"b a\"]"), NULL, SG_ERR_FORMAT, "model.merges[1]: \"b a\": the result"},

    {"dropout", IN_MODEL("\"dropout\":0.1"), NULL, SG_ERR_REFUSED, "model.dropout"},
    {"no dropout", IN_MODEL("\"dropout\":null,\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":null"), NULL,
     SG_OK, ""},
    {"prefix", IN_MODEL("\"continuing_subword_prefix\":\"##\""), NULL, SG_ERR_REFUSED,
     "continuing_subword_prefix is \"##\""},
    {"suffix", IN_MODEL("\"end_of_word_suffix\":\"</w>\""), NULL, SG_ERR_REFUSED, "end_of_word_suffix is \"</w>\""},
    {"byte fallback", IN_MODEL("\"byte_fallback\":true"), NULL, SG_ERR_REFUSED, "byte_fallback"},
    {"unk", IN_MODEL("\"unk_token\":\"a\",\"fuse_unk\":true"), NULL, SG_OK, ""},
    {"unk missing", IN_MODEL("\"unk_token\":\"<unk>\""), NULL, SG_ERR_FORMAT,
     "unk_token \"<unk>\" is not in the vocabulary"},
    {"ignore_merges is a number", IN_MODEL("\"ignore_merges\":1"), NULL, SG_ERR_FORMAT, "\"ignore_merges\" is 1"},

    {"added is an object", ADDED("{}"), NULL, SG_ERR_FORMAT, "added_tokens"},
    {"added without content", ADDED("[{\"id\":3," FLAGS "}]"), NULL, SG_ERR_FORMAT, "added_tokens[0]"},
    {"added without id", ADDED("[{\"content\":\"<s>\"," FLAGS "}]"), NULL, SG_ERR_FORMAT, "added_tokens[0]"},
    {"added without a flag", ADDED("[{\"id\":3,\"content\":\"<s>\",\"single_word\":false}]"), NULL, SG_ERR_FORMAT,
     "added_tokens[0].lstrip"},
    {"added, empty", ADDED("[{\"id\":0,\"content\":\"\"," FLAGS "}]"), NULL, SG_OK, ""},
    {"added, in the vocabulary", ADDED("[{\"id\":2,\"content\":\"ab\"," FLAGS "}]"), NULL, SG_OK, ""},
    {"added, another id in the vocabulary", ADDED("[{\"id\":3,\"content\":\"ab\"," FLAGS "}]"), NULL, SG_ERR_FORMAT,
     "\"ab\" is spelled twice"},
    {"added, id taken", ADDED("[{\"id\":1,\"content\":\"<s>\"," FLAGS "}]"), NULL, SG_ERR_FORMAT,
     "id 1 is used twice, by \"b\" and \"<s>\""},
    {"added, id huge", ADDED("[{\"id\":99999999999,\"content\":\"<s>\"," FLAGS "}]"), NULL, SG_ERR_FORMAT,
     "\"id\" is 99999999999"},

    {"no pre_tokenizer", "{" MODEL "}", NULL, SG_ERR_REFUSED, "pre_tokenizer"},
    {"Metaspace", "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\"}}", NULL, SG_ERR_REFUSED,
     "pre_tokenizer is \"Metaspace\""},
    {"empty Sequence", STEPS(""), NULL, SG_ERR_FORMAT, "pretokenizers"},
    {"Sequence without ByteLevel", STEPS("{\"type\":\"Digits\",\"individual_digits\":true}"), NULL, SG_ERR_REFUSED,
     "pretokenizers[0] is \"Digits\""},
    {"ByteLevel not last",
     STEPS("{\"type\":\"ByteLevel\",\"add_prefix_space\":false},{\"type\":\"Digits\",\"individual_digits\":true}"),
     NULL, SG_ERR_REFUSED, "pretokenizers[0] is \"ByteLevel\""},
    {"ByteLevel without a flag", STEPS("{\"type\":\"ByteLevel\"}"), NULL, SG_ERR_FORMAT,
     "pretokenizers[0].add_prefix_space"},
    {"Digits without a flag", STEPS("{\"type\":\"Digits\"},{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"), NULL,
     SG_ERR_FORMAT, "pretokenizers[0].individual_digits"},
    {"step is a number", STEPS("1"), NULL, SG_ERR_FORMAT, "pretokenizers[0]"},
    {"pattern", SPLIT("a"), NULL, SG_OK, ""},
    {"pattern does not compile", SPLIT("(a"), NULL, SG_ERR_FORMAT, "does not compile"},
    {"pattern ends in a backslash", SPLIT("a\\\\"), NULL, SG_ERR_FORMAT, "backslash"},
    {"pattern with \\w", SPLIT("\\\\w+"), NULL, SG_ERR_REFUSED, "\"\\w\""},
    {"pattern with a script", SPLIT("\\\\p{Han}"), NULL, SG_ERR_REFUSED, "\"\\p{Han}\""},
    {"no pattern",
     STEPS("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false},"
           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"),
     NULL, SG_ERR_FORMAT, "pretokenizers[0].pattern"},
    {"behavior",
     STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Kept\",\"invert\":false},"
           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"),
     NULL, SG_ERR_FORMAT, "behavior is \"Kept\""},
    {"empty literal",
     STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"\"},\"behavior\":\"Isolated\",\"invert\":false},"
           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"),
     NULL, SG_ERR_REFUSED, "empty text"},

    {"post_processor", POST("{\"type\":\"BertProcessing\"}"), NULL, SG_ERR_REFUSED,
     "post_processor is \"BertProcessing\""},
    {"template",
     POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\",\"type_id\":0}}],"
          "\"special_tokens\":{\"a\":{\"id\":\"a\",\"ids\":[0],\"tokens\":[\"a\"]}}}"),
     NULL, SG_OK, ""},
    {"template without single", POST("{\"type\":\"TemplateProcessing\"}"), NULL, SG_ERR_FORMAT,
     "post_processor.single"},
    {"template, token unknown",
     POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\"}}],\"special_tokens\":{}}"),
     NULL, SG_ERR_FORMAT, "one id for \"a\""},
    {"template, id unknown",
     POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\"}}],"
          "\"special_tokens\":{\"a\":{\"ids\":[9]}}}"),
     NULL, SG_ERR_FORMAT, "id 9 of \"a\""},
    {"Sequence in Sequence", POST("{\"type\":\"Sequence\",\"processors\":[{\"type\":\"Sequence\",\"processors\":[]}]}"),
     NULL, SG_ERR_REFUSED, "\"Sequence\""},

    {"bos is a number", "{" MODEL "," PRE "}", "{\"bos_token\":1}", SG_ERR_FORMAT, "bos_token"},
    {"bos without content", "{" MODEL "," PRE "}", "{\"bos_token\":{}}", SG_ERR_FORMAT, "bos_token"},
    {"bos to add is missing", "{" MODEL "," PRE "}", "{\"bos_token\":\"<s>\",\"add_bos_token\":true}", SG_ERR_FORMAT,
     "bos_token \"<s>\""},
    {"add_bos_token is a string", "{" MODEL "," PRE "}", "{\"add_bos_token\":\"yes\"}", SG_ERR_FORMAT,
     "\"add_bos_token\" is \"yes\""},
};

static int load_hf(sg_tokenizer **out, const char *text, const char *config_text, sg_error *err)
{
    json_object *json = NULL, *config = NULL;
    int rc = sg_json_parse(&json, text, strlen(text), "FILE", err);
    if (rc == SG_OK && config_text)
        rc = sg_json_parse(&config, config_text, strlen(config_text), "CONFIG", err);
    if (rc)
        fail_msg("%s", err->message);
    rc = sg_tokenizer_from_hf(out, json, config, "FILE", err);
    json_object_put(json);
    json_object_put(config);
    return rc;
}

static void test_hf(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(hf_rows); i++) {
        sg_tokenizer *tok = NULL;
        sg_error err = {0};
        int rc = load_hf(&tok, hf_rows[i].json, hf_rows[i].config, &err);
        expect(hf_rows[i].name, rc, &err, hf_rows[i].code, hf_rows[i].words);
        assert_true(rc == SG_OK || !tok);
        sg_tokenizer_free(tok);
    }
}

/* ---- GGUF metadata ------------------------------------------------------------------------------------- */

/* One key: s a string, l a list of strings divided by '|', i a 32-bit integer, b a boolean, n a list of integers
 * divided by '|'. */
typedef struct key {
    const char *key;
    char type;
    const char *value;
} key;

static const key good_keys[] = {
    {"tokenizer.ggml.model", 's', "gpt2"},        {"tokenizer.ggml.pre", 's', "gpt-2"},
    {"tokenizer.ggml.tokens", 'l', "a|b|ab|<s>"}, {"tokenizer.ggml.token_type", 'n', "1|1|1|3"},
    {"tokenizer.ggml.merges", 'l', "a b"},        {"tokenizer.ggml.bos_token_id", 'i', "3"},
};

static const struct gguf_row {
    const char *name;
    key changed[2]; /* take the place of a good key, or join; type 0: the key is absent */
    int code;
    const char *words;
} gguf_rows[] = {
    {"good", {{0}}, SG_OK, ""},
    {"no model", {{"tokenizer.ggml.model", 0, ""}}, SG_ERR_FORMAT, "tokenizer.ggml.model is absent"},
    {"model is a number",
     {{"tokenizer.ggml.model", 'i', "1"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.model is of another type"},
    {"llama",
     {{"tokenizer.ggml.model", 's', "llama"}},
     SG_ERR_REFUSED,
     "tokenizer.ggml.model is \"llama\", supported: gpt2"},
    {"t5", {{"tokenizer.ggml.model", 's', "t5"}}, SG_ERR_REFUSED, "\"t5\""},
    {"bert", {{"tokenizer.ggml.model", 's', "bert"}}, SG_ERR_REFUSED, "\"bert\""},
    {"no pre", {{"tokenizer.ggml.pre", 0, ""}}, SG_ERR_REFUSED, "tokenizer.ggml.pre is absent"},
    {"pre",
     {{"tokenizer.ggml.pre", 's', "qwen2"}},
     SG_ERR_REFUSED,
     "tokenizer.ggml.pre is \"qwen2\", supported: gpt-2, smollm, llama-bpe"},
    {"pre is empty", {{"tokenizer.ggml.pre", 's', ""}}, SG_ERR_REFUSED, "tokenizer.ggml.pre is \"\""},
    {"pre is a number", {{"tokenizer.ggml.pre", 'i', "1"}}, SG_ERR_FORMAT, "tokenizer.ggml.pre"},
    {"no tokens", {{"tokenizer.ggml.tokens", 0, ""}}, SG_ERR_FORMAT, "tokenizer.ggml.tokens is absent"},
    {"tokens are numbers",
     {{"tokenizer.ggml.tokens", 'n', "1|2"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.tokens is of another type"},
    {"tokens is a string",
     {{"tokenizer.ggml.tokens", 's', "a"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.tokens is of another type"},
    {"token twice",
     {{"tokenizer.ggml.tokens", 'l', "a|b|ab|a"}},
     SG_ERR_FORMAT,
     "\"a\" is spelled twice, by id 0 and id 3"},
    {"token not UTF-8", {{"tokenizer.ggml.tokens", 'l', "a|b|ab|\xff"}}, SG_ERR_FORMAT, "id 3 is not UTF-8"},
    {"token empty", {{"tokenizer.ggml.tokens", 'l', "a|b|ab|"}}, SG_OK, ""},
    {"no types", {{"tokenizer.ggml.token_type", 0, ""}}, SG_OK, ""},
    {"too few types",
     {{"tokenizer.ggml.token_type", 'n', "1|1|1"}},
     SG_ERR_FORMAT,
     "token_type has 3 entries, expected one for each of the 4"},
    {"types are strings",
     {{"tokenizer.ggml.token_type", 'l', "1|1|1|1"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.token_type is of another type"},
    {"no merges", {{"tokenizer.ggml.merges", 0, ""}}, SG_ERR_FORMAT, "tokenizer.ggml.merges is absent"},
    {"merges are numbers",
     {{"tokenizer.ggml.merges", 'n', "1"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.merges is of another type"},
    {"merge without a blank",
     {{"tokenizer.ggml.merges", 'l', "a b|ab"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.merges[1] is \"ab\""},
    {"merge is a blank", {{"tokenizer.ggml.merges", 'l', " "}}, SG_ERR_FORMAT, "tokenizer.ggml.merges[0] is \" \""},
    {"merge is empty", {{"tokenizer.ggml.merges", 'l', "a b|"}}, SG_ERR_FORMAT, "tokenizer.ggml.merges[1] is \"\""},
    {"merge of an unknown part", {{"tokenizer.ggml.merges", 'l', "a c"}}, SG_ERR_FORMAT, "\"a c\": the second part"},
    {"merge with no result", {{"tokenizer.ggml.merges", 'l', "b a"}}, SG_ERR_FORMAT, "\"b a\": the result"},
    {"no BOS", {{"tokenizer.ggml.bos_token_id", 0, ""}}, SG_OK, ""},
    {"BOS out of range",
     {{"tokenizer.ggml.bos_token_id", 'i', "4"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.bos_token_id is 4, expected 0 to 3"},
    {"BOS is negative",
     {{"tokenizer.ggml.bos_token_id", 'i', "-1"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.bos_token_id is -1"},
    {"BOS is a string",
     {{"tokenizer.ggml.bos_token_id", 's', "3"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.bos_token_id is of another type"},
    {"BOS to add is missing",
     {{"tokenizer.ggml.bos_token_id", 0, ""}, {"tokenizer.ggml.add_bos_token", 'b', "1"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.bos_token_id is absent, but"},
    {"BOS that llama-bpe adds is missing",
     {{"tokenizer.ggml.bos_token_id", 0, ""}, {"tokenizer.ggml.pre", 's', "llama-bpe"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.bos_token_id is absent, but"},
    {"BOS that llama-bpe need not add",
     {{"tokenizer.ggml.pre", 's', "llama3"}, {"tokenizer.ggml.add_bos_token", 'b', "0"}},
     SG_OK,
     ""},
    {"add_bos_token is a number",
     {{"tokenizer.ggml.add_bos_token", 'i', "1"}},
     SG_ERR_FORMAT,
     "tokenizer.ggml.add_bos_token is of another type"},
};

static void put_text(FILE *f, const char *text, size_t n)
{
    uint64_t length = n;
    fwrite(&length, 8, 1, f);
    fwrite(text, 1, n, f);
}

static void put_u32(FILE *f, uint32_t v)
{
    fwrite(&v, 4, 1, f);
}

static void put_key(FILE *f, const key *k)
{
    put_text(f, k->key, strlen(k->key));
    uint64_t count = 1;
    for (const char *p = k->value; *p; p++)
        count += *p == '|';
    switch (k->type) {
    case 's':
        put_u32(f, SG_GGUF_STRING);
        put_text(f, k->value, strlen(k->value));
        return;
    case 'i':
        put_u32(f, SG_GGUF_I32);
        put_u32(f, (uint32_t)atoi(k->value));
        return;
    case 'b':
        put_u32(f, SG_GGUF_BOOL);
        fputc(*k->value - '0', f);
        return;
    default:
        put_u32(f, SG_GGUF_ARRAY);
        put_u32(f, k->type == 'l' ? SG_GGUF_STRING : SG_GGUF_I32);
        fwrite(&count, 8, 1, f);
    }
    for (const char *p = k->value; count--; p += strcspn(p, "|") + 1) {
        if (k->type == 'l')
            put_text(f, p, strcspn(p, "|"));
        else
            put_u32(f, (uint32_t)atoi(p));
    }
}

/* A GGUF file in memory; free. */
static char *build(const key changed[2], size_t *bytes)
{
    char *data = NULL;
    uint64_t n = 0;
    key keys[SG_ARRAY_LEN(good_keys) + 2];
    for (size_t i = 0; i < SG_ARRAY_LEN(good_keys); i++)
        keys[n++] = good_keys[i];
    for (size_t c = 0; c < 2 && changed[c].key; c++) {
        size_t at = 0;
        while (at < n && strcmp(keys[at].key, changed[c].key) != 0)
            at++;
        keys[at] = changed[c];
        n += at == n;
        if (!changed[c].type)
            keys[at] = keys[--n];
    }
    FILE *f = open_memstream(&data, bytes);
    fwrite("GGUF\3\0\0\0\0\0\0\0\0\0\0\0", 1, 16, f);
    fwrite(&n, 8, 1, f);
    for (uint64_t i = 0; i < n; i++)
        put_key(f, &keys[i]);
    while (ftell(f) % 32)
        fputc(0, f);
    fclose(f);
    return data;
}

static int load_gguf(sg_tokenizer **out, const key changed[2], sg_error *err)
{
    sg_gguf gguf;
    size_t bytes;
    char *data = build(changed, &bytes);
    if (sg_gguf_parse(&gguf, (uint8_t *)data, bytes, "FILE", err))
        fail_msg("%s", err->message);
    int rc = sg_tokenizer_from_gguf(out, &gguf, "FILE", err);
    sg_gguf_dispose(&gguf);
    free(data);
    return rc;
}

static void test_gguf(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(gguf_rows); i++) {
        sg_tokenizer *tok = NULL;
        sg_error err = {0};
        int rc = load_gguf(&tok, gguf_rows[i].changed, &err);
        expect(gguf_rows[i].name, rc, &err, gguf_rows[i].code, gguf_rows[i].words);
        assert_true(rc == SG_OK || !tok);
        sg_tokenizer_free(tok);
    }
}

/* ---- texts --------------------------------------------------------------------------------------------- */

static void test_text_not_utf8(void **state)
{
    (void)state;
    sg_tokenizer *tok = NULL;
    sg_error err = {0};
    int32_t *ids;
    size_t n;
    assert_int_equal(load_gguf(&tok, gguf_rows[0].changed, &err), SG_OK);
    assert_int_equal(sg_tokenizer_encode(tok, "ab\xed\xa0\x80", 5, &ids, &n, &err), SG_ERR_FORMAT);
    assert_non_null(strstr(err.message, "not UTF-8 at byte 2"));
    sg_tokenizer_free(tok);
}

/* ---- no memory ----------------------------------------------------------------------------------------- */

/* Every allocation fails in turn, until all of it runs. */
static void test_no_memory(void **state)
{
    (void)state;
    static const char json[] =
        "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\","
        "\"individual_digits\":true},{\"type\":\"ByteLevel\",\"add_prefix_space\":true}]},\"added_tokens\":["
        "{\"id\":7,\"content\":\"<s>\",\"single_word\":true,\"lstrip\":true,\"rstrip\":true,\"normalized\":true}]}";
    for (int gguf = 0; gguf < 2; gguf++) {
        int failed = 0;
        for (long at = 0;; at++) {
            sg_tokenizer *tok = NULL;
            sg_error err = {0};
            int32_t *ids = NULL;
            size_t n = 0, bytes;
            json_object *value;
            sg_gguf parsed = {0};
            char *data = build(gguf_rows[0].changed, &bytes);
            assert_int_equal(sg_json_parse(&value, json, strlen(json), "FILE", &err), SG_OK);
            assert_int_equal(sg_gguf_parse(&parsed, (uint8_t *)data, bytes, "FILE", &err), SG_OK);
            fail_at = at;
            int rc = gguf ? sg_tokenizer_from_gguf(&tok, &parsed, "FILE", &err)
                          : sg_tokenizer_from_hf(&tok, value, NULL, "FILE", &err);
            if (rc == SG_OK)
                rc = sg_tokenizer_encode(tok, "ab <s> ba1<s>abab", 17, &ids, &n, &err);
            bool done = fail_at >= 0;
            fail_at = -1;
            sg_free(ids);
            sg_tokenizer_free(tok);
            sg_gguf_dispose(&parsed);
            free(data);
            json_object_put(value);
            if (rc != SG_OK && (rc != SG_ERR_NOMEM || err.code != SG_ERR_NOMEM))
                fail_msg("allocation %ld: %d (%s)", at, rc, err.message);
            failed += rc != SG_OK;
            if (done) {
                assert_int_equal(rc, SG_OK);
                break;
            }
        }
        assert_true(failed > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hf),
        cmocka_unit_test(test_gguf),
        cmocka_unit_test(test_text_not_utf8),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
