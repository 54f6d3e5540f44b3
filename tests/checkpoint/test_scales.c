/* Scales of 8-bit floats: what they make of weights against transformers and compressed-tensors (golden/make_fp8.py),
 * and what is refused. */
#include "bytes.h"

#include <math.h>

#include "checkpoint/dequant.h"
#include "checkpoint/open.h"
#include "checkpoint/quantization.h"
#include "checkpoint/scales.h"
#include "core/mem.h"

/* Every row of the weight of "NAME.expected", bit for bit, any NaN being as good as another. */
static void check_weight(const sg_checkpoint *ckpt, const sg_tensor *expected)
{
    char name[64];
    size_t base = strlen(expected->name) - strlen(".expected");
    snprintf(name, sizeof name, "%.*s.weight", (int)base, expected->name);
    const sg_tensor *w = sg_checkpoint_find(ckpt, name);
    if (!w) {
        name[base] = 0;
        w = sg_checkpoint_find(ckpt, name);
    }
    assert_non_null(w);
    sg_error err = {0};
    sg_scale scale;
    if (sg_tensor_scale(&scale, ckpt, w, &err))
        fail_msg("%s: %s", name, err.message);
    assert_non_null(scale.data);
    size_t cols = w->shape[w->n_dims - 1], rows = w->n_elements / cols;
    float *row = malloc(cols * sizeof *row), *want = malloc(cols * sizeof *want);
    assert_true(row && want && cols == scale.cols);
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *data = sg_tensor_data(ckpt, w) + r * cols;
        (strcmp(w->type->name, "F8_E5M2") ? sg_f8_e4m3_to_f32 : sg_f8_e5m2_to_f32)(data, row, cols);
        sg_scale_row(&scale, r, row);
        memcpy(want, sg_tensor_data(ckpt, expected) + r * cols * sizeof *want, cols * sizeof *want);
        for (size_t c = 0; c < cols; c++)
            if (isnan(want[c]) ? !isnan(row[c]) : memcmp(&want[c], &row[c], sizeof *row) != 0)
                fail_msg("%s %s [%zu, %zu]: got %a, expected %a", ckpt->path, name, r, c, (double)row[c],
                         (double)want[c]);
    }
    free(row);
    free(want);
}

static void test_golden(void **state)
{
    (void)state;
    static const struct {
        const char *dir;
        int n;
    } models[] = {{"/fp8/fp8", 11}, {"/fp8/compressed-tensors", 5}, {"/fp8/fbgemm_fp8", 1}};
    for (size_t i = 0; i < SG_ARRAY_LEN(models); i++) {
        char path[512];
        sg_checkpoint *ckpt;
        sg_error err = {0};
        int n = 0;
        snprintf(path, sizeof path, "%s%s", SG_GOLDEN, models[i].dir);
        if (sg_checkpoint_open(&ckpt, path, &err))
            fail_msg("%s", err.message);
        for (size_t k = 0; k < ckpt->n_tensors; k++)
            if (strstr(ckpt->tensors[k].name, ".expected")) {
                check_weight(ckpt, &ckpt->tensors[k]);
                n++;
            }
        assert_int_equal(n, models[i].n);
        sg_checkpoint_free(ckpt);
    }
}

/* ---- made up: a weight "w" and what may be a scale of it ---------------------------------------------- */

#define FP8(block) "{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":" block "}}"

typedef struct shape {
    int n_dims;
    uint64_t dims[3];
} shape;

static sg_tensor tensor(const char *name, const char *type, shape s)
{
    sg_tensor t = {.name = (char *)(uintptr_t)name, .type = sg_dtype_by_safetensors(type), .n_dims = s.n_dims};
    memcpy(t.shape, s.dims, sizeof s.dims);
    assert_int_equal(sg_tensor_measure(&t, "made up", NULL), SG_OK);
    return t;
}

static int scale_of(sg_scale *out, const char *config, sg_tensor *tensors, size_t n, sg_error *err)
{
    static const uint8_t data[1024];
    sg_map file = {.data = data, .bytes = sizeof data};
    sg_checkpoint ckpt = {.path = (char *)(uintptr_t) "made up",
                          .files = &file,
                          .n_files = 1,
                          .tensors = tensors,
                          .n_tensors = n};
    assert_int_equal(sg_checkpoint_index(&ckpt, NULL), SG_OK);
    assert_int_equal(sg_json_parse(&ckpt.config, config, strlen(config), "config.json", NULL), SG_OK);
    int rc = sg_tensor_scale(out, &ckpt, &tensors[0], err);
    json_object_put(ckpt.config);
    sg_names_dispose(&ckpt.names);
    sg_free(ckpt.by_name);
    return rc;
}

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *block;
        shape weight, scale;
        uint64_t block_rows, block_cols; /* found; 0: does not fit */
    } rows[] = {
        {"blocks", "[4,4]", {2, {6, 10}}, {2, {2, 3}}, 4, 4},
        {"blocks of matrices", "[4,4]", {3, {2, 6, 10}}, {3, {2, 2, 3}}, 4, 4},
        {"a scale for all", "[4,4]", {2, {6, 10}}, {0, {0}}, 6, 10},
        {"for all, in a list", "[4,4]", {2, {6, 10}}, {1, {1}}, 6, 10},
        {"for all, in two dimensions", "null", {2, {6, 10}}, {2, {1, 1}}, 6, 10},
        {"rows", "[4,4]", {2, {6, 10}}, {1, {6}}, 1, 10},
        {"rows by 1", "null", {2, {6, 10}}, {2, {6, 1}}, 1, 10},
        {"matrices", "[4,4]", {3, {2, 3, 10}}, {3, {2, 1, 1}}, 3, 10},
        {"rows of matrices", "[4,4]", {3, {2, 3, 10}}, {2, {2, 3}}, 1, 10},
        {"a vector and one scale", "[4,4]", {1, {10}}, {1, {1}}, 1, 10},
        {"too few blocks", "[4,4]", {2, {6, 10}}, {2, {2, 2}}, 0, 0},
        {"too many blocks", "[4,4]", {2, {6, 10}}, {2, {2, 4}}, 0, 0},
        {"blocks the other way round", "[4,4]", {2, {6, 10}}, {2, {3, 2}}, 0, 0},
        {"blocks of no known size", "null", {2, {6, 10}}, {2, {2, 3}}, 0, 0},
        {"columns", "[4,4]", {2, {6, 10}}, {2, {1, 10}}, 0, 0},
        {"too many rows", "[4,4]", {2, {6, 10}}, {1, {7}}, 0, 0},
        {"no scale in it", "[4,4]", {2, {6, 10}}, {2, {0, 1}}, 0, 0},
        {"three dimensions for two", "[4,4]", {2, {6, 10}}, {3, {1, 2, 3}}, 0, 0},
        {"other matrices", "[4,4]", {3, {2, 3, 10}}, {3, {3, 1, 1}}, 0, 0},
        {"one dimension for three", "[4,4]", {3, {2, 3, 10}}, {1, {2}}, 0, 0},
        {"two for a vector", "[4,4]", {1, {10}}, {1, {2}}, 0, 0},
        {"two for a number", "[4,4]", {0, {0}}, {1, {2}}, 0, 0},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char config[128];
        snprintf(config, sizeof config, FP8("%s"), rows[i].block);
        sg_tensor tensors[] = {tensor("w", "F8_E4M3", rows[i].weight), tensor("w_scale", "F32", rows[i].scale)};
        sg_error err = {0};
        sg_scale scale;
        int rc = scale_of(&scale, config, tensors, 2, &err);
        check_error(rows[i].name, rc, &err, rows[i].block_rows ? SG_OK : SG_ERR_FORMAT,
                    "made up: tensor w_scale has shape [", "], which does not fit w [");
        if (!rc && (scale.block_rows != rows[i].block_rows || scale.block_cols != rows[i].block_cols))
            fail_msg("%s: blocks of %d x %d", rows[i].name, (int)scale.block_rows, (int)scale.block_cols);
    }
}

static void test_names_and_types(void **state)
{
    (void)state;
    static const struct {
        const char *name, *config, *weight, *scale[2], *type;
        int code;
        const char *text; /* of the error; SG_OK: "none" or "some" */
    } rows[] = {
        {"inv", FP8("[4,4]"), "F8_E4M3", {"w_scale_inv"}, "F32", SG_OK, "some"},
        {"of E5M2", FP8("[4,4]"), "F8_E5M2", {"w_scale"}, "F16", SG_OK, "some"},
        {"nothing says so", "{}", "F8_E4M3", {"w_scale"}, "BF16", SG_OK, "some"},
        {"not quantized", FP8("[4,4]"), "BF16", {NULL}, NULL, SG_OK, "none"},
        {"bare", "{}", "F8_E4M3", {NULL}, NULL, SG_OK, "none"},
        {"missing",
         FP8("[4,4]"),
         "F8_E4M3",
         {NULL},
         NULL,
         SG_ERR_FORMAT,
         "tensor w has type F8_E4M3, but there is no w_scale_inv or w_scale"},
        {"two",
         FP8("[4,4]"),
         "F8_E4M3",
         {"w_scale", "w_scale_inv"},
         "F32",
         SG_ERR_FORMAT,
         "tensor w has two scales, w_scale_inv and w_scale"},
        {"integers",
         FP8("[4,4]"),
         "F8_E4M3",
         {"w_scale"},
         "I32",
         SG_ERR_REFUSED,
         "tensor w_scale is a scale of type I32, which shortgpt does not read"},
        {"beside a whole weight",
         FP8("[4,4]"),
         "BF16",
         {"w_scale"},
         "F32",
         SG_ERR_REFUSED,
         "tensor w_scale is a scale, but w has type BF16, expected an 8-bit float"},
        {"malformed configuration", FP8("[4]"), "F8_E4M3", {"w_scale"}, "F32", SG_ERR_FORMAT, "weight_block_size"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_tensor tensors[3] = {tensor("w", rows[i].weight, (shape){2, {6, 10}})};
        size_t n = 1;
        for (int k = 0; k < 2 && rows[i].scale[k]; k++)
            tensors[n++] = tensor(rows[i].scale[k], rows[i].type, (shape){1, {1}});
        sg_error err = {0};
        sg_scale scale;
        int rc = scale_of(&scale, rows[i].config, tensors, n, &err);
        check_error(rows[i].name, rc, &err, rows[i].code, "made up", rows[i].text);
        if (!rc && !scale.data != !strcmp(rows[i].text, "none"))
            fail_msg("%s: a scale was %s", rows[i].name, scale.data ? "found" : "not found");
    }
}

/* Where there is no scale, a row stays what it is. */
static void test_no_scale(void **state)
{
    (void)state;
    float row[2] = {1, 2};
    sg_scale_row(&(sg_scale){0}, 7, row);
    assert_true(row[0] == 1 && row[1] == 2);
}

/* ---- quantization_config ------------------------------------------------------------------------------ */

#define CT(more) "\"quant_method\":\"compressed-tensors\"" more
#define GROUPS(group) ",\"config_groups\":{\"group_0\":{" group "}}"
#define WEIGHTS(more) GROUPS("\"weights\":{\"type\":\"float\"" more "}")

static void test_quantization(void **state)
{
    (void)state;
    static const struct {
        const char *name, *q;
        int code;
        const char *text; /* of the error */
        sg_quantization want;
    } rows[] = {
        {"fp8", "\"quant_method\":\"fp8\"", SG_OK, NULL, {true, 128, 128, false}},
        {"fp8 in blocks", "\"quant_method\":\"fp8\",\"weight_block_size\":[64,32]", SG_OK, NULL, {true, 64, 32, false}},
        {"fp8 whole", "\"quant_method\":\"fp8\",\"weight_block_size\":null", SG_OK, NULL, {true, 0, 0, false}},
        {"no list",
         "\"quant_method\":\"fp8\",\"weight_block_size\":128",
         SG_ERR_FORMAT,
         "\"weight_block_size\" is not",
         {0}},
        {"one number",
         "\"quant_method\":\"fp8\",\"weight_block_size\":[128]",
         SG_ERR_FORMAT,
         "two positive integers",
         {0}},
        {"zero", "\"quant_method\":\"fp8\",\"weight_block_size\":[128,0]", SG_ERR_FORMAT, "two positive integers", {0}},
        {"negative", "\"quant_method\":\"fp8\",\"weight_block_size\":[-1,1]", SG_ERR_FORMAT, "two positive", {0}},
        {"fraction", "\"quant_method\":\"fp8\",\"weight_block_size\":[1.5,1]", SG_ERR_FORMAT, "two positive", {0}},
        {"huge", "\"quant_method\":\"fp8\",\"weight_block_size\":[99999999999,1]", SG_ERR_FORMAT, "two positive", {0}},
        {"fbgemm", "\"quant_method\":\"fbgemm_fp8\"", SG_OK, NULL, {true, 0, 0, false}},
        {"compressed-tensors", CT(WEIGHTS("")), SG_OK, NULL, {true, 0, 0, true}},
        {"its format",
         CT(",\"format\":\"naive-quantized\",\"sparsity_config\":{\"format\":\"dense\"}" WEIGHTS("")),
         SG_OK,
         NULL,
         {true, 0, 0, true}},
        {"in blocks",
         CT(WEIGHTS(",\"strategy\":\"block\",\"block_structure\":[8,9]")),
         SG_OK,
         NULL,
         {true, 8, 9, true}},
        {"nothing but activations",
         CT(GROUPS("\"input_activations\":{\"num_bits\":8}")),
         SG_OK,
         NULL,
         {false, 0, 0, true}},
        {"no groups",
         CT(""),
         SG_ERR_REFUSED,
         "is compressed-tensors, of which shortgpt reads 8-bit float weights only, and "
         "\"config_groups\"",
         {0}},
        {"packed",
         CT(",\"format\":\"pack-quantized\"" WEIGHTS("")),
         SG_ERR_REFUSED,
         "\"format\" of \"quantization_config\"",
         {0}},
        {"packed group",
         CT(GROUPS("\"format\":\"pack-quantized\",\"weights\":{}")),
         SG_ERR_REFUSED,
         "\"format\" of \"group_0\"",
         {0}},
        {"sparse",
         CT(",\"sparsity_config\":{\"format\":\"sparse-bitmask\"}" WEIGHTS("")),
         SG_ERR_REFUSED,
         "\"sparsity_config\"",
         {0}},
        {"rotated", CT(",\"transform_config\":{\"a\":1}" WEIGHTS("")), SG_ERR_REFUSED, "\"transform_config\"", {0}},
        {"rotated by a number", CT(",\"transform_config\":1" WEIGHTS("")), SG_ERR_REFUSED, "\"transform_config\"", {0}},
        {"integers", CT(GROUPS("\"weights\":{\"type\":\"int\"}")), SG_ERR_REFUSED, "\"type\" of \"group_0\"", {0}},
        {"integers by default", CT(GROUPS("\"weights\":{\"num_bits\":8}")), SG_ERR_REFUSED, "\"type\"", {0}},
        {"4 bits", CT(WEIGHTS(",\"num_bits\":4")), SG_ERR_REFUSED, "\"num_bits\"", {0}},
        {"bits of another type", CT(WEIGHTS(",\"num_bits\":\"8\"")), SG_ERR_FORMAT, "num_bits", {0}},
        {"zero points", CT(WEIGHTS(",\"symmetric\":false")), SG_ERR_REFUSED, "\"symmetric\"", {0}},
        {"symmetric of another type", CT(WEIGHTS(",\"symmetric\":0")), SG_ERR_FORMAT, "symmetric", {0}},
        {"groups of columns", CT(WEIGHTS(",\"strategy\":\"group\"")), SG_ERR_REFUSED, "\"strategy\"", {0}},
        {"strategy of another type", CT(WEIGHTS(",\"strategy\":1")), SG_ERR_REFUSED, "\"strategy\"", {0}},
        {"blocks of two sizes",
         CT(",\"config_groups\":{\"a\":{\"weights\":{\"type\":\"float\",\"block_structure\":[8,8]}},"
            "\"b\":{\"weights\":{\"type\":\"float\",\"block_structure\":[8,16]}}}"),
         SG_ERR_REFUSED,
         "\"block_structure\" differs between groups",
         {0}},
        {"modelopt",
         "\"quant_method\":\"modelopt\"",
         SG_ERR_REFUSED,
         "quant_method is modelopt, which shortgpt does not read; use",
         {0}},
    };
    static const char *const wrappers[] = {
        "{\"quantization_config\":", "{\"text_config\":{\"quantization_config\":", "{\"compression_config\":"};
    for (size_t i = 0; i < SG_ARRAY_LEN(rows) * SG_ARRAY_LEN(wrappers); i++) {
        size_t r = i / SG_ARRAY_LEN(wrappers);
        char text[512];
        snprintf(text, sizeof text, "%s{%s}}%s", wrappers[i % SG_ARRAY_LEN(wrappers)], rows[r].q,
                 i % SG_ARRAY_LEN(wrappers) == 1 ? "}" : "");
        json_object *config;
        sg_error err = {0};
        sg_quantization q;
        assert_int_equal(sg_json_parse(&config, text, strlen(text), "config.json", &err), SG_OK);
        check_error(rows[r].name, sg_quantization_read(&q, config, "config.json", &err), &err, rows[r].code,
                    "config.json: ", rows[r].text);
        if (!rows[r].code && (q.scaled != rows[r].want.scaled || q.block_rows != rows[r].want.block_rows ||
                              q.block_cols != rows[r].want.block_cols || q.rounds != rows[r].want.rounds))
            fail_msg("%s: %d, %d x %d, %d", rows[r].name, q.scaled, (int)q.block_rows, (int)q.block_cols, q.rounds);
        json_object_put(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),   cmocka_unit_test(test_shapes),       cmocka_unit_test(test_names_and_types),
        cmocka_unit_test(test_no_scale), cmocka_unit_test(test_quantization),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
