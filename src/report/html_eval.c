/* The page of `eval`: models side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/html.h"
#include "report/put.h"

/* "smaller.gguf", "model.gguf without 3, 21-25" */
static char *name_of(json_object *model)
{
    const char *path = sg_html_string(model, "path"), *slash = strrchr(path, '/');
    sg_strbuf b = {0};
    sg_strbuf_puts(&b, slash && slash[1] ? slash + 1 : path);
    if (sg_html_length(sg_json_get(model, "removed"))) {
        sg_strbuf_puts(&b, " without ");
        sg_html_layers(&b, sg_json_get(model, "removed"));
    }
    char *out;
    return sg_strbuf_finish(&b, &out, NULL) ? NULL : out;
}

static void put_models(sg_strbuf *b, json_object *models, char *const *names)
{
    static const char *const columns[] = {"Model",         "Layers",           "Parameters", "Tensor data",
                                          "Tokens/s read", "Tokens/s written", "Memory",     NULL};
    sg_html_table(b, "Sizes, and speed as measured on this machine", columns);
    for (size_t i = 0; i < sg_html_length(models); i++) {
        json_object *m = sg_html_item(models, i), *speed = sg_json_get(m, "speed");
        sg_strbuf_puts(b, "<tr><td>");
        sg_html_text(b, names[i]);
        sg_strbuf_printf(b, "</td><td>%.0f</td><td>", sg_html_number(m, "layers"));
        sg_put_count(b, (uint64_t)sg_html_number(m, "parameters"));
        sg_strbuf_puts(b, "</td><td>");
        sg_put_bytes(b, (uint64_t)sg_html_number(m, "bytes"));
        sg_strbuf_puts(b, "</td>");
        sg_html_cell(b, sg_html_number(speed, "prompt_tokens_per_second"), 1);
        sg_html_cell(b, sg_html_number(speed, "tokens_per_second"), 1);
        sg_strbuf_puts(b, "<td>");
        if (speed)
            sg_put_bytes(b, (uint64_t)sg_html_number(speed, "memory"));
        else
            sg_strbuf_puts(b, "\xe2\x80\x93");
        sg_strbuf_puts(b, "</td></tr>\n");
    }
    sg_html_table_end(b);
}

/* The i-th text's perplexity of a model. */
static json_object *perplexity_of(json_object *models, size_t model, size_t text)
{
    return sg_html_item(sg_json_get(sg_html_item(models, model), "perplexity"), text);
}

static void put_text(sg_strbuf *b, json_object *models, char *const *names, size_t text, sg_mark *marks)
{
    static const char *const series[] = {"perplexity"}, *const columns[] = {"Model",
                                                                            "Perplexity",
                                                                            "95% from",
                                                                            "95% to",
                                                                            "Predictions",
                                                                            "KL divergence, nats",
                                                                            "its 99th percentile",
                                                                            "same top token",
                                                                            NULL};
    size_t n = sg_html_length(models);
    char *title = sg_asprintf("Perplexity on %.120s", sg_html_string(perplexity_of(models, 0, text), "source"));
    if (!title) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        json_object *p = perplexity_of(models, i, text);
        marks[i] = (sg_mark){sg_html_number(p, "ppl"), sg_html_number(p, "ppl_low"), sg_html_number(p, "ppl_high")};
    }
    sg_svg_dots(b, &(sg_dots_chart){
                       title,
                       "Lower is better. Bars are 95% intervals over windows; all models read the same windows, so "
                       "their difference is better known than the bars suggest.",
                       series, 1, (int)n, (const char *const *)names, marks, NULL, true, 2});
    sg_free(title);
    sg_html_table(b, "The same in numbers", columns);
    for (size_t i = 0; i < n; i++) {
        sg_strbuf_puts(b, "<tr><td>");
        sg_html_text(b, names[i]);
        sg_strbuf_puts(b, "</td>");
        sg_html_cell(b, marks[i].value, 2);
        sg_html_cell(b, marks[i].low, 2);
        sg_html_cell(b, marks[i].high, 2);
        json_object *p = perplexity_of(models, i, text);
        sg_html_cell(b, sg_html_number(p, "tokens"), 0);
        sg_html_cell(b, sg_html_number(p, "kl"), 4); /* of the first, and of another model's: none */
        sg_html_cell(b, sg_html_number(p, "kl_p99"), 4);
        sg_html_cell(b, sg_html_number(p, "top1"), 4);
        sg_strbuf_puts(b, "</tr>\n");
    }
    sg_html_table_end(b);
}

/* ---- tasks --------------------------------------------------------------------------------------------- */

static json_object *task_of(json_object *models, size_t model, size_t task)
{
    return sg_html_item(sg_json_get(sg_html_item(models, model), "tasks"), task);
}

sg_mark sg_html_accuracy(json_object *task, const char *key)
{
    char error_key[40];
    snprintf(error_key, sizeof error_key, "%s_stderr", key);
    double value = sg_html_number(task, key), half = 1.96 * sg_html_number(task, error_key);
    return (sg_mark){value, value > half ? value - half : 0, value + half < 1 ? value + half : 1};
}

void sg_html_task_cells(sg_strbuf *b, json_object *task)
{
    static const struct {
        const char *key;
        int decimals;
    } accuracies[] = {{"acc", 4}, {"acc_stderr", 4}, {"acc_norm", 4}, {"acc_norm_stderr", 4}},
      changes[] = {{"difference", 4}, {"low", 4}, {"high", 4}, {"p", 4}, {"retained", 3}};
    json_object *change = sg_json_get(sg_json_get(task, "change"), "acc");
    sg_html_cell(b, sg_html_number(task, "n"), 0);
    for (size_t i = 0; i < SG_ARRAY_LEN(accuracies); i++)
        sg_html_cell(b, sg_html_number(task, accuracies[i].key), accuracies[i].decimals);
    for (size_t i = 0; i < SG_ARRAY_LEN(changes); i++)
        sg_html_cell(b, sg_html_number(change, changes[i].key), changes[i].decimals);
}

static void put_task_chart(sg_strbuf *b, json_object *models, char *const *names, size_t n_tasks)
{
    size_t n = sg_html_length(models);
    sg_mark *marks = sg_alloc(n * n_tasks, sizeof *marks);
    const char **labels = sg_alloc(n_tasks, sizeof *labels);
    b->failed |= !marks || !labels;
    for (size_t t = 0; !b->failed && t < n_tasks; t++) {
        labels[t] = sg_html_string(task_of(models, 0, t), "name");
        for (size_t i = 0; i < n; i++)
            marks[i * n_tasks + t] = sg_html_accuracy(task_of(models, i, t), "acc");
    }
    if (!b->failed)
        sg_svg_dots(b,
                    &(sg_dots_chart){"Tasks", "Accuracy, with 95% intervals of 1.96 standard errors. Higher is better.",
                                     (const char *const *)names, (int)n, (int)n_tasks, labels, marks, NULL, false, 4});
    sg_free(marks);
    sg_free(labels);
}

static void put_tasks(sg_strbuf *b, json_object *models, char *const *names)
{
    static const char *const columns[] = {"Task", "Model", SG_HTML_TASK_COLUMNS, NULL};
    size_t n_tasks = sg_html_length(sg_json_get(sg_html_item(models, 0), "tasks"));
    if (!n_tasks)
        return;
    sg_strbuf_puts(b, "<h2>Tasks</h2>\n");
    put_task_chart(b, models, names, n_tasks);
    sg_html_table(b,
                  "Every task; change of accuracy is against the first model on the same items, " SG_HTML_TASK_CAPTION,
                  columns);
    for (size_t t = 0; t < n_tasks; t++)
        for (size_t i = 0; i < sg_html_length(models); i++) {
            json_object *task = task_of(models, i, t);
            sg_strbuf_puts(b, "<tr><td>");
            sg_html_text(b, sg_html_string(task, "name"));
            sg_strbuf_puts(b, "</td><td>");
            sg_html_text(b, names[i]);
            sg_strbuf_puts(b, "</td>");
            sg_html_task_cells(b, task);
            sg_strbuf_puts(b, "</tr>\n");
        }
    sg_html_table_end(b);
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

static void put_samples(sg_strbuf *b, json_object *models, char *const *names)
{
    json_object *first = sg_json_get(sg_html_item(models, 0), "samples");
    if (!sg_html_length(first))
        return;
    sg_strbuf_puts(
        b, "<h2>Does it still talk?</h2>\n<p>Each model continues three built-in beginnings with the most likely "
           "token each time.</p>\n");
    for (size_t s = 0; s < sg_html_length(first); s++) {
        sg_strbuf_puts(b, "<h3>");
        sg_html_text(b, sg_html_string(sg_html_item(first, s), "prompt"));
        sg_strbuf_puts(b, "</h3>\n<div class=\"pair\">\n");
        for (size_t i = 0; i < sg_html_length(models); i++) {
            json_object *list = sg_json_get(sg_html_item(models, i), "samples");
            sg_strbuf_puts(b, "<div><strong>");
            sg_html_text(b, names[i]);
            sg_strbuf_puts(b, "</strong>\n");
            sg_html_text(b, sg_html_string(sg_html_item(list, s), "text"));
            sg_strbuf_puts(b, "</div>\n");
        }
        sg_strbuf_puts(b, "</div>\n");
    }
}

void sg_html_eval(sg_strbuf *b, json_object *eval)
{
    json_object *models = sg_json_get(eval, "models");
    size_t n = sg_html_length(models), n_texts = sg_html_length(sg_json_get(sg_html_item(models, 0), "perplexity"));
    char **names = sg_alloc_zero(n, sizeof *names);
    sg_mark *marks = sg_alloc(n, sizeof *marks);
    b->failed |= !names || !marks;
    for (size_t i = 0; !b->failed && i < n; i++)
        b->failed |= !(names[i] = name_of(sg_html_item(models, i)));
    if (!b->failed) {
        put_models(b, models, names);
        if (n_texts)
            sg_strbuf_puts(b, "<h2>Perplexity</h2>\n<p>How surprised a model is by each next token of a text; lower is "
                              "better.</p>\n");
        for (size_t t = 0; t < n_texts; t++)
            put_text(b, models, names, t, marks);
        put_tasks(b, models, names);
        put_samples(b, models, names);
    }
    for (size_t i = 0; names && i < n; i++)
        sg_free(names[i]);
    sg_free(names);
    sg_free(marks);
}
