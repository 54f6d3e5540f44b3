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

/* ---- str.capitalize() --------------------------------------------------------------------------------- */

/* Characters whose title case is more than one: Unicode's SpecialCasing.txt. */
static const struct {
    utf8proc_int32_t c;
    const char *title;
} long_titles[] = {
    {0x00df, "Ss"},
    {0x0149, "\u02bcN"},
    {0x01f0, "J\u030c"},
    {0x0390, "\u0399\u0308\u0301"},
    {0x03b0, "\u03a5\u0308\u0301"},
    {0x0587, "\u0535\u0582"},
    {0x1e96, "H\u0331"},
    {0x1e97, "T\u0308"},
    {0x1e98, "W\u030a"},
    {0x1e99, "Y\u030a"},
    {0x1e9a, "A\u02be"},
    {0x1f50, "\u03a5\u0313"},
    {0x1f52, "\u03a5\u0313\u0300"},
    {0x1f54, "\u03a5\u0313\u0301"},
    {0x1f56, "\u03a5\u0313\u0342"},
    {0x1fb2, "\u1fba\u0345"},
    {0x1fb4, "\u0386\u0345"},
    {0x1fb6, "\u0391\u0342"},
    {0x1fb7, "\u0391\u0342\u0345"},
    {0x1fc2, "\u1fca\u0345"},
    {0x1fc4, "\u0389\u0345"},
    {0x1fc6, "\u0397\u0342"},
    {0x1fc7, "\u0397\u0342\u0345"},
    {0x1fd2, "\u0399\u0308\u0300"},
    {0x1fd3, "\u0399\u0308\u0301"},
    {0x1fd6, "\u0399\u0342"},
    {0x1fd7, "\u0399\u0308\u0342"},
    {0x1fe2, "\u03a5\u0308\u0300"},
    {0x1fe3, "\u03a5\u0308\u0301"},
    {0x1fe4, "\u03a1\u0313"},
    {0x1fe6, "\u03a5\u0342"},
    {0x1fe7, "\u03a5\u0308\u0342"},
    {0x1ff2, "\u1ffa\u0345"},
    {0x1ff4, "\u038f\u0345"},
    {0x1ff6, "\u03a9\u0342"},
    {0x1ff7, "\u03a9\u0342\u0345"},
    {0xfb00, "Ff"},
    {0xfb01, "Fi"},
    {0xfb02, "Fl"},
    {0xfb03, "Ffi"},
    {0xfb04, "Ffl"},
    {0xfb05, "St"},
    {0xfb06, "St"},
    {0xfb13, "\u0544\u0576"},
    {0xfb14, "\u0544\u0565"},
    {0xfb15, "\u0544\u056b"},
    {0xfb16, "\u054e\u0576"},
    {0xfb17, "\u0544\u056d"},
};

static bool is_cased(utf8proc_int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT;
}

/* Marks, and punctuation that stands inside words: looked through for the end of a word. */
static bool is_ignored(utf8proc_int32_t c)
{
    static const utf8proc_int32_t inner[] = {'\'',   '.',    ':',    '^',    '`',    0xb7,   0x387,
                                             0x55f,  0x5f4,  0x2018, 0x2019, 0x2024, 0x2027, 0xfe13,
                                             0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a};
    for (size_t i = 0; i < SG_ARRAY_LEN(inner); i++)
        if (c == inner[i])
            return true;
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
           category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK;
}

/* Unicode's Final_Sigma: a letter before the one at `at`, and none behind it. */
static bool ends_word(sg_view s, size_t at)
{
    bool before = false;
    for (size_t i = at; i && !before;) {
        i = sg_utf8_before(s.data, i);
        before = is_cased(code_point(s.data + i));
        if (!before && !is_ignored(code_point(s.data + i)))
            return false;
    }
    for (size_t i = at + sg_utf8_length(s.data[at]); before && i < s.n; i += sg_utf8_length(s.data[i])) {
        utf8proc_int32_t c = code_point(s.data + i);
        if (!is_ignored(c))
            return !is_cased(c);
    }
    return before;
}

/* What is longer than one character; NULL: nothing. */
static const char *long_case(sg_view s, size_t at, utf8proc_int32_t c)
{
    for (size_t i = 0; !at && i < SG_ARRAY_LEN(long_titles); i++)
        if (long_titles[i].c == c)
            return long_titles[i].title;
    if (at && c == 0x130)
        return "i\u0307";
    return at && c == 0x3a3 && ends_word(s, at) ? "\u03c2" : NULL;
}

void sg_put_capitalized(sg_strbuf *b, sg_view s)
{
    for (size_t at = 0; at < s.n; at += sg_utf8_length(s.data[at])) {
        utf8proc_uint8_t bytes[4];
        utf8proc_int32_t c = code_point(s.data + at);
        const char *special = long_case(s, at, c);
        c = at ? utf8proc_tolower(c) : utf8proc_totitle(c);
        if (special)
            sg_strbuf_puts(b, special);
        else
            sg_strbuf_add(b, (const char *)bytes, (size_t)utf8proc_encode_char(c, bytes));
    }
}
