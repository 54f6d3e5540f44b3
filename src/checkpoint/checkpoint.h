/* A checkpoint as it lies on disk, in either format: its files mapped, its tensors in one list, its configuration.
 * Nothing here knows what a tensor means. */
#ifndef SG_CHECKPOINT_CHECKPOINT_H
#define SG_CHECKPOINT_CHECKPOINT_H

#include "checkpoint/gguf.h"
#include "checkpoint/names.h"
#include "checkpoint/safetensors.h"
#include "core/file.h"

typedef struct sg_checkpoint {
    sg_format format;
    char *path;        /* as given */
    sg_map *files;     /* weight files, in shard order */
    char **file_names; /* base names, as the index spells them */
    size_t n_files;
    sg_tensor *tensors; /* all, file by file, each in data order (GGUF: header order) */
    size_t n_tensors;
    size_t *by_name;        /* indices of tensors sorted by name */
    sg_names names;         /* for sg_checkpoint_find */
    sg_gguf *ggufs;         /* GGUF: one per file (tensors moved out); metadata is ggufs[0]'s */
    json_object *config;    /* HF: config.json */
    json_object *index;     /* HF: model.safetensors.index.json, NULL for one file */
    json_object **metadata; /* HF: __metadata__ of each file, entries may be NULL */
    sg_error refusal;       /* code SG_ERR_REFUSED: the weights are not to be read as numbers (GPTQ, AWQ, ...), and why */
} sg_checkpoint;

/* MODEL: a directory with config.json and *.safetensors, or a .gguf file, also the first of a split set. Of a
 * directory, as transformers does: model.safetensors, else the shards of model.safetensors.index.json, else the only
 * *.safetensors there is. Refused by name with the next step: *.bin only, an adapter, a file inside a directory,
 * big-endian GGUF, a shard other than the first. GPTQ, AWQ and such open, see `refusal`. A tensor of the index that is not
 * in its shard, a shard that is absent, a name in two shards: SG_ERR_FORMAT. */
int sg_checkpoint_open(sg_checkpoint **out, const char *path, sg_error *err);
void sg_checkpoint_free(sg_checkpoint *ckpt);

const sg_tensor *sg_checkpoint_find(const sg_checkpoint *ckpt, const char *name); /* NULL: absent */
static inline const uint8_t *sg_tensor_data(const sg_checkpoint *ckpt, const sg_tensor *t)
{
    return ckpt->files[t->file].data + t->offset;
}

/* XXH3-128 in hex over all tensors in the order of their names: name, type, shape, and first, middle and last 4 KiB of
 * data, of at most 1,024 tensors (with more: of every second, third ... by name). It does not depend on sharding or the
 * order in files; reads at most 12 MiB. */
int sg_checkpoint_fingerprint(const sg_checkpoint *ckpt, char out[33], sg_error *err);

#endif
