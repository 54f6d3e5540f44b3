/* Well-formed UTF-8 and where it stops being so. */
#include "sg_test.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/utf8.h"

#define GOOD SIZE_MAX

static void test_valid(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t bad;
    } rows[] = {
        {"empty", "", GOOD},
        {"ASCII", "plain text, longer than eight bytes", GOOD},
        {"two bytes, least and most", "\xc2\x80\xdf\xbf", GOOD},
        {"three bytes, least and most", "\xe0\xa0\x80\xef\xbf\xbf", GOOD},
        {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", GOOD},
        {"four bytes, least and most", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", GOOD},
        {"continuation alone", "a\x80", 1},
        {"continuation missing", "ab\xc3", 2},
        {"continuation missing, text behind", "\xc3z", 0},
        {"three bytes cut", "abcdefgh\xe2\x82", 8},
        {"four bytes cut", "\xf0\x9f\x98", 0},
        {"overlong, two bytes", "\xc0\xaf", 0},
        {"overlong, two bytes", "\xc1\xbf", 0},
        {"overlong, three bytes", "\xe0\x9f\xbf", 0},
        {"overlong, four bytes", "\xf0\x8f\xbf\xbf", 0},
        {"first surrogate", "\xed\xa0\x80", 0},
        {"last surrogate", "x\xed\xbf\xbf", 1},
        {"above U+10FFFF", "\xf4\x90\x80\x80", 0},
        {"five bytes", "\xf8\x88\x80\x80\x80", 0},
        {"0xff in a long text", "0123456789abcdef\xff", 16},
        {"bad third byte", "\xe2\x82z", 0},
        {"bad fourth byte", "\xf0\x9f\x98z", 0},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        size_t bad = GOOD, n = strlen(rows[i].text);
        char *exact = malloc(n + 1); /* at the block's end, so that ASan sees a read past it */
        memcpy(exact + 1, rows[i].text, n);
        bool valid = sg_utf8_valid(exact + 1, n, &bad);
        if (valid != (rows[i].bad == GOOD) || bad != rows[i].bad)
            fail_msg("%s: %d at %zu", rows[i].name, valid, bad);
        assert_int_equal(sg_utf8_valid(exact + 1, n, NULL), valid);
        free(exact);
    }
}

static void test_steps(void **state)
{
    (void)state;
    const char text[] = "a\u00e9\u20ac\U0001f600";
    static const size_t starts[] = {0, 1, 3, 6, 10};
    for (size_t i = 0; i + 1 < SG_ARRAY_LEN(starts); i++) {
        assert_int_equal(starts[i] + sg_utf8_length(text[starts[i]]), starts[i + 1]);
        assert_int_equal(sg_utf8_before(text, starts[i + 1]), starts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid), cmocka_unit_test(test_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
