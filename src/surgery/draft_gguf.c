/* OUT as GGUF: one file, records and tensors in MODEL's order; or, where MODEL is a split set and OUT's name looks like
 * the first of one, again a set: each tensor in the file of its number, files that would hold none left out. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "surgery/draft.h"
#include "surgery/rules.h"

enum { SUFFIX_BYTES = 20 }; /* "-00001-of-00003.gguf" */

static void put_lineage(sg_gguf_draft *to, const sg_plan *plan)
{
    sg_gguf_put_string(to, "shortgpt.version", SG_VERSION);
    sg_gguf_put_string(to, "shortgpt.method", plan->method);
    sg_gguf_put_string(to, "shortgpt.fingerprint", plan->fingerprint);
    sg_gguf_put_u32(to, "shortgpt.layers", (uint32_t)plan->layers);
    sg_gguf_put_u32(to, "shortgpt.hidden", (uint32_t)plan->hidden);
    sg_gguf_put_u32(to, "shortgpt.vocab", (uint32_t)plan->vocab);
    sg_gguf_put_u32s(to, "shortgpt.remove", plan->remove, plan->n_remove);
}

/* Of a further file of a set: whatever it says that is not about the set. */
static void put_others(sg_gguf_draft *to, const sg_gguf *from)
{
    for (size_t i = 0; i < from->n_kvs; i++)
        if (strncmp(from->kvs[i].key, "split.", strlen("split.")) != 0)
            sg_gguf_put_raw(to, &from->kvs[i]);
}

/* One file of OUT with draft->placed[first] and the n behind it, records from MODEL's file `shard`. of: files of a set,
 * 0: it is none. */
static int lay_out(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, size_t shard, size_t no, size_t of,
                   sg_error *err)
{
    const sg_gguf *from = &cut->model->ckpt->ggufs[shard];
    sg_draft_file *file = &draft->files[no];
    sg_gguf_draft to = {.version = from->version, .alignment = draft->alignment};
    int rc = SG_OK;
    if (no > 0)
        put_others(&to, from);
    else if ((rc = sg_rules_metadata(cut, from, &to, err)) == SG_OK)
        put_lineage(&to, lineage);
    if (rc < 0)
        goto out;
    if (of) {
        sg_gguf_put_u16(&to, "split.no", (uint16_t)no);
        sg_gguf_put_u16(&to, "split.count", (uint16_t)of);
        sg_gguf_put_i32(&to, "split.tensors.count", (int32_t)draft->n_placed);
    }
    for (size_t i = file->first; i < file->first + file->n; i++) {
        draft->placed[i].file = no;
        draft->placed[i].offset = sg_gguf_put_tensor(&to, draft->placed[i].name, draft->placed[i].from);
    }
    if ((rc = sg_gguf_draft_header(&to, &file->head, err)) < 0)
        goto out;
    for (size_t i = file->first; i < file->first + file->n; i++)
        draft->placed[i].offset += file->head.n;
    file->bytes = file->head.n + to.data_bytes;
out:
    sg_gguf_draft_dispose(&to);
    return rc;
}

/* How long OUT's name is without "-00001-of-0000N.gguf"; -1: it has no such end. */
static int stem_of(const char *path)
{
    int n = (int)strlen(path) - SUFFIX_BYTES, end = 0;
    unsigned count;
    if (n < 1 || path[n - 1] == '/' || sscanf(path + n, "-00001-of-%5u.gguf%n", &count, &end) != 1)
        return -1;
    return end == SUFFIX_BYTES ? n : -1;
}

/* Do tensors of MODEL's file stay in it? The first has the records, whatever else. */
static bool stays(const sg_draft *draft, size_t shard, size_t *first, size_t *n)
{
    *n = 0;
    for (*first = 0; *first < draft->n_placed && draft->placed[*first].from->file < shard;)
        ++*first;
    while (*first + *n < draft->n_placed && draft->placed[*first + *n].from->file == shard)
        ++*n;
    return shard == 0 || *n;
}

static int lay_out_set(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, const char *path, int stem,
                       sg_error *err)
{
    const sg_checkpoint *ckpt = cut->model->ckpt;
    size_t first, n, no = 0, of = 0;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    draft->set = true;
    for (size_t shard = 0; shard < ckpt->n_files; shard++) {
        if (ckpt->ggufs[shard].alignment != draft->alignment)
            return sg_fail(err, SG_ERR_REFUSED,
                           "%s: the files of the set have general.alignment %llu and %llu; name OUT as one file",
                           ckpt->path, (unsigned long long)draft->alignment,
                           (unsigned long long)ckpt->ggufs[shard].alignment);
        of += stays(draft, shard, &first, &n);
    }
    for (size_t shard = 0; shard < ckpt->n_files; shard++) {
        if (!stays(draft, shard, &first, &n))
            continue;
        char *name = sg_asprintf("%.*s-%05zu-of-%05zu.gguf", stem - (int)(base - path), base, no + 1, of);
        sg_draft_file *file = name ? sg_draft_add(draft, name) : NULL;
        sg_free(name);
        if (!file)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for a GGUF header");
        file->first = first;
        file->n = n;
        int rc = lay_out(draft, cut, lineage, shard, no++, of, err);
        if (rc < 0)
            return rc;
    }
    return SG_OK;
}

int sg_draft_gguf(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, const char *path, sg_error *err)
{
    int stem = cut->model->ckpt->n_files > 1 ? stem_of(path) : -1;
    draft->alignment = cut->model->ckpt->ggufs[0].alignment;
    if (stem >= 0)
        return lay_out_set(draft, cut, lineage, path, stem, err);
    sg_draft_file *file = sg_draft_add(draft, NULL);
    if (!file)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a GGUF header");
    file->n = draft->n_placed;
    return lay_out(draft, cut, lineage, 0, 0, 0, err);
}
