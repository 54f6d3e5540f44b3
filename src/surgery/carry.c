/* What a HF directory holds besides weights: tokenizer, generation config, chat template, README, licence, code.
 * Whatever is not known to be weights is carried, since leaving out a file that some tokenizer needs is worse than
 * carrying a picture. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "surgery/draft.h"
#include "surgery/lineage.h"

enum { MAX_DEPTH = 16 }; /* of directories; links may make a circle */

/* Weights in other formats, and their indexes; compared without case. */
static const char *const weight_suffixes[] = {
    ".safetensors", ".bin",       ".pt",     ".pth",     ".ckpt",   ".h5",         ".msgpack",
    ".onnx",        ".onnx_data", ".gguf",   ".ggml",    ".tflite", ".ot",         ".npz",
    ".nemo",        ".npy",       ".distcp", ".mlmodel", ".engine", ".incomplete", ".index.json",
};
static const char *const never_carried[] = {".git", ".cache"};
/* The last one where MODEL has shards. */
static const char *const written_anew[] = {"config.json", SG_PLAN_FILE, SG_QUANTIZATION_FILES, SG_INDEX_FILE};

static bool is_weights(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < SG_ARRAY_LEN(weight_suffixes); i++) {
        size_t m = strlen(weight_suffixes[i]);
        if (n >= m && strcasecmp(name + n - m, weight_suffixes[i]) == 0)
            return true;
    }
    return false;
}

static size_t n_written_anew(const sg_checkpoint *ckpt)
{
    return SG_ARRAY_LEN(written_anew) - (ckpt->index ? 0 : 1);
}

static bool is_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

/* ---- listing ----------------------------------------------------------------------------------------- */

typedef struct names {
    char **list;
    size_t n;
} names;

static void names_dispose(names *all)
{
    for (size_t i = 0; i < all->n; i++)
        sg_free(all->list[i]);
    sg_free(all->list);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A directory's entries, sorted, so that the same MODEL gives the same OUT. */
static int list_dir(names *out, const char *path, sg_error *err)
{
    *out = (names){0};
    int e = sg_test_fault("open");
    if (e)
        errno = e;
    DIR *dir = e ? NULL : opendir(path);
    if (!dir)
        return sg_fail(err, SG_ERR_IO, "%s: cannot list: %m", path);
    int rc = SG_OK;
    for (struct dirent *d; rc == SG_OK && (errno = 0, d = readdir(dir));)
        if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
            rc = sg_draft_note(&out->list, &out->n, sg_strdup(d->d_name), err);
    if (rc == SG_OK && errno)
        rc = sg_fail(err, SG_ERR_IO, "%s: cannot list: %m", path);
    closedir(dir);
    if (rc == SG_OK && out->n)
        qsort(out->list, out->n, sizeof *out->list, by_name);
    return rc;
}

static int stat_entry(const char *path, struct stat *st, sg_error *err)
{
    int e = sg_test_fault("stat");
    if (e)
        errno = e;
    if (e || stat(path, st) < 0)
        return sg_fail(err, SG_ERR_IO, "%s: cannot stat: %m", path);
    return SG_OK;
}

/* ---- the walk ---------------------------------------------------------------------------------------- */

/* Sets *yes when a file of weights lies in the directory or below: "original", "onnx". */
static int holds_weights(const char *path, int depth, bool *yes, sg_error *err)
{
    if (depth > MAX_DEPTH)
        return sg_fail(err, SG_ERR_IO, "%s: directories are nested more than %d deep; do links make a circle?", path,
                       MAX_DEPTH);
    names entries;
    int rc = list_dir(&entries, path, err);
    for (size_t i = 0; rc == SG_OK && !*yes && i < entries.n; i++) {
        char *child = sg_path_join(path, entries.list[i]);
        if (!child)
            rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory to list it", path);
        else if (sg_path_is_dir(child))
            rc = holds_weights(child, depth + 1, yes, err);
        else
            *yes = is_weights(entries.list[i]);
        sg_free(child);
    }
    names_dispose(&entries);
    return rc;
}

static int carry_dir(sg_draft *draft, const sg_checkpoint *ckpt, const char *inside, int depth, sg_error *err);

/* One entry: path is where it lies, inside its path in MODEL and OUT. */
static int carry_entry(sg_draft *draft, const sg_checkpoint *ckpt, const char *path, const char *inside,
                       const char *name, int depth, sg_error *err)
{
    struct stat st;
    int rc = SG_OK;
    bool top = depth == 0;
    if (top && (is_one_of(name, written_anew, n_written_anew(ckpt)) ||
                is_one_of(name, (const char *const *)ckpt->file_names, ckpt->n_files)))
        return SG_OK;
    bool leave = is_one_of(name, never_carried, SG_ARRAY_LEN(never_carried));
    if (!leave) /* before stat: a link to weights that were deleted is no error */
        leave = is_weights(name) && !sg_path_is_dir(path);
    if (leave)
        return sg_draft_note(&draft->left_out, &draft->n_left_out, sg_strdup(inside), err);
    if ((rc = stat_entry(path, &st, err)) < 0)
        return rc;
    bool dir = S_ISDIR(st.st_mode);
    if (dir)
        rc = holds_weights(path, depth + 1, &leave, err);
    else
        leave = !S_ISREG(st.st_mode);
    if (rc == SG_OK && leave)
        return sg_draft_note(&draft->left_out, &draft->n_left_out, sg_asprintf("%s%s", inside, dir ? "/" : ""), err);
    if (rc == SG_OK && dir)
        rc = carry_dir(draft, ckpt, inside, depth + 1, err);
    if (rc < 0 || dir)
        return rc;

    sg_draft_file *file = sg_draft_add(draft, inside);
    if (!file || !(file->copy_of = sg_strdup(path)))
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to carry it", path);
    file->bytes = (uint64_t)st.st_size;
    draft->source_bytes += file->bytes;
    return SG_OK;
}

/* inside: "" for MODEL itself. */
static int carry_dir(sg_draft *draft, const sg_checkpoint *ckpt, const char *inside, int depth, sg_error *err)
{
    names entries = {0};
    char *dir = sg_path_join(ckpt->path, inside);
    int rc = dir ? list_dir(&entries, dir, err) : sg_fail(err, SG_ERR_NOMEM, "no memory to list %s", ckpt->path);
    if (rc == SG_OK && *inside)
        rc = sg_draft_note(&draft->dirs, &draft->n_dirs, sg_strdup(inside), err);
    for (size_t i = 0; rc == SG_OK && i < entries.n; i++) {
        char *path = sg_path_join(dir, entries.list[i]), *below = sg_path_join(inside, entries.list[i]);
        if (path && below)
            rc = carry_entry(draft, ckpt, path, below, entries.list[i], depth, err);
        else
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory to list %s", dir);
        sg_free(path);
        sg_free(below);
    }
    names_dispose(&entries);
    sg_free(dir);
    return rc;
}

int sg_draft_carry(sg_draft *draft, const sg_checkpoint *ckpt, sg_error *err)
{
    /* the files that are written anew came from MODEL, too */
    for (size_t i = 0; i < n_written_anew(ckpt); i++) {
        struct stat st;
        char *path = sg_path_join(ckpt->path, written_anew[i]);
        if (!path)
            return sg_fail(err, SG_ERR_NOMEM, "no memory to list %s", ckpt->path);
        if (stat(path, &st) == 0)
            draft->source_bytes += (uint64_t)st.st_size;
        sg_free(path);
    }
    return carry_dir(draft, ckpt, "", 0, err);
}
