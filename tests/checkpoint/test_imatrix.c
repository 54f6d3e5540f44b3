/* Importance matrices in both forms. That llama.cpp reads the results is conformance/'s question. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "checkpoint/gguf_write.h"
#include "checkpoint/imatrix.h"
#include "core/mem.h"

static char path[] = "/tmp/sg_imatrix_XXXXXX";
static const int to[] = {0, -1, 1, -1, 2}; /* layers 1 and 3 go */
enum { LAYERS = 5 };

static long fault_countdown; /* the allocation that fails; 0: none */

int sg_test_fault(const char *operation)
{
    return fault_countdown && strcmp(operation, "alloc") == 0 && --fault_countdown == 0;
}

static void put_i32(sg_strbuf *b, int32_t value)
{
    sg_strbuf_add(b, (const char *)&value, sizeof value);
}

static void put_entry(sg_strbuf *b, const char *name, int32_t calls, const float *values, int32_t n)
{
    put_i32(b, (int32_t)strlen(name));
    sg_strbuf_puts(b, name);
    put_i32(b, calls);
    put_i32(b, n);
    sg_strbuf_add(b, (const char *)values, (size_t)n * sizeof *values);
}

static void write_file(const sg_strbuf *b, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->data, 1, bytes, f), bytes);
    fclose(f);
}

/* rest: 0 nothing, 1 the chunks, 2 also the text */
static void legacy(sg_strbuf *b, const char *const *names, int32_t n, int rest)
{
    put_i32(b, n);
    for (int32_t i = 0; i < n; i++)
        put_entry(b, names[i], 10 + i, (const float[]){(float)i, 0.5f}, 2);
    if (rest)
        put_i32(b, 7);
    if (rest > 1) {
        put_i32(b, 4);
        sg_strbuf_puts(b, "text");
    }
}

static void test_legacy(void **state)
{
    (void)state;
    static const char *const before[] = {"blk.0.attn_q.weight", "blk.1.attn_q.weight", "output.weight", "blk.4.ffn_up.weight", "blk.x.y"};
    for (int rest = 0; rest < 3; rest++) {
        sg_strbuf in = {0}, want = {0}, got = {0};
        bool gguf = true;
        legacy(&in, before, 5, rest);
        put_i32(&want, 4);
        put_entry(&want, "blk.0.attn_q.weight", 10, (const float[]){0, 0.5f}, 2);
        put_entry(&want, "output.weight", 12, (const float[]){2, 0.5f}, 2);
        put_entry(&want, "blk.2.ffn_up.weight", 13, (const float[]){3, 0.5f}, 2);
        put_entry(&want, "blk.x.y", 14, (const float[]){4, 0.5f}, 2);
        if (rest)
            put_i32(&want, 7);
        if (rest > 1) {
            put_i32(&want, 4);
            sg_strbuf_puts(&want, "text");
        }
        write_file(&in, in.n);
        assert_int_equal(sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, NULL), SG_OK);
        assert_false(gguf);
        assert_int_equal(got.n, want.n);
        assert_memory_equal(got.data, want.data, want.n);
        sg_strbuf_free(&in);
        sg_strbuf_free(&want);
        sg_strbuf_free(&got);
    }
}

/* Every shorter file is malformed, but for those that end behind the entries, or behind the number of chunks. */
static void test_legacy_truncated(void **state)
{
    (void)state;
    sg_strbuf in = {0};
    legacy(&in, (const char *const[]){"blk.0.a", "blk.2.bb"}, 2, 2);
    size_t ends = in.n - 8;
    for (size_t n = 0; n < in.n; n++) {
        sg_strbuf got = {0};
        bool gguf;
        write_file(&in, n);
        int rc = sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, NULL);
        if (rc != (n == ends || n == ends - 4 ? SG_OK : SG_ERR_FORMAT))
            fail_msg("%zu of %zu bytes: %d", n, in.n, rc);
        sg_strbuf_free(&got);
    }
    sg_strbuf_puts(&in, "x");
    write_file(&in, in.n);
    sg_strbuf got = {0};
    bool gguf;
    assert_int_equal(sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, NULL), SG_ERR_FORMAT);
    sg_strbuf_free(&got);
    sg_strbuf_free(&in);
}

static void test_legacy_malformed(void **state)
{
    (void)state;
    static const struct { const char *name; int32_t words[5]; const char *says; } rows[] = {
        {"no entries", {0, 1, 'x', 1, 1}, "the number of entries is 0"},
        {"more entries than fit", {9, 1, 'x', 1, 1}, "the number of entries is 9"},
        {"an empty name", {1, 0, 1, 1, 0}, "length of name is 0"},
        {"a negative length", {1, -1, 1, 1, 0}, "length of name is -1"},
        {"a zero in the name", {1, 4, 'a', 1, 1}, "no text"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_strbuf in = {0}, got = {0};
        sg_error err = {0};
        bool gguf;
        for (size_t k = 0; k < 5; k++)
            put_i32(&in, rows[i].words[k]);
        write_file(&in, in.n);
        int rc = sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, &err);
        if (rc != SG_ERR_FORMAT || !strstr(err.message, rows[i].says))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        sg_strbuf_free(&in);
        sg_strbuf_free(&got);
    }
}

static void test_other_models(void **state)
{
    (void)state;
    static const struct { const char *name, *tensor; int code; const char *says; } rows[] = {
        {"more layers", "blk.5.attn_q.weight", SG_ERR_FORMAT, "MODEL has 5 layers"},
        {"many more", "blk.99999999999999999999.attn_q.weight", SG_ERR_FORMAT, "another model"},
        {"only what goes", "blk.3.attn_q.weight", SG_ERR_REFUSED, "nothing of it would be left"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_strbuf in = {0}, got = {0};
        sg_error err = {0};
        bool gguf;
        legacy(&in, &rows[i].tensor, 1, 0);
        write_file(&in, in.n);
        int rc = sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, &err);
        if (rc != rows[i].code || !strstr(err.message, rows[i].says))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        sg_strbuf_free(&in);
        sg_strbuf_free(&got);
    }
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

static void make_gguf(sg_strbuf *out, const char *type, const char *const *names, int n)
{
    sg_gguf_draft d = {.version = 3, .alignment = 32};
    sg_gguf_put_string(&d, "general.type", type);
    sg_gguf_put_u32(&d, "imatrix.chunk_count", 9);
    sg_gguf_put_u32(&d, "imatrix.n_layer_nextn", 2);
    for (int i = 0; i < n; i++) {
        sg_tensor t = {.type = sg_dtype_by_gguf(0), .n_dims = 1, .shape = {3}, .n_elements = 3, .bytes = 12};
        sg_gguf_put_tensor(&d, names[i], &t);
    }
    assert_int_equal(sg_gguf_draft_header(&d, out, NULL), SG_OK);
    for (int i = 0; i < n; i++) {
        const float values[8] = {(float)i, 1, 2};
        sg_strbuf_add(out, (const char *)values, sizeof values);
    }
    sg_gguf_draft_dispose(&d);
}

static const char *const tensors[] = {"blk.0.q.weight.in_sum2", "blk.1.q.weight.in_sum2", "blk.4.q.weight.counts", "output.weight.counts"};

static void test_gguf(void **state)
{
    (void)state;
    static const struct { const char *name; float first; } want[] = {
        {"blk.0.q.weight.in_sum2", 0}, {"blk.2.q.weight.counts", 2}, {"output.weight.counts", 3}};
    sg_strbuf in = {0};
    make_gguf(&in, "imatrix", tensors, 4);
    write_file(&in, in.n);
    int rc = SG_ERR_NOMEM;
    for (long k = 1; rc != SG_OK; k++) { /* each allocation fails in turn */
        sg_strbuf got = {0};
        sg_gguf g;
        bool gguf = false;
        fault_countdown = k;
        rc = sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, NULL);
        bool fired = !fault_countdown;
        fault_countdown = 0;
        if (rc != (fired ? SG_ERR_NOMEM : SG_OK))
            fail_msg("allocation %ld: %d", k, rc);
        if (rc == SG_OK) {
            int64_t nextn = 0;
            assert_true(gguf);
            assert_int_equal(sg_gguf_parse(&g, (const uint8_t *)got.data, got.n, "got", NULL), SG_OK);
            assert_int_equal(g.n_kvs, 3);
            assert_true(sg_gguf_get_int(sg_gguf_find(&g, "imatrix.n_layer_nextn"), 0, &nextn));
            assert_int_equal(nextn, 1); /* of layers 3 and 4, 3 goes */
            assert_int_equal(g.n_tensors, 3);
            for (size_t i = 0; i < g.n_tensors; i++) {
                float first;
                memcpy(&first, got.data + g.tensors[i].offset, sizeof first);
                assert_string_equal(g.tensors[i].name, want[i].name);
                assert_true(first == want[i].first);
            }
            sg_gguf_dispose(&g);
        }
        sg_strbuf_free(&got);
    }
    for (size_t n = 0; n + 20 < in.n; n++) { /* the last tensor's padding may be cut */
        sg_strbuf got = {0};
        bool gguf;
        write_file(&in, n);
        if (sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, NULL) != SG_ERR_FORMAT)
            fail_msg("%zu of %zu bytes", n, in.n);
        sg_strbuf_free(&got);
    }
    sg_strbuf_free(&in);
}

static void test_gguf_that_is_none(void **state)
{
    (void)state;
    sg_strbuf in = {0}, got = {0};
    sg_error err = {0};
    bool gguf;
    make_gguf(&in, "model", tensors, 4);
    write_file(&in, in.n);
    assert_int_equal(sg_imatrix_renumber(&got, &gguf, path, to, LAYERS, &err), SG_ERR_FORMAT);
    assert_non_null(strstr(err.message, "it is no importance matrix"));
    sg_strbuf_free(&in);
    sg_strbuf_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legacy), cmocka_unit_test(test_legacy_truncated), cmocka_unit_test(test_legacy_malformed),
        cmocka_unit_test(test_other_models), cmocka_unit_test(test_gguf), cmocka_unit_test(test_gguf_that_is_none),
    };
    close(mkstemp(path));
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
