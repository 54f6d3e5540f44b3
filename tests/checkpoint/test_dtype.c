/* The table of number formats and the loops to f32, against gguf-py (golden/make_quants.py). */
#include "bytes.h"

#include <math.h>

#include "checkpoint/dequant.h"
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

typedef void to_f32(const void *src, float *dst, size_t n);

static const struct {
    const char *name;
    to_f32 *to_f32;
    int mantissa_bits, bias;
} f8[] = {{"F8_E4M3", sg_f8_e4m3_to_f32, 3, 7}, {"F8_E5M2", sg_f8_e5m2_to_f32, 2, 15}};

/* All 256 bytes of the 8-bit floats against their definitions: sign, exponent with that bias, mantissa. */
static void test_f8(void **state)
{
    (void)state;
    uint8_t src[256];
    float dst[256];
    for (int i = 0; i < 256; i++)
        src[i] = (uint8_t)i;
    for (size_t t = 0; t < SG_ARRAY_LEN(f8); t++) {
        int bits = f8[t].mantissa_bits, one = 1 << bits;
        f8[t].to_f32(src, dst, 256);
        for (int i = 0; i < 256; i++) {
            int exponent = (i & 127) >> bits, mantissa = i & (one - 1);
            double value = exponent ? ldexp(one + mantissa, exponent - f8[t].bias - bits)
                                    : ldexp(mantissa, 1 - f8[t].bias - bits);
            if (bits == 2 && exponent == 31)
                value = mantissa ? (double)NAN : (double)INFINITY;
            if (bits == 3 && (i & 127) == 127)
                value = (double)NAN;
            float expected = (float)(i & 128 ? -value : value);
            if (isnan(expected) ? !isnan(dst[i]) : memcmp(&expected, &dst[i], 4) != 0)
                fail_msg("%s %02x: got %a, expected %a", f8[t].name, (unsigned)i, (double)dst[i], (double)expected);
        }
    }
}

/* FNV-1a over the bits, any NaN being as good as another: as make_quants.py hashes. */
static uint64_t hash_floats(const float *x, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        h = (h ^ (isnan(x[i]) ? 0x7fc00000u : bits)) * 0x100000001b3u;
    }
    return h;
}

/* From an odd address, into exactly n floats; also one block alone. */
static void check_record(const sg_dtype *t, to_f32 *convert, const uint8_t *data, size_t n_bytes,
                         const uint64_t *expected, size_t n)
{
    uint8_t *src = malloc(n_bytes + 1);
    float *dst = malloc(n * sizeof *dst);
    assert_true(src && dst);
    memcpy(src + 1, data, n_bytes);
    convert(src + 1, dst, n);
    convert(src + 1, dst, (size_t)t->block);
    convert(src + 1, dst, 0);
    size_t finite = 0, run = t->block > 32 ? (size_t)t->block : 32;
    for (size_t i = 0; i < n; i += run)
        if (hash_floats(dst + i, run) != expected[i / run])
            fail_msg("%s: elements %zu to %zu of %zu differ from gguf-py's", t->name, i, i + run - 1, n);
    for (size_t i = 0; i < n; i++)
        finite += isfinite(dst[i]) != 0;
    assert_true(finite > n / 2);
    free(src);
    free(dst);
}

static const sg_dtype *dtype_by_name(const char *name)
{
    for (uint32_t id = 0; id < 64; id++)
        if (sg_dtype_by_gguf(id) && !strcmp(sg_dtype_by_gguf(id)->name, name))
            return sg_dtype_by_gguf(id);
    return sg_dtype_by_safetensors(name);
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
        const sg_dtype *t = dtype_by_name(head.name);
        to_f32 *convert = t ? t->to_f32 : NULL;
        for (size_t i = 0; t && i < SG_ARRAY_LEN(f8); i++) /* in the table only where scales are applied */
            if (!strcmp(t->name, f8[i].name))
                convert = f8[i].to_f32;
        if (!convert)
            fail_msg("%s: no conversion", head.name);
        size_t runs = head.n / (t->block > 32 ? (uint32_t)t->block : 32);
        uint8_t *data = malloc(head.n_bytes);
        uint64_t *expected = malloc(runs * sizeof *expected);
        assert_true(data && expected);
        assert_int_equal(fread(data, 1, head.n_bytes, f), head.n_bytes);
        assert_int_equal(fread(expected, sizeof *expected, runs, f), runs);
        assert_int_equal(head.n / (uint32_t)t->block * (uint32_t)t->block_bytes, head.n_bytes);
        check_record(t, convert, data, head.n_bytes, expected, head.n);
        free(data);
        free(expected);
    }
    fclose(f);
    assert_int_equal(records, 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ggml_types),
        cmocka_unit_test(test_safetensors_types),
        cmocka_unit_test(test_f16),
        cmocka_unit_test(test_f8),
        cmocka_unit_test(test_dequantize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
