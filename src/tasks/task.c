/* sg_task_read: a published file to items. */
#include "tasks/task.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/nearest.h"
#include "tasks/text.h"

void sg_task_free(sg_task *task)
{
    if (!task)
        return;
    for (size_t i = 0; i < task->n_pool; i++)
        sg_free(task->pool[i]);
    sg_free(task->pool);
    sg_free(task->items);
    sg_free(task->requests);
    sg_names_free(task->groups, task->n_groups);
    sg_free(task->name);
    sg_free(task->path);
    sg_free(task);
}

const char *sg_task_name(size_t i)
{
    return i < sg_n_task_rows ? sg_task_rows[i].name : NULL;
}

size_t sg_task_items(const sg_task *task)
{
    return task->n_items;
}

/* Room for one more behind n. */
static bool grow(void **list, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *grown = sg_resize(*list, wanted, size);
    if (!grown)
        return false;
    *list = grown;
    *capacity = wanted;
    return true;
}

/* b's string into the pool; NULL with err filled. */
static const char *keep(sg_task *task, sg_strbuf *b, sg_error *err)
{
    char *text;
    sg_strbuf_add(b, "", 0);
    if (sg_strbuf_finish(b, &text, err))
        return NULL;
    if (!grow((void **)&task->pool, task->n_pool, &task->cap_pool, sizeof *task->pool)) {
        sg_free(text);
        sg_fail(err, SG_ERR_NOMEM, "no memory for the items of %s", task->path);
        return NULL;
    }
    return task->pool[task->n_pool++] = text;
}

/* The row's own name for the item, else its place in the file. */
static const char *item_id(sg_task *task, json_object *row, size_t index, const char *group, sg_error *err)
{
    static const char *const keys[] = {"id", "idx", "ind", "qID", "example_id"};
    sg_strbuf b = {0};
    if (group)
        sg_strbuf_printf(&b, "%s/", group);
    for (size_t i = 0; i < SG_ARRAY_LEN(keys); i++) {
        json_object *value = sg_json_get(row, keys[i]);
        if (json_object_is_type(value, json_type_string) || json_object_is_type(value, json_type_int)) {
            sg_strbuf_puts(&b, json_object_get_string(value));
            return keep(task, &b, err);
        }
    }
    sg_strbuf_printf(&b, "%zu", index);
    return keep(task, &b, err);
}

/* ---- a row -------------------------------------------------------------------------------------------- */

static int start_question(sg_question *q, const sg_task_row *row, json_object *object, const char *where)
{
    *q = (sg_question){.row = object, .where = where, .gold = -1};
    if (row->options[0])
        q->fixed = row->options;
    while (q->fixed && q->n_fixed < (int)SG_ARRAY_LEN(row->options) && row->options[q->n_fixed])
        q->n_fixed++;
    return SG_OK;
}

/* *skip: the item has no answer and is left out. */
static int read_question(sg_question *q, const sg_task_row *row, bool *skip, sg_error *err)
{
    bool unlabelled = false;
    int rc = row->read ? row->read(q, err) : SG_OK;
    if (!rc && q->gold < 0 && row->answer)
        rc = sg_question_gold(q, row, &unlabelled, err);
    *skip = unlabelled && row->drop_unlabelled;
    if (!rc && row->rule != SG_RULE_WORD && sg_question_choices(q) < 2)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: fewer than two options", q->where);
    return rc;
}

static int add_request(sg_task *task, const sg_question *q, int option, const char *prefix, const char **shared,
                       sg_error *err)
{
    const sg_task_row *row = task->row;
    bool differs = row->context && strstr(row->context, "{option}");
    sg_strbuf context = {0}, continuation = {0};
    sg_request r = {.context = *shared};
    int rc = SG_OK;
    if (!r.context || differs) {
        sg_strbuf_puts(&context, prefix);
        if (row->context)
            rc = sg_question_expand(q, row->context, option, &context, err);
        if (!rc && !(r.context = *shared = keep(task, &context, err)))
            rc = SG_ERR_NOMEM;
    }
    if (!rc && !(rc = sg_question_expand(q, row->continuation, option, &continuation, err)) &&
        !(r.continuation = keep(task, &continuation, err)))
        rc = SG_ERR_NOMEM;
    r.characters = sg_code_points(sg_view_of(q->fixed ? q->fixed[option] : q->options[option]));
    if (!rc && !grow((void **)&task->requests, task->n_requests, &task->cap_requests, sizeof *task->requests))
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the items of %s", task->path);
    if (!rc)
        task->requests[task->n_requests++] = r;
    sg_strbuf_free(&context);
    sg_strbuf_free(&continuation);
    return rc;
}

/* One item from one row; *taken: it was not left out. prefix: description and shots. */
static int add_item(sg_task *task, json_object *object, size_t index, int group, const char *prefix, const char *path,
                    bool *taken, sg_error *err)
{
    char where[600];
    sg_question q;
    bool skip;
    snprintf(where, sizeof where, "%.500s: item %zu", path, index);
    start_question(&q, task->row, object, where);
    int rc = read_question(&q, task->row, &skip, err);
    *taken = !rc && !skip;
    if (*taken) {
        sg_item item = {.first = task->n_requests, .n = sg_question_choices(&q), .gold = q.gold, .group = group};
        const char *shared = NULL;
        item.id = item_id(task, object, index, group >= 0 ? task->groups[group] : NULL, err);
        rc = item.id ? SG_OK : SG_ERR_NOMEM;
        for (int i = 0; i < item.n && !rc; i++)
            rc = add_request(task, &q, i, prefix, &shared, err);
        if (!rc && !grow((void **)&task->items, task->n_items, &task->cap_items, sizeof *task->items))
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the items of %s", path);
        if (!rc)
            task->items[task->n_items++] = item;
    }
    sg_question_dispose(&q);
    return rc;
}

static int add_rows(sg_task *task, json_object *rows, int group, const char *prefix, const char *path, int64_t limit,
                    sg_error *err)
{
    int rc = SG_OK;
    int64_t taken_items = 0;
    for (size_t i = 0; i < json_object_array_length(rows) && !rc && (!limit || taken_items < limit); i++) {
        bool taken;
        rc = add_item(task, json_object_array_get_idx(rows, i), i, group, prefix, path, &taken, err);
        taken_items += taken;
    }
    return rc;
}

/* ---- a folder of subjects ------------------------------------------------------------------------------ */

static int read_rows(json_object **rows, const sg_task_row *row, const char *path, sg_error *err)
{
    int rc = row->folder            ? sg_rows_read_csv(rows, path, err)
             : sg_path_is_dir(path) ? sg_rows_read_folder(rows, path, err)
                                    : sg_rows_read_json(rows, path, err);
    if (!rc && row->arrange && (rc = row->arrange(rows, path, err))) {
        json_object_put(*rows);
        *rows = NULL;
    }
    return rc;
}

/* What the prompts call the subject of a file. */
static int subject_words(const sg_task_row *row, const char *group, const char *path, char *out, size_t size,
                         sg_error *err)
{
    const char *words = !strcmp(row->name, "cmmlu") ? sg_cmmlu_subject(group) : group;
    if (!words)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s is no subject of CMMLU", path, group);
    snprintf(out, size, "%s", words);
    for (char *c = out; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    return SG_OK;
}

/* Appends the shots: the first rows of the subject's file in dev/, each with its answer. */
static int add_shots(const sg_task *task, const char *group, sg_strbuf *prefix, sg_error *err)
{
    char *path = sg_asprintf("%s/dev/%s%s", task->path, group, task->row->dev_suffix);
    json_object *rows = NULL;
    int rc = path ? read_rows(&rows, task->row, path, err) : sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", group);
    if (!rc && json_object_array_length(rows) < (size_t)task->shots)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: has %zu items, --shots wants %d", path, json_object_array_length(rows),
                     task->shots);
    for (int i = 0; i < task->shots && !rc; i++) {
        sg_question q;
        bool skip;
        start_question(&q, task->row, json_object_array_get_idx(rows, (size_t)i), path);
        if (!(rc = read_question(&q, task->row, &skip, err)) &&
            !(rc = sg_question_expand(&q, task->row->context, 0, prefix, err)) &&
            !(rc = sg_question_expand(&q, task->row->continuation, q.gold, prefix, err)))
            sg_strbuf_puts(prefix, "\n\n");
        sg_question_dispose(&q);
    }
    json_object_put(rows);
    sg_free(path);
    return rc;
}

static int add_subject(sg_task *task, const char *file, int group, int64_t limit, sg_error *err)
{
    char *name = task->groups[group], words[128];
    char *path = sg_asprintf("%s/test/%s", task->path, file);
    sg_strbuf prefix = {0};
    json_object *rows = NULL;
    sg_question q = {.n_named = 0};
    int rc = path ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", file);
    if (!rc && !(rc = subject_words(task->row, name, path, words, sizeof words, err))) {
        sg_question_name(&q, "subject", words);
        rc = sg_question_expand(&q, task->row->description, 0, &prefix, err);
    }
    if (!rc && task->shots)
        rc = add_shots(task, name, &prefix, err);
    if (!rc && prefix.failed)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the prompt of %s", path);
    if (!rc && !(rc = read_rows(&rows, task->row, path, err)))
        rc = add_rows(task, rows, group, prefix.data, path, limit, err);
    json_object_put(rows);
    sg_strbuf_free(&prefix);
    sg_free(path);
    return rc;
}

static int add_folder(sg_task *task, int64_t limit, sg_error *err)
{
    char *test = sg_path_join(task->path, "test"), **files = NULL;
    size_t n = 0;
    int rc = test ? sg_folder_list(&files, &n, test, task->row->suffix, err) : sg_fail(err, SG_ERR_NOMEM, "no memory");
    if (!rc && !(task->groups = sg_alloc_zero(n, sizeof *task->groups)))
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for %zu subjects", n);
    for (size_t i = 0; i < n && !rc; i++) {
        task->groups[i] = sg_strndup(files[i], strlen(files[i]) - strlen(task->row->suffix));
        task->n_groups = i + 1;
        rc = task->groups[i] ? add_subject(task, files[i], (int)i, limit, err)
                             : sg_fail(err, SG_ERR_NOMEM, "no memory for %zu subjects", n);
    }
    sg_names_free(files, n);
    sg_free(test);
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static bool same_options(const sg_task *task)
{
    for (size_t i = 0; i < task->n_items; i++) {
        const sg_item *item = &task->items[i];
        if (item->n != task->items[0].n)
            return false;
        for (int j = 0; j < item->n; j++)
            if (strcmp(task->requests[item->first + (size_t)j].continuation, task->requests[j].continuation))
                return false;
    }
    return true;
}

/* Where the file is not what a table's name would say, the name may be the mistake. */
static int explain_generic(const char *name, sg_error *err)
{
    char hint[160] = "", message[512];
    const char *names[32];
    for (size_t i = 0; i < sg_n_task_rows; i++)
        names[i] = sg_task_rows[i].name;
    sg_nearest_hint(hint, "", name, names, sg_n_task_rows);
    snprintf(message, sizeof message, "%.400s", err ? err->message : "");
    return sg_fail(err, SG_ERR_FORMAT,
                   "%s (\"%s\" is no known task, so rows of context, choices, answer are expected%s)", message, name,
                   hint);
}

int sg_task_read(sg_task **out, const char *name, const char *path, int shots, int64_t limit, sg_error *err)
{
    const sg_task_row *row = sg_task_find(name);
    sg_task *task = sg_alloc_zero(1, sizeof *task);
    json_object *rows = NULL;
    int rc = SG_OK;
    *out = NULL;
    if (!task || !(task->name = sg_strdup(name)) || !(task->path = sg_strdup(path))) {
        sg_task_free(task);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the task %s", name);
    }
    task->row = row ? row : &sg_task_generic;
    task->shots = task->row->folder ? shots : 0;
    if (shots < 0 || shots > 5)
        rc = sg_fail(err, SG_ERR_USAGE, "%d shots: expected 0 to 5", shots);
    else if (task->row->folder && !sg_path_is_dir(path))
        rc = sg_fail(err, SG_ERR_IO, "%s: %s is read from a folder with test/ and dev/ in it", path, name);
    else if (task->row->folder)
        rc = add_folder(task, limit, err);
    else if (!(rc = read_rows(&rows, task->row, path, err)))
        rc = add_rows(task, rows, -1, "", path, limit, err);
    if (rc == SG_ERR_FORMAT && !row)
        rc = explain_generic(name, err);
    if (!rc && !task->n_items)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: has no items in it", path);
    json_object_put(rows);
    if (rc) {
        sg_task_free(task);
        return rc;
    }
    task->same_options = task->row->options[0] || (!row && same_options(task));
    *out = task;
    return SG_OK;
}
