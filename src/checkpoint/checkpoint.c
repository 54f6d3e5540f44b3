/* Opening either format, and finding tensors by name. */
#include "checkpoint/checkpoint.h"

#include <string.h>

#include "checkpoint/open.h"
#include "core/mem.h"

bool sg_has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    return n >= k && strcmp(name + n - k, suffix) == 0;
}

/* Files that people give where the directory around them, or another format, is meant. */
static int refuse_wrong_file(const char *path, sg_error *err)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    if (sg_has_suffix(base, ".safetensors") || sg_has_suffix(base, ".json"))
        return sg_fail(err, SG_ERR_REFUSED, "%s: is a file of a Hugging Face directory; give the directory, %.*s", path,
                       slash ? (int)(slash > path ? slash - path : 1) : 1, slash ? path : ".");
    if (sg_has_suffix(base, ".bin") || sg_has_suffix(base, ".pt") || sg_has_suffix(base, ".pth"))
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: is a PyTorch pickle, which shortgpt does not read; convert the model to safetensors first "
                       "(transformers: from_pretrained, then save_pretrained)",
                       path);
    return SG_OK;
}

static int open_any(sg_checkpoint *ckpt, sg_error *err)
{
    const char *path = ckpt->path;
    if (!sg_path_exists(path))
        return sg_fail(err, SG_ERR_IO,
                       "%s: no such file or directory; MODEL is a Hugging Face directory or a .gguf file", path);
    int rc = sg_path_is_dir(path) ? sg_checkpoint_open_hf(ckpt, err) : refuse_wrong_file(path, err);
    if (!rc && !ckpt->n_files)
        rc = sg_checkpoint_open_gguf(ckpt, err);
    return rc;
}

int sg_checkpoint_open(sg_checkpoint **out, const char *path, sg_error *err)
{
    *out = NULL;
    sg_checkpoint *ckpt = sg_alloc_zero(1, sizeof *ckpt);
    if (!ckpt || !(ckpt->path = sg_strdup(path))) {
        sg_free(ckpt);
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to open it", path);
    }
    int rc = open_any(ckpt, err);
    if (rc)
        sg_checkpoint_free(ckpt);
    else
        *out = ckpt;
    return rc;
}

void sg_checkpoint_free(sg_checkpoint *ckpt)
{
    if (!ckpt)
        return;
    for (size_t i = 0; i < ckpt->n_files; i++) {
        sg_map_close(&ckpt->files[i]);
        sg_free(ckpt->file_names[i]);
        if (ckpt->ggufs)
            sg_gguf_dispose(&ckpt->ggufs[i]);
        if (ckpt->metadata)
            json_object_put(ckpt->metadata[i]);
    }
    sg_tensors_free(ckpt->tensors, ckpt->n_tensors);
    json_object_put(ckpt->config);
    json_object_put(ckpt->index);
    sg_free(ckpt->files);
    sg_free(ckpt->file_names);
    sg_free(ckpt->ggufs);
    sg_free(ckpt->metadata);
    sg_free(ckpt->by_name);
    sg_names_dispose(&ckpt->names);
    sg_free(ckpt->path);
    sg_free(ckpt);
}

int sg_checkpoint_alloc_files(sg_checkpoint *ckpt, size_t n, sg_error *err)
{
    ckpt->files = sg_alloc_zero(n, sizeof *ckpt->files);
    ckpt->file_names = sg_alloc_zero(n, sizeof *ckpt->file_names);
    if (ckpt->format == SG_FORMAT_GGUF)
        ckpt->ggufs = sg_alloc_zero(n, sizeof *ckpt->ggufs);
    else
        ckpt->metadata = sg_alloc_zero(n, sizeof *ckpt->metadata);
    if (!ckpt->files || !ckpt->file_names || !(ckpt->ggufs || ckpt->metadata))
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for %zu files", ckpt->path, n);
    ckpt->n_files = n;
    return SG_OK;
}

int sg_checkpoint_map(sg_map *map, const char *path, sg_error *err)
{
    static const char lfs[] = "version https://git-lfs";
    int rc = sg_map_open(map, path, err);
    if (rc || map->bytes < sizeof lfs || memcmp(map->data, lfs, sizeof lfs - 1))
        return rc;
    return sg_fail(err, SG_ERR_REFUSED, "%s: is a Git LFS pointer, not the weights; fetch them with `git lfs pull`",
                   path);
}

int sg_checkpoint_add(sg_checkpoint *ckpt, size_t file, sg_tensor *tensors, size_t n, sg_error *err)
{
    size_t before = ckpt->n_tensors;
    for (size_t i = 0; i < n; i++)
        tensors[i].file = file;
    if (!ckpt->tensors) {
        ckpt->tensors = tensors;
        ckpt->n_tensors = n;
        return SG_OK;
    }
    sg_tensor *all = sg_resize(ckpt->tensors, before + n, sizeof *all);
    if (!all) {
        sg_tensors_free(tensors, n);
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the list of tensors", ckpt->path);
    }
    memcpy(all + before, tensors, n * sizeof *all);
    ckpt->tensors = all;
    ckpt->n_tensors = before + n;
    sg_free(tensors); /* the names are all's now */
    return SG_OK;
}

int sg_checkpoint_index(sg_checkpoint *ckpt, sg_error *err)
{
    const sg_tensor *b;
    ckpt->by_name = sg_tensors_sort(ckpt->tensors, ckpt->n_tensors, sg_tensor_by_name);
    if (!ckpt->by_name || !sg_names_make(&ckpt->names, ckpt->tensors, ckpt->n_tensors, &b))
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the list of tensors", ckpt->path);
    if (!b)
        return SG_OK;
    const sg_tensor *a = sg_checkpoint_find(ckpt, b->name);
    return sg_fail(err, SG_ERR_FORMAT, "%s: tensor \"%.200s\" is in two files, %s and %s", ckpt->path, a->name,
                   ckpt->file_names[a->file], ckpt->file_names[b->file]);
}

const sg_tensor *sg_checkpoint_find(const sg_checkpoint *ckpt, const char *name)
{
    return sg_names_find(&ckpt->names, ckpt->tensors, name);
}
