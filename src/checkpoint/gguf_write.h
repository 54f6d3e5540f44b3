/* Building a GGUF header in memory: records first, then tensors, then all of it. See gguf.h for the layout. */
#ifndef SG_CHECKPOINT_GGUF_WRITE_H
#define SG_CHECKPOINT_GGUF_WRITE_H

#include "checkpoint/gguf.h"
#include "core/strbuf.h"

typedef struct sg_gguf_draft { /* all zero but for the first two */
    uint32_t version;
    uint64_t alignment; /* a power of two */
    sg_strbuf records, infos;
    uint64_t n_records, n_tensors;
    uint64_t data_bytes; /* so far, the last tensor's padding counted */
} sg_gguf_draft;

/* Memory that runs out is remembered until sg_gguf_draft_header. */
void sg_gguf_put_raw(sg_gguf_draft *d, const sg_gguf_kv *kv); /* byte for byte */
void sg_gguf_put_u32(sg_gguf_draft *d, const char *key, uint32_t value);
void sg_gguf_put_u16(sg_gguf_draft *d, const char *key, uint16_t value);
void sg_gguf_put_i32(sg_gguf_draft *d, const char *key, int32_t value);
void sg_gguf_put_f32(sg_gguf_draft *d, const char *key, float value);
void sg_gguf_put_string(sg_gguf_draft *d, const char *key, const char *value);
void sg_gguf_put_u32s(sg_gguf_draft *d, const char *key, const int *values, size_t n);
void sg_gguf_put_bools(sg_gguf_draft *d, const char *key, const bool *values, size_t n);
void sg_gguf_put_strings(sg_gguf_draft *d, const char *key, char *const *values, size_t n);
/* The same key and type with another number. SG_ERR_FORMAT when kv is no integer or value does not fit it. */
int sg_gguf_put_like(sg_gguf_draft *d, const sg_gguf_kv *kv, uint64_t value, sg_error *err);
/* The array's elements of the given indices, each below kv->count. SG_ERR_FORMAT for an array of strings. */
int sg_gguf_put_gathered(sg_gguf_draft *d, const sg_gguf_kv *kv, const uint64_t *indices, size_t n, sg_error *err);
/* Describes a tensor like t under another name and returns its offset from the data's start. */
uint64_t sg_gguf_put_tensor(sg_gguf_draft *d, const char *name, const sg_tensor *t);

/* Everything before the data, padded to the alignment. */
int sg_gguf_draft_header(const sg_gguf_draft *d, sg_strbuf *out, sg_error *err);
void sg_gguf_draft_dispose(sg_gguf_draft *d);

#endif
