/* Choosing, comparing and reading tasks with each allocation failing in turn, and each call to the system that reads a task's
 * files: the error says so, and nothing leaks (under AddressSanitizer). */
#include <errno.h>
#include <stdio.h>

#include "sg_test.h"

#include "core/error.h"
#include "core/mem.h"

static const char *fault_operation = "alloc";
static long fault_countdown; /* 0: none fails */

int sg_test_fault(const char *operation)
{
    if (strcmp(operation, fault_operation) != 0 || __atomic_load_n(&fault_countdown, __ATOMIC_RELAXED) <= 0)
        return 0;
    return __atomic_sub_fetch(&fault_countdown, 1, __ATOMIC_RELAXED) == 0 ? (strcmp(operation, "alloc") ? EIO : ENOMEM) : 0;
}

static sg_model *model;
static sg_text text;
static sg_task *task;
static const sg_style style = {.utf8 = true};

static sg_choose_opts options(sg_method method)
{
    return (sg_choose_opts){.method = method,
                            .remove = 2,
                            .trial_tokens = 16,
                            .run = {.texts = &text, .n_texts = 1, .tokens = 16, .window = 8, .threads = 1,
                                    .precision = SG_PRECISION_F32}};
}

static int choose(sg_choose_opts opts, sg_error *err)
{
    sg_choice *choice = NULL;
    sg_plan *plan = NULL;
    char *table = NULL, *json = NULL;
    int rc = sg_choose(&choice, model, &opts, err);
    if (!rc && !(rc = sg_plan_from_choice(&plan, model, choice, err)) && !(rc = sg_plan_json(plan, &json, err)))
        rc = sg_choice_table(model, choice, &style, &table, err);
    sg_string_free(json);
    sg_string_free(table);
    sg_plan_free(plan);
    sg_choice_free(choice);
    return rc;
}

static int by_divergence(sg_error *err)
{
    return choose(options(SG_METHOD_GREEDY_KL), err);
}

static int by_perplexity(sg_error *err)
{
    sg_choose_opts opts = options(SG_METHOD_BI);
    opts.remove = 0;
    opts.max_ppl_increase = 1000;
    return choose(opts, err);
}

static int by_speed(sg_error *err)
{
    sg_choose_opts opts = options(SG_METHOD_REVERSE);
    opts.remove = 0;
    opts.target_speedup = 1.001;
    return choose(opts, err);
}

static int until_stable(sg_error *err)
{
    sg_choose_opts opts = options(SG_METHOD_ANGULAR_ALL);
    opts.until_stable = true;
    return choose(opts, err);
}

static int compare(sg_error *err)
{
    static const sg_method methods[] = {SG_METHOD_BI, SG_METHOD_ANGULAR, SG_METHOD_BI_GREEDY};
    static const int counts[] = {0, 1, 2};
    sg_choose_opts opts = options(SG_METHOD_BI);
    sg_compare *result = NULL;
    char *table = NULL, *json = NULL;
    int rc = sg_compare_run(&result, model, methods, 3, counts, 3, &opts, &opts.run, err);
    if (!rc && !(rc = sg_compare_json(model, result, &json, err)))
        rc = sg_compare_table(model, result, &style, &table, err);
    sg_string_free(json);
    sg_string_free(table);
    sg_compare_free(result);
    return rc;
}

static int compare_tasks(sg_error *err)
{
    static const sg_method method = SG_METHOD_REVERSE;
    static const int count = 1;
    sg_choose_opts opts = options(SG_METHOD_REVERSE);
    sg_compare *result = NULL;
    char *table = NULL, *json = NULL;
    int rc = sg_compare_run(&result, model, &method, 1, &count, 1, &opts, &opts.run, err);
    if (!rc)
        rc = sg_compare_tasks(result, (const sg_task *const *)&task, 1, &opts.run, err);
    if (!rc && !(rc = sg_compare_json(model, result, &json, err)))
        rc = sg_compare_table(model, result, &style, &table, err);
    sg_string_free(json);
    sg_string_free(table);
    sg_compare_free(result);
    return rc;
}

static int compare_speed(sg_error *err)
{
    static const sg_method method = SG_METHOD_REVERSE;
    static const int count = 1;
    sg_choose_opts opts = options(SG_METHOD_REVERSE);
    sg_compare *result = NULL;
    int rc = sg_compare_run(&result, model, &method, 1, &count, 1, &opts, &opts.run, err);
    if (!rc)
        rc = sg_compare_speed(result, &opts.run, err);
    sg_compare_free(result);
    return rc;
}

/* Of every shape: lines, a list, lists in a list, a literal, folders of articles and of subjects, labels in a second file. */
static int read_tasks(sg_error *err)
{
    static const struct { const char *name, *file; int shots; } rows[] = {
        {"hellaswag", "hellaswag.jsonl", 0}, {"lambada_openai", "lambada_openai.json", 0}, {"c3", "c3.json", 0},
        {"race", "race_hf.jsonl", 0},        {"race", "race", 0},                          {"mmlu", "mmlu", 1},
        {"piqa", "piqa.jsonl", 0},           {"wsc273", "wsc273.jsonl", 0},
    };
    int rc = SG_OK;
    for (size_t i = 0; i < SG_ARRAY_LEN(rows) && !rc; i++) {
        char path[512];
        sg_task *read;
        snprintf(path, sizeof path, "%s/tasks/%s", SG_GOLDEN, rows[i].file);
        rc = sg_task_read(&read, rows[i].name, path, rows[i].shots, 0, err);
        if (!rc)
            sg_task_free(read);
    }
    return rc;
}

static int score_halves(sg_error *err)
{
    sg_choose_opts opts = options(SG_METHOD_GREEDY);
    sg_score *score = NULL;
    char *table = NULL, *json = NULL;
    opts.halves = true;
    int rc = sg_score_by(&score, model, &opts, err);
    if (!rc && !(rc = sg_score_json(model, score, &json, err)))
        rc = sg_score_table(model, score, NULL, &style, &table, err);
    sg_string_free(json);
    sg_string_free(table);
    sg_score_free(score);
    return rc;
}

static void test_every_allocation(void **state)
{
    (void)state;
    static const struct { const char *name; int (*run)(sg_error *err); const char *operation; } rows[] = {
        {"by divergence", by_divergence}, {"by perplexity", by_perplexity}, {"by speed", by_speed},
        {"until stable", until_stable},   {"compare", compare},       {"score of halves", score_halves},
        {"tasks", compare_tasks},         {"speed of subsets", compare_speed}, {"reading tasks", read_tasks},
        {"reading tasks", read_tasks, "open"},  {"reading tasks", read_tasks, "read"},  {"reading tasks", read_tasks, "stat"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        if (rows[i].run(&err)) /* also reads the tokenizer, once */
            fail_msg("%s: %s", rows[i].name, err.message);
        long failures = 0, left = 0;
        fault_operation = rows[i].operation ? rows[i].operation : "alloc";
        for (long k = 1; left <= 0; k++) {
            err = (sg_error){0};
            fault_countdown = k;
            int rc = rows[i].run(&err);
            left = fault_countdown;
            fault_countdown = 0;
            if (rc && (rc != (rows[i].operation ? SG_ERR_IO : SG_ERR_NOMEM) || err.code != rc || !*err.message))
                fail_msg("%s, %s %ld: %d \"%s\"", rows[i].name, fault_operation, k, rc, err.message);
            failures += rc != SG_OK;
        }
        if (failures < 10)
            fail_msg("%s: only %ld calls of %s failed", rows[i].name, failures, fault_operation);
    }
}

static int setup(void **state)
{
    (void)state;
    static char words[1024];
    for (int i = 0; i < 40; i++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "the layer turns %d ", i * 7 % 10);
    text = (sg_text){"words", words, strlen(words)};
    int rc = sg_task_read(&task, "piqa", SG_GOLDEN "/tasks/piqa.jsonl", 0, 1, NULL);
    return rc ? rc : sg_model_open(&model, SG_GOLDEN "/tiny_llama.gguf", NULL);
}

static int teardown(void **state)
{
    (void)state;
    sg_task_free(task);
    sg_model_free(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
