/* The GGUF parser: what a good header gives, and that each bad one is one clear error. */
#include "bytes.h"

#include "checkpoint/gguf.h"
#include "core/mem.h"

static const char path[] = "model.gguf";

/* Where fields of good_file() lie, for the rows below to overwrite. */
static struct {
    size_t first_key_length, first_key, first_value_type, first_value_length, alignment_type, alignment, second_key,
        array_element, array_count, strings_count, string_length;
    size_t a_name_length, a_name, a_dims, a_shape, a_type, a_offset, b_name, b_shape, b_type, b_offset, c_name,
        c_offset;
} at;

static size_t put_tensor(buffer *b, const char *name, uint32_t n_dims, const uint64_t *dims, uint32_t type,
                         uint64_t offset)
{
    put_string(b, name);
    put_u32(b, n_dims);
    put(b, dims, n_dims * sizeof *dims);
    put_u32(b, type);
    put_u64(b, offset);
    return b->n - 8; /* where the offset is */
}

/* Three tensors: a F32 [8, 4] (the file has 4, 8), b Q4_0 [2, 32], c F32 [8]; 128, 36 and 32 bytes; the file ends with
 * c. */
static buffer good_file(void)
{
    buffer b = {0};
    put(&b, "GGUF", 4);
    put_u32(&b, 3);
    put_u64(&b, 3);
    put_u64(&b, 6);
    at.first_key_length = b.n, at.first_key = b.n + 8;
    put_string(&b, "general.architecture");
    at.first_value_type = b.n, at.first_value_length = b.n + 4;
    put_u32(&b, SG_GGUF_STRING), put_string(&b, "llama");
    put_string(&b, "general.alignment");
    at.alignment_type = b.n, at.alignment = b.n + 4;
    put_u32(&b, SG_GGUF_U32), put_u32(&b, 32);
    at.second_key = b.n + 8;
    put_string(&b, "x.numbers"), put_u32(&b, SG_GGUF_ARRAY);
    at.array_element = b.n, at.array_count = b.n + 4;
    put_u32(&b, SG_GGUF_I32), put_u64(&b, 3), put_u32(&b, 7), put_u32(&b, 0xffffffff), put_u32(&b, 9);
    put_string(&b, "x.strings"), put_u32(&b, SG_GGUF_ARRAY), put_u32(&b, SG_GGUF_STRING);
    at.strings_count = b.n, at.string_length = b.n + 8;
    put_u64(&b, 3), put_string(&b, "one"), put_string(&b, ""), put_string(&b, "three");
    double half = 0.5;
    put_string(&b, "x.half"), put_u32(&b, SG_GGUF_F64), put(&b, &half, 8);
    put_string(&b, "x.large"), put_u32(&b, SG_GGUF_U64), put_u64(&b, UINT64_MAX);

    at.a_name_length = b.n, at.a_name = b.n + 8, at.a_dims = b.n + 9, at.a_shape = b.n + 13;
    at.a_offset = put_tensor(&b, "a", 2, (const uint64_t[]){4, 8}, 0, 0);
    at.a_type = at.a_offset - 4;
    at.b_name = b.n + 8, at.b_shape = b.n + 13;
    at.b_offset = put_tensor(&b, "b", 2, (const uint64_t[]){32, 2}, 2, 128);
    at.b_type = at.b_offset - 4;
    at.c_name = b.n + 8;
    at.c_offset = put_tensor(&b, "c", 1, (const uint64_t[]){8}, 0, 192);
    put_pad(&b, 32);
    put(&b, NULL, 192 + 32);
    return b;
}

static void test_good(void **state)
{
    (void)state;
    buffer b = good_file();
    sg_gguf g;
    sg_error err = {0};
    uint8_t *data = exact_copy(&b, b.n);
    assert_int_equal(sg_gguf_parse(&g, data, b.n, path, &err), SG_OK);
    assert_int_equal(g.version, 3);
    assert_int_equal(g.alignment, 32);
    assert_int_equal(g.n_kvs, 6);
    assert_int_equal(g.n_tensors, 3);
    assert_int_equal(g.data_offset, b.n - 224);

    const sg_tensor *t = g.tensors;
    assert_string_equal(t[0].name, "a");
    assert_true(t[0].n_dims == 2 && t[0].shape[0] == 8 && t[0].shape[1] == 4 && t[0].n_elements == 32 &&
                t[0].bytes == 128);
    assert_true(t[0].offset == g.data_offset);
    assert_string_equal(t[1].type->name, "Q4_0");
    assert_true(t[1].shape[0] == 2 && t[1].shape[1] == 32 && t[1].bytes == 36 && t[1].offset == g.data_offset + 128);
    assert_true(t[2].n_dims == 1 && t[2].offset + t[2].bytes == b.n);

    sg_str s;
    assert_true(sg_gguf_get_str(sg_gguf_find(&g, "general.architecture"), &s) && s.bytes == 5 &&
                !memcmp(s.data, "llama", 5));
    assert_null(sg_gguf_find(&g, "general"));
    int64_t i;
    double d;
    const sg_gguf_kv *numbers = sg_gguf_find(&g, "x.numbers"), *strings = sg_gguf_find(&g, "x.strings");
    assert_true(sg_gguf_get_int(numbers, 1, &i) && i == -1);
    assert_true(sg_gguf_get_f64(numbers, 2, &d) && d == 9.0);
    assert_false(sg_gguf_get_int(numbers, 3, &i));
    assert_false(sg_gguf_get_str(numbers, &s));
    assert_false(sg_gguf_get_int(strings, 0, &i));
    assert_true(sg_gguf_get_f64(sg_gguf_find(&g, "x.half"), 0, &d) && d == 0.5);
    assert_false(sg_gguf_get_int(sg_gguf_find(&g, "x.half"), 0, &i));
    assert_false(sg_gguf_get_int(sg_gguf_find(&g, "x.large"), 0, &i)); /* above INT64_MAX */
    assert_false(sg_gguf_get_int(NULL, 0, &i) || sg_gguf_get_f64(NULL, 0, &d) || sg_gguf_get_str(NULL, &s));

    sg_str *list;
    assert_int_equal(sg_gguf_get_strings(strings, &list, &err), SG_OK);
    assert_true(list[0].bytes == 3 && list[1].bytes == 0 && list[2].bytes == 5 && !memcmp(list[2].data, "three", 5));
    sg_free(list);
    assert_int_equal(sg_gguf_get_strings(numbers, &list, &err), SG_ERR_FORMAT);

    /* the raw records are the header between the counts and the tensors, in order */
    const uint8_t *p = data + 24;
    for (size_t k = 0; k < g.n_kvs; k++) {
        assert_ptr_equal(g.kvs[k].raw, p);
        p += g.kvs[k].raw_bytes;
    }
    assert_ptr_equal(p, data + at.a_name_length);
    sg_gguf_dispose(&g);
    sg_gguf_dispose(&g); /* an emptied one is fine */
    exact_free(data, b.n);
    free(b.p);
}

static void test_scalars(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t type, size;
        uint64_t bits;
        int64_t expected;
    } rows[] = {
        {"u8", SG_GGUF_U8, 1, 0xfe, 254},
        {"i8", SG_GGUF_I8, 1, 0xfe, -2},
        {"u16", SG_GGUF_U16, 2, 0xfffe, 65534},
        {"i16", SG_GGUF_I16, 2, 0xfffe, -2},
        {"u32", SG_GGUF_U32, 4, 0xfffffffe, 4294967294},
        {"i32", SG_GGUF_I32, 4, 0xfffffffe, -2},
        {"bool", SG_GGUF_BOOL, 1, 1, 1},
        {"u64", SG_GGUF_U64, 8, INT64_MAX, INT64_MAX},
        {"i64", SG_GGUF_I64, 8, UINT64_MAX, -1},
    };
    for (size_t k = 0; k < SG_ARRAY_LEN(rows); k++) {
        sg_gguf_kv kv = {.key = (char[]){"k"},
                         .type = rows[k].type,
                         .count = 1,
                         .value = (const uint8_t *)&rows[k].bits};
        int64_t i = 0;
        double d = 0;
        if (!sg_gguf_get_int(&kv, 0, &i) || i != rows[k].expected || !sg_gguf_get_f64(&kv, 0, &d) ||
            d != (double)rows[k].expected)
            fail_msg("%s: got %lld", rows[k].name, (long long)i);
    }
}

/* One field of a good file overwritten. */
static void test_bad_fields(void **state)
{
    (void)state;
    buffer good = good_file();
    const struct {
        const char *name;
        size_t at;
        int size;
        uint64_t value;
        int code;
        const char *text;
    } rows[] = {
        {"another magic", 0, 4, 0x12345678, SG_ERR_FORMAT, "magic is 78 56 34 12, expected"},
        {"ggml before GGUF", 0, 4, 0x67676a74, SG_ERR_REFUSED, "before GGUF"},
        {"version 0", 4, 4, 0, SG_ERR_FORMAT, "version is 0"},
        {"version 1", 4, 4, 1, SG_ERR_REFUSED, "GGUF version 1; convert"},
        {"version 4", 4, 4, 4, SG_ERR_REFUSED, "version is 4"},
        {"big-endian", 4, 4, 3u << 24, SG_ERR_REFUSED, "big-endian GGUF"},
        {"too many tensors", 8, 8, 1000, SG_ERR_FORMAT, "number of tensors is 1000"},
        {"absurdly many tensors", 8, 8, UINT64_MAX, SG_ERR_FORMAT, "number of tensors is 18446744073709551615"},
        {"one tensor more", 8, 8, 4, SG_ERR_FORMAT, "tensor 4 of 4"},
        {"absurdly many keys", 16, 8, UINT64_MAX / 64, SG_ERR_FORMAT, "number of keys is 288230376151711743"},
        {"one key more", 16, 8, 7, SG_ERR_FORMAT, "tensor 1 of 3: name"},
        {"key length past the end", at.first_key_length, 8, 100000, SG_ERR_FORMAT, "key 1 of 6: name: 100000 bytes"},
        {"key length that overflows", at.first_key_length, 8, UINT64_MAX - 8, SG_ERR_FORMAT, "key 1 of 6: name"},
        {"empty key", at.first_key_length, 8, 0, SG_ERR_FORMAT, "key 1 of 6: its name of 0 bytes"},
        {"zero byte in a key", at.first_key + 3, 1, 0, SG_ERR_FORMAT, "its name of 20 bytes"},
        {"key that is not UTF-8", at.first_key + 3, 1, 0xff, SG_ERR_FORMAT, "not UTF-8"},
        {"unknown value type", at.first_value_type, 4, 13, SG_ERR_FORMAT, "\"general.architecture\": value type 13"},
        {"string length past the end", at.first_value_length, 8, 1 << 20, SG_ERR_FORMAT,
         "key 1 of 6: value: 1048576 bytes"},
        {"array of arrays", at.array_element, 4, SG_GGUF_ARRAY, SG_ERR_FORMAT,
         "\"x.numbers\": array elements of type 9"},
        {"array of an unknown type", at.array_element, 4, 77, SG_ERR_FORMAT, "elements of type 77"},
        {"array count past the end", at.array_count, 8, 100000, SG_ERR_FORMAT, "key 3 of 6: element count is 100000"},
        {"array count that overflows", at.array_count, 8, UINT64_MAX / 4 + 2, SG_ERR_FORMAT,
         "key 3 of 6: element count"},
        {"string array count past the end", at.strings_count, 8, 1 << 20, SG_ERR_FORMAT,
         "key 4 of 6: element count is 1048576"},
        {"string of an array past the end", at.string_length, 8, UINT64_MAX, SG_ERR_FORMAT,
         "key 4 of 6: string of an array"},
        {"alignment 0", at.alignment, 4, 0, SG_ERR_FORMAT, "general.alignment is 0"},
        {"alignment 48", at.alignment, 4, 48, SG_ERR_FORMAT, "general.alignment is 48, expected a power of two"},
        {"alignment that offsets do not have", at.alignment, 4, 128, SG_ERR_FORMAT,
         "tensor \"c\": offset 192 is not a multiple"},
        {"alignment that is a float", at.alignment_type, 4, SG_GGUF_F32, SG_ERR_FORMAT,
         "general.alignment has value type 6"},
        {"tensor name past the end", at.a_name_length, 8, 5000, SG_ERR_FORMAT, "tensor 1 of 3: name: 5000 bytes"},
        {"9 dimensions", at.a_dims, 4, 9, SG_ERR_FORMAT, "tensor \"a\": 9 dimensions"},
        {"a dimension of 0", at.a_shape, 8, 0, SG_ERR_FORMAT, "tensor \"a\": dimension 0 is 0"},
        {"shape that overflows", at.a_shape, 8, UINT64_MAX / 2, SG_ERR_FORMAT,
         "tensor \"a\": the product of its shape"},
        {"size that overflows", at.a_shape, 8, UINT64_MAX / 16, SG_ERR_FORMAT, "tensor \"a\": the size of its"},
        {"rows that are not whole blocks", at.b_shape, 8, 33, SG_ERR_FORMAT, "tensor \"b\": rows of 33"},
        {"unknown tensor type", at.b_type, 4, 999, SG_ERR_REFUSED, "tensor \"b\": tensor type 999"},
        {"removed tensor type", at.b_type, 4, 4, SG_ERR_REFUSED, "tensor type 4"},
        {"offset not aligned", at.b_offset, 8, 130, SG_ERR_FORMAT, "tensor \"b\": offset 130"},
        {"offset past the end", at.c_offset, 8, 1 << 20, SG_ERR_FORMAT, "tensor \"c\" ends at byte"},
        {"offset that overflows", at.c_offset, 8, UINT64_MAX - 31, SG_ERR_FORMAT, "tensor \"c\": its offset overflows"},
        {"offset in another tensor", at.c_offset, 8, 32, SG_ERR_FORMAT, "tensor \"c\" begins at byte"},
        {"a gap in front", at.b_offset, 8, 160, SG_ERR_FORMAT, "there is a gap in front of it"},
        {"the same offset", at.c_offset, 8, 128, SG_ERR_FORMAT, "overlap"},
        {"duplicate tensor", at.c_name, 1, 'a', SG_ERR_FORMAT, "tensor \"a\" is there twice"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_gguf g;
        sg_error err = {0};
        uint8_t *data = exact_copy(&good, good.n);
        memcpy(data + rows[i].at, &rows[i].value, (size_t)rows[i].size);
        int rc = sg_gguf_parse(&g, data, good.n, path, &err);
        check_error(rows[i].name, rc, &err, rows[i].code, path, rows[i].text);
        assert_null(g.tensors);
        exact_free(data, good.n);
    }
    /* duplicate keys: "x.strings" renamed to "x.numbers" */
    sg_gguf g;
    sg_error err = {0};
    memcpy(good.p + at.strings_count - 17, "x.numbers", 9);
    check_error("duplicate key", sg_gguf_parse(&g, good.p, good.n, path, &err), &err, SG_ERR_FORMAT, path,
                "key \"x.numbers\" is there twice");
    free(good.p);
}

static void test_version_2_and_default_alignment(void **state)
{
    (void)state;
    buffer b = good_file();
    b.p[4] = 2;
    memcpy(b.p + at.alignment - 5, "X", 1); /* the key is another one now */
    sg_gguf g;
    sg_error err = {0};
    assert_int_equal(sg_gguf_parse(&g, b.p, b.n, path, &err), SG_OK);
    assert_int_equal(g.version, 2);
    assert_int_equal(g.alignment, 32);
    sg_gguf_dispose(&g);
    free(b.p);
}

static void test_without_tensors(void **state)
{
    (void)state;
    buffer b = {0};
    put(&b, "GGUF\3\0\0\0", 8);
    put_u64(&b, 0), put_u64(&b, 0);
    sg_gguf g;
    sg_error err = {0};
    assert_int_equal(sg_gguf_parse(&g, b.p, b.n, path, &err), SG_OK);
    assert_true(g.n_tensors == 0 && g.data_offset == 32);
    sg_gguf_dispose(&g);
    free(b.p);
}

static void test_truncated_at_each_byte(void **state)
{
    (void)state;
    buffer b = good_file();
    for (size_t n = 0; n < b.n; n++) {
        sg_gguf g;
        sg_error err = {0};
        uint8_t *data = exact_copy(&b, n);
        char row[32];
        snprintf(row, sizeof row, "cut at %zu", n);
        check_error(row, sg_gguf_parse(&g, data, n, path, &err), &err, SG_ERR_FORMAT, path,
                    n >= 24 + 6 * 13 + 3 * 24 ? "but" : ""); /* from there on no count is wrong */
        exact_free(data, n);
    }
    sg_gguf g;
    sg_error err = {0};
    char text[128];
    snprintf(text, sizeof text, "tensor \"c\" ends at byte %zu, but the file has only %zu bytes; download it again?",
             b.n, b.n - 1);
    check_error("cut in the data", sg_gguf_parse(&g, b.p, b.n - 1, path, &err), &err, SG_ERR_FORMAT, path, text);
    check_error("empty", sg_gguf_parse(&g, NULL, 0, path, &err), &err, SG_ERR_FORMAT, path, "is empty (0 bytes)");
    free(b.p);
}

/* Each byte of the header takes several other values: any outcome is right but a crash, a leak or a wild read. */
static void test_damaged(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 2, 7, 8, 9, 12, 32, 127, 128, 254, 255};
    buffer b = good_file();
    uint8_t *data = exact_copy(&b, b.n);
    for (size_t i = 0; i < b.n - 224; i++) {
        for (size_t k = 0; k < SG_ARRAY_LEN(values); k++) {
            sg_gguf g;
            sg_error err = {0};
            data[i] = values[k];
            int rc = sg_gguf_parse(&g, data, b.n, path, &err);
            if (rc && (!*err.message || rc != (int)err.code))
                fail_msg("byte %zu = %u: %d without a sentence", i, values[k], rc);
            sg_gguf_dispose(&g);
        }
        data[i] = b.p[i];
    }
    exact_free(data, b.n);
    free(b.p);
}

/* 200,000 tensors: seconds if anything here is quadratic. */
static void test_many_tensors(void **state)
{
    (void)state;
    enum { N = 200000 };
    buffer b = {0};
    put(&b, "GGUF\3\0\0\0", 8);
    put_u64(&b, N), put_u64(&b, 0);
    for (uint64_t i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "t%06u", (unsigned)(i * 7919 % N));
        put_tensor(&b, name, 1, (const uint64_t[]){8}, 0, 32 * i);
    }
    put_pad(&b, 32);
    put(&b, NULL, (size_t)32 * N);
    sg_gguf g;
    sg_error err = {0};
    assert_int_equal(sg_gguf_parse(&g, b.p, b.n, path, &err), SG_OK);
    assert_int_equal(g.n_tensors, N);
    sg_gguf_dispose(&g);
    free(b.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_bad_fields),
        cmocka_unit_test(test_version_2_and_default_alignment),
        cmocka_unit_test(test_without_tensors),
        cmocka_unit_test(test_truncated_at_each_byte),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_many_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
