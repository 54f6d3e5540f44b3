/* Python literals: rewritten as JSON, from which they differ in how strings are quoted and escaped. */
#include "tasks/python.h"

#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"

/* The number of n hexadecimal digits; -1: not so many. */
static long hex_digits(const char *at, size_t n)
{
    char digits[9] = "";
    if (strspn(at, "0123456789abcdefABCDEF") < n)
        return -1;
    memcpy(digits, at, n);
    return strtol(digits, NULL, 16);
}

/* A code point as JSON escapes, above U+FFFF as a pair of surrogates. */
static void put_code_point(sg_strbuf *b, long c)
{
    if (c > 0xffff) {
        sg_strbuf_printf(b, "\\u%04lx", 0xd800 + ((c - 0x10000) >> 10));
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    sg_strbuf_printf(b, "\\u%04lx", c);
}

/* The escape behind a backslash at *at, which moves behind it. false: none that repr() writes. */
static bool take_escape(const char **at, sg_strbuf *b)
{
    static const char kinds[] = "xuU";
    static const size_t lengths[] = {2, 4, 8};
    char c = **at;
    if (!c)
        return false;
    ++*at;
    const char *kind = strchr(kinds, c);
    if (kind) {
        size_t n = lengths[kind - kinds];
        long value = hex_digits(*at, n);
        if (value <= 0 || value > 0x10ffff)
            return false;
        put_code_point(b, value);
        *at += n;
        return true;
    }
    if (!strchr("\\'\"nrt", c))
        return false;
    if (c == '\'')
        sg_strbuf_puts(b, "'");
    else
        sg_strbuf_printf(b, "\\%c", c);
    return true;
}

/* A string, at its opening quote. */
static bool take_string(const char **at, sg_strbuf *b)
{
    char quote = *(*at)++;
    sg_strbuf_puts(b, "\"");
    while (**at && **at != quote) {
        char c = *(*at)++;
        if (c == '\\') {
            if (!take_escape(at, b))
                return false;
        } else if (c == '"') {
            sg_strbuf_puts(b, "\\\"");
        } else if ((unsigned char)c < 0x20) {
            put_code_point(b, c);
        } else {
            sg_strbuf_add(b, &c, 1);
        }
    }
    sg_strbuf_puts(b, "\"");
    if (!**at)
        return false;
    ++*at;
    return true;
}

int sg_python_parse(json_object **out, const char *text, const char *what, sg_error *err)
{
    sg_strbuf b = {0};
    const char *at = text;
    int rc = SG_OK;
    *out = NULL;
    while (*at && !rc) {
        const char *start = at;
        if (*at != '\'' && *at != '"')
            sg_strbuf_add(&b, at++, 1);
        else if (!take_string(&at, &b))
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: the string at byte %zu is no Python string", what,
                         (size_t)(start - text));
    }
    if (!rc && b.failed)
        rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a list", what);
    if (!rc)
        rc = sg_json_parse(out, b.data ? b.data : "", b.n, what, err);
    sg_strbuf_free(&b);
    return rc;
}
