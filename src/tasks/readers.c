/* The parts of questions that templates do not say: tasks in which the text itself is worked on. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tasks/table.h"
#include "tasks/text.h"

/* Owned text under a name. */
static int name_text(sg_question *q, const char *name, sg_strbuf *b, sg_error *err)
{
    const char *text = sg_question_own(q, b, err);
    sg_question_name(q, name, text);
    return text ? SG_OK : SG_ERR_NOMEM;
}

static int name_view(sg_question *q, const char *name, sg_view s, sg_error *err)
{
    sg_strbuf b = {0};
    sg_put_view(&b, s);
    return name_text(q, name, &b, err);
}

/* ---- hellaswag ---------------------------------------------------------------------------------------- */

/* Deletes what the regular expression \[.*?\] matches: a bracket to the next closing one on its line. */
static void delete_brackets(sg_strbuf *b)
{
    sg_strbuf out = {0};
    const char *at = b->data;
    if (b->failed || !at)
        return;
    while (*at) {
        size_t n = *at == '[' ? strcspn(at, "]\n") : 0;
        if (n && at[n] == ']') {
            at += n + 1;
            continue;
        }
        n = n ? n : 1; /* no bracket of this line closes */
        sg_strbuf_add(&out, at, n);
        at += n;
    }
    sg_strbuf_add(&out, "", 0);
    sg_strbuf_free(b);
    *b = out;
}

static void clean_wikihow(sg_strbuf *b)
{
    sg_strbuf out = {0};
    if (b->failed || !b->data)
        return;
    sg_put_view(&out, sg_strip((sg_view){b->data, b->n}));
    sg_strbuf_free(b);
    *b = out;
    sg_replace(b, " [title]", ". ");
    delete_brackets(b);
    sg_replace(b, "  ", " ");
}

int sg_read_hellaswag(sg_question *q, sg_error *err)
{
    const char *activity, *a, *b, *text;
    sg_strbuf query = {0};
    int rc;
    if ((rc = sg_question_string(q, "activity_label", &activity, err)) ||
        (rc = sg_question_string(q, "ctx_a", &a, err)) || (rc = sg_question_string(q, "ctx_b", &b, err)) ||
        (rc = sg_question_options(q, "endings", err)))
        return rc;
    sg_strbuf_printf(&query, "%s: %s ", activity, a);
    sg_put_capitalized(&query, sg_view_of(b));
    clean_wikihow(&query);
    if ((rc = name_text(q, "query", &query, err)))
        return rc;
    for (int i = 0; i < q->n_options; i++) {
        sg_strbuf ending = {0};
        sg_strbuf_puts(&ending, q->options[i]);
        clean_wikihow(&ending);
        if (!(text = sg_question_own(q, &ending, err)))
            return SG_ERR_NOMEM;
        q->options[i] = text;
    }
    return SG_OK;
}

/* ---- a blank, and what stands behind it --------------------------------------------------------------- */

int sg_read_winogrande(sg_question *q, sg_error *err)
{
    const char *sentence, *option[2], *blank;
    int rc;
    if ((rc = sg_question_string(q, "sentence", &sentence, err)) ||
        (rc = sg_question_string(q, "option1", &option[0], err)) ||
        (rc = sg_question_string(q, "option2", &option[1], err)) || (rc = sg_question_option(q, option[0], err)) ||
        (rc = sg_question_option(q, option[1], err)))
        return rc;
    if (!(blank = strchr(sentence, '_')))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"sentence\" has no blank (_) in it", q->where);
    if ((rc = name_view(q, "before", (sg_view){sentence, (size_t)(blank - sentence)}, err)))
        return rc;
    return name_view(q, "after", sg_strip(sg_view_of(blank + 1)), err);
}

static bool is_one_of(sg_view word, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == word.n && !memcmp(*words, word.data, word.n))
            return true;
    return false;
}

/* An option as it stands in the pronoun's place: possessive, and small inside a sentence. */
static int place_option(sg_question *q, int i, bool possessive, bool starts_sentence, sg_error *err)
{
    static const char *const capitals[] = {"A",    "An", "The", "She", "He",    "It",
                                           "They", "My", "His", "Her", "Their", NULL};
    sg_strbuf b = {0};
    sg_strbuf_printf(&b, "%s%s", q->options[i], possessive ? "'s" : "");
    sg_view rest = sg_view_of(b.failed ? "" : b.data), first = sg_next_word(&rest);
    if (!starts_sentence && is_one_of(first, capitals)) {
        char from[8] = "", to[8];
        memcpy(from, first.data, first.n);
        strcpy(to, from);
        to[0] |= 0x20;
        sg_replace(&b, from, to); /* all of them: str.replace does not count */
    }
    return (q->options[i] = sg_question_own(q, &b, err)) ? SG_OK : SG_ERR_NOMEM;
}

int sg_read_wsc273(sg_question *q, sg_error *err)
{
    static const char *const possessives[] = {"my", "his", "her", "our", "their", NULL};
    const char *raw, *pronoun, *text;
    sg_strbuf b = {0};
    int64_t loc = 0;
    bool found;
    int rc;
    if ((rc = sg_question_string(q, "text", &raw, err)) || (rc = sg_question_string(q, "pronoun", &pronoun, err)) ||
        (rc = sg_json_get_int(q->row, q->where, "pronoun_loc", 0, INT32_MAX, &loc, &found, err)) ||
        (rc = sg_question_options(q, "options", err)))
        return rc;
    sg_strbuf_puts(&b, raw);
    sg_replace(&b, "  ", " ");
    if (!(text = sg_question_own(q, &b, err)))
        return SG_ERR_NOMEM;
    sg_view all = sg_view_of(text);
    size_t points = sg_code_points(all), width = sg_code_points(sg_view_of(pronoun));
    if (!found || q->n_options != 2 || points < 2 || (size_t)loc + width > points)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: expected two \"options\" and, as \"pronoun_loc\", a place of the pronoun in \"text\"",
                       q->where);
    /* Python's text[loc - 2]: from the end when loc is 0 or 1 */
    size_t before = loc >= 2 ? (size_t)loc - 2 : points + (size_t)loc - 2;
    bool starts_sentence = text[sg_code_point_offset(all, before)] == '.';
    char lower[8] = "";
    for (size_t i = 0; i < sizeof lower - 1 && pronoun[i]; i++)
        lower[i] = (char)(pronoun[i] >= 'A' && pronoun[i] <= 'Z' ? pronoun[i] | 0x20 : pronoun[i]);
    bool possessive = strlen(pronoun) < sizeof lower && is_one_of(sg_view_of(lower), possessives);
    for (int i = 0; i < 2 && !rc; i++)
        rc = place_option(q, i, possessive, starts_sentence, err);
    size_t at = sg_code_point_offset(all, (size_t)loc), behind = sg_code_point_offset(all, (size_t)loc + width);
    if (rc || (rc = name_view(q, "before", (sg_view){text, at}, err)))
        return rc;
    sg_question_name(q, "after", text + behind);
    return SG_OK;
}

/* ---- wsc (SuperGLUE) ---------------------------------------------------------------------------------- */

/* Blanks that word tokenizers put before and behind punctuation, out again. */
static void detokenize(sg_strbuf *b)
{
    static const char *const pairs[][2] = {{" n't", "n't"}, {" )", ")"}, {"( ", "("}, {"\" ", "\""}, {" \"", "\""}};
    for (size_t i = 0; i < SG_ARRAY_LEN(pairs); i++)
        sg_replace(b, pairs[i][0], pairs[i][1]);
    if (b->failed || !b->data)
        return;
    size_t n = 0; /* the expression " (['.,])" to its group */
    for (size_t i = 0; i < b->n; i++)
        if (b->data[i] != ' ' || i + 1 == b->n || !strchr("'.,", b->data[i + 1]))
            b->data[n++] = b->data[i];
    b->n = n;
    b->data[n] = 0;
}

int sg_read_wsc(sg_question *q, sg_error *err)
{
    const char *text, *noun, *pronoun;
    const char *prefix =
        sg_row_get(q->row, "target") ? "target." : ""; /* SuperGLUE's file nests them, HF's rows do not */
    char path[3][32];
    int64_t index = 0;
    bool found;
    int rc;
    for (int i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "%sspan%d_text", prefix, i + 1);
    json_object *spans = *prefix ? sg_row_get(q->row, "target") : q->row;
    if ((rc = sg_question_string(q, "text", &text, err)) || (rc = sg_question_string(q, path[0], &noun, err)) ||
        (rc = sg_question_string(q, path[1], &pronoun, err)) ||
        (rc = sg_json_get_int(spans, q->where, "span2_index", 0, INT32_MAX, &index, &found, err)))
        return rc;
    if (!found)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"span2_index\" is missing", q->where);
    sg_strbuf b = {0};
    sg_view all = sg_view_of(text), rest = all, word;
    while (index-- && (word = sg_next_word(&rest)).n) { /* the words before the pronoun, joined by single blanks */
        sg_strbuf_puts(&b, b.n ? " " : "");
        sg_put_view(&b, word);
    }
    size_t points = sg_code_points((sg_view){b.data, b.n}) + sg_code_points(sg_view_of(pronoun)) + 1;
    sg_strbuf_printf(&b, " *%s*%s", pronoun, text + sg_code_point_offset(all, points));
    detokenize(&b);
    sg_question_name(q, "noun", noun);
    sg_question_name(q, "pronoun", pronoun);
    return name_text(q, "passage", &b, err);
}

/* ---- the last word ------------------------------------------------------------------------------------ */

int sg_read_lambada(sg_question *q, sg_error *err)
{
    const char *text, *blank;
    int rc = sg_question_string(q, "text", &text, err);
    if (rc)
        return rc;
    if (!(blank = strrchr(text, ' ')))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"text\" is one word", q->where);
    q->gold = 0;
    if ((rc = sg_question_option(q, blank + 1, err)))
        return rc;
    return name_view(q, "before", (sg_view){text, (size_t)(blank - text)}, err);
}

/* ---- chid: every option is the sentence with its idiom ------------------------------------------------- */

int sg_read_chid(sg_question *q, sg_error *err)
{
    const char *content;
    int rc;
    if ((rc = sg_question_string(q, "content", &content, err)) || (rc = sg_question_options(q, "candidates", err)))
        return rc;
    if (!strstr(content, "#idiom#"))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"content\" has no #idiom# in it", q->where);
    for (int i = 0; i < q->n_options; i++) {
        sg_strbuf b = {0};
        sg_strbuf_puts(&b, content);
        sg_replace(&b, "#idiom#", q->options[i]);
        if (!(q->options[i] = sg_question_own(q, &b, err)))
            return SG_ERR_NOMEM;
    }
    return SG_OK;
}
