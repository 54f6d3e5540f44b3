/* From likelihoods to accuracies, as lm-evaluation-harness aggregates them. */
#include "tasks/score.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/stats.h"

/* Right answers of a group of items. */
typedef struct tally {
    int64_t n, right, right_norm;
} tally;

static double rate(int64_t right, int64_t n)
{
    return (double)right / (double)n;
}

static double error_of(int64_t right, int64_t n)
{
    return sg_standard_error((double)right, (double)right, n); /* of zeros and ones */
}

/* The first of the largest; per character with lengths. */
static int best_option(const sg_request_score *scores, const sg_request *requests, int n, bool per_character)
{
    int best = 0;
    double top = -INFINITY;
    for (int i = 0; i < n; i++) {
        double value = per_character ? scores[i].ll / (double)requests[i].characters : scores[i].ll;
        if (value > top) {
            top = value;
            best = i;
        }
    }
    return best;
}

static int fill_item(sg_item_score *out, const sg_task *task, const sg_item *item, const sg_request_score *scores,
                     sg_error *err)
{
    double *lls = sg_alloc((size_t)item->n, sizeof *lls);
    const sg_request *requests = task->requests + item->first;
    *out = (sg_item_score){.id = sg_strdup(item->id), .lls = lls, .n = item->n, .gold = item->gold};
    if (!lls || !out->id)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the items of %s", task->name);
    for (int i = 0; i < item->n; i++)
        lls[i] = scores[i].ll;
    if (task->row->rule == SG_RULE_WORD) {
        out->pred = out->pred_norm = scores[0].greedy ? 0 : -1;
    } else {
        out->pred = best_option(scores, requests, item->n, false);
        out->pred_norm = task->row->acc_norm ? best_option(scores, requests, item->n, true) : -1;
    }
    return SG_OK;
}

static int fill_items(sg_task_score *out, const sg_task *task, const sg_request_score *scores, sg_error *err)
{
    sg_item_score *items = sg_alloc_zero(task->n_items, sizeof *items);
    if (!items)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the items of %s", task->name);
    out->items = items;
    out->n = (int64_t)task->n_items;
    for (size_t i = 0; i < task->n_items; i++) {
        int rc = fill_item(&items[i], task, &task->items[i], scores + task->items[i].first, err);
        if (rc)
            return rc;
    }
    return SG_OK;
}

static tally count(const sg_task_score *out, const sg_task *task, int group)
{
    tally t = {0};
    for (size_t i = 0; i < task->n_items; i++) {
        if (group >= 0 && task->items[i].group != group)
            continue;
        const sg_item_score *item = &out->items[i];
        t.n++;
        t.right += item->pred == item->gold && item->gold >= 0;
        t.right_norm += item->pred_norm == item->gold && item->gold >= 0;
    }
    return t;
}

/* The pooled error of a group's mean: sqrt(sum (n_i - 1) n_i se_i^2 / (N - k) / N). */
static double pooled_error(const sg_task_score *out, bool norm)
{
    double sum = 0;
    for (size_t i = 0; i < out->n_subtasks; i++) {
        const sg_subtask_score *s = &out->subtasks[i];
        double error = norm ? s->acc_norm_error : s->acc_error;
        sum += (double)(s->n - 1) * (double)s->n * error * error;
    }
    return sqrt(sum / (double)(out->n - (int64_t)out->n_subtasks) / (double)out->n);
}

static int fill_subtasks(sg_task_score *out, const sg_task *task, sg_error *err)
{
    sg_subtask_score *list = sg_alloc_zero(task->n_groups, sizeof *list);
    bool ok = list;
    out->subtasks = list;
    for (size_t i = 0; i < task->n_groups && ok; i++) {
        tally t = count(out, task, (int)i);
        bool norm = task->row->acc_norm;
        list[i] = (sg_subtask_score){.name = sg_strdup(task->groups[i]),
                                     .n = t.n,
                                     .acc = rate(t.right, t.n),
                                     .acc_error = error_of(t.right, t.n),
                                     .acc_norm = norm ? rate(t.right_norm, t.n) : NAN,
                                     .acc_norm_error = norm ? error_of(t.right_norm, t.n) : NAN};
        out->n_subtasks = i + 1;
        ok = list[i].name;
    }
    return ok ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the subjects of %s", task->name);
}

/* The largest part of items that have one index in common: as the answer, or as the prediction. */
static double largest_part(const sg_task_score *out, int (*index_of)(const sg_item_score *))
{
    int64_t counts[SG_MAX_OPTIONS] = {0}, top = 0;
    for (int64_t i = 0; i < out->n; i++) {
        int index = index_of(&out->items[i]);
        if (index >= 0 && ++counts[index] > top)
            top = counts[index];
    }
    return rate(top, out->n);
}

static int gold_of(const sg_item_score *item)
{
    return item->gold;
}

static int pred_of(const sg_item_score *item)
{
    return item->pred;
}

static int pred_norm_of(const sg_item_score *item)
{
    return item->pred_norm;
}

static void finish_accuracy(sg_accuracy *a, const sg_task_score *out, const sg_task *task)
{
    double level = out->chance;
    if (task->same_options && out->best_constant > level)
        level = out->best_constant;
    a->near_chance = task->row->rule != SG_RULE_WORD && !(a->value - 1.96 * a->error > level);
}

static void fill_choices(sg_task_score *out, const sg_task *task, const tally *t)
{
    double chance = 0;
    for (int64_t i = 0; i < out->n; i++)
        chance += 1 / (double)out->items[i].n;
    out->chance = chance / (double)out->n;
    out->best_constant = largest_part(out, gold_of);
    out->acc.most_frequent = largest_part(out, pred_of);
    finish_accuracy(&out->acc, out, task);
    if (!task->row->acc_norm)
        return;
    out->acc_norm = (sg_accuracy){.value = rate(t->right_norm, t->n), .error = error_of(t->right_norm, t->n)};
    if (out->n_subtasks)
        out->acc_norm.error = pooled_error(out, true);
    out->acc_norm.most_frequent = largest_part(out, pred_norm_of);
    finish_accuracy(&out->acc_norm, out, task);
}

static int fill_perplexity(sg_task_score *out, sg_error *err)
{
    double *lls = sg_alloc((size_t)out->n, sizeof *lls), mean, low, high;
    if (!lls)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the perplexity of %s", out->name);
    for (int64_t i = 0; i < out->n; i++)
        lls[i] = out->items[i].lls[0];
    sg_interval(lls, (size_t)out->n, &mean, &low, &high);
    out->perplexity = exp(-mean);
    out->perplexity_low = exp(-high);
    out->perplexity_high = exp(-low);
    out->chance = 0;
    sg_free(lls);
    return SG_OK;
}

int sg_task_fill(sg_task_score *out, const sg_task *task, const sg_request_score *scores, bool bos, sg_error *err)
{
    static const sg_accuracy none = {.value = NAN, .error = NAN, .most_frequent = NAN};
    *out = (sg_task_score){.name = sg_strdup(task->name),
                           .shots = task->shots,
                           .bos = bos,
                           .acc = none,
                           .acc_norm = none,
                           .perplexity = NAN,
                           .perplexity_low = NAN,
                           .perplexity_high = NAN,
                           .chance = NAN,
                           .best_constant = NAN};
    if (!out->name)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the score of %s", task->name);
    int rc = fill_items(out, task, scores, err);
    if (rc || (task->n_groups && (rc = fill_subtasks(out, task, err))))
        return rc;
    for (size_t i = 0; i < task->n_requests; i++)
        out->cut += scores[i].cut;
    tally t = count(out, task, -1);
    out->acc.value = rate(t.right, t.n);
    out->acc.error = out->n_subtasks ? pooled_error(out, false) : error_of(t.right, t.n);
    if (task->row->rule == SG_RULE_WORD)
        return fill_perplexity(out, err);
    fill_choices(out, task, &t);
    return SG_OK;
}

/* ---- two models on the same items --------------------------------------------------------------------- */

static int right_of(const sg_item_score *item, bool norm)
{
    return item->gold >= 0 && (norm ? item->pred_norm : item->pred) == item->gold;
}

bool sg_task_compare(const sg_task_score *before, const sg_task_score *after, bool norm, sg_task_change *out)
{
    const sg_accuracy *a = norm ? &before->acc_norm : &before->acc, *b = norm ? &after->acc_norm : &after->acc;
    int64_t n = before->n, sum = 0, pairs = 0;
    *out = (sg_task_change){.difference = NAN, .low = NAN, .high = NAN, .p = NAN, .retained = NAN};
    if (strcmp(before->name, after->name) || n != after->n || !isfinite(a->value) || !isfinite(b->value))
        return false;
    for (int64_t i = 0; i < n; i++) {
        if (strcmp(before->items[i].id, after->items[i].id))
            return false;
        int change = right_of(&after->items[i], norm) - right_of(&before->items[i], norm);
        out->lost += change < 0;
        out->gained += change > 0;
    }
    sum = out->gained - out->lost;
    pairs = out->gained + out->lost;
    double half = sg_student_t975((double)n - 1) * sg_standard_error((double)sum, (double)pairs, n);
    out->difference = (double)sum / (double)n;
    out->low = out->difference - half;
    out->high = out->difference + half;
    out->p = sg_mcnemar(out->lost, out->gained);
    if (!a->near_chance && a->value > before->chance)
        out->retained = (b->value - before->chance) / (a->value - before->chance);
    return true;
}
