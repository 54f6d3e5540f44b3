/* A program that uses the library may have set a locale whose numbers have a decimal comma: what is read and written stays the
 * same. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "sg_test.h"
#include "times.h"

#include "core/error.h"

/* Makes a locale with a comma and sets it, for numbers; false where that cannot be done. */
static bool set_comma_locale(void)
{
    char dir[] = "/tmp/sg_locale_XXXXXX", command[1024], probe[16];
    if (!mkdtemp(dir))
        return false;
    snprintf(command, sizeof command,
             "cd %s && printf 'comment_char %%%%\\nescape_char /\\nLC_NUMERIC\\ndecimal_point \",\"\\nthousands_sep \".\"\\ngrouping 3;3\\nEND LC_NUMERIC\\n' "
             ">source && localedef -c -i source ./comma >log 2>&1", dir);
    int status = system(command); /* it warns of all that the locale lacks */
    setenv("LOCPATH", dir, 1);
    bool set = setlocale(LC_NUMERIC, "comma") != NULL;
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command) || !set) {
        print_message("localedef: %d\n", status);
        return false;
    }
    snprintf(probe, sizeof probe, "%.1f", 1.5);
    return !strcmp(probe, "1,5");
}

enum { N_TEXTS = 10 };

/* All that the library writes of a model, with numbers read from its files and from strings. */
static void write_all(const char *path, char *texts[N_TEXTS])
{
    static char words[4000];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = " the layer turns it back again"[i * 7 % 30];
    const sg_text text = {"words", words, sizeof words};
    const sg_run_opts opts = {.texts = &text, .n_texts = 1, .window = 32, .threads = 1};
    const sg_style style = {.utf8 = true};
    sg_model *model = NULL;
    sg_score *score = NULL;
    sg_eval *eval = NULL;
    sg_plan *plan = NULL;
    sg_prune_result *result = NULL;
    sg_error err = {0};
    static const int removed[] = {1};
    int n = 0, layers = 0;
    if (sg_model_open(&model, path, &err) || sg_score_run(&score, model, &opts, &err) || sg_eval_run(&eval, model, removed, 1, &opts, &err) ||
        sg_ratio_parse("25.5%", 4, &layers, &err) || sg_plan_from_score(&plan, model, score, layers, &err) ||
        sg_prune_dry_run(&result, model, plan, path[strlen(path) - 1] == 'f' ? "/tmp/x.gguf" : "/tmp/sg_x", NULL, &err) ||
        sg_inspect_json(model, &texts[n++], &err) || sg_inspect_table(model, &style, &texts[n++], &err) ||
        sg_score_json(model, score, &texts[n++], &err) || sg_score_table(model, score, plan, &style, &texts[n++], &err) ||
        sg_eval_json(eval, &texts[n++], &err) || sg_eval_table(eval, &style, &texts[n++], &err) || sg_plan_json(plan, &texts[n++], &err) ||
        sg_prune_json(plan, result, &texts[n++], &err) || sg_prune_table(plan, result, true, &style, &texts[n++], &err) ||
        sg_features_json(&texts[n++], &err))
        fail_msg("%s: %s", path, err.message);
    assert_int_equal(n, N_TEXTS);
    for (int i = 0; i < n; i++)
        drop_times(texts[i]);
    sg_prune_result_free(result);
    sg_plan_free(plan);
    sg_eval_free(eval);
    sg_score_free(score);
    sg_model_free(model);
}

static void test_decimal_comma(void **state)
{
    (void)state;
    static const char *const paths[] = {SG_GOLDEN "/tiny_llama", SG_GOLDEN "/tiny_llama.gguf"};
    char *plain[2][N_TEXTS], *comma[2][N_TEXTS];
    for (size_t i = 0; i < 2; i++)
        write_all(paths[i], plain[i]);
    bool set = set_comma_locale();
    for (size_t i = 0; i < 2 && set; i++)
        write_all(paths[i], comma[i]);
    setlocale(LC_NUMERIC, "C");
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < N_TEXTS; j++) {
            if (set && strcmp(plain[i][j], comma[i][j]))
                fail_msg("%s, text %zu:\n%s\nwith a comma:\n%s", paths[i], j, plain[i][j], comma[i][j]);
            sg_string_free(plain[i][j]);
            if (set)
                sg_string_free(comma[i][j]);
        }
    if (!set) {
        print_message("skip: no locale with a decimal comma can be made here (localedef)\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decimal_comma)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
