/* A .gguf file, or a set that llama-gguf-split made: NAME-00001-of-0000N.gguf with split.no (from 0), split.count and,
 * over all files, split.tensors.count in each. Only the first holds the model's metadata. */
#include <stdio.h>
#include <string.h>

#include "checkpoint/open.h"
#include "core/mem.h"

#define SPLIT_SUFFIX_BYTES 20 /* "-00001-of-00003.gguf" */

typedef struct split {
    int64_t no, count, tensors; /* count 0: not split; tensors -1: not said */
} split;

static int get_key(const sg_gguf *g, const char *path, const char *key, int64_t min, int64_t max, int64_t *out,
                   sg_error *err)
{
    const sg_gguf_kv *kv = sg_gguf_find(g, key);
    int64_t value;
    if (!kv)
        return SG_OK;
    if (kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &value))
        return sg_fail(err, SG_ERR_FORMAT, "%s: key \"%s\" has value type %u, expected an integer", path, key,
                       kv->type);
    if (value < min || value > max)
        return sg_fail(err, SG_ERR_FORMAT, "%s: key \"%s\" is %lld, expected %lld to %lld", path, key, (long long)value,
                       (long long)min, (long long)max);
    *out = value;
    return SG_OK;
}

static int get_split(const sg_gguf *g, const char *path, split *s, sg_error *err)
{
    int rc;
    *s = (split){.tensors = -1};
    if ((rc = get_key(g, path, "split.count", 0, UINT16_MAX, &s->count, err)) ||
        (rc = get_key(g, path, "split.no", 0, UINT16_MAX, &s->no, err)) ||
        (rc = get_key(g, path, "split.tensors.count", 0, INT32_MAX, &s->tensors, err)))
        return rc;
    if (s->count > 1 && s->no >= s->count)
        return sg_fail(err, SG_ERR_FORMAT, "%s: key \"split.no\" is %lld, expected less than split.count, %lld", path,
                       (long long)s->no, (long long)s->count);
    return SG_OK;
}

/* "…-00001-of-00003.gguf" for shard no (from 0), given the path of another shard; sg_free. NULL: no memory. */
static char *shard_path(const char *path, int64_t no, int64_t count)
{
    return sg_asprintf("%.*s-%05lld-of-%05lld.gguf", (int)(strlen(path) - SPLIT_SUFFIX_BYTES), path, (long long)no + 1,
                       (long long)count);
}

static int check_first_name(const char *path, const split *s, sg_error *err)
{
    char suffix[64];
    snprintf(suffix, sizeof suffix, "-%05lld-of-%05lld.gguf", (long long)s->no + 1, (long long)s->count);
    if (!sg_has_suffix(path, suffix) || strlen(suffix) != SPLIT_SUFFIX_BYTES)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: is shard %lld of %lld by its split keys, but its name does not end in %s, by which the "
                       "others are found; rename it",
                       path, (long long)s->no + 1, (long long)s->count, suffix);
    if (!s->no)
        return SG_OK;
    char *first = shard_path(path, 0, s->count);
    int rc = first ? sg_fail(err, SG_ERR_REFUSED, "%s: is shard %lld of %lld; give the first, %s", path,
                             (long long)s->no + 1, (long long)s->count, first)
                   : sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", path);
    sg_free(first);
    return rc;
}

static int set_name(sg_checkpoint *ckpt, size_t i, const char *path, sg_error *err)
{
    const char *slash = strrchr(path, '/');
    ckpt->file_names[i] = sg_strdup(slash ? slash + 1 : path);
    return ckpt->file_names[i] ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", path);
}

/* Moves a parsed file's tensors into the list. */
static int add_tensors(sg_checkpoint *ckpt, size_t i, sg_error *err)
{
    sg_gguf *g = &ckpt->ggufs[i];
    sg_tensor *tensors = g->tensors;
    size_t n = g->n_tensors;
    g->tensors = NULL;
    g->n_tensors = 0;
    return sg_checkpoint_add(ckpt, i, tensors, n, err);
}

static int open_shard(sg_checkpoint *ckpt, size_t i, const split *first, sg_error *err)
{
    split s;
    int rc;
    char *path = shard_path(ckpt->path, (int64_t)i, first->count);
    if (!path)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a file name", ckpt->path);
    if (!sg_path_exists(path)) {
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: shard %zu of %lld, %s, is absent; download it", ckpt->path, i + 1,
                     (long long)first->count, path);
        goto out;
    }
    if ((rc = sg_checkpoint_map(&ckpt->files[i], path, err)) || (rc = set_name(ckpt, i, path, err)) ||
        (rc = sg_gguf_parse(&ckpt->ggufs[i], ckpt->files[i].data, ckpt->files[i].bytes, path, err)) ||
        (rc = get_split(&ckpt->ggufs[i], path, &s, err)))
        goto out;
    if (s.no != (int64_t)i || s.count != first->count)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: split.no is %lld of split.count %lld, expected %zu of %lld by its name",
                     path, (long long)s.no, (long long)s.count, i, (long long)first->count);
    else
        rc = add_tensors(ckpt, i, err);
out:
    sg_free(path);
    return rc;
}

int sg_checkpoint_open_gguf(sg_checkpoint *ckpt, sg_error *err)
{
    ckpt->format = SG_FORMAT_GGUF;
    sg_map map = {0};
    sg_gguf first = {0};
    split s = {0};
    int rc;
    if ((rc = sg_checkpoint_map(&map, ckpt->path, err)) ||
        (rc = sg_gguf_parse(&first, map.data, map.bytes, ckpt->path, err)) ||
        (rc = get_split(&first, ckpt->path, &s, err)) ||
        (s.count > 1 && (rc = check_first_name(ckpt->path, &s, err))) ||
        (rc = sg_checkpoint_alloc_files(ckpt, s.count > 1 ? (size_t)s.count : 1, err))) {
        sg_map_close(&map);
        sg_gguf_dispose(&first);
        return rc;
    }
    ckpt->files[0] = map; /* from here on the checkpoint's */
    ckpt->ggufs[0] = first;
    if ((rc = set_name(ckpt, 0, ckpt->path, err)) || (rc = add_tensors(ckpt, 0, err)))
        return rc;
    for (size_t i = 1; i < ckpt->n_files; i++)
        if ((rc = open_shard(ckpt, i, &s, err)))
            return rc;
    if (s.count > 1 && s.tensors >= 0 && (uint64_t)s.tensors != ckpt->n_tensors)
        return sg_fail(err, SG_ERR_FORMAT, "%s: split.tensors.count is %lld, but the %zu files hold %zu tensors",
                       ckpt->path, (long long)s.tensors, ckpt->n_files, ckpt->n_tensors);
    return sg_checkpoint_index(ckpt, err);
}
