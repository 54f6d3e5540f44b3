/* The steps around a written file: its temporary name, the room for it, and the rename that makes it visible. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/output.h"

static bool fault(const char *operation)
{
    int e = sg_test_fault(operation);
    if (e)
        errno = e;
    return e != 0;
}

/* ---- names ------------------------------------------------------------------------------------------- */

/* The last component's start and length, without slashes behind it. */
static const char *last_component(const char *path, size_t *n)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    *n = end - start;
    return path + start;
}

char *sg_path_name(const char *path)
{
    size_t n;
    const char *name = last_component(path, &n);
    return sg_strndup(name, n);
}

char *sg_path_parent(const char *path)
{
    size_t n;
    size_t end = (size_t)(last_component(path, &n) - path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    return end ? sg_strndup(path, end) : sg_strdup(".");
}

int sg_make_dir(const char *path, sg_error *err)
{
    if (fault("mkdir") || mkdir(path, 0777) < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot make the directory: %m", path);
    return SG_OK;
}

int sg_sync_dir(const char *path, sg_error *err)
{
    int fd = fault("open") ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot open: %m", path);
    int rc = SG_OK;
    /* EINVAL: a file system that does not sync directories */
    if ((fault("sync") || fsync(fd) < 0) && errno != EINVAL)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot sync: %m", path);
    close(fd);
    return rc;
}

/* ---- removing ---------------------------------------------------------------------------------------- */

/* Removes name of the directory at; 0, or -1 with errno. */
static int remove_at(int at, const char *name)
{
    if (fault("remove"))
        return -1;
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM) /* Linux says EISDIR, POSIX EPERM */
        return -1;

    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    int rc = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            rc = remove_at(fd, e->d_name);
    int kept = errno;
    closedir(dir);
    errno = kept;
    return rc < 0 ? rc : unlinkat(at, name, AT_REMOVEDIR);
}

int sg_remove_tree(const char *path, sg_error *err)
{
    if (remove_at(AT_FDCWD, path) < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot remove: %m", path);
    return SG_OK;
}

/* Is name prefix followed by the number of a process that is gone (or by our own: left by another with our number)? */
static bool is_stale(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) || !name[n] || strspn(name + n, "0123456789") != strlen(name + n) ||
        strlen(name + n) > 9)
        return false;
    pid_t pid = (pid_t)strtol(name + n, NULL, 10);
    return pid > 0 && (pid == getpid() || (kill(pid, 0) < 0 && errno == ESRCH));
}

/* Removes what can be: what cannot (another user's) is no reason to fail. */
static void remove_stale(const char *parent, const char *prefix)
{
    DIR *dir = opendir(parent);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));)
        if (is_stale(e->d_name, prefix))
            remove_at(dirfd(dir), e->d_name);
    closedir(dir);
}

int sg_temp_sibling(char **out, const char *path, sg_error *err)
{
    char *parent = sg_path_parent(path), *name = sg_path_name(path), *temp = NULL;
    char *prefix = name ? sg_asprintf(".%s.shortgpt-", name) : NULL;
    if (parent && prefix) {
        remove_stale(parent, prefix);
        temp = sg_asprintf("%s/%s%ld", parent, prefix, (long)getpid());
    }
    sg_free(prefix);
    sg_free(name);
    sg_free(parent);
    if (!temp)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a temporary name", path);
    *out = temp;
    return SG_OK;
}

/* ---- publishing -------------------------------------------------------------------------------------- */

int sg_free_space(const char *dir, uint64_t *bytes, uint64_t *block, sg_error *err)
{
    struct statvfs vfs;
    if (fault("statvfs") || statvfs(dir, &vfs) < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot ask for free space: %m", dir);
    *block = vfs.f_frsize;
    if (!sg_mul_ok(vfs.f_bavail, vfs.f_frsize, bytes))
        *bytes = UINT64_MAX;
    return SG_OK;
}

/* errno of a file system, or kernel, that lacks renameat2's flags */
static bool lacks_flags(int e)
{
    return e == EINVAL || e == ENOSYS || e == EOPNOTSUPP;
}

static int publish_new(const char *temp, const char *path, sg_error *err)
{
    if (fault("rename"))
        return sg_fail(err, SG_ERR_IO, "%s: cannot rename to %s: %m", temp, path);
    int r = renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE);
    if (r < 0 && lacks_flags(errno)) {
        errno = EEXIST;
        r = sg_path_exists(path) ? -1 : rename(temp, path);
    }
    if (r < 0 && (errno == EEXIST || errno == ENOTEMPTY))
        return sg_fail(err, SG_ERR_USAGE, "%s: exists; --overwrite replaces it", path);
    if (r < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot rename to %s: %m", temp, path);
    return SG_OK;
}

static int publish_over(const char *temp, const char *path, bool dir, sg_error *err)
{
    int r = fault("rename") ? -1
            : dir           ? renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_EXCHANGE)
                            : rename(temp, path);
    if (r < 0 && dir && lacks_flags(errno))
        return sg_fail(err, SG_ERR_REFUSED, "%s: cannot be replaced in one step on this file system; remove it first",
                       path);
    if (r < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot replace by %s: %m", path, temp);
    return SG_OK;
}

int sg_publish(const char *temp, const char *path, bool replace, sg_error *err)
{
    /* without slashes at the end, which rename would take for "a directory that exists" */
    char *parent = sg_path_parent(path), *name = sg_path_name(path);
    char *to = parent && name ? sg_path_join(parent, name) : NULL;
    int rc = to ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "%s: no memory to rename it", temp);
    bool over = rc == SG_OK && replace && sg_path_exists(to);
    bool dir = sg_path_is_dir(temp);
    if (rc == SG_OK && over && dir != sg_path_is_dir(to))
        rc = sg_fail(err, SG_ERR_USAGE, "%s: is %s; it cannot be replaced by %s", path,
                     dir ? "no directory" : "a directory", dir ? "one" : "a file");
    else if (rc == SG_OK)
        rc = over ? publish_over(temp, to, dir, err) : publish_new(temp, to, err);
    if (rc == SG_OK) {
        /* The rename cannot be taken back, so what fails from here is no failure of ours: an unsynced directory shows,
         * after a power cut, the old content or the new, both whole; what is left of the old directory goes with the
         * next run. */
        sg_sync_dir(parent, NULL);
        if (over && dir)
            sg_remove_tree(temp, NULL);
    }
    sg_free(to);
    sg_free(name);
    sg_free(parent);
    return rc;
}

/* ---- publishing a set -------------------------------------------------------------------------------- */

/* A file's two places, and whether something was there before. */
typedef struct place {
    char *temp, *path;
    bool over, moved;
} place;

static int no_memory(const char *temp, sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to rename it", temp);
}

static int find_places(place *places, const char *temp, const char *path, const char *const *names, size_t n,
                       bool replace, sg_error *err)
{
    char *parent = sg_path_parent(path);
    int rc = parent ? SG_OK : no_memory(temp, err);
    for (size_t i = 0; rc == SG_OK && i < n; i++) {
        place *p = &places[i];
        *p = (place){.temp = sg_path_join(temp, names[i]), .path = sg_path_join(parent, names[i])};
        if (!p->temp || !p->path) {
            rc = no_memory(temp, err);
            break;
        }
        p->over = sg_path_exists(p->path);
        if (p->over && !replace)
            rc = sg_fail(err, SG_ERR_USAGE, "%s: exists; --overwrite replaces it", p->path);
    }
    sg_free(parent);
    return rc;
}

/* Swaps a file with the one that it replaces, or moves it; done twice, it is undone. */
static int move_place(place *p, sg_error *err)
{
    const char *from = p->moved ? p->path : p->temp, *to = p->moved ? p->temp : p->path;
    int r = -1;
    if (!fault("rename")) {
        r = renameat2(AT_FDCWD, from, AT_FDCWD, to, p->over ? RENAME_EXCHANGE : RENAME_NOREPLACE);
        if (r < 0 && !p->over && lacks_flags(errno)) {
            errno = EEXIST;
            r = sg_path_exists(to) ? -1 : rename(from, to);
        }
    }
    if (r < 0 && p->over && lacks_flags(errno))
        return sg_fail(err, SG_ERR_REFUSED, "%s: cannot be replaced in one step on this file system; remove it first",
                       p->path);
    if (r < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot rename to %s: %m", from, to);
    p->moved = !p->moved;
    return SG_OK;
}

/* While the others change, no old first file must open them. */
static int put_aside(const place *first, const char *aside, bool back, sg_error *err)
{
    if (first->over && (fault("rename") || rename(back ? aside : first->path, back ? first->path : aside) < 0))
        return sg_fail(err, SG_ERR_IO, "%s: cannot move it aside: %m", first->path);
    return SG_OK;
}

int sg_publish_set(const char *temp, const char *path, const char *const *names, size_t n, bool replace, sg_error *err)
{
    place *places = sg_alloc_zero(n, sizeof *places);
    /* a name that none of the set has: all but the first end in .gguf or .dat */
    char *aside = sg_path_join(temp, strcmp(names[0], "replaced") ? "replaced" : "aside"),
         *parent = sg_path_parent(path);
    bool is_aside = false;
    int rc = places && aside && parent ? find_places(places, temp, path, names, n, replace, err) : no_memory(temp, err);
    if (rc == SG_OK && (rc = put_aside(&places[0], aside, false, err)) == SG_OK) {
        is_aside = places[0].over;
        places[0].over = false;
    }
    for (size_t i = n; rc == SG_OK && i > 0; i--)
        rc = move_place(&places[i - 1], err);
    if (rc == SG_OK) { /* from here on nothing can fail: see sg_publish */
        sg_sync_dir(parent, NULL);
        sg_remove_tree(temp, NULL);
    } else if (places) {
        for (size_t i = 0; i < n; i++)
            if (places[i].moved)
                move_place(&places[i], NULL);
        if (is_aside) {
            places[0].over = true;
            put_aside(&places[0], aside, true, NULL);
        }
    }
    for (size_t i = 0; places && i < n; i++) {
        sg_free(places[i].temp);
        sg_free(places[i].path);
    }
    sg_free(parent);
    sg_free(aside);
    sg_free(places);
    return rc;
}
