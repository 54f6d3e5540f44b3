/* Both forms of an importance matrix, under other names. */
#include "checkpoint/imatrix.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/gguf_write.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/utf8.h"

enum { MAX_IMATRIX_NAME = 1023, MIN_ENTRY_BYTES = 4 + 1 + 4 + 4 + 4 };

typedef struct renumbering {
    const char *path;
    const int *to;
    int layers;
    sg_error *err;
} renumbering;

/* The new name for a tensor's; empty: it is gone. Names of no layer stay. */
static int rename_tensor(const renumbering *r, const char *name, char out[MAX_IMATRIX_NAME + 32])
{
    static const char prefix[] = "blk.";
    size_t at = strlen(prefix), digits = strncmp(name, prefix, at) == 0 ? strspn(name + at, "0123456789") : 0;
    long layer = 0;
    out[0] = 0;
    if (!digits || name[at + digits] != '.') {
        snprintf(out, MAX_IMATRIX_NAME + 32, "%s", name);
        return SG_OK;
    }
    for (size_t i = 0; i < digits && layer < r->layers; i++)
        layer = 10 * layer + (name[at + i] - '0');
    if (layer >= r->layers)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: \"%.200s\" is of another model: MODEL has %d layers", r->path, name,
                       r->layers);
    if (r->to[layer] >= 0)
        snprintf(out, MAX_IMATRIX_NAME + 32, "%s%d%s", prefix, r->to[layer], name + at + digits);
    return SG_OK;
}

static int nothing_left(const renumbering *r)
{
    return sg_fail(r->err, SG_ERR_REFUSED, "%s: knows only layers that go; nothing of it would be left", r->path);
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

/* imatrix.n_layer_nextn: how many of the last layers predict further tokens */
static int put_record(const renumbering *r, const sg_gguf_kv *kv, sg_gguf_draft *to)
{
    int64_t last, left = 0;
    if (strcmp(kv->key, "imatrix.n_layer_nextn") != 0) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    if (kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &last) || last < 0 || last > r->layers)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: %s is no number of layers, expected at most %d", r->path, kv->key,
                       r->layers);
    for (int i = r->layers - (int)last; i < r->layers; i++)
        left += r->to[i] >= 0;
    return sg_gguf_put_like(to, kv, (uint64_t)left, r->err);
}

static int check_type(const renumbering *r, const sg_gguf *g)
{
    static const char type[] = "imatrix";
    sg_str s;
    const sg_gguf_kv *kv = sg_gguf_find(g, "general.type");
    if (kv && sg_gguf_get_str(kv, &s) && s.bytes == strlen(type) && memcmp(s.data, type, s.bytes) == 0)
        return SG_OK;
    return sg_fail(r->err, SG_ERR_FORMAT, "%s: its general.type is not \"imatrix\": it is no importance matrix",
                   r->path);
}

static int renumber_gguf(const renumbering *r, const sg_map *map, sg_strbuf *out)
{
    char name[MAX_IMATRIX_NAME + 32];
    sg_gguf g;
    int rc = sg_gguf_parse(&g, map->data, map->bytes, r->path, r->err);
    if (rc < 0)
        return rc;
    sg_gguf_draft to = {.version = g.version, .alignment = g.alignment};
    bool *stays = sg_alloc_zero(g.n_tensors, sizeof *stays);
    rc = stays ? check_type(r, &g) : sg_fail(r->err, SG_ERR_NOMEM, "%s: no memory for it", r->path);
    for (size_t i = 0; rc == SG_OK && i < g.n_kvs; i++)
        rc = put_record(r, &g.kvs[i], &to);
    for (size_t i = 0; rc == SG_OK && i < g.n_tensors; i++) {
        if (strlen(g.tensors[i].name) > MAX_IMATRIX_NAME)
            rc = sg_fail(r->err, SG_ERR_FORMAT, "%s: tensor %zu has a name longer than %d", r->path, i,
                         MAX_IMATRIX_NAME);
        else if ((rc = rename_tensor(r, g.tensors[i].name, name)) == SG_OK && (stays[i] = *name != 0))
            sg_gguf_put_tensor(&to, name, &g.tensors[i]);
    }
    if (rc == SG_OK && !to.n_tensors)
        rc = nothing_left(r);
    if (rc == SG_OK)
        rc = sg_gguf_draft_header(&to, out, r->err);
    for (size_t i = 0; rc == SG_OK && i < g.n_tensors; i++) {
        const sg_tensor *t = &g.tensors[i];
        if (!stays[i])
            continue;
        sg_strbuf_add(out, (const char *)map->data + t->offset, t->bytes);
        for (uint64_t pad = -t->bytes & (g.alignment - 1); pad; pad--)
            sg_strbuf_add(out, "", 1);
    }
    sg_free(stays);
    sg_gguf_draft_dispose(&to);
    sg_gguf_dispose(&g);
    return rc;
}

/* ---- the older form ---------------------------------------------------------------------------------- */

typedef struct cursor {
    const renumbering *r;
    const uint8_t *data;
    uint64_t bytes, at;
} cursor;

/* The next n bytes; NULL: the file ends before, err is filled. */
static const uint8_t *take(cursor *c, uint64_t n, const char *what)
{
    const uint8_t *p = c->data + c->at;
    if (!sg_span_ok(c->at, n, c->bytes)) {
        sg_fail(c->r->err, SG_ERR_FORMAT, "%s: %s: %llu bytes are needed at byte %llu, but the file has only %llu",
                c->r->path, what, (unsigned long long)n, (unsigned long long)c->at, (unsigned long long)c->bytes);
        return NULL;
    }
    c->at += n;
    return p;
}

static int take_count(cursor *c, const char *what, int32_t min, int32_t max, int32_t *out)
{
    const uint8_t *p = take(c, sizeof *out, what);
    if (!p)
        return SG_ERR_FORMAT;
    memcpy(out, p, sizeof *out);
    if (*out >= min && *out <= max)
        return SG_OK;
    return sg_fail(c->r->err, SG_ERR_FORMAT, "%s: %s is %d, expected %d to %d; is it an importance matrix?", c->r->path,
                   what, *out, min, max);
}

static void put_i32(sg_strbuf *out, int32_t value)
{
    sg_strbuf_add(out, (const char *)&value, sizeof value);
}

/* One entry; *kept counts those that stay. */
static int renumber_entry(cursor *c, sg_strbuf *out, int32_t *kept)
{
    char old[MAX_IMATRIX_NAME + 1], name[MAX_IMATRIX_NAME + 32];
    int32_t bytes = 0, values = 0;
    int rc = take_count(c, "an entry's length of name", 1, MAX_IMATRIX_NAME, &bytes);
    const uint8_t *text = rc == SG_OK ? take(c, (uint64_t)bytes, "an entry's name") : NULL, *calls, *data;
    if (!text)
        return SG_ERR_FORMAT;
    if (memchr(text, 0, (size_t)bytes) || !sg_utf8_valid((const char *)text, (size_t)bytes, NULL))
        return sg_fail(c->r->err, SG_ERR_FORMAT, "%s: an entry's name is no text; is it an importance matrix?",
                       c->r->path);
    memcpy(old, text, (size_t)bytes);
    old[bytes] = 0;
    if (!(calls = take(c, sizeof(int32_t), "an entry's number of calls")) ||
        take_count(c, "an entry's number of values", 1, INT32_MAX, &values) ||
        !(data = take(c, (uint64_t)values * sizeof(float), "an entry's values")))
        return SG_ERR_FORMAT;
    if ((rc = rename_tensor(c->r, old, name)) < 0 || !*name)
        return rc;
    put_i32(out, (int32_t)strlen(name));
    sg_strbuf_puts(out, name);
    sg_strbuf_add(out, (const char *)calls, sizeof(int32_t));
    put_i32(out, values);
    sg_strbuf_add(out, (const char *)data, (size_t)values * sizeof(float));
    ++*kept;
    return SG_OK;
}

/* What follows the entries: nothing, a number of chunks, or that and a text's name. */
static int copy_rest(cursor *c, sg_strbuf *out)
{
    uint64_t start = c->at;
    int32_t bytes = 0;
    if (c->at == c->bytes)
        return SG_OK;
    if (!take(c, sizeof(int32_t), "the number of chunks"))
        return SG_ERR_FORMAT;
    if (c->at < c->bytes && (take_count(c, "the length of the text's name", 0, INT32_MAX, &bytes) ||
                             !take(c, (uint64_t)bytes, "the text's name")))
        return SG_ERR_FORMAT;
    if (c->at != c->bytes)
        return sg_fail(c->r->err, SG_ERR_FORMAT, "%s: %llu bytes follow its end at byte %llu", c->r->path,
                       (unsigned long long)(c->bytes - c->at), (unsigned long long)c->at);
    sg_strbuf_add(out, (const char *)c->data + start, c->bytes - start);
    return SG_OK;
}

static int renumber_legacy(const renumbering *r, const sg_map *map, sg_strbuf *out)
{
    cursor c = {.r = r, .data = map->data, .bytes = map->bytes};
    uint64_t most = map->bytes / MIN_ENTRY_BYTES;
    int32_t n = 0, kept = 0;
    int rc = take_count(&c, "the number of entries", 1, most < INT32_MAX ? (int32_t)most : INT32_MAX, &n);
    size_t count_at = out->n;
    put_i32(out, 0);
    for (int32_t i = 0; rc == SG_OK && i < n; i++)
        rc = renumber_entry(&c, out, &kept);
    if (rc == SG_OK && !kept)
        rc = nothing_left(r);
    if (rc == SG_OK && (rc = copy_rest(&c, out)) == SG_OK && !out->failed)
        memcpy(out->data + count_at, &kept, sizeof kept);
    return rc;
}

int sg_imatrix_renumber(sg_strbuf *out, bool *gguf, const char *path, const int *to, int layers, sg_error *err)
{
    const renumbering r = {path, to, layers, err};
    sg_map map = {0};
    int rc = sg_map_open(&map, path, err);
    if (rc < 0)
        return rc;
    *gguf = map.bytes >= 4 && memcmp(map.data, "GGUF", 4) == 0;
    rc = *gguf ? renumber_gguf(&r, &map, out) : renumber_legacy(&r, &map, out);
    sg_map_close(&map);
    return rc == SG_OK && out->failed ? sg_fail(err, SG_ERR_NOMEM, "%s: no memory for it", path) : rc;
}
