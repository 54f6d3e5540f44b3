/* JSON in, typed reads, JSON out. */
#include "sg_test.h"

#include <math.h>

#include "core/json.h"
#include "core/mem.h"

static int fail_allocations;

int sg_test_fault(const char *operation)
{
    return fail_allocations && strcmp(operation, "alloc") == 0 ? 12 : 0;
}

static json_object *parse(const char *text)
{
    json_object *obj;
    sg_error err = {0};
    if (sg_json_parse(&obj, text, strlen(text), "test.json", &err))
        fail_msg("%s", err.message);
    return obj;
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t bytes;
        int code;
        const char *message;
    } rows[] = {
        {"object", "{\"a\":1}", 7, SG_OK, ""},
        {"blanks around", " \n\t{}\r\n ", 8, SG_OK, ""},
        {"a number", "12", 2, SG_OK, ""},
        {"not terminated", "[1]]]]", 3, SG_OK, ""},
        {"nothing", "", 0, SG_ERR_FORMAT, "test.json: has no JSON"},
        {"blanks", "  \n", 3, SG_ERR_FORMAT, "has no JSON"},
        {"cut", "{\"a\":1", 6, SG_ERR_FORMAT, "test.json: malformed JSON at byte 6"},
        {"cut word", "tru", 3, SG_ERR_FORMAT, "malformed JSON at byte 3"},
        {"something behind", "{}x", 3, SG_ERR_FORMAT, "at byte 2"},
        {"zero byte behind", "{}\0x", 4, SG_ERR_FORMAT, "at byte 2: something follows"},
        {"zero byte inside", "{\0}", 3, SG_ERR_FORMAT, "malformed JSON"},
        {"second value", "{} {}", 5, SG_ERR_FORMAT, "malformed JSON"},
        {"comma", "[1,]", 4, SG_ERR_FORMAT, "malformed JSON at byte 3"},
        {"comment", "/*x*/1", 6, SG_ERR_FORMAT, "malformed JSON"},
        {"not UTF-8", "\"a\xff\"", 4, SG_ERR_FORMAT, "malformed JSON at byte 2"},
        {"byte order mark", "\xef\xbb\xbf{}", 5, SG_ERR_FORMAT, "malformed JSON at byte 0"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        json_object *obj;
        char *exact = sg_strndup(rows[i].text, rows[i].bytes); /* sg_strndup adds a 0, so ASan sees reads behind that */
        int rc = sg_json_parse(&obj, exact, rows[i].bytes, "test.json", &err);
        if (rc != rows[i].code || (rc && (obj || !strstr(err.message, rows[i].message))))
            fail_msg("%s: got %d (%s)", rows[i].name, rc, err.message);
        json_object_put(obj);
        sg_free(exact);
    }
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    json_object *obj;
    sg_error err = {0};
    assert_int_equal(sg_json_parse(&obj, deep, sizeof deep, "deep.json", &err), SG_ERR_FORMAT);
    assert_non_null(strstr(err.message, "deep.json: malformed JSON at byte"));
    assert_int_equal(sg_json_read_file(&obj, "/nowhere.json", &err), SG_ERR_IO);
    assert_null(obj);
}

static void test_typed_reads(void **state)
{
    (void)state;
    json_object *obj = parse(
        "{\"i\":42,\"big\":18446744073709551615,\"huge\":99999999999999999999999,\"d\":1.5,\"s\":\"x/y\",\"b\":true,\"n\":null,"
        "\"inf\":1e999,\"list\":[1]}");
    sg_error err = {0};
    int64_t i = -7;
    double d = 0;
    bool b = false, found = true;
    const char *s = NULL;
    assert_int_equal(sg_json_get_int(obj, "f", "i", 0, 100, &i, &found, &err), SG_OK);
    assert_true(found && i == 42);
    static const char *const absent[] = {"none", "n"};
    for (size_t k = 0; k < SG_ARRAY_LEN(absent); k++) {
        i = -7;
        assert_int_equal(sg_json_get_int(obj, "f", absent[k], 0, 100, &i, &found, &err), SG_OK);
        assert_true(!found && i == -7);
    }
    static const char *const bad[] = {"big", "huge", "d", "s", "b", "list"};
    for (size_t k = 0; k < SG_ARRAY_LEN(bad); k++) {
        assert_int_equal(sg_json_get_int(obj, "config.json", bad[k], INT64_MIN, INT64_MAX, &i, NULL, &err),
                         SG_ERR_FORMAT);
        assert_non_null(strstr(err.message, bad[k]));
    }
    assert_int_equal(sg_json_get_int(obj, "config.json", "i", 0, 41, &i, &found, &err), SG_ERR_FORMAT);
    assert_string_equal(err.message, "config.json: \"i\" is 42, expected an integer from 0 to 41");

    assert_int_equal(sg_json_get_double(obj, "f", "d", &d, &found, &err), SG_OK);
    assert_true(d == 1.5);
    assert_int_equal(sg_json_get_double(obj, "f", "i", &d, &found, &err), SG_OK);
    assert_true(d == 42);
    assert_int_equal(sg_json_get_double(obj, "f", "inf", &d, &found, &err), SG_ERR_FORMAT);
    assert_int_equal(sg_json_get_double(obj, "f", "s", &d, &found, &err), SG_ERR_FORMAT);
    assert_string_equal(err.message, "f: \"s\" is \"x/y\", expected a finite number");
    assert_int_equal(sg_json_get_bool(obj, "f", "b", &b, &found, &err), SG_OK);
    assert_true(b);
    assert_int_equal(sg_json_get_bool(obj, "f", "i", &b, &found, &err), SG_ERR_FORMAT);
    assert_int_equal(sg_json_get_string(obj, "f", "s", &s, &found, &err), SG_OK);
    assert_string_equal(s, "x/y");
    assert_int_equal(sg_json_get_string(obj, "f", "i", &s, &found, &err), SG_ERR_FORMAT);
    assert_null(sg_json_get(sg_json_get(obj, "list"), "i")); /* not an object */
    assert_null(sg_json_get(NULL, "i"));
    json_object_put(obj);
}

static void test_write(void **state)
{
    (void)state;
    sg_error err = {0};
    char *text;
    json_object *obj =
        parse("{\"z\": 1.10, \"a\": 1e-5, \"s\": \"x/\xc3\xa9\"}"); /* order and the text of fractions stay */
    json_object *list = json_object_new_array();
    assert_int_equal(sg_json_append(list, sg_json_number(0.1), &err), SG_OK);
    assert_int_equal(sg_json_append(list, sg_json_number(1.0 / 3), &err), SG_OK);
    assert_int_equal(sg_json_append(list, sg_json_number(3), &err), SG_OK);
    assert_int_equal(sg_json_append(list, sg_json_number(NAN), &err), SG_OK);
    assert_int_equal(sg_json_append(list, sg_json_number(-INFINITY), &err), SG_OK);
    assert_int_equal(sg_json_append(list, sg_json_number(1e300), &err), SG_OK);
    assert_int_equal(sg_json_put(obj, "list", list, &err), SG_OK);
    assert_int_equal(sg_json_text(obj, &text, &err), SG_OK);
    assert_string_equal(
        text,
        "{\n  \"z\": 1.10,\n  \"a\": 1e-5,\n  \"s\": \"x/\xc3\xa9\",\n  \"list\": [\n    0.1,\n    0.3333333333333333,\n    3.0,\n"
        "    null,\n    null,\n    1e+300\n  ]\n}\n");
    sg_free(text);
    assert_int_equal(sg_json_put(obj, "none", NULL, &err), SG_ERR_NOMEM);
    fail_allocations = 1;
    int put = sg_json_put(obj, "late", json_object_new_int(1), &err), printed = sg_json_text(obj, &text, &err);
    json_object *parsed, *number = sg_json_number(1);
    int read = sg_json_parse(&parsed, "{}", 2, "f", &err);
    fail_allocations = 0;
    assert_true(put == SG_ERR_NOMEM && printed == SG_ERR_NOMEM && read == SG_ERR_NOMEM && !number);
    assert_null(sg_json_get(obj, "late"));
    json_object_put(obj);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_typed_reads),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
