/* Added and special tokens: found in the text before anything else, each where it stands is one id. */
#ifndef SG_TOKENIZER_ADDED_H
#define SG_TOKENIZER_ADDED_H

#include "tokenizer/normalize.h"
#include "tokenizer/regex.h"
#include "tokenizer/vocab.h"

typedef struct sg_added_token {
    int32_t id;
    const char *text; /* what is looked for; set by sg_added_finish */
    size_t bytes;
    uint32_t order;   /* of tokens that look for the same, the lowest is found */
    bool single_word; /* only where no word character touches it */
    bool lstrip;      /* takes the blanks before it along */
    bool rstrip;      /* takes the blanks behind it along */
} sg_added_token;

typedef enum sg_added_order {
    SG_LEFTMOST_LONGEST, /* HF: the first that begins, of these the longest */
    SG_LONGEST_FIRST,    /* llama.cpp: all of the longest token, then of the next in what is left; of the flags only
                            rstrip applies, to ASCII blanks */
} sg_added_order;

typedef struct sg_added {   /* all zero: none */
    sg_added_token *tokens; /* [n], sorted by spelling */
    size_t n, room;
    sg_added_order order;
    uint32_t first[257];    /* tokens whose spelling begins with byte b: first[b] to first[b + 1] */
    sg_regex *word, *blank; /* what a word character and a blank are; NULL when no token asks */
    char *normalized;       /* the tokens' texts where they are not the vocabulary's spellings */
} sg_added;

int sg_added_add(sg_added *added, const sg_added_token *token, sg_error *err);
/* After the last one, when the vocabulary has all spellings. norm (NULL ok): what is looked for is the normalized
 * spelling. what: the file. */
int sg_added_finish(sg_added *added, const sg_vocab *vocab, const sg_normalizer *norm, const char *what, sg_error *err);
void sg_added_dispose(sg_added *added);

/* Hands the parts of text, in order, to take: an added token by its id, text between (never empty) with id -1. */
typedef int (*sg_take_part)(void *user, const char *text, size_t bytes, int32_t id, sg_error *err);
int sg_added_split(const sg_added *added, sg_matcher *matcher, const char *text, size_t bytes, sg_take_part take,
                   void *user, sg_error *err);

#endif
