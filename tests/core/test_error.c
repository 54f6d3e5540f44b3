/* The error sentence is one line of UTF-8, whatever strings of a file are in it. */
#include "sg_test.h"

#include "core/error.h"
#include "core/utf8.h"

static void test_message(void **state)
{
    (void)state;
    static const struct { const char *name, *in, *out; } cases[] = {
        {"plain", "h\xc3\xa9", "h\xc3\xa9"},
        {"control characters", "a\n\x1b[1mb\x7f", "a??[1mb?"},
        {"a character cut short", "ab\xe4\xb8", "ab??"},
        {"a byte of no character", "\xff" "a\x80", "?a?"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(cases); i++) {
        sg_error err = {0};
        assert_int_equal(sg_fail(&err, SG_ERR_FORMAT, "%s", cases[i].in), SG_ERR_FORMAT);
        if (err.code != SG_ERR_FORMAT || strcmp(err.message, cases[i].out))
            fail_msg("%s: got \"%s\"", cases[i].name, err.message);
    }
    assert_int_equal(sg_fail(NULL, SG_ERR_IO, "nobody asks"), SG_ERR_IO);
}

static void test_message_that_is_too_long(void **state)
{
    (void)state;
    char path[3000];
    sg_error err = {0};
    for (size_t i = 0; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "\xc3\xa9", 2);
    path[sizeof path - 2] = 0;
    for (int shift = 0; shift < 2; shift++) {
        sg_fail(&err, SG_ERR_IO, shift ? "%s" : "x%s", path);
        size_t bytes = strlen(err.message);
        assert_int_equal(bytes, sizeof err.message - 1);
        assert_true(sg_utf8_valid(err.message, bytes, NULL));
    }
    assert_int_equal(sg_fail_in(&err, SG_ERR_IO, "where"), SG_ERR_IO);
    assert_int_equal(strncmp(err.message, "where: \xc3\xa9", 9), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_message_that_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
