/* Questions and templates. */
#include <string.h>

#include "core/mem.h"
#include "tasks/table.h"
#include "tasks/text.h"

int sg_question_string(const sg_question *q, const char *path, const char **out, sg_error *err)
{
    return sg_row_string(q->row, q->where, path, out, err);
}

int sg_question_option(sg_question *q, const char *option, sg_error *err)
{
    if (q->n_options == SG_MAX_OPTIONS)
        return sg_fail(err, SG_ERR_FORMAT, "%s: more than %d options", q->where, SG_MAX_OPTIONS);
    q->options[q->n_options++] = option;
    return SG_OK;
}

int sg_question_options(sg_question *q, const char *path, sg_error *err)
{
    json_object *list = sg_row_get(q->row, path);
    if (!json_object_is_type(list, json_type_array) || !json_object_array_length(list))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" must be a list of strings", q->where, path);
    int rc = SG_OK;
    for (size_t i = 0; i < json_object_array_length(list) && !rc; i++) {
        json_object *value = json_object_array_get_idx(list, i);
        const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
        if (!text || strlen(text) != (size_t)json_object_get_string_len(value))
            rc =
                sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\"[%zu] must be a string without 0 characters", q->where, path, i);
        else
            rc = sg_question_option(q, text, err);
    }
    return rc;
}

void sg_question_name(sg_question *q, const char *name, const char *value)
{
    q->named[q->n_named].name = name;
    q->named[q->n_named++].value = value;
}

const char *sg_question_own(sg_question *q, sg_strbuf *b, sg_error *err)
{
    char *text;
    if (sg_strbuf_finish(b, &text, err))
        return NULL;
    q->owned[q->n_owned++] = text;
    return text;
}

void sg_question_dispose(sg_question *q)
{
    while (q->n_owned)
        sg_free(q->owned[--q->n_owned]);
}

/* ---- the answer --------------------------------------------------------------------------------------- */

/* Is word one of the words in list? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == n && !strncmp(at, word, n))
            return true;
        at += length;
    }
    return false;
}

int sg_question_gold(sg_question *q, const sg_task_row *row, bool *unlabelled, sg_error *err)
{
    json_object *value = sg_row_get(q->row, row->answer);
    const char *text = value ? json_object_get_string(value) : NULL; /* of a number or truth value: its JSON text */
    *unlabelled = false;
    if (!text || !*text)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\", the right answer, is missing", q->where, row->answer);
    if (row->unlabelled && !strcmp(text, row->unlabelled)) {
        *unlabelled = true;
        return SG_OK;
    }
    if (row->labels[0]) {
        for (int i = 0; i < (int)SG_ARRAY_LEN(row->labels) && row->labels[i]; i++)
            if (has_word(row->labels[i], text))
                q->gold = i;
    } else if (strlen(text) <= 2 && strspn(text, "0123456789") == strlen(text)) {
        q->gold = text[1] ? (text[0] - '0') * 10 + text[1] - '0' : text[0] - '0';
    }
    if (q->gold < 0 || q->gold >= sg_question_choices(q))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is %.40s, which is none of the %d options", q->where,
                       row->answer, text, sg_question_choices(q));
    return SG_OK;
}

/* ---- templates ---------------------------------------------------------------------------------------- */

static int look_up(const sg_question *q, const char *name, int option, const char **value, sg_error *err)
{
    if (!strcmp(name, "option")) {
        *value = q->fixed ? q->fixed[option] : q->options[option];
        return SG_OK;
    }
    if (name[0] >= 'A' && name[0] <= 'Z' && !name[1]) {
        if (name[0] - 'A' >= q->n_options)
            return sg_fail(err, SG_ERR_FORMAT, "%s: there is no option %s", q->where, name);
        *value = q->options[name[0] - 'A'];
        return SG_OK;
    }
    for (int i = 0; i < q->n_named; i++)
        if (!strcmp(q->named[i].name, name)) {
            *value = q->named[i].value;
            return SG_OK;
        }
    return sg_question_string(q, name, value, err);
}

int sg_question_expand(const sg_question *q, const char *template, int option, sg_strbuf *b, sg_error *err)
{
    for (const char *at = template; *at;) {
        size_t plain = strcspn(at, "{");
        sg_strbuf_add(b, at, plain);
        at += plain;
        if (!*at)
            break;
        char name[64] = "";
        size_t n = strcspn(++at, "|}");
        const char *value;
        memcpy(name, at, n < sizeof name ? n : sizeof name - 1);
        int rc = look_up(q, name, option, &value, err);
        if (rc)
            return rc;
        sg_view s = sg_view_of(value);
        sg_put_view(b, at[n] == '|' ? sg_strip(s) : s); /* strip is the only filter */
        at += strcspn(at, "}") + 1;
    }
    return SG_OK;
}
