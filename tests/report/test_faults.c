/* A whole use of the library: a text read, a model scored, pruned, written, the result evaluated, and everything reported. Each
 * allocation, each read, write and other call to the system fails in turn: the error says what it has to, nothing leaks (under
 * AddressSanitizer), and OUT is absent or whole. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sg_test.h"
#include "times.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/output.h"

static const char *fault_operation; /* NULL: none fails */
static long fault_countdown;

int sg_test_fault(const char *operation)
{
    if (!fault_operation || strcmp(operation, fault_operation) != 0 || __atomic_sub_fetch(&fault_countdown, 1, __ATOMIC_RELAXED) != 0)
        return 0;
    return strcmp(operation, "write") == 0 ? ENOSPC : EIO;
}

static char root[32], text_path[64], out_path[64];

static int make_root(void **state)
{
    (void)state;
    /* in memory where that can be: thousands of runs sync what they write */
    snprintf(root, sizeof root, "%s/sg_report_XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(root))
        return -1;
    snprintf(text_path, sizeof text_path, "%s/text", root);
    FILE *f = fopen(text_path, "w");
    if (!f)
        return -1;
    for (int i = 0; i < 40; i++)
        fprintf(f, "the layer turns %d ", i * 7 % 10);
    return fclose(f);
}

static int remove_root(void **state)
{
    (void)state;
    return sg_remove_tree(root, NULL);
}

static size_t entries(void)
{
    size_t n = 0;
    DIR *dir = opendir(root);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* ---- the use ------------------------------------------------------------------------------------------- */

/* What one use holds until its end. */
typedef struct use {
    sg_text text;
    sg_model *model, *smaller;
    sg_score *score;
    sg_plan *plan;
    sg_prune_result *result;
    sg_eval *eval, *second;
    char *reports[10];
    int n_reports;
    bool pruned;
} use;

static const sg_style style = {.utf8 = true};

static int score(use *u, const sg_run_opts *run, sg_error *err)
{
    int rc;
    if ((rc = sg_score_run(&u->score, u->model, run, err)) || (rc = sg_plan_from_score(&u->plan, u->model, u->score, 2, err)))
        return rc;
    if ((rc = sg_inspect_json(u->model, &u->reports[u->n_reports++], err)) ||
        (rc = sg_score_json(u->model, u->score, &u->reports[u->n_reports++], err)) ||
        (rc = sg_score_table(u->model, u->score, u->plan, &style, &u->reports[u->n_reports++], err)))
        return rc;
    return sg_plan_json(u->plan, &u->reports[u->n_reports++], err);
}

static int prune(use *u, sg_error *err)
{
    int rc;
    if ((rc = sg_prune_run(&u->result, u->model, u->plan, out_path, &(sg_prune_opts){.threads = 1}, err)))
        return rc;
    u->pruned = true;
    if ((rc = sg_prune_json(u->plan, u->result, &u->reports[u->n_reports++], err)))
        return rc;
    return sg_prune_table(u->plan, u->result, false, &style, &u->reports[u->n_reports++], err);
}

static int eval(use *u, const sg_run_opts *run, sg_error *err)
{
    static const int without[] = {1};
    int rc;
    bool once = strstr(out_path, ".gguf") != NULL; /* what takes long knows no formats */
    if ((rc = sg_eval_run(&u->eval, u->model, without, 1, run, err)) || (once && (rc = sg_eval_sample(u->eval, u->model, run, err))) ||
        (once && (rc = sg_eval_speed(u->eval, u->model, run, err))) || (rc = sg_model_open(&u->smaller, out_path, err)) ||
        (rc = sg_eval_run(&u->second, u->smaller, NULL, 0, run, err)) || (rc = sg_eval_append(u->eval, u->second, err)))
        return rc;
    if ((rc = sg_eval_json(u->eval, &u->reports[u->n_reports++], err)))
        return rc;
    return sg_eval_table(u->eval, &style, &u->reports[u->n_reports++], err);
}

static int run_all(use *u, const char *path, sg_error *err)
{
    int rc;
    if ((rc = sg_text_read(&u->text, text_path, err)) || (rc = sg_model_open(&u->model, path, err)))
        return rc;
    sg_run_opts run = {.texts = &u->text, .n_texts = 1, .tokens = 16, .window = 8, .threads = 1, .precision = SG_PRECISION_F32};
    if ((rc = score(u, &run, err)) || (rc = prune(u, err)))
        return rc;
    return eval(u, &run, err);
}

static void free_all(use *u)
{
    for (int i = 0; i < u->n_reports; i++)
        sg_string_free(u->reports[i]);
    sg_eval_free(u->second);
    sg_eval_free(u->eval);
    sg_prune_result_free(u->result);
    sg_plan_free(u->plan);
    sg_score_free(u->score);
    sg_model_free(u->smaller);
    sg_model_free(u->model);
    sg_text_free(&u->text);
}

/* ---- every failure ------------------------------------------------------------------------------------- */

/* A failure that could be done without has changed nothing. */
static void assert_same_reports(const use *want, use *u, const char *operation, long k)
{
    assert_int_equal(want->n_reports, u->n_reports);
    for (int i = 0; i < u->n_reports; i++) {
        drop_times(u->reports[i]);
        if (strcmp(want->reports[i], u->reports[i]))
            fail_msg("%s, call %ld: succeeded with another result:\n%s\nnot\n%s", operation, k, u->reports[i], want->reports[i]);
    }
}

/* The k-th call fails, k = 1, 2, ..., until a run has fewer. */
static void fail_each(const char *path, const char *operation, int code, const use *want)
{
    size_t before = entries();
    long failures = 0, k = 1;
    for (bool fired = true; fired; k++) {
        sg_error err = {0};
        use u = {0};
        fault_countdown = k;
        fault_operation = operation;
        int rc = run_all(&u, path, &err);
        fired = fault_countdown <= 0;
        fault_operation = NULL;
        if (rc == SG_OK ? !u.pruned : rc != code || err.code != rc || !*err.message)
            fail_msg("%s of %s, call %ld: %d, %d \"%s\"", operation, path, k, rc, err.code, err.message);
        if (entries() != before + u.pruned)
            fail_msg("%s of %s, call %ld: %zu entries, %zu before", operation, path, k, entries(), before);
        if (rc == SG_OK)
            assert_same_reports(want, &u, operation, k);
        failures += rc != SG_OK;
        free_all(&u);
        if (u.pruned)
            assert_int_equal(sg_remove_tree(out_path, NULL), SG_OK);
    }
    if (!failures)
        fail_msg("%s of %s: never failed", operation, path);
    if (getenv("SG_TEST_VERBOSE"))
        print_message("%s of %s: %ld failures, %ld calls\n", operation, path, failures, k);
}

static void fail_everything(const char *path)
{
    static const struct { const char *operation; int code; bool files; } rows[] = {
        {"alloc", SG_ERR_NOMEM, true}, {"open", SG_ERR_IO, true},  {"stat", SG_ERR_IO, true},    {"map", SG_ERR_IO, true},
        {"read", SG_ERR_IO, true},     {"write", SG_ERR_IO, true}, {"sync", SG_ERR_IO, true},    {"close", SG_ERR_IO, true},
        {"rename", SG_ERR_IO, true},   {"statvfs", SG_ERR_IO, true}, {"mkdir", SG_ERR_IO, false}, {"opendir", SG_ERR_IO, false},
        {"thread", SG_ERR_NOMEM, true},
    };
    bool is_file = strstr(path, ".gguf") != NULL;
    snprintf(out_path, sizeof out_path, "%s/out%s", root, is_file ? ".gguf" : "");
    use want = {0};
    sg_error err = {0};
    if (run_all(&want, path, &err))
        fail_msg("%s: %s", path, err.message);
    for (int i = 0; i < want.n_reports; i++)
        drop_times(want.reports[i]);
    assert_int_equal(sg_remove_tree(out_path, NULL), SG_OK);
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++)
        if (rows[i].files || !is_file)
            fail_each(path, rows[i].operation, rows[i].code, &want);
    free_all(&want);
}

static void test_gguf(void **state)
{
    (void)state;
    fail_everything(SG_GOLDEN "/tiny_llama.gguf");
}

static void test_hf(void **state)
{
    (void)state;
    fail_everything(SG_GOLDEN "/tiny_llama");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gguf, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_hf, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
