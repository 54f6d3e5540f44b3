/* Building a GGUF header. The format is little-endian, as are the machines that we run on. */
#include "checkpoint/gguf_write.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they lie in memory");

static void put_u32(sg_strbuf *to, uint32_t value)
{
    sg_strbuf_add(to, (const char *)&value, sizeof value);
}

static void put_u64(sg_strbuf *to, uint64_t value)
{
    sg_strbuf_add(to, (const char *)&value, sizeof value);
}

static void put_string(sg_strbuf *to, const char *s)
{
    put_u64(to, strlen(s));
    sg_strbuf_puts(to, s);
}

static void put_key(sg_gguf_draft *d, const char *key, uint32_t type)
{
    put_string(&d->records, key);
    put_u32(&d->records, type);
    d->n_records++;
}

/* Bytes of one number of a type, 0 for strings and arrays. */
static size_t width(uint32_t type)
{
    static const uint8_t widths[] = {
        [SG_GGUF_U8] = 1,  [SG_GGUF_I8] = 1,  [SG_GGUF_U16] = 2, [SG_GGUF_I16] = 2,
        [SG_GGUF_U32] = 4, [SG_GGUF_I32] = 4, [SG_GGUF_F32] = 4, [SG_GGUF_BOOL] = 1,
        [SG_GGUF_U64] = 8, [SG_GGUF_I64] = 8, [SG_GGUF_F64] = 8,
    };
    return type < SG_ARRAY_LEN(widths) ? widths[type] : 0;
}

void sg_gguf_put_raw(sg_gguf_draft *d, const sg_gguf_kv *kv)
{
    sg_strbuf_add(&d->records, (const char *)kv->raw, (size_t)kv->raw_bytes);
    d->n_records++;
}

void sg_gguf_put_u32(sg_gguf_draft *d, const char *key, uint32_t value)
{
    put_key(d, key, SG_GGUF_U32);
    put_u32(&d->records, value);
}

void sg_gguf_put_u16(sg_gguf_draft *d, const char *key, uint16_t value)
{
    put_key(d, key, SG_GGUF_U16);
    sg_strbuf_add(&d->records, (const char *)&value, sizeof value);
}

void sg_gguf_put_i32(sg_gguf_draft *d, const char *key, int32_t value)
{
    put_key(d, key, SG_GGUF_I32);
    sg_strbuf_add(&d->records, (const char *)&value, sizeof value);
}

void sg_gguf_put_f32(sg_gguf_draft *d, const char *key, float value)
{
    put_key(d, key, SG_GGUF_F32);
    sg_strbuf_add(&d->records, (const char *)&value, sizeof value);
}

void sg_gguf_put_string(sg_gguf_draft *d, const char *key, const char *value)
{
    put_key(d, key, SG_GGUF_STRING);
    put_string(&d->records, value);
}

void sg_gguf_put_u32s(sg_gguf_draft *d, const char *key, const int *values, size_t n)
{
    put_key(d, key, SG_GGUF_ARRAY);
    put_u32(&d->records, SG_GGUF_U32);
    put_u64(&d->records, n);
    for (size_t i = 0; i < n; i++)
        put_u32(&d->records, (uint32_t)values[i]);
}

void sg_gguf_put_bools(sg_gguf_draft *d, const char *key, const bool *values, size_t n)
{
    put_key(d, key, SG_GGUF_ARRAY);
    put_u32(&d->records, SG_GGUF_BOOL);
    put_u64(&d->records, n);
    for (size_t i = 0; i < n; i++)
        sg_strbuf_add(&d->records, values[i] ? "\1" : "\0", 1);
}

void sg_gguf_put_strings(sg_gguf_draft *d, const char *key, char *const *values, size_t n)
{
    put_key(d, key, SG_GGUF_ARRAY);
    put_u32(&d->records, SG_GGUF_STRING);
    put_u64(&d->records, n);
    for (size_t i = 0; i < n; i++)
        put_string(&d->records, values[i]);
}

int sg_gguf_put_like(sg_gguf_draft *d, const sg_gguf_kv *kv, uint64_t value, sg_error *err)
{
    size_t bytes = width(kv->type);
    bool integer = bytes && kv->type != SG_GGUF_F32 && kv->type != SG_GGUF_F64 && kv->type != SG_GGUF_BOOL;
    bool is_signed =
        kv->type == SG_GGUF_I8 || kv->type == SG_GGUF_I16 || kv->type == SG_GGUF_I32 || kv->type == SG_GGUF_I64;
    uint64_t most = bytes ? UINT64_MAX >> (64 - 8 * bytes) >> is_signed : 0;
    if (!integer || value > most)
        return sg_fail(err, SG_ERR_FORMAT, "%s: type %u cannot hold %llu, expected an integer type", kv->key, kv->type,
                       (unsigned long long)value);
    put_key(d, kv->key, kv->type);
    sg_strbuf_add(&d->records, (const char *)&value, bytes);
    return SG_OK;
}

int sg_gguf_put_gathered(sg_gguf_draft *d, const sg_gguf_kv *kv, const uint64_t *indices, size_t n, sg_error *err)
{
    size_t bytes = width(kv->element);
    if (!bytes)
        return sg_fail(err, SG_ERR_FORMAT, "%s: a list of element type %u, expected numbers, one for each layer",
                       kv->key, kv->element);
    put_key(d, kv->key, SG_GGUF_ARRAY);
    put_u32(&d->records, kv->element);
    put_u64(&d->records, n);
    for (size_t i = 0; i < n; i++)
        sg_strbuf_add(&d->records, (const char *)kv->value + indices[i] * bytes, bytes);
    return SG_OK;
}

uint64_t sg_gguf_put_tensor(sg_gguf_draft *d, const char *name, const sg_tensor *t)
{
    uint64_t offset = d->data_bytes;
    put_string(&d->infos, name);
    put_u32(&d->infos, (uint32_t)t->n_dims);
    for (int i = t->n_dims - 1; i >= 0; i--)
        put_u64(&d->infos, t->shape[i]);
    put_u32(&d->infos, (uint32_t)t->type->gguf_id);
    put_u64(&d->infos, offset);
    d->n_tensors++;
    d->data_bytes += (t->bytes + d->alignment - 1) & ~(d->alignment - 1);
    return offset;
}

int sg_gguf_draft_header(const sg_gguf_draft *d, sg_strbuf *out, sg_error *err)
{
    sg_strbuf_puts(out, "GGUF");
    put_u32(out, d->version);
    put_u64(out, d->n_tensors);
    put_u64(out, d->n_records);
    sg_strbuf_add(out, d->records.data, d->records.n);
    sg_strbuf_add(out, d->infos.data, d->infos.n);
    for (size_t pad = -out->n & (size_t)(d->alignment - 1); pad; pad--)
        sg_strbuf_add(out, "", 1);
    if (out->failed || d->records.failed || d->infos.failed)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a GGUF header of %zu bytes", d->records.n + d->infos.n);
    return SG_OK;
}

void sg_gguf_draft_dispose(sg_gguf_draft *d)
{
    sg_strbuf_free(&d->records);
    sg_strbuf_free(&d->infos);
}
