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

/* file: what --option names */
static int guard(const options *o, const char *option, const char *file, sg_error *err)
{
    if (!file || !strcmp(file, "-"))
        return SG_OK;
    char *target = resolve(file);
    if (!target)
        return SG_OK; /* it cannot be written at all, which sink_open says */
    int rc = SG_OK;
    for (size_t i = 0; i < o->n_models && !rc; i++)
        rc = keep_off(option, file, target, "MODEL", o->models[i], err);
    for (size_t i = 0; i < o->n_texts && !rc; i++)
        rc = keep_off(option, file, target, "the text", o->texts[i], err);
    if (!rc)
        rc = keep_off(option, file, target, "the text", o->calibration, err);
    if (!rc)
        rc = keep_off(option, file, target, "the plan", o->plan, err);
    if (!rc)
        rc = keep_off(option, file, target, "OUT", o->out, err);
    free(target);
    return rc;
}

int guard_json(const options *o, sg_error *err)
{
    int rc = guard(o, "json", o->json, err);
    if (!rc)
        rc = guard(o, "report", o->report, err);
    if (!rc && o->json && o->report && !strcmp(o->json, o->report))
        rc = usage_error(err, "--json and --report name the same file");
    return rc;
}
