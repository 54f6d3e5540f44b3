/* "did you mean": the words that are near to what was typed, for commands, options, families. */
#ifndef SG_CORE_NEAREST_H
#define SG_CORE_NEAREST_H

#include <stddef.h>

/* The one or two of n words that are nearest to what was typed, nearest first; words equally near keep their order.
 * Letters of either case are the same. The rest of nearest is NULL. Returns how many: none when no word is near enough
 * to be a typing mistake (one edit, and one more for every three letters). */
size_t sg_nearest(const char *typed, const char *const *words, size_t n, const char *nearest[2]);

/* The same as a piece of a sentence: "; did you mean --tokens or --text?", each word behind prefix ("--"), or "" when
 * none is near. Returns hint. */
const char *sg_nearest_hint(char hint[160], const char *prefix, const char *typed, const char *const *words, size_t n);

#endif
