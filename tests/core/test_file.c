/* Reading files, whole and mapped, and what happens when the system refuses. */
#include "sg_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"

static const char *fault_name;
static int fault_errno;

int sg_test_fault(const char *operation)
{
    return fault_name && strcmp(operation, fault_name) == 0 ? fault_errno : 0;
}

static char dir[] = "/tmp/sg_test_XXXXXX";
static char file[64], empty[64], link_[64], dangling[64], pipe_[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return 1;
    snprintf(file, sizeof file, "%s/file", dir);
    snprintf(empty, sizeof empty, "%s/empty", dir);
    snprintf(link_, sizeof link_, "%s/link", dir);
    snprintf(dangling, sizeof dangling, "%s/dangling", dir);
    snprintf(pipe_, sizeof pipe_, "%s/pipe", dir);
    FILE *f = fopen(file, "wb"), *e = fopen(empty, "wb");
    return !f || !e || fputs("hello", f) < 0 || fclose(f) || fclose(e) || symlink("file", link_) ||
           symlink("nothing", dangling) || mkfifo(pipe_, 0600);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(file), unlink(empty), unlink(link_), unlink(dangling), unlink(pipe_);
    return rmdir(dir);
}

static void expect(int rc, int code, const sg_error *err, const char *text)
{
    if (rc != code || (code && ((int)err->code != code || !strstr(err->message, text))))
        fail_msg("got %d (%s), expected %d with \"%s\"", rc, err->message, code, text);
}

static void test_map(void **state)
{
    (void)state;
    sg_error err = {0};
    sg_map map;
    expect(sg_map_open(&map, link_, &err), SG_OK, &err, "");
    assert_true(map.bytes == 5 && !memcmp(map.data, "hello", 5) && map.fd >= 0);
    assert_string_equal(map.path, link_);
    sg_map_prefetch(&map, 1, 4);
    sg_map_prefetch(&map, 1, 5); /* past the end: nothing happens */
    sg_map_prefetch(&map, UINT64_MAX, 2); /* neither does here */
    sg_map_close(&map);
    sg_map_close(&map);
    expect(sg_map_open(&map, empty, &err), SG_OK, &err, "");
    assert_true(map.bytes == 0 && !map.data);
    sg_map_close(&map);
    sg_map zero = {0};
    sg_map_close(&zero);
    assert_true(fcntl(0, F_GETFD) >= 0 || errno == EBADF); /* descriptor 0 was not the zeroed map's to close */
}

static void test_map_fails(void **state)
{
    (void)state;
    sg_error err = {0};
    sg_map map;
    expect(sg_map_open(&map, dir, &err), SG_ERR_IO, &err, "is a directory");
    expect(sg_map_open(&map, dangling, &err), SG_ERR_IO, &err, "No such file");
    expect(sg_map_open(&map, pipe_, &err), SG_ERR_IO, &err, "not a regular file"); /* without waiting for a writer */
    expect(sg_map_open(&map, "/nowhere/at/all", &err), SG_ERR_IO, &err, "/nowhere/at/all: cannot open");
    assert_int_equal(sg_map_open(&map, dir, NULL), SG_ERR_IO);
    sg_map_close(&map);
    static const struct {
        const char *name;
        int code, rc;
    } faults[] = {
        {"open", EACCES, SG_ERR_IO}, {"stat", EIO, SG_ERR_IO},        {"map", ENOMEM, SG_ERR_NOMEM},
        {"map", ENODEV, SG_ERR_IO},  {"alloc", ENOMEM, SG_ERR_NOMEM},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(faults); i++) {
        fault_name = faults[i].name;
        fault_errno = faults[i].code;
        int rc = sg_map_open(&map, file, &err);
        fault_name = NULL;
        expect(rc, faults[i].rc, &err, file);
    }
}

static void test_read(void **state)
{
    (void)state;
    sg_error err = {0};
    char *data;
    size_t n;
    expect(sg_file_read(file, 5, &data, &n, &err), SG_OK, &err, "");
    assert_int_equal(n, 5);
    assert_string_equal(data, "hello");
    sg_free(data);
    expect(sg_file_read(empty, 0, &data, &n, &err), SG_OK, &err, "");
    assert_int_equal(n, 0);
    assert_string_equal(data, "");
    sg_free(data);
    expect(sg_file_read(file, 4, &data, &n, &err), SG_ERR_FORMAT, &err, "more than the 4 bytes");
    expect(sg_file_read(dir, 4, &data, &n, &err), SG_ERR_IO, &err, "is a directory");
    expect(sg_file_read("/nowhere", 4, &data, &n, &err), SG_ERR_IO, &err, "/nowhere: cannot open: No such file");
    static const char *const faults[] = {"open", "stat", "read"};
    for (size_t i = 0; i < SG_ARRAY_LEN(faults); i++) {
        fault_name = faults[i];
        fault_errno = EIO;
        int rc = sg_file_read(file, 100, &data, &n, &err);
        fault_name = NULL;
        expect(rc, SG_ERR_IO, &err, "Input/output error");
    }
    fault_name = "alloc";
    int rc = sg_file_read(file, 100, &data, &n, &err);
    fault_name = NULL;
    expect(rc, SG_ERR_NOMEM, &err, file);
}

/* Longer than any first guess of its size, from a pipe on descriptor 0. */
static void test_read_stdin(void **state)
{
    (void)state;
    enum { N = 300000 };
    int ends[2], old = dup(0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char block[1000];
        memset(block, 'x', sizeof block);
        for (int i = 0; i < N / 1000; i++)
            if (write(ends[1], block, sizeof block) != sizeof block)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], 0);
    close(ends[0]);
    sg_error err = {0};
    char *data = NULL;
    size_t n = 0;
    int rc = sg_file_read("-", 1 << 20, &data, &n, &err);
    if (old >= 0) {
        dup2(old, 0);
        close(old);
    }
    expect(rc, SG_OK, &err, "");
    assert_int_equal(n, N);
    assert_true(data[0] == 'x' && data[N - 1] == 'x' && data[N] == 0);
    sg_free(data);
}

static void test_paths(void **state)
{
    (void)state;
    assert_true(sg_path_is_dir(dir) && !sg_path_is_dir(file) && !sg_path_is_dir("/nowhere"));
    assert_true(sg_path_exists(file) && sg_path_exists(dangling) && !sg_path_exists("/nowhere"));
    static const struct {
        const char *dir, *name, *joined;
    } rows[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char *joined = sg_path_join(rows[i].dir, rows[i].name);
        assert_string_equal(joined, rows[i].joined);
        sg_free(joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),        cmocka_unit_test(test_map_fails), cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_stdin), cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
