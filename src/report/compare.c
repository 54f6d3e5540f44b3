/* Methods side by side: the JSON object and the table of `compare`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/eval.h"
#include "report/parts.h"
#include "report/report.h"

/* ---- JSON --------------------------------------------------------------------------------------------- */

static bool put_calibration(json_object *obj, const sg_compare *c, sg_error *err)
{
    if (!c->source)
        return sg_json_put(obj, "calibration", sg_json_number(NAN), err) == SG_OK; /* null */
    json_object *text = json_object_new_object();
    if (sg_put_json_string(text, "source", c->source, err) &&
        sg_put_json_int(text, "tokens", (uint64_t)c->tokens, err) &&
        sg_put_json_int(text, "windows", (uint64_t)c->windows, err) &&
        sg_put_json_int(text, "window", (uint64_t)c->window, err) && sg_put_json_bool(text, "bos", c->bos, err) &&
        sg_put_json_int(text, "trial_tokens", (uint64_t)c->trial_tokens, err))
        return sg_json_put(obj, "calibration", text, err) == SG_OK;
    json_object_put(text);
    return false;
}

/* obj[key]: the layers whose mixer (half 0) or feed-forward (half 1) is gone */
static bool put_half(json_object *obj, const char *key, const sg_compare_point *p, int half, sg_error *err)
{
    int *layers = sg_alloc((size_t)p->n, sizeof *layers);
    size_t n = 0;
    if (!layers)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d halves", p->n) == SG_OK;
    for (int i = 0; i < p->n; i++)
        if (p->removed[i] % 2 == half)
            layers[n++] = p->removed[i] / 2;
    bool ok = sg_put_json_layers(obj, key, layers, n, err);
    sg_free(layers);
    return ok;
}

static bool put_removed(json_object *obj, const sg_compare *c, const sg_compare_point *p, sg_error *err)
{
    if (c->halves)
        return put_half(obj, "removed_mixers", p, 0, err) && put_half(obj, "removed_ffns", p, 1, err);
    return sg_put_json_layers(obj, "removed", p->removed, (size_t)p->n, err) &&
           sg_put_json_int(obj, "parameters", p->parameters, err) && sg_put_json_int(obj, "bytes", p->bytes, err);
}

static bool put_point(json_object *list, const sg_compare *c, const sg_compare_point *p, sg_error *err)
{
    json_object *obj = json_object_new_object();
    if (sg_put_json_int(obj, "n", (uint64_t)p->n, err) && put_removed(obj, c, p, err) &&
        sg_put_json_perplexities(obj, p->perplexity, p->n_perplexity, err) &&
        sg_put_json_tasks(obj, p->tasks, p->n_tasks, p->n ? c->tasks : NULL, err))
        return sg_json_append(list, obj, err) == SG_OK;
    json_object_put(obj);
    return false;
}

static bool put_method(json_object *list, const sg_compare *c, const sg_compare_method *m, sg_error *err)
{
    json_object *obj = json_object_new_object(), *points = json_object_new_array();
    bool ok = sg_put_json_string(obj, "method", sg_method_name(m->method), err);
    for (size_t i = 0; ok && i < m->n_points; i++)
        ok = put_point(points, c, &m->points[i], err);
    if (!ok)
        json_object_put(points);
    else if (sg_json_put(obj, "points", points, err) == SG_OK)
        return sg_json_append(list, obj, err) == SG_OK;
    json_object_put(obj);
    return false;
}

static bool put_methods(json_object *obj, const sg_compare *c, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < c->n_methods; i++)
        if (!put_method(list, c, &c->methods[i], err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "methods", list, err) == SG_OK;
}

static bool put_speeds(json_object *obj, const sg_compare *c, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < c->n_speeds; i++) {
        const sg_compare_speeds *s = &c->speeds[i];
        json_object *item = json_object_new_object();
        bool ok = sg_put_json_int(item, "n", (uint64_t)s->n, err) &&
                  sg_put_json_layers(item, "removed", s->removed, (size_t)s->n, err) &&
                  sg_put_json_speed(item, &s->speed, err);
        if (!ok)
            json_object_put(item);
        if (!ok || sg_json_append(list, item, err)) {
            json_object_put(list);
            return false;
        }
    }
    return sg_json_put(obj, "speeds", list, err) == SG_OK;
}

int sg_report_compare_json(const sg_model_info *info, const sg_compare *c, char **out, sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok = sg_put_json_string(obj, "schema", "shortgpt/compare/1", err) && sg_put_json_model(obj, info, err) &&
              put_calibration(obj, c, err) &&
              sg_put_json_string(obj, "precision", sg_precision_name(c->precision), err) &&
              sg_put_json_string(obj, "granularity", c->halves ? "half" : "layer", err) && put_methods(obj, c, err) &&
              sg_put_json_int(obj, "subsets", (uint64_t)c->subsets, err) &&
              sg_put_json_tasks(obj, c->tasks, c->n_tasks, NULL, err) && put_speeds(obj, c, err) &&
              sg_put_json_number(obj, "seconds", c->seconds, err);
    return sg_report_json_text(obj, ok, out, err);
}

/* ---- the table ---------------------------------------------------------------------------------------- */

enum { LABEL = 9 };

static void put_head(sg_strbuf *b, const sg_model_info *info, const sg_compare *c, const sg_glyphs *g)
{
    sg_put_model(b, info, g);
    if (c->source) {
        sg_put_key(b, "chosen on");
        sg_put_clean(b, c->source);
        sg_strbuf_printf(b, " %s ", g->dot);
        sg_put_count(b, (uint64_t)c->tokens);
        sg_strbuf_puts(b, " tokens");
        if (c->trial_tokens && c->trial_tokens != c->tokens) {
            sg_strbuf_puts(b, ", greedy on ");
            sg_put_count(b, (uint64_t)c->trial_tokens);
        }
        sg_strbuf_puts(b, "\n");
    }
    sg_put_key(b, "computed");
    sg_strbuf_printf(b, "in %s %s ", sg_precision_name(c->precision), g->dot);
    sg_put_seconds(b, c->seconds);
    sg_strbuf_printf(b, " %s %d different sets of %s\n", g->dot, c->subsets, c->halves ? "halves" : "layers");
}

/* What one grid shows: a number of each point, of its i-th text or task. */
typedef struct grid {
    double (*value)(const sg_compare_point *p, size_t i);
    bool (*near_chance)(const sg_compare_point *p, size_t i); /* NULL: nothing to do with chance */
    bool highest;                                             /* is the best */
} grid;

static double perplexity(const sg_compare_point *p, size_t i)
{
    return p->perplexity[i].ppl;
}

static double right(const sg_compare_point *p, size_t i)
{
    return p->tasks[i].acc.value * 100;
}

static double right_norm(const sg_compare_point *p, size_t i)
{
    return p->tasks[i].acc_norm.value * 100;
}

static double word_perplexity(const sg_compare_point *p, size_t i)
{
    return p->tasks[i].perplexity;
}

static bool right_near_chance(const sg_compare_point *p, size_t i)
{
    return p->tasks[i].acc.near_chance;
}

static bool right_norm_near_chance(const sg_compare_point *p, size_t i)
{
    return p->tasks[i].acc_norm.near_chance;
}

/* Is value the best of a row in which not all are the same? */
static bool is_best(const sg_compare *c, const grid *g, size_t i, size_t row, double value)
{
    bool worse = false;
    for (size_t m = 0; m < c->n_methods; m++) {
        double other = g->value(&c->methods[m].points[row], i);
        if (g->highest ? other > value : other < value)
            return false;
        worse = worse || (g->highest ? other < value : other > value);
    }
    return worse;
}

static int width_of(const sg_compare_method *m)
{
    int n = (int)strlen(sg_method_name(m->method));
    return (n > 8 ? n : 8) + 3;
}

/* The mark's column is left out at a line's end. */
static void put_cell(sg_strbuf *b, const sg_compare *c, const grid *g, size_t i, size_t row, size_t m,
                     const sg_ink *ink)
{
    const sg_compare_point *p = &c->methods[m].points[row];
    double value = g->value(p, i);
    bool near = g->near_chance && g->near_chance(p, i);
    bool best = p->n > 0 && !near && is_best(c, g, i, row, value);
    int columns = -(width_of(&c->methods[m]) - 1);
    sg_strbuf_puts(b, best ? ink->mark : "");
    if (value >= 1e7 && value < 1e18)
        sg_put_padded(b, sg_put_short, (uint64_t)value, columns);
    else
        sg_put_padded_fixed(b, value, g->near_chance ? 1 : value < 100 ? 2 : value < 10000 ? 1 : 0, columns);
    sg_strbuf_puts(b, near ? "~" : best ? "*" : m + 1 == c->n_methods ? "" : " ");
    sg_strbuf_puts(b, best ? ink->end : "");
}

static void put_grid(sg_strbuf *b, const sg_compare *c, const grid *g, size_t i, const sg_style *style)
{
    sg_strbuf_pad(b, "removed", -LABEL);
    for (size_t m = 0; m < c->n_methods; m++) {
        sg_strbuf_pad(b, sg_method_name(c->methods[m].method), -(width_of(&c->methods[m]) - 1));
        sg_strbuf_puts(b, m + 1 < c->n_methods ? " " : "");
    }
    sg_strbuf_puts(b, "\n");
    for (size_t row = 0; row < c->methods[0].n_points; row++) {
        char label[16];
        snprintf(label, sizeof label, "%d", c->methods[0].points[row].n);
        sg_strbuf_pad(b, label, -LABEL);
        for (size_t m = 0; m < c->n_methods; m++)
            put_cell(b, c, g, i, row, m, sg_ink_of(style));
        sg_strbuf_puts(b, "\n");
    }
}

static void put_text(sg_strbuf *b, const sg_compare *c, size_t text, const sg_style *style)
{
    static const grid ppl = {perplexity, NULL, false};
    const sg_perplexity *p = &c->methods[0].points[0].perplexity[text];
    sg_strbuf_puts(b, "\n  Perplexity on ");
    sg_put_clean(b, p->source);
    sg_strbuf_printf(b, " %s ", sg_glyphs_of(style)->dot);
    sg_put_count(b, (uint64_t)p->tokens);
    sg_strbuf_printf(b, " predictions in windows of %d%s\n\n", p->window, p->bos ? ", each behind a BOS" : "");
    put_grid(b, c, &ppl, text, style);
}

/* What a task's grid is of, and how sure the whole model's number is. */
static void put_accuracy_line(sg_strbuf *b, const char *what, const sg_accuracy *a)
{
    sg_strbuf_printf(b, "  %s; of the whole model ", what);
    sg_strbuf_fixed(b, a->value * 100, 1);
    sg_strbuf_puts(b, ", standard error ");
    sg_strbuf_fixed(b, a->error * 100, 1);
    sg_strbuf_puts(b, "\n\n");
}

static void put_task(sg_strbuf *b, const sg_compare *c, size_t task, const sg_style *style)
{
    static const grid acc = {right, right_near_chance, true}, norm = {right_norm, right_norm_near_chance, true},
                      words = {word_perplexity, NULL, false};
    const sg_task_score *whole = &c->tasks[task];
    sg_put_task_head(b, whole, sg_glyphs_of(style));
    put_accuracy_line(b, "right (acc), in %", &whole->acc);
    put_grid(b, c, &acc, task, style);
    if (isfinite(whole->acc_norm.value)) {
        sg_strbuf_puts(b, "\n");
        put_accuracy_line(b, "right (acc_norm), in %", &whole->acc_norm);
        put_grid(b, c, &norm, task, style);
    }
    if (isfinite(whole->perplexity)) {
        sg_strbuf_puts(b, "\n  perplexity of the last words\n\n");
        put_grid(b, c, &words, task, style);
    }
}

static void put_rate(sg_strbuf *b, double rate, double whole)
{
    sg_put_padded_fixed(b, rate, rate < 100 ? 1 : 0, -18);
    sg_put_padded_change(b, whole, rate, -9);
}

static void put_speeds_table(sg_strbuf *b, const sg_compare *c, const sg_glyphs *g)
{
    if (!c->n_speeds)
        return;
    const sg_speed *whole = &c->speeds[0].speed;
    sg_strbuf_printf(b, "\n  Speed without the layers that %s removes %s %d tokens read, then %d one by one,\n",
                     sg_method_name(c->methods[0].method), g->dot, whole->prompt_tokens, whole->tokens);
    sg_strbuf_printf(b, "  the best of %d turns each\n\n", whole->turns);
    sg_strbuf_puts(b, "  removed    read, tokens/s   change written, tokens/s   change      memory\n");
    for (size_t i = 0; i < c->n_speeds; i++) {
        const sg_speed *s = &c->speeds[i].speed;
        char label[16];
        snprintf(label, sizeof label, "%d", c->speeds[i].n);
        sg_strbuf_pad(b, label, -LABEL);
        put_rate(b, s->prompt_tokens_per_second, whole->prompt_tokens_per_second);
        put_rate(b, s->tokens_per_second, whole->tokens_per_second);
        sg_put_padded(b, sg_put_bytes, s->memory, -12);
        sg_strbuf_puts(b, "\n");
    }
}

static void put_legend(sg_strbuf *b, const sg_compare *c)
{
    if (c->n_methods > 1)
        sg_strbuf_puts(b, c->n_tasks ? "\n  * the best of its row: lowest perplexity, most items right\n"
                                     : "\n  * the lowest of its row; lower is better\n");
    if (c->n_tasks)
        sg_strbuf_puts(b, "\n  ~ near chance: guessing, or answering always the same, does as well.\n"
                          "  Changes from the whole model, with intervals and p: --json, --report.\n");
}

int sg_report_compare_table(const sg_model_info *info, const sg_compare *c, const sg_style *style, char **out,
                            sg_error *err)
{
    sg_strbuf b = {0};
    sg_put_heading(
        &b, c->halves ? "Ways to choose which halves of layers to remove" : "Ways to choose which layers to remove",
        style);
    put_head(&b, info, c, sg_glyphs_of(style));
    for (size_t text = 0; text < c->methods[0].points[0].n_perplexity; text++)
        put_text(&b, c, text, style);
    for (size_t task = 0; task < c->n_tasks; task++)
        put_task(&b, c, task, style);
    put_legend(&b, c);
    put_speeds_table(&b, c, sg_glyphs_of(style));
    return sg_strbuf_finish(&b, out, err);
}
