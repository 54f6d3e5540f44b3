/* The well-formed byte sequences of Unicode's table 3-7. */
#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the well-formed sequence at s, of which n > 0 are left; 0: malformed. */
static size_t sequence(const unsigned char *s, size_t n)
{
    unsigned char low = 0x80, high = 0xbf; /* of the second byte: less for overlong forms, surrogates, the upper end */
    size_t length;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        low = s[0] == 0xe0 ? 0xa0 : 0x80;
        high = s[0] == 0xed ? 0x9f : 0xbf;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        low = s[0] == 0xf0 ? 0x90 : 0x80;
        high = s[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
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
