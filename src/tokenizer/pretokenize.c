/* Steps run depth first: a piece goes through all steps that are left before the next piece is cut, so nothing is
 * stored. */
#include "tokenizer/pretokenize.h"

#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

const char sg_gpt2_regex[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static int add(sg_pretokenizer *pre, sg_step step, const char *what, sg_error *err)
{
    if (pre->n == SG_MAX_STEPS)
        return sg_fail(err, SG_ERR_REFUSED, "%s: more than %d steps of pre-tokenizing", what, SG_MAX_STEPS);
    pre->steps[pre->n++] = step;
    return SG_OK;
}

int sg_pretokenizer_split(sg_pretokenizer *pre, const char *pattern, size_t bytes, bool literal, sg_behavior behavior,
                          bool invert, const char *what, sg_error *err)
{
    sg_step step = {.behavior = behavior, .invert = invert};
    int rc = sg_regex_compile(&step.regex, pattern, bytes, literal, what, err);
    if (rc == SG_OK && (rc = add(pre, step, what, err)) < 0)
        sg_regex_free(step.regex);
    return rc;
}

int sg_pretokenizer_prefix_blank(sg_pretokenizer *pre, const char *what, sg_error *err)
{
    return add(pre, (sg_step){.regex = NULL}, what, err);
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

static int run(const walk *w, size_t step, const char *text, size_t bytes);

/* One step on one piece: its segments come in order, alternately matched and not (two matches may touch). */
typedef struct cut {
    const walk *walk;
    size_t step;
    const char *text;
    size_t start, end; /* what waits to learn whether its neighbour joins it */
    bool waits, matched;
} cut;

static int emit(const cut *c, size_t start, size_t end)
{
    return run(c->walk, c->step + 1, c->text + start, end - start);
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
static int split(const walk *w, size_t step, const char *text, size_t bytes)
{
    cut c = {.walk = w, .step = step, .text = text};
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

static int prefix_blank(const walk *w, size_t step, const char *text, size_t bytes)
{
    if (*text == ' ')
        return run(w, step + 1, text, bytes);
    char *copy = sg_alloc(bytes + 1, 1);
    if (!copy)
        return sg_fail(w->err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", bytes);
    copy[0] = ' ';
    memcpy(copy + 1, text, bytes);
    int rc = run(w, step + 1, copy, bytes + 1);
    sg_free(copy);
    return rc;
}

static int run(const walk *w, size_t step, const char *text, size_t bytes)
{
    if (!bytes)
        return SG_OK;
    if (step == w->pre->n)
        return w->take(w->user, text, bytes, w->err);
    return w->pre->steps[step].regex ? split(w, step, text, bytes) : prefix_blank(w, step, text, bytes);
}

int sg_pretokenize(const sg_pretokenizer *pre, sg_matcher *matcher, const char *text, size_t bytes, sg_take_word take,
                   void *user, sg_error *err)
{
    walk w = {.pre = pre, .matcher = matcher, .take = take, .user = user, .err = err};
    return run(&w, 0, text, bytes);
}
