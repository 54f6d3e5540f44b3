/* Paths are compared as the system resolves them: one that does not exist yet by its directory. */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The path without links, malloc-ed; NULL: not even its directory exists, or no memory. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL), *full = NULL;
    if (real)
        return real;
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    char *real_dir = dir ? realpath(dir, NULL) : NULL;
    if (real_dir && asprintf(&full, "%s/%s", strcmp(real_dir, "/") ? real_dir : "", slash ? slash + 1 : path) < 0)
        full = NULL;
    free(real_dir);
    free(dir);
    return full;
}

/* Is path the same as base, or inside it? */
static bool inside(const char *path, const char *base)
{
    size_t n = strlen(base);
    return strncmp(path, base, n) == 0 && (path[n] == 0 || path[n] == '/');
}

static int keep_off(const char *option, const char *json, const char *target, const char *what, const char *path,
                    sg_error *err)
{
    struct stat a, b;
    char *base = path && strcmp(path, "-") ? resolve(path) : NULL;
    bool same_file =
        base && stat(target, &a) == 0 && stat(base, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    bool hit = base && (same_file || inside(target, base));
    free(base);
    return hit ? usage_error(err, "--%s %s would write into %s %s: choose another file", option, json, what, path)
               : SG_OK;
}

int guard_input(const options *o, const char *what, const char *path, sg_error *err)
{
    const struct {
        const char *option, *file;
    } written[] = {{"json", o->json}, {"report", o->report}, {"items", o->items}};
    int rc = SG_OK;
    for (size_t i = 0; i < sizeof written / sizeof *written && !rc; i++) {
        const char *file = written[i].file;
        char *target = file && strcmp(file, "-") ? resolve(file) : NULL;
        if (target) /* else it cannot be written at all, which sink_open says */
            rc = keep_off(written[i].option, file, target, what, path, err);
        free(target);
    }
    return rc;
}

/* Do both options name one file? */
static bool same_place(const char *a, const char *b)
{
    char *to = a && strcmp(a, "-") ? resolve(a) : NULL, *other = b && strcmp(b, "-") ? resolve(b) : NULL;
    bool same = to && other && !strcmp(to, other);
    free(to);
    free(other);
    return same;
}

int guard_outputs(const options *o, sg_error *err)
{
    const struct {
        const char *what, *path;
    } read[] = {
        {"the text", o->calibration}, {"the plan", o->plan}, {"the importance matrix", o->imatrix}, {"OUT", o->out}};
    int rc = SG_OK;
    for (size_t i = 0; i < o->n_models && !rc; i++)
        rc = guard_input(o, "MODEL", o->models[i], err);
    for (size_t i = 0; i < o->n_texts && !rc; i++)
        rc = guard_input(o, "the text", o->texts[i], err);
    for (size_t i = 0; i < sizeof read / sizeof *read && !rc; i++)
        rc = guard_input(o, read[i].what, read[i].path, err);
    if (!rc && same_place(o->json, o->report))
        rc = usage_error(err, "--json and --report name the same file");
    if (!rc && (same_place(o->json, o->items) || same_place(o->report, o->items)))
        rc = usage_error(err, "--items and --%s name the same file", same_place(o->json, o->items) ? "json" : "report");
    return rc;
}
