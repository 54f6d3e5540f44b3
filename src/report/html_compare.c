/* The page of `compare`: perplexity and tasks against layers removed, for each method. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/html.h"
#include "report/put.h"

enum { MAX_METHODS = 16, MAX_POINTS = 512 };

typedef struct lines {
    const char *names[MAX_METHODS];
    int counts[MAX_METHODS];
    double x[MAX_METHODS][MAX_POINTS], y[MAX_METHODS][MAX_POINTS];
    const double *xs[MAX_METHODS], *ys[MAX_METHODS];
} lines;

static double perplexity_at(json_object *point, size_t text, const char *key)
{
    return sg_html_number(sg_html_item(sg_json_get(point, "perplexity"), text), key);
}

static void put_chart(sg_strbuf *b, json_object *methods, size_t text, const char *source)
{
    lines *l = sg_alloc_zero(1, sizeof *l);
    int n = (int)sg_html_length(methods);
    n = n > MAX_METHODS ? MAX_METHODS : n;
    b->failed |= !l;
    for (int m = 0; l && m < n; m++) {
        json_object *method = sg_html_item(methods, (size_t)m), *points = sg_json_get(method, "points");
        size_t count = sg_html_length(points);
        l->names[m] = sg_html_string(method, "method");
        l->counts[m] = count > MAX_POINTS ? MAX_POINTS : (int)count;
        for (int i = 0; i < l->counts[m]; i++) {
            json_object *point = sg_html_item(points, (size_t)i);
            l->x[m][i] = sg_html_number(point, "n");
            l->y[m][i] = perplexity_at(point, text, "ppl");
        }
        l->xs[m] = l->x[m];
        l->ys[m] = l->y[m];
    }
    char *title = sg_asprintf("Perplexity on %.120s", source);
    b->failed |= !title;
    if (l && title)
        sg_svg_lines(
            b, &(sg_lines_chart){
                   title, "Perplexity, on a logarithmic scale, against the number of layers removed. Lower is better.",
                   "layers removed", l->names, n, l->counts, l->xs, l->ys, 2});
    sg_free(title);
    sg_free(l);
}

static void put_point(sg_strbuf *b, const char *method, json_object *point, size_t n_texts)
{
    sg_strbuf_puts(b, "<tr><td>");
    sg_html_text(b, method);
    sg_strbuf_printf(b, "</td><td>%.0f</td>", sg_html_number(point, "n"));
    for (size_t t = 0; t < n_texts; t++) {
        sg_html_cell(b, perplexity_at(point, t, "ppl"), 2);
        sg_html_cell(b, perplexity_at(point, t, "ppl_low"), 2);
        sg_html_cell(b, perplexity_at(point, t, "ppl_high"), 2);
    }
    sg_strbuf_puts(b, "<td>");
    if (sg_json_get(point, "removed")) {
        sg_html_layers(b, sg_json_get(point, "removed"));
    } else {
        sg_strbuf_puts(b, "mixers ");
        sg_html_layers(b, sg_json_get(point, "removed_mixers"));
        sg_strbuf_puts(b, "; feed-forwards ");
        sg_html_layers(b, sg_json_get(point, "removed_ffns"));
    }
    sg_strbuf_puts(b, "</td></tr>\n");
}

/* ---- tasks --------------------------------------------------------------------------------------------- */

static json_object *point_of(json_object *methods, size_t m, size_t i)
{
    return sg_html_item(sg_json_get(sg_html_item(methods, m), "points"), i);
}

/* A row for the whole model, with whole's accuracy for every method, and one for each number of removed layers. */
static void put_task_chart(sg_strbuf *b, json_object *methods, json_object *whole, size_t task)
{
    size_t n = sg_html_length(methods), points = sg_html_length(sg_json_get(sg_html_item(methods, 0), "points"));
    n = n > MAX_METHODS ? MAX_METHODS : n;
    points = points > MAX_POINTS ? MAX_POINTS : points;
    const char *names[MAX_METHODS], **labels = sg_alloc(points + 1, sizeof *labels);
    char(*made)[40] = sg_alloc(points + 1, sizeof *made);
    sg_mark *marks = sg_alloc(n * (points + 1), sizeof *marks);
    int rows = 0;
    b->failed |= !labels || !made || !marks;
    for (size_t i = 0; !b->failed && i <= points; i++) {
        double removed = i ? sg_html_number(point_of(methods, 0, i - 1), "n") : 0;
        if (i && !(removed > 0))
            continue;
        snprintf(made[rows], sizeof *made, i ? "%.0f removed" : "the whole model", removed);
        labels[rows] = made[rows];
        rows++;
    }
    for (size_t m = 0; !b->failed && m < n; m++) {
        int row = 0;
        names[m] = sg_html_string(sg_html_item(methods, m), "method");
        marks[m * (size_t)rows] = sg_html_accuracy(whole, "acc");
        for (size_t i = 0; i < points; i++)
            if (sg_html_number(point_of(methods, 0, i), "n") > 0)
                marks[m * (size_t)rows + (size_t)++row] =
                    sg_html_accuracy(sg_html_item(sg_json_get(point_of(methods, m, i), "tasks"), task), "acc");
    }
    if (!b->failed)
        sg_svg_dots(b, &(sg_dots_chart){sg_html_string(whole, "name"),
                                        "Accuracy, with 95% intervals of 1.96 standard errors. Higher is better.",
                                        names, (int)n, rows, labels, marks, NULL, false, 4});
    sg_free(labels);
    sg_free(made);
    sg_free(marks);
}

static void put_task_row(sg_strbuf *b, json_object *task, const char *method, double removed)
{
    sg_strbuf_puts(b, "<tr><td>");
    sg_html_text(b, sg_html_string(task, "name"));
    sg_strbuf_puts(b, "</td><td>");
    sg_html_text(b, method);
    sg_strbuf_puts(b, "</td>");
    sg_html_cell(b, removed, 0);
    sg_html_task_cells(b, task);
    sg_strbuf_puts(b, "</tr>\n");
}

static void put_tasks(sg_strbuf *b, json_object *methods, json_object *whole)
{
    static const char *const columns[] = {"Task", "Method", "Removed", SG_HTML_TASK_COLUMNS, NULL};
    if (!sg_html_length(whole))
        return;
    sg_strbuf_puts(b, "<h2>Tasks</h2>\n");
    for (size_t t = 0; t < sg_html_length(whole); t++)
        put_task_chart(b, methods, sg_html_item(whole, t), t);
    sg_html_table(b,
                  "Every task; change of accuracy is against the whole model on the same items, " SG_HTML_TASK_CAPTION,
                  columns);
    for (size_t t = 0; t < sg_html_length(whole); t++) {
        put_task_row(b, sg_html_item(whole, t), "the whole model", 0);
        for (size_t m = 0; m < sg_html_length(methods); m++) {
            json_object *method = sg_html_item(methods, m), *points = sg_json_get(method, "points");
            for (size_t i = 0; i < sg_html_length(points); i++) {
                json_object *point = sg_html_item(points, i);
                if (sg_html_number(point, "n") > 0)
                    put_task_row(b, sg_html_item(sg_json_get(point, "tasks"), t), sg_html_string(method, "method"),
                                 sg_html_number(point, "n"));
            }
        }
    }
    sg_html_table_end(b);
}

static void put_speeds(sg_strbuf *b, json_object *speeds)
{
    static const char *const columns[] = {"Removed", "Tokens/s read", "Tokens/s written", "Memory", "Layers", NULL};
    if (!sg_html_length(speeds))
        return;
    sg_strbuf_puts(b, "<h2>Speed</h2>\n");
    sg_html_table(b, "As measured on this machine, once for each number of layers, without the first method's",
                  columns);
    for (size_t i = 0; i < sg_html_length(speeds); i++) {
        json_object *item = sg_html_item(speeds, i), *speed = sg_json_get(item, "speed");
        sg_strbuf_printf(b, "<tr><td>%.0f</td>", sg_html_number(item, "n"));
        sg_html_cell(b, sg_html_number(speed, "prompt_tokens_per_second"), 1);
        sg_html_cell(b, sg_html_number(speed, "tokens_per_second"), 1);
        sg_strbuf_puts(b, "<td>");
        double memory = sg_html_number(speed, "memory");
        sg_put_bytes(b, memory > 0 && memory < 1e18 ? (uint64_t)memory : 0);
        sg_strbuf_puts(b, "</td><td>");
        sg_html_layers(b, sg_json_get(item, "removed"));
        sg_strbuf_puts(b, "</td></tr>\n");
    }
    sg_html_table_end(b);
}

void sg_html_compare(sg_strbuf *b, json_object *compare)
{
    json_object *methods = sg_json_get(compare, "methods");
    json_object *first =
        sg_html_item(sg_json_get(sg_html_length(methods) ? sg_html_item(methods, 0) : NULL, "points"), 0);
    json_object *texts = sg_json_get(first, "perplexity");
    size_t n_texts = sg_html_length(texts);
    sg_strbuf_puts(b, "<p class=\"soft\">");
    sg_html_text(b, sg_html_string(sg_json_get(compare, "model"), "path"));
    sg_strbuf_puts(b, "</p>\n");
    for (size_t t = 0; t < n_texts; t++)
        put_chart(b, methods, t, sg_html_string(sg_html_item(texts, t), "source"));
    const char *columns[2 + 3 * 16 + 2] = {"Method", "Removed"};
    size_t n = 2;
    for (size_t t = 0; t < n_texts && t < 16; t++) {
        columns[n++] = "Perplexity";
        columns[n++] = "95% from";
        columns[n++] = "95% to";
    }
    columns[n] = "Layers";
    sg_html_table(b, "Every method and count", columns);
    for (size_t m = 0; m < sg_html_length(methods); m++) {
        json_object *method = sg_html_item(methods, m), *points = sg_json_get(method, "points");
        for (size_t i = 0; i < sg_html_length(points); i++)
            put_point(b, sg_html_string(method, "method"), sg_html_item(points, i), n_texts > 16 ? 16 : n_texts);
    }
    sg_html_table_end(b);
    put_tasks(b, methods, sg_json_get(compare, "tasks"));
    put_speeds(b, sg_json_get(compare, "speeds"));
}
