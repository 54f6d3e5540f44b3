/* The rules on config.json's object. Key order stays; what a rule adds goes to the end. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "model/describe.h"
#include "surgery/quantization.h"
#include "surgery/rule.h"
#include "surgery/rules_fit.h"

/* One rule's place: the object that holds its key. */
typedef struct place {
    json_object *holder; /* NULL: absent */
    const char *key;
    const char *what; /* the file, for errors */
} place;

static int no_memory(const char *key, sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", key);
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

static int count(const sg_cut *cut, const sg_rule *rule, const place *p, sg_error *err)
{
    int64_t n = 0, times = rule->n ? rule->n : 1;
    bool found = false;
    int rc = sg_json_get_int(p->holder, p->what, p->key, 0, INT32_MAX, &n, &found, err);
    if (rc < 0 || !found)
        return rc;
    if (n != times * cut->plan->layers && !sg_rules_know(cut)) /* another family's word for it */
        return SG_OK;
    if (n != times * cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is %lld, expected %lld", p->what, p->key, (long long)n,
                       (long long)times * cut->plan->layers);
    return sg_json_put(p->holder, p->key, json_object_new_int64(times * (int64_t)cut->plan->n_keep), err);
}

/* The family's key for the number of layers, where the configuration leaves that to the loader's default; NULL: it says
 * it, or the family is not known. */
static const sg_rule *unsaid_count(const sg_cut *cut, json_object *config)
{
    const sg_rule *own = NULL;
    for (const sg_rule *r = NULL; (r = sg_rule_next(cut, r));) {
        if (r->op == SG_RULE_COUNT && sg_json_get(config, r->key))
            return NULL;
        own = r->op == SG_RULE_COUNT ? r : own; /* a family's rows stand behind that of all */
    }
    return sg_rules_know(cut) ? own : NULL;
}

/* A number of layers from the front or, above, from the end. */
static int count_some(const sg_cut *cut, const sg_rule *rule, const place *p, bool above, sg_error *err)
{
    int64_t n = rule->n, layers = cut->plan->layers;
    bool found = false;
    int rc = sg_json_get_int(p->holder, p->what, p->key, 0, INT32_MAX, &n, &found, err);
    int gone = above ? (int)cut->plan->n_remove - sg_cut_removed_below(cut, layers - n) : sg_cut_removed_below(cut, n);
    if (rc < 0 || (!found && !gone) || !p->holder)
        return rc;
    return sg_json_put(p->holder, p->key, json_object_new_int64(n - gone), err);
}

static int scale(const sg_cut *cut, const sg_rule *rule, const place *p, sg_error *err)
{
    double value = 0;
    bool found = false;
    int rc = sg_json_get_double(p->holder, p->what, p->key, &value, &found, err);
    if (rc < 0 ||
        (!found && json_object_object_get_ex(p->holder, p->key, NULL))) /* null follows the number of layers */
        return rc;
    value = found ? value : strtod(rule->with, NULL);
    value *= sqrt((double)cut->plan->n_keep / cut->plan->layers);
    return sg_json_put(p->holder, p->key, sg_json_number(value), err);
}

/* ---- lists with an entry a layer --------------------------------------------------------------------- */

static bool all_equal(json_object *list)
{
    for (size_t i = 1; i < json_object_array_length(list); i++)
        if (!json_object_equal(json_object_array_get_idx(list, 0), json_object_array_get_idx(list, i)))
            return false;
    return true;
}

/* The survivors' entries, and those behind the last layer's (of layers that predict further tokens). */
static json_object *survivors(const sg_cut *cut, json_object *entries, sg_error *err)
{
    json_object *kept = json_object_new_array();
    int rc = kept ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for a JSON array");
    for (size_t i = 0; rc == SG_OK && i < json_object_array_length(entries); i++)
        if (i >= (size_t)cut->plan->layers || cut->to[i] >= 0)
            rc = sg_json_append_same(kept, json_object_array_get_idx(entries, i), err);
    if (rc == SG_OK)
        return kept;
    json_object_put(kept);
    return NULL;
}

/* A list of one-letter words as a string. */
static json_object *joined(json_object *letters)
{
    size_t n = json_object_array_length(letters);
    char *text = sg_alloc(n + 1, 1);
    for (size_t i = 0; text && i < n; i++)
        text[i] = *json_object_get_string(json_object_array_get_idx(letters, i));
    json_object *out = text ? json_object_new_string_len(text, (int)n) : NULL;
    sg_free(text);
    return out;
}

static int gather(const sg_cut *cut, const sg_rule *rule, const place *p, sg_error *err)
{
    json_object *old = sg_json_get(p->holder, p->key), *entries = NULL;
    int rc = p->holder ? sg_rule_entries(cut, rule, &entries, err) : SG_OK;
    if (rc < 0 || !entries)
        return rc;
    bool string = json_object_is_type(old, json_type_string);
    /* a default that is the same for all layers stays a default */
    bool leave = !old && all_equal(entries);
    json_object *kept = leave ? NULL : survivors(cut, entries, err);
    json_object_put(entries);
    if (leave || !kept)
        return leave ? SG_OK : SG_ERR_NOMEM;
    if (!string)
        return sg_json_put(p->holder, p->key, kept, err);
    json_object *text = joined(kept);
    json_object_put(kept);
    return sg_json_put(p->holder, p->key, text, err);
}

static int runs(const sg_cut *cut, const sg_rule *rule, const place *p, sg_error *err)
{
    json_object *flat, *kept = NULL;
    int rc = sg_rule_entries(cut, rule, &flat, err);
    if (rc == SG_OK && !(kept = survivors(cut, flat, err)))
        rc = SG_ERR_NOMEM;
    json_object_put(flat);
    json_object *run = json_object_new_array(), *all = json_object_new_array();
    if (rc == SG_OK && (!run || !all))
        rc = no_memory(p->key, err);
    if (rc == SG_OK) {
        rc = sg_json_append(run, kept, err);
        kept = NULL;
    }
    if (rc == SG_OK)
        rc = sg_json_append(run, json_object_new_int64(1), err);
    if (rc == SG_OK) {
        rc = sg_json_append(all, run, err);
        run = NULL;
    }
    json_object_put(kept);
    json_object_put(run);
    if (rc == SG_OK)
        return sg_json_put(p->holder, p->key, all, err);
    json_object_put(all);
    return rc;
}

/* ---- lists of layer numbers -------------------------------------------------------------------------- */

/* Layer i's new number; -1: removed, or no layer. */
static int64_t renumber(const sg_cut *cut, int64_t i)
{
    return i >= 0 && i < cut->plan->layers ? cut->to[i] : -1;
}

/* The list of layer numbers (NULL: empty) as bits; SG_ERR_FORMAT when it is none. */
static int read_numbers(const sg_cut *cut, const place *p, json_object *list, int base, bool *in, sg_error *err)
{
    if (!list)
        return SG_OK;
    bool good = json_object_is_type(list, json_type_array);
    for (size_t i = 0; good && i < json_object_array_length(list); i++) {
        json_object *e = json_object_array_get_idx(list, i);
        good = json_object_is_type(e, json_type_int);
        int64_t n = good ? json_object_get_int64(e) : -1;
        if (n >= base && n - base < cut->plan->layers)
            in[n - base] = true;
    }
    return good ? SG_OK : sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is not a list of layer numbers", p->what, p->key);
}

/* In the old list's order. */
static json_object *numbers_in_order(const sg_cut *cut, json_object *list, int base)
{
    json_object *out = json_object_new_array();
    for (size_t i = 0; out && i < json_object_array_length(list); i++) {
        int64_t n = json_object_get_int64(json_object_array_get_idx(list, i)),
                to = n < base ? -1 : renumber(cut, n - base);
        if (to >= 0 && sg_json_append(out, json_object_new_int64(to + base), NULL) < 0) {
            json_object_put(out);
            return NULL;
        }
    }
    return out;
}

static json_object *numbers_of(const sg_cut *cut, const bool *in, int base)
{
    json_object *out = json_object_new_array();
    for (size_t i = 0; out && i < cut->plan->n_keep; i++)
        if (in[cut->plan->keep[i]] && sg_json_append(out, json_object_new_int64((int64_t)i + base), NULL) < 0) {
            json_object_put(out);
            return NULL;
        }
    return out;
}

/* Marks what an absent list means; *some: not none, and not all. */
static int mark_absent(const sg_cut *cut, const sg_rule *rule, bool *in, bool *some, sg_error *err)
{
    json_object *entries = NULL;
    int rc = sg_rule_entries(cut, rule, &entries, err), n = 0;
    for (int i = 0; entries && i < cut->plan->layers; i++)
        n += in[i] = sg_entry_is(entries, i, rule->yes);
    *some = n > 0 && n < cut->plan->layers;
    json_object_put(entries);
    return rc;
}

static int remap(const sg_cut *cut, const sg_rule *rule, const place *p, sg_error *err)
{
    int64_t step = 1;
    json_object *list = sg_json_get(p->holder, p->key);
    bool *in = sg_alloc_zero((size_t)cut->plan->layers, sizeof *in), meant = false;
    int rc = in ? read_numbers(cut, p, list, rule->depth, in, err)
                : sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
    if (rc == SG_OK && !list && p->holder)
        rc = mark_absent(cut, rule, in, &meant, err);
    if (rc == SG_OK && rule->step)
        rc = sg_json_get_int(p->holder, p->what, rule->step, 1, INT32_MAX, &step, NULL, err);
    for (int i = 0; rc == SG_OK && step > 1 && i < cut->plan->layers; i++)
        in[i] = in[i] || (i + 1) % step != 0;
    if (rc == SG_OK && (step > 1 || meant))
        rc = sg_json_put(p->holder, p->key, numbers_of(cut, in, rule->depth), err);
    else if (rc == SG_OK && list)
        rc = sg_json_put(p->holder, p->key, numbers_in_order(cut, list, rule->depth), err);
    if (rc == SG_OK && step > 1)
        rc = sg_json_put(p->holder, rule->step, json_object_new_int64(1), err);
    sg_free(in);
    return rc;
}

static int remap_keys(const sg_cut *cut, const place *p, sg_error *err)
{
    json_object *old = sg_json_get(p->holder, p->key), *out;
    if (!json_object_is_type(old, json_type_object))
        return SG_OK;
    if (!(out = json_object_new_object()))
        return no_memory(p->key, err);
    int rc = SG_OK;
    struct json_object_iterator it = json_object_iter_begin(old), end = json_object_iter_end(old);
    for (; rc == SG_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        const char *name = json_object_iter_peek_name(&it);
        json_object *value = json_object_iter_peek_value(&it);
        size_t digits = strlen(name);
        bool number = digits > 0 && digits < 10 && strspn(name, "0123456789") == digits;
        int64_t to = number ? renumber(cut, strtol(name, NULL, 10)) : -1;
        char fresh[32];
        if (!number || !value)
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" has \"%s\": %s, expected a layer's number and an object",
                         p->what, p->key, name, json_object_to_json_string(value));
        snprintf(fresh, sizeof fresh, "%0*d", number ? (int)digits : 1, (int)to); /* as many zeros in front */
        if (to >= 0 && rc == SG_OK)
            rc = sg_json_put(out, fresh, json_object_get(value), err);
    }
    if (rc == SG_OK)
        return sg_json_put(p->holder, p->key, out, err);
    json_object_put(out);
    return rc;
}

/* ---- all --------------------------------------------------------------------------------------------- */

static int edit(const sg_cut *cut, const sg_rule *rule, json_object *config, const char *what, sg_error *err)
{
    place p = {.what = what};
    p.holder = sg_json_holder(config, rule->key, &p.key);
    switch (rule->op) {
    case SG_RULE_COUNT:
        return count(cut, rule, &p, err);
    case SG_RULE_COUNT_BELOW:
        return count_some(cut, rule, &p, false, err);
    case SG_RULE_COUNT_ABOVE:
        return count_some(cut, rule, &p, true, err);
    case SG_RULE_GATHER:
    case SG_RULE_CYCLE:
        return gather(cut, rule, &p, err);
    case SG_RULE_RUNS:
        return runs(cut, rule, &p, err);
    case SG_RULE_REMAP:
        return remap(cut, rule, &p, err);
    case SG_RULE_REMAP_KEYS:
        return remap_keys(cut, &p, err);
    case SG_RULE_SCALE:
        return scale(cut, rule, &p, err);
    case SG_RULE_DROP:
        if (p.holder)
            json_object_object_del(p.holder, p.key);
        return SG_OK;
    case SG_RULE_FIT_PERIOD:
        return sg_fit_period(cut, rule, config, what, err);
    case SG_RULE_FIT_RANGE:
        return sg_fit_range(cut, config, what, err);
    default:
        return SG_OK;
    }
}

int sg_rules_config(const sg_cut *cut, json_object *config, const char *what, sg_error *err)
{
    json_object *text = sg_config_text(config);
    const sg_rule *unsaid = unsaid_count(cut, text);
    int rc = SG_OK;
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));)
        rc = edit(cut, r, text, what, err);
    if (rc == SG_OK && unsaid)
        rc = sg_json_put(text, unsaid->key,
                         json_object_new_int64((unsaid->n ? unsaid->n : 1) * (int64_t)cut->plan->n_keep), err);
    if (rc == SG_OK)
        rc = sg_quantization_edit(cut, config, err);
    if (rc == SG_OK && text != config)
        rc = sg_quantization_edit(cut, text, err);
    return rc;
}
