/* UTF-8 from outside is checked once, where it enters; everything behind trusts it. */
#ifndef SG_CORE_UTF8_H
#define SG_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Is this well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF)? When not, *bad_offset (NULL ok)
 * is where the first sequence that is malformed begins. */
bool sg_utf8_valid(const char *data, size_t bytes, size_t *bad_offset);

/* Are these bytes (n > 0) the beginning, but not the whole, of a well-formed sequence? */
bool sg_utf8_begins(const char *data, size_t bytes);

/* Bytes of the character that begins with this byte, in valid UTF-8: 1 to 4. */
static inline size_t sg_utf8_length(char first)
{
    unsigned char c = (unsigned char)first;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Where the character before offset (> 0) begins, in valid UTF-8. */
static inline size_t sg_utf8_before(const char *data, size_t offset)
{
    do
        offset--;
    while (offset && ((unsigned char)data[offset] & 0xc0) == 0x80);
    return offset;
}

#endif
