/* Every allocation fails in turn, while a tokenizer is loaded and a text encoded. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "keys.h"
#include "tokenizer/tokenizer.h"

#define VOCAB "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}"
#define MODEL "\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":[\"a b\"]}"
#define NEST(inner) "{\"type\":\"Sequence\",\"normalizers\":[" inner "]}"

static long fail_at = -1; /* this allocation, counted from 0, fails */

int sg_test_fault(const char *operation)
{
    return strcmp(operation, "alloc") == 0 && fail_at >= 0 && fail_at-- == 0 ? 12 : 0;
}

/* Loads what the two files say and encodes a text, all of it with one allocation failing: its code. */
static int run_failing(const char *json, const key changed[2], long at, sg_error *err)
{
    static const char text[] = "ab <s> ba1<s>abab e\u0301\u0323\u0301 \u6625";
    sg_tokenizer *tok = NULL;
    int32_t *ids = NULL;
    size_t n = 0, bytes;
    json_object *value = NULL;
    sg_gguf parsed = {0};
    char *data = json ? NULL : build(changed, &bytes);
    if (json)
        assert_int_equal(sg_json_parse(&value, json, strlen(json), "FILE", err), SG_OK);
    else
        assert_int_equal(sg_gguf_parse(&parsed, (uint8_t *)data, bytes, "FILE", err), SG_OK);
    fail_at = at;
    int rc = json ? sg_tokenizer_from_hf(&tok, value, NULL, "FILE", err)
                  : sg_tokenizer_from_gguf(&tok, &parsed, "FILE", err);
    if (rc == SG_OK)
        rc = sg_tokenizer_encode(tok, text, sizeof text - 1, &ids, &n, err);
    sg_free(ids);
    sg_tokenizer_free(tok);
    if (!json)
        sg_gguf_dispose(&parsed);
    free(data);
    json_object_put(value);
    return rc;
}

/* Until all of it runs. */
static void test_no_memory(void **state)
{
    (void)state;
    static const struct {
        const char *json; /* NULL: a GGUF */
        key changed[2];
    } rows[] = {
        {"{" MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\","
         "\"individual_digits\":true},{\"type\":\"ByteLevel\",\"add_prefix_space\":true}]},\"added_tokens\":["
         "{\"id\":7,\"content\":\"<s>\",\"single_word\":true,\"lstrip\":true,\"rstrip\":true,\"normalized\":true,"
         "\"special\":false}]}",
         {{0}}},
        {"{" MODEL ",\"normalizer\":" NEST(
             "{\"type\":\"NFC\"},{\"type\":\"Prepend\",\"prepend\":\"x\"},{\"type\":\"Replace\","
             "\"pattern\":{\"Regex\":\"[a&&[ab]]\"},\"content\":\"b\"}") ",\"pre_tokenizer\":{"
                                                                         "\"type\":\"Metaspace\",\"replacement\":\"_\"}"
                                                                         ",\"added_tokens\":[{\"id\":7,\"content\":\"<"
                                                                         "s>\",\"single_word\":false,"
                                                                         "\"lstrip\":false,\"rstrip\":false,"
                                                                         "\"normalized\":true,\"special\":true}]}",
         {{0}}},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"<unk>\",0],[\"a\",-1],[\"ab\",-2]],\"unk_id\":0},"
         "\"normalizer\":{\"type\":"
         "\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAAA\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\","
         "\"add_prefix_space\":false}}",
         {{0}}},
        {NULL, {{0}}},
        {NULL, {{"tokenizer.ggml.model", 's', "llama"}, {"tokenizer.ggml.tokens", 'l', "a|b|ab|<0x20>"}}},
        {NULL, {{"tokenizer.ggml.model", 's', "t5"}, {"tokenizer.ggml.token_type", 'n', "4|1|2|1"}}},
    };
    for (size_t r = 0; r < SG_ARRAY_LEN(rows); r++) {
        int failed = 0;
        for (bool done = false; !done; failed++) {
            sg_error err = {0};
            int rc = run_failing(rows[r].json, rows[r].changed, failed, &err);
            done = fail_at >= 0;
            fail_at = -1;
            /* the second GGUF lacks most bytes: an error that is no lack of memory */
            bool lacks = r == 4 && rc == SG_ERR_FORMAT;
            if (rc != SG_OK && !lacks && (done || rc != SG_ERR_NOMEM || err.code != SG_ERR_NOMEM))
                fail_msg("%zu, allocation %d: %d (%s)", r, failed, rc, err.message);
        }
        assert_true(failed > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
