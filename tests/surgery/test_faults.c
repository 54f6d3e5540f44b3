/* Each allocation and each system call of a prune fails in turn, it is told to stop at each step, and the disk is full: nothing is
 * left behind, and OUT is absent or as it was. */
#include <dirent.h>
#include <errno.h>
#include <sys/statvfs.h>

#include "work.h"

#include "checkpoint/gguf_write.h"

static const char *fault_operation;
static long fault_countdown;

int sg_test_fault(const char *operation)
{
    if (!fault_operation || strcmp(operation, fault_operation) != 0 || __atomic_sub_fetch(&fault_countdown, 1, __ATOMIC_RELAXED) != 0)
        return 0;
    return strcmp(operation, "write") == 0 ? ENOSPC : EIO;
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

/* What pruning needs, made once, so that only the prune itself meets faults. */
typedef struct work {
    sg_model *model;
    sg_plan *plan;
    size_t entries;
} work;

static work begin(const char *path)
{
    work w = {.model = must_open(path)};
    static const int remove[] = {1, 2};
    assert_int_equal(sg_plan_from_layers(&w.plan, w.model, remove, 2, NULL), SG_OK);
    w.entries = entries();
    return w;
}

static void end(work *w)
{
    sg_plan_free(w->plan);
    sg_model_free(w->model);
}

/* OUT holds a whole model of the right depth. */
static void assert_whole(const work *w)
{
    sg_model *m = must_open("out");
    assert_int_equal(m->info.layers, w->plan->n_keep);
    assert_int_equal(entries(), w->entries + 1);
    sg_model_free(m);
    assert_int_equal(sg_remove_tree(at("out"), NULL), SG_OK);
}

static void fail_each(const char *model, const char *operation, int code)
{
    work w = begin(model);
    int failures = 0;
    for (long k = 1, step = 1;; k += step) {
        sg_error err = {0};
        sg_prune_result *r = NULL;
        fault_countdown = k;
        fault_operation = operation;
        int rc = sg_prune_run(&r, w.model, w.plan, at("out"), &(sg_prune_opts){.threads = 1}, &err);
        bool fired = fault_countdown <= 0;
        fault_operation = NULL;
        if (rc < 0) {
            failures++;
            if (!fired || rc != code || err.code != rc || !*err.message || r || entries() != w.entries)
                fail_msg("%s of %s, %ld: %d \"%s\", %zu entries for %zu", operation, model, k, rc, err.message, entries(), w.entries);
        } else {
            assert_whole(&w);
            sg_prune_result_free(r);
            if (!fired)
                break;
        }
        step = k < 400 ? 1 : 7; /* past the layout there are many alike */
    }
    if (failures == 0)
        fail_msg("%s of %s: never failed", operation, model);
    end(&w);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct { const char *operation; int code; bool files; } rows[] = {
        {"alloc", SG_ERR_NOMEM, true}, {"open", SG_ERR_IO, true}, {"stat", SG_ERR_IO, true},    {"map", SG_ERR_IO, true},
        {"read", SG_ERR_IO, true},     {"write", SG_ERR_IO, true}, {"sync", SG_ERR_IO, true},   {"close", SG_ERR_IO, true},
        {"rename", SG_ERR_IO, true},   {"statvfs", SG_ERR_IO, true}, {"mkdir", SG_ERR_IO, false}, {"opendir", SG_ERR_IO, false},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        fail_each("tied", rows[i].operation, rows[i].code);
        if (rows[i].files)
            fail_each("one.gguf", rows[i].operation, rows[i].code);
    }
}

static int countdown_report(const char *stage, uint64_t done, uint64_t total, const char *unit, void *user)
{
    assert_true(*stage && *unit && done <= total);
    return --*(long *)user == 0;
}

static void test_interrupts(void **state)
{
    (void)state;
    static const char *const models[] = {"tied", "one.gguf"};
    for (size_t i = 0; i < SG_ARRAY_LEN(models); i++) {
        work w = begin(models[i]);
        long k = 1;
        for (;; k++) {
            long left = k;
            sg_error err = {0};
            sg_prune_result *r = NULL;
            sg_prune_opts opts = {.threads = 1, .progress = {countdown_report, &left}};
            int rc = sg_prune_run(&r, w.model, w.plan, at("out"), &opts, &err);
            if (rc == SG_OK) {
                assert_true(left > 0);
                sg_prune_result_free(r);
                break;
            }
            if (rc != SG_ERR_CANCELLED || entries() != w.entries)
                fail_msg("%s, step %ld: %d (%s), %zu entries for %zu", models[i], k, rc, err.message, entries(), w.entries);
        }
        assert_true(k > 10);
        assert_whole(&w);
        end(&w);
    }
}

/* An old OUT survives whatever happens to the new one. */
static void test_overwrite_is_safe(void **state)
{
    (void)state;
    static const char *const operations[] = {"write", "sync", "close", "rename"};
    assert_true(shell("cp -r hf out && cp -r hf old"));
    work w = begin("tied");
    for (size_t i = 0; i < SG_ARRAY_LEN(operations); i++)
        for (long k = 1;; k++) {
            sg_prune_result *r = NULL;
            fault_countdown = k;
            fault_operation = operations[i];
            int rc = sg_prune_run(&r, w.model, w.plan, at("out"), &(sg_prune_opts){.threads = 1, .overwrite = true}, NULL);
            fault_operation = NULL;
            sg_prune_result_free(r);
            assert_int_equal(entries(), w.entries);
            if (rc == SG_OK) {
                assert_true(shell("rm -r out && cp -r old out"));
                break;
            }
            assert_true(shell("diff -r out old"));
        }
    end(&w);
}

/* A model with a tensor larger than the free space: refused before anything is written. */
static void test_no_space(void **state)
{
    (void)state;
    struct statvfs vfs;
    assert_int_equal(statvfs(root, &vfs), 0);
    sg_model *m = must_open("one.gguf");
    const sg_gguf *g = &m->ckpt->ggufs[0];
    sg_gguf_draft d = {.version = g->version, .alignment = g->alignment};
    for (size_t i = 0; i < g->n_kvs; i++)
        sg_gguf_put_raw(&d, &g->kvs[i]);
    for (size_t i = 0; i < m->ckpt->n_tensors; i++)
        sg_gguf_put_tensor(&d, m->ckpt->tensors[i].name, &m->ckpt->tensors[i]);
    sg_tensor huge = m->ckpt->tensors[0];
    huge.n_dims = 1;
    huge.type = sg_dtype_by_safetensors("F32");
    huge.shape[0] = (uint64_t)vfs.f_bavail * vfs.f_frsize / 4 + (1u << 26);
    huge.bytes = huge.shape[0] * 4;
    sg_gguf_put_tensor(&d, "huge.weight", &huge);
    sg_strbuf head = {0};
    assert_int_equal(sg_gguf_draft_header(&d, &head, NULL), SG_OK);
    FILE *f = fopen(at("huge.gguf"), "w");
    fwrite(head.data, 1, head.n, f);
    fclose(f);
    bool sparse = truncate(at("huge.gguf"), (off_t)(head.n + d.data_bytes)) == 0;
    sg_strbuf_free(&head);
    sg_gguf_draft_dispose(&d);
    sg_model_free(m);
    if (!sparse) {
        print_message("skip: this file system has no files of %llu bytes with holes\n", (unsigned long long)huge.bytes);
        skip();
    }
    sg_error err = {0};
    size_t before = entries();
    assert_int_equal(prune("huge.gguf", "1", "out.gguf", NULL, NULL, &err), SG_ERR_IO);
    assert_non_null(strstr(err.message, "bytes, its disk has"));
    assert_int_equal(entries(), before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {TEST(test_faults), TEST(test_interrupts), TEST(test_overwrite_is_safe), TEST(test_no_space)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
