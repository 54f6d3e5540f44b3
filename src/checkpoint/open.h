/* Between checkpoint.c and its two halves, checkpoint_hf.c and checkpoint_gguf.c. */
#ifndef SG_CHECKPOINT_OPEN_H
#define SG_CHECKPOINT_OPEN_H

#include "checkpoint/checkpoint.h"

/* Each fills files, names and tensors of a zeroed checkpoint whose path is set; on failure the caller frees it. */
int sg_checkpoint_open_hf(sg_checkpoint *ckpt, sg_error *err);
int sg_checkpoint_open_gguf(sg_checkpoint *ckpt, sg_error *err);

/* Room for n files, none opened. */
int sg_checkpoint_alloc_files(sg_checkpoint *ckpt, size_t n, sg_error *err);
/* Maps a weight file. A Git LFS pointer in its place is refused. */
int sg_checkpoint_map(sg_map *map, const char *path, sg_error *err);
/* Appends a file's tensors, taking array and names, also on failure. */
int sg_checkpoint_add(sg_checkpoint *ckpt, size_t file, sg_tensor *tensors, size_t n, sg_error *err);
/* Makes by_name and names. SG_ERR_FORMAT: a name in two files. */
int sg_checkpoint_index(sg_checkpoint *ckpt, sg_error *err);

bool sg_has_suffix(const char *name, const char *suffix);

#endif
