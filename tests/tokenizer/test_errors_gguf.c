/* GGUF keys and texts that are wrong or not supported: the code, and a sentence that names file, field and value. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "expect.h"
#include "keys.h"
#include "tokenizer/tokenizer.h"

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
    {"llama", {{"tokenizer.ggml.model", 's', "llama"}}, SG_OK, ""},
    {"t5", {{"tokenizer.ggml.model", 's', "t5"}}, SG_OK, ""},
    {"gemma4", {{"tokenizer.ggml.model", 's', "gemma4"}}, SG_OK, ""},
    {"rwkv",
     {{"tokenizer.ggml.model", 's', "rwkv"}},
     SG_ERR_REFUSED,
     "tokenizer.ggml.model is \"rwkv\", supported: gpt2"},
    {"too few scores",
     {{"tokenizer.ggml.model", 's', "llama"}, {"tokenizer.ggml.scores", 'n', "1|1"}},
     SG_ERR_FORMAT,
     "scores has 2 entries, expected one for each of the 4"},
    {"scores are strings",
     {{"tokenizer.ggml.model", 's', "llama"}, {"tokenizer.ggml.scores", 'l', "1|1|1|1"}},
     SG_ERR_FORMAT,
     "scores is of another type"},
    {"score is infinite",
     {{"tokenizer.ggml.model", 's', "llama"}, {"tokenizer.ggml.scores", 'f', "1|1|inf|1"}},
     SG_ERR_FORMAT,
     "scores[2] is not finite"},
    {"add_space_prefix is a number",
     {{"tokenizer.ggml.model", 's', "llama"}, {"tokenizer.ggml.add_space_prefix", 'i', "1"}},
     SG_ERR_FORMAT,
     "add_space_prefix is of another type"},
    {"BOS of llama out of range",
     {{"tokenizer.ggml.model", 's', "llama"}, {"tokenizer.ggml.bos_token_id", 'i', "4"}},
     SG_ERR_FORMAT,
     "bos_token_id is 4"},
    {"unknown token out of range",
     {{"tokenizer.ggml.model", 's', "t5"}, {"tokenizer.ggml.unknown_token_id", 'i', "4"}},
     SG_ERR_FORMAT,
     "unknown_token_id is 4"},
    {"map is a string",
     {{"tokenizer.ggml.model", 's', "t5"}, {"tokenizer.ggml.precompiled_charsmap", 's', "abc"}},
     SG_ERR_FORMAT,
     "precompiled_charsmap is of another type"},
    {"map is short",
     {{"tokenizer.ggml.model", 's', "t5"}, {"tokenizer.ggml.precompiled_charsmap", 'u', "1|2"}},
     SG_ERR_FORMAT,
     "in a map of 2"},
    {"map's trie is longer",
     {{"tokenizer.ggml.model", 's', "t5"}, {"tokenizer.ggml.precompiled_charsmap", 'u', "8|0|0|0|1|2|3|4"}},
     SG_ERR_FORMAT,
     "a trie of 8 bytes in a map of 8"},
    {"bert", {{"tokenizer.ggml.model", 's', "bert"}}, SG_ERR_REFUSED, "\"bert\""},
    {"no pre", {{"tokenizer.ggml.pre", 0, ""}}, SG_ERR_REFUSED, "tokenizer.ggml.pre is absent"},
    {"pre",
     {{"tokenizer.ggml.pre", 's', "qwen9"}},
     SG_ERR_REFUSED,
     "tokenizer.ggml.pre is \"qwen9\", supported: gpt-2, smollm, llama-bpe"},
    {"pre is another name", {{"tokenizer.ggml.pre", 's', "deepseek-v3"}}, SG_OK, ""},
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gguf), cmocka_unit_test(test_text_not_utf8)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
