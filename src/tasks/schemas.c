/* WSCollection.xml. */
#include "tasks/schemas.h"

#include <stdio.h>
#include <string.h>

#include "tasks/text.h"

enum { WSC273 = 273 };

/* What stands between <name> and </name>; false: not there, or not ended. */
static bool element(sg_view in, const char *name, sg_view *out)
{
    char tag[32];
    int n = snprintf(tag, sizeof tag, "<%s>", name);
    const char *from = memmem(in.data, in.n, tag, (size_t)n);
    if (!from)
        return false;
    from += n;
    n = snprintf(tag, sizeof tag, "</%s>", name);
    const char *to = memmem(from, (size_t)(in.data + in.n - from), tag, (size_t)n);
    if (to)
        *out = (sg_view){from, (size_t)(to - from)};
    return to != NULL;
}

/* An element's words, single blanks between them, and XML's five entities as what they stand for. */
static void put_words(sg_strbuf *b, sg_view s)
{
    static const char *const entities[][2] = {
        {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}};
    sg_view word;
    const char *blank = "";
    sg_strbuf_add(b, "", 0);
    while ((word = sg_next_word(&s)).n) {
        sg_strbuf_puts(b, blank);
        sg_put_view(b, word);
        blank = " ";
    }
    for (size_t i = 0; i < SG_ARRAY_LEN(entities); i++)
        sg_replace(b, entities[i][0], entities[i][1]);
}

static int put_string(json_object *row, const char *key, const sg_strbuf *b, sg_error *err)
{
    return sg_json_put(row, key, b->failed ? NULL : json_object_new_string(b->data), err);
}

static int put_text(json_object *row, sg_view text, const char *where, sg_error *err)
{
    sg_view parts[3] = {{"", 0}, {"", 0}, {"", 0}};
    sg_strbuf words[3] = {{0}}, whole = {0};
    element(text, "txt1", &parts[0]); /* a text may begin with its pronoun */
    element(text, "txt2", &parts[2]);
    if (!element(text, "pron", &parts[1]))
        return sg_fail(err, SG_ERR_FORMAT, "%s: has no <pron> in its <text>", where);
    for (int i = 0; i < 3; i++) {
        put_words(&words[i], parts[i]);
        sg_strbuf_printf(&whole, "%s%s", whole.n && words[i].n ? " " : "", words[i].failed ? "" : words[i].data);
    }
    size_t left = words[0].failed ? 0 : sg_code_points((sg_view){words[0].data, words[0].n});
    int rc = put_string(row, "text", &whole, err);
    if (!rc && !(rc = put_string(row, "pronoun", &words[1], err)))
        rc = sg_json_put(row, "pronoun_loc", json_object_new_int64((int64_t)(left ? left + 1 : 0)), err);
    for (int i = 0; i < 3; i++)
        sg_strbuf_free(&words[i]);
    sg_strbuf_free(&whole);
    return rc;
}

static int put_options(json_object *row, sg_view answers, const char *where, sg_error *err)
{
    json_object *list = json_object_new_array();
    sg_view answer;
    int rc = SG_OK;
    for (int i = 0; i < 2 && !rc; i++) {
        sg_strbuf b = {0};
        if (!element(answers, "answer", &answer)) {
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: has fewer than two <answer>", where);
            break;
        }
        put_words(&b, answer);
        rc = sg_json_append(list, b.failed ? NULL : json_object_new_string(b.data), err);
        sg_strbuf_free(&b);
        answers.n -= (size_t)(answer.data + answer.n - answers.data);
        answers.data = answer.data + answer.n;
    }
    if (!rc)
        return sg_json_put(row, "options", list, err);
    json_object_put(list);
    return rc;
}

static int take_schema(json_object *row, sg_view schema, const char *where, sg_error *err)
{
    sg_view text, answers, correct;
    if (!element(schema, "text", &text) || !element(schema, "answers", &answers) ||
        !element(schema, "correctAnswer", &correct) || !(correct = sg_strip(correct)).n ||
        (*correct.data != 'A' && *correct.data != 'B'))
        return sg_fail(err, SG_ERR_FORMAT, "%s: expected <text>, <answers> and <correctAnswer>, A or B", where);
    int rc = put_text(row, text, where, err);
    if (!rc && !(rc = put_options(row, answers, where, err)))
        rc = sg_json_put(row, "label", json_object_new_int(*correct.data - 'A'), err);
    return rc;
}

int sg_schemas_parse(json_object **out, const char *data, const char *what, sg_error *err)
{
    json_object *rows = json_object_new_array();
    sg_view rest = sg_view_of(data), schema;
    int rc = rows ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", what);
    for (int n = 0; !rc && n < WSC273 && element(rest, "schema", &schema); n++) {
        char where[600];
        json_object *row = json_object_new_object();
        snprintf(where, sizeof where, "%.500s: schema %d", what, n + 1);
        rc = row ? take_schema(row, schema, where, err) : sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", what);
        if (rc)
            json_object_put(row);
        else
            rc = sg_json_append(rows, row, err);
        rest.n -= (size_t)(schema.data + schema.n - rest.data);
        rest.data = schema.data + schema.n;
    }
    if (rc)
        json_object_put(rows);
    else
        *out = rows;
    return rc;
}
