/* Text to ids, by the checkpoint's own tokenizer: BPE, byte-level (GPT-2, Llama 3, Qwen, ...) and of SentencePiece kind
 * (Llama 2, Mistral, Gemma), and Unigram; anything else is refused by name. Added and special tokens in the text are
 * recognised, as HF's `tokenizers` does by default; no other special token is added here (BOS is the caller's, from the
 * two getters). Immutable after it is made: safe from several threads. */
#ifndef SG_TOKENIZER_TOKENIZER_H
#define SG_TOKENIZER_TOKENIZER_H

#include "checkpoint/gguf.h"
#include "core/json.h"

typedef struct sg_tokenizer sg_tokenizer;

/* tokenizer.json (an HF `tokenizers` file) and, NULL if absent, tokenizer_config.json, whose added tokens and BOS win.
 * what: the file's path, for errors. */
int sg_tokenizer_from_hf(sg_tokenizer **out, json_object *tokenizer, json_object *config, const char *what,
                         sg_error *err);
/* The keys tokenizer.ggml.*; ids equal llama.cpp's with parse_special on. */
int sg_tokenizer_from_gguf(sg_tokenizer **out, const sg_gguf *gguf, const char *what, sg_error *err);
void sg_tokenizer_free(sg_tokenizer *tok);

/* Appends nothing to what is given: *ids is new (sg_free), *n its length. text must be UTF-8 (else SG_ERR_FORMAT with
 * the offset). */
int sg_tokenizer_encode(const sg_tokenizer *tok, const char *text, size_t bytes, int32_t **ids, size_t *n,
                        sg_error *err);

int32_t sg_tokenizer_bos(const sg_tokenizer *tok); /* -1: the model has none */
/* The one that tokenizer_config.json or the GGUF calls so; -1: none. A text may end with others, too. */
int32_t sg_tokenizer_eos(const sg_tokenizer *tok);
bool sg_tokenizer_adds_bos(const sg_tokenizer *tok); /* what --bos auto means (design.md, "--bos auto") */
/* Does a text end with this id? A GGUF says so itself; of a HF directory other files do, by sg_tokenizer_set_end. */
bool sg_tokenizer_ends(const sg_tokenizer *tok, int32_t id);
void sg_tokenizer_set_end(sg_tokenizer *tok, int64_t id); /* an id that the vocabulary lacks: no effect */
size_t sg_tokenizer_vocab(const sg_tokenizer *tok);       /* highest id + 1 */
/* The vocabulary's own spelling; NULL: no such id. Lives as long as tok. */
const char *sg_tokenizer_spelling(const sg_tokenizer *tok, int32_t id, size_t *bytes);

#endif
