/* What the two layouts share. */
#include "surgery/draft.h"

#include <string.h>

#include "core/mem.h"

sg_draft_file *sg_draft_add(sg_draft *draft, const char *name)
{
    char *copy = name ? sg_strdup(name) : NULL;
    sg_draft_file *files = name && !copy ? NULL : sg_resize(draft->files, draft->n_files + 1, sizeof *files);
    if (!files) {
        sg_free(copy);
        return NULL;
    }
    draft->files = files;
    sg_draft_file *file = &files[draft->n_files++];
    *file = (sg_draft_file){.name = copy};
    return file;
}

int sg_draft_note(char ***list, size_t *n, char *s, sg_error *err)
{
    char **grown = s ? sg_resize(*list, *n + 1, sizeof *grown) : NULL;
    if (!grown) {
        sg_free(s);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %zu file names", *n + 1);
    }
    *list = grown;
    grown[(*n)++] = s;
    return SG_OK;
}

int sg_draft_make(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, const char *path, sg_error *err)
{
    *draft = (sg_draft){.alignment = 1};
    draft->placed = sg_alloc_zero(cut->tensors_kept, sizeof *draft->placed);
    if (!draft->placed)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu tensors", cut->tensors_kept);
    for (size_t i = 0; i < cut->model->ckpt->n_tensors; i++) {
        const sg_tensor *t = &cut->model->ckpt->tensors[i];
        if (!sg_cut_keeps(cut, t))
            continue;
        sg_placed *p = &draft->placed[draft->n_placed++];
        p->slice = sg_cut_slice(cut, t);
        p->from = p->slice ? &p->slice->part : t;
        if (!(p->name = sg_cut_name(cut, t)))
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu tensors", cut->tensors_kept);
    }
    for (size_t i = 0; i < cut->model->ckpt->n_files; i++)
        draft->source_bytes += cut->model->ckpt->files[i].bytes;
    return cut->model->ckpt->format == SG_FORMAT_HF ? sg_draft_hf(draft, cut, lineage, err)
                                                    : sg_draft_gguf(draft, cut, lineage, path, err);
}

char *sg_draft_path(const sg_draft *draft, const char *path, size_t i)
{
    const char *slash = strrchr(path, '/');
    return draft->set ? sg_asprintf("%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, draft->files[i].name)
                      : sg_strdup(path);
}

static void free_strings(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sg_free(list[i]);
    sg_free(list);
}

void sg_draft_dispose(sg_draft *draft)
{
    for (size_t i = 0; i < draft->n_placed; i++)
        sg_free(draft->placed[i].name);
    sg_free(draft->placed);
    for (size_t i = 0; i < draft->n_files; i++) {
        sg_free(draft->files[i].name);
        sg_free(draft->files[i].copy_of);
        sg_strbuf_free(&draft->files[i].head);
    }
    sg_free(draft->files);
    free_strings(draft->dirs, draft->n_dirs);
    free_strings(draft->left_out, draft->n_left_out);
    *draft = (sg_draft){0};
}

uint64_t sg_draft_bytes(const sg_draft *draft)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < draft->n_files; i++)
        sum += draft->files[i].bytes;
    return sum;
}
