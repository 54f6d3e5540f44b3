/* Perplexity: the JSON object and the table of `eval`. */
#include <math.h>
#include <stdio.h>

#include "core/mem.h"
#include "report/eval.h"
#include "report/parts.h"

/* ---- JSON --------------------------------------------------------------------------------------------- */

static bool put_perplexity(json_object *list, const sg_perplexity *p, sg_error *err)
{
    json_object *obj = json_object_new_object();
    if (sg_put_json_string(obj, "source", p->source, err) && sg_put_json_int(obj, "window", (uint64_t)p->window, err) &&
        sg_put_json_bool(obj, "bos", p->bos, err) && sg_put_json_int(obj, "tokens", (uint64_t)p->tokens, err) &&
        sg_put_json_int(obj, "windows", (uint64_t)p->windows, err) && sg_put_json_number(obj, "ppl", p->ppl, err) &&
        sg_put_json_number(obj, "ppl_low", p->ppl_low, err) && sg_put_json_number(obj, "ppl_high", p->ppl_high, err) &&
        sg_put_json_number(obj, "kl", p->kl, err) && sg_put_json_number(obj, "kl_p99", p->kl_p99, err) &&
        sg_put_json_number(obj, "top1", p->top1, err))
        return sg_json_append(list, obj, err) == SG_OK;
    json_object_put(obj);
    return false;
}

bool sg_put_json_perplexities(json_object *obj, const sg_perplexity *p, size_t n, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < n; i++)
        if (!put_perplexity(list, &p[i], err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "perplexity", list, err) == SG_OK;
}

bool sg_put_json_speed(json_object *obj, const sg_speed *s, sg_error *err)
{
    if (!s->tokens)
        return sg_put_json_number(obj, "speed", (double)NAN, err);
    json_object *speed = json_object_new_object();
    if (sg_put_json_int(speed, "prompt_tokens", (uint64_t)s->prompt_tokens, err) &&
        sg_put_json_number(speed, "prompt_tokens_per_second", s->prompt_tokens_per_second, err) &&
        sg_put_json_int(speed, "tokens", (uint64_t)s->tokens, err) &&
        sg_put_json_number(speed, "tokens_per_second", s->tokens_per_second, err) &&
        sg_put_json_int(speed, "turns", (uint64_t)s->turns, err) && sg_put_json_int(speed, "memory", s->memory, err))
        return sg_json_put(obj, "speed", speed, err) == SG_OK;
    json_object_put(speed);
    return false;
}

static bool put_entry(json_object *list, const sg_eval_entry *e, const sg_eval_entry *first, sg_error *err)
{
    json_object *obj = json_object_new_object();
    if (sg_put_json_string(obj, "path", e->path, err) && sg_put_json_string(obj, "fingerprint", e->fingerprint, err) &&
        sg_put_json_layers(obj, "removed", e->removed, e->n_removed, err) &&
        sg_put_json_int(obj, "layers", (uint64_t)e->layers, err) &&
        sg_put_json_int(obj, "parameters", e->parameters, err) && sg_put_json_int(obj, "bytes", e->bytes, err) &&
        sg_put_json_perplexities(obj, e->perplexity, e->n_perplexity, err) && sg_put_json_speed(obj, &e->speed, err) &&
        sg_put_json_tasks(obj, e->tasks, e->n_tasks, e == first ? NULL : first->tasks, err) &&
        sg_put_json_samples(obj, e, err))
        return sg_json_append(list, obj, err) == SG_OK;
    json_object_put(obj);
    return false;
}

static bool put_entries(json_object *obj, const sg_eval *eval, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < eval->n_entries; i++)
        if (!put_entry(list, &eval->entries[i], &eval->entries[0], err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "models", list, err) == SG_OK;
}

int sg_eval_json(const sg_eval *eval, char **out, sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok = sg_put_json_string(obj, "schema", "shortgpt/eval/1", err) &&
              sg_put_json_string(obj, "precision", sg_precision_name(eval->precision), err) &&
              sg_put_json_number(obj, "seconds", eval->seconds, err) && put_entries(obj, eval, err);
    return sg_report_json_text(obj, ok, out, err);
}

/* ---- the table ---------------------------------------------------------------------------------------- */

enum { LABEL = 20, COLUMN = 19, CHANGE = 12 };

static void put_label(sg_strbuf *b, const char *label)
{
    sg_strbuf_puts(b, "  ");
    sg_strbuf_pad(b, label, LABEL);
}

static void put_entry_name(sg_strbuf *b, const sg_eval_entry *e)
{
    sg_put_clean(b, e->path);
    if (e->n_removed) {
        sg_strbuf_puts(b, " without layers ");
        sg_put_layers(b, e->removed, e->n_removed);
    }
}

static void put_interval(sg_strbuf *b, const sg_perplexity *p, int decimals, const sg_glyphs *g)
{
    sg_strbuf part = {0};
    if (isfinite(p->ppl_low) && isfinite(p->ppl_high)) {
        sg_strbuf_fixed(&part, p->ppl_low, decimals);
        sg_strbuf_printf(&part, " %s ", g->dash);
        sg_strbuf_fixed(&part, p->ppl_high, decimals);
    } else {
        sg_strbuf_puts(&part, g->dash);
    }
    b->failed |= part.failed;
    if (!part.failed)
        sg_strbuf_pad(b, part.data, -COLUMN);
    sg_strbuf_free(&part);
}

/* Four significant digits or so, the same for all of a row. */
static int decimals_of(double ppl)
{
    return ppl < 100 ? 2 : ppl < 1000 ? 1 : 0;
}

/* One column for each entry of [first, first + n); behind two of them their change. */
typedef struct columns {
    const sg_eval_entry *e;
    size_t n;
    const char *const *names;
    const sg_glyphs *g;
} columns;

static void put_u64_row(sg_strbuf *b, const columns *c, const char *label, sg_put_u64 *put, const uint64_t *values)
{
    put_label(b, label);
    for (size_t i = 0; i < c->n; i++)
        sg_put_padded(b, put, values[i], -COLUMN);
    if (c->n == 2)
        sg_put_padded_change(b, (double)values[0], (double)values[1], -CHANGE);
    sg_strbuf_puts(b, "\n");
}

/* One line each for the last column, where there is a before to compare with. */
static void put_divergence(sg_strbuf *b, const columns *c, size_t text)
{
    const sg_perplexity *p = &c->e[c->n - 1].perplexity[text];
    if (!isfinite(p->kl))
        return;
    put_label(b, "KL divergence, nats");
    sg_strbuf_pad(b, "", -COLUMN);
    sg_put_padded_fixed(b, p->kl, 4, -COLUMN);
    sg_strbuf_puts(b, "\n");
    put_label(b, "  99th percentile");
    sg_strbuf_pad(b, "", -COLUMN);
    sg_put_padded_fixed(b, p->kl_p99, 4, -COLUMN);
    sg_strbuf_puts(b, "\n");
    put_label(b, "same top token");
    sg_strbuf_pad(b, "", -COLUMN);
    sg_put_padded_fixed(b, 100 * p->top1, 1, -COLUMN + 1);
    sg_strbuf_puts(b, "%\n");
}

static void put_perplexity_rows(sg_strbuf *b, const columns *c, size_t text)
{
    const sg_perplexity *first = &c->e[0].perplexity[text];
    int decimals = decimals_of(first->ppl);
    put_label(b, "perplexity");
    for (size_t i = 0; i < c->n; i++)
        sg_put_padded_fixed(b, c->e[i].perplexity[text].ppl, decimals, -COLUMN);
    if (c->n == 2)
        sg_put_padded_change(b, first->ppl, c->e[1].perplexity[text].ppl, -CHANGE);
    sg_strbuf_puts(b, "\n");
    put_label(b, "  95% interval");
    for (size_t i = 0; i < c->n; i++)
        put_interval(b, &c->e[i].perplexity[text], decimals, c->g);
    sg_strbuf_puts(b, "\n");
    put_divergence(b, c, text);
}

static void put_text(sg_strbuf *b, const sg_perplexity *p, const sg_glyphs *g)
{
    sg_strbuf_puts(b, "\n  on ");
    sg_put_clean(b, p->source);
    sg_strbuf_printf(b, " %s ", g->dot);
    sg_put_count(b, (uint64_t)p->tokens);
    sg_strbuf_printf(b, " predictions in %lld window%s of %d%s\n", (long long)p->windows, p->windows == 1 ? "" : "s",
                     p->window, p->bos ? ", each behind a BOS" : "");
}

/* Tokens a second, of the prompt or behind it. */
static void put_rate_row(sg_strbuf *b, const columns *c, const char *label, bool prompt)
{
    double rates[2] = {0};
    put_label(b, label);
    for (size_t i = 0; i < c->n && i < 2; i++) {
        rates[i] = prompt ? c->e[i].speed.prompt_tokens_per_second : c->e[i].speed.tokens_per_second;
        sg_put_padded_fixed(b, rates[i], rates[i] < 100 ? 1 : 0, -COLUMN);
    }
    if (c->n == 2)
        sg_put_padded_change(b, rates[0], rates[1], -CHANGE);
    sg_strbuf_puts(b, "\n");
}

static void put_speed_rows(sg_strbuf *b, const columns *c)
{
    uint64_t memory[2] = {0};
    for (size_t i = 0; i < c->n && i < 2; i++) {
        if (!c->e[i].speed.tokens)
            return;
        memory[i] = c->e[i].speed.memory;
    }
    const sg_speed *s = &c->e[0].speed;
    sg_strbuf_printf(b, "\n  speed %s %d tokens read, then %d one by one, the fastest of %d turns\n", c->g->dot,
                     s->prompt_tokens, s->tokens, s->turns);
    put_rate_row(b, c, "read, tokens/s", true);
    put_rate_row(b, c, "written, tokens/s", false);
    put_u64_row(b, c, "memory for it", sg_put_bytes, memory);
}

static void put_columns(sg_strbuf *b, const columns *c)
{
    if (c->n == 2) {
        put_label(b, "");
        for (size_t i = 0; i < c->n; i++)
            sg_strbuf_pad(b, c->names[i], -COLUMN);
        sg_strbuf_pad(b, "change", -CHANGE);
        sg_strbuf_puts(b, "\n");
    }
    uint64_t layers[2], parameters[2], bytes[2];
    for (size_t i = 0; i < c->n; i++) {
        layers[i] = (uint64_t)c->e[i].layers;
        parameters[i] = c->e[i].parameters;
        bytes[i] = c->e[i].bytes;
    }
    put_u64_row(b, c, "layers", sg_put_count, layers);
    put_u64_row(b, c, "parameters", sg_put_count, parameters);
    put_u64_row(b, c, "tensor data", sg_put_bytes, bytes);
    put_speed_rows(b, c);
    for (size_t text = 0; text < c->e[0].n_perplexity; text++) {
        put_text(b, &c->e[0].perplexity[text], c->g);
        put_perplexity_rows(b, c, text);
    }
}

/* Three models and more: a row each, with the change from the first. */
static void put_rows(sg_strbuf *b, const sg_eval *eval, size_t text, const sg_glyphs *g)
{
    const sg_eval_entry *e = eval->entries;
    int decimals = decimals_of(e[0].perplexity[text].ppl);
    put_text(b, &e[0].perplexity[text], g);
    sg_strbuf_puts(b, "  model  layers  parameters  tensor data  perplexity       95% interval   change\n");
    for (size_t i = 0; i < eval->n_entries; i++) {
        sg_strbuf_printf(b, "  [%zu]%*s", i + 1, i < 9 ? 2 : 1, "");
        sg_put_padded(b, sg_put_count, (uint64_t)e[i].layers, -8);
        sg_put_padded(b, sg_put_short, e[i].parameters, -12);
        sg_put_padded(b, sg_put_bytes, e[i].bytes, -13);
        sg_put_padded_fixed(b, e[i].perplexity[text].ppl, decimals, -12);
        put_interval(b, &e[i].perplexity[text], decimals, g);
        if (i)
            sg_put_padded_change(b, e[0].perplexity[text].ppl, e[i].perplexity[text].ppl, -9);
        sg_strbuf_puts(b, "\n");
    }
}

/* Tasks and texts. names: NULL for "model", or the entries' numbers */
static void put_rest(sg_strbuf *b, const sg_eval *eval, const char *const *names, const sg_style *style)
{
    size_t n = eval->n_entries;
    char(*numbers)[32] = sg_alloc(n, sizeof *numbers);
    const char **made = sg_alloc(n, sizeof *made);
    b->failed |= !numbers || !made;
    for (size_t i = 0; i < n && !b->failed; i++) {
        snprintf(numbers[i], sizeof *numbers, n == 1 ? "model" : "[%zu]", i + 1);
        made[i] = numbers[i];
    }
    if (!b->failed && eval->entries[0].n_tasks)
        sg_put_tasks(b, eval, names ? names : made, sg_glyphs_of(style));
    if (!b->failed && eval->entries[0].n_samples)
        sg_put_samples(b, eval, names ? names : made, style);
    sg_free(numbers);
    sg_free(made);
}

int sg_eval_table(const sg_eval *eval, const sg_style *style, char **out, sg_error *err)
{
    const sg_glyphs *g = sg_glyphs_of(style);
    const sg_eval_entry *e = eval->entries;
    sg_strbuf b = {0};
    sg_put_heading(&b,
                   e[0].n_perplexity ? "Perplexity: how surprised the model is by each next token; lower is better"
                                     : "Tasks: which part of their items the model gets right",
                   style);
    static const char *const before_after[] = {"before", "after"}, *const first_second[] = {"[1]", "[2]"};
    /* The second is the first with fewer layers: they are a before and an after. */
    bool pruned = eval->n_entries == 2 && e[1].layers < e[0].layers;
    for (size_t i = 0; i < eval->n_entries; i++) {
        char key[32];
        snprintf(key, sizeof key, eval->n_entries == 1 ? "model" : "[%zu]", i + 1);
        sg_put_key(&b, pruned ? before_after[i] : key);
        put_entry_name(&b, &e[i]);
        sg_strbuf_puts(&b, "\n");
    }
    sg_put_key(&b, "computed");
    sg_strbuf_printf(&b, "in %s %s ", sg_precision_name(eval->precision), g->dot);
    sg_put_seconds(&b, eval->seconds);
    sg_strbuf_puts(&b, "\n");
    if (eval->n_entries > 2) {
        for (size_t text = 0; text < e[0].n_perplexity; text++)
            put_rows(&b, eval, text, g);
    } else if (eval->n_entries) {
        sg_strbuf_puts(&b, "\n");
        put_columns(&b, &(columns){e, eval->n_entries, pruned ? before_after : first_second, g});
    }
    if (eval->n_entries > 1 && e[0].n_perplexity)
        sg_strbuf_puts(&b, "\n  All read the same windows. The intervals say how much windows differ from each\n"
                           "  other, so the change is better known than they suggest.\n");
    put_rest(&b, eval, pruned ? before_after : NULL, style);
    return sg_strbuf_finish(&b, out, err);
}
