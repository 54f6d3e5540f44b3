/* Reading files: whole, or mapped. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

static int fail_errno(sg_error *err, const char *path, const char *action, int code)
{
    return sg_fail(err, code == ENOMEM ? SG_ERR_NOMEM : SG_ERR_IO, "%s: cannot %s: %s", path, action, strerror(code));
}

/* Opens for reading. Non-blocking, so that a FIFO without a writer cannot hang us here. */
static int open_stat(const char *path, int *fd, struct stat *st, sg_error *err)
{
    int code = sg_test_fault("open");
    *fd = code ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0)
        return fail_errno(err, path, "open", code ? code : errno);
    code = sg_test_fault("stat");
    if (!code && fstat(*fd, st) == 0)
        return SG_OK;
    int rc = fail_errno(err, path, "stat", code ? code : errno);
    close(*fd);
    return rc;
}

int sg_map_open(sg_map *map, const char *path, sg_error *err)
{
    *map = (sg_map){.fd = -1};
    struct stat st;
    int fd, code, rc = open_stat(path, &fd, &st, err);
    if (rc)
        return rc;

    void *data = NULL;
    char *copy = sg_strdup(path);
    if (!copy) {
        rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory for its name", path);
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = sg_fail(err, SG_ERR_IO, "%s: is %s, not a regular file", path,
                     S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
        goto out;
    }
    if (st.st_size > 0) {
        if ((uint64_t)st.st_size > SIZE_MAX) {
            rc = sg_fail(err, SG_ERR_NOMEM, "%s: %lld bytes do not fit the address space", path, (long long)st.st_size);
            goto out;
        }
        code = sg_test_fault("map");
        data = code ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            rc = fail_errno(err, path, "map", code ? code : errno);
            goto out;
        }
    }
    *map = (sg_map){.data = data, .bytes = (uint64_t)st.st_size, .path = copy, .fd = fd};
    return SG_OK;
out:
    sg_free(copy);
    close(fd);
    return rc;
}

void sg_map_close(sg_map *map)
{
    if (!map->path) /* never opened: fd is not ours, it may be the 0 of a zeroed struct */
        return;
    if (map->data)
        munmap((void *)(uintptr_t)map->data, (size_t)map->bytes);
    close(map->fd);
    sg_free(map->path);
    *map = (sg_map){.fd = -1};
}

/* All are hints: that one fails changes nothing but the speed. */
static void advise(const sg_map *map, uint64_t start, uint64_t end, int advice)
{
    if (start < end)
        (void)madvise((void *)(uintptr_t)(map->data + start), (size_t)(end - start), advice);
}

static uint64_t page_bytes(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

void sg_map_prefetch(const sg_map *map, uint64_t offset, uint64_t bytes)
{
    if (map->data && bytes && sg_span_ok(offset, bytes, map->bytes))
        advise(map, offset / page_bytes() * page_bytes(), offset + bytes, MADV_WILLNEED);
}

void sg_map_populate(const sg_map *map, uint64_t offset, uint64_t bytes)
{
#ifdef MADV_POPULATE_READ /* Linux 5.14; unlike a read of each page, it raises no signal where the file has shrunk */
    if (map->data && bytes && sg_span_ok(offset, bytes, map->bytes))
        advise(map, offset / page_bytes() * page_bytes(), offset + bytes, MADV_POPULATE_READ);
#else
    (void)map, (void)offset, (void)bytes;
#endif
}

void sg_map_release(const sg_map *map, uint64_t offset, uint64_t bytes)
{
    uint64_t page = page_bytes();
    if (map->data && bytes && sg_span_ok(offset, bytes, map->bytes))
        advise(map, (offset + page - 1) / page * page, (offset + bytes) / page * page, MADV_DONTNEED);
}

void sg_map_scattered(const sg_map *map, bool scattered)
{
    if (map->data) /* a hint, too */
        (void)madvise((void *)(uintptr_t)map->data, (size_t)map->bytes, scattered ? MADV_RANDOM : MADV_NORMAL);
}

/* Reads fd to its end into *data (grown as needed, so st_size is only a guess). */
static int read_all(int fd, const char *name, uint64_t guess, uint64_t max, char **data, size_t *bytes, sg_error *err)
{
    size_t room = (size_t)(guess < max ? guess : max) + 1, n = 0; /* + 1: for the 0 byte, and to see the end */
    char *buffer = sg_alloc(room + 1, 1);
    if (!buffer)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to read %zu bytes", name, room);
    for (;;) {
        int code = sg_test_fault("read");
        ssize_t got = code ? -1 : read(fd, buffer + n, room - n);
        if (got < 0 && !code && errno == EINTR)
            continue;
        if (got < 0) {
            int rc = fail_errno(err, name, "read", code ? code : errno);
            sg_free(buffer);
            return rc;
        }
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > max) {
            sg_free(buffer);
            return sg_fail(err, SG_ERR_FORMAT, "%s: has more than the %llu bytes that are allowed here", name,
                           (unsigned long long)max);
        }
        if (n < room)
            continue;
        size_t more = room < 65536 ? 65536 : room;
        char *grown = room > SIZE_MAX - more - 1 ? NULL : sg_resize(buffer, room + more + 1, 1);
        if (!grown) {
            sg_free(buffer);
            return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to read more than %zu bytes", name, n);
        }
        buffer = grown;
        room += more;
    }
    buffer[n] = 0;
    *data = buffer;
    *bytes = n;
    return SG_OK;
}

int sg_file_read(const char *path, uint64_t max, char **data, size_t *bytes, sg_error *err)
{
    if (max > SIZE_MAX / 4)
        max = SIZE_MAX / 4;
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "stdin", 65536, max, data, bytes, err);
    struct stat st;
    int fd, rc = open_stat(path, &fd, &st, err);
    if (rc)
        return rc;
    if (S_ISDIR(st.st_mode)) {
        rc = sg_fail(err, SG_ERR_IO, "%s: is a directory, not a file", path);
    } else {
        if (!S_ISREG(st.st_mode)) /* a pipe, e.g. bash's <(...): now waiting is right */
            (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        rc = read_all(fd, path, S_ISREG(st.st_mode) && st.st_size > 0 ? (uint64_t)st.st_size : 65536, max, data, bytes,
                      err);
    }
    close(fd);
    return rc;
}

bool sg_path_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool sg_path_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

char *sg_path_join(const char *dir, const char *name)
{
    size_t n = strlen(dir);
    return sg_asprintf(n && dir[n - 1] != '/' ? "%s/%s" : "%s%s", dir, name);
}
