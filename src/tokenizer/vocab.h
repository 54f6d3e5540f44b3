/* Ids and their spellings: each id has one spelling, each spelling one id; ids may have gaps. */
#ifndef SG_TOKENIZER_VOCAB_H
#define SG_TOKENIZER_VOCAB_H

#include "core/error.h"

#define SG_MAX_VOCAB (1 << 24) /* ids; the largest vocabularies in use have 262,144 */

typedef struct sg_vocab_entry {
    size_t offset; /* of the spelling, in text */
    uint32_t bytes;
    bool used;      /* false: a gap */
    bool mergeable; /* in the model's own vocabulary, which merging can produce; an HF added token may not be */
    bool special;   /* has no text */
    bool literal;   /* its spelling is its text, whatever the decoder does to others */
    bool ends;      /* a text ends with it */
} sg_vocab_entry;

typedef struct sg_vocab {
    sg_vocab_entry *entries; /* [n], by id */
    size_t n, room;          /* n: highest id + 1 */
    char *text;              /* all spellings, one after the other */
    size_t text_bytes, text_room;
    int32_t *slots;         /* hash of spellings: id + 1, or 0 */
    size_t n_slots, n_used; /* n_slots is a power of 2 */
    size_t longest;         /* bytes of the longest spelling */
} sg_vocab;

/* SG_ERR_FORMAT, in the words of `what` (file and field), for an id out of range or used twice, a spelling used twice
 * or not UTF-8. */
int sg_vocab_put(sg_vocab *vocab, int64_t id, const char *spelling, size_t bytes, bool mergeable, const char *what,
                 sg_error *err);
int32_t sg_vocab_find(const sg_vocab *vocab, const char *spelling, size_t bytes); /* -1: absent */
const char *sg_vocab_spelling(const sg_vocab *vocab, int32_t id, size_t *bytes);  /* NULL: no such id */
void sg_vocab_dispose(sg_vocab *vocab);

#endif
