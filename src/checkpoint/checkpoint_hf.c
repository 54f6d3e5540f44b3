/* A Hugging Face directory: which files hold the weights, and what people have instead of them. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/open.h"
#include "checkpoint/quantization.h"
#include "core/mem.h"

#define INDEX_NAME "model.safetensors.index.json"
#define SINGLE_NAME "model.safetensors"

/* What lies in the directory, as far as the choice needs it. Names: "" when there is none. */
typedef struct listing {
    bool config, index, single, adapter;
    size_t n_safetensors; /* an adapter's own not counted */
    char safetensors[256], pickle[256], gguf[256];
} listing;

static void keep_name(char into[256], const char *name)
{
    size_t n = strlen(name); /* NAME_MAX is 255 */
    if (n < 256 && (!*into || strcmp(name, into) < 0)) /* the first by name, whatever the directory's order */
        memcpy(into, name, n + 1);
}

static void note_entry(listing *l, const char *name)
{
    if (strcmp(name, "config.json") == 0)
        l->config = true;
    else if (strcmp(name, INDEX_NAME) == 0)
        l->index = true;
    else if (strcmp(name, "adapter_config.json") == 0 || strcmp(name, "adapter_model.safetensors") == 0)
        l->adapter = true;
    else if (name[0] == '.')
        return;
    else if (sg_has_suffix(name, ".safetensors")) {
        l->single |= strcmp(name, SINGLE_NAME) == 0;
        l->n_safetensors++;
        keep_name(l->safetensors, name);
    } else if (sg_has_suffix(name, ".bin") || sg_has_suffix(name, ".pt") || sg_has_suffix(name, ".pth"))
        keep_name(l->pickle, name);
    else if (sg_has_suffix(name, ".gguf"))
        keep_name(l->gguf, name);
}

static int list_directory(listing *l, const char *path, sg_error *err)
{
    *l = (listing){0};
    int code = sg_test_fault("opendir");
    DIR *dir = code ? NULL : opendir(path);
    if (!dir)
        return sg_fail(err, SG_ERR_IO, "%s: cannot list: %s", path, strerror(code ? code : errno));
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir)))
        note_entry(l, entry->d_name);
    code = errno;
    closedir(dir);
    return code ? sg_fail(err, SG_ERR_IO, "%s: cannot list: %s", path, strerror(code)) : SG_OK;
}

/* Which layout this is, or why it is none. */
static int check_listing(const listing *l, const char *path, sg_error *err)
{
    if (l->config && (l->single || l->index || l->n_safetensors == 1))
        return SG_OK;
    if (l->config && l->n_safetensors > 1)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: has %zu .safetensors files (%s, ...), but neither %s nor %s to say which belong to the "
                       "model",
                       path, l->n_safetensors, l->safetensors, SINGLE_NAME, INDEX_NAME);
    if (l->adapter && !l->n_safetensors)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: is an adapter (adapter_config.json) without a model; merge it into its base model first "
                       "(peft: merge_and_unload, then save_pretrained)",
                       path);
    if (*l->gguf && !l->n_safetensors)
        return sg_fail(err, SG_ERR_REFUSED, "%s: holds GGUF; give the file itself, e.g. %s%s%s", path, path,
                       sg_has_suffix(path, "/") ? "" : "/", l->gguf);
    if (*l->pickle && !l->n_safetensors)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: has its weights only as PyTorch pickle (%s), which shortgpt does not read; convert the "
                       "model to safetensors first (transformers: from_pretrained, then save_pretrained)",
                       path, l->pickle);
    if (!l->config)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: has no config.json; MODEL is a Hugging Face directory (config.json, *.safetensors) or a "
                       ".gguf file",
                       path);
    return sg_fail(err, SG_ERR_REFUSED, "%s: has a config.json but no *.safetensors; download the weights", path);
}

/* ---- config.json -------------------------------------------------------------------------------------- */

static int read_config(sg_checkpoint *ckpt, sg_error *err)
{
    char *path = sg_path_join(ckpt->path, "config.json");
    if (!path)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", ckpt->path);
    int rc = sg_json_read_file(&ckpt->config, path, err);
    if (!rc && !json_object_is_type(ckpt->config, json_type_object))
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: is not a JSON object", path);
    sg_quantization ignored;
    if (!rc && (rc = sg_quantization_read(&ignored, ckpt->config, path, &ckpt->refusal)) && rc != SG_ERR_REFUSED && err)
        *err = ckpt->refusal;
    sg_free(path);
    return rc == SG_ERR_REFUSED ? SG_OK : rc;
}

/* ---- weights ------------------------------------------------------------------------------------------ */

static int open_file(sg_checkpoint *ckpt, size_t i, const char *name, sg_error *err)
{
    int rc;
    sg_safetensors st;
    char *path = sg_path_join(ckpt->path, name);
    ckpt->file_names[i] = sg_strdup(name);
    if (!path || !ckpt->file_names[i])
        rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", ckpt->path);
    else if (ckpt->index && !sg_path_exists(path))
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: its %s names %s, which is absent; download it", ckpt->path, INDEX_NAME,
                     name);
    else if (!(rc = sg_checkpoint_map(&ckpt->files[i], path, err)) &&
             !(rc = sg_safetensors_parse(&st, ckpt->files[i].data, ckpt->files[i].bytes, path, err))) {
        ckpt->metadata[i] = st.metadata;
        rc = sg_checkpoint_add(ckpt, i, st.tensors, st.n_tensors, err);
    }
    sg_free(path);
    return rc;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The shards that weight_map names, sorted, each once; names point into the index. */
static int list_shards(const sg_checkpoint *ckpt, json_object *map, const char ***out, size_t *n_out, sg_error *err)
{
    size_t n = 0, unique = 0;
    const char **names = sg_alloc((size_t)json_object_object_length(map), sizeof *names);
    if (!names)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for %s", ckpt->path, INDEX_NAME);
    json_object_object_foreach(map, tensor, file)
    {
        const char *name = json_object_get_string(file); /* of anything but a string its text, which names no file */
        if (!json_object_is_type(file, json_type_string) || !sg_has_suffix(name, ".safetensors") || strchr(name, '/')) {
            sg_free(names);
            return sg_fail(err, SG_ERR_FORMAT,
                           "%s: %s: \"weight_map\": tensor \"%.200s\" is in %.200s, expected the name of a "
                           ".safetensors file beside the index",
                           ckpt->path, INDEX_NAME, tensor, name ? name : "null");
        }
        names[n++] = name;
    }
    qsort(names, n, sizeof *names, compare_strings);
    for (size_t i = 0; i < n; i++)
        if (!i || strcmp(names[i], names[unique - 1]))
            names[unique++] = names[i];
    *out = names;
    *n_out = unique;
    return SG_OK;
}

/* Each tensor of the index lies where it says. */
static int check_index(const sg_checkpoint *ckpt, json_object *map, sg_error *err)
{
    json_object_object_foreach(map, tensor, file)
    {
        const sg_tensor *t = sg_checkpoint_find(ckpt, tensor);
        if (!t || strcmp(ckpt->file_names[t->file], json_object_get_string(file)))
            return sg_fail(err, SG_ERR_FORMAT, "%s: %s says that tensor \"%.200s\" is in %s, but it is %s%s",
                           ckpt->path, INDEX_NAME, tensor, json_object_get_string(file), t ? "in " : "not there",
                           t ? ckpt->file_names[t->file] : "");
    }
    return SG_OK;
}

static int open_sharded(sg_checkpoint *ckpt, sg_error *err)
{
    const char **names = NULL;
    size_t n = 0;
    char *path = sg_path_join(ckpt->path, INDEX_NAME);
    int rc = path ? sg_json_read_file(&ckpt->index, path, err)
                  : sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", ckpt->path);
    json_object *map = sg_json_get(ckpt->index, "weight_map");
    if (!rc && (!json_object_is_type(map, json_type_object) || !json_object_object_length(map)))
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: \"weight_map\" is not an object that names tensors", path);
    if (rc || (rc = list_shards(ckpt, map, &names, &n, err)) || (rc = sg_checkpoint_alloc_files(ckpt, n, err)))
        goto out;
    for (size_t i = 0; i < n && !rc; i++)
        rc = open_file(ckpt, i, names[i], err);
    if (!rc)
        rc = sg_checkpoint_index(ckpt, err);
    if (!rc)
        rc = check_index(ckpt, map, err);
out:
    sg_free(names);
    sg_free(path);
    return rc;
}

int sg_checkpoint_open_hf(sg_checkpoint *ckpt, sg_error *err)
{
    ckpt->format = SG_FORMAT_HF;
    listing l;
    int rc;
    if ((rc = list_directory(&l, ckpt->path, err)) || (rc = check_listing(&l, ckpt->path, err)) ||
        (rc = read_config(ckpt, err)))
        return rc;
    if (!l.single && l.index) /* with both transformers takes the single file, and so do we */
        return open_sharded(ckpt, err);
    if ((rc = sg_checkpoint_alloc_files(ckpt, 1, err)) ||
        (rc = open_file(ckpt, 0, l.single ? SINGLE_NAME : l.safetensors, err)))
        return rc;
    return sg_checkpoint_index(ckpt, err);
}
