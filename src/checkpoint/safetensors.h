/* safetensors: u64 little-endian header length | JSON header | data. Format: github.com/huggingface/safetensors README.
 *   {"__metadata__": {string: string}, name: {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ...}
 * Offsets count from the data's start; together the spans must cover the data without gap or overlap (so a name given
 * twice, of which JSON keeps one, shows as a gap or an overlap). */
#ifndef SG_CHECKPOINT_SAFETENSORS_H
#define SG_CHECKPOINT_SAFETENSORS_H

#include "checkpoint/tensor.h"
#include "core/json.h"

typedef struct sg_safetensors {
    sg_tensor *tensors; /* in data order; file is 0 */
    size_t n_tensors;
    json_object *metadata; /* __metadata__ or NULL */
} sg_safetensors;

/* Parses and checks a file in memory; path is only for errors. */
int sg_safetensors_parse(sg_safetensors *out, const uint8_t *data, uint64_t bytes, const char *path, sg_error *err);
void sg_safetensors_dispose(sg_safetensors *st);

#endif
