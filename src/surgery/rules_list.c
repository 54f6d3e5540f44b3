/* What a configuration of transformers says of each layer: lists, and what their absence means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "model/describe.h"
#include "surgery/rule.h"

json_object *sg_cut_config(const sg_cut *cut)
{
    return sg_config_text(cut->model->ckpt->config);
}

json_object *sg_json_holder(json_object *config, const char *path, const char **last)
{
    json_object *holder = config;
    for (const char *dot; holder && (dot = strchr(path, '.')); path = dot + 1) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
        holder = sg_json_get(holder, key);
    }
    *last = path;
    return holder;
}

static json_object *find(json_object *config, const char *path)
{
    const char *key;
    json_object *holder = sg_json_holder(config, path, &key);
    return sg_json_get(holder, key);
}

int64_t sg_rule_number(json_object *config, const char *path, int64_t absent)
{
    json_object *value = find(config, path);
    int64_t n = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : absent;
    return n > INT32_MAX ? INT32_MAX : n < -INT32_MAX ? -INT32_MAX : n;
}

const sg_rule *sg_rule_for(const sg_cut *cut, const char *key)
{
    const sg_rule *found = NULL;
    for (const sg_rule *r = NULL; (r = sg_rule_next(cut, r));)
        if (r->op == SG_RULE_GATHER && strcmp(r->key, key) == 0 && (!found || r->absent))
            found = r;
    return found;
}

bool sg_entry_is(json_object *entries, int i, const char *word)
{
    json_object *entry = json_object_array_get_idx(entries, (size_t)i);
    return json_object_is_type(entry, json_type_string) && strcmp(json_object_get_string(entry), word) == 0;
}

/* ---- absent lists ------------------------------------------------------------------------------------ */

/* Not null, not false, not 0. */
static bool is_on(json_object *value)
{
    return value && !(json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value)) &&
           !(json_object_is_type(value, json_type_int) && json_object_get_int64(value) == 0);
}

/* Are all keys of `when` on? */
static bool holds(json_object *config, const char *when)
{
    while (when && *when) {
        char key[64];
        size_t n = strcspn(when, " ");
        bool optional = *when == '?';
        snprintf(key, sizeof key, "%.*s", (int)(n - optional), when + optional);
        bool there = json_object_object_get_ex(config, key, NULL);
        if (!(optional && !there) && !is_on(sg_json_get(config, key)))
            return false;
        when += n + (when[n] == ' ');
    }
    return true;
}

/* Layer i's letter: those in front of | once, then the others again and again. */
static char letter_of(const char *letters, int i)
{
    const char *bar = strchr(letters, '|'), *again = bar ? bar + 1 : letters;
    int once = bar ? (int)(bar - letters) : 0;
    return i < once ? letters[i] : again[(size_t)(i - once) % strlen(again)];
}

static bool indexer_runs(json_object *config, int i)
{
    json_object *pattern = sg_json_get(config, "index_topk_pattern");
    int64_t freq = sg_rule_number(config, "index_topk_freq", 1),
            offset = sg_rule_number(config, "index_skip_topk_offset", 2);
    int64_t from = i - offset + 1;
    if (json_object_is_type(pattern, json_type_string) && i < json_object_get_string_len(pattern))
        return json_object_get_string(pattern)[i] == 'F';
    return (from > 0 ? from : 0) % (freq > 1 ? freq : 1) == 0;
}

static bool restarts(json_object *config, int i)
{
    int64_t first = sg_rule_number(config, "first_k_dense_replace", 0);
    int64_t inner = sg_rule_number(config, "prefix_dense_sliding_window_pattern", 1);
    int64_t outer = sg_rule_number(config, "sliding_window_pattern", 4);
    int64_t n = i < first ? inner : outer, at = i < first ? i : i - first;
    return n < 1 || (at + 1) % n == 0;
}

/* Is layer i one of those that the rule calls `yes`? *as: the other list's entries, for SG_ABSENT_AS */
static bool is_yes(const sg_rule *rule, json_object *config, json_object *as, int i)
{
    int64_t n = rule->with ? sg_rule_number(config, rule->with, rule->n) : rule->n;
    json_object *steps = rule->step ? find(config, rule->step) : NULL; /* a number, or a list with an entry a layer */
    int64_t step = rule->step ? sg_rule_number(config, rule->step, 1) : 1;
    switch (rule->absent) {
    case SG_ABSENT_LAST_OF:
        return n < 1 || (i + 1) % n == 0;
    case SG_ABSENT_FIRST_OF:
        return n < 1 || i % n == 0;
    case SG_ABSENT_FROM:
        if (json_object_is_type(steps, json_type_array))
            return i >= n && is_on(json_object_array_get_idx(steps, (size_t)i));
        return i >= n && (step < 2 || i % step == 0);
    case SG_ABSENT_EVEN_BELOW:
        return i % 2 == 0 && i < n;
    case SG_ABSENT_AS:
        return is_on(json_object_array_get_idx(as, (size_t)i));
    case SG_ABSENT_AS_NOT:
        return !is_on(json_object_array_get_idx(as, (size_t)i));
    case SG_ABSENT_RESTARTS:
        return restarts(config, i);
    case SG_ABSENT_INDEXER:
        return indexer_runs(config, i);
    case SG_ABSENT_LETTERS:
        return letter_of(rule->letters, i) == 'y';
    default:
        return false;
    }
}

/* A word, or a number where it is one's text. NULL: no memory. */
static json_object *entry_of(const char *word)
{
    if (*word < '0' || *word > '9')
        return json_object_new_string(word);
    return strchr(word, '.') ? json_object_new_double_s(strtod(word, NULL), word)
                             : json_object_new_int64(strtol(word, NULL, 10));
}

static const char *word_of_letter(char letter)
{
    static const char *const words[] = {"sliding_attention", "full_attention", "linear_attention", "conv", "hybrid",
                                        "recurrent",         "attention"};
    static const char letters[] = "SFLCHRA";
    const char *at = strchr(letters, letter);
    return at && *at ? words[at - letters] : "";
}

static const char *word_of(const sg_rule *rule, json_object *config, json_object *as, bool on, int i)
{
    char letter = rule->absent == SG_ABSENT_LETTERS ? letter_of(rule->letters, i) : 0;
    if (letter && letter != 'y' && letter != 'n')
        return word_of_letter(letter);
    return on && is_yes(rule, config, as, i) ? rule->yes : rule->no;
}

static int derive(const sg_cut *cut, const sg_rule *rule, json_object **out, sg_error *err)
{
    json_object *config = sg_cut_config(cut), *as = NULL;
    bool on = holds(config, rule->when);
    const sg_rule *other =
        rule->absent == SG_ABSENT_AS || rule->absent == SG_ABSENT_AS_NOT ? sg_rule_for(cut, rule->with) : NULL;
    if (rule->absent == SG_ABSENT_NOTHING || cut->plan->layers <= rule->depth ||
        (rule->unless && find(config, rule->unless)))
        return SG_OK;
    int rc = other ? sg_rule_entries(cut, other, &as, err) : SG_OK;
    if (rc == SG_OK && other && !as)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is not a list of entries, one for each layer",
                     cut->model->config_path, rule->with);
    json_object *list = json_object_new_array();
    if (rc == SG_OK && !list)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", rule->key);
    for (int i = 0; rc == SG_OK && i < cut->plan->layers; i++) {
        bool last = rule->ends && i == cut->plan->layers - 1;
        rc = sg_json_append(list, entry_of(last ? rule->yes : word_of(rule, config, as, on, i)), err);
    }
    json_object_put(as);
    if (rc == SG_OK)
        *out = list;
    else
        json_object_put(list);
    return rc;
}

/* ---- lists that are there ---------------------------------------------------------------------------- */

int sg_json_append_same(json_object *to, json_object *element, sg_error *err)
{
    if (element)
        return sg_json_append(to, json_object_get(element), err);
    if (to && !sg_test_fault("alloc") && json_object_array_add(to, NULL) == 0)
        return SG_OK;
    return sg_fail(err, SG_ERR_NOMEM, "no memory for a JSON array");
}

static int no_runs(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is not a list of [[words], times]", cut->model->config_path,
                   rule->key);
}

/* [["global","local"],12]: the words as often, but no more often than `most` entries ask for. */
static int copy_run(const sg_cut *cut, const sg_rule *rule, json_object *run, size_t most, json_object *list,
                    sg_error *err)
{
    bool pair = json_object_is_type(run, json_type_array) && json_object_array_length(run) == 2;
    json_object *words = pair ? json_object_array_get_idx(run, 0) : NULL;
    json_object *times = pair ? json_object_array_get_idx(run, 1) : NULL;
    int64_t n = json_object_get_int64(times);
    if (!json_object_is_type(words, json_type_array) || !json_object_array_length(words) ||
        !json_object_is_type(times, json_type_int) || n < 0)
        return no_runs(cut, rule, err);
    int rc = SG_OK;
    for (int64_t k = 0; rc == SG_OK && k < n && json_object_array_length(list) < most; k++)
        for (size_t i = 0; rc == SG_OK && i < json_object_array_length(words); i++)
            rc = sg_json_append_same(list, json_object_array_get_idx(words, i), err);
    return rc;
}

/* value NULL: gpt_neo's default. */
static int copy_runs(const sg_cut *cut, const sg_rule *rule, json_object *value, json_object *list, sg_error *err)
{
    static const char meant[] = "[[[\"global\",\"local\"],12]]";
    size_t layers = (size_t)cut->plan->layers;
    json_object *parsed = NULL;
    int rc = value ? SG_OK : sg_json_parse(&parsed, meant, strlen(meant), cut->model->config_path, err);
    value = value ? value : parsed;
    if (rc == SG_OK && !json_object_is_type(value, json_type_array))
        rc = no_runs(cut, rule, err);
    for (size_t i = 0; rc == SG_OK && i < json_object_array_length(value); i++)
        rc = copy_run(cut, rule, json_object_array_get_idx(value, i), layers + 1, list, err);
    if (rc == SG_OK && json_object_array_length(list) != layers)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is for %s layers, expected %zu", cut->model->config_path,
                     rule->key, json_object_array_length(list) < layers ? "fewer" : "more", layers);
    json_object_put(parsed);
    return rc;
}

static int copy_entries(const sg_cut *cut, const sg_rule *rule, json_object *value, json_object *list, sg_error *err)
{
    bool string = json_object_is_type(value, json_type_string);
    size_t n = string ? (size_t)json_object_get_string_len(value) : json_object_array_length(value);
    const char *text = string ? json_object_get_string(value) : "";
    bool cycle = rule->op == SG_RULE_CYCLE && n > 0;
    if (!cycle && n < (size_t)cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" has %zu entries, expected one for each of %d layers",
                       cut->model->config_path, rule->key, n, cut->plan->layers);
    for (size_t i = 0; string && i < n; i++)
        if (text[i] < '!' || text[i] > '~')
            return sg_fail(err, SG_ERR_FORMAT,
                           "%s: \"%s\" is \"%.200s\", expected one ASCII letter for each of %d layers",
                           cut->model->config_path, rule->key, text, cut->plan->layers);
    size_t n_entries = cycle ? (size_t)cut->plan->layers : n;
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < n_entries; i++) {
        json_object *entry = string ? NULL : json_object_array_get_idx(value, i % n);
        if (rule->ends == 2 && i == (size_t)cut->plan->layers - 1)
            rc = sg_json_append(list, entry_of(rule->yes), err);
        else if (string)
            rc = sg_json_append(list, json_object_new_string_len(text + i, 1), err);
        else
            rc = sg_json_append_same(list, entry, err);
    }
    return rc;
}

int sg_rule_entries(const sg_cut *cut, const sg_rule *rule, json_object **out, sg_error *err)
{
    json_object *value = find(sg_cut_config(cut), rule->key);
    bool letters = json_object_is_type(value, json_type_string) && rule->op == SG_RULE_GATHER && !rule->absent;
    bool runs = rule->op == SG_RULE_RUNS;
    *out = NULL;
    /* llama4 takes an empty list for an absent one */
    if (!letters && !runs &&
        (!json_object_is_type(value, json_type_array) ||
         (json_object_array_length(value) == 0 && rule->absent == SG_ABSENT_LAST_OF)))
        return value && !json_object_is_type(value, json_type_array) ? SG_OK : derive(cut, rule, out, err);
    json_object *list = json_object_new_array();
    int rc = list ? (runs ? copy_runs : copy_entries)(cut, rule, value, list, err)
                  : sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", rule->key);
    if (rc == SG_OK)
        *out = list;
    else
        json_object_put(list);
    return rc;
}
