/* Ids of hard strings, against HF's `tokenizers` and llama.cpp (golden/make_tokenizers.py). */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/mem.h"
#include "tokenizer/tokenizer.h"

static const struct {
    const char *name, *bos;
    bool adds; /* the GGUF says nothing of it: llama.cpp's default for the kind */
} kinds[] = {
    {"gpt2", "<|endoftext|>", false},
    {"smollm", "<|endoftext|>", false},
    {"llama3", "<|begin_of_text|>", true},
    {"dense", "<|endoftext|>", false},
    {"llama", "<s>", true},
    {"unigram", "<s>", false},
};
static json_object *cases, *variants;

static json_object *read_json(const char *name)
{
    json_object *value;
    sg_error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/%s", SG_GOLDEN, name);
    if (sg_json_read_file(&value, path, &err))
        fail_msg("%s", err.message);
    return value;
}

static int setup(void **state)
{
    (void)state;
    cases = read_json("tokenizer_cases.json");
    variants = read_json("tokenizer_variants.json");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return !json_object_put(cases) || !json_object_put(variants);
}

static json_object *read_tokenizer(const char *kind)
{
    char name[64];
    snprintf(name, sizeof name, "tokenizer_%s.json", kind);
    return read_json(name);
}

static sg_tokenizer *from_hf(json_object *json, const char *config, const char *what)
{
    sg_tokenizer *tok = NULL;
    json_object *config_json = NULL;
    sg_error err = {0};
    if ((config && sg_json_parse(&config_json, config, strlen(config), "config", &err)) ||
        sg_tokenizer_from_hf(&tok, json, config_json, what, &err))
        fail_msg("%s: %s", what, err.message);
    json_object_put(config_json);
    return tok;
}

/* Encodes string number i and compares. */
static void check_ids(const sg_tokenizer *tok, const char *what, size_t i, json_object *expected)
{
    json_object *row = json_object_array_get_idx(sg_json_get(cases, "strings"), i);
    json_object *text = json_object_array_get_idx(row, 1);
    const char *name = json_object_get_string(json_object_array_get_idx(row, 0));
    sg_error err = {0};
    int32_t *ids;
    size_t n, want = json_object_array_length(expected);
    if (sg_tokenizer_encode(tok, json_object_get_string(text), (size_t)json_object_get_string_len(text), &ids, &n,
                            &err))
        fail_msg("%s, \"%s\": %s", what, name, err.message);
    for (size_t k = 0; k < n && k < want; k++)
        if (ids[k] != json_object_get_int(json_object_array_get_idx(expected, k)))
            fail_msg("%s, \"%s\": id %zu is %d, expected %d", what, name, k, ids[k],
                     json_object_get_int(json_object_array_get_idx(expected, k)));
    if (n != want)
        fail_msg("%s, \"%s\": %zu ids, expected %zu", what, name, n, want);
    sg_free(ids);
}

static void test_hf(void **state)
{
    (void)state;
    for (size_t k = 0; k < SG_ARRAY_LEN(kinds); k++) {
        const char *kind = kinds[k].name;
        json_object *json = read_tokenizer(kind), *ids = sg_json_get(sg_json_get(cases, "base"), kind);
        sg_tokenizer *tok = from_hf(json, NULL, kind);
        json_object_put(json); /* the tokenizer has its own copy of all it needs */
        assert_true(json_object_array_length(ids) > 70);
        for (size_t i = 0; i < json_object_array_length(ids); i++)
            check_ids(tok, kind, i, json_object_array_get_idx(ids, i));
        sg_tokenizer_free(tok);
    }
}

/* The tokenizer of a GGUF, with another tokenizer.ggml.pre when pre is not NULL. */
static sg_tokenizer *from_gguf(const char *kind, const char *pre)
{
    char path[512], value[64];
    sg_error err = {0};
    sg_map map;
    sg_gguf gguf;
    sg_tokenizer *tok;
    snprintf(path, sizeof path, "%s/tokenizer_%s.gguf", SG_GOLDEN, kind);
    if (sg_map_open(&map, path, &err) || sg_gguf_parse(&gguf, map.data, map.bytes, path, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; pre && i < gguf.n_kvs; i++) {
        uint64_t bytes = strlen(pre);
        memcpy(value, &bytes, sizeof bytes);
        memcpy(value + sizeof bytes, pre, bytes);
        if (strcmp(gguf.kvs[i].key, "tokenizer.ggml.pre") == 0)
            gguf.kvs[i].value = (const uint8_t *)value;
    }
    if (sg_tokenizer_from_gguf(&tok, &gguf, path, &err))
        fail_msg("%s: %s", pre ? pre : "", err.message);
    sg_gguf_dispose(&gguf);
    sg_map_close(&map); /* the tokenizer has its own copy of all it needs */
    return tok;
}

static void test_gguf(void **state)
{
    (void)state;
    for (size_t k = 0; k < SG_ARRAY_LEN(kinds); k++) {
        json_object *ids = sg_json_get(sg_json_get(cases, "gguf"), kinds[k].name);
        sg_tokenizer *tok = from_gguf(kinds[k].name, NULL);
        for (size_t i = 0; i < json_object_array_length(ids); i++)
            check_ids(tok, kinds[k].name, i, json_object_array_get_idx(ids, i));
        size_t bytes;
        const char *bos = sg_tokenizer_spelling(tok, sg_tokenizer_bos(tok), &bytes);
        assert_true(bytes == strlen(kinds[k].bos) && !memcmp(bos, kinds[k].bos, bytes));
        assert_int_equal(sg_tokenizer_adds_bos(tok), kinds[k].adds);
        sg_tokenizer_free(tok);
    }
}

/* Each row of llama.cpp's pre-tokenizers, on a vocabulary that has merges across every place to cut. */
static void test_pre(void **state)
{
    (void)state;
    json_object_object_foreach(sg_json_get(cases, "pre"), pre, all)
    {
        sg_tokenizer *tok = from_gguf("dense", pre);
        json_object_object_foreach(all, index, ids) check_ids(tok, pre, strtoul(index, NULL, 10), ids);
        sg_tokenizer_free(tok);
    }
}

/* Puts change's keys into base, objects without a "type" key by key. */
static void merge(json_object *base, json_object *change)
{
    json_object_object_foreach(change, key, value)
    {
        json_object *old = sg_json_get(base, key);
        if (json_object_is_type(value, json_type_object) && json_object_is_type(old, json_type_object) &&
            !sg_json_get(value, "type"))
            merge(old, value);
        else
            json_object_object_add(base, key, json_object_get(value));
    }
}

static void test_variants(void **state)
{
    (void)state;
    for (size_t v = 0; v < json_object_array_length(variants); v++) {
        json_object *variant = json_object_array_get_idx(variants, v);
        const char *name = json_object_get_string(sg_json_get(variant, "name"));
        json_object *json = read_tokenizer(json_object_get_string(sg_json_get(variant, "base")));
        merge(json, sg_json_get(variant, "change"));
        sg_tokenizer *tok = from_hf(json, NULL, name);
        json_object_object_foreach(sg_json_get(variant, "ids"), index, ids)
            check_ids(tok, name, strtoul(index, NULL, 10), ids);
        sg_tokenizer_free(tok);
        json_object_put(json);
    }
}

/* What --bos auto means in a HF directory. */
static void test_bos(void **state)
{
    (void)state;
    static const struct {
        const char *name, *kind, *config;
        const char *bos;
        bool adds;
    } rows[] = {
        {"no config", "gpt2", NULL, NULL, false},
        {"named", "gpt2", "{\"bos_token\": \"<|endoftext|>\"}", "<|endoftext|>", false},
        {"named by an object", "gpt2", "{\"bos_token\": {\"content\": \"<|im_start|>\", \"lstrip\": false}}",
         "<|im_start|>", false},
        {"null", "gpt2", "{\"bos_token\": null, \"add_bos_token\": null}", NULL, false},
        {"named and added", "gpt2", "{\"bos_token\": \"<|endoftext|>\", \"add_bos_token\": true}", "<|endoftext|>",
         true},
        {"added, not named", "gpt2", "{\"add_bos_token\": true}", NULL, false},
        {"not in the vocabulary", "gpt2", "{\"bos_token\": \"<bos>\"}", NULL, false},
        {"template", "llama3", NULL, "<|begin_of_text|>", true},
        {"template, named", "llama3", "{\"bos_token\": \"<|begin_of_text|>\"}", "<|begin_of_text|>", true},
        {"SentencePiece", "llama", NULL, "<s>", true},
        {"Unigram", "unigram", "{\"bos_token\": \"<s>\"}", "<s>", true},
        {"template overruled", "llama3", "{\"bos_token\": \"<|begin_of_text|>\", \"add_bos_token\": false}",
         "<|begin_of_text|>", false},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        json_object *json = read_tokenizer(rows[i].kind);
        sg_tokenizer *tok = from_hf(json, rows[i].config, rows[i].name);
        size_t bytes = 0;
        const char *bos = sg_tokenizer_spelling(tok, sg_tokenizer_bos(tok), &bytes);
        if (sg_tokenizer_adds_bos(tok) != rows[i].adds || !bos != !rows[i].bos ||
            (bos && (bytes != strlen(rows[i].bos) || memcmp(bos, rows[i].bos, bytes))))
            fail_msg("%s: bos %d (%.*s), added: %d", rows[i].name, sg_tokenizer_bos(tok), (int)bytes, bos ? bos : "",
                     sg_tokenizer_adds_bos(tok));
        sg_tokenizer_free(tok);
        json_object_put(json);
    }
}

/* tokenizer_config.json's flags win, as in transformers: these ids are its own (5.24). */
static void test_config_flags(void **state)
{
    (void)state;
    static const struct {
        const char *name, *entry, *text;
        int ids[6]; /* up to -1 */
    } rows[] = {
        {"none", "", "a  <plain>  b", {65, 302, 561, 221, 299, -1}},
        {"lstrip", "\"561\":{\"content\":\"<plain>\",\"lstrip\":true}", "a  <plain>  b", {65, 561, 221, 299, -1}},
        {"lstrip, special",
         "\"561\":{\"content\":\"<plain>\",\"lstrip\":true,\"special\":true}",
         "a  <plain>  b",
         {65, 561, 221, 299, -1}},
        {"rstrip",
         "\"560\":{\"content\":\"<|im_start|>\",\"rstrip\":true}",
         "a  <|im_start|>  b",
         {65, 302, 560, 66, -1}},
        {"new token", "\"700\":{\"content\":\"zzz\"}", "zzz", {700, -1}},
        {"another token's id", "\"561\":{\"content\":\"a\",\"lstrip\":true}", "", {-1}},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        json_object *json = read_tokenizer("gpt2"), *config;
        char text[256];
        sg_tokenizer *tok = NULL;
        sg_error err = {0};
        int32_t *ids = NULL;
        size_t n = 0;
        snprintf(text, sizeof text, "{\"added_tokens_decoder\":{%s}}", rows[i].entry);
        assert_int_equal(sg_json_parse(&config, text, strlen(text), "config", &err), SG_OK);
        int rc = sg_tokenizer_from_hf(&tok, json, config, "gpt2", &err);
        json_object_put(json);
        json_object_put(config);
        if (rows[i].ids[0] < 0) {
            assert_int_equal(rc, SG_ERR_FORMAT);
            continue;
        }
        if (rc || sg_tokenizer_encode(tok, rows[i].text, strlen(rows[i].text), &ids, &n, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        for (size_t k = 0; k <= n; k++)
            if ((k < n ? ids[k] : -1) != rows[i].ids[k])
                fail_msg("%s: id %zu is %d", rows[i].name, k, k < n ? ids[k] : -1);
        sg_free(ids);
        sg_tokenizer_free(tok);
    }
}

static void test_getters(void **state)
{
    (void)state;
    json_object *json = read_tokenizer("llama3"), *added = sg_json_get(json, "added_tokens"), *last = NULL;
    sg_tokenizer *tok = from_hf(json, NULL, "llama3");
    size_t bytes, most = 0;
    for (size_t i = 0; i < json_object_array_length(added); i++) {
        json_object *token = json_object_array_get_idx(added, i);
        size_t id = (size_t)json_object_get_int64(sg_json_get(token, "id"));
        if (id >= most)
            most = id, last = sg_json_get(token, "content");
    }
    assert_int_equal(sg_tokenizer_vocab(tok), most + 1);
    const char *spelling = sg_tokenizer_spelling(tok, (int32_t)most, &bytes);
    assert_int_equal(bytes, json_object_get_string_len(last));
    assert_memory_equal(spelling, json_object_get_string(last), bytes);
    assert_null(sg_tokenizer_spelling(tok, (int32_t)most + 1, &bytes));
    assert_null(sg_tokenizer_spelling(tok, -1, &bytes));
    sg_tokenizer_free(tok);
    sg_tokenizer_free(NULL);
    json_object_put(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hf),           cmocka_unit_test(test_gguf),     cmocka_unit_test(test_pre),
        cmocka_unit_test(test_config_flags), cmocka_unit_test(test_variants), cmocka_unit_test(test_bos),
        cmocka_unit_test(test_getters),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
