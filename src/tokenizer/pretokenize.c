/* Steps run depth first: a piece goes through all steps that are left before the next piece is cut, so nothing is
 * stored. */
#include "tokenizer/pretokenize.h"

#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "tokenizer/bytelevel.h"

const char sg_gpt2_regex[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static int add(sg_pretokenizer *pre, sg_step step, const char *what, sg_error *err)
{
    if (pre->n == SG_MAX_STEPS)
        return sg_fail(err, SG_ERR_REFUSED, "%s: more than %d steps of pre-tokenizing", what, SG_MAX_STEPS);
    pre->steps[pre->n++] = step;
    return SG_OK;
}

/* Expressions in use that look ahead to the end of a run of digits from each of its places: quadratic in its length.
 * What finds the same pieces in linear time looks from the run's first three places only, and goes on (\G) from there.
 */
#define THREES(digit)                                                                                                  \
    "\\G(?<=" digit ")" digit "{3}|(?:(?<!" digit ")|(?<=(?<!" digit ")" digit ")|(?<=(?<!" digit ")" digit digit      \
    "))" digit "{3}(?=(?:" digit "{3})*+(?!" digit "))"
static const struct linear {
    const char *pattern, *instead;
    sg_behavior behavior; /* instead of isolated */
} linears[] = {
    {"(?=(\\d{3})+(?!\\d))", THREES("\\d"), SG_MERGED_WITH_NEXT},
    {"(?=([0-9]{3})+(?![0-9]))", THREES("[0-9]"), SG_MERGED_WITH_NEXT},
    {"\\d{1,3}(?=(?:\\d{3})*\\b)", "\\G(?<=\\d)\\d{3}|(?<!\\d)\\d{1,3}(?=(?:\\d{3})*+\\b)", SG_ISOLATED},
};

int sg_pretokenizer_split(sg_pretokenizer *pre, const char *pattern, size_t bytes, bool literal, sg_behavior behavior,
                          bool invert, const char *what, sg_error *err)
{
    sg_step step = {.behavior = behavior, .invert = invert};
    for (size_t i = 0; i < SG_ARRAY_LEN(linears) && !literal && !invert && behavior == SG_ISOLATED; i++)
        if (strlen(linears[i].pattern) == bytes && !memcmp(linears[i].pattern, pattern, bytes)) {
            pattern = linears[i].instead;
            bytes = strlen(pattern);
            step.behavior = linears[i].behavior;
            break;
        }
    int rc = sg_regex_compile(&step.regex, pattern, bytes, literal, what, err);
    if (rc == SG_OK && (rc = add(pre, step, what, err)) < 0)
        sg_regex_free(step.regex);
    return rc;
}

int sg_pretokenizer_prefix_blank(sg_pretokenizer *pre, const char *what, sg_error *err)
{
    return add(pre, (sg_step){.kind = SG_STEP_PREFIX_BLANK}, what, err);
}

int sg_pretokenizer_metaspace(sg_pretokenizer *pre, const char *mark, sg_prepend prepend, bool cuts, const char *what,
                              sg_error *err)
{
    sg_step step = {.kind = SG_STEP_METASPACE, .prepend = prepend, .cuts = cuts};
    memcpy(step.mark, mark, sg_utf8_length(*mark));
    return add(pre, step, what, err);
}

int sg_pretokenizer_spell(sg_pretokenizer *pre, const char *what, sg_error *err)
{
    return add(pre, (sg_step){.kind = SG_STEP_SPELL}, what, err);
}

void sg_pretokenizer_dispose(sg_pretokenizer *pre)
{
    for (size_t i = 0; i < pre->n; i++)
        sg_regex_free(pre->steps[i].regex);
    pre->n = 0;
}

typedef struct walk {
    const sg_pretokenizer *pre;
    sg_matcher *matcher;
    sg_take_word take;
    void *user;
    sg_error *err;
} walk;

static int run(const walk *w, size_t step, const char *text, size_t bytes, size_t head);

/* One step on one piece: its segments come in order, alternately matched and not (two matches may touch). */
typedef struct cut {
    const walk *walk;
    size_t step;
    const char *text;
    size_t head;
    size_t start, end; /* what waits to learn whether its neighbour joins it */
    bool waits, matched;
} cut;

static int emit(const cut *c, size_t start, size_t end)
{
    return run(c->walk, c->step + 1, c->text + start, end - start, c->head > start ? c->head - start : 0);
}

static int flush(cut *c)
{
    bool waited = c->waits;
    c->waits = false;
    return waited ? emit(c, c->start, c->end) : SG_OK;
}

/* Does a segment join the one that waits? */
static bool joins(const cut *c, sg_behavior behavior, bool matched)
{
    switch (behavior) {
    case SG_MERGED_WITH_PREVIOUS:
        return matched && !c->matched;
    case SG_MERGED_WITH_NEXT:
        return !matched && c->matched;
    case SG_CONTIGUOUS:
        return matched == c->matched;
    default:
        return false;
    }
}

static int segment(cut *c, size_t start, size_t end, bool matched)
{
    const sg_step *step = &c->walk->pre->steps[c->step];
    matched ^= step->invert;
    if (step->behavior == SG_REMOVED && matched)
        return SG_OK;
    bool join = c->waits && joins(c, step->behavior, matched);
    int rc = join ? SG_OK : flush(c);
    if (!join)
        c->start = start;
    c->end = end;
    c->matched = matched;
    c->waits = true;
    return rc;
}

/* A match of no characters splits too, except right behind another match. */
static int split(const walk *w, size_t step, const char *text, size_t bytes, size_t head)
{
    cut c = {.walk = w, .step = step, .text = text, .head = head};
    size_t done = 0, from = 0, start = 0, end = 0;
    bool any = false;
    int rc = SG_OK;
    while (rc == SG_OK && from <= bytes) {
        int found = sg_regex_find(w->pre->steps[step].regex, w->matcher, text, bytes, from, &start, &end, w->err);
        if (found < 0)
            return found;
        if (!found)
            break;
        if (start == end && any && end == done) {
            from = end < bytes ? end + sg_utf8_length(text[end]) : bytes + 1;
            continue;
        }
        if (start > done)
            rc = segment(&c, done, start, false);
        if (rc == SG_OK)
            rc = segment(&c, start, end, true);
        done = from = end;
        any = true;
    }
    if (rc == SG_OK && done < bytes)
        rc = segment(&c, done, bytes, false);
    return rc == SG_OK ? flush(&c) : rc;
}

static int no_memory(const walk *w, size_t bytes)
{
    return sg_fail(w->err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", bytes);
}

static int prefix_blank(const walk *w, size_t step, const char *text, size_t bytes, size_t head)
{
    if (*text == ' ')
        return run(w, step + 1, text, bytes, head);
    char *copy = sg_alloc(bytes + 1, 1);
    if (!copy)
        return no_memory(w, bytes);
    copy[0] = ' ';
    memcpy(copy + 1, text, bytes);
    int rc = run(w, step + 1, copy, bytes + 1, head + (head > 0));
    sg_free(copy);
    return rc;
}

static int spell(const walk *w, size_t step, const char *text, size_t bytes, size_t head)
{
    char *copy = sg_alloc(bytes, 2);
    if (!copy)
        return no_memory(w, bytes);
    size_t new_head = sg_bytelevel_spell(text, head, copy);
    size_t n = new_head + sg_bytelevel_spell(text + head, bytes - head, copy + new_head);
    int rc = run(w, step + 1, copy, n, new_head);
    sg_free(copy);
    return rc;
}

/* What is between two marks is a piece, the mark in front of it. */
static int cut_at_marks(const walk *w, size_t step, const char *text, size_t bytes, size_t head)
{
    const char *mark = w->pre->steps[step].mark;
    size_t n_mark = strlen(mark);
    int rc = SG_OK;
    for (size_t start = 0, end; start < bytes && rc == SG_OK; start = end) {
        const char *next = memmem(text + start + 1, bytes - start - 1, mark, n_mark);
        end = next ? (size_t)(next - text) : bytes;
        rc = run(w, step + 1, text + start, end - start, head > start ? head - start : 0);
    }
    return rc;
}

static int metaspace(const walk *w, size_t step, const char *text, size_t bytes, size_t head)
{
    const sg_step *s = &w->pre->steps[step];
    size_t n_mark = strlen(s->mark), blanks = 0, n = 0, new_head = 0;
    for (size_t i = 0; i < bytes; i++)
        blanks += text[i] == ' ';
    char *copy = sg_alloc(bytes + (blanks + 1) * n_mark, 1);
    if (!copy)
        return no_memory(w, bytes);
    bool marked = *text == ' ' || (bytes >= n_mark && !memcmp(text, s->mark, n_mark));
    if (!marked && (s->prepend == SG_PREPEND_ALWAYS || (s->prepend == SG_PREPEND_FIRST && head))) {
        memcpy(copy, s->mark, n_mark);
        n = n_mark;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == ' ') {
            memcpy(copy + n, s->mark, n_mark);
            n += n_mark;
        } else {
            copy[n++] = text[i];
        }
        if (i + 1 == head)
            new_head = n;
    }
    int rc = s->cuts ? cut_at_marks(w, step, copy, n, new_head) : run(w, step + 1, copy, n, new_head);
    sg_free(copy);
    return rc;
}

static int run(const walk *w, size_t step, const char *text, size_t bytes, size_t head)
{
    if (!bytes)
        return SG_OK;
    if (head > bytes)
        head = bytes;
    if (step == w->pre->n)
        return w->take(w->user, text, bytes, w->err);
    switch (w->pre->steps[step].kind) {
    case SG_STEP_PREFIX_BLANK:
        return prefix_blank(w, step, text, bytes, head);
    case SG_STEP_METASPACE:
        return metaspace(w, step, text, bytes, head);
    case SG_STEP_SPELL:
        return spell(w, step, text, bytes, head);
    default:
        return split(w, step, text, bytes, head);
    }
}

int sg_pretokenize(const sg_pretokenizer *pre, sg_matcher *matcher, const char *text, size_t bytes, size_t head,
                   sg_take_word take, void *user, sg_error *err)
{
    walk w = {.pre = pre, .matcher = matcher, .take = take, .user = user, .err = err};
    return run(&w, 0, text, bytes, head);
}
