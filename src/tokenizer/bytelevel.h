/* The byte-level alphabet of GPT-2: each byte has one printable character, so that a vocabulary of any bytes can be
 * written as text. Printable Latin-1 stands for itself; the others, in order, are U+0100 and on (a blank is U+0120). */
#ifndef SG_TOKENIZER_BYTELEVEL_H
#define SG_TOKENIZER_BYTELEVEL_H

#include <stddef.h>
#include <stdint.h>

/* The character of a byte in UTF-8; returns its length, 1 or 2. */
size_t sg_bytelevel_char(uint8_t byte, char out[2]);
/* The byte of a character of so many bytes; -1: not in the alphabet. */
int sg_bytelevel_byte(const char *character, size_t bytes);
/* Spells bytes in the alphabet; out has room for 2 * n. Returns the length. */
size_t sg_bytelevel_spell(const char *bytes, size_t n, char *out);

#endif
