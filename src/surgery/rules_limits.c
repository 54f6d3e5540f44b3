/* What no configuration of transformers can express: said by name, before anything is written. */
#include "surgery/rules_limits.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

static int protect(const sg_cut *cut, int layer, const char *why, sg_error *err)
{
    return sg_fail(err, SG_ERR_REFUSED, "%s: layer %d has to stay: %s", cut->model->config_path, layer, why);
}

/* ---- tails ------------------------------------------------------------------------------------------- */

static int check_tail(const sg_cut *cut, const char *why, sg_error *err)
{
    const sg_plan *plan = cut->plan;
    int last = plan->keep[plan->n_keep - 1], n = sg_cut_removed_below(cut, last);
    if (n == 0)
        return SG_OK;
    char *inner = sg_layers_format(plan->remove, (size_t)n);
    int rc =
        inner ? sg_fail(err, SG_ERR_REFUSED,
                        "%s: %s, so only the last layers can go; %s of the plan lie before layer %d, which stays. "
                        "As many could go as %d-%d",
                        cut->model->config_path, why, inner, last, plan->layers - (int)plan->n_remove, plan->layers - 1)
              : sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
    sg_free(inner);
    return rc;
}

static int check_tail_if_true(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    bool on = false, found;
    char why[160];
    int rc = sg_json_get_bool(sg_cut_config(cut), cut->model->config_path, rule->key, &on, &found, err);
    snprintf(why, sizeof why, "\"%s\" is true, so a layer computes by its number", rule->key);
    return rc < 0 || !on ? rc : check_tail(cut, why, err);
}

/* ---- layers that stay -------------------------------------------------------------------------------- */

static int check_protected(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    int layer = rule->n < 0 ? cut->plan->layers + rule->n : rule->n;
    return cut->to[layer] < 0 ? protect(cut, layer, rule->with, err) : SG_OK;
}

/* The list that the rule's key names, as the loader takes it; *out NULL: nothing tells. */
static int entries_of(const sg_cut *cut, const sg_rule *rule, json_object **out, sg_error *err)
{
    const sg_rule *list = sg_rule_for(cut, rule->key);
    *out = NULL;
    return list ? sg_rule_entries(cut, list, out, err) : SG_OK;
}

static int check_protected_word(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *entries;
    int rc = entries_of(cut, rule, &entries, err);
    if (rc == SG_OK && !entries)
        rc = sg_fail(err, SG_ERR_REFUSED,
                     "%s: \"%s\" is absent, so it is not said which layers are \"%s\", and these "
                     "have to stay: %s",
                     cut->model->config_path, rule->key, rule->yes, rule->with);
    for (int i = 0; rc == SG_OK && i < cut->plan->layers; i++)
        if (cut->to[i] < 0 && sg_entry_is(entries, i, rule->yes)) {
            char why[200];
            snprintf(why, sizeof why, "it is \"%s\" in \"%s\", and %s", rule->yes, rule->key, rule->with);
            rc = protect(cut, i, why, err);
        }
    json_object_put(entries);
    return rc;
}

static int check_protected_below(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    const char *key;
    json_object *holder = sg_json_holder(cut->model->ckpt->config, rule->key, &key), *list = sg_json_get(holder, key);
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    return n && (size_t)cut->plan->remove[0] < n ? protect(cut, cut->plan->remove[0], rule->with, err) : SG_OK;
}

static int check_protected_earlier(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *list = sg_json_get(sg_cut_config(cut), rule->key);
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    int64_t first = cut->plan->layers, last = -1; /* that goes, that stays */
    for (size_t i = 0; i < n; i++) {
        json_object *e = json_object_array_get_idx(list, i);
        int64_t layer = json_object_is_type(e, json_type_int) ? json_object_get_int64(e) : -1;
        layer = layer < rule->depth ? -1 : layer - rule->depth;
        if (layer < 0 || layer >= cut->plan->layers)
            continue;
        if (cut->to[layer] < 0)
            first = layer < first ? layer : first;
        else
            last = layer > last ? layer : last;
    }
    return first < last ? protect(cut, (int)first, rule->with, err) : SG_OK;
}

/* The last layer before `first` whose entry equals layer i's; -1: none. */
static int provider(json_object *types, int first, int i)
{
    while (--first >= 0)
        if (json_object_equal(json_object_array_get_idx(types, (size_t)first),
                              json_object_array_get_idx(types, (size_t)i)))
            break;
    return first;
}

static int check_kv(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *types = NULL;
    const sg_rule *list = sg_rule_for(cut, "layer_types");
    int64_t shared = sg_rule_number(sg_cut_config(cut), rule->key, rule->n);
    int layers = cut->plan->layers, rc = list ? sg_rule_entries(cut, list, &types, err) : SG_OK;
    if (shared < 0 || shared >= layers)
        shared = 0;
    for (int i = layers - (int)shared; rc == SG_OK && types && i < layers; i++) {
        int from = cut->to[i] < 0 ? -1 : provider(types, layers - (int)shared, i);
        if (from >= 0 && cut->to[from] < 0) {
            char why[160];
            snprintf(why, sizeof why, "layer %d, which stays, takes keys and values from it (\"%s\" is %d)", i,
                     rule->key, (int)shared);
            rc = protect(cut, from, why, err);
        }
    }
    json_object_put(types);
    return rc;
}

/* ---- sets of kinds ----------------------------------------------------------------------------------- */

static int check_last(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *entries;
    int last = cut->plan->keep[cut->plan->n_keep - 1], other = last, rc = entries_of(cut, rule, &entries, err);
    if (rc == SG_OK && entries && !sg_entry_is(entries, last, rule->yes)) {
        while (++other < cut->plan->layers && !sg_entry_is(entries, other, rule->yes))
            ;
        rc = sg_fail(err, SG_ERR_REFUSED,
                     "%s: the loader makes the last layer \"%s\", but layer %d, the last that would be left, is not; "
                     "keep layer %d",
                     cut->model->config_path, rule->yes, last, other);
    }
    json_object_put(entries);
    return rc;
}

static int check_word_left(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *entries;
    int gone = -1, rc = entries_of(cut, rule, &entries, err);
    bool left = false;
    for (int i = 0; entries && i < cut->plan->layers; i++)
        if (sg_entry_is(entries, i, rule->yes)) {
            left = left || cut->to[i] >= 0;
            gone = cut->to[i] < 0 ? i : gone;
        }
    json_object_put(entries);
    if (rc < 0 || left || gone < 0)
        return rc;
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: transformers cannot load family %s without a layer of \"%s\", and the plan leaves none; keep "
                   "one, such as %d",
                   cut->model->config_path, cut->word, rule->yes, gone);
}

static int check_served(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *entries;
    int from = -1, rc = entries_of(cut, rule, &entries, err);
    for (int i = 0; rc == SG_OK && entries && i < cut->plan->layers; i++) {
        if (sg_entry_is(entries, i, rule->yes))
            from = i;
        else if (cut->to[i] >= 0 && from >= 0 && cut->to[from] < 0) {
            char why[160];
            snprintf(why, sizeof why, "layer %d, which stays and is \"%s\" in \"%s\", uses what it finds", i, rule->no,
                     rule->key);
            rc = protect(cut, from, why, err);
        }
    }
    json_object_put(entries);
    return rc;
}

static int check_tensors(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    json_object *entries;
    int rc = entries_of(cut, rule, &entries, err);
    for (int i = 0; rc == SG_OK && entries && i < cut->plan->layers; i++) {
        if (cut->to[i] < 0 || !sg_entry_is(entries, i, rule->yes))
            continue;
        char *name = sg_asprintf("%s%d.%s", cut->model->layer_prefix, i, rule->letters);
        if (!name)
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a tensor's name");
        else if (!sg_checkpoint_find(cut->model->ckpt, name))
            rc = sg_fail(err, SG_ERR_REFUSED,
                         "%s: tensor %s is not stored, and without it a layer of \"%s\" computes by its number and the "
                         "number of layers; saved anew by transformers, the model has it",
                         cut->model->info.path, name, rule->yes);
        sg_free(name);
    }
    json_object_put(entries);
    return rc;
}

int sg_limit_hf(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    switch (rule->op) {
    case SG_RULE_TAIL:
        return check_tail(cut, rule->with, err);
    case SG_RULE_TAIL_IF_TRUE:
        return check_tail_if_true(cut, rule, err);
    case SG_RULE_PROTECT:
        return check_protected(cut, rule, err);
    case SG_RULE_PROTECT_WORD:
        return check_protected_word(cut, rule, err);
    case SG_RULE_PROTECT_BELOW:
        return check_protected_below(cut, rule, err);
    case SG_RULE_PROTECT_EARLIER:
        return check_protected_earlier(cut, rule, err);
    case SG_RULE_PROTECT_KV:
        return check_kv(cut, rule, err);
    case SG_RULE_KEEP_LAST:
        return check_last(cut, rule, err);
    case SG_RULE_KEEP_A_WORD:
        return check_word_left(cut, rule, err);
    case SG_RULE_KEEP_SERVED:
        return check_served(cut, rule, err);
    case SG_RULE_NEEDS_TENSOR:
        return check_tensors(cut, rule, err);
    case SG_RULE_REFUSE:
        return sg_fail(err, SG_ERR_REFUSED, "%s: no layer of family %s can go: %s", cut->model->info.path, cut->word,
                       rule->with);
    default:
        return SG_OK;
    }
}
