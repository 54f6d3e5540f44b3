/* Spellings lie in one block; a hash with linear probing, at most half full, finds their ids. */
#include "tokenizer/vocab.h"

#include <limits.h>
#include <string.h>
#include <xxhash.h>

#include "core/mem.h"
#include "core/utf8.h"

#define SHOWN 60 /* bytes of an untrusted spelling that an error repeats */

static int shown(size_t bytes)
{
    return bytes < SHOWN ? (int)bytes : SHOWN;
}

static size_t slot_of(const sg_vocab *v, const char *spelling, size_t bytes)
{
    size_t mask = v->n_slots - 1, slot = (size_t)XXH3_64bits(spelling, bytes) & mask;
    for (; v->slots[slot]; slot = (slot + 1) & mask) {
        const sg_vocab_entry *e = &v->entries[v->slots[slot] - 1];
        if (e->bytes == bytes && !memcmp(v->text + e->offset, spelling, bytes))
            break;
    }
    return slot;
}

static int grow_slots(sg_vocab *v)
{
    size_t n_slots = v->n_slots ? v->n_slots * 2 : 1024;
    int32_t *slots = sg_alloc_zero(n_slots, sizeof *slots);
    if (!slots)
        return SG_ERR_NOMEM;
    sg_free(v->slots);
    v->slots = slots;
    v->n_slots = n_slots;
    for (size_t id = 0; id < v->n; id++) {
        const sg_vocab_entry *e = &v->entries[id];
        if (e->used)
            v->slots[slot_of(v, v->text + e->offset, e->bytes)] = (int32_t)id + 1;
    }
    return SG_OK;
}

/* Room for `need` elements, doubling. */
static int grow(void **data, size_t *room, size_t need, size_t size)
{
    if (need <= *room)
        return SG_OK;
    size_t more = *room * 2 > need ? *room * 2 : need + 1024;
    void *p = sg_resize(*data, more, size);
    if (!p)
        return SG_ERR_NOMEM;
    *data = p;
    *room = more;
    return SG_OK;
}

static int make_room(sg_vocab *v, size_t id, size_t bytes)
{
    if (grow((void **)&v->entries, &v->room, id + 1, sizeof *v->entries) < 0 ||
        grow((void **)&v->text, &v->text_room, v->text_bytes + bytes + 1, 1) < 0)
        return SG_ERR_NOMEM;
    if (id >= v->n) {
        memset(v->entries + v->n, 0, (id + 1 - v->n) * sizeof *v->entries);
        v->n = id + 1;
    }
    return (v->n_used + 1) * 2 > v->n_slots ? grow_slots(v) : SG_OK;
}

int sg_vocab_put(sg_vocab *v, int64_t id, const char *spelling, size_t bytes, bool mergeable, const char *what,
                 sg_error *err)
{
    if (id < 0 || id >= SG_MAX_VOCAB)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%.*s\" has id %lld, expected 0 to %d", what, shown(bytes), spelling,
                       (long long)id, SG_MAX_VOCAB - 1);
    if (bytes > INT_MAX || !sg_utf8_valid(spelling, bytes, NULL))
        return sg_fail(err, SG_ERR_FORMAT, "%s: the spelling of id %lld is not UTF-8", what, (long long)id);
    if (make_room(v, (size_t)id, bytes) < 0)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for %zu spellings", what, v->n_used + 1);

    sg_vocab_entry *e = &v->entries[id];
    if (e->used)
        return sg_fail(err, SG_ERR_FORMAT, "%s: id %lld is used twice, by \"%.*s\" and \"%.*s\"", what, (long long)id,
                       shown(e->bytes), v->text + e->offset, shown(bytes), spelling);
    size_t slot = slot_of(v, spelling, bytes);
    if (v->slots[slot])
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%.*s\" is spelled twice, by id %d and id %lld", what, shown(bytes),
                       spelling, v->slots[slot] - 1, (long long)id);
    *e = (sg_vocab_entry){.offset = v->text_bytes, .bytes = (uint32_t)bytes, .used = true, .mergeable = mergeable};
    if (bytes)
        memcpy(v->text + v->text_bytes, spelling, bytes);
    v->text_bytes += bytes;
    v->slots[slot] = (int32_t)id + 1;
    v->n_used++;
    if (bytes > v->longest)
        v->longest = bytes;
    return SG_OK;
}

int32_t sg_vocab_find(const sg_vocab *v, const char *spelling, size_t bytes)
{
    return v->n_slots && bytes <= v->longest ? v->slots[slot_of(v, spelling, bytes)] - 1 : -1;
}

const char *sg_vocab_spelling(const sg_vocab *v, int32_t id, size_t *bytes)
{
    if (id < 0 || (size_t)id >= v->n || !v->entries[id].used)
        return NULL;
    *bytes = v->entries[id].bytes;
    return v->text + v->entries[id].offset;
}

void sg_vocab_dispose(sg_vocab *v)
{
    sg_free(v->entries);
    sg_free(v->text);
    sg_free(v->slots);
    *v = (sg_vocab){0};
}
