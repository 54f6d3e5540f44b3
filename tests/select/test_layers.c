/* Layer lists and ratios as people write them. */
#include "sg_test.h"

#include "core/mem.h"
#include "shortgpt.h"
#include "core/error.h"

static void test_lists(void **state)
{
    (void)state;
    static const struct { const char *list; int code; const char *formatted; } rows[] = {
        {"3", SG_OK, "3"},
        {"3,21-25", SG_OK, "3,21-25"},
        {"25,3,21-24", SG_OK, "3,21-25"},
        {"0-28", SG_OK, "0-28"},
        {"7-7", SG_OK, "7"},
        {"29", SG_OK, "29"},
        {"007", SG_OK, "7"},
        {"", SG_ERR_USAGE, "it is empty"},
        {",", SG_ERR_USAGE, "missing beside a comma"},
        {"3,", SG_ERR_USAGE, "missing beside a comma"},
        {",3", SG_ERR_USAGE, "missing beside a comma"},
        {"3,,4", SG_ERR_USAGE, "missing beside a comma"},
        {" 3", SG_ERR_USAGE, "\" 3\" is neither"},
        {"3 ", SG_ERR_USAGE, "\"3 \" is neither"},
        {"3, 4", SG_ERR_USAGE, "\" 4\" is neither"},
        {"3 -5", SG_ERR_USAGE, "neither"},
        {"3;4", SG_ERR_USAGE, "neither"},
        {"three", SG_ERR_USAGE, "\"three\" is neither"},
        {"3-", SG_ERR_USAGE, "\"3-\" is neither"},
        {"-3", SG_ERR_USAGE, "\"-3\" is neither"},
        {"+3", SG_ERR_USAGE, "neither"},
        {"3-4-5", SG_ERR_USAGE, "neither"},
        {"3.5", SG_ERR_USAGE, "neither"},
        {"0x3", SG_ERR_USAGE, "neither"},
        {"5-3", SG_ERR_USAGE, "\"5-3\" descends"},
        {"30", SG_ERR_USAGE, "\"30\" is out of range, the model has layers 0 to 29"},
        {"28-30", SG_ERR_USAGE, "\"28-30\" is out of range"},
        {"99999999999999999999", SG_ERR_USAGE, "out of range"},
        {"0-2147483647", SG_ERR_USAGE, "out of range"},
        {"3,3", SG_ERR_USAGE, "names layer 3 a second time"},
        {"1-5,5", SG_ERR_USAGE, "\"5\" names layer 5"},
        {"5,1-9", SG_ERR_USAGE, "\"1-9\" names layer 5"},
        {"0-29", SG_ERR_REFUSED, "all 30 layers"},
        {"0-14,15-29", SG_ERR_REFUSED, "all 30 layers"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        int *layers = NULL;
        size_t n = 0;
        sg_error err = {0};
        int rc = sg_layers_parse(rows[i].list, 30, &layers, &n, &err);
        if (rc != rows[i].code || (rc < 0 && (layers || !strstr(err.message, rows[i].formatted))))
            fail_msg("\"%s\": %d (%s)", rows[i].list, rc, err.message);
        if (rc == SG_OK) {
            char *text = sg_layers_format(layers, n);
            assert_string_equal(text, rows[i].formatted);
            sg_free(text);
        }
        sg_layers_free(layers);
    }
    char *empty = sg_layers_format(NULL, 0);
    assert_string_equal(empty, "");
    sg_free(empty);
}

static void test_ratios(void **state)
{
    (void)state;
    static const struct { const char *ratio; int layers, code, n; } rows[] = {
        {"25%", 30, SG_OK, 7},          {"10%", 30, SG_OK, 3},           {"25.5%", 30, SG_OK, 7},         {"50%", 30, SG_OK, 15},
        {"3.333333%", 30, SG_ERR_USAGE, 0}, {"3.333334%", 30, SG_OK, 1}, {"99.999999%", 30, SG_OK, 29},   {"29%", 100, SG_OK, 29},
        {"57%", 100, SG_OK, 57},        {"0.1%", 1000, SG_OK, 1},        {"100%", 30, SG_ERR_REFUSED, 0}, {"0%", 30, SG_ERR_USAGE, 0},
        {"3%", 30, SG_ERR_USAGE, 0},    {"100.1%", 30, SG_ERR_USAGE, 0}, {"101%", 30, SG_ERR_USAGE, 0},   {"25", 30, SG_ERR_USAGE, 0},
        {"0.25", 30, SG_ERR_USAGE, 0},  {"%", 30, SG_ERR_USAGE, 0},      {"", 30, SG_ERR_USAGE, 0},       {"-25%", 30, SG_ERR_USAGE, 0},
        {"25 %", 30, SG_ERR_USAGE, 0},  {" 25%", 30, SG_ERR_USAGE, 0},   {"25%%", 30, SG_ERR_USAGE, 0},   {"25.%", 30, SG_ERR_USAGE, 0},
        {".5%", 30, SG_ERR_USAGE, 0},   {"1e1%", 30, SG_ERR_USAGE, 0},   {"2.5.5%", 30, SG_ERR_USAGE, 0}, {"nan%", 30, SG_ERR_USAGE, 0},
        {"25.0000001%", 30, SG_ERR_USAGE, 0}, {"99999999999%", 30, SG_ERR_USAGE, 0}, {"50%", 1, SG_ERR_USAGE, 0},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        int n = 0, rc = sg_ratio_parse(rows[i].ratio, rows[i].layers, &n, &err);
        if (rc != rows[i].code || n != rows[i].n || (rc < 0 && !*err.message))
            fail_msg("\"%s\" of %d: %d, %d layers (%s)", rows[i].ratio, rows[i].layers, rc, n, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists), cmocka_unit_test(test_ratios)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
