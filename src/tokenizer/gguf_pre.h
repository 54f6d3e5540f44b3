/* What the values of tokenizer.ggml.pre mean. */
#ifndef SG_TOKENIZER_GGUF_PRE_H
#define SG_TOKENIZER_GGUF_PRE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sg_gguf_pre {
    const char *const *regexes; /* up to NULL; they cut one after the other, each match and each text between a piece */
    bool ignore_merges, adds_bos; /* llama.cpp's defaults for the name */
    bool always_bos;              /* a BOS is added, whatever the file says */
    bool characters;              /* words are characters, not bytes, and a blank is U+2581 */
    bool newlines_whole;          /* a word of newlines may be one token */
    const char *names[16];        /* up to the first NULL */
} sg_gguf_pre;

/* NULL: not known. */
const sg_gguf_pre *sg_gguf_pre_find(const char *name, size_t bytes);

#endif
