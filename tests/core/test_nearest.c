/* Did you mean. */
#include "sg_test.h"

#include "core/error.h"
#include "core/nearest.h"

static const char *const words[] = {"inspect", "score", "prune", "eval", "tokenize", "tokens", "qwen2", "qwen3", "qwen2_moe", "llama"};

static void test_hints(void **state)
{
    (void)state;
    static const struct { const char *name, *typed, *hint; } cases[] = {
        {"itself", "score", "; did you mean score?"},
        {"neighbours swapped", "scoer", "; did you mean score?"},
        {"a letter missing", "tokns", "; did you mean tokens?"},
        {"a letter too many", "evall", "; did you mean eval?"},
        {"another letter", "prume", "; did you mean prune?"},
        {"two, nearest first", "qwen2_mo", "; did you mean qwen2_moe or qwen2?"},
        {"two equally near keep their order", "qwen", "; did you mean qwen2 or qwen3?"},
        {"the nearer second is first", "qwen3x", "; did you mean qwen3 or qwen2?"},
        {"not three", "qwe", "; did you mean qwen2 or qwen3?"},
        {"either case", "LLaMA", "; did you mean llama?"},
        {"nothing is near", "zzzzzz", ""},
        {"short words have few mistakes", "xx", ""},
        {"nothing was typed", "", ""},
        {"too long for any", "llamallamallamallamallamallamallamallamallamallama", ""},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(cases); i++) {
        char hint[160];
        sg_nearest_hint(hint, "", cases[i].typed, words, SG_ARRAY_LEN(words));
        if (strcmp(hint, cases[i].hint))
            fail_msg("%s: got \"%s\", not \"%s\"", cases[i].name, hint, cases[i].hint);
    }
}

static void test_prefix_and_no_words(void **state)
{
    (void)state;
    char hint[160];
    const char *near[2];
    assert_string_equal(sg_nearest_hint(hint, "--", "qwen", words, SG_ARRAY_LEN(words)), "; did you mean --qwen2 or --qwen3?");
    assert_int_equal(sg_nearest("a", words, 0, near), 0);
    assert_null(near[0]);
    assert_null(near[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_prefix_and_no_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
