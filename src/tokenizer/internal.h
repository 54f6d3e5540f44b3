/* The tokenizer whole, as the two loaders fill it: added tokens are found first, the text between is cut into words,
 * and the words are merged. More kinds mean more steps here (a normalizer before the cutting, another model than
 * merging). */
#ifndef SG_TOKENIZER_INTERNAL_H
#define SG_TOKENIZER_INTERNAL_H

#include "tokenizer/added.h"
#include "tokenizer/bpe.h"
#include "tokenizer/pretokenize.h"
#include "tokenizer/tokenizer.h"

struct sg_tokenizer {
    sg_vocab vocab;
    sg_added added[2]; /* found in the raw text, then (HF's `normalized`) in what is left of it */
    sg_pretokenizer pre;
    sg_bpe bpe;
    int32_t bos; /* -1: none */
    bool adds_bos;
};

int sg_tokenizer_create(sg_tokenizer **out, sg_error *err);
/* The last step of loading: what can only be built, or checked, when everything has been read. */
int sg_tokenizer_finish(sg_tokenizer *tok, sg_error *err);

#endif
