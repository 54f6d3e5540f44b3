/* Merging: candidates wait in a heap ordered by rank, then position. A candidate is stale when its two symbols no
 * longer end where they ended when it was made; it is skipped. */
#include <string.h>
#include <xxhash.h>

#include "core/utf8.h"
#include "tokenizer/bpe.h"
#include "tokenizer/bytelevel.h"

#define NONE UINT32_MAX
#define MAX_WORD (1u << 30) /* bytes: positions and three candidates per symbol stay below 2^32 */

/* ---- one thread's memory ------------------------------------------------------------------------------- */

typedef struct symbol {
    int32_t id;          /* -1: has none. It never merges, or, where symbols merge by their text, it may */
    uint32_t prev, next; /* NONE at the ends; a symbol merged into its left neighbour has next == itself */
    uint32_t start, end; /* in the word */
} symbol;

typedef struct candidate {
    uint64_t order;    /* rank << 32 | position of the left symbol */
    uint32_t mid, end; /* where its two symbols end */
    int32_t result;
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

typedef struct job { /* one word */
    const sg_bpe *bpe;
    const sg_vocab *vocab;
    sg_bpe_scratch *s;
    const char *word;
    size_t n;
} job;

/* Queues the pair that begins with this symbol, when it has a rank. */
static void consider(const job *j, uint32_t at)
{
    const symbol *left = &j->s->symbols[at];
    if (left->next == NONE)
        return;
    const symbol *right = &j->s->symbols[left->next];
    candidate c = {.mid = left->end, .end = right->end, .result = -1};
    if (j->bpe->ranks) {
        c.result = sg_vocab_find(j->vocab, j->word + left->start, right->end - left->start);
        if (c.result >= 0)
            c.order = (uint64_t)j->bpe->ranks[c.result] << 32 | at;
    } else if (left->id >= 0 && right->id >= 0) {
        const sg_merge *m = sg_bpe_find(j->bpe, left->id, right->id);
        c.result = m->left >= 0 ? m->result : -1;
        c.order = (uint64_t)m->rank << 32 | at;
    }
    if (c.result >= 0)
        push(j->s, c);
}

static void merge_all(const job *j, uint32_t count)
{
    sg_bpe_scratch *s = j->s;
    s->n_heap = 0;
    for (uint32_t i = 0; i < count; i++)
        consider(j, i);
    while (s->n_heap) {
        candidate c = pop(s);
        uint32_t at = (uint32_t)c.order;
        symbol *left = &s->symbols[at];
        if (left->next == at || left->next == NONE || left->end != c.mid || s->symbols[left->next].end != c.end)
            continue;
        uint32_t gone = left->next, next = s->symbols[gone].next;
        left->id = c.result;
        left->end = c.end;
        left->next = next;
        s->symbols[gone].next = gone;
        if (next != NONE)
            s->symbols[next].prev = at;
        if (left->prev != NONE)
            consider(j, left->prev);
        consider(j, at);
    }
}

/* ---- what a word begins as ----------------------------------------------------------------------------- */

/* 0 - 1 is NONE: the first has none before it. */
static void add_symbol(symbol *symbols, uint32_t *count, int32_t id, size_t start, size_t end)
{
    symbols[*count] =
        (symbol){.id = id, .prev = *count - 1, .next = *count + 1, .start = (uint32_t)start, .end = (uint32_t)end};
    ++*count;
}

static uint32_t bytes_of(const job *j)
{
    const sg_bpe *bpe = j->bpe;
    uint32_t count = 0;
    bool after_unk = false;
    for (size_t i = 0; i < j->n; i++) {
        int32_t id = bpe->byte_ids[(uint8_t)j->word[i]];
        bool unk = id < 0 && bpe->missing == SG_MISSING_UNK;
        if (id < 0 && (bpe->missing == SG_MISSING_JOIN || (unk && bpe->fuse_unk && after_unk)))
            continue;
        add_symbol(j->s->symbols, &count, unk ? bpe->unk : id, i, i + 1);
        after_unk = unk;
    }
    return count;
}

static bool has_all_bytes(const sg_bpe *bpe, const char *text, size_t n)
{
    while (n && bpe->byte_ids[(uint8_t)*text] >= 0) {
        text++;
        n--;
    }
    return !n;
}

/* HF's order where unk and bytes meet: an unk waits for the next character that the vocabulary has, and bytes pass it.
 */
static uint32_t characters_of(const job *j)
{
    const sg_bpe *bpe = j->bpe;
    symbol *symbols = j->s->symbols;
    uint32_t count = 0;
    size_t unk_start = 0, unk_end = 0; /* of the unk that waits; none when equal */
    for (size_t i = 0, end; i < j->n; i = end) {
        end = i + sg_utf8_length(j->word[i]);
        int32_t id = sg_vocab_find(j->vocab, j->word + i, end - i);
        bool known = id >= 0 && j->vocab->entries[id].mergeable;
        bool bytes = !known && bpe->byte_fallback && has_all_bytes(bpe, j->word + i, end - i);
        bool unk = !known && !bytes && bpe->missing == SG_MISSING_UNK;
        if (unk_start < unk_end && (known || (unk && !bpe->fuse_unk))) {
            add_symbol(symbols, &count, bpe->unk, unk_start, unk_end);
            unk_end = unk_start;
        }
        if (known || (!bytes && bpe->missing == SG_MISSING_BREAK))
            add_symbol(symbols, &count, known ? id : -1, i, end);
        for (size_t b = i; bytes && b < end; b++)
            add_symbol(symbols, &count, bpe->byte_ids[(uint8_t)j->word[b]], b, b + 1);
        if (unk) {
            unk_start = unk_start < unk_end ? unk_start : i;
            unk_end = end;
        }
    }
    if (unk_start < unk_end)
        add_symbol(symbols, &count, bpe->unk, unk_start, unk_end);
    return count;
}

/* ---- a word -------------------------------------------------------------------------------------------- */

/* A symbol without an id, after merging: as llama.cpp, its bytes' tokens, those that there are. */
static int emit_bytes(const job *j, const symbol *left, sg_ids *ids, sg_error *err)
{
    int rc = SG_OK;
    for (uint32_t b = left->start; b < left->end && rc == SG_OK; b++) {
        int32_t id = j->bpe->byte_ids[(uint8_t)j->word[b]];
        if (id < 0 && j->bpe->bytes_needed)
            id = sg_vocab_find(j->vocab, j->word + b, 1);
        if (id >= 0)
            rc = sg_ids_push(ids, id, err);
        else if (j->bpe->bytes_needed)
            rc = sg_fail(err, SG_ERR_FORMAT,
                         "the text has \"%.*s\", and the vocabulary has neither that character nor the token <0x%02X>",
                         (int)(left->end - left->start), j->word + left->start, (unsigned)(uint8_t)j->word[b]);
    }
    return rc;
}

static int merge_word(const job *j, sg_ids *ids, sg_error *err)
{
    sg_bpe_scratch *s = j->s;
    int rc;
    if (j->n > MAX_WORD)
        return sg_fail(err, SG_ERR_FORMAT, "the text has a word of %zu bytes, supported are %u", j->n, MAX_WORD);
    /* n - 1 candidates to begin with, and two for each of at most n - 1 merges */
    if ((rc = room_for((void **)&s->symbols, &s->symbol_room, j->n, sizeof *s->symbols, err)) < 0 ||
        (rc = room_for((void **)&s->heap, &s->heap_room, 3 * j->n, sizeof *s->heap, err)) < 0)
        return rc;
    uint32_t count = j->bpe->characters ? characters_of(j) : bytes_of(j);
    if (!count)
        return SG_OK;
    s->symbols[count - 1].next = NONE;
    merge_all(j, count);
    for (uint32_t i = 0; i != NONE && rc == SG_OK; i = s->symbols[i].next) {
        if (s->symbols[i].id >= 0)
            rc = sg_ids_push(ids, s->symbols[i].id, err);
        else if (j->bpe->bytes_at_end)
            rc = emit_bytes(j, &s->symbols[i], ids, err);
    }
    return rc;
}

static bool only_newlines(const char *word, size_t n)
{
    while (n && *word == '\n') {
        word++;
        n--;
    }
    return !n;
}

/* *id is the entry that the whole word is where merges are ignored, else -1. */
static int whole_word(const job *j, int32_t *id, sg_error *err)
{
    sg_bpe_scratch *s = j->s;
    const char *spelling = j->word;
    size_t bytes = j->n;
    *id = -1;
    if (j->n > j->vocab->longest ||
        (!j->bpe->ignore_merges && !(j->bpe->newlines_whole && only_newlines(j->word, j->n))))
        return SG_OK;
    if (!j->bpe->characters) {
        int rc = room_for((void **)&s->spelling, &s->spelling_room, 2 * j->n, 1, err);
        if (rc < 0)
            return rc;
        spelling = s->spelling;
        bytes = sg_bytelevel_spell(j->word, j->n, s->spelling);
    }
    *id = sg_vocab_find(j->vocab, spelling, bytes);
    if (*id >= 0 && !j->vocab->entries[*id].mergeable)
        *id = -1;
    return SG_OK;
}

static int encode_word(const job *j, sg_ids *ids, sg_error *err)
{
    cached *c = j->n <= sizeof c->word ? &j->s->cache[XXH3_64bits(j->word, j->n) % CACHE_SLOTS] : NULL;
    size_t before = ids->n;
    int32_t id = -1;
    int rc = SG_OK;
    if (c && c->bytes == j->n && !memcmp(c->word, j->word, j->n)) {
        for (uint8_t i = 0; i < c->n_ids && rc == SG_OK; i++)
            rc = sg_ids_push(ids, c->ids[i], err);
        return rc;
    }
    if ((rc = whole_word(j, &id, err)) < 0)
        return rc;
    rc = id >= 0 ? sg_ids_push(ids, id, err) : merge_word(j, ids, err);
    if (rc == SG_OK && c && ids->n - before <= SG_ARRAY_LEN(c->ids)) {
        c->bytes = (uint8_t)j->n;
        c->n_ids = (uint8_t)(ids->n - before);
        memcpy(c->word, j->word, j->n);
        if (c->n_ids) /* ids->data may be NULL then */
            memcpy(c->ids, ids->data + before, c->n_ids * sizeof *c->ids);
    }
    return rc;
}

/* Bytes of word up to the next place where it may be cut: before a U+2581 that no token joins to what is in front. */
static size_t next_cut(const sg_bpe *bpe, const char *word, size_t n)
{
    const char *at = word;
    while ((at = memmem(at + 1, n - (size_t)(at + 1 - word), "\xe2\x96\x81", 3)))
        if (!bpe->joins[(uint8_t)at[-1]])
            return (size_t)(at - word);
    return n;
}

int sg_bpe_encode(const sg_bpe *bpe, const sg_vocab *vocab, sg_bpe_scratch *s, const char *word, size_t n, sg_ids *ids,
                  sg_error *err)
{
    job j = {bpe, vocab, s, word, n};
    int rc = SG_OK;
    if (!bpe->cuts)
        return encode_word(&j, ids, err);
    for (size_t done = 0; done < n && rc == SG_OK; done += j.n) {
        j.word = word + done;
        j.n = next_cut(bpe, j.word, n - done);
        rc = encode_word(&j, ids, err);
    }
    return rc;
}
