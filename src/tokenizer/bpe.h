/* Byte-pair encoding: a word's symbols are merged, two neighbours at a time, always the pair of lowest rank (the
 * leftmost of equals), until no pair of neighbours has a rank. Byte-level models begin with the word's bytes; models of
 * SentencePiece kind begin with its characters, and know bytes only by tokens such as <0xE2>. */
#ifndef SG_TOKENIZER_BPE_H
#define SG_TOKENIZER_BPE_H

#include "tokenizer/ids.h"
#include "tokenizer/vocab.h"

typedef struct sg_merge {
    int32_t left, right; /* ids; left -1: an empty slot */
    int32_t result;
    uint32_t rank;
} sg_merge;

/* What becomes of a byte or character that the vocabulary lacks (SmolLM2 lacks 21 bytes). */
typedef enum sg_missing {
    SG_MISSING_JOIN,  /* dropped; its neighbours meet and may merge (HF without unk_token) */
    SG_MISSING_BREAK, /* dropped; its neighbours do not merge (llama.cpp) */
    SG_MISSING_UNK,   /* becomes `unk` */
} sg_missing;

typedef struct sg_bpe {
    sg_merge *merges; /* hash with linear probing by (left, right), at most half full */
    size_t n_slots, n_merges;
    uint32_t *ranks;       /* not NULL: no merges, but any two symbols whose text together is a token, ranked by id */
    bool characters;       /* a word begins as characters, else as bytes */
    int32_t byte_ids[256]; /* of each byte's character, or with characters of its token <0xXX>; -1: missing */
    sg_missing missing;
    bool byte_fallback; /* with characters: one that is missing becomes its bytes' tokens where all are there (HF) */
    bool bytes_at_end;  /* with characters: one that is missing becomes its bytes' tokens after merging (llama.cpp) */
    bool bytes_needed;  /* ... and it is an error when one of them is missing, too */
    int32_t unk;
    bool fuse_unk;       /* neighbouring missing bytes become one unk */
    bool ignore_merges;  /* a word that is in the vocabulary is that entry, however it merges */
    bool newlines_whole; /* ignore_merges for words of newlines only */
    bool cuts;           /* a word may be cut before U+2581 where the byte in front of it is not in `joins` */
    bool joins[256];     /* some token has this byte directly before a U+2581 */
} sg_bpe;

/* Looks the byte-level alphabet up, or the tokens <0x00> to <0xFF>. *complete (NULL ok): no byte is missing. */
void sg_bpe_find_bytes(sg_bpe *bpe, const sg_vocab *vocab, bool *complete);
/* Finds out where words of characters may be cut; when the vocabulary has all spellings. */
int sg_bpe_find_cuts(sg_bpe *bpe, const sg_vocab *vocab, sg_error *err);
/* Room for n merges; then sg_bpe_add in order of rank. A pair that comes again keeps its first rank, or takes the new
 * one. */
int sg_bpe_reserve(sg_bpe *bpe, size_t n, sg_error *err);
/* The merge of two spellings. SG_ERR_FORMAT naming what and rank when one of them, or both joined, is not in the
 * vocabulary. */
int sg_bpe_add(sg_bpe *bpe, const sg_vocab *vocab, size_t rank, const char *left, size_t left_bytes, const char *right,
               size_t right_bytes, bool last_wins, const char *what, sg_error *err);
/* The pair's slot, or the empty one where it belongs. */
sg_merge *sg_bpe_find(const sg_bpe *bpe, int32_t left, int32_t right);
/* Ranks by score, the highest first; scores: [vocab->n], none is NaN. */
int sg_bpe_rank_by_score(sg_bpe *bpe, const sg_vocab *vocab, const float *scores, sg_error *err);
void sg_bpe_dispose(sg_bpe *bpe);

/* One thread's memory: symbols, queue, and the words met so far. */
typedef struct sg_bpe_scratch sg_bpe_scratch;
int sg_bpe_scratch_create(sg_bpe_scratch **out, sg_error *err);
void sg_bpe_scratch_free(sg_bpe_scratch *scratch);

/* Appends the ids of a word (UTF-8 with characters, else any bytes; n > 0). O(n log n). */
int sg_bpe_encode(const sg_bpe *bpe, const sg_vocab *vocab, sg_bpe_scratch *scratch, const char *word, size_t n,
                  sg_ids *ids, sg_error *err);

#endif
