/* OUT as a HF directory: shards as MODEL has them (one that becomes empty goes), their index, config.json, the plan,
 * and copies of the rest. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/safetensors_write.h"
#include "core/mem.h"
#include "surgery/draft.h"
#include "surgery/lineage.h"
#include "surgery/quantization.h"
#include "surgery/rules.h"

static int no_memory(sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "no memory to lay out the new checkpoint");
}

/* ---- shards ------------------------------------------------------------------------------------------ */

/* NAME-00002-of-00004.safetensors as shard i of n (from 1); a name of another form stays. sg_free; NULL: no memory. */
static char *shard_name(const char *old, size_t i, size_t n)
{
    static const char suffix[] = ".safetensors", of[] = "-of-";
    size_t stem = strlen(old), digits = 5, tail = 1 + digits + sizeof of - 1 + digits + sizeof suffix - 1;
    if (stem <= tail)
        return sg_strdup(old);
    const char *first = old + stem - tail + 1, *second = first + digits + sizeof of - 1;
    if (first[-1] != '-' || strspn(first, "0123456789") != digits || memcmp(first + digits, of, sizeof of - 1) != 0 ||
        strspn(second, "0123456789") != digits || strcmp(second + digits, suffix) != 0)
        return sg_strdup(old);
    return sg_asprintf("%.*s%05zu-of-%05zu%s", (int)(first - old), old, i, n, suffix);
}

/* Lays out the shard that holds placed[first .. first + n). */
static int draft_shard(sg_draft *draft, const sg_checkpoint *ckpt, const char *name, size_t first, size_t n,
                       sg_error *err)
{
    sg_draft_file *file = sg_draft_add(draft, name);
    json_object *header = json_object_new_object();
    if (!file || !header) {
        json_object_put(header);
        return no_memory(err);
    }
    file->first = first;
    file->n = n;
    int rc = SG_OK;
    json_object *metadata = ckpt->metadata[draft->placed[first].from->file];
    if (metadata)
        rc = sg_json_put(header, "__metadata__", json_object_get(metadata), err);
    uint64_t end = 0;
    for (size_t i = first; rc == SG_OK && i < first + n; i++) {
        sg_placed *p = &draft->placed[i];
        p->file = draft->n_files - 1;
        p->offset = end;
        rc = sg_safetensors_put_tensor(header, p->name, p->from, &end, err);
    }
    if (rc == SG_OK)
        rc = sg_safetensors_header(header, &file->head, err);
    for (size_t i = first; rc == SG_OK && i < first + n; i++)
        draft->placed[i].offset += file->head.n;
    file->bytes = file->head.n + end;
    json_object_put(header);
    return rc;
}

/* How many of placed, from first on, lie in the same file of MODEL. */
static size_t shard_length(const sg_draft *draft, size_t first)
{
    size_t n = 1;
    while (first + n < draft->n_placed && draft->placed[first + n].from->file == draft->placed[first].from->file)
        n++;
    return n;
}

static int draft_shards(sg_draft *draft, const sg_checkpoint *ckpt, sg_error *err)
{
    size_t left = 0, i = 0;
    for (size_t first = 0; first < draft->n_placed; first += shard_length(draft, first))
        left++;
    for (size_t first = 0, n; first < draft->n_placed; first += n) {
        n = shard_length(draft, first);
        const char *old = ckpt->file_names[draft->placed[first].from->file];
        char *name = left < ckpt->n_files ? shard_name(old, ++i, left) : sg_strdup(old);
        int rc = name ? draft_shard(draft, ckpt, name, first, n, err) : no_memory(err);
        sg_free(name);
        if (rc < 0)
            return rc;
    }
    return SG_OK;
}

/* ---- the index --------------------------------------------------------------------------------------- */

static int by_from_name(const void *a, const void *b)
{
    return strcmp((*(sg_placed *const *)a)->from->name, (*(sg_placed *const *)b)->from->name);
}

static int find_from_name(const void *name, const void *p)
{
    return strcmp(name, (*(sg_placed *const *)p)->from->name);
}

/* The kept names of the old map, in its order, with their new names and files. */
static int draft_weight_map(const sg_draft *draft, json_object *old, json_object *map, sg_error *err)
{
    sg_placed **sorted = sg_alloc(draft->n_placed, sizeof *sorted);
    if (!sorted)
        return no_memory(err);
    for (size_t i = 0; i < draft->n_placed; i++)
        sorted[i] = &draft->placed[i];
    qsort(sorted, draft->n_placed, sizeof *sorted, by_from_name);

    int rc = SG_OK;
    struct json_object_iterator it = json_object_iter_begin(old), end = json_object_iter_end(old);
    for (; rc == SG_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        sg_placed **p =
            bsearch(json_object_iter_peek_name(&it), sorted, draft->n_placed, sizeof *sorted, find_from_name);
        if (p)
            rc = sg_json_put(map, (*p)->name, json_object_new_string(draft->files[(*p)->file].name), err);
    }
    sg_free(sorted);
    return rc;
}

/* metadata's sums, where it has them; the rest of it stays. */
static int draft_sums(const sg_cut *cut, json_object *index, sg_error *err)
{
    const struct {
        const char *key;
        uint64_t value;
    } sums[] = {
        {"total_size", cut->bytes},
        {"total_parameters", cut->parameters},
    };
    json_object *metadata = sg_json_get(index, "metadata");
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < SG_ARRAY_LEN(sums); i++)
        if (sg_json_get(metadata, sums[i].key))
            rc = sg_json_put(metadata, sums[i].key, json_object_new_uint64(sums[i].value), err);
    return rc;
}

/* A file whose head is the object's text; takes the object. */
static int draft_json(sg_draft *draft, const char *name, json_object *json, sg_error *err)
{
    char *text = NULL;
    sg_draft_file *file = sg_draft_add(draft, name);
    int rc = file ? sg_json_text(json, &text, err) : no_memory(err);
    if (rc == SG_OK) {
        sg_strbuf_puts(&file->head, text);
        file->bytes = file->head.n;
        rc = file->head.failed ? no_memory(err) : SG_OK;
    }
    sg_free(text);
    json_object_put(json);
    return rc;
}

static int draft_index(sg_draft *draft, const sg_cut *cut, sg_error *err)
{
    const sg_checkpoint *ckpt = cut->model->ckpt;
    json_object *index = NULL, *map = json_object_new_object();
    if (json_object_deep_copy(ckpt->index, &index, NULL) < 0) {
        json_object_put(map);
        return no_memory(err);
    }
    int rc = sg_json_put(index, "weight_map", map, err);
    if (rc == SG_OK)
        rc = draft_weight_map(draft, sg_json_get(ckpt->index, "weight_map"), map, err);
    if (rc == SG_OK)
        rc = draft_sums(cut, index, err);
    if (rc == SG_OK)
        return draft_json(draft, SG_INDEX_FILE, index, err);
    json_object_put(index);
    return rc;
}

/* ---- the rest ---------------------------------------------------------------------------------------- */

static int draft_config(sg_draft *draft, const sg_cut *cut, sg_error *err)
{
    json_object *config = NULL;
    if (json_object_deep_copy(cut->model->ckpt->config, &config, NULL) < 0)
        return no_memory(err);
    int rc = sg_rules_config(cut, config, cut->model->config_path, err);
    if (rc == SG_OK)
        return draft_json(draft, "config.json", config, err);
    json_object_put(config);
    return rc;
}

static int draft_quantization_file(sg_draft *draft, const sg_cut *cut, const char *name, sg_error *err)
{
    json_object *old = NULL, *fresh = NULL;
    char *path = sg_path_join(cut->model->ckpt->path, name);
    int rc = path ? SG_OK : no_memory(err);
    if (rc == SG_OK && sg_path_exists(path) && (rc = sg_json_read_file(&old, path, err)) == SG_OK &&
        (rc = sg_quantization_follow(cut, old, &fresh, err)) == SG_OK)
        rc = draft_json(draft, name, fresh, err);
    json_object_put(old);
    sg_free(path);
    return rc;
}

static int draft_quantization(sg_draft *draft, const sg_cut *cut, sg_error *err)
{
    static const char *const files[] = {SG_QUANTIZATION_FILES};
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < SG_ARRAY_LEN(files); i++)
        rc = draft_quantization_file(draft, cut, files[i], err);
    return rc;
}

static int draft_plan(sg_draft *draft, const sg_plan *lineage, sg_error *err)
{
    char *text = NULL;
    sg_draft_file *file = sg_draft_add(draft, SG_PLAN_FILE);
    int rc = file ? sg_plan_json(lineage, &text, err) : no_memory(err);
    if (rc == SG_OK) {
        sg_strbuf_puts(&file->head, text);
        file->bytes = file->head.n;
        rc = file->head.failed ? no_memory(err) : SG_OK;
    }
    sg_free(text);
    return rc;
}

int sg_draft_hf(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, sg_error *err)
{
    const sg_checkpoint *ckpt = cut->model->ckpt;
    int rc;
    draft->directory = true;
    if ((rc = draft_shards(draft, ckpt, err)) < 0 || (ckpt->index && (rc = draft_index(draft, cut, err)) < 0) ||
        (rc = draft_config(draft, cut, err)) < 0 || (rc = draft_quantization(draft, cut, err)) < 0 ||
        (rc = draft_plan(draft, lineage, err)) < 0)
        return rc;
    return sg_draft_carry(draft, ckpt, err);
}
