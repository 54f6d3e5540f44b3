/* Oniguruma's syntax (Ruby's, UTF-8) in PCRE2's, which is read with UTF, UCP and MULTILINE.
 *
 * The same in both, and copied: literals, alternatives, plain, non-capturing, look-around and atomic groups, (?i:..),
 * greedy, lazy and possessive ?, *, +, intervals, ^, $, ., classes, \d, \p{general category}. Rewritten: \s and \S
 * (PCRE2 counts U+180E as a blank; Unicode has not since 6.3), \v (a vertical tab here, any vertical blank there),
 * \uHHHH, and a brace that is no interval. All else is refused: \w, \b, \h, \N, \R, \X, scripts and long property
 * names, && and [ in a class, {n,m}+ (a repeat of a repeat here, possessive there), {n}? and {,n}, names, back
 * references, other options, (?i) up to the group's end (here it takes the alternatives after it along). */
#include <string.h>

#include "core/strbuf.h"
#include "tokenizer/regex.h"

/* Unicode's White_Space, and what is left, as members of a class. */
#define BLANKS "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define NOT_BLANKS                                                                                      \
    "\\x00-\\x08\\x0e-\\x1f\\x21-\\x84\\x86-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"

static const char *const categories[] = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Co", "Cn",
};

static const char *const groups[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"};

typedef struct reader {
    const char *p, *end;
    sg_strbuf *out;
    const char *what;
    sg_error *err;
} reader;

static int refuse(const reader *r, const char *from, size_t n, const char *why)
{
    size_t left = (size_t)(r->end - from);
    return sg_fail(r->err, SG_ERR_REFUSED, "%s: the regular expression has \"%.*s\", %s", r->what,
                   (int)(n < left ? n : left), from, why);
}

static bool at(const reader *r, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(r->end - r->p) >= n && !memcmp(r->p, word, n);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Copies n bytes. */
static void copy(reader *r, size_t n)
{
    sg_strbuf_add(r->out, r->p, n);
    r->p += n;
}

/* \p{..}, \P{..} of a general category, with ^ for not. */
static int property(reader *r)
{
    const char *name = r->p + 2, *close = r->end - r->p > 2 ? memchr(name, '}', (size_t)(r->end - name)) : NULL;
    if (!close || *name != '{')
        return refuse(r, r->p, 8, "a property without braces");
    name += name[1] == '^' ? 2 : 1;
    for (size_t i = 0; i < SG_ARRAY_LEN(categories); i++)
        if (strlen(categories[i]) == (size_t)(close - name) && !memcmp(categories[i], name, (size_t)(close - name))) {
            copy(r, (size_t)(close + 1 - r->p));
            return SG_OK;
        }
    return refuse(r, r->p, (size_t)(close + 1 - r->p), "a property that is not supported yet");
}

/* \x{H..} and \uHHHH. */
static int hexadecimal(reader *r)
{
    bool braces = r->p[1] == 'x';
    const char *digits = r->p + (braces ? 3 : 2);
    size_t n = 0, most = braces ? 6 : 4;
    if (braces && (r->end - r->p < 4 || r->p[2] != '{'))
        return refuse(r, r->p, 4, "a raw byte");
    while (digits + n < r->end && n < most && is_hex(digits[n]))
        n++;
    if (!n || (!braces && n != 4) || (braces && (digits + n == r->end || digits[n] != '}')))
        return refuse(r, r->p, 10, "not a code point in hexadecimal");
    sg_strbuf_printf(r->out, "\\x{%.*s}", (int)n, digits);
    r->p = digits + n + (braces ? 1 : 0);
    return SG_OK;
}

/* A backslash and what belongs to it. *is_set: it stands for more than one character. */
static int escape(reader *r, bool in_class, bool *is_set)
{
    if (r->end - r->p < 2)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: the regular expression ends in a backslash", r->what);
    char c = r->p[1];
    *is_set = c == 's' || c == 'S' || c == 'd' || c == 'D' || c == 'p' || c == 'P';
    switch (c) {
    case 's':
    case 'S':
        sg_strbuf_puts(r->out, in_class ? "" : c == 's' ? "[" : "[^");
        sg_strbuf_puts(r->out, in_class && c == 'S' ? NOT_BLANKS : BLANKS);
        sg_strbuf_puts(r->out, in_class ? "" : "]");
        r->p += 2;
        return SG_OK;
    case 'v':
        sg_strbuf_puts(r->out, "\\x0b");
        r->p += 2;
        return SG_OK;
    case 'p':
    case 'P':
        return property(r);
    case 'x':
    case 'u':
        return hexadecimal(r);
    case 'A':
    case 'z':
    case 'Z':
        if (in_class)
            return refuse(r, r->p, 2, "which is not supported in a class");
        break;
    default:
        if (!strchr("dDnrtfae !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c) || !c)
            return refuse(r, r->p, 2, "which is not supported yet");
    }
    copy(r, 2);
    return SG_OK;
}

/* [...]. A set such as \s becomes several ranges, so a hyphen may touch it only as the class's first or last member. */
static int class(reader *r)
{
    const char *start = r->p;
    bool hyphen = false, set = false; /* what the member before was */
    copy(r, r->p + 1 < r->end && r->p[1] == '^' ? 2 : 1);
    const char *first = r->p;
    while (r->p < r->end && (*r->p != ']' || r->p == first)) {
        bool was_set = set, was_hyphen = hyphen;
        const char *member = r->p;
        set = hyphen = false;
        if (*r->p == '[' || at(r, "&&"))
            return refuse(r, start, 24, "a class in a class, which is not supported yet");
        if (*r->p == '\\') {
            int rc = escape(r, true, &set);
            if (rc < 0)
                return rc;
        } else {
            hyphen = *r->p == '-' && r->p != first;
            copy(r, 1);
        }
        if ((set && was_hyphen) || (was_set && *member == '-' && r->p < r->end && *r->p != ']'))
            return refuse(r, start, 24, "a range from or to a set");
    }
    if (r->p == r->end)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: the regular expression has a class without its ]", r->what);
    copy(r, 1);
    return SG_OK;
}

/* {n}, {n,}, {n,m}; any other brace is itself. */
static int brace(reader *r)
{
    const char *start = r->p, *p = r->p + 1;
    while (p < r->end && is_digit(*p))
        p++;
    bool low = p > start + 1, comma = p < r->end && *p == ',', high = false;
    for (p += comma; p < r->end && is_digit(*p); p++)
        high = true;
    bool interval = (low || high) && p < r->end && *p == '}';
    if (!interval) {
        sg_strbuf_puts(r->out, "\\{");
        r->p++;
        return SG_OK;
    }
    p++;
    if (!low || (p < r->end && (*p == '+' || (*p == '?' && !comma))))
        return refuse(r, start, (size_t)(p + 1 - start), "a repetition that PCRE2 reads differently");
    copy(r, (size_t)(p - start));
    return SG_OK;
}

static int group(reader *r)
{
    if (r->end - r->p < 2 || r->p[1] != '?') {
        copy(r, 1);
        return SG_OK;
    }
    for (size_t i = 0; i < SG_ARRAY_LEN(groups); i++)
        if (at(r, groups[i])) {
            copy(r, strlen(groups[i]));
            return SG_OK;
        }
    return refuse(r, r->p, 5, "a group that is not supported yet");
}

int sg_regex_translate(char **out, const char *pattern, size_t bytes, const char *what, sg_error *err)
{
    sg_strbuf text = {0};
    reader r = {.p = pattern, .end = pattern + bytes, .out = &text, .what = what, .err = err};
    int rc = SG_OK;
    bool is_set;
    if (memchr(pattern, 0, bytes))
        return sg_fail(err, SG_ERR_REFUSED, "%s: the regular expression has a NUL character", what);
    while (rc == SG_OK && r.p < r.end) {
        if (at(&r, "(*")) /* a verb for PCRE2, an error for Oniguruma */
            rc = refuse(&r, r.p, 8, "a repeat of nothing");
        else if (*r.p == '\\')
            rc = escape(&r, false, &is_set);
        else if (*r.p == '[')
            rc = class(&r);
        else if (*r.p == '{')
            rc = brace(&r);
        else if (*r.p == '(')
            rc = group(&r);
        else
            copy(&r, 1);
    }
    if (rc < 0) {
        sg_strbuf_free(&text);
        return rc;
    }
    return sg_strbuf_finish(&text, out, err);
}
