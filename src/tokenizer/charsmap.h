/* SentencePiece's precompiled character map: what stretches of text are replaced by, as a double array trie (Darts) of
 * the stretches and one block of the replacements.
 *
 *   u32 bytes of the trie | units, u32 each | replacements, each ended by a NUL
 *
 * A unit has its label in bits 0-7, "a value hangs here" in bit 8, and in bits 9-31 the offset to its children; a value
 * (bit 31 set in other places, so that it is no label) is where the replacement begins. */
#ifndef SG_TOKENIZER_CHARSMAP_H
#define SG_TOKENIZER_CHARSMAP_H

#include "core/error.h"

typedef struct sg_charsmap {
    uint32_t *units;
    size_t n_units;
    char *replacements;
    size_t bytes;
} sg_charsmap;

/* what: file and field. SG_ERR_FORMAT for lengths that do not fit, replacements that are not UTF-8 or not ended. */
int sg_charsmap_read(sg_charsmap *map, const uint8_t *data, size_t bytes, const char *what, sg_error *err);
void sg_charsmap_dispose(sg_charsmap *map);

/* The replacement of the longest, or shortest, stretch that text begins with: its length and *out, *out_bytes; 0: none.
 */
size_t sg_charsmap_find(const sg_charsmap *map, const char *text, size_t bytes, bool longest, const char **out,
                        size_t *out_bytes);

#endif
