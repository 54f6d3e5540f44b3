/* The well-formed byte sequences of Unicode's table 3-7. */
#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

/* The length that a first byte asks for (0: none begins with it), and the bounds of the second byte: narrower for
 * overlong forms, surrogates, the upper end. */
static size_t lead(const unsigned char *s, unsigned char *low, unsigned char *high)
{
    size_t length = 0;
    *low = 0x80;
    *high = 0xbf;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        *low = s[0] == 0xe0 ? 0xa0 : 0x80;
        *high = s[0] == 0xed ? 0x9f : 0xbf;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        *low = s[0] == 0xf0 ? 0x90 : 0x80;
        *high = s[0] == 0xf4 ? 0x8f : 0xbf;
    }
    return length;
}

/* Bytes of the well-formed sequence at s, of which n > 0 are left; 0: malformed. */
static size_t sequence(const unsigned char *s, size_t n)
{
    unsigned char low, high;
    size_t length = lead(s, &low, &high);
    if (length < 2)
        return length;
    if (n < length || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool sg_utf8_valid(const char *data, size_t bytes, size_t *bad_offset)
{
    const unsigned char *s = (const unsigned char *)data;
    size_t i = 0;
    while (i < bytes) {
        uint64_t eight;
        while (bytes - i >= sizeof eight) { /* plain ASCII, eight bytes at a time */
            memcpy(&eight, s + i, sizeof eight);
            if (eight & 0x8080808080808080u)
                break;
            i += sizeof eight;
        }
        if (i == bytes)
            break;
        size_t length = sequence(s + i, bytes - i);
        if (!length) {
            if (bad_offset)
                *bad_offset = i;
            return false;
        }
        i += length;
    }
    return true;
}

bool sg_utf8_begins(const char *data, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)data;
    unsigned char low, high;
    if (bytes >= lead(s, &low, &high) || (bytes > 1 && (s[1] < low || s[1] > high)))
        return false;
    return bytes < 3 || (s[2] & 0xc0) == 0x80;
}
