/* See unigram.h. */
#include "tokenizer/unigram.h"

#include <stdio.h>

#include "core/utf8.h"

void sg_unigram_find_bytes(sg_unigram *u, const sg_vocab *vocab)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char spelling[8];
        u->byte_ids[byte] =
            sg_vocab_find(vocab, spelling, (size_t)snprintf(spelling, sizeof spelling, "<0x%02X>", byte));
    }
}

void sg_unigram_dispose(sg_unigram *u)
{
    sg_trie_dispose(&u->trie);
    sg_free(u->scores);
    *u = (sg_unigram){0};
}

void sg_unigram_scratch_dispose(sg_unigram_scratch *scratch)
{
    sg_free(scratch->nodes);
    *scratch = (sg_unigram_scratch){0};
}

/* ---- a word -------------------------------------------------------------------------------------------- */

#define NOWHERE SIZE_MAX

struct sg_unigram_node { /* the best way to write the word up to one byte */
    double score;
    size_t from; /* where its last token begins; NOWHERE: no way ends here */
    int32_t id;
};

static bool wins(const struct sg_unigram_node *node, double score)
{
    return node->from == NOWHERE || score > node->score;
}

/* Bytes of the character at `at`. A text that llama.cpp's normalizing has broken may end in one, or go on inside one.
 */
static size_t length_at(const char *word, size_t n, size_t at)
{
    size_t length = ((unsigned char)word[at] & 0xc0) == 0x80 ? 1 : sg_utf8_length(word[at]);
    return length < n - at ? length : n - at;
}

/* Every token that begins at `at`, then, where none is one character long, the unknown. */
static int step(const sg_unigram *u, struct sg_unigram_node *nodes, const char *word, size_t n, size_t at,
                sg_error *err)
{
    size_t length = length_at(word, n, at);
    double score = nodes[at].score;
    bool single = false;
    uint32_t node = 0;
    for (size_t i = at; i < n && (node = sg_trie_step(&u->trie, node, word[i])); i++) {
        int32_t id = u->trie.ids[node];
        if (id < 0)
            continue;
        if (wins(&nodes[i + 1], score + u->scores[id]))
            nodes[i + 1] = (struct sg_unigram_node){score + u->scores[id], at, id};
        single |= i + 1 == at + length;
    }
    if (single || !wins(&nodes[at + length], score + u->unk_score))
        return SG_OK;
    if (u->unk < 0)
        return sg_fail(err, SG_ERR_FORMAT,
                       "the text has \"%.*s\", which the vocabulary lacks, and the tokenizer has no unknown token",
                       (int)length, word + at);
    nodes[at + length] = (struct sg_unigram_node){score + u->unk_score, at, u->unk};
    return SG_OK;
}

/* A run of unknown characters is one token. */
static int emit_unknown(const sg_unigram *u, const sg_vocab *vocab, const char *text, size_t n, sg_ids *ids,
                        sg_error *err)
{
    int32_t id = u->spelled_unk ? sg_vocab_find(vocab, text, n) : -1;
    if (id >= 0 && vocab->entries[id].mergeable)
        return sg_ids_push(ids, id, err);
    size_t known = 0;
    int rc = SG_OK;
    while (u->byte_fallback && known < n && u->byte_ids[(uint8_t)text[known]] >= 0)
        known++;
    if (known < n)
        return sg_ids_push(ids, u->unk, err);
    for (size_t i = 0; i < n && rc == SG_OK; i++)
        rc = sg_ids_push(ids, u->byte_ids[(uint8_t)text[i]], err);
    return rc;
}

int sg_unigram_encode(const sg_unigram *u, const sg_vocab *vocab, sg_unigram_scratch *scratch, const char *word,
                      size_t n, sg_ids *ids, sg_error *err)
{
    int rc = SG_OK;
    if (n >= scratch->room) {
        sg_free(scratch->nodes);
        scratch->room = 0;
        scratch->nodes = n < SIZE_MAX / 4 ? sg_alloc(n + n / 2 + 64, sizeof *scratch->nodes) : NULL;
        if (!scratch->nodes)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for a word of %zu bytes", n);
        scratch->room = n + n / 2 + 64;
    }
    struct sg_unigram_node *nodes = scratch->nodes;
    for (size_t i = 0; i <= n; i++)
        nodes[i] = (struct sg_unigram_node){.from = NOWHERE};
    nodes[0].score = 0;
    for (size_t at = 0; at < n && rc == SG_OK; at += length_at(word, n, at))
        rc = step(u, nodes, word, n, at, err);
    if (rc < 0)
        return rc;

    /* the best way is known from its end: turn its links round, so that `from` says where the next token ends */
    for (size_t at = n, from = nodes[n].from; at;) {
        size_t before = nodes[from].from;
        nodes[from].from = at;
        at = from;
        from = before;
    }
    for (size_t at = 0, end; at < n && rc == SG_OK; at = end) {
        end = nodes[at].from;
        bool unknown = nodes[end].id == u->unk;
        while (unknown && end < n && nodes[nodes[end].from].id == u->unk)
            end = nodes[end].from;
        rc = unknown ? emit_unknown(u, vocab, word + at, end - at, ids, err) : sg_ids_push(ids, nodes[end].id, err);
    }
    return rc;
}
