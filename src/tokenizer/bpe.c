/* The merges, by id: made while a model is loaded, read while a text is encoded (bpe_encode.c). */
#include "tokenizer/bpe.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer/bytelevel.h"

/* The id of a spelling that merging can produce, or -1. */
static int32_t part(const sg_vocab *vocab, const char *spelling, size_t bytes)
{
    int32_t id = sg_vocab_find(vocab, spelling, bytes);
    return id >= 0 && vocab->entries[id].mergeable ? id : -1;
}

void sg_bpe_find_bytes(sg_bpe *bpe, const sg_vocab *vocab, bool *complete)
{
    bool all = true;
    for (int byte = 0; byte < 256; byte++) {
        char spelling[8];
        size_t bytes = bpe->characters ? (size_t)snprintf(spelling, sizeof spelling, "<0x%02X>", (unsigned)byte)
                                       : sg_bytelevel_char((uint8_t)byte, spelling);
        bpe->byte_ids[byte] = part(vocab, spelling, bytes);
        all = all && bpe->byte_ids[byte] >= 0;
    }
    if (complete)
        *complete = all;
}

/* May a character be dropped, so that its neighbours meet? */
static bool drops(const sg_bpe *bpe)
{
    bool complete = bpe->byte_fallback;
    for (int byte = 0; byte < 256; byte++)
        complete = complete && bpe->byte_ids[byte] >= 0;
    return bpe->missing == SG_MISSING_JOIN && !complete;
}

/* *merges: some token that stands for other text than its spelling merges. */
static int merges_stand_ins(const sg_bpe *bpe, const sg_vocab *vocab, bool *merges, sg_error *err)
{
    uint8_t *stands_in = sg_alloc_zero(vocab->n, 1);
    *merges = false;
    if (!stands_in)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu tokens", vocab->n);
    for (int byte = 0; byte < 256; byte++)
        if (bpe->byte_ids[byte] >= 0)
            stands_in[bpe->byte_ids[byte]] = 1;
    if (bpe->missing == SG_MISSING_UNK)
        stands_in[bpe->unk] = 1;
    for (size_t i = 0; i < bpe->n_slots; i++)
        if (bpe->merges[i].left >= 0)
            *merges |= stands_in[bpe->merges[i].left] || stands_in[bpe->merges[i].right];
    sg_free(stands_in);
    return SG_OK;
}

int sg_bpe_find_cuts(sg_bpe *bpe, const sg_vocab *vocab, sg_error *err)
{
    static const char blank[] = "\xe2\x96\x81"; /* U+2581 */
    bool merges;
    if (!bpe->characters || bpe->ignore_merges || part(vocab, blank, 3) < 0 || drops(bpe))
        return SG_OK;
    int rc = merges_stand_ins(bpe, vocab, &merges, err);
    for (size_t i = 0; i < vocab->n && rc == SG_OK; i++) {
        const sg_vocab_entry *e = &vocab->entries[i];
        const char *text = vocab->text + e->offset, *at = text;
        size_t left = e->bytes;
        while (left && (at = memmem(at, left, blank, 3))) {
            if (at > text)
                bpe->joins[(uint8_t)at[-1]] = true;
            at += 3;
            left = e->bytes - (size_t)(at - text);
        }
    }
    bpe->cuts = rc == SG_OK && !merges;
    return rc;
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

sg_merge *sg_bpe_find(const sg_bpe *bpe, int32_t left, int32_t right)
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
    sg_merge *m = sg_bpe_find(bpe, a, b);
    if (m->left < 0 || last_wins)
        *m = (sg_merge){.left = a, .right = b, .result = ab, .rank = (uint32_t)rank};
    return SG_OK;
}

/* A float's bits in an order that grows where the score falls: equal scores have equal ranks. */
static uint32_t rank_of(float score)
{
    uint32_t bits;
    score += 0.0f; /* -0 is 0 */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? bits : ~bits & 0x7fffffffu;
}

int sg_bpe_rank_by_score(sg_bpe *bpe, const sg_vocab *vocab, const float *scores, sg_error *err)
{
    bpe->ranks = sg_alloc(vocab->n, sizeof *bpe->ranks);
    if (!bpe->ranks)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu scores", vocab->n);
    for (size_t i = 0; i < vocab->n; i++)
        bpe->ranks[i] = rank_of(scores[i]);
    return SG_OK;
}

void sg_bpe_dispose(sg_bpe *bpe)
{
    sg_free(bpe->merges);
    sg_free(bpe->ranks);
    *bpe = (sg_bpe){0};
}
