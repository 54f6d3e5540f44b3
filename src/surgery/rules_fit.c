/* Periods: all that fits is found by trying. */
#include "surgery/rules_fit.h"

#include <stdio.h>

#include "core/mem.h"

/* The number of layers after which everything that the family tells by a period begins anew. */
static int64_t common_period(const sg_cut *cut)
{
    json_object *config = sg_cut_config(cut);
    int64_t common = 1;
    for (const sg_rule *r = NULL; (r = sg_rule_next(cut, r));) {
        int64_t n = r->op == SG_RULE_FIT_PERIOD  ? sg_rule_number(config, r->key, r->depth)
                    : r->op == SG_RULE_FIT_RANGE ? sg_rule_number(config, "moe_layer_interval", 1)
                                                 : 1;
        int64_t a = common, b = n > 1 && n <= cut->plan->layers ? n : 1;
        while (b) {
            int64_t rest = a % b;
            a = b;
            b = rest;
        }
        common = common / a * (n > 1 && n <= cut->plan->layers ? n : 1);
        if (common > cut->plan->layers)
            return common;
    }
    return common;
}

static int refuse(const sg_cut *cut, const char *keys, const char *what, sg_error *err)
{
    const sg_plan *plan = cut->plan;
    int64_t n = common_period(cut), first = plan->remove[0];
    char *list = sg_layers_format(plan->remove, plan->n_remove);
    char whole[160];
    if (first + n > plan->layers)
        first = plan->layers - n;
    if (n < plan->layers)
        snprintf(whole, sizeof whole, "%lld layers in a row can go, such as %lld-%lld, or layers at the end",
                 (long long)n, (long long)first, (long long)(first + n - 1));
    else
        snprintf(whole, sizeof whole, "layers at the end can go");
    int rc = list ? sg_fail(err, SG_ERR_REFUSED,
                            "%s: %s say what a layer is by its number, and no numbers fit what is left without %s: %s",
                            what, keys, list, whole)
                  : sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
    sg_free(list);
    return rc;
}

/* Does i % period == offset say of each survivor, under its new number, what was said of it? */
static bool period_fits(const sg_cut *cut, const bool *special, int64_t period, int64_t offset)
{
    for (size_t i = 0; i < cut->plan->n_keep; i++)
        if (special[cut->plan->keep[i]] != ((int64_t)i % period == offset))
            return false;
    return true;
}

int sg_fit_period(const sg_cut *cut, const sg_rule *rule, json_object *config, const char *what, sg_error *err)
{
    int64_t period = sg_rule_number(config, rule->key, rule->depth),
            offset = sg_rule_number(config, rule->with, rule->n);
    bool *special = sg_alloc_zero((size_t)cut->plan->layers, sizeof *special), found;
    char keys[160];
    if (!special)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
    if (period < 1 || offset < 0) {
        sg_free(special);
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is %lld and \"%s\" %lld, expected a period and a place in it",
                       what, rule->key, (long long)period, rule->with, (long long)offset);
    }
    for (int i = 0; i < cut->plan->layers; i++)
        special[i] = i % period == offset;
    int64_t p = period, o = offset;
    found = period_fits(cut, special, p, o);
    for (o = found ? offset : 0; !found && o < period && o <= cut->plan->layers;) /* the same period, shifted */
        if (!(found = period_fits(cut, special, p, o)))
            o++;
    for (int64_t n = 1; !found && n <= (int64_t)cut->plan->n_keep + 1; n++)
        for (int64_t at = 0; !found && at < n; at++)
            if ((found = period_fits(cut, special, n, at))) {
                p = n;
                o = at;
            }
    sg_free(special);
    snprintf(keys, sizeof keys, "\"%s\" and \"%s\"", rule->key, rule->with);
    if (!found)
        return refuse(cut, keys, what, err);
    int rc = p != period ? sg_json_put(config, rule->key, json_object_new_int64(p), err) : SG_OK;
    return rc == SG_OK && o != offset ? sg_json_put(config, rule->with, json_object_new_int64(o), err) : rc;
}

/* ernie4_5_moe: experts in layers from start to end (-1: the last), each interval-th. */
typedef struct range {
    int64_t start, end, interval;
} range;

static bool in_range(const range *r, int64_t i, int64_t layers)
{
    return (i + 1) % r->interval == 0 && i >= r->start && i <= (r->end == -1 ? layers - 1 : r->end);
}

static bool range_fits(const sg_cut *cut, const range *old, const range *fresh)
{
    for (size_t i = 0; i < cut->plan->n_keep; i++)
        if (in_range(old, cut->plan->keep[i], cut->plan->layers) !=
            in_range(fresh, (int64_t)i, (int64_t)cut->plan->n_keep))
            return false;
    return true;
}

int sg_fit_range(const sg_cut *cut, json_object *config, const char *what, sg_error *err)
{
    range old = {sg_rule_number(config, "moe_layer_start_index", 1), sg_rule_number(config, "moe_layer_end_index", -1),
                 sg_rule_number(config, "moe_layer_interval", 1)};
    int64_t left = (int64_t)cut->plan->n_keep, first = left, last = -2;
    if (old.interval < 1)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"moe_layer_interval\" is %lld, expected at least 1", what,
                       (long long)old.interval);
    for (int64_t i = left - 1; i >= 0; i--)
        if (in_range(&old, cut->plan->keep[i], cut->plan->layers)) {
            first = i;
            last = last < 0 ? i : last;
        }
    range fresh = {old.start - sg_cut_removed_below(cut, old.start),
                   old.end == -1 ? -1 : old.end - sg_cut_removed_below(cut, old.end + 1), old.interval};
    bool found = range_fits(cut, &old, &fresh);
    for (int64_t n = 1; !found && n <= left; n++) {
        fresh = (range){first, last == left - 1 && old.end == -1 ? -1 : last, n};
        found = range_fits(cut, &old, &fresh);
    }
    if (!found)
        return refuse(cut, "\"moe_layer_start_index\", \"moe_layer_end_index\" and \"moe_layer_interval\"", what, err);
    int rc = fresh.start != old.start
                 ? sg_json_put(config, "moe_layer_start_index", json_object_new_int64(fresh.start), err)
                 : SG_OK;
    if (rc == SG_OK && fresh.end != old.end)
        rc = sg_json_put(config, "moe_layer_end_index", json_object_new_int64(fresh.end), err);
    return rc == SG_OK && fresh.interval != old.interval
               ? sg_json_put(config, "moe_layer_interval", json_object_new_int64(fresh.interval), err)
               : rc;
}
