/* Each step reads one buffer and writes another. */
#include "tokenizer/normalize.h"

#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

static const char blank_mark[] = "\xe2\x96\x81"; /* U+2581, which stands for a blank */

sg_rewrite *sg_normalizer_add(sg_normalizer *norm, sg_rewrite_kind kind, const char *what, sg_error *err)
{
    if (norm->n == SG_MAX_REWRITES) {
        sg_fail(err, SG_ERR_REFUSED, "%s: more than %d steps of normalizing", what, SG_MAX_REWRITES);
        return NULL;
    }
    norm->steps[norm->n] = (sg_rewrite){.kind = kind};
    return &norm->steps[norm->n++];
}

int sg_rewrite_set(char **to, size_t *to_bytes, const char *text, size_t bytes, const char *what, sg_error *err)
{
    *to = sg_alloc(bytes + 1, 1);
    if (!*to)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for a text of %zu bytes", what, bytes);
    memcpy(*to, text, bytes);
    (*to)[bytes] = 0;
    *to_bytes = bytes;
    return SG_OK;
}

void sg_normalizer_dispose(sg_normalizer *norm)
{
    for (size_t i = 0; i < norm->n; i++) {
        sg_rewrite *s = &norm->steps[i];
        sg_free(s->from);
        sg_free(s->to);
        sg_regex_free(s->regex);
        sg_charsmap_dispose(&s->map);
        sg_trie_dispose(&s->kept);
    }
    norm->n = 0;
}

/* ---- the steps ----------------------------------------------------------------------------------------- */

typedef struct text { /* what a step reads, and where it writes */
    const char *in;
    size_t bytes;
    size_t head; /* see sg_normalize; of `in`, then of `out` */
    sg_strbuf *out;
    sg_matcher *matcher;
    sg_error *err;
} text;

static void prepend(const sg_rewrite *s, text *t)
{
    sg_strbuf_add(t->out, s->to, t->bytes ? s->to_bytes : 0);
    sg_strbuf_add(t->out, t->in, t->bytes);
    t->head += t->bytes ? s->to_bytes : 0;
}

/* The next match at or behind `from`: 1, 0 or an error. */
static int next_match(const sg_rewrite *s, const text *t, size_t from, size_t *start, size_t *end)
{
    if (s->regex)
        return sg_regex_find(s->regex, t->matcher, t->in, t->bytes, from, start, end, t->err);
    const char *at = s->from_bytes == 1 ? memchr(t->in + from, *s->from, t->bytes - from)
                                        : memmem(t->in + from, t->bytes - from, s->from, s->from_bytes);
    *start = at ? (size_t)(at - t->in) : 0;
    *end = *start + s->from_bytes;
    return at != NULL;
}

/* HF says of what is put in that it comes from the last character it replaces. */
static int replace(const sg_rewrite *s, text *t)
{
    size_t done = 0, from = 0, start = 0, end = 0, head = 0;
    bool any = false;
    while (from <= t->bytes) {
        int found = next_match(s, t, from, &start, &end);
        if (found < 0)
            return found;
        if (!found)
            break;
        from = end;
        if (start == end) { /* a match of no characters: not right behind another, and the next is looked for later */
            from += end < t->bytes ? sg_utf8_length(t->in[end]) : 1;
            if (any && end == done)
                continue;
        }
        if (done < t->head)
            head = t->out->n + (start < t->head ? start : t->head) - done;
        sg_strbuf_add(t->out, t->in + done, start - done);
        sg_strbuf_add(t->out, s->to, s->to_bytes);
        if (!end || sg_utf8_before(t->in, end) < t->head)
            head = t->out->n;
        done = end;
        any = true;
    }
    if (done < t->head)
        head = t->out->n + t->head - done;
    sg_strbuf_add(t->out, t->in + done, t->bytes - done);
    t->head = head;
    return SG_OK;
}

static bool is_blank(const char *s, size_t n)
{
    /* Unicode's White_Space */
    static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
                                       "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
                                       "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
                                       "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    if (n == 1)
        return *s == ' ' || (*s >= '\t' && *s <= '\r');
    for (size_t i = 0; i < SG_ARRAY_LEN(wide); i++)
        if (strlen(wide[i]) == n && !memcmp(wide[i], s, n))
            return true;
    return false;
}

static void strip(const sg_rewrite *s, text *t)
{
    size_t start = 0, end = t->bytes;
    while (s->left && start < end && is_blank(t->in + start, sg_utf8_length(t->in[start])))
        start += sg_utf8_length(t->in[start]);
    while (s->right && end > start) {
        size_t last = sg_utf8_before(t->in, end);
        if (!is_blank(t->in + last, end - last))
            break;
        end = last;
    }
    sg_strbuf_add(t->out, t->in + start, end - start);
    t->head = t->head > start ? t->head - start : 0;
}

/* HF's reading of the map, oddities included: a grapheme of fewer than 6 bytes is replaced whole by what its beginning
 * stands for; else each character for itself. */
static void map_graphemes(const sg_rewrite *s, text *t)
{
    size_t head = 0, n = 0;
    for (size_t i = 0; i < t->bytes; i += n) {
        const char *to = NULL;
        size_t to_bytes = 0;
        n = sg_grapheme(t->in + i, t->bytes - i);
        bool whole = n < 6 && sg_charsmap_find(&s->map, t->in + i, n, false, &to, &to_bytes);
        if (whole)
            sg_strbuf_add(t->out, to, to_bytes);
        for (size_t k = i, c; !whole && k < i + n; k += c) {
            c = sg_utf8_length(t->in[k]);
            if (sg_charsmap_find(&s->map, t->in + k, c, false, &to, &to_bytes))
                sg_strbuf_add(t->out, to, to_bytes);
            else
                sg_strbuf_add(t->out, t->in + k, c);
        }
        if (t->head && (i < t->head || !head)) /* for HF, what follows characters that vanish stands in their place */
            head = t->out->n;
    }
    t->head = head;
}

/* What the text at `at` becomes, and how much of it: the beginning of a user-defined token stays (llama.cpp means whole
 * tokens, but takes any beginning, also half a character), the map's longest stretch, a character. */
static size_t map_prefix(const sg_rewrite *s, const text *t, size_t at, const char **to, size_t *n)
{
    size_t used = 0;
    uint32_t node = 0;
    *to = t->in + at;
    while (at + used < t->bytes && (node = sg_trie_step(&s->kept, node, (*to)[used])))
        used++;
    *n = used;
    if (used)
        return used;
    used = sg_charsmap_find(&s->map, *to, t->bytes - at, true, to, n);
    if (used)
        return used;
    if ((**to & 0xc0) == 0x80) { /* the other half */
        *to = "\xef\xbf\xbd";
        *n = 3;
        return 1;
    }
    return *n = sg_utf8_length(**to);
}

static void map_ugm(const sg_rewrite *s, text *t)
{
    bool prepended = false, in_word = false;
    for (size_t i = 0; i < t->bytes;) {
        const char *to;
        size_t n;
        for (i += map_prefix(s, t, i, &to, &n); n; n--, to++) {
            bool word = *to != ' ';
            if (word && !in_word && ((s->prefix && !prepended) || s->merge)) {
                sg_strbuf_puts(t->out, blank_mark);
                prepended = true;
            }
            in_word = word;
            if (word)
                sg_strbuf_add(t->out, to, 1);
            else if (!s->merge)
                sg_strbuf_puts(t->out, blank_mark);
        }
    }
    t->head = 0; /* no step behind this one asks */
}

static size_t first_character(const char *s, size_t n)
{
    return n ? sg_utf8_length(*s) : 0;
}

/* What treats each character for itself. */
static void by_character(void (*rewrite)(const char *text, size_t bytes, sg_strbuf *out), text *t)
{
    size_t head = t->head;
    rewrite(t->in, head, t->out);
    t->head = t->out->n;
    rewrite(t->in + head, t->bytes - head, t->out);
}

static int apply(const sg_rewrite *s, text *t, bool after)
{
    int rc = SG_OK;
    switch (s->kind) {
    case SG_REWRITE_PREPEND_AFTER:
    case SG_REWRITE_PREPEND:
        if (s->kind == SG_REWRITE_PREPEND || after)
            prepend(s, t);
        else
            sg_strbuf_add(t->out, t->in, t->bytes);
        return SG_OK;
    case SG_REWRITE_REPLACE:
        return replace(s, t);
    case SG_REWRITE_STRIP:
        strip(s, t);
        return SG_OK;
    case SG_REWRITE_CHARSMAP:
        map_graphemes(s, t);
        return SG_OK;
    case SG_REWRITE_UGM:
        map_ugm(s, t);
        return SG_OK;
    case SG_REWRITE_FORM:
        rc = sg_normal_form(s->form, t->in, t->bytes, t->out, t->err);
        t->head = t->head ? first_character(t->out->data, t->out->n) : 0;
        return rc;
    case SG_REWRITE_LOWERCASE:
        by_character(sg_lowercase, t);
        return SG_OK;
    case SG_REWRITE_STRIP_ACCENTS:
        by_character(sg_strip_accents, t);
        return SG_OK;
    }
    return rc;
}

int sg_normalize(const sg_normalizer *norm, sg_matcher *matcher, const char *in, size_t bytes, bool after,
                 sg_strbuf *out, size_t *head, sg_error *err)
{
    text t = {.in = in, .bytes = bytes, .head = first_character(in, bytes), .matcher = matcher, .err = err};
    sg_strbuf buffers[2] = {{0}};
    int rc = SG_OK;
    for (size_t i = 0; i < norm->n && rc == SG_OK; i++) {
        t.out = &buffers[i % 2];
        t.out->n = 0;
        rc = apply(&norm->steps[i], &t, after);
        if (rc == SG_OK && t.out->failed)
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", bytes);
        t.in = t.out->data ? t.out->data : "";
        t.bytes = t.out->n;
    }
    if (norm->n && rc == SG_OK) {
        *out = *t.out;
        *t.out = (sg_strbuf){0};
    } else if (rc == SG_OK) {
        sg_strbuf_add(out, in, bytes);
        if (out->failed)
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", bytes);
    }
    if (head)
        *head = t.head;
    sg_strbuf_free(&buffers[0]);
    sg_strbuf_free(&buffers[1]);
    return rc;
}
