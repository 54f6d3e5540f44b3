/* Tasks in JSON objects and in the table of `eval`, and --items. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/eval.h"

/* ---- JSON --------------------------------------------------------------------------------------------- */

static bool put_subtask(json_object *list, const sg_subtask_score *s, sg_error *err)
{
    json_object *obj = json_object_new_object();
    if (sg_put_json_string(obj, "name", s->name, err) && sg_put_json_int(obj, "n", (uint64_t)s->n, err) &&
        sg_put_json_number(obj, "acc", s->acc, err) && sg_put_json_number(obj, "acc_stderr", s->acc_error, err) &&
        sg_put_json_number(obj, "acc_norm", s->acc_norm, err) &&
        sg_put_json_number(obj, "acc_norm_stderr", s->acc_norm_error, err))
        return sg_json_append(list, obj, err) == SG_OK;
    json_object_put(obj);
    return false;
}

static bool put_subtasks(json_object *obj, const sg_task_score *t, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < t->n_subtasks; i++)
        if (!put_subtask(list, &t->subtasks[i], err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "subtasks", list, err) == SG_OK;
}

static bool put_change(json_object *obj, const char *key, const sg_task_change *c, sg_error *err)
{
    json_object *change = json_object_new_object();
    if (sg_put_json_number(change, "difference", c->difference, err) &&
        sg_put_json_number(change, "low", c->low, err) && sg_put_json_number(change, "high", c->high, err) &&
        sg_put_json_int(change, "lost", (uint64_t)c->lost, err) &&
        sg_put_json_int(change, "gained", (uint64_t)c->gained, err) && sg_put_json_number(change, "p", c->p, err) &&
        sg_put_json_number(change, "retained", c->retained, err))
        return sg_json_put(obj, key, change, err) == SG_OK;
    json_object_put(change);
    return false;
}

/* "change": against the first entry, by each accuracy that both have */
static bool put_changes(json_object *obj, const sg_task_score *first, const sg_task_score *t, sg_error *err)
{
    static const char *const keys[] = {"acc", "acc_norm"};
    json_object *changes = json_object_new_object();
    for (int norm = 0; norm < 2; norm++) {
        sg_task_change c;
        if (sg_task_compare(first, t, norm, &c) && !put_change(changes, keys[norm], &c, err)) {
            json_object_put(changes);
            return false;
        }
    }
    return sg_json_put(obj, "change", changes, err) == SG_OK;
}

static bool put_accuracy(json_object *obj, const char *name, const sg_accuracy *a, sg_error *err)
{
    char key[4][40];
    static const char *const tails[] = {"", "_stderr", "_most_frequent", "_near_chance"};
    for (int i = 0; i < 4; i++)
        snprintf(key[i], sizeof key[i], "%s%s", name, tails[i]);
    return sg_put_json_number(obj, key[0], a->value, err) && sg_put_json_number(obj, key[1], a->error, err) &&
           sg_put_json_number(obj, key[2], a->most_frequent, err) &&
           (!isfinite(a->value) || sg_put_json_bool(obj, key[3], a->near_chance, err));
}

static bool put_task(json_object *obj, const sg_task_score *t, const sg_task_score *first, sg_error *err)
{
    return sg_put_json_string(obj, "name", t->name, err) && sg_put_json_int(obj, "n", (uint64_t)t->n, err) &&
           put_accuracy(obj, "acc", &t->acc, err) && put_accuracy(obj, "acc_norm", &t->acc_norm, err) &&
           sg_put_json_number(obj, "perplexity", t->perplexity, err) &&
           sg_put_json_number(obj, "perplexity_low", t->perplexity_low, err) &&
           sg_put_json_number(obj, "perplexity_high", t->perplexity_high, err) &&
           sg_put_json_number(obj, "chance", t->chance, err) &&
           sg_put_json_number(obj, "best_constant", t->best_constant, err) &&
           sg_put_json_int(obj, "shots", (uint64_t)t->shots, err) && sg_put_json_bool(obj, "bos", t->bos, err) &&
           sg_put_json_int(obj, "cut", (uint64_t)t->cut, err) && put_subtasks(obj, t, err) &&
           (!first || put_changes(obj, first, t, err));
}

bool sg_put_json_tasks(json_object *obj, const sg_task_score *tasks, size_t n, const sg_task_score *first,
                       sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < n; i++) {
        json_object *task = json_object_new_object();
        if (!put_task(task, &tasks[i], first ? &first[i] : NULL, err)) {
            json_object_put(task);
            json_object_put(list);
            return false;
        }
        if (sg_json_append(list, task, err)) {
            json_object_put(list);
            return false;
        }
    }
    return sg_json_put(obj, "tasks", list, err) == SG_OK;
}

/* ---- --items ------------------------------------------------------------------------------------------ */

static bool put_lls(json_object *obj, const sg_item_score *item, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < item->n; i++)
        if (sg_json_append(list, sg_json_number(item->lls[i]), err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "lls", list, err) == SG_OK;
}

static int put_item(sg_strbuf *b, const sg_eval_entry *e, const sg_task_score *t, const sg_item_score *item,
                    sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok = sg_put_json_string(obj, "path", e->path, err) &&
              sg_put_json_layers(obj, "removed", e->removed, e->n_removed, err) &&
              sg_put_json_string(obj, "task", t->name, err) && sg_put_json_string(obj, "id", item->id, err) &&
              put_lls(obj, item, err) && sg_json_put(obj, "gold", json_object_new_int(item->gold), err) == SG_OK &&
              sg_json_put(obj, "pred", json_object_new_int(item->pred), err) == SG_OK &&
              sg_json_put(obj, "pred_norm", json_object_new_int(item->pred_norm), err) == SG_OK;
    const char *line =
        ok ? json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
    if (line)
        sg_strbuf_printf(b, "%s\n", line);
    json_object_put(obj);
    return line ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the items of %s", t->name);
}

int sg_eval_items(const sg_eval *eval, char **out, sg_error *err)
{
    sg_strbuf b = {0};
    int rc = SG_OK;
    sg_strbuf_add(&b, "", 0);
    for (size_t i = 0; i < eval->n_entries; i++)
        for (size_t j = 0; j < eval->entries[i].n_tasks; j++) {
            const sg_task_score *t = &eval->entries[i].tasks[j];
            for (int64_t k = 0; k < t->n && !rc; k++)
                rc = put_item(&b, &eval->entries[i], t, &t->items[k], err);
        }
    if (!rc)
        return sg_strbuf_finish(&b, out, err);
    sg_strbuf_free(&b);
    return rc;
}

/* ---- the table ---------------------------------------------------------------------------------------- */

enum { NAME = 9, METRIC = 9, PERCENT = 8, SIGNED = 8, INTERVAL = 17, P = 8, RETAINED = 9 };

static void put_percent(sg_strbuf *b, double value, int decimals, const char *behind, int columns)
{
    sg_strbuf part = {0};
    sg_strbuf_fixed(&part, value * 100, decimals);
    sg_strbuf_puts(&part, behind);
    b->failed |= part.failed;
    if (!part.failed)
        sg_strbuf_pad(b, part.data, -columns);
    sg_strbuf_free(&part);
}

static void put_interval(sg_strbuf *b, double low, double high, const sg_glyphs *g)
{
    sg_strbuf part = {0};
    sg_strbuf_puts(&part, low > 0 ? "+" : "");
    sg_strbuf_fixed(&part, low, 1);
    sg_strbuf_printf(&part, " %s ", g->dash);
    sg_strbuf_puts(&part, high > 0 ? "+" : "");
    sg_strbuf_fixed(&part, high, 1);
    b->failed |= part.failed;
    if (!part.failed)
        sg_strbuf_pad(b, part.data, -INTERVAL);
    sg_strbuf_free(&part);
}

static void put_change_columns(sg_strbuf *b, const sg_task_change *c, const sg_glyphs *g)
{
    sg_strbuf part = {0};
    sg_strbuf_puts(&part, c->difference > 0 ? "+" : "");
    sg_strbuf_fixed(&part, c->difference * 100, 1);
    b->failed |= part.failed;
    if (!part.failed)
        sg_strbuf_pad(b, part.data, -SIGNED);
    sg_strbuf_free(&part);
    put_interval(b, c->low * 100, c->high * 100, g);
    if (c->p < 0.0001)
        sg_strbuf_pad(b, "<0.0001", -P);
    else
        sg_put_padded_fixed(b, c->p, 4, -P);
    if (isfinite(c->retained))
        put_percent(b, c->retained, 0, "%", RETAINED);
    else
        sg_strbuf_pad(b, g->dash, -RETAINED);
}

static void put_accuracy_row(sg_strbuf *b, const char *name, const sg_task_score *t, const sg_task_score *first,
                             bool norm, const sg_glyphs *g)
{
    const sg_accuracy *a = norm ? &t->acc_norm : &t->acc;
    sg_task_change c;
    if (!isfinite(a->value))
        return;
    sg_strbuf_puts(b, "  ");
    sg_strbuf_pad(b, name, NAME);
    sg_strbuf_pad(b, norm ? "acc_norm" : "acc", METRIC);
    put_percent(b, a->value, 1, a->near_chance ? "~" : " ", PERCENT);
    put_percent(b, a->error, 1, "", 6);
    if (first && sg_task_compare(first, t, norm, &c))
        put_change_columns(b, &c, g);
    sg_strbuf_puts(b, "\n");
}

/* What a constant answer makes of the row above. */
static void put_constant(sg_strbuf *b, const sg_task_score *t)
{
    if (!(t->acc.most_frequent > 0.9) || t->n < 10)
        return;
    sg_strbuf_puts(b, "           one option in ");
    sg_strbuf_fixed(b, t->acc.most_frequent * 100, 1);
    sg_strbuf_puts(b, "% of the items\n");
}

void sg_put_task_head(sg_strbuf *b, const sg_task_score *t, const sg_glyphs *g)
{
    sg_strbuf_puts(b, "\n  ");
    sg_put_clean(b, t->name);
    sg_strbuf_printf(b, " %s ", g->dot);
    sg_put_count(b, (uint64_t)t->n);
    sg_strbuf_puts(b, t->n == 1 ? " item" : " items");
    if (t->shots)
        sg_strbuf_printf(b, " %s %d shot%s", g->dot, t->shots, t->shots == 1 ? "" : "s");
    if (t->chance > 0) {
        sg_strbuf_printf(b, " %s chance ", g->dot);
        sg_strbuf_fixed(b, t->chance * 100, 1);
        sg_strbuf_puts(b, "%, best constant answer ");
        sg_strbuf_fixed(b, t->best_constant * 100, 1);
        sg_strbuf_puts(b, "%");
    }
    if (t->cut)
        sg_strbuf_printf(b, " %s %lld texts cut", g->dot, (long long)t->cut);
    sg_strbuf_puts(b, "\n");
}

static void put_perplexity_row(sg_strbuf *b, const char *name, const sg_task_score *t, const sg_glyphs *g)
{
    if (!isfinite(t->perplexity))
        return;
    sg_strbuf_puts(b, "  ");
    sg_strbuf_pad(b, name, NAME);
    sg_strbuf_puts(b, "perplexity ");
    sg_strbuf_fixed(b, t->perplexity, 2);
    if (isfinite(t->perplexity_low)) {
        sg_strbuf_puts(b, " (");
        sg_strbuf_fixed(b, t->perplexity_low, 2);
        sg_strbuf_printf(b, " %s ", g->dash);
        sg_strbuf_fixed(b, t->perplexity_high, 2);
        sg_strbuf_puts(b, ")");
    }
    sg_strbuf_puts(b, "\n");
}

void sg_put_tasks(sg_strbuf *b, const sg_eval *eval, const char *const *names, const sg_glyphs *g)
{
    const sg_eval_entry *e = eval->entries;
    bool near = false, words = false;
    for (size_t i = 0; i < e[0].n_tasks; i++) {
        sg_put_task_head(b, &e[0].tasks[i], g);
        sg_strbuf_puts(b, "  model    metric    right%   +-se");
        sg_strbuf_puts(b, eval->n_entries > 1 ? "  change     95% interval       p retained\n" : "\n");
        for (size_t j = 0; j < eval->n_entries; j++) {
            const sg_task_score *t = &e[j].tasks[i], *first = j ? &e[0].tasks[i] : NULL;
            put_accuracy_row(b, names[j], t, first, false, g);
            put_accuracy_row(b, names[j], t, first, true, g);
            put_constant(b, t);
            put_perplexity_row(b, names[j], t, g);
            words = words || isfinite(t->perplexity_low);
            near = near || t->acc.near_chance || (isfinite(t->acc_norm.value) && t->acc_norm.near_chance);
        }
    }
    if (words)
        sg_strbuf_puts(b, "\n  perplexity of last words, with its 95% interval (Student's t, of the mean).\n");
    if (near)
        sg_strbuf_puts(b, "\n  ~ near chance: guessing, or answering always the same, does as well.\n");
    if (eval->n_entries > 1)
        sg_strbuf_puts(b, "\n  change: in points, on the same items, with McNemar's p; retained: how much of the\n"
                          "  accuracy above chance.\n");
}
