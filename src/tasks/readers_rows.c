/* The parts of questions that templates do not say: tasks in which the file has them in another shape, or in two. */
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "tasks/python.h"
#include "tasks/table.h"
#include "tasks/text.h"

static int no_memory(const char *where, sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for its rows", where);
}

/* obj[key] = value once more, borrowed from another object; NULL: that one lacks it */
static int share(json_object *obj, const char *where, const char *key, json_object *value, sg_error *err)
{
    return value ? sg_json_put(obj, key, json_object_get(value), err)
                 : sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is missing or null", where, key);
}

static int need_object(json_object *row, const char *where, sg_error *err)
{
    return json_object_is_type(row, json_type_object) ? SG_OK
                                                      : sg_fail(err, SG_ERR_FORMAT, "%s: must be an object", where);
}

static int need_list(json_object *list, const char *where, const char *key, size_t least, sg_error *err)
{
    if (json_object_is_type(list, json_type_array) && json_object_array_length(list) >= least)
        return SG_OK;
    return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" must be a list of at least %zu", where, key, least);
}

/* The rows are replaced, or freed on an error. */
static int replace_rows(json_object **rows, json_object *made, int rc)
{
    if (rc) {
        json_object_put(made);
        return rc;
    }
    json_object_put(*rows);
    *rows = made;
    return SG_OK;
}

/* ---- arc, openbookqa, commonsense_qa ------------------------------------------------------------------- */

/* Two shapes: {"question": {"stem", "choices": [{"text", "label"}]}, "answerKey"} of the authors' files, and
 * {"question" or "question_stem", "choices": {"text": [], "label": []}, "answerKey"} of Hugging Face's. */
int sg_read_arc(sg_question *q, sg_error *err)
{
    bool nested = json_object_is_type(sg_row_get(q->row, "question"), json_type_object);
    const char *stem, *key, *label;
    int rc;
    if ((rc = sg_question_string(q,
                                 nested                                ? "question.stem"
                                 : sg_row_get(q->row, "question_stem") ? "question_stem"
                                                                       : "question",
                                 &stem, err)) ||
        (rc = sg_question_string(q, "answerKey", &key, err)))
        return rc;
    sg_question_name(q, "stem", stem);
    json_object *choices = sg_row_get(q->row, nested ? "question.choices" : "choices"),
                *labels = nested ? choices : sg_json_get(choices, "label");
    if (!nested && (rc = sg_question_options(q, "choices.text", err)))
        return rc;
    if ((rc = need_list(labels, q->where, nested ? "choices" : "choices.label", 1, err)))
        return rc;
    if (!nested && json_object_array_length(labels) != (size_t)q->n_options)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"choices\" has %d texts and %zu labels", q->where, q->n_options,
                       json_object_array_length(labels));
    for (size_t i = 0; i < json_object_array_length(labels); i++) {
        json_object *choice = json_object_array_get_idx(labels, i);
        const char *text;
        if (nested &&
            ((rc = sg_row_string(choice, q->where, "text", &text, err)) ||
             (rc = sg_row_string(choice, q->where, "label", &label, err)) || (rc = sg_question_option(q, text, err))))
            return rc;
        if (!nested)
            label = json_object_get_string(choice);
        if (q->gold < 0 && label && !strcmp(label, key + strspn(key, " ")))
            q->gold = (int)i;
    }
    if (q->gold < 0 || q->gold >= sg_question_choices(q))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"answerKey\" is %.20s, which is no option's label", q->where, key);
    return SG_OK;
}

/* ---- piqa: answers in a second file -------------------------------------------------------------------- */

/* valid.jsonl has its answers in valid-labels.lst beside it, a line each; other copies have "label" in the rows. */
int sg_arrange_piqa(json_object **rows, const char *path, sg_error *err)
{
    size_t n = json_object_array_length(*rows), bytes, stem = strlen(path);
    if (sg_row_get(json_object_array_get_idx(*rows, 0), "label"))
        return SG_OK;
    const char *dot = strrchr(path, '.');
    if (dot && !strchr(dot, '/'))
        stem = (size_t)(dot - path);
    char *labels = sg_asprintf("%.*s-labels.lst", (int)stem, path), *text = NULL;
    int rc = labels ? sg_file_read(labels, 64 << 20, &text, &bytes, err) : no_memory(path, err);
    const char *at = text;
    for (size_t i = 0; i < n && !rc; i++) {
        json_object *row = json_object_array_get_idx(*rows, i);
        size_t length = strcspn(at, "\r\n");
        char where[600];
        snprintf(where, sizeof where, "%.500s: item %zu", path, i);
        if ((rc = need_object(row, where, err)))
            break;
        if (length != 1 || (*at != '0' && *at != '1'))
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: line %zu: expected 0 or 1, a line for each of the %zu items", labels,
                         i + 1, n);
        else
            rc = sg_json_put(row, "label", json_object_new_int(*at - '0'), err);
        at += length;
        at += strspn(at, "\r");
        at += *at == '\n';
    }
    if (!rc && at[strspn(at, "\r\n ")])
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: has more lines than %s has items (%zu)", labels, path, n);
    sg_free(labels);
    sg_free(text);
    return rc;
}

int sg_read_piqa(sg_question *q, sg_error *err)
{
    const char *option[2];
    int rc;
    if ((rc = sg_question_string(q, "sol1", &option[0], err)) ||
        (rc = sg_question_string(q, "sol2", &option[1], err)) || (rc = sg_question_option(q, option[0], err)))
        return rc;
    return sg_question_option(q, option[1], err);
}

/* ---- boolq -------------------------------------------------------------------------------------------- */

/* SuperGLUE's passages begin with "Title -- "; Google's own file has the title apart, and the answer under "answer". */
int sg_read_boolq(sg_question *q, sg_error *err)
{
    const char *passage, *title, *text;
    int rc = sg_question_string(q, "passage", &passage, err);
    if (rc)
        return rc;
    if (!sg_row_get(q->row, "title")) {
        sg_question_name(q, "text", passage);
        return SG_OK;
    }
    json_object *answer = sg_row_get(q->row, "answer");
    sg_strbuf b = {0};
    if ((rc = sg_question_string(q, "title", &title, err)))
        return rc;
    if (json_object_is_type(answer, json_type_boolean))
        q->gold = json_object_get_boolean(answer) ? 1 : 0;
    sg_strbuf_printf(&b, "%s -- %s", title, passage);
    text = sg_question_own(q, &b, err);
    sg_question_name(q, "text", text);
    return text ? SG_OK : SG_ERR_NOMEM;
}

/* ---- race --------------------------------------------------------------------------------------------- */

/* The authors' files have parallel lists, one file an article: {"article", "questions", "options", "answers", "id"}. */
static int race_from_lists(json_object *row, const char *where, json_object *problems, sg_error *err)
{
    static const char *const from[] = {"questions", "options", "answers"}, *const to[] = {"question", "options",
                                                                                          "answer"};
    json_object *lists[3];
    int rc = SG_OK;
    for (int i = 0; i < 3 && !rc; i++) {
        lists[i] = sg_json_get(row, from[i]);
        rc = need_list(lists[i], where, from[i], i ? json_object_array_length(lists[0]) : 1, err);
    }
    for (size_t k = 0; !rc && k < json_object_array_length(lists[0]); k++) {
        json_object *problem = json_object_new_object();
        for (int i = 0; i < 3 && !rc; i++)
            rc = share(problem, where, to[i], json_object_array_get_idx(lists[i], k), err);
        if (rc)
            json_object_put(problem);
        else
            rc = sg_json_append(problems, problem, err);
    }
    return rc;
}

/* Takes one row into the articles made so far; by_id: their "problems", by article. */
static int race_take(json_object *row, const char *where, json_object *articles, json_object *by_id, sg_error *err)
{
    const char *id = NULL;
    json_object *single = sg_json_get(row, "question"), *given = single ? NULL : sg_json_get(row, "problems"),
                *problems;
    if (need_object(row, where, err) || (single && sg_row_string(row, where, "example_id", &id, err)))
        return SG_ERR_FORMAT;
    if (single && (problems = sg_json_get(by_id, id))) /* one more question of an article */
        return sg_json_append(problems, json_object_get(row), err);
    json_object *article = json_object_new_object();
    json_object *name = sg_json_get(row, single ? "example_id" : "id");
    int rc = SG_OK;
    if (json_object_is_type(given, json_type_string)) /* Hugging Face's rows of articles, as Python writes a list */
        rc = sg_python_parse(&problems, json_object_get_string(given), where, err);
    else
        problems = given ? json_object_get(given) : json_object_new_array();
    if (!rc)
        rc = sg_json_put(article, "problems", problems, err);
    if (!rc)
        rc = share(article, where, "article", sg_json_get(row, "article"), err);
    if (!rc && name)
        rc = share(article, where, "id", name, err);
    if (!rc && single && !(rc = share(by_id, where, id, problems, err)))
        rc = sg_json_append(problems, json_object_get(row), err);
    else if (!rc && !given)
        rc = race_from_lists(row, where, problems, err);
    if (rc) {
        json_object_put(article);
        return rc;
    }
    return sg_json_append(articles, article, err);
}

/* Rows of one question each are gathered by article. */
int sg_arrange_race(json_object **rows, const char *path, sg_error *err)
{
    json_object *articles = json_object_new_array(), *by_id = json_object_new_object();
    int rc = articles && by_id ? SG_OK : no_memory(path, err);
    for (size_t i = 0; i < json_object_array_length(*rows) && !rc; i++) {
        char where[600];
        snprintf(where, sizeof where, "%.500s: row %zu", path, i + 1);
        rc = race_take(json_object_array_get_idx(*rows, i), where, articles, by_id, err);
    }
    json_object_put(by_id);
    return replace_rows(rows, articles, rc);
}

static int race_problem(json_object *problem, const sg_question *q, const char **question, json_object **options,
                        int *answer, sg_error *err)
{
    const char *letter;
    int rc;
    if ((rc = sg_row_string(problem, q->where, "question", question, err)) ||
        (rc = sg_row_string(problem, q->where, "answer", &letter, err)))
        return rc;
    *options = sg_json_get(problem, "options");
    if ((rc = need_list(*options, q->where, "options", 4, err)))
        return rc;
    *answer = letter[0] >= 'A' && letter[0] <= 'D' && !letter[1] ? letter[0] - 'A' : -1;
    return *answer >= 0 ? SG_OK : sg_fail(err, SG_ERR_FORMAT, "%s: \"answer\" is %.20s, not A to D", q->where, letter);
}

/* The article, its earlier questions with their answers, and the last, whose options are the item's. */
int sg_read_race(sg_question *q, sg_error *err)
{
    static const char gap[] = "  _  .";
    json_object *problems = sg_json_get(q->row, "problems"), *options = NULL;
    const char *article, *question = NULL, *text;
    sg_strbuf b = {0};
    int answer = -1, rc;
    if ((rc = sg_question_string(q, "article", &article, err)) ||
        (rc = need_list(problems, q->where, "problems", 1, err)))
        return rc;
    sg_strbuf_printf(&b, "Article: %s\n\n", article);
    for (size_t i = 0, n = json_object_array_length(problems); i < n && !rc; i++) {
        rc = race_problem(json_object_array_get_idx(problems, i), q, &question, &options, &answer, err);
        if (rc || i + 1 == n)
            break;
        const char *option = json_object_get_string(json_object_array_get_idx(options, (size_t)answer));
        size_t length = strlen(question), tail = sizeof gap - 1;
        if (length >= tail && !strcmp(question + length - tail, gap))
            sg_strbuf_printf(&b, "%.*s%s\n", (int)(length - tail + 1), question, option ? option : "");
        else
            sg_strbuf_printf(&b, "Question: %s\nAnswer: %s\n", question, option ? option : "");
    }
    if (rc) {
        sg_strbuf_free(&b);
        return rc;
    }
    sg_strbuf_puts(&b, question);
    text = sg_question_own(q, &b, err);
    sg_question_name(q, "text", text);
    q->gold = answer;
    for (size_t i = 0; i < 4 && text && !rc; i++) {
        json_object *option = json_object_array_get_idx(options, i);
        if (!json_object_is_type(option, json_type_string))
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: \"options\" must be strings", q->where);
        else
            rc = sg_question_option(q, json_object_get_string(option), err);
    }
    return text ? rc : SG_ERR_NOMEM;
}

/* ---- c3 ----------------------------------------------------------------------------------------------- */

/* [[lines], [{"question", "choice", "answer"}], id] to a row for each question, with "text" and "id". */
static int c3_take(json_object *row, const char *where, json_object *made, sg_error *err)
{
    json_object *lines = json_object_array_get_idx(row, 0), *questions = json_object_array_get_idx(row, 1);
    sg_strbuf b = {0};
    int rc;
    if ((rc = need_list(lines, where, "lines", 1, err)) || (rc = need_list(questions, where, "questions", 1, err)))
        return rc;
    for (size_t i = 0; i < json_object_array_length(lines); i++) {
        const char *line = json_object_get_string(json_object_array_get_idx(lines, i));
        sg_strbuf_printf(&b, "%s%s", i ? " " : "", line ? line : "");
    }
    json_object *text = b.failed ? NULL : json_object_new_string(b.data);
    sg_strbuf_free(&b);
    rc = text ? SG_OK : no_memory(where, err);
    for (size_t i = 0; i < json_object_array_length(questions) && !rc; i++) {
        json_object *question = json_object_array_get_idx(questions, i);
        if (!json_object_is_type(question, json_type_object))
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: a question must be an object", where);
        else if (!(rc = share(question, where, "text", text, err)) &&
                 !(rc = share(question, where, "id", json_object_array_get_idx(row, 2), err)))
            rc = sg_json_append(made, json_object_get(question), err);
    }
    json_object_put(text);
    return rc;
}

int sg_arrange_c3(json_object **rows, const char *path, sg_error *err)
{
    json_object *made = json_object_new_array();
    int rc = made ? SG_OK : no_memory(path, err);
    for (size_t i = 0; i < json_object_array_length(*rows) && !rc; i++) {
        json_object *row = json_object_array_get_idx(*rows, i);
        char where[600];
        snprintf(where, sizeof where, "%.500s: item %zu", path, i);
        rc = need_list(row, where, "[lines, questions, id]", 3, err);
        if (!rc)
            rc = c3_take(row, where, made, err);
    }
    return replace_rows(rows, made, rc);
}

int sg_read_c3(sg_question *q, sg_error *err)
{
    const char *answer;
    int rc;
    if ((rc = sg_question_options(q, "choice", err)) || (rc = sg_question_string(q, "answer", &answer, err)))
        return rc;
    for (int i = q->n_options - 1; i >= 0; i--)
        if (!strcmp(q->options[i], answer))
            q->gold = i;
    return q->gold >= 0 ? SG_OK
                        : sg_fail(err, SG_ERR_FORMAT, "%s: \"answer\" is none of the choices: %.60s", q->where, answer);
}

/* ---- mmlu, cmmlu -------------------------------------------------------------------------------------- */

/* Six columns, question, four options, answer; CMMLU puts an index in front. A first row of headings is dropped. */
int sg_arrange_csv(json_object **rows, const char *path, sg_error *err)
{
    json_object *first = json_object_array_get_idx(*rows, 0);
    size_t width = first ? json_object_array_length(first) : 0;
    if (width != 6 && width != 7)
        return sg_fail(err, SG_ERR_FORMAT, "%s: rows of %zu fields, expected question, four options and answer", path,
                       width);
    const char *heading = json_object_get_string(json_object_array_get_idx(first, width - 6));
    bool headed = !strcmp(heading, "question") || !strcmp(heading, "Question");
    if (headed && json_object_array_del_idx(*rows, 0, 1))
        return no_memory(path, err);
    return json_object_array_length(*rows) ? SG_OK : sg_fail(err, SG_ERR_FORMAT, "%s: has no items in it", path);
}

int sg_read_csv(sg_question *q, sg_error *err)
{
    size_t skip = json_object_array_length(q->row) - 6;
    const char *field[6];
    int rc = SG_OK;
    for (size_t i = 0; i < 6; i++)
        field[i] = json_object_get_string(json_object_array_get_idx(q->row, skip + i));
    sg_question_name(q, "stem", field[0]);
    for (int i = 1; i < 5 && !rc; i++)
        rc = sg_question_option(q, field[i], err);
    const char *answer = field[5];
    if (!rc && answer[0] && !answer[1])
        q->gold = answer[0] >= 'A' && answer[0] <= 'D'   ? answer[0] - 'A'
                  : answer[0] >= '0' && answer[0] <= '3' ? answer[0] - '0'
                                                         : -1;
    if (!rc && q->gold < 0)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: the answer is %.20s, not A to D or 0 to 3", q->where, answer);
    return rc;
}

/* ---- any other ---------------------------------------------------------------------------------------- */

/* {"context", "choices", "answer"}; "delimiter" stands between context and choice, a blank when not given. */
int sg_read_choices(sg_question *q, sg_error *err)
{
    const char *delimiter = " ";
    int rc = sg_row_get(q->row, "delimiter") ? sg_question_string(q, "delimiter", &delimiter, err) : SG_OK;
    if (rc)
        return rc;
    sg_question_name(q, "delimiter", delimiter);
    return sg_question_options(q, "choices", err);
}
