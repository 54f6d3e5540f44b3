/* Output files: written, read back and published whole, or nothing. Each fallible operation is made to fail in turn. */
#include "sg_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/output.h"

static char root[] = "/tmp/sg_output_XXXXXX";

static const char *fault_operation;
static long fault_countdown;

int sg_test_fault(const char *operation)
{
    if (!fault_operation || strcmp(operation, fault_operation) != 0 || --fault_countdown != 0)
        return 0;
    return strcmp(operation, "write") == 0 ? ENOSPC : EIO;
}

static char *at(const char *name)
{
    static char path[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%.40s/%.200s", root, name);
    return path[next];
}

static void put(const char *name, const char *content)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static bool has(const char *name, const char *content)
{
    char got[256] = "";
    FILE *f = fopen(at(name), "r");
    if (!f)
        return false;
    size_t n = fread(got, 1, sizeof got - 1, f);
    fclose(f);
    return n == strlen(content) && memcmp(got, content, n) == 0;
}

static int make_root(void **state)
{
    (void)state;
    fault_operation = NULL;
    strcpy(root, "/tmp/sg_output_XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    fault_operation = NULL;
    return sg_remove_tree(root, NULL);
}

/* Writes "headabc" padded to 8 from "abc" of the file source, as a file or inside a directory; cleans up as surgery does. */
static int write_all(bool directory, bool replace, sg_error *err)
{
    char *temp = NULL, *path = NULL;
    sg_out *out = NULL;
    sg_map map = {0};
    int rc = sg_temp_sibling(&temp, at("out"), err);
    if (rc < 0)
        return rc;
    uint64_t free_bytes, block;
    if ((rc = sg_free_space(root, &free_bytes, &block, err)) == SG_OK && (rc = sg_map_open(&map, at("source"), err)) == SG_OK &&
        (!directory || (rc = sg_make_dir(temp, err)) == SG_OK)) {
        path = directory ? sg_path_join(temp, "file") : sg_strdup(temp);
        rc = path ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory");
    }
    if (rc == SG_OK && (rc = sg_out_create(&out, path, err)) == SG_OK && (rc = sg_out_write(out, "head", 4, err)) == SG_OK &&
        (rc = sg_out_copy(out, &map, 1, 3, NULL, err)) == SG_OK && (rc = sg_out_pad(out, 8, err)) == SG_OK &&
        (rc = sg_out_close(out, err)) == SG_OK && (rc = sg_out_check(out, NULL, err)) == SG_OK &&
        (!directory || (rc = sg_sync_dir(temp, err)) == SG_OK))
        rc = sg_publish(temp, at("out"), replace, err);
    if (rc < 0)
        sg_remove_tree(temp, NULL);
    sg_out_free(out);
    sg_map_close(&map);
    sg_free(path);
    sg_free(temp);
    return rc;
}

static void assert_whole(const char *name)
{
    char got[16] = {0};
    int fd = open(at(name), O_RDONLY);
    assert_int_equal(read(fd, got, sizeof got), 8);
    close(fd);
    assert_memory_equal(got, "headabc\0", 8);
}

static size_t entries(void)
{
    char command[600];
    snprintf(command, sizeof command, "ls -A %s | wc -l", root);
    FILE *p = popen(command, "r");
    size_t n = 0;
    assert_int_equal(fscanf(p, "%zu", &n), 1);
    pclose(p);
    return n;
}

static void test_each_operation_fails(void **state)
{
    (void)state;
    static const struct { const char *operation; bool directory; int code; } rows[] = {
        {"alloc", false, SG_ERR_NOMEM}, {"alloc", true, SG_ERR_NOMEM}, {"statvfs", false, SG_ERR_IO}, {"mkdir", true, SG_ERR_IO},
        {"open", false, SG_ERR_IO},     {"open", true, SG_ERR_IO},     {"write", false, SG_ERR_IO},   {"write", true, SG_ERR_IO},
        {"sync", false, SG_ERR_IO},     {"sync", true, SG_ERR_IO},     {"close", false, SG_ERR_IO},   {"read", false, SG_ERR_IO},
        {"stat", false, SG_ERR_IO},     {"rename", false, SG_ERR_IO},  {"rename", true, SG_ERR_IO},
    };
    put("source", "xabcx");
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        int failures = 0;
        for (long k = 1;; k++) {
            sg_error err = {0};
            fault_operation = rows[i].operation;
            fault_countdown = k;
            int rc = write_all(rows[i].directory, false, &err);
            bool fired = fault_countdown <= 0;
            fault_operation = NULL;
            if (rc < 0) {
                failures++;
                if (!fired || rc != rows[i].code || !*err.message || entries() != 1)
                    fail_msg("%s %ld: %d \"%s\", %zu entries", rows[i].operation, k, rc, err.message, entries());
                continue;
            }
            assert_whole(rows[i].directory ? "out/file" : "out");
            assert_int_equal(sg_remove_tree(at("out"), NULL), SG_OK);
            if (!fired)
                break;
        }
        if (failures == 0)
            fail_msg("%s: never failed", rows[i].operation);
    }
}

static void test_replace_or_keep(void **state)
{
    (void)state;
    static const char *const operations[] = {"alloc", "open", "write", "sync", "read", "rename"};
    put("source", "xabcx");
    for (size_t i = 0; i < SG_ARRAY_LEN(operations); i++)
        for (int directory = 0; directory < 2; directory++)
            for (long k = 1;; k++) {
                if (directory)
                    assert_int_equal(mkdir(at("out"), 0777), 0);
                put(directory ? "out/old" : "out", "old");
                fault_operation = operations[i];
                fault_countdown = k;
                int rc = write_all(directory, true, NULL);
                bool fired = fault_countdown <= 0;
                fault_operation = NULL;
                assert_int_equal(entries(), 2);
                if (rc < 0)
                    assert_true(has(directory ? "out/old" : "out", "old"));
                else
                    assert_whole(directory ? "out/file" : "out");
                if (rc == SG_OK && directory)
                    assert_false(sg_path_exists(at("out/old")));
                assert_int_equal(sg_remove_tree(at("out"), NULL), SG_OK);
                if (!fired)
                    break;
            }
}

static void test_publish_refuses(void **state)
{
    (void)state;
    sg_error err = {0};
    put("source", "xabcx");
    put("out", "old");
    assert_int_equal(write_all(false, false, &err), SG_ERR_USAGE);
    assert_int_equal(write_all(true, false, &err), SG_ERR_USAGE);
    assert_int_equal(write_all(true, true, &err), SG_ERR_USAGE); /* a file is not replaced by a directory */
    assert_true(has("out", "old"));
    assert_int_equal(sg_remove_tree(at("out"), NULL), SG_OK);
    assert_int_equal(mkdir(at("out"), 0777), 0); /* rename(2) alone would replace an empty directory */
    assert_int_equal(write_all(true, false, &err), SG_ERR_USAGE);
    assert_int_equal(write_all(false, true, &err), SG_ERR_USAGE);
    assert_int_equal(entries(), 2);
}

static void test_changed_on_disk(void **state)
{
    (void)state;
    static const struct { const char *name; off_t length; bool flip; } rows[] = {
        {"untouched", 6, false}, {"one bit", 6, true}, {"shorter", 5, false}, {"longer", 7, false},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_out *out = NULL;
        sg_error err = {0};
        assert_int_equal(sg_out_create(&out, at("f"), &err), SG_OK);
        assert_int_equal(sg_out_write(out, "abcdef", 6, &err), SG_OK);
        assert_int_equal(sg_out_position(out), 6);
        assert_int_equal(sg_out_close(out, &err), SG_OK);
        assert_int_equal(truncate(at("f"), rows[i].length), 0);
        if (rows[i].flip) {
            int fd = open(at("f"), O_WRONLY);
            assert_int_equal(pwrite(fd, "B", 1, 1), 1);
            close(fd);
        }
        int rc = sg_out_check(out, NULL, &err);
        if (rc != (i ? SG_ERR_IO : SG_OK))
            fail_msg("%s: %d %s", rows[i].name, rc, err.message);
        sg_out_free(out);
        assert_int_equal(unlink(at("f")), 0);
    }
}

static int stop_at;
static int report(const char *stage, uint64_t done, uint64_t total, const char *unit, void *user)
{
    assert_string_equal(stage, "copying");
    assert_string_equal(unit, "bytes");
    assert_true(done <= total);
    return --*(int *)user == 0;
}

static void test_ticks(void **state)
{
    (void)state;
    enum { BYTES = 9 << 20 }; /* three pieces */
    put("source", "");
    assert_int_equal(truncate(at("source"), BYTES), 0);
    for (int k = 1; k <= 4; k++) {
        sg_progress progress = {report, &stop_at};
        sg_ticker ticker = {.progress = &progress, .stage = "copying", .total = BYTES};
        sg_map map;
        sg_out *out = NULL;
        stop_at = k;
        assert_int_equal(sg_map_open(&map, at("source"), NULL), SG_OK);
        assert_int_equal(sg_out_create(&out, at("copy"), NULL), SG_OK);
        assert_int_equal(sg_out_copy(out, &map, 0, BYTES, &ticker, NULL), k < 4 ? SG_ERR_CANCELLED : SG_OK);
        if (k == 4)
            assert_int_equal(ticker.done, BYTES);
        sg_out_free(out);
        sg_map_close(&map);
        assert_int_equal(unlink(at("copy")), 0);
    }
}

/* A span of three pieces at odd places, where the kernel's copying is not offered from its k-th call on (0: it is). */
static void test_kernel_copies(void **state)
{
    (void)state;
    enum { BYTES = (8 << 20) + 5, FROM = 3 };
    uint8_t *bytes = malloc(BYTES), *got = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    int fd = open(at("source"), O_CREAT | O_TRUNC | O_WRONLY, 0666);
    assert_int_equal(write(fd, bytes, BYTES), BYTES);
    close(fd);
    for (int k = 0; k <= 3; k++) {
        sg_map map;
        sg_out *out = NULL;
        assert_int_equal(sg_map_open(&map, at("source"), NULL), SG_OK);
        assert_int_equal(sg_out_create(&out, at("copy"), NULL), SG_OK);
        assert_int_equal(sg_out_write(out, "head", 4, NULL), SG_OK);
        fault_operation = "copy";
        fault_countdown = k;
        assert_int_equal(sg_out_copy(out, &map, FROM, BYTES - FROM, NULL, NULL), SG_OK);
        if (k)
            assert_int_equal(fault_countdown, 0); /* not asked again */
        fault_operation = NULL;
        assert_int_equal(sg_out_position(out), 4 + BYTES - FROM);
        assert_int_equal(sg_out_write(out, "tail", 4, NULL), SG_OK);
        assert_int_equal(sg_out_close(out, NULL), SG_OK);
        assert_int_equal(sg_out_check(out, NULL, NULL), SG_OK);
        sg_out_free(out);
        sg_map_close(&map);
        fd = open(at("copy"), O_RDONLY);
        assert_int_equal(pread(fd, got, BYTES - FROM, 4), BYTES - FROM);
        close(fd);
        assert_memory_equal(got, bytes + FROM, BYTES - FROM);
        assert_int_equal(unlink(at("copy")), 0);
    }
    free(bytes);
    free(got);
}

static void test_source_shrinks(void **state)
{
    (void)state;
    sg_map map;
    sg_out *out = NULL;
    sg_error err = {0};
    put("source", "abcdef");
    assert_int_equal(sg_map_open(&map, at("source"), NULL), SG_OK);
    assert_int_equal(truncate(at("source"), 3), 0);
    assert_int_equal(sg_out_create(&out, at("copy"), NULL), SG_OK);
    assert_int_equal(sg_out_copy(out, &map, 0, 6, NULL, &err), SG_ERR_IO);
    sg_out_free(out);
    sg_map_close(&map);
}

static void test_stale(void **state)
{
    (void)state;
    pid_t dead = fork();
    if (dead == 0)
        _exit(0);
    waitpid(dead, NULL, 0);
    const struct { const char *format; long pid; bool goes; } rows[] = {
        {".out.shortgpt-%ld", dead, true},       {".out.shortgpt-%ld", getpid(), true}, {".out.shortgpt-%ld", getppid(), false},
        {".other.shortgpt-%ld", dead, false},    {".out.shortgpt-%ldx", dead, false},   {".out.shortgpt-", 0, false},
        {"out.shortgpt-%ld", dead, false},       {".out.shortgpt-%ld00000000000", 1, false},
    };
    char names[SG_ARRAY_LEN(rows)][64], inside[80];
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        snprintf(names[i], sizeof names[i], rows[i].format, rows[i].pid);
        snprintf(inside, sizeof inside, "%.60s/file", names[i]);
        assert_int_equal(mkdir(at(names[i]), 0777), 0);
        put(inside, "left");
    }
    char *temp = NULL;
    assert_int_equal(sg_temp_sibling(&temp, at("out/"), NULL), SG_OK);
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++)
        if (sg_path_exists(at(names[i])) == rows[i].goes)
            fail_msg("%s: %s", names[i], rows[i].goes ? "stayed" : "went");
    assert_string_equal(temp, at(names[1]));
    sg_free(temp);
}

static void test_links_are_not_followed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("keep"), 0777), 0);
    put("keep/file", "kept");
    assert_int_equal(mkdir(at("tree"), 0777), 0);
    assert_int_equal(symlink("../keep", at("tree/link")), 0);
    assert_int_equal(sg_remove_tree(at("tree"), NULL), SG_OK);
    assert_true(has("keep/file", "kept"));
    assert_false(sg_path_exists(at("tree")));
    assert_int_equal(sg_remove_tree(at("tree"), NULL), SG_OK);

    sg_out *out = NULL;
    assert_int_equal(symlink("keep/file", at("link")), 0);
    assert_int_equal(sg_out_create(&out, at("link"), NULL), SG_ERR_IO);
}

static void test_modes_and_names(void **state)
{
    (void)state;
    struct stat st;
    mode_t old = umask(027);
    put("source", "xabcx");
    assert_int_equal(write_all(true, false, NULL), SG_OK);
    umask(old);
    assert_int_equal(stat(at("out"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(stat(at("out/file"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);

    static const struct { const char *path, *parent, *name; } rows[] = {
        {"out", ".", "out"}, {"a/b", "a", "b"}, {"a/b//", "a", "b"}, {"a//b", "a", "b"}, {"/a", "/", "a"}, {"/", "/", ""}, {"", ".", ""},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char *parent = sg_path_parent(rows[i].path), *name = sg_path_name(rows[i].path);
        if (strcmp(name, rows[i].name) != 0 || strcmp(parent, rows[i].parent) != 0)
            fail_msg("\"%s\": \"%s\" in \"%s\"", rows[i].path, name, parent);
        sg_free(parent);
        sg_free(name);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(test_each_operation_fails), TEST(test_replace_or_keep),        TEST(test_publish_refuses), TEST(test_changed_on_disk), TEST(test_ticks),
        TEST(test_kernel_copies),        TEST(test_source_shrinks),         TEST(test_stale),                  TEST(test_links_are_not_followed),
        TEST(test_modes_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
