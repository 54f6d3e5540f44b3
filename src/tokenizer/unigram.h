/* Unigram models: of all ways to write a text as a row of tokens, the one whose scores (log probabilities) have the
 * highest sum. (Kudo 2018, arXiv 1804.10959; found by Viterbi's algorithm.) */
#ifndef SG_TOKENIZER_UNIGRAM_H
#define SG_TOKENIZER_UNIGRAM_H

#include "tokenizer/ids.h"
#include "tokenizer/trie.h"
#include "tokenizer/vocab.h"

typedef struct sg_unigram {
    sg_trie trie;     /* of the tokens, by id */
    double *scores;   /* [vocab->n] */
    double unk_score; /* of a character that is no token */
    int32_t unk;      /* -1: none, and such a character is an error */
    bool spelled_unk; /* a run of unknown characters that spells a token is that token (HF) */
    bool byte_fallback;
    int32_t byte_ids[256]; /* of the tokens <0xXX> */
} sg_unigram;

#define SG_UNK_PENALTY 10 /* the unknown's score is the lowest of all less this (SentencePiece's constant) */

/* Looks the tokens <0x00> to <0xFF> up. */
void sg_unigram_find_bytes(sg_unigram *unigram, const sg_vocab *vocab);
void sg_unigram_dispose(sg_unigram *unigram);

typedef struct sg_unigram_scratch { /* one thread's memory; all zero at first */
    struct sg_unigram_node *nodes;
    size_t room;
} sg_unigram_scratch;
void sg_unigram_scratch_dispose(sg_unigram_scratch *scratch);

/* Appends the ids of a word (UTF-8, n > 0). Time is n times the length of the longest token. */
int sg_unigram_encode(const sg_unigram *unigram, const sg_vocab *vocab, sg_unigram_scratch *scratch, const char *word,
                      size_t n, sg_ids *ids, sg_error *err);

#endif
