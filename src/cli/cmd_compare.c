/* shortgpt compare: perplexity and tasks of several methods at several numbers of removed layers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "signals.h"

enum { MAX_METHODS = 32, DEFAULT_MOST = 10 };

static const char default_methods[] = "bi,relative-magnitude,reverse,sequential";

/* "bi,greedy" into methods[MAX_METHODS] */
static int parse_methods(const char *list, sg_method *methods, size_t *n, sg_error *err)
{
    for (*n = 0;; list++) {
        char name[64];
        size_t length = strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), list);
        int rc = *n < MAX_METHODS ? sg_method_parse(name, &methods[*n], err)
                                  : usage_error(err, "--methods: more than %d", MAX_METHODS);
        for (size_t i = 0; !rc && i < *n; i++)
            if (methods[i] == methods[*n])
                rc = usage_error(err, "--methods: %s is given twice", name);
        if (rc)
            return rc;
        ++*n;
        list += length;
        if (!*list)
            return SG_OK;
    }
}

static bool parse_number(const char **at, int units, int *out)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    long value = strtol(*at, &end, 10);
    *at = end;
    *out = value < units ? (int)value : units;
    return true;
}

/* "0..3,5" into counts[units] and *n; ascending */
static int parse_counts(const char *list, int units, int *counts, size_t *n, sg_error *err)
{
    int next = 0;
    *n = 0;
    for (const char *at = list;; at++) {
        int first, last;
        bool good = parse_number(&at, units, &first);
        last = first;
        if (good && !strncmp(at, "..", 2)) {
            at += 2;
            good = parse_number(&at, units, &last);
        }
        if (!good || (*at && *at != ',') || first < next || last < first)
            return usage_error(err, "--remove %s: expected ascending numbers and ranges such as 0..10 or 1,2,4..8",
                               list);
        if (last >= units) {
            snprintf(err->message, sizeof err->message, "--remove %.100s: of %d units at least one has to stay", list,
                     units);
            return err->code = SG_ERR_REFUSED;
        }
        for (int i = first; i <= last; i++)
            counts[(*n)++] = i;
        next = last + 1;
        if (!*at)
            return SG_OK;
    }
}

static int read_calibration(sg_text *text, sg_choose_opts *choose, const options *o, sg_error *err)
{
    int rc = o->calibration ? sg_text_read(text, o->calibration, err) : SG_OK;
    choose->run.texts = o->calibration ? text : NULL;
    choose->run.n_texts = o->calibration ? 1 : 0;
    choose->run.tokens = o->calibration_tokens;
    choose->run.window = (int)o->calibration_window;
    return rc;
}

static int compare(sg_compare **out, const options *o, sg_model *model, const task_list *tasks,
                   const sg_choose_opts *choose, const sg_run_opts *eval, sg_error *err)
{
    sg_method methods[MAX_METHODS];
    size_t n_methods, n_counts = 0;
    int units = sg_model_get_info(model)->layers * (choose->halves ? 2 : 1), may = 0;
    for (int i = 0; i < units; i++)
        may += !choose->allowed || choose->allowed[i];
    int *counts = calloc((size_t)units + 1, sizeof *counts);
    char most[32];
    snprintf(most, sizeof most, "0..%d",
             may > DEFAULT_MOST && units > DEFAULT_MOST ? DEFAULT_MOST
             : may < units                              ? may
                                                        : units - 1);
    if (!counts) {
        snprintf(err->message, sizeof err->message, "no memory for %d numbers", units);
        return err->code = SG_ERR_NOMEM;
    }
    int rc = parse_methods(o->methods ? o->methods : default_methods, methods, &n_methods, err);
    if (!rc)
        rc = parse_counts(o->counts ? o->counts : most, units, counts, &n_counts, err);
    if (!rc)
        rc = sg_compare_run(out, model, methods, n_methods, counts, n_counts, choose, eval, err);
    if (!rc && tasks->n)
        rc = sg_compare_tasks(*out, (const sg_task *const *)tasks->list, tasks->n, eval, err);
    bool shown = !o->quiet || o->json || o->report; /* -q prints no speed */
    if (!rc && shown && !o->no_speed && !choose->halves)
        rc = sg_compare_speed(*out, eval, err);
    free(counts);
    return rc;
}

int cmd_compare(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_compare *result = NULL;
    sg_text calibration = {0};
    texts t = {0};
    task_list tasks = {0};
    char *json = NULL, *table = NULL;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1}, page = {.fd = -1};
    progress p;
    sg_choose_opts choose;
    sg_removable *removable = NULL;
    int rc = require_one_model(o, err);
    if (rc || (rc = require_tasks(o, err)))
        return rc;
    progress_init(&p, style.utf8, o->quiet);
    if ((rc = sg_model_open(&model, o->models[0], err)) || (rc = tasks_read(&tasks, o, err)) ||
        (rc = texts_read(&t, o, err)) ||
        (rc = choose_options(&choose, o, sg_model_get_info(model)->layers, &t, &p, err)) ||
        (rc = allow_removable(&choose, &removable, model, o, err)))
        goto out;
    sg_run_opts eval = choose.run;
    if ((rc = read_calibration(&calibration, &choose, o, err)))
        goto out;

    signals_install(); /* only now: until stdin is read, Ctrl-C just ends us */
    if ((rc = sink_open(&s, o->json, err)) || (rc = page_open(&page, o, err)))
        goto out;
    rc = compare(&result, o, model, &tasks, &choose, &eval, err);
    progress_clear(&p);
    if (rc || ((s.json || page.json) && (rc = sg_compare_json(model, result, &json, err))) ||
        (s.table &&
         (rc = o->quiet ? quiet_compare(&table, result, err) : sg_compare_table(model, result, &style, &table, err))))
        goto out;
    if (!(rc = page_write(&page, o, json, err)))
        rc = sink_finish(&s, table, json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_compare_free(result);
    sg_text_free(&calibration);
    texts_free(&t);
    tasks_free(&tasks);
    sink_close(&s);
    sink_close(&page);
    sg_removable_free(removable);
    sg_model_free(model);
    return rc;
}
