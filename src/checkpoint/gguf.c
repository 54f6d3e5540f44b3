/* The GGUF header: one walk from the first byte to the last tensor record, then checks of what lies where. Every read
 * goes through take(), which holds it against the file's end. */
#include "checkpoint/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/names.h"
#include "core/mem.h"
#include "core/utf8.h"

#define MAX_NAME 65535 /* the specification's limit for keys */

enum { MAX_GGUF_DIMS = 4, DEFAULT_ALIGNMENT = 32, MIN_KV_BYTES = 8 + 4 + 1, MIN_TENSOR_BYTES = 8 + 4 + 4 + 8 };

typedef struct reader {
    const uint8_t *data;
    uint64_t bytes, at;
    const char *path;
    const char *part; /* for errors: "key" or "tensor" number index of count */
    uint64_t index, count;
    sg_error *err;
} reader;

#define ULL(x) ((unsigned long long)(x))

/* ---- reading ------------------------------------------------------------------------------------------ */

/* "key 3 of 26: ", or "" before the first record */
static const char *where(const reader *r, char buffer[64])
{
    buffer[0] = 0;
    if (r->part)
        snprintf(buffer, 64, "%s %llu of %llu: ", r->part, ULL(r->index + 1), ULL(r->count));
    return buffer;
}

static int fail_end(reader *r, const char *field, uint64_t need)
{
    char buffer[64];
    return sg_fail(r->err, SG_ERR_FORMAT,
                   "%s: %s%s: %llu bytes are needed at byte %llu, but the file has only %llu bytes; download it again?",
                   r->path, where(r, buffer), field, ULL(need), ULL(r->at), ULL(r->bytes));
}

/* The next n bytes; NULL: they run past the end, err is filled (SG_ERR_FORMAT). */
static const uint8_t *take(reader *r, const char *field, uint64_t n)
{
    if (!sg_span_ok(r->at, n, r->bytes)) {
        fail_end(r, field, n);
        return NULL;
    }
    const uint8_t *p = r->data + r->at;
    r->at += n;
    return p;
}

static uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t load_u64(const uint8_t *p)
{
    return (uint64_t)load_u32(p) | (uint64_t)load_u32(p + 4) << 32;
}

static int take_u32(reader *r, const char *field, uint32_t *out)
{
    const uint8_t *p = take(r, field, 4);
    if (!p)
        return SG_ERR_FORMAT;
    *out = load_u32(p);
    return SG_OK;
}

static int take_u64(reader *r, const char *field, uint64_t *out)
{
    const uint8_t *p = take(r, field, 8);
    if (!p)
        return SG_ERR_FORMAT;
    *out = load_u64(p);
    return SG_OK;
}

static int take_string(reader *r, const char *field, sg_str *out)
{
    uint64_t n = 0;
    if (take_u64(r, field, &n))
        return SG_ERR_FORMAT;
    const uint8_t *p = take(r, field, n);
    if (!p)
        return SG_ERR_FORMAT;
    *out = (sg_str){(const char *)p, (size_t)n};
    return SG_OK;
}

/* A key's or a tensor's name, copied. */
static int take_name(reader *r, char **out)
{
    sg_str s = {0};
    int rc = take_string(r, "name", &s);
    if (rc)
        return rc;
    if (s.bytes < 1 || s.bytes > MAX_NAME || memchr(s.data, 0, s.bytes) || !sg_utf8_valid(s.data, s.bytes, NULL))
        return sg_fail(r->err, SG_ERR_FORMAT,
                       "%s: %s %llu of %llu: its name of %zu bytes is empty, longer than %d, not UTF-8 or has a 0 byte "
                       "in it",
                       r->path, r->part, ULL(r->index + 1), ULL(r->count), s.bytes, MAX_NAME);
    *out = sg_strndup(s.data, s.bytes);
    return *out ? SG_OK : sg_fail(r->err, SG_ERR_NOMEM, "%s: no memory for the header", r->path);
}

/* Holds a count against what is left of the file, before anything is allocated for it. */
static int check_count(reader *r, const char *field, uint64_t n, uint64_t min_bytes)
{
    uint64_t most = (r->bytes - r->at) / min_bytes;
    if (n <= most)
        return SG_OK;
    char buffer[64];
    return sg_fail(r->err, SG_ERR_FORMAT, "%s: %s%s is %llu, but the %llu bytes that follow hold at most %llu", r->path,
                   where(r, buffer), field, ULL(n), ULL(r->bytes - r->at), ULL(most));
}

/* ---- metadata ----------------------------------------------------------------------------------------- */

/* Bytes of a value of fixed size; 0 for strings, arrays and unknown types. */
static uint64_t scalar_bytes(uint32_t type)
{
    static const uint8_t bytes[] = {
        [SG_GGUF_U8] = 1,  [SG_GGUF_I8] = 1,  [SG_GGUF_U16] = 2, [SG_GGUF_I16] = 2,
        [SG_GGUF_U32] = 4, [SG_GGUF_I32] = 4, [SG_GGUF_F32] = 4, [SG_GGUF_BOOL] = 1,
        [SG_GGUF_U64] = 8, [SG_GGUF_I64] = 8, [SG_GGUF_F64] = 8,
    };
    return type < SG_ARRAY_LEN(bytes) ? bytes[type] : 0;
}

static int parse_array(reader *r, sg_gguf_kv *kv)
{
    int rc;
    sg_str s;
    if ((rc = take_u32(r, "element type", &kv->element)) || (rc = take_u64(r, "element count", &kv->count)))
        return rc;
    kv->value = r->data + r->at;
    uint64_t size = scalar_bytes(kv->element);
    if (size) {
        rc = check_count(r, "element count", kv->count, size);
        if (!rc)
            r->at += kv->count * size;
        return rc;
    }
    if (kv->element != SG_GGUF_STRING)
        return sg_fail(r->err, SG_ERR_FORMAT,
                       "%s: key \"%.200s\": array elements of type %u, expected a number, bool or string", r->path,
                       kv->key, kv->element);
    if ((rc = check_count(r, "element count", kv->count, 8)))
        return rc;
    for (uint64_t i = 0; i < kv->count; i++)
        if ((rc = take_string(r, "string of an array", &s)))
            return rc;
    return SG_OK;
}

static int parse_kv(reader *r, sg_gguf_kv *kv)
{
    int rc;
    kv->raw = r->data + r->at;
    if ((rc = take_name(r, &kv->key)) || (rc = take_u32(r, "value type", &kv->type)))
        return rc;
    kv->count = 1;
    kv->value = r->data + r->at;
    if (kv->type == SG_GGUF_STRING) {
        sg_str s;
        rc = take_string(r, "value", &s);
    } else if (kv->type == SG_GGUF_ARRAY) {
        rc = parse_array(r, kv);
    } else if (scalar_bytes(kv->type)) {
        rc = take(r, "value", scalar_bytes(kv->type)) ? SG_OK : SG_ERR_FORMAT;
    } else {
        rc = sg_fail(r->err, SG_ERR_FORMAT, "%s: key \"%.200s\": value type %u, expected 0 to 12", r->path, kv->key,
                     kv->type);
    }
    kv->raw_bytes = (uint64_t)(r->data + r->at - kv->raw);
    return rc;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const sg_gguf_kv *const *)a)->key, (*(const sg_gguf_kv *const *)b)->key);
}

static int check_keys(const reader *r, const sg_gguf *g)
{
    const sg_gguf_kv **sorted = sg_alloc(g->n_kvs, sizeof *sorted);
    if (!sorted)
        return sg_fail(r->err, SG_ERR_NOMEM, "%s: no memory for the header", r->path);
    int rc = SG_OK;
    for (size_t i = 0; i < g->n_kvs; i++)
        sorted[i] = &g->kvs[i];
    qsort(sorted, g->n_kvs, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < g->n_kvs && !rc; i++)
        if (compare_keys(&sorted[i - 1], &sorted[i]) == 0)
            rc = sg_fail(r->err, SG_ERR_FORMAT, "%s: key \"%.200s\" is there twice", r->path, sorted[i]->key);
    sg_free(sorted);
    return rc;
}

static int read_alignment(reader *r, sg_gguf *g)
{
    const sg_gguf_kv *kv = sg_gguf_find(g, "general.alignment");
    int64_t value = DEFAULT_ALIGNMENT;
    if (kv && (kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &value)))
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: general.alignment has value type %u, expected an integer", r->path,
                       kv->type);
    if (value < 1 || value > 1 << 30 || (value & (value - 1)))
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: general.alignment is %lld, expected a power of two", r->path,
                       (long long)value);
    g->alignment = (uint64_t)value;
    return SG_OK;
}

/* ---- tensors ------------------------------------------------------------------------------------------ */

/* t->offset is still relative to the data's start, which is not known yet. */
static int parse_tensor(reader *r, sg_tensor *t)
{
    uint32_t n_dims, type;
    int rc;
    if ((rc = take_name(r, &t->name)) || (rc = take_u32(r, "number of dimensions", &n_dims)))
        return rc;
    if (n_dims > MAX_GGUF_DIMS)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": %u dimensions, expected at most %d", r->path,
                       t->name, n_dims, MAX_GGUF_DIMS);
    t->n_dims = (int)n_dims;
    for (uint32_t i = 0; i < n_dims; i++) { /* the file has them innermost first */
        uint64_t *dim = &t->shape[n_dims - 1 - i];
        if ((rc = take_u64(r, "dimension", dim)))
            return rc;
        if (!*dim)
            return sg_fail(r->err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": dimension %u is 0", r->path, t->name, i);
    }
    if ((rc = take_u32(r, "type", &type)) || (rc = take_u64(r, "offset", &t->offset)))
        return rc;
    if (!(t->type = sg_dtype_by_gguf(type)))
        return sg_fail(r->err, SG_ERR_REFUSED,
                       "%s: tensor \"%.200s\": tensor type %u is unknown to this version of shortgpt", r->path, t->name,
                       type);
    return sg_tensor_measure(t, r->path, r->err);
}

/* Offsets become the file's own; each span is held against alignment and end. */
static int place_tensors(reader *r, sg_gguf *g)
{
    g->data_offset =
        (r->at + g->alignment - 1) / g->alignment * g->alignment; /* at is at most a file's size: no overflow */
    for (size_t i = 0; i < g->n_tensors; i++) {
        sg_tensor *t = &g->tensors[i];
        uint64_t end;
        if (t->offset % g->alignment)
            return sg_fail(r->err, SG_ERR_FORMAT,
                           "%s: tensor \"%.200s\": offset %llu is not a multiple of the alignment %llu", r->path,
                           t->name, ULL(t->offset), ULL(g->alignment));
        if (__builtin_add_overflow(t->offset, g->data_offset, &t->offset) ||
            __builtin_add_overflow(t->offset, t->bytes, &end))
            return sg_fail(r->err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": its offset overflows 64 bits", r->path,
                           t->name);
        if (end > r->bytes)
            return sg_fail(r->err, SG_ERR_FORMAT,
                           "%s: tensor \"%.200s\" ends at byte %llu, but the file has only %llu bytes; download it "
                           "again?",
                           r->path, t->name, ULL(end), ULL(r->bytes));
    }
    return SG_OK;
}

static int check_names(const reader *r, const sg_gguf *g)
{
    sg_names names;
    const sg_tensor *twice;
    if (!sg_names_make(&names, g->tensors, g->n_tensors, &twice))
        return sg_fail(r->err, SG_ERR_NOMEM, "%s: no memory for the header", r->path);
    sg_names_dispose(&names);
    return twice ? sg_fail(r->err, SG_ERR_FORMAT, "%s: tensor \"%.200s\" is there twice", r->path, twice->name) : SG_OK;
}

/* llama.cpp reads only files whose tensors follow each other in the header's order, each at the next aligned byte. */
static int check_order(const reader *r, const sg_gguf *g)
{
    uint64_t next = g->data_offset;
    for (size_t i = 0; i < g->n_tensors; i++) {
        const sg_tensor *t = &g->tensors[i];
        if (t->offset != next)
            return sg_fail(r->err, SG_ERR_FORMAT, "%s: tensor \"%.200s\" begins at byte %llu, expected %llu: %s",
                           r->path, t->name, ULL(t->offset), ULL(next),
                           t->offset < next ? "tensors overlap" : "there is a gap in front of it");
        next = t->offset +
               (t->bytes + g->alignment - 1) / g->alignment * g->alignment; /* inside the file, but for its padding */
    }
    return SG_OK;
}

/* ---- the whole header --------------------------------------------------------------------------------- */

static int parse_magic(reader *r, uint32_t *version)
{
    if (!r->bytes)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: is empty (0 bytes); download it again?", r->path);
    const uint8_t *p = take(r, "magic", 4);
    if (!p)
        return SG_ERR_FORMAT;
    if (!memcmp(p, "lmgg", 4) || !memcmp(p, "fmgg", 4) || !memcmp(p, "tjgg", 4) || !memcmp(p, "algg", 4))
        return sg_fail(r->err, SG_ERR_REFUSED,
                       "%s: is a ggml file from before GGUF (magic \"%.4s\"); get the model as GGUF", r->path,
                       (const char *)p);
    if (memcmp(p, "GGUF", 4))
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: magic is %02x %02x %02x %02x, expected 47 47 55 46 (\"GGUF\")",
                       r->path, p[0], p[1], p[2], p[3]);
    if (take_u32(r, "version", version))
        return SG_ERR_FORMAT;
    if (*version && (*version & 0xffff) == 0)
        return sg_fail(r->err, SG_ERR_REFUSED,
                       "%s: is a big-endian GGUF (version bytes read %u); convert it with gguf-py's "
                       "gguf_convert_endian.py, or get the little-endian file",
                       r->path, *version);
    if (*version == 1)
        return sg_fail(r->err, SG_ERR_REFUSED,
                       "%s: is GGUF version 1; convert the model again with a current llama.cpp, versions 2 and 3 are "
                       "read",
                       r->path);
    if (*version > 3)
        return sg_fail(r->err, SG_ERR_REFUSED, "%s: GGUF version is %u, this version of shortgpt reads 2 and 3",
                       r->path, *version);
    return *version ? SG_OK : sg_fail(r->err, SG_ERR_FORMAT, "%s: GGUF version is 0, expected 2 or 3", r->path);
}

static int parse_header(reader *r, sg_gguf *g)
{
    uint64_t n_tensors, n_kvs;
    int rc;
    if ((rc = parse_magic(r, &g->version)) || (rc = take_u64(r, "number of tensors", &n_tensors)) ||
        (rc = take_u64(r, "number of keys", &n_kvs)) || (rc = check_count(r, "number of keys", n_kvs, MIN_KV_BYTES)) ||
        (rc = check_count(r, "number of tensors", n_tensors, MIN_TENSOR_BYTES)))
        return rc;
    g->kvs = sg_alloc_zero((size_t)n_kvs, sizeof *g->kvs);
    g->tensors = sg_alloc_zero((size_t)n_tensors, sizeof *g->tensors);
    if (!g->kvs || !g->tensors)
        return sg_fail(r->err, SG_ERR_NOMEM, "%s: no memory for a header of %llu keys and %llu tensors", r->path,
                       ULL(n_kvs), ULL(n_tensors));

    r->part = "key";
    r->count = n_kvs;
    for (r->index = 0; r->index < n_kvs; r->index++)
        if ((rc = parse_kv(r, &g->kvs[g->n_kvs++])))
            return rc;
    r->part = "tensor";
    r->count = n_tensors;
    for (r->index = 0; r->index < n_tensors; r->index++)
        if ((rc = parse_tensor(r, &g->tensors[g->n_tensors++])))
            return rc;
    if ((rc = check_keys(r, g)) || (rc = read_alignment(r, g)) || (rc = place_tensors(r, g)) ||
        (rc = check_names(r, g)))
        return rc;
    return check_order(r, g);
}

int sg_gguf_parse(sg_gguf *out, const uint8_t *data, uint64_t bytes, const char *path, sg_error *err)
{
    *out = (sg_gguf){0};
    reader r = {.data = data, .bytes = bytes, .path = path, .err = err};
    int rc = parse_header(&r, out);
    if (rc)
        sg_gguf_dispose(out);
    return rc;
}

void sg_gguf_dispose(sg_gguf *gguf)
{
    for (size_t i = 0; i < gguf->n_kvs; i++)
        sg_free(gguf->kvs[i].key);
    sg_free(gguf->kvs);
    sg_tensors_free(gguf->tensors, gguf->n_tensors);
    *gguf = (sg_gguf){0};
}

/* ---- values ------------------------------------------------------------------------------------------- */

const sg_gguf_kv *sg_gguf_find(const sg_gguf *gguf, const char *key)
{
    for (size_t i = 0; i < gguf->n_kvs; i++)
        if (strcmp(gguf->kvs[i].key, key) == 0)
            return &gguf->kvs[i];
    return NULL;
}

/* The bytes of number i, of *size bytes and type *type; NULL when there is none. */
static const uint8_t *element(const sg_gguf_kv *kv, uint64_t i, uint32_t *type, uint64_t *size)
{
    if (!kv)
        return NULL;
    *type = kv->type == SG_GGUF_ARRAY ? kv->element : kv->type;
    *size = scalar_bytes(*type);
    return *size && i < kv->count ? kv->value + i * *size : NULL;
}

bool sg_gguf_get_int(const sg_gguf_kv *kv, uint64_t i, int64_t *out)
{
    uint32_t type = 0;
    uint64_t size = 0, bits = 0;
    const uint8_t *p = element(kv, i, &type, &size);
    if (!p || type == SG_GGUF_F32 || type == SG_GGUF_F64)
        return false;
    for (uint64_t k = 0; k < size; k++)
        bits |= (uint64_t)p[k] << (8 * k);
    switch (type) {
    case SG_GGUF_I8:
        *out = (int8_t)bits;
        return true;
    case SG_GGUF_I16:
        *out = (int16_t)bits;
        return true;
    case SG_GGUF_I32:
        *out = (int32_t)bits;
        return true;
    case SG_GGUF_BOOL:
        *out = bits != 0;
        return true;
    case SG_GGUF_U64:
        if (bits > INT64_MAX)
            return false;
        break;
    default:
        break;
    }
    *out = (int64_t)bits;
    return true;
}

bool sg_gguf_get_f64(const sg_gguf_kv *kv, uint64_t i, double *out)
{
    uint32_t type = 0;
    uint64_t size = 0;
    int64_t integer;
    const uint8_t *p = element(kv, i, &type, &size);
    if (p && type == SG_GGUF_F32) {
        float f;
        memcpy(&f, p, sizeof f);
        *out = f;
        return true;
    }
    if (p && type == SG_GGUF_F64) {
        memcpy(out, p, sizeof *out);
        return true;
    }
    if (!sg_gguf_get_int(kv, i, &integer))
        return false;
    *out = (double)integer;
    return true;
}

bool sg_gguf_get_str(const sg_gguf_kv *kv, sg_str *out)
{
    if (!kv || kv->type != SG_GGUF_STRING)
        return false;
    *out = (sg_str){(const char *)kv->value + 8, (size_t)load_u64(kv->value)};
    return true;
}

int sg_gguf_get_strings(const sg_gguf_kv *kv, sg_str **out, sg_error *err)
{
    if (!kv || kv->type != SG_GGUF_ARRAY || kv->element != SG_GGUF_STRING)
        return sg_fail(err, SG_ERR_FORMAT, "key \"%.200s\" is not an array of strings", kv ? kv->key : "(absent)");
    sg_str *strings = sg_alloc((size_t)kv->count, sizeof *strings);
    if (!strings)
        return sg_fail(err, SG_ERR_NOMEM, "key \"%.200s\": no memory for %llu strings", kv->key, ULL(kv->count));
    const uint8_t *p = kv->value;
    for (uint64_t i = 0; i < kv->count; i++) { /* the walk was checked by parse_array */
        strings[i] = (sg_str){(const char *)p + 8, (size_t)load_u64(p)};
        p += 8 + strings[i].bytes;
    }
    *out = strings;
    return SG_OK;
}
