/* Oniguruma's syntax (Ruby's, UTF-8) in PCRE2's, which is read with UTF, UCP and MULTILINE.
 *
 * The same in both, and copied: literals, alternatives, plain, non-capturing, look-around and atomic groups, (?i:..),
 * greedy, lazy and possessive ?, *, +, intervals, ^, $, ., \G, classes, \d, \p{general category}. Rewritten: \s and \S
 * (PCRE2 counts U+180E as a blank; Unicode has not since 6.3), \w, \W, \b, \B, \h (a hexadecimal digit here), \v (a
 * vertical tab here, any vertical blank there), \uHHHH, scripts (script extensions there), classes in classes and &&,
 * {n,m}+ and {n}? (repeats of a repeat here), {,n}, and a brace that is no interval. All else is refused: \N, \R, \X,
 * other properties, [:alpha:], names, back references, other options, (?i) that does not open its group (here it takes
 * the alternatives after it along). */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "core/strbuf.h"
#include "core/utf8.h"
#include "tokenizer/regex.h"

/* Unicode's White_Space, and what is left, as members of a class. */
#define BLANKS "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define NOT_BLANKS                                                                                                     \
    "\\x00-\\x08\\x0e-\\x1f\\x21-\\x84\\x86-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"                \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"

/* Oniguruma's \w, as members of a class: Alphabetic, marks, decimal digits, connectors. Alphabetic is letters, letter
 * numbers, marks and four ranges of circled letters. Outside a class, five Latin-1 numbers join. */
#define WORD_MEMBERS                                                                                                   \
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"                                        \
    "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"
#define WORD "[" WORD_MEMBERS "\\xb2\\xb3\\xb9\\xbc-\\xbe]"

static const char *const scripts[] = {"Arabic", "Bengali",  "Cyrillic", "Devanagari", "Greek", "Han", "Hangul",
                                      "Hebrew", "Hiragana", "Katakana", "Latin",      "Tamil", "Thai"};
#if PCRE2_MAJOR > 10 || PCRE2_MINOR >= 40
static const char script_prefix[] = "sc:"; /* without it, script extensions */
#else
static const char script_prefix[] = "";
#endif

static const char *const categories[] = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl", "No", "P",  "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Co", "Cn",
};

static const char *const groups[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"};

#define MAX_DEPTH 64 /* of groups, and of classes in classes */
#define NO_ATOM SIZE_MAX

typedef struct reader {
    const char *p, *pattern, *end;
    sg_strbuf *out;
    const char *what;
    sg_error *err;
    size_t atom;              /* where in out what a repeat would repeat begins */
    size_t groups[MAX_DEPTH]; /* where the open groups begin */
    size_t depth;
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
    for (size_t i = 0; i < SG_ARRAY_LEN(scripts); i++)
        if (strlen(scripts[i]) == (size_t)(close - name) && !memcmp(scripts[i], name, (size_t)(close - name))) {
            sg_strbuf_printf(r->out, "%.*s%s%s}", (int)(name - r->p), r->p, script_prefix, scripts[i]);
            r->p = close + 1;
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

/* Escapes that become something else: outside a class, and as its members. */
static const struct rewritten {
    char letter;
    const char *outside, *member; /* member NULL: not supported there */
} rewritten[] = {
    {'s', "[" BLANKS "]", BLANKS},
    {'S', "[^" BLANKS "]", NOT_BLANKS},
    {'w', WORD, WORD_MEMBERS},
    {'W', "[^" WORD_MEMBERS "\\xb2\\xb3\\xb9\\xbc-\\xbe]", NULL},
    {'b', "(?:(?<=" WORD ")(?!" WORD ")|(?<!" WORD ")(?=" WORD "))", NULL},
    {'B', "(?:(?<=" WORD ")(?=" WORD ")|(?<!" WORD ")(?!" WORD "))", NULL},
    {'h', "[0-9a-fA-F]", "0-9a-fA-F"},
    {'v', "\\x0b", "\\x0b"},
};

/* A backslash and what belongs to it. *is_set: it stands for more than one character. */
static int escape(reader *r, bool in_class, bool *is_set)
{
    if (r->end - r->p < 2)
        return sg_fail(r->err, SG_ERR_FORMAT, "%s: the regular expression ends in a backslash", r->what);
    char c = r->p[1];
    *is_set = strchr("sSwWhdDpP", c) && c;
    for (size_t i = 0; i < SG_ARRAY_LEN(rewritten); i++) {
        if (rewritten[i].letter != c)
            continue;
        if (in_class && !rewritten[i].member)
            return refuse(r, r->p, 2, "which is not supported in a class");
        sg_strbuf_puts(r->out, in_class ? rewritten[i].member : rewritten[i].outside);
        r->p += 2;
        return SG_OK;
    }
    switch (c) {
    case 'p':
    case 'P':
        return property(r);
    case 'x':
    case 'u':
        return hexadecimal(r);
    case 'A':
    case 'G':
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

/* ---- classes ------------------------------------------------------------------------------------------- */

static int class(reader *r, size_t depth);

/* What stands between two && of a class, or all of it: members, into `plain`, and classes, into `nested`, each behind a
 * bar. A set such as \s becomes several ranges, so a hyphen may touch it only as the class's first or last member. */
static int operand(reader *r, const char *start, bool opens, size_t depth, sg_strbuf *plain, sg_strbuf *nested)
{
    const char *first = r->p;
    bool hyphen = false, set = false; /* what the member before was */
    int rc = SG_OK;
    while (r->p < r->end && (*r->p != ']' || (opens && r->p == first)) && !at(r, "&&")) {
        bool was_set = set, was_hyphen = hyphen;
        const char *member = r->p;
        set = hyphen = false;
        if (at(r, "[:"))
            return refuse(r, start, 24, "a POSIX class, which is not supported");
        if (*r->p == '[') {
            set = true;
            sg_strbuf_puts(nested, "|");
            r->out = nested;
            rc = class(r, depth + 1);
        } else {
            r->out = plain;
            if (*r->p == '\\') {
                rc = escape(r, true, &set);
            } else {
                hyphen = *r->p == '-' && r->p != first;
                copy(r, 1);
            }
        }
        if (rc < 0)
            return rc;
        if ((set && was_hyphen) || (was_set && *member == '-' && r->p < r->end && *r->p != ']' && !at(r, "&&")))
            return refuse(r, start, 24, "a range from or to a set");
    }
    bool empty = !plain->n && !nested->n && !plain->failed && !nested->failed;
    return empty && r->p < r->end ? refuse(r, start, 24, "a class with nothing in it") : SG_OK;
}

/* One operand in PCRE2's words. */
static void write_operand(sg_strbuf *out, const sg_strbuf *plain, const sg_strbuf *nested)
{
    if (plain->n)
        sg_strbuf_printf(out, "[%s]", plain->data);
    if (nested->n)
        sg_strbuf_puts(out, nested->data + !plain->n);
    out->failed |= plain->failed || nested->failed;
}

/* [...]. Classes in it become alternatives, what && joins looks ahead: each takes one character, as a class does. */
static int class(reader *r, size_t depth)
{
    sg_strbuf *out = r->out, all = {0};
    const char *start = r->p;
    bool negated = r->p + 1 < r->end && r->p[1] == '^', simple = true, again = true;
    int rc = SG_OK;
    if (depth == MAX_DEPTH)
        return refuse(r, start, 24, "too many classes in classes");
    r->p += negated ? 2 : 1;
    for (bool first = true; again && rc == SG_OK; first = false) {
        sg_strbuf plain = {0}, nested = {0};
        rc = operand(r, start, first, depth, &plain, &nested);
        again = rc == SG_OK && at(r, "&&");
        r->p += again ? 2 : 0;
        simple = first && !again && !nested.n;
        sg_strbuf_puts(&all, simple ? "" : again ? "(?=" : "(?:");
        write_operand(&all, &plain, &nested);
        sg_strbuf_puts(&all, simple ? "" : ")");
        sg_strbuf_free(&plain);
        sg_strbuf_free(&nested);
    }
    r->out = out;
    if (rc == SG_OK && r->p == r->end)
        rc = sg_fail(r->err, SG_ERR_FORMAT, "%s: the regular expression has a class without its ]", r->what);
    if (rc == SG_OK) {
        r->p++;
        if (simple && negated && all.n)
            sg_strbuf_printf(out, "[^%s", all.data + 1);
        else if (simple)
            sg_strbuf_add(out, all.data, all.n);
        else
            sg_strbuf_printf(out, negated ? "(?:(?!%s)[\\x00-\\x{10ffff}])" : "(?:%s)", all.data ? all.data : "");
        out->failed |= all.failed;
    }
    sg_strbuf_free(&all);
    return rc;
}

/* ---- repeats, groups ----------------------------------------------------------------------------------- */

/* Puts what is repeated, with its repeat, into a group of its own. */
static int wrap(reader *r, const char *start)
{
    static const char open[] = "(?:";
    if (r->atom == NO_ATOM)
        return refuse(r, start, 8, "a repeat of nothing");
    sg_strbuf_puts(r->out, "    "); /* room for both ends */
    if (r->out->failed)
        return SG_OK; /* the end will say so */
    char *atom = r->out->data + r->atom;
    memmove(atom + 3, atom, r->out->n - 4 - r->atom);
    memcpy(atom, open, 3);
    r->out->data[r->out->n - 1] = ')';
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
        r->atom = r->out->n;
        sg_strbuf_puts(r->out, "\\{");
        r->p++;
        return SG_OK;
    }
    p++;
    sg_strbuf_puts(r->out, low ? "{" : "{0");
    sg_strbuf_add(r->out, start + 1, (size_t)(p - start - 1));
    r->p = p;
    if (p < r->end && (*p == '+' || (*p == '?' && !comma)))
        return wrap(r, start);
    return SG_OK;
}

static int group(reader *r)
{
    size_t n = 1, i = 0;
    if (at(r, "(?")) {
        while (i < SG_ARRAY_LEN(groups) && !at(r, groups[i]))
            i++;
        bool opens = r->atom == NO_ATOM && (r->p == r->pattern || r->p[-1] == '(' || r->p[-1] == ':');
        if (i == SG_ARRAY_LEN(groups) && at(r, "(?i)") && opens) {
            copy(r, 4);
            return SG_OK;
        }
        if (i == SG_ARRAY_LEN(groups))
            return refuse(r, r->p, 5, "a group that is not supported yet");
        n = strlen(groups[i]);
    }
    if (r->depth == MAX_DEPTH)
        return refuse(r, r->p, 8, "too many groups in groups");
    r->groups[r->depth++] = r->out->n;
    copy(r, n);
    r->atom = NO_ATOM;
    return SG_OK;
}

/* One item. The atom is what a repeat behind it repeats; repeats leave it as it is. */
static int item(reader *r)
{
    size_t start = r->out->n;
    bool is_set;
    int rc;
    switch (*r->p) {
    case '{':
        return brace(r);
    case '(': /* (* is a verb for PCRE2, an error for Oniguruma */
        return at(r, "(*") ? refuse(r, r->p, 8, "a repeat of nothing") : group(r);
    case ')':
        r->atom = r->depth ? r->groups[--r->depth] : NO_ATOM;
        copy(r, 1);
        return SG_OK;
    case '*':
    case '+':
    case '?':
        copy(r, 1);
        return SG_OK;
    case '|':
        copy(r, 1);
        r->atom = NO_ATOM;
        return SG_OK;
    case '\\':
        rc = escape(r, false, &is_set);
        break;
    case '[':
        rc = class(r, 0);
        break;
    default:
        rc = SG_OK;
        copy(r, sg_utf8_length(*r->p));
    }
    r->atom = start;
    return rc;
}

int sg_regex_translate(char **out, const char *pattern, size_t bytes, const char *what, sg_error *err)
{
    sg_strbuf text = {0};
    reader r = {.p = pattern,
                .pattern = pattern,
                .end = pattern + bytes,
                .out = &text,
                .what = what,
                .err = err,
                .atom = NO_ATOM};
    int rc = SG_OK;
    if (memchr(pattern, 0, bytes))
        return sg_fail(err, SG_ERR_REFUSED, "%s: the regular expression has a NUL character", what);
    while (rc == SG_OK && r.p < r.end)
        rc = item(&r);
    if (rc < 0) {
        sg_strbuf_free(&text);
        return rc;
    }
    return sg_strbuf_finish(&text, out, err);
}
