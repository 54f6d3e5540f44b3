/* One output file: written, hashed, synced, read back. */
#include "core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_STATIC_LINKING_ONLY /* the state's size, so that its memory is ours */
#include <xxhash.h>

#include "core/mem.h"

#define PIECE ((size_t)4 << 20) /* bytes between two questions whether to go on */

struct sg_out {
    int fd; /* -1: closed */
    char *path;
    uint64_t position, started; /* bytes written; of them those that the disk was told of */
    bool by_kernel;             /* it copies between files, as far as is known */
    XXH3_state_t *state;
    uint8_t *piece;
    XXH128_hash_t hash; /* once closed */
};

static bool fault(const char *operation)
{
    int e = sg_test_fault(operation);
    if (e)
        errno = e;
    return e != 0;
}

int sg_tick(sg_ticker *ticker, uint64_t bytes, sg_error *err)
{
    if (!ticker)
        return SG_OK;
    ticker->done += bytes;
    const sg_progress *p = ticker->progress;
    if (p && p->report && p->report(ticker->stage, ticker->done, ticker->total, "bytes", p->user))
        return sg_fail(err, SG_ERR_CANCELLED, "stopped while %s", ticker->stage);
    return SG_OK;
}

int sg_out_create(sg_out **result, const char *path, sg_error *err)
{
    sg_out *out = sg_alloc_zero(1, sizeof *out);
    if (!out)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to write it", path);
    out->fd = -1;
    out->path = sg_strdup(path);
    out->state = sg_alloc_aligned(1, sizeof *out->state);
    out->piece = sg_alloc_aligned(PIECE, 1);
    int rc = SG_OK;
    if (!out->path || !out->state || !out->piece)
        rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory to write it", path);
    else if (fault("open") || (out->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666)) < 0)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot create: %m", path);
    if (rc < 0) {
        sg_out_free(out);
        return rc;
    }
    XXH3_INITSTATE(out->state);
    XXH3_128bits_reset(out->state);
    out->by_kernel = true;
    *result = out;
    return SG_OK;
}

/* Has the kernel begin to write out what is new: else it waits for much more, and the disk for us. Only a hint, sync
 * reports what fails. */
static void start_writing(sg_out *out)
{
    if (out->position - out->started < PIECE)
        return;
    (void)sync_file_range(out->fd, (off_t)out->started, (off_t)(out->position - out->started), SYNC_FILE_RANGE_WRITE);
    out->started = out->position;
}

/* The n bytes at data are the file's now. */
static void count_written(sg_out *out, const uint8_t *data, size_t n)
{
    XXH3_128bits_update(out->state, data, n);
    out->position += n;
}

int sg_out_write(sg_out *out, const void *data, size_t bytes, sg_error *err)
{
    const uint8_t *at = data;
    for (size_t left = bytes; left;) {
        ssize_t n = fault("write") ? -1 : write(out->fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return sg_fail(err, SG_ERR_IO, "%s: cannot write at byte %llu: %m", out->path,
                           (unsigned long long)out->position);
        count_written(out, at, (size_t)n);
        at += n;
        left -= (size_t)n;
    }
    start_writing(out);
    return SG_OK;
}

/* Reads exactly n bytes at offset of an open file, and has the kernel fetch the piece behind them. */
static int read_at(int fd, const char *path, uint8_t *to, size_t n, uint64_t offset, sg_error *err)
{
    (void)posix_fadvise(fd, (off_t)(offset + n), (off_t)PIECE, POSIX_FADV_WILLNEED);
    for (size_t got = 0; got < n;) {
        ssize_t r = fault("read") ? -1 : pread(fd, to + got, n - got, (off_t)(offset + got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return sg_fail(err, SG_ERR_IO, "%s: cannot read at byte %llu: %m", path,
                           (unsigned long long)(offset + got));
        if (r == 0)
            return sg_fail(err, SG_ERR_IO, "%s: ends at byte %llu; it changed while it was read", path,
                           (unsigned long long)(offset + got));
        got += (size_t)r;
    }
    return SG_OK;
}

/* Has the kernel copy what lies at offset of a file, and in the piece: some file systems then share blocks, or copy on
 * their server. Returns how much it did; where it stops, for whatever reason, write() takes over for good, and says
 * what is wrong if something is. */
static size_t copy_by_kernel(sg_out *out, int from, uint64_t offset, size_t n)
{
    size_t done = 0;
    while (out->by_kernel && done < n) {
        off_t at = (off_t)(offset + done);
        ssize_t m = fault("copy") ? -1 : copy_file_range(from, &at, out->fd, NULL, n - done, 0);
        if (m < 0 && errno == EINTR)
            continue;
        out->by_kernel = m > 0;
        if (m <= 0)
            break;
        count_written(out, out->piece + done, (size_t)m);
        done += (size_t)m;
    }
    return done;
}

int sg_out_copy(sg_out *out, const sg_map *from, uint64_t offset, uint64_t bytes, sg_ticker *ticker, sg_error *err)
{
    int rc = SG_OK;
    while (bytes && rc == SG_OK) {
        size_t n = bytes < PIECE ? (size_t)bytes : PIECE;
        if ((rc = read_at(from->fd, from->path, out->piece, n, offset, err)) < 0)
            break;
        size_t done = copy_by_kernel(out, from->fd, offset, n);
        if ((rc = sg_out_write(out, out->piece + done, n - done, err)) < 0)
            break;
        offset += n;
        bytes -= n;
        rc = sg_tick(ticker, n, err);
    }
    return rc;
}

int sg_out_pad(sg_out *out, uint64_t alignment, sg_error *err)
{
    static const uint8_t zeros[4096];
    uint64_t left = -out->position & (alignment - 1);
    int rc = SG_OK;
    while (left && rc == SG_OK) {
        size_t n = left < sizeof zeros ? (size_t)left : sizeof zeros;
        rc = sg_out_write(out, zeros, n, err);
        left -= n;
    }
    return rc;
}

uint64_t sg_out_position(const sg_out *out)
{
    return out->position;
}

int sg_out_close(sg_out *out, sg_error *err)
{
    out->hash = XXH3_128bits_digest(out->state);
    sg_free(out->state);
    sg_free(out->piece);
    out->state = NULL;
    out->piece = NULL;

    int rc = SG_OK;
    if (fault("sync") || fsync(out->fd) < 0)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot sync: %m", out->path);
    else
        posix_fadvise(out->fd, 0, 0, POSIX_FADV_DONTNEED); /* so that the check reads the disk; only advice */
    if ((fault("close") || close(out->fd) < 0) && rc == SG_OK)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot close: %m", out->path);
    out->fd = -1;
    return rc;
}

/* Hashes the file's first out->position bytes, which must be all of them. */
static int hash_file(const sg_out *out, int fd, XXH3_state_t *state, uint8_t *piece, sg_ticker *ticker, sg_error *err)
{
    struct stat st;
    if (fault("stat") || fstat(fd, &st) < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot stat: %m", out->path);
    if ((uint64_t)st.st_size != out->position)
        return sg_fail(err, SG_ERR_IO, "%s: has %lld bytes after writing, expected %llu", out->path,
                       (long long)st.st_size, (unsigned long long)out->position);
    for (uint64_t at = 0; at < out->position;) {
        size_t n = out->position - at < PIECE ? (size_t)(out->position - at) : PIECE;
        int rc = read_at(fd, out->path, piece, n, at, err);
        if (rc < 0)
            return rc;
        XXH3_128bits_update(state, piece, n);
        at += n;
        if ((rc = sg_tick(ticker, n, err)) < 0)
            return rc;
    }
    return SG_OK;
}

int sg_out_check(sg_out *out, sg_ticker *ticker, sg_error *err)
{
    int rc = SG_OK, fd = -1;
    XXH3_state_t *state = sg_alloc_aligned(1, sizeof *state);
    uint8_t *piece = sg_alloc_aligned(PIECE, 1);
    if (!state || !piece) {
        rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory to read it back", out->path);
        goto out;
    }
    XXH3_INITSTATE(state);
    XXH3_128bits_reset(state);
    if (fault("open") || (fd = open(out->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot open to read back: %m", out->path);
    else if ((rc = hash_file(out, fd, state, piece, ticker, err)) == SG_OK &&
             !XXH128_isEqual(XXH3_128bits_digest(state), out->hash))
        rc = sg_fail(err, SG_ERR_IO, "%s: does not read back as it was written; is the disk failing?", out->path);
out:
    if (fd >= 0)
        close(fd);
    sg_free(piece);
    sg_free(state);
    return rc;
}

void sg_out_free(sg_out *out)
{
    if (!out)
        return;
    if (out->fd >= 0)
        close(out->fd);
    sg_free(out->state);
    sg_free(out->piece);
    sg_free(out->path);
    sg_free(out);
}
