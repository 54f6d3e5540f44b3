/* GGUF v2 and v3, little-endian: the header parsed from memory, and headers written.
 * Format: github.com/ggml-org/ggml docs/gguf.md
 *
 *   magic "GGUF" | u32 version | u64 n_tensors | u64 n_kv | n_kv x (string key, u32 type, value)
 *   | n_tensors x (string name, u32 n_dims, u64 dims[] innermost first, u32 type, u64 offset) | padding | data
 *
 * A string is u64 length and bytes. Offsets count from the data's start, which is aligned to general.alignment. */
#ifndef SG_CHECKPOINT_GGUF_H
#define SG_CHECKPOINT_GGUF_H

#include "checkpoint/tensor.h"

enum sg_gguf_type { /* the format's numbers */
                    SG_GGUF_U8,
                    SG_GGUF_I8,
                    SG_GGUF_U16,
                    SG_GGUF_I16,
                    SG_GGUF_U32,
                    SG_GGUF_I32,
                    SG_GGUF_F32,
                    SG_GGUF_BOOL,
                    SG_GGUF_STRING,
                    SG_GGUF_ARRAY,
                    SG_GGUF_U64,
                    SG_GGUF_I64,
                    SG_GGUF_F64
};

typedef struct sg_str { /* not terminated, points into the file */
    const char *data;
    size_t bytes;
} sg_str;

typedef struct sg_gguf_kv {
    char *key;            /* owned */
    uint32_t type;        /* enum sg_gguf_type */
    uint32_t element;     /* element type of an array (never an array) */
    uint64_t count;       /* elements of an array, else 1 */
    const uint8_t *value; /* the value's bytes in the file (of an array: its first element) */
    const uint8_t *raw;   /* the whole record: key, type, value */
    uint64_t raw_bytes;
} sg_gguf_kv;

typedef struct sg_gguf {
    uint32_t version;
    uint64_t alignment;
    sg_gguf_kv *kvs;
    size_t n_kvs;
    sg_tensor *tensors; /* file is 0; in the file's order */
    size_t n_tensors;
    uint64_t data_offset; /* where tensor data starts; of a file without tensors it may lie past the end */
} sg_gguf;

/* Parses and checks a whole header: every length against bytes, duplicate keys and tensor names, offsets aligned,
 * inside the file and not overlapping. Trailing bytes are allowed (writers pad the last tensor). The result points into
 * data. path is only for errors. SG_ERR_REFUSED, with the next step: version 1, a later version than 3, big-endian, the
 * older ggml formats, a tensor type that dtype.h does not have. */
int sg_gguf_parse(sg_gguf *out, const uint8_t *data, uint64_t bytes, const char *path, sg_error *err);
void sg_gguf_dispose(sg_gguf *gguf);

const sg_gguf_kv *sg_gguf_find(const sg_gguf *gguf, const char *key); /* NULL: absent */
/* Reads element i (0 for a scalar). false when the type or i does not fit, or kv is NULL: integers of any width and
 * bool for int (above INT64_MAX: false), also floats for f64. */
bool sg_gguf_get_int(const sg_gguf_kv *kv, uint64_t i, int64_t *out);
bool sg_gguf_get_f64(const sg_gguf_kv *kv, uint64_t i, double *out);
bool sg_gguf_get_str(const sg_gguf_kv *kv, sg_str *out); /* a scalar string */
/* All strings of a string array; *out is sg_free'd by the caller and has kv->count entries. */
int sg_gguf_get_strings(const sg_gguf_kv *kv, sg_str **out, sg_error *err);

#endif
