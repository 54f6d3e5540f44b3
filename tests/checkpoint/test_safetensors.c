/* The safetensors parser: what a good header gives, and that each bad one is one clear error. */
#include "bytes.h"

#include "checkpoint/safetensors.h"

static const char path[] = "model.safetensors";

/* Data order is b, empty, a, scalar, half: 60 bytes. */
static const char good_json[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                                "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[30,54]},"
                                "\"b\":{\"dtype\":\"BF16\",\"shape\":[3,1,5],\"data_offsets\":[0,30]},"
                                "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[30,30]},"
                                "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[54,58]},"
                                "\"half\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[58,60]}}   ";

static void test_good(void **state)
{
    (void)state;
    buffer b = safetensors_file(good_json, 60);
    sg_safetensors st;
    sg_error err = {0};
    uint8_t *data = exact_copy(&b, b.n);
    int rc = sg_safetensors_parse(&st, data, b.n, path, &err);
    if (rc)
        fail_msg("%s", err.message);
    static const struct {
        const char *name, *type;
        uint64_t elements, bytes, at;
        int n_dims;
    } expected[] = {
        {"b", "BF16", 15, 30, 0, 3},    {"empty", "F32", 0, 0, 30, 2}, {"a", "F32", 6, 24, 30, 2},
        {"scalar", "F32", 1, 4, 54, 0}, {"half", "F4", 4, 2, 58, 1},
    };
    assert_int_equal(st.n_tensors, SG_ARRAY_LEN(expected));
    for (size_t i = 0; i < st.n_tensors; i++) {
        const sg_tensor *t = &st.tensors[i];
        if (strcmp(t->name, expected[i].name) || strcmp(t->type->name, expected[i].type) ||
            t->n_elements != expected[i].elements || t->bytes != expected[i].bytes ||
            t->offset != b.n - 60 + expected[i].at || t->n_dims != expected[i].n_dims)
            fail_msg("tensor %zu, %s: not as the header says", i, t->name);
    }
    assert_true(st.tensors[2].shape[0] == 2 && st.tensors[2].shape[1] == 3);
    assert_string_equal(json_object_get_string(sg_json_get(st.metadata, "format")), "pt");
    sg_safetensors_dispose(&st);
    sg_safetensors_dispose(&st);
    exact_free(data, b.n);
    free(b.p);
}

static void test_no_tensors(void **state)
{
    (void)state;
    buffer b = safetensors_file("{}", 0);
    sg_safetensors st;
    sg_error err = {0};
    assert_int_equal(sg_safetensors_parse(&st, b.p, b.n, path, &err), SG_OK);
    assert_int_equal(st.n_tensors, 0);
    assert_null(st.metadata);
    sg_safetensors_dispose(&st);
    free(b.p);
}

#define A(begin, end) "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" #begin "," #end "]}"
#define B(begin, end) "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" #begin "," #end "]}"
#define ONE(dtype, shape, offsets) "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json;
        size_t data;
        int code;
        const char *text;
    } rows[] = {
        {"no header", "", 0, SG_ERR_FORMAT, "header: has no JSON"},
        {"not JSON", "{\"a\":", 0, SG_ERR_FORMAT, "malformed JSON at byte 5"},
        {"a comma too much", "{" A(0, 8) ",}", 8, SG_ERR_FORMAT, "malformed JSON"},
        {"two values", "{} {}", 0, SG_ERR_FORMAT, "malformed JSON at byte"},
        {"not UTF-8", "{\"\xff\":1}", 0, SG_ERR_FORMAT, "malformed JSON"},
        {"an array", "[]", 0, SG_ERR_FORMAT, "the header is not a JSON object"},
        {"metadata that is no object", "{\"__metadata__\":3}", 0, SG_ERR_FORMAT, "\"__metadata__\" is not an object"},
        {"metadata with a number", "{\"__metadata__\":{\"k\":3}}", 0, SG_ERR_FORMAT,
         "the value of \"k\" is not a string"},
        {"entry that is no object", "{\"a\":7}", 0, SG_ERR_FORMAT, "tensor \"a\": \"dtype\" is not a string"},
        {"entry that is null", "{\"a\":null}", 0, SG_ERR_FORMAT, "tensor \"a\": \"dtype\""},
        {"dtype that is a number", ONE("1", "[2]", "[0,8]"), 8, SG_ERR_FORMAT, "\"dtype\" is not a string"},
        {"unknown dtype", ONE("\"F24\"", "[2]", "[0,6]"), 6, SG_ERR_REFUSED, "tensor \"a\": dtype \"F24\" is unknown"},
        {"no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, SG_ERR_FORMAT,
         "\"shape\" is not an array"},
        {"negative dimension", ONE("\"F32\"", "[2,-1]", "[0,8]"), 8, SG_ERR_FORMAT, "\"shape\"[1] is not"},
        {"fractional dimension", ONE("\"F32\"", "[2.0]", "[0,8]"), 8, SG_ERR_FORMAT, "\"shape\"[0] is not"},
        {"9 dimensions", ONE("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8, SG_ERR_REFUSED, "9 dimensions"},
        {"elements overflow", ONE("\"U8\"", "[4294967296,4294967296]", "[0,8]"), 8, SG_ERR_FORMAT,
         "the product of its shape overflows"},
        {"size overflows", ONE("\"F64\"", "[4611686018427387904]", "[0,8]"), 8, SG_ERR_FORMAT, "overflows 63 bits"},
        {"half a byte", ONE("\"F4\"", "[3]", "[0,1]"), 1, SG_ERR_FORMAT, "rows of 3 are not whole blocks of 2"},
        {"no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, SG_ERR_FORMAT, "\"data_offsets\" is not"},
        {"three offsets", ONE("\"F32\"", "[2]", "[0,8,8]"), 8, SG_ERR_FORMAT, "\"data_offsets\" is not"},
        {"negative offset", ONE("\"F32\"", "[2]", "[-8,0]"), 8, SG_ERR_FORMAT, "\"data_offsets\" is not"},
        {"offsets backwards", ONE("\"F32\"", "[2]", "[8,0]"), 8, SG_ERR_FORMAT, "\"data_offsets\" is not"},
        {"span of another size", ONE("\"F32\"", "[3]", "[0,8]"), 8, SG_ERR_FORMAT,
         "span 8 bytes, but its shape and dtype F32 take 12"},
        {"offset out of range", ONE("\"F32\"", "[2]", "[800,808]"), 8, SG_ERR_FORMAT, "download it again?"},
        {"offset beyond 64 bits", ONE("\"U8\"", "[0]", "[18446744073709551616,18446744073709551616]"), 0, SG_ERR_FORMAT,
         "ends at byte 18446744073709551615"},
        {"gap at the start", "{" A(4, 12) "}", 12, SG_ERR_FORMAT,
         "tensor \"a\" begins at byte 4 of the data, expected 0: nothing covers"},
        {"gap between", "{" A(0, 8) "," B(12, 20) "}", 20, SG_ERR_FORMAT,
         "tensor \"b\" begins at byte 12 of the data, expected 8: nothing covers"},
        {"overlap", "{" A(0, 8) "," B(4, 12) "}", 12, SG_ERR_FORMAT,
         "tensor \"b\" begins at byte 4 of the data, expected 8: it overlaps"},
        {"the same span", "{" A(0, 8) "," B(0, 8) "}", 8, SG_ERR_FORMAT, "it overlaps"},
        {"bytes behind", "{" A(0, 8) "}", 9, SG_ERR_FORMAT, "the last tensor ends at byte"},
        {"a name twice", "{" A(0, 8) "," A(8, 16) "}", 16, SG_ERR_FORMAT, "gives a tensor's name twice"},
        {"a name twice, the same span", "{" A(0, 8) "," A(0, 8) "}", 8, SG_ERR_FORMAT, "gives a tensor's name twice"},
        {"a name twice, last first", "{" A(8, 16) "," A(0, 8) "}", 16, SG_ERR_FORMAT, "gives a tensor's name twice"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        buffer b = safetensors_file(rows[i].json, rows[i].data);
        uint8_t *data = exact_copy(&b, b.n);
        sg_safetensors st;
        sg_error err = {0};
        check_error(rows[i].name, sg_safetensors_parse(&st, data, b.n, path, &err), &err, rows[i].code, path,
                    rows[i].text);
        assert_null(st.tensors);
        exact_free(data, b.n);
        free(b.p);
    }
}

static void test_bad_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t length;
        const char *text;
    } rows[] = {
        {"one past the end", 3, "header length is 3, but the file has only 10 bytes"},
        {"far past the end", 90000000, "header length is 90000000, but"},
        {"over the limit", 100000001, "header length is 100000001, expected at most 100000000"},
        {"overflows", UINT64_MAX, "header length is 18446744073709551615, expected at most"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        buffer b = safetensors_file("{}", 0);
        memcpy(b.p, &rows[i].length, 8);
        sg_safetensors st;
        sg_error err = {0};
        check_error(rows[i].name, sg_safetensors_parse(&st, b.p, b.n, path, &err), &err, SG_ERR_FORMAT, path,
                    rows[i].text);
        free(b.p);
    }
}

static void test_truncated_at_each_byte(void **state)
{
    (void)state;
    buffer b = safetensors_file(good_json, 60);
    for (size_t n = 0; n < b.n; n++) {
        sg_safetensors st;
        sg_error err = {0};
        char row[32];
        uint8_t *data = exact_copy(&b, n);
        snprintf(row, sizeof row, "cut at %zu", n);
        check_error(row, sg_safetensors_parse(&st, data, n, path, &err), &err, SG_ERR_FORMAT, path,
                    "download it again?");
        exact_free(data, n);
    }
    sg_safetensors st;
    sg_error err = {0};
    char text[128];
    snprintf(text, sizeof text, "tensor \"half\" ends at byte %zu, but the file has only %zu bytes", b.n, b.n - 1);
    check_error("cut in the data", sg_safetensors_parse(&st, b.p, b.n - 1, path, &err), &err, SG_ERR_FORMAT, path,
                text);
    check_error("empty", sg_safetensors_parse(&st, NULL, 0, path, &err), &err, SG_ERR_FORMAT, path,
                "is empty (0 bytes)");
    free(b.p);
}

static void test_damaged(void **state)
{
    (void)state;
    static const char values[] = {0, '"', '{', '}', '[', ']', ',', ':', '0', '9', '-', 'e', '\\', ' ', (char)0xff};
    buffer b = safetensors_file(good_json, 60);
    uint8_t *data = exact_copy(&b, b.n);
    for (size_t i = 0; i < b.n - 60; i++) {
        for (size_t k = 0; k < sizeof values; k++) {
            sg_safetensors st;
            sg_error err = {0};
            data[i] = (uint8_t)values[k];
            int rc = sg_safetensors_parse(&st, data, b.n, path, &err);
            if (rc && (!*err.message || rc != (int)err.code))
                fail_msg("byte %zu = %d: %d without a sentence", i, values[k], rc);
            sg_safetensors_dispose(&st);
        }
        data[i] = b.p[i];
    }
    exact_free(data, b.n);
    free(b.p);
}

static void test_many_tensors(void **state)
{
    (void)state;
    enum { N = 200000 };
    buffer json = {0};
    put(&json, "{", 1);
    for (uint64_t i = 0; i < N; i++) {
        char entry[128];
        uint64_t at = i * 7919 % N;
        int n = snprintf(entry, sizeof entry, "%s\"t%06u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
                         i ? "," : "", (unsigned)i, (unsigned)at, (unsigned)at + 1);
        put(&json, entry, (size_t)n);
    }
    put(&json, "}", 2); /* with its 0 byte */
    buffer b = safetensors_file((const char *)json.p, N);
    sg_safetensors st;
    sg_error err = {0};
    assert_int_equal(sg_safetensors_parse(&st, b.p, b.n, path, &err), SG_OK);
    assert_int_equal(st.n_tensors, N);
    assert_string_equal(st.tensors[7919].name, "t000001");
    sg_safetensors_dispose(&st);
    free(json.p);
    free(b.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_no_tensors),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_bad_lengths),
        cmocka_unit_test(test_truncated_at_each_byte),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_many_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
