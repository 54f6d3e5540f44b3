/* Spellings are sorted, so that reading the text byte by byte narrows a range of candidates by bisection. */
#include "tokenizer/added.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

/* Rust's \w, by which HF decides: Alphabetic, marks, decimal digits, connectors, joiners. Alphabetic is letters, letter
 * numbers, marks and the four ranges of circled letters. */
#define WORD                                                                                                           \
    "[\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200c}\\x{200d}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"                     \
    "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}]"

/* ---- the set ------------------------------------------------------------------------------------------- */

int sg_added_add(sg_added *added, const sg_added_token *token, sg_error *err)
{
    if (added->n == added->room) {
        size_t room = added->room ? added->room * 2 : 64;
        sg_added_token *tokens = sg_resize(added->tokens, room, sizeof *tokens);
        if (!tokens)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu added tokens", room);
        added->tokens = tokens;
        added->room = room;
    }
    added->tokens[added->n++] = *token;
    return SG_OK;
}

static int by_spelling(const void *pa, const void *pb)
{
    const sg_added_token *a = pa, *b = pb;
    int order = memcmp(a->text, b->text, a->bytes < b->bytes ? a->bytes : b->bytes);
    if (!order)
        order = (a->bytes > b->bytes) - (a->bytes < b->bytes);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

/* Normalizes each token's text; all of them lie in one block. */
static int normalize(sg_added *added, const sg_normalizer *norm, const char *what, sg_error *err)
{
    sg_strbuf all = {0};
    sg_matcher *matcher = NULL;
    int rc = sg_matcher_create(&matcher, err);
    for (size_t i = 0; i < added->n && rc == SG_OK; i++) {
        sg_added_token *t = &added->tokens[i];
        sg_strbuf one = {0};
        rc = sg_normalize(norm, matcher, t->text, t->bytes, true, &one, NULL, err);
        if (rc == SG_OK && !one.n)
            rc = sg_fail(err, SG_ERR_REFUSED, "%s: the added token \"%.*s\" is nothing when it is normalized", what,
                         (int)(t->bytes < 60 ? t->bytes : 60), t->text);
        sg_strbuf_add(&all, one.data, one.n);
        t->bytes = one.n;
        sg_strbuf_free(&one);
    }
    sg_matcher_free(matcher);
    if (rc == SG_OK)
        rc = sg_strbuf_finish(&all, &added->normalized, err);
    sg_strbuf_free(&all);
    size_t at = 0;
    for (size_t i = 0; i < added->n && rc == SG_OK; at += added->tokens[i++].bytes)
        added->tokens[i].text = added->normalized + at;
    return rc;
}

int sg_added_finish(sg_added *added, const sg_vocab *vocab, const sg_normalizer *norm, const char *what, sg_error *err)
{
    bool words = false, blanks = false;
    int rc = SG_OK;
    for (size_t i = 0; i < added->n; i++) {
        sg_added_token *t = &added->tokens[i];
        t->text = sg_vocab_spelling(vocab, t->id, &t->bytes);
        words |= t->single_word;
        blanks |= added->order == SG_LEFTMOST_LONGEST && (t->lstrip || t->rstrip);
    }
    if (added->n && norm && norm->n && (rc = normalize(added, norm, what, err)) < 0)
        return rc;
    if (added->n)
        qsort(added->tokens, added->n, sizeof *added->tokens, by_spelling);
    for (size_t i = 0, byte = 0; byte < 257; byte++) {
        while (i < added->n && (uint8_t)added->tokens[i].text[0] < byte)
            i++;
        added->first[byte] = (uint32_t)i;
    }
    if (words)
        rc = sg_regex_compile(&added->word, WORD, strlen(WORD), false, "word characters", err);
    if (rc == SG_OK && blanks)
        rc = sg_regex_compile(&added->blank, "\\s", 2, false, "blanks", err);
    return rc;
}

void sg_added_dispose(sg_added *added)
{
    sg_free(added->tokens);
    sg_free(added->normalized);
    sg_regex_free(added->word);
    sg_regex_free(added->blank);
    *added = (sg_added){0};
}

/* The tokens that begin with the bytes read so far. */
typedef struct range {
    size_t low, high, depth;
} range;

/* Narrows the range by the next byte: the first token at or after `low` whose byte at depth is at least `byte`. */
static size_t bisect(const sg_added *added, range r, unsigned byte)
{
    while (r.low < r.high) {
        size_t mid = r.low + (r.high - r.low) / 2;
        const sg_added_token *t = &added->tokens[mid];
        if (t->bytes <= r.depth || (uint8_t)t->text[r.depth] < byte)
            r.low = mid + 1;
        else
            r.high = mid;
    }
    return r.low;
}

/* The next longer token that text begins with, after the one found with the same r (all zero at first); or NULL. */
static const sg_added_token *next_at(const sg_added *added, const char *text, size_t bytes, range *r)
{
    while (r->depth < bytes) {
        uint8_t byte = (uint8_t)text[r->depth];
        if (r->depth == 0)
            *r = (range){added->first[byte], added->first[byte + 1], 0};
        else
            *r = (range){bisect(added, *r, byte), bisect(added, *r, byte + 1u), r->depth};
        r->depth++;
        if (r->low == r->high)
            return NULL;
        if (added->tokens[r->low].bytes == r->depth)
            return &added->tokens[r->low];
    }
    return NULL;
}

/* ---- leftmost longest ---------------------------------------------------------------------------------- */

/* Is the one character at text[start, end) of that kind? */
static bool is(const sg_regex *kind, sg_matcher *matcher, const char *text, size_t start, size_t end)
{
    size_t from, to;
    return sg_regex_find(kind, matcher, text + start, end - start, 0, &from, &to, NULL) == 1;
}

/* No word character touches text[start, end). */
static bool stands_alone(const sg_added *added, sg_matcher *m, const char *text, size_t bytes, size_t start, size_t end)
{
    return (start == 0 || !is(added->word, m, text, sg_utf8_before(text, start), start)) &&
           (end == bytes || !is(added->word, m, text, end, end + sg_utf8_length(text[end])));
}

static int leftmost_longest(const sg_added *added, sg_matcher *m, const char *text, size_t bytes, sg_take_part take,
                            void *user, sg_error *err)
{
    size_t done = 0, at = 0; /* done: parts are handed on up to here */
    int rc = SG_OK;
    while (rc == SG_OK && at < bytes) {
        range r = {0};
        const sg_added_token *best = NULL, *t;
        uint8_t byte = (uint8_t)text[at];
        if (added->first[byte] != added->first[byte + 1])
            while ((t = next_at(added, text + at, bytes - at, &r)))
                best = t;
        if (!best) {
            at++;
            continue;
        }
        size_t start = at, end = at + best->bytes;
        at = end;
        if (best->single_word && !stands_alone(added, m, text, bytes, start, end))
            continue;
        while (best->lstrip && start > done && is(added->blank, m, text, sg_utf8_before(text, start), start))
            start = sg_utf8_before(text, start);
        while (best->rstrip && end < bytes && is(added->blank, m, text, end, end + sg_utf8_length(text[end])))
            end += sg_utf8_length(text[end]);
        /* a token that begins with blanks which the one before took along: HF gives it all the same */
        if (start > done)
            rc = take(user, text + done, start - done, -1, err);
        if (rc == SG_OK)
            rc = take(user, text + start, end - start, best->id, err);
        done = end;
    }
    return rc == SG_OK && done < bytes ? take(user, text + done, bytes - done, -1, err) : rc;
}

/* ---- longest first ------------------------------------------------------------------------------------- */

typedef struct match {
    size_t start, end;
    int32_t id;
    bool rstrip;
} match;

typedef struct matches {
    match *data;
    size_t n, room;
} matches;

static int add_match(matches *m, match one, sg_error *err)
{
    if (m->n == m->room) {
        size_t room = m->room ? m->room * 2 : 256;
        match *data = sg_resize(m->data, room, sizeof *data);
        if (!data)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu special tokens", room);
        m->data = data;
        m->room = room;
    }
    m->data[m->n++] = one;
    return SG_OK;
}

/* Longest first, tokens of one length by id, matches of one token from the left. */
static int by_precedence(const void *pa, const void *pb)
{
    const match *a = pa, *b = pb;
    size_t la = a->end - a->start, lb = b->end - b->start;
    if (la != lb)
        return la > lb ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->start > b->start) - (a->start < b->start);
}

static int by_start(const void *pa, const void *pb)
{
    const match *a = pa, *b = pb;
    return (a->start > b->start) - (a->start < b->start);
}

static bool is_taken(const uint8_t *taken, size_t at)
{
    return taken[at / 8] >> at % 8 & 1;
}

/* Keeps, by precedence, each match that overlaps none kept before, with the blanks that it takes along; then in the
 * text's order. taken: a bit per byte. */
static void keep(matches *m, uint8_t *taken, const char *text, size_t bytes)
{
    size_t kept = 0;
    qsort(m->data, m->n, sizeof *m->data, by_precedence);
    for (size_t i = 0; i < m->n; i++) {
        match one = m->data[i];
        size_t p = one.start;
        while (p < one.end && !is_taken(taken, p))
            p++;
        if (p < one.end)
            continue;
        while (one.rstrip && p < bytes && !is_taken(taken, p) &&
               (text[p] == ' ' || (text[p] >= '\t' && text[p] <= '\r')))
            one.end = ++p;
        for (p = one.start; p < one.end; p++)
            taken[p / 8] = (uint8_t)(taken[p / 8] | 1u << p % 8);
        m->data[kept++] = one;
    }
    m->n = kept;
    qsort(m->data, kept, sizeof *m->data, by_start);
}

static int longest_first(const sg_added *added, const char *text, size_t bytes, sg_take_part take, void *user,
                         sg_error *err)
{
    matches m = {0};
    uint8_t *taken = NULL;
    size_t done = 0;
    int rc = SG_OK;
    for (size_t at = 0; at < bytes && rc == SG_OK; at++) {
        range r = {0};
        const sg_added_token *t;
        uint8_t byte = (uint8_t)text[at];
        if (added->first[byte] == added->first[byte + 1])
            continue;
        while (rc == SG_OK && (t = next_at(added, text + at, bytes - at, &r)))
            rc = add_match(&m, (match){at, at + t->bytes, t->id, t->rstrip}, err);
    }
    if (rc == SG_OK && m.n) {
        taken = sg_alloc_zero(bytes / 8 + 1, 1);
        if (taken)
            keep(&m, taken, text, bytes);
        else
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", bytes);
    }
    for (size_t i = 0; i < m.n && rc == SG_OK; i++) {
        if (m.data[i].start > done)
            rc = take(user, text + done, m.data[i].start - done, -1, err);
        if (rc == SG_OK)
            rc = take(user, text + m.data[i].start, m.data[i].end - m.data[i].start, m.data[i].id, err);
        done = m.data[i].end;
    }
    if (rc == SG_OK && done < bytes)
        rc = take(user, text + done, bytes - done, -1, err);
    sg_free(taken);
    sg_free(m.data);
    return rc;
}

int sg_added_split(const sg_added *added, sg_matcher *matcher, const char *text, size_t bytes, sg_take_part take,
                   void *user, sg_error *err)
{
    if (!added->n)
        return bytes ? take(user, text, bytes, -1, err) : SG_OK;
    return added->order == SG_LONGEST_FIRST ? longest_first(added, text, bytes, take, user, err)
                                            : leftmost_longest(added, matcher, text, bytes, take, user, err);
}
