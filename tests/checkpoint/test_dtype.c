/* The table of number formats and the loops to f32, against gguf-py (golden/make_quants.py). */
#include "bytes.h"

#include <math.h>

#include "checkpoint/dtype.h"

static void test_ggml_types(void **state)
{
    (void)state;
    FILE *f = fopen(SG_GOLDEN "/ggml_types.txt", "r");
    assert_non_null(f);
    unsigned id;
    char name[32];
    int block, size, n = 0;
    for (; fscanf(f, "%u %31s %d %d", &id, name, &block, &size) == 4; n++) {
        const sg_dtype *t = sg_dtype_by_gguf(id);
        if (!t || strcmp(t->name, name) || t->block != block || t->block_bytes != size || t->gguf_id != (int)id)
            fail_msg("ggml type %u: expected %s, %d elements in %d bytes", id, name, block, size);
    }
    fclose(f);
    assert_int_equal(n, 34);
    assert_null(sg_dtype_by_gguf(4)); /* Q4_2, removed from ggml */
    assert_null(sg_dtype_by_gguf(1000));
    assert_null(sg_dtype_by_gguf(UINT32_MAX)); /* not the -1 of "not in GGUF" */
}

static void test_safetensors_types(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int bits;
    } types[] = {
        {"BOOL", 8}, {"U8", 8},   {"I8", 8},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"I16", 16},
        {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32},    {"U32", 32},    {"F32", 32},    {"F64", 64},
        {"I64", 64}, {"U64", 64}, {"C64", 64},  {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(types); i++) {
        const sg_dtype *t = sg_dtype_by_safetensors(types[i].name);
        if (!t || t->block_bytes * 8 != types[i].bits * t->block)
            fail_msg("%s: expected %d bits", types[i].name, types[i].bits);
    }
    assert_null(sg_dtype_by_safetensors("Q4_0"));
    assert_null(sg_dtype_by_safetensors(""));
    assert_ptr_equal(sg_dtype_by_safetensors("BF16"), sg_dtype_by_gguf(30));
}

/* All 65,536 halves against the definition. */
static void test_f16(void **state)
{
    (void)state;
    const sg_dtype *t = sg_dtype_by_gguf(1);
    enum { N = 65536 };
    uint16_t *src = malloc(N * sizeof *src);
    float *dst = malloc(N * sizeof *dst);
    assert_true(src && dst);
    for (int i = 0; i < N; i++)
        src[i] = (uint16_t)i;
    t->to_f32(src, dst, N);
    for (int i = 0; i < N; i++) {
        int exponent = i >> 10 & 31, mantissa = i & 1023;
        double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
        if (exponent == 31)
            value = mantissa ? (double)NAN : (double)INFINITY;
        float expected = (float)(i & 0x8000 ? -value : value);
        if (isnan(expected) ? !isnan(dst[i]) : memcmp(&expected, &dst[i], 4) != 0)
            fail_msg("f16 %04x: got %a, expected %a", (unsigned)i, (double)dst[i], (double)expected);
    }
    free(src);
    free(dst);
}

/* Bit for bit, except that any NaN is as good as another. From an odd address, into exactly n floats; also one block
 * alone. */
static void check_record(const sg_dtype *t, const uint8_t *data, size_t n_bytes, const float *expected, size_t n)
{
    uint8_t *src = malloc(n_bytes + 1);
    float *dst = malloc(n * sizeof *dst);
    assert_true(src && dst);
    memcpy(src + 1, data, n_bytes);
    t->to_f32(src + 1, dst, n);
    t->to_f32(src + 1, dst, (size_t)t->block);
    t->to_f32(src + 1, dst, 0);
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) {
        finite += isfinite(expected[i]) != 0;
        if (isnan(expected[i]) ? !isnan(dst[i]) : memcmp(&dst[i], &expected[i], sizeof *dst) != 0)
            fail_msg("%s: element %zu of %zu: got %a, gguf-py has %a", t->name, i, n, (double)dst[i],
                     (double)expected[i]);
    }
    assert_true(finite > n / 2);
    free(src);
    free(dst);
}

static void test_dequantize(void **state)
{
    (void)state;
    FILE *f = fopen(SG_GOLDEN "/quants.bin", "rb");
    assert_non_null(f);
    struct {
        char name[16];
        uint32_t n, n_bytes;
    } head;
    int records = 0;
    for (; fread(&head, sizeof head, 1, f) == 1; records++) {
        const sg_dtype *t = NULL;
        for (uint32_t id = 0; id < 64 && !t; id++)
            if (sg_dtype_by_gguf(id) && !strcmp(sg_dtype_by_gguf(id)->name, head.name))
                t = sg_dtype_by_gguf(id);
        if (!t || !t->to_f32)
            fail_msg("%s: no conversion", head.name);
        uint8_t *data = malloc(head.n_bytes);
        float *expected = malloc(head.n * sizeof *expected);
        assert_true(data && expected);
        assert_int_equal(fread(data, 1, head.n_bytes, f), head.n_bytes);
        assert_int_equal(fread(expected, sizeof *expected, head.n, f), head.n);
        assert_int_equal(head.n / (uint32_t)t->block * (uint32_t)t->block_bytes, head.n_bytes);
        check_record(t, data, head.n_bytes, expected, head.n);
        free(data);
        free(expected);
    }
    fclose(f);
    assert_int_equal(records, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ggml_types),
        cmocka_unit_test(test_safetensors_types),
        cmocka_unit_test(test_f16),
        cmocka_unit_test(test_dequantize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
