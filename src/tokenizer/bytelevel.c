/* See bytelevel.h. */
#include "tokenizer/bytelevel.h"

/* The bytes that do not stand for themselves are 0-32, 127-160 and 173: the first is U+0100, the next U+0101, ... */
static unsigned code_point(uint8_t byte)
{
    if (byte <= 32)
        return 256u + byte;
    if (byte >= 127 && byte <= 160)
        return 256u + 33u + (byte - 127u);
    return byte == 173 ? 256u + 33u + 34u : byte;
}

size_t sg_bytelevel_char(uint8_t byte, char out[2])
{
    unsigned c = code_point(byte);
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3f));
    return 2;
}

int sg_bytelevel_byte(const char *character, size_t bytes)
{
    unsigned char a = (unsigned char)character[0], b = bytes == 2 ? (unsigned char)character[1] : 0;
    unsigned c = bytes == 1 ? a : bytes == 2 ? (unsigned)(a & 0x1f) << 6 | (b & 0x3f) : 0;
    unsigned byte = c < 256 ? c : c < 256 + 33 ? c - 256 : c < 256 + 67 ? c - 256 - 33 + 127 : 173;
    return code_point((uint8_t)byte) == c ? (int)byte : -1;
}

size_t sg_bytelevel_spell(const char *bytes, size_t n, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++)
        length += sg_bytelevel_char((uint8_t)bytes[i], out + length);
    return length;
}
