/* --tasks NAME=FILE,... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "guard.h"

/* The length of "NAME=FILE" at s: up to a comma behind which another one begins, so that FILE may have commas in it. */
static size_t part_length(const char *s)
{
    size_t n = strcspn(s, ",");
    while (s[n]) {
        size_t next = strcspn(s + n + 1, ",=");
        if (s[n + 1 + next] == '=')
            break;
        n += 1 + strcspn(s + n + 1, ",");
    }
    return n;
}

static int read_part(sg_task **out, const char *part, size_t n, const options *o, sg_error *err)
{
    const char *equals = memchr(part, '=', n);
    size_t name = equals ? (size_t)(equals - part) : 0;
    if (!equals || !name || name + 1 == n)
        return usage_error(err, "--tasks %.*s: expected NAME=FILE", (int)n, part);
    char *copy = strndup(part, n);
    if (!copy) {
        snprintf(err->message, sizeof err->message, "no memory for --tasks");
        return err->code = SG_ERR_NOMEM;
    }
    copy[name] = 0;
    int rc = guard_input(o, "the task", copy + name + 1, err);
    if (!rc)
        rc = sg_task_read(out, copy, copy + name + 1, o->shots, o->limit, err);
    free(copy);
    return rc;
}

int require_tasks(const options *o, sg_error *err)
{
    static const char *const of_tasks[] = {"limit", "shots", "items"};
    for (size_t i = 0; i < sizeof of_tasks / sizeof *of_tasks; i++)
        if (!o->tasks && options_given(o, of_tasks[i]))
            return usage_error(err, "--%s goes with --tasks", of_tasks[i]);
    return SG_OK;
}

int tasks_read(task_list *t, const options *o, sg_error *err)
{
    *t = (task_list){0};
    if (!o->tasks)
        return SG_OK;
    size_t most = 1;
    for (const char *c = o->tasks; *c; c++)
        most += *c == ',';
    t->list = calloc(most, sizeof *t->list);
    if (!t->list) {
        snprintf(err->message, sizeof err->message, "no memory for %zu tasks", most);
        return err->code = SG_ERR_NOMEM;
    }
    for (const char *at = o->tasks;; at++) {
        size_t n = part_length(at);
        int rc = read_part(&t->list[t->n], at, n, o, err);
        if (rc)
            return rc;
        t->n++;
        at += n;
        if (!*at)
            return SG_OK;
    }
}

void tasks_free(task_list *t)
{
    for (size_t i = 0; i < t->n; i++)
        sg_task_free(t->list[i]);
    free(t->list);
    *t = (task_list){0};
}
