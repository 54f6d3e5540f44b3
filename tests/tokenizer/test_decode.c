/* Texts of ids, against HF's `tokenizers` (golden/make_decodes.py); and that what is printed along the way is whole
 * characters. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "tokenizer/decode.h"

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

static sg_tokenizer *from_hf(const char *base, json_object *decoder)
{
    char name[64];
    sg_error err = {0};
    sg_tokenizer *tok;
    snprintf(name, sizeof name, "tokenizer_%s.json", base);
    json_object *json = read_json(name);
    json_object_object_add(json, "decoder", json_object_get(decoder));
    if (sg_tokenizer_from_hf(&tok, json, NULL, base, &err))
        fail_msg("%s: %s", base, err.message);
    json_object_put(json);
    return tok;
}

static sg_tokenizer *from_gguf(const char *base)
{
    char path[512];
    sg_error err = {0};
    sg_map map;
    sg_gguf gguf;
    sg_tokenizer *tok;
    snprintf(path, sizeof path, "%s/tokenizer_%s.gguf", SG_GOLDEN, base);
    if (sg_map_open(&map, path, &err) || sg_gguf_parse(&gguf, map.data, map.bytes, path, &err) ||
        sg_tokenizer_from_gguf(&tok, &gguf, path, &err))
        fail_msg("%s", err.message);
    sg_gguf_dispose(&gguf);
    sg_map_close(&map);
    return tok;
}

/* The text of ids; every piece on the way must be whole characters. */
static void decode(sg_strbuf *out, const sg_tokenizer *tok, json_object *ids, const char *what)
{
    sg_detok d;
    sg_error err = {0};
    if (sg_detok_init(&d, tok, &err))
        fail_msg("%s: %s", what, err.message);
    for (size_t i = 0; i < json_object_array_length(ids); i++) {
        size_t before = out->n;
        if (sg_detok_add(&d, json_object_get_int(json_object_array_get_idx(ids, i)), out, &err))
            fail_msg("%s: %s", what, err.message);
        if (out->n > before && !sg_utf8_valid(out->data + before, out->n - before, NULL))
            fail_msg("%s: a piece is no UTF-8", what);
    }
    sg_detok_end(&d, out);
    sg_detok_dispose(&d);
}

static int check(const sg_tokenizer *tok, json_object *row, const char *what)
{
    sg_strbuf out = {0};
    json_object *want = json_object_array_get_idx(row, 1);
    decode(&out, tok, json_object_array_get_idx(row, 0), what);
    size_t n = (size_t)json_object_get_string_len(want);
    bool same = out.n == n && (!n || !memcmp(out.data, json_object_get_string(want), n));
    if (!same)
        print_error("%s, ids %s: \"%s\", expected \"%s\"\n", what,
                    json_object_to_json_string(json_object_array_get_idx(row, 0)), out.data ? out.data : "",
                    json_object_get_string(want));
    sg_strbuf_free(&out);
    return !same;
}

static void test_hf(void **state)
{
    (void)state;
    json_object *all = read_json("tokenizer_decodes.json");
    int bad = 0;
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        json_object *kind = json_object_array_get_idx(all, i), *rows = sg_json_get(kind, "rows");
        char what[128];
        snprintf(what, sizeof what, "%s, %s", json_object_get_string(sg_json_get(kind, "base")),
                 json_object_get_string(sg_json_get(kind, "name")));
        sg_tokenizer *tok = from_hf(json_object_get_string(sg_json_get(kind, "base")), sg_json_get(kind, "decoder"));
        assert_true(json_object_array_length(rows) > 40);
        for (size_t r = 0; r < json_object_array_length(rows); r++)
            bad += check(tok, json_object_array_get_idx(rows, r), what);
        sg_tokenizer_free(tok);
    }
    json_object_put(all);
    assert_int_equal(bad, 0);
}

/* Does llama.cpp make another text of these? An added token is its text there, be it in the byte-level alphabet, too;
 * and "</s>" ends a text whatever its type. */
static bool differs(const sg_tokenizer *tok, json_object *ids)
{
    static const char *const spellings[] = {"Größe", "é", "</s>"};
    for (size_t i = 0; i < json_object_array_length(ids); i++) {
        size_t bytes = 0;
        const char *s = sg_tokenizer_spelling(tok, json_object_get_int(json_object_array_get_idx(ids, i)), &bytes);
        for (size_t k = 0; s && k < SG_ARRAY_LEN(spellings); k++)
            if (bytes == strlen(spellings[k]) && !memcmp(s, spellings[k], bytes))
                return true;
    }
    return false;
}

/* The GGUFs of the same vocabularies give the same texts (special and other added tokens are told apart there, too). */
static void test_gguf(void **state)
{
    (void)state;
    static const char *const names[] = {"byte level", "Llama 2"};
    json_object *all = read_json("tokenizer_decodes.json");
    int bad = 0, kinds = 0, compared = 0;
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        json_object *kind = json_object_array_get_idx(all, i), *rows = sg_json_get(kind, "rows");
        const char *base = json_object_get_string(sg_json_get(kind, "base")),
                   *name = json_object_get_string(sg_json_get(kind, "name"));
        if (strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0)
            continue;
        sg_tokenizer *tok = from_gguf(base);
        for (size_t r = 0; r < json_object_array_length(rows); r++)
            if (!differs(tok, json_object_array_get_idx(json_object_array_get_idx(rows, r), 0))) {
                bad += check(tok, json_object_array_get_idx(rows, r), base);
                compared++;
            }
        sg_tokenizer_free(tok);
        kinds++;
    }
    json_object_put(all);
    assert_int_equal(kinds, 4);
    assert_true(compared > 150);
    assert_int_equal(bad, 0);
}

/* Byte tokens of characters come out when the last byte is there; what is broken is shown byte by byte. */
static void test_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *tokens[6], *text;
    } rows[] = {
        {"euro", {"<0xE2>", "<0x82>", "<0xAC>"}, "\xe2\x82\xac"},
        {"cut", {"<0xE2>", "<0x82>"}, "\xef\xbf\xbd\xef\xbf\xbd"},
        {"broken",
         {"<0xE2>", "<0x41>", "<0xFF>", "<0x42>"},
         "\xef\xbf\xbd"
         "A"
         "\xef\xbf\xbd"
         "B"},
        {"surrogate", {"<0xED>", "<0xA0>", "<0x80>"}, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    sg_tokenizer *tok = from_gguf("llama");
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_detok d;
        sg_strbuf out = {0};
        sg_error err = {0};
        assert_int_equal(sg_detok_init(&d, tok, &err), SG_OK);
        for (size_t t = 0; t < 6 && rows[i].tokens[t]; t++) {
            int32_t id = -1;
            size_t bytes;
            for (int32_t k = 0; k < (int32_t)sg_tokenizer_vocab(tok) && id < 0; k++) {
                const char *s = sg_tokenizer_spelling(tok, k, &bytes);
                if (s && bytes == 6 && !memcmp(s, rows[i].tokens[t], 6))
                    id = k;
            }
            assert_true(id >= 0);
            assert_int_equal(sg_detok_add(&d, id, &out, &err), SG_OK);
        }
        sg_detok_end(&d, &out);
        if (strcmp(out.data, rows[i].text) != 0)
            fail_msg("%s: \"%s\"", rows[i].name, out.data);
        sg_strbuf_free(&out);
        sg_detok_dispose(&d);
    }
    sg_tokenizer_free(tok);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true}", "WordPiece"},
        {"{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"a\"}, \"content\": \"\"}", "regular expression"},
        {"{\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}", "Strip"},
        {"{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"first\"}", "Metaspace"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        json_object *decoder;
        sg_error err = {0};
        sg_detok d;
        assert_int_equal(sg_json_parse(&decoder, rows[i][0], strlen(rows[i][0]), "decoder", &err), SG_OK);
        sg_tokenizer *tok = from_hf("gpt2", decoder); /* encoding is not concerned */
        assert_int_equal(sg_detok_init(&d, tok, &err), SG_ERR_REFUSED);
        assert_non_null(strstr(err.message, rows[i][1]));
        sg_tokenizer_free(tok);
        json_object_put(decoder);
    }
}

/* Where a text ends, in a GGUF: what its keys and spellings say. */
static void test_ends(void **state)
{
    (void)state;
    sg_tokenizer *tok = from_gguf("gpt2");
    int ends = 0;
    for (int32_t id = 0; id < (int32_t)sg_tokenizer_vocab(tok); id++) {
        size_t bytes = 0;
        const char *s = sg_tokenizer_spelling(tok, id, &bytes);
        if (sg_tokenizer_ends(tok, id)) {
            ends++;
            assert_true((bytes == 13 && !memcmp(s, "<|endoftext|>", 13)) || (bytes == 4 && !memcmp(s, "</s>", 4)));
        }
    }
    assert_int_equal(ends, 2);
    sg_tokenizer_set_end(tok, 5);
    sg_tokenizer_set_end(tok, 1 << 30);
    sg_tokenizer_set_end(tok, -1);
    assert_true(sg_tokenizer_ends(tok, 5));
    sg_tokenizer_free(tok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hf), cmocka_unit_test(test_gguf),
                                       cmocka_unit_test(test_bytes), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
