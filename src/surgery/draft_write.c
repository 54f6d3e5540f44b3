/* A draft becomes files. */
#include <string.h>

#include "core/mem.h"
#include "surgery/draft.h"

static int no_memory(const char *temp, sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to write it", temp);
}

static int make_dirs(const sg_draft *draft, const char *temp, sg_error *err)
{
    int rc = draft->directory || draft->set ? sg_make_dir(temp, err) : SG_OK;
    for (size_t i = 0; rc == SG_OK && i < draft->n_dirs; i++) {
        char *path = sg_path_join(temp, draft->dirs[i]);
        rc = path ? sg_make_dir(path, err) : no_memory(temp, err);
        sg_free(path);
    }
    return rc;
}

static int sync_dirs(const sg_draft *draft, const char *temp, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = draft->n_dirs; rc == SG_OK && i > 0; i--) {
        char *path = sg_path_join(temp, draft->dirs[i - 1]);
        rc = path ? sg_sync_dir(path, err) : no_memory(temp, err);
        sg_free(path);
    }
    return rc == SG_OK && (draft->directory || draft->set) ? sg_sync_dir(temp, err) : rc;
}

static int copy_whole(sg_out *out, const char *path, sg_ticker *ticker, sg_error *err)
{
    sg_map map;
    int rc = sg_map_open(&map, path, err);
    if (rc < 0)
        return rc;
    rc = sg_out_copy(out, &map, 0, map.bytes, ticker, err);
    sg_map_close(&map);
    return rc;
}

/* The survivors' chunks of each row, some rows at a time. */
static int copy_slice(sg_out *out, const sg_slice *s, const sg_cut *cut, sg_ticker *ticker, sg_error *err)
{
    enum { AT_ONCE = 1 << 22 };
    const uint8_t *row = sg_tensor_data(cut->model->ckpt, s->whole);
    size_t n = 0, bytes = (size_t)s->chunk * cut->plan->n_keep, room = bytes > AT_ONCE ? bytes : AT_ONCE;
    uint8_t *block = sg_alloc(room, 1);
    int rc = block ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for a part of tensor %s", s->whole->name);
    for (uint64_t r = 0; rc == SG_OK && r < s->rows; r++, row += s->chunk * (uint64_t)cut->plan->layers) {
        for (size_t i = 0; i < cut->plan->n_keep; i++, n += (size_t)s->chunk)
            memcpy(block + n, row + s->chunk * (uint64_t)cut->plan->keep[i], (size_t)s->chunk);
        if (n + bytes <= room && r + 1 < s->rows)
            continue;
        if ((rc = sg_out_write(out, block, n, err)) == SG_OK)
            rc = sg_tick(ticker, n, err);
        n = 0;
    }
    sg_free(block);
    return rc;
}

static int copy_tensors(sg_out *out, const sg_draft *draft, const sg_draft_file *file, const sg_cut *cut,
                        sg_ticker *ticker, sg_error *err)
{
    const sg_checkpoint *from = cut->model->ckpt;
    int rc = SG_OK;
    for (size_t i = file->first; rc == SG_OK && i < file->first + file->n; i++) {
        const sg_tensor *t = draft->placed[i].from;
        if (sg_out_position(out) != draft->placed[i].offset)
            return sg_fail(err, SG_ERR_IO, "%s: tensor %s would be at byte %llu, expected %llu", from->path, t->name,
                           (unsigned long long)sg_out_position(out), (unsigned long long)draft->placed[i].offset);
        const sg_slice *slice = draft->placed[i].slice;
        rc = slice ? copy_slice(out, slice, cut, ticker, err)
                   : sg_out_copy(out, &from->files[t->file], t->offset, t->bytes, ticker, err);
        if (rc == SG_OK)
            rc = sg_out_pad(out, draft->alignment, err);
    }
    return rc;
}

static int write_file(sg_out **out, const sg_draft *draft, const sg_draft_file *file, const sg_cut *cut,
                      const char *temp, sg_ticker *ticker, sg_error *err)
{
    char *path = file->name ? sg_path_join(temp, file->name) : sg_strdup(temp);
    int rc = path ? sg_out_create(out, path, err) : no_memory(temp, err);
    sg_free(path);
    if (rc < 0)
        return rc;
    if (file->copy_of)
        rc = copy_whole(*out, file->copy_of, ticker, err);
    else if ((rc = sg_out_write(*out, file->head.data, file->head.n, err)) == SG_OK &&
             (rc = sg_tick(ticker, file->head.n, err)) == SG_OK)
        rc = copy_tensors(*out, draft, file, cut, ticker, err);
    return rc == SG_OK ? sg_out_close(*out, err) : rc;
}

int sg_draft_write(const sg_draft *draft, const sg_cut *cut, const char *temp, const sg_progress *progress,
                   sg_error *err)
{
    sg_ticker writing = {.progress = progress, .stage = "writing", .total = sg_draft_bytes(draft)};
    sg_ticker checking = {.progress = progress, .stage = "reading back", .total = writing.total};
    sg_out **outs = sg_alloc_zero(draft->n_files, sizeof *outs);
    int rc = outs ? make_dirs(draft, temp, err) : no_memory(temp, err);
    for (size_t i = 0; rc == SG_OK && i < draft->n_files; i++)
        rc = write_file(&outs[i], draft, &draft->files[i], cut, temp, &writing, err);
    if (rc == SG_OK)
        rc = sync_dirs(draft, temp, err);
    for (size_t i = 0; rc == SG_OK && i < draft->n_files; i++)
        rc = sg_out_check(outs[i], &checking, err);
    for (size_t i = 0; outs && i < draft->n_files; i++)
        sg_out_free(outs[i]);
    sg_free(outs);
    return rc;
}
