/* Whether OUT may be written. Paths are compared by device and inode, so links and mounts do not deceive. */
#include "surgery/target.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is dir the path, or one of the directories around it, links followed? An absent path is in none. */
static bool holds(const struct stat *dir, const char *path)
{
    struct stat st;
    char *real = realpath(path, NULL);
    bool yes = false;
    for (char *end = real; end && !yes && *real;) {
        yes = stat(real, &st) == 0 && same_file(dir, &st);
        end = strrchr(real, '/');
        if (end)
            end[end == real && end[1] ? 1 : 0] = 0; /* "/a" is in "/", "/" in none */
    }
    free(real);
    return yes;
}

/* ---- the checks -------------------------------------------------------------------------------------- */

static int check_name(const char *path, const char *name, const sg_draft *draft, sg_error *err)
{
    static const char *const not_directory[] = {".gguf", ".safetensors"};
    static const char *const not_gguf[] = {".safetensors", ".json", ".bin", ".pt", ".pth"};
    const char *const *bad = draft->directory ? not_directory : not_gguf;
    size_t n_bad = draft->directory ? SG_ARRAY_LEN(not_directory) : SG_ARRAY_LEN(not_gguf);
    const char *kind = draft->directory ? "a directory of safetensors" : "a .gguf file";
    if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
        return sg_fail(err, SG_ERR_USAGE, "OUT \"%s\": is no name for %s", path, kind);
    if (!draft->directory && path[strlen(path) - 1] == '/')
        return sg_fail(err, SG_ERR_USAGE, "%s: ends in a slash, but OUT has MODEL's format, here %s", path, kind);
    for (size_t i = 0; i < n_bad; i++) {
        size_t n = strlen(name), m = strlen(bad[i]);
        if (n >= m && strcmp(name + n - m, bad[i]) == 0)
            return sg_fail(err, SG_ERR_USAGE, "%s: ends in \"%s\", but OUT has MODEL's format, here %s", path, bad[i],
                           kind);
    }
    return SG_OK;
}

static int check_parent(const char *path, const char *parent, const struct stat *model, const char *model_path,
                        sg_error *err)
{
    if (!sg_path_is_dir(parent))
        return sg_fail(err, SG_ERR_USAGE, "%s: there is no directory %s to write it in", path, parent);
    if (holds(model, parent))
        return sg_fail(err, SG_ERR_USAGE, "%s: lies inside MODEL, %s", path, model_path);
    return SG_OK;
}

/* out: an existing OUT. MODEL, or a file that MODEL links to, must not be replaced. */
static int check_sources(const char *path, const struct stat *out, const sg_model *model, const sg_draft *draft,
                         sg_error *err)
{
    bool around = holds(out, model->ckpt->path);
    for (size_t i = 0; !around && i < model->ckpt->n_files; i++)
        around = holds(out, model->ckpt->files[i].path);
    for (size_t i = 0; !around && i < draft->n_files; i++)
        around = draft->files[i].copy_of && holds(out, draft->files[i].copy_of);
    around = around || (draft->imatrix && holds(out, draft->imatrix));
    if (around)
        return sg_fail(err, SG_ERR_USAGE, "%s: is around MODEL, %s, or files that it links to", path,
                       model->ckpt->path);
    return SG_OK;
}

/* Is it empty, or does it hold a model? Anything else is more likely a mistake than a result to replace. */
static bool is_replaceable(const char *path)
{
    char *config = sg_path_join(path, "config.json");
    bool yes = config && sg_path_exists(config);
    sg_free(config);
    DIR *dir = yes ? NULL : opendir(path);
    if (!dir)
        return yes;
    yes = true;
    for (struct dirent *e; yes && (e = readdir(dir));)
        yes = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
    closedir(dir);
    return yes;
}

/* path: an OUT that is there, without slashes at its end */
static int check_existing(const char *path, const struct stat *of_model, const sg_model *model, const sg_draft *draft,
                          bool overwrite, sg_error *err)
{
    struct stat out;
    int rc;
    bool there = stat(path, &out) == 0; /* false: a link to nothing */
    if (there && same_file(&out, of_model))
        return sg_fail(err, SG_ERR_USAGE, "%s: is MODEL itself", path);
    if (there && (rc = check_sources(path, &out, model, draft, err)) < 0)
        return rc;
    if (!overwrite)
        return sg_fail(err, SG_ERR_USAGE, "%s: exists; --overwrite replaces it", path);
    bool dir = there && S_ISDIR(out.st_mode);
    if (dir != draft->directory)
        return sg_fail(err, SG_ERR_USAGE, "%s: is %s, but OUT has MODEL's format, here %s", path,
                       dir ? "a directory" : "no directory", draft->directory ? "a directory" : "a file");
    if (dir && !is_replaceable(path))
        return sg_fail(err, SG_ERR_USAGE,
                       "%s: holds files but no config.json, so it is no model; remove it yourself if you mean it",
                       path);
    return SG_OK;
}

/* The files of a set, beside each other; of anything else OUT itself. */
static int check_places(const char *parent, const char *clean, const struct stat *of_model, const sg_model *model,
                        const sg_draft *draft, bool overwrite, sg_error *err)
{
    if (!draft->set)
        return sg_path_exists(clean) ? check_existing(clean, of_model, model, draft, overwrite, err) : SG_OK;
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < draft->n_files; i++) {
        char *path = sg_path_join(parent, draft->files[i].name);
        if (!path)
            return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to check it", clean);
        if (sg_path_exists(path))
            rc = check_existing(path, of_model, model, draft, overwrite, err);
        sg_free(path);
    }
    return rc;
}

int sg_target_check(const char *path, const sg_model *model, const sg_draft *draft, bool overwrite, sg_error *err)
{
    struct stat of_model;
    char *parent = sg_path_parent(path), *name = sg_path_name(path);
    char *clean = parent && name ? sg_path_join(parent, name) : NULL;
    int rc = clean ? check_name(path, name, draft, err) : sg_fail(err, SG_ERR_NOMEM, "%s: no memory to check it", path);
    if (rc == SG_OK && stat(model->ckpt->path, &of_model) < 0)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot stat: %m", model->ckpt->path);
    if (rc == SG_OK)
        rc = check_parent(path, parent, &of_model, model->ckpt->path, err);
    if (rc == SG_OK)
        rc = check_places(parent, clean, &of_model, model, draft, overwrite, err);
    sg_free(clean);
    sg_free(name);
    sg_free(parent);
    return rc;
}

/* ---- room -------------------------------------------------------------------------------------------- */

int sg_target_space(const char *path, const sg_draft *draft, uint64_t *needed, sg_error *err)
{
    uint64_t available = 0, block = 0;
    char *parent = sg_path_parent(path);
    int rc = parent ? sg_free_space(parent, &available, &block, err)
                    : sg_fail(err, SG_ERR_NOMEM, "%s: no memory to check it", path);
    sg_free(parent);
    if (rc < 0)
        return rc;
    block = block ? block : 4096;
    *needed = (draft->n_dirs + (draft->directory || draft->set ? 1 : 0)) * block;
    for (size_t i = 0; i < draft->n_files; i++)
        *needed += (draft->files[i].bytes + block - 1) / block * block;
    if (*needed > available)
        return sg_fail(err, SG_ERR_IO, "%s: needs %llu bytes, its disk has %llu free", path,
                       (unsigned long long)*needed, (unsigned long long)available);
    return SG_OK;
}
