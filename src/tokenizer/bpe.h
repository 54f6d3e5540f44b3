/* Byte-pair encoding: a word's symbols are merged, two neighbours at a time, always the pair of lowest rank (the
 * leftmost of equals), until no pair of neighbours has a rank. */
#ifndef SG_TOKENIZER_BPE_H
#define SG_TOKENIZER_BPE_H

#include "tokenizer/ids.h"
#include "tokenizer/vocab.h"

typedef struct sg_merge {
    int32_t left, right; /* ids; left -1: an empty slot */
    int32_t result;
    uint32_t rank;
} sg_merge;

/* What becomes of a byte whose character the vocabulary lacks (SmolLM2 lacks 21). */
typedef enum sg_missing {
    SG_MISSING_JOIN,  /* dropped; its neighbours meet and may merge (HF without unk_token) */
    SG_MISSING_BREAK, /* dropped; its neighbours do not merge (llama.cpp) */
    SG_MISSING_UNK,   /* becomes `unk` */
} sg_missing;

typedef struct sg_bpe {
    sg_merge *merges; /* hash with linear probing by (left, right), at most half full */
    size_t n_slots, n_merges;
    int32_t byte_ids[256]; /* the id of each byte's character, -1: missing */
    sg_missing missing;
    int32_t unk;
    bool fuse_unk;      /* neighbouring missing bytes become one unk */
    bool ignore_merges; /* a word that is in the vocabulary is that entry, however it merges */
} sg_bpe;

/* Looks the byte-level alphabet up. *complete: no byte is missing. */
void sg_bpe_find_bytes(sg_bpe *bpe, const sg_vocab *vocab, bool *complete);
/* Room for n merges; then sg_bpe_add in order of rank. A pair that comes again keeps its first rank, or takes the new
 * one. */
int sg_bpe_reserve(sg_bpe *bpe, size_t n, sg_error *err);
/* The merge of two spellings. SG_ERR_FORMAT naming what and rank when one of them, or both joined, is not in the
 * vocabulary. */
int sg_bpe_add(sg_bpe *bpe, const sg_vocab *vocab, size_t rank, const char *left, size_t left_bytes, const char *right,
               size_t right_bytes, bool last_wins, const char *what, sg_error *err);
void sg_bpe_dispose(sg_bpe *bpe);

/* One thread's memory: symbols, queue, and the words met so far. */
typedef struct sg_bpe_scratch sg_bpe_scratch;
int sg_bpe_scratch_create(sg_bpe_scratch **out, sg_error *err);
void sg_bpe_scratch_free(sg_bpe_scratch *scratch);

/* Appends the ids of a word (raw bytes, n > 0). O(n log n). */
int sg_bpe_encode(const sg_bpe *bpe, const sg_vocab *vocab, sg_bpe_scratch *scratch, const char *word, size_t n,
                  sg_ids *ids, sg_error *err);

#endif
