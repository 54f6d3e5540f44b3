/* The tokenizer whole, as the two loaders fill it: added tokens are found first, what is between is normalized, added
 * tokens are found in that, the text between is cut into words, and the model makes ids of the words. */
#ifndef SG_TOKENIZER_INTERNAL_H
#define SG_TOKENIZER_INTERNAL_H

#include "tokenizer/added.h"
#include "tokenizer/bpe.h"
#include "tokenizer/decode.h"
#include "tokenizer/normalize.h"
#include "tokenizer/pretokenize.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unigram.h"

struct sg_tokenizer {
    sg_vocab vocab;
    sg_added added[2]; /* found in the raw text, then (HF's `normalized`) in what is left of it, normalized */
    sg_normalizer norm;
    sg_pretokenizer pre;
    bool is_unigram;
    sg_bpe bpe;
    sg_unigram unigram;
    sg_decoding decoding;
    int32_t bos, eos; /* -1: none */
    bool adds_bos;
};

int sg_tokenizer_create(sg_tokenizer **out, sg_error *err);
/* The last step of loading: what can only be built, or checked, when everything has been read. what: the file. */
int sg_tokenizer_finish(sg_tokenizer *tok, const char *what, sg_error *err);

#endif
