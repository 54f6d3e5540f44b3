/* Merging works on ids alone: the pair of ids is looked up in one hash, and candidates wait in a heap ordered by rank,
 * then position. A candidate is stale when its two symbols are no longer what they were when it was made; it is
 * skipped. */
#include "tokenizer/bpe.h"

#include <string.h>
#include <xxhash.h>

#include "tokenizer/bytelevel.h"

#define NONE UINT32_MAX
#define MAX_WORD (1u << 30) /* bytes: positions and three candidates per symbol stay below 2^32 */

/* ---- the merges ---------------------------------------------------------------------------------------- */

void sg_bpe_find_bytes(sg_bpe *bpe, const sg_vocab *vocab, bool *complete)
{
    *complete = true;
    for (int byte = 0; byte < 256; byte++) {
        char spelling[2];
        int32_t id = sg_vocab_find(vocab, spelling, sg_bytelevel_char((uint8_t)byte, spelling));
        bpe->byte_ids[byte] = id >= 0 && vocab->entries[id].mergeable ? id : -1;
        *complete = *complete && bpe->byte_ids[byte] >= 0;
    }
}

int sg_bpe_reserve(sg_bpe *bpe, size_t n, sg_error *err)
{
    size_t slots = 16;
    while (slots < SIZE_MAX / 2 && slots / 2 < n)
        slots *= 2;
    bpe->merges = sg_alloc(slots, sizeof *bpe->merges);
    if (!bpe->merges)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu merges", n);
    memset(bpe->merges, 0xff, slots * sizeof *bpe->merges); /* left -1 */
    bpe->n_slots = slots;
    return SG_OK;
}

/* The pair's slot, or the empty one where it belongs. */
static sg_merge *find(const sg_bpe *bpe, int32_t left, int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t mask = bpe->n_slots - 1, slot = (size_t)((pair * 0x9e3779b97f4a7c15u) >> 20) & mask;
    sg_merge *m = &bpe->merges[slot];
    while (m->left >= 0 && (m->left != left || m->right != right)) {
        slot = (slot + 1) & mask;
        m = &bpe->merges[slot];
    }
    return m;
}

/* The id of a spelling that merging can produce, or -1. */
static int32_t part(const sg_vocab *vocab, const char *spelling, size_t bytes)
{
    int32_t id = sg_vocab_find(vocab, spelling, bytes);
    return id >= 0 && vocab->entries[id].mergeable ? id : -1;
}

int sg_bpe_add(sg_bpe *bpe, const sg_vocab *vocab, size_t rank, const char *left, size_t left_bytes, const char *right,
               size_t right_bytes, bool last_wins, const char *what, sg_error *err)
{
    char stack[512], *joined = stack;
    size_t n = left_bytes + right_bytes;
    int32_t a = part(vocab, left, left_bytes), b = part(vocab, right, right_bytes), ab = -1;
    if (a >= 0 && b >= 0 && n <= vocab->longest) {
        if (n > sizeof stack && !(joined = sg_alloc(n, 1)))
            return sg_fail(err, SG_ERR_NOMEM, "%s: no memory", what);
        memcpy(joined, left, left_bytes);
        memcpy(joined + left_bytes, right, right_bytes);
        ab = part(vocab, joined, n);
        if (joined != stack)
            sg_free(joined);
    }
    const char *absent = b < 0 ? "the second part" : "the result";
    if (a < 0)
        absent = "the first part";
    if (ab < 0)
        return sg_fail(err, SG_ERR_FORMAT, "%s[%zu]: \"%.*s %.*s\": %s is not in the vocabulary", what, rank,
                       (int)(left_bytes < 60 ? left_bytes : 60), left, (int)(right_bytes < 60 ? right_bytes : 60),
                       right, absent);
    if (rank >= UINT32_MAX)
        return sg_fail(err, SG_ERR_FORMAT, "%s: more than 2^32 merges", what);
    sg_merge *m = find(bpe, a, b);
    if (m->left < 0 || last_wins)
        *m = (sg_merge){.left = a, .right = b, .result = ab, .rank = (uint32_t)rank};
    return SG_OK;
}

void sg_bpe_dispose(sg_bpe *bpe)
{
    sg_free(bpe->merges);
    *bpe = (sg_bpe){0};
}

/* ---- one thread's memory ------------------------------------------------------------------------------- */

typedef struct symbol {
    int32_t id;          /* -1: stands between, and never merges */
    uint32_t prev, next; /* NONE at the ends; a symbol merged into its left neighbour has next == itself */
} symbol;

typedef struct candidate {
    uint64_t order; /* rank << 32 | position of the left symbol */
    int32_t left, right, result;
} candidate;

#define CACHE_SLOTS 8192 /* times 64 bytes: half a megabyte */

typedef struct cached { /* one word and its ids; a later word of the same slot takes its place */
    uint8_t bytes, n_ids;
    char word[22];
    int32_t ids[10];
} cached;

struct sg_bpe_scratch {
    symbol *symbols;
    candidate *heap;
    char *spelling; /* the word in the byte-level alphabet */
    size_t symbol_room, heap_room, spelling_room;
    size_t n_heap;
    cached *cache; /* [CACHE_SLOTS] */
};

int sg_bpe_scratch_create(sg_bpe_scratch **out, sg_error *err)
{
    sg_bpe_scratch *s = sg_alloc_zero(1, sizeof *s);
    if (s)
        s->cache = sg_alloc_zero(CACHE_SLOTS, sizeof *s->cache);
    if (!s || !s->cache) {
        sg_bpe_scratch_free(s);
        return sg_fail(err, SG_ERR_NOMEM, "no memory to tokenize");
    }
    *out = s;
    return SG_OK;
}

void sg_bpe_scratch_free(sg_bpe_scratch *s)
{
    if (!s)
        return;
    sg_free(s->symbols);
    sg_free(s->heap);
    sg_free(s->spelling);
    sg_free(s->cache);
    sg_free(s);
}

/* Room for n elements, contents lost when it grows. */
static int room_for(void **data, size_t *room, size_t n, size_t size, sg_error *err)
{
    if (n <= *room)
        return SG_OK;
    sg_free(*data);
    *room = 0;
    *data = sg_alloc(n + n / 2, size);
    if (!*data)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a word of %zu bytes", n);
    *room = n + n / 2;
    return SG_OK;
}

/* ---- the queue ----------------------------------------------------------------------------------------- */

static void push(sg_bpe_scratch *s, candidate c)
{
    size_t i = s->n_heap++;
    for (; i && s->heap[(i - 1) / 2].order > c.order; i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = c;
}

static candidate pop(sg_bpe_scratch *s)
{
    candidate top = s->heap[0], last = s->heap[--s->n_heap];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < s->n_heap) {
        if (child + 1 < s->n_heap && s->heap[child + 1].order < s->heap[child].order)
            child++;
        if (last.order <= s->heap[child].order)
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return top;
}

/* Queues the pair that begins with this symbol, when it has a rank. */
static void consider(const sg_bpe *bpe, sg_bpe_scratch *s, uint32_t at)
{
    const symbol *left = &s->symbols[at];
    if (left->next == NONE || left->id < 0 || s->symbols[left->next].id < 0)
        return;
    int32_t right = s->symbols[left->next].id;
    const sg_merge *m = find(bpe, left->id, right);
    if (m->left >= 0)
        push(s, (candidate){(uint64_t)m->rank << 32 | at, left->id, right, m->result});
}

/* ---- a word -------------------------------------------------------------------------------------------- */

/* One symbol per byte, chained. Returns how many; 0: every byte is missing and dropped. */
static uint32_t symbols_of(const sg_bpe *bpe, symbol *symbols, const char *word, size_t n)
{
    uint32_t count = 0;
    bool after_unk = false;
    for (size_t i = 0; i < n; i++) {
        int32_t id = bpe->byte_ids[(uint8_t)word[i]];
        bool unk = id < 0 && bpe->missing == SG_MISSING_UNK;
        if (id < 0 && (bpe->missing == SG_MISSING_JOIN || (unk && bpe->fuse_unk && after_unk)))
            continue;
        symbols[count] = (symbol){.id = unk ? bpe->unk : id, .prev = count - 1, .next = count + 1}; /* 0 - 1 is NONE */
        after_unk = unk;
        count++;
    }
    if (count)
        symbols[count - 1].next = NONE;
    return count;
}

static void merge_all(const sg_bpe *bpe, sg_bpe_scratch *s, uint32_t count)
{
    s->n_heap = 0;
    for (uint32_t i = 0; i < count; i++)
        consider(bpe, s, i);
    while (s->n_heap) {
        candidate c = pop(s);
        uint32_t at = (uint32_t)c.order;
        symbol *left = &s->symbols[at];
        if (left->next == at || left->next == NONE || left->id != c.left || s->symbols[left->next].id != c.right)
            continue;
        uint32_t gone = left->next, next = s->symbols[gone].next;
        left->id = c.result;
        left->next = next;
        s->symbols[gone].next = gone;
        if (next != NONE)
            s->symbols[next].prev = at;
        if (left->prev != NONE)
            consider(bpe, s, left->prev);
        consider(bpe, s, at);
    }
}

static int merge_word(const sg_bpe *bpe, sg_bpe_scratch *s, const char *word, size_t n, sg_ids *ids, sg_error *err)
{
    int rc;
    if (n > MAX_WORD)
        return sg_fail(err, SG_ERR_FORMAT, "the text has a word of %zu bytes, supported are %u", n, MAX_WORD);
    /* n - 1 candidates to begin with, and two for each of at most n - 1 merges */
    if ((rc = room_for((void **)&s->symbols, &s->symbol_room, n, sizeof *s->symbols, err)) < 0 ||
        (rc = room_for((void **)&s->heap, &s->heap_room, 3 * n, sizeof *s->heap, err)) < 0)
        return rc;
    uint32_t count = symbols_of(bpe, s->symbols, word, n);
    if (!count)
        return SG_OK;
    merge_all(bpe, s, count);
    for (uint32_t i = 0; i != NONE && rc == SG_OK; i = s->symbols[i].next)
        if (s->symbols[i].id >= 0)
            rc = sg_ids_push(ids, s->symbols[i].id, err);
    return rc;
}

/* ignore_merges: *id is the entry that the whole word is, else -1. */
static int whole_word(const sg_vocab *vocab, sg_bpe_scratch *s, const char *word, size_t n, int32_t *id, sg_error *err)
{
    *id = -1;
    if (n > vocab->longest)
        return SG_OK;
    int rc = room_for((void **)&s->spelling, &s->spelling_room, 2 * n, 1, err);
    if (rc < 0)
        return rc;
    *id = part(vocab, s->spelling, sg_bytelevel_spell(word, n, s->spelling));
    return SG_OK;
}

int sg_bpe_encode(const sg_bpe *bpe, const sg_vocab *vocab, sg_bpe_scratch *s, const char *word, size_t n, sg_ids *ids,
                  sg_error *err)
{
    cached *c = n <= sizeof c->word ? &s->cache[XXH3_64bits(word, n) % CACHE_SLOTS] : NULL;
    size_t before = ids->n;
    int32_t id = -1;
    int rc = SG_OK;
    if (c && c->bytes == n && !memcmp(c->word, word, n)) {
        for (uint8_t i = 0; i < c->n_ids && rc == SG_OK; i++)
            rc = sg_ids_push(ids, c->ids[i], err);
        return rc;
    }
    if (bpe->ignore_merges && (rc = whole_word(vocab, s, word, n, &id, err)) < 0)
        return rc;
    rc = id >= 0 ? sg_ids_push(ids, id, err) : merge_word(bpe, s, word, n, ids, err);
    if (rc == SG_OK && c && ids->n - before <= SG_ARRAY_LEN(c->ids)) {
        c->bytes = (uint8_t)n;
        c->n_ids = (uint8_t)(ids->n - before);
        memcpy(c->word, word, n);
        if (c->n_ids) /* ids->data may be NULL then */
            memcpy(c->ids, ids->data + before, c->n_ids * sizeof *c->ids);
    }
    return rc;
}
