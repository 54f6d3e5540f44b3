/* Writing results. */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESERVED_BYTES = 65536 };

static int io_error(sg_error *err, const char *path, const char *action)
{
    int code = errno;
    snprintf(err->message, sizeof err->message, "%s: cannot %s: %s", path, action, strerror(code));
    return err->code = code == ENOMEM ? SG_ERR_NOMEM : SG_ERR_IO;
}

/* A temporary sibling of target, created: a full or read-only directory fails here, before the work. */
static int create_temporary(sink *s, const char *json, sg_error *err)
{
    const char *slash = strrchr(s->target, '/');
    int directory = slash ? (int)(slash - s->target) + 1 : 0;
    if (asprintf(&s->temporary, "%.*s.%s.shortgpt-%ld", directory, s->target, s->target + directory, (long)getpid()) <
        0) {
        s->temporary = NULL;
        errno = ENOMEM;
        return io_error(err, json, "write");
    }
    s->fd = open(s->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    int full = s->fd < 0
                   ? 0
                   : posix_fallocate(s->fd, 0, RESERVED_BYTES); /* so that the disk is not full only after the work */
    if (s->fd >= 0 && full != ENOSPC && full != EDQUOT)
        return SG_OK;
    errno = s->fd < 0 ? errno : full;
    int rc = io_error(err, json, "write");
    if (s->fd >= 0)
        unlink(s->temporary);
    free(s->temporary);
    s->temporary = NULL;
    return rc;
}

int sink_open(sink *s, const char *json, sg_error *err)
{
    *s = (sink){.table = !json || strcmp(json, "-"), .json = json, .fd = -1};
    if (write(STDOUT_FILENO, "", 0) < 0) /* closed, or full */
        return io_error(err, "stdout", "write");
    if (!json || !s->table)
        return SG_OK;

    struct stat st;
    bool exists = stat(json, &st) == 0;
    if (exists && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return io_error(err, json, "write");
    }
    bool regular =
        !exists || S_ISREG(st.st_mode); /* a pipe or a device has no place to rename onto, nor need it have a path */
    s->target = exists && regular ? realpath(json, NULL) : strdup(json);
    if (!s->target)
        return io_error(err, json, "write");
    if (regular)
        return create_temporary(s, json, err);
    s->fd = open(s->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return s->fd >= 0 ? SG_OK : io_error(err, json, "write");
}

int sink_print(const char *text, sg_error *err)
{
    if (fputs(text, stdout) < 0 || fflush(stdout) || ferror(stdout))
        return io_error(err, "stdout", "write");
    return SG_OK;
}

static int write_all(int fd, const char *data, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        bytes -= (size_t)n;
    }
    return 0;
}

static int write_file(sink *s, const char *json, sg_error *err)
{
    if (write_all(s->fd, json, strlen(json)) ||
        (s->temporary && (ftruncate(s->fd, (off_t)strlen(json)) || fsync(s->fd))))
        return io_error(err, s->target, "write");
    int fd = s->fd;
    s->fd = -1;
    if (close(fd))
        return io_error(err, s->target, "write");
    if (!s->temporary)
        return SG_OK;
    if (rename(s->temporary, s->target))
        return io_error(err, s->target, "write");
    free(s->temporary);
    s->temporary = NULL;
    return SG_OK;
}

int sink_write(sink *s, const char *text, sg_error *err)
{
    return s->json ? write_file(s, text, err) : SG_OK;
}

int sink_finish(sink *s, const char *table, const char *json, sg_error *err)
{
    int rc = SG_OK;
    if (s->json && s->table)
        rc = write_file(s, json, err);
    if (rc)
        return rc;
    return sink_print(s->table ? table : json, err);
}

void sink_close(sink *s)
{
    if (s->fd >= 0)
        close(s->fd);
    if (s->temporary)
        unlink(s->temporary);
    free(s->temporary);
    free(s->target);
    *s = (sink){.fd = -1};
}
