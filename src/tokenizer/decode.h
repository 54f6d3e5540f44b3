/* Ids to text. What a spelling means as text is data: a few rewrites, as tokenizer.json's decoder or the kind of a
 * GGUF's vocabulary says. Special tokens have no text. */
#ifndef SG_TOKENIZER_DECODE_H
#define SG_TOKENIZER_DECODE_H

#include "core/strbuf.h"
#include "tokenizer/tokenizer.h"

#define SG_MAX_REPLACES 8

typedef struct sg_decoding {
    bool byte_level;  /* spellings are in the byte-level alphabet; one that has other characters is the text itself */
    bool byte_tokens; /* <0xE2> is a byte */
    bool blanks;      /* tokens stand apart: a blank between two (HF's way without a decoder) */
    struct {
        char *from, *to; /* owned */
    } replaces[SG_MAX_REPLACES];
    int n_replaces;
    bool drop_marks;  /* U+2581 in the text's first token is nothing (HF's Metaspace) */
    int drop_blanks;  /* so many blanks at most are taken from the text's beginning */
    char refusal[64]; /* not empty: the decoder's type that is not known */
} sg_decoding;

int sg_decoding_replace(sg_decoding *d, const char *from, const char *to, sg_error *err);
void sg_decoding_dispose(sg_decoding *d);

/* A text in the making: ids go in, whole characters come out. */
typedef struct sg_detok {
    const sg_tokenizer *tok;
    bool begun;        /* something was printed */
    bool whole_bytes;  /* what is no UTF-8 is shown byte by byte, else as the sequences that Unicode advises */
    sg_strbuf pending; /* bytes of a character that is not whole */
} sg_detok;

/* SG_ERR_REFUSED: the tokenizer's decoder is not known. */
int sg_detok_init(sg_detok *d, const sg_tokenizer *tok, sg_error *err);
/* Appends to out the characters that id completes; bytes that are no UTF-8 come out as U+FFFD. An id that the
 * vocabulary lacks has no text. */
int sg_detok_add(sg_detok *d, int32_t id, sg_strbuf *out, sg_error *err);
/* Appends what is left. */
void sg_detok_end(sg_detok *d, sg_strbuf *out);
void sg_detok_dispose(sg_detok *d);

#endif
