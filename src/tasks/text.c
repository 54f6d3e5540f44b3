/* Text as Python's str methods see it. */
#include "tasks/text.h"

#include <string.h>
#include <utf8proc.h>

#include "core/utf8.h"

sg_view sg_view_of(const char *s)
{
    return (sg_view){s, strlen(s)};
}

static utf8proc_int32_t code_point(const char *s)
{
    utf8proc_int32_t c;
    utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)sg_utf8_length(*s), &c);
    return c;
}

/* str.isspace(): bidirectional class WS, B or S, or category Zs */
static bool is_blank(const char *s)
{
    utf8proc_int32_t c = code_point(s);
    return (c >= 0x9 && c <= 0xd) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

sg_view sg_lstrip(sg_view s)
{
    while (s.n && is_blank(s.data)) {
        size_t length = sg_utf8_length(*s.data);
        s.data += length;
        s.n -= length;
    }
    return s;
}

sg_view sg_rstrip(sg_view s)
{
    while (s.n) {
        size_t before = sg_utf8_before(s.data, s.n);
        if (!is_blank(s.data + before))
            break;
        s.n = before;
    }
    return s;
}

sg_view sg_strip(sg_view s)
{
    return sg_rstrip(sg_lstrip(s));
}

sg_view sg_next_word(sg_view *rest)
{
    sg_view word = sg_lstrip(*rest);
    size_t n = 0;
    while (n < word.n && !is_blank(word.data + n))
        n += sg_utf8_length(word.data[n]);
    *rest = (sg_view){word.data + n, word.n - n};
    word.n = n;
    return word;
}

size_t sg_code_points(sg_view s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += ((unsigned char)s.data[i] & 0xc0) != 0x80;
    return count;
}

size_t sg_code_point_offset(sg_view s, size_t i)
{
    size_t at = 0;
    while (i-- && at < s.n)
        at += sg_utf8_length(s.data[at]);
    return at;
}

void sg_put_view(sg_strbuf *b, sg_view s)
{
    sg_strbuf_add(b, s.data, s.n);
}

void sg_replace(sg_strbuf *b, const char *from, const char *to)
{
    sg_strbuf out = {0};
    const char *at = b->data, *hit;
    if (b->failed || !at || !strstr(at, from))
        return;
    for (; (hit = strstr(at, from)); at = hit + strlen(from)) {
        sg_strbuf_add(&out, at, (size_t)(hit - at));
        sg_strbuf_puts(&out, to);
    }
    sg_strbuf_puts(&out, at);
    sg_strbuf_free(b);
    *b = out;
}

void sg_put_capitalized(sg_strbuf *b, sg_view s)
{
    for (size_t at = 0; at < s.n; at += sg_utf8_length(s.data[at])) {
        utf8proc_uint8_t bytes[4];
        utf8proc_int32_t c = code_point(s.data + at);
        c = at ? utf8proc_tolower(c) : utf8proc_totitle(c);
        sg_strbuf_add(b, (const char *)bytes, (size_t)utf8proc_encode_char(c, bytes));
    }
}
