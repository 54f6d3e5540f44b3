/* The rules on config.json's object. Key order stays; what a rule adds goes to the end. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"

/* One rule's place: the object that holds its key. */
typedef struct place {
    json_object *holder;
    const char *key;
    const char *what; /* the file, for errors */
} place;

/* The object that holds the path's last key; NULL: absent. */
static json_object *find_holder(json_object *config, const char *path, const char **last)
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

static int count(const sg_cut *cut, const place *p, sg_error *err)
{
    int64_t n = 0;
    bool found = false;
    int rc = sg_json_get_int(p->holder, p->what, p->key, 0, INT32_MAX, &n, &found, err);
    if (rc < 0 || !found)
        return rc;
    if (n != cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is %lld, expected %d", p->what, p->key, (long long)n,
                       cut->plan->layers);
    return sg_json_put(p->holder, p->key, json_object_new_int64((int64_t)cut->plan->n_keep), err);
}

static int count_below(const sg_cut *cut, const place *p, sg_error *err)
{
    int64_t n = 0;
    bool found = false;
    int rc = sg_json_get_int(p->holder, p->what, p->key, 0, INT32_MAX, &n, &found, err);
    if (rc < 0 || !found)
        return rc;
    return sg_json_put(p->holder, p->key, json_object_new_int64(n - sg_cut_removed_below(cut, n)), err);
}

/* An array's element again, in another; NULL is JSON's null. */
static int append_same(json_object *to, json_object *element, sg_error *err)
{
    if (element)
        return sg_json_append(to, json_object_get(element), err);
    if (to && !sg_test_fault("alloc") && json_object_array_add(to, NULL) == 0)
        return SG_OK;
    return sg_fail(err, SG_ERR_NOMEM, "no memory for a JSON array");
}

static int gather(const sg_cut *cut, const place *p, sg_error *err)
{
    json_object *list = sg_json_get(p->holder, p->key);
    if (!json_object_is_type(list, json_type_array))
        return SG_OK;
    if (json_object_array_length(list) != (size_t)cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" has %zu entries, expected one for each of %d layers", p->what,
                       p->key, json_object_array_length(list), cut->plan->layers);
    json_object *kept = json_object_new_array();
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < cut->plan->n_keep; i++)
        rc = append_same(kept, json_object_array_get_idx(list, (size_t)cut->plan->keep[i]), err);
    if (rc == SG_OK)
        return sg_json_put(p->holder, p->key, kept, err);
    json_object_put(kept);
    return rc;
}

/* Layer i's new number; -1: removed, or no layer. */
static int64_t renumber(const sg_cut *cut, int64_t i)
{
    return i >= 0 && i < cut->plan->layers ? cut->to[i] : -1;
}

/* The list of layer numbers (NULL: empty) as bits; SG_ERR_FORMAT when it is none. */
static int read_numbers(const sg_cut *cut, const place *p, json_object *list, bool *in, sg_error *err)
{
    if (!list)
        return SG_OK;
    bool good = json_object_is_type(list, json_type_array);
    for (size_t i = 0; good && i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        int64_t n = json_object_get_int64(entry);
        good = json_object_is_type(entry, json_type_int);
        if (good && n >= 0 && n < cut->plan->layers)
            in[n] = true;
    }
    return good ? SG_OK : sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is not a list of layer numbers", p->what, p->key);
}

static json_object *numbers_without_step(const sg_cut *cut, json_object *list)
{
    json_object *out = json_object_new_array();
    for (size_t i = 0; out && i < json_object_array_length(list); i++) {
        int64_t to = renumber(cut, json_object_get_int64(json_object_array_get_idx(list, i)));
        if (to >= 0 && sg_json_append(out, json_object_new_int64(to), NULL) < 0) {
            json_object_put(out);
            return NULL;
        }
    }
    return out;
}

static json_object *numbers_with_step(const sg_cut *cut, const bool *in, int64_t step)
{
    json_object *out = json_object_new_array();
    for (size_t i = 0; out && i < cut->plan->n_keep; i++) {
        int from = cut->plan->keep[i];
        if ((in[from] || (from + 1) % step != 0) && sg_json_append(out, json_object_new_int64((int64_t)i), NULL) < 0) {
            json_object_put(out);
            return NULL;
        }
    }
    return out;
}

static int remap(const sg_cut *cut, const place *p, const char *with, sg_error *err)
{
    int64_t step = 1;
    json_object *list = sg_json_get(p->holder, p->key);
    bool *in = sg_alloc_zero((size_t)cut->plan->layers, sizeof *in);
    int rc = in ? read_numbers(cut, p, list, in, err) : sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
    if (rc == SG_OK && with)
        rc = sg_json_get_int(p->holder, p->what, with, 1, INT32_MAX, &step, NULL, err);
    if (rc == SG_OK && step > 1)
        rc = sg_json_put(p->holder, p->key, numbers_with_step(cut, in, step), err);
    else if (rc == SG_OK && list)
        rc = sg_json_put(p->holder, p->key, numbers_without_step(cut, list), err);
    if (rc == SG_OK && step > 1)
        rc = sg_json_put(p->holder, with, json_object_new_int64(1), err);
    sg_free(in);
    return rc;
}

static int remap_keys(const sg_cut *cut, const place *p, sg_error *err)
{
    json_object *old = sg_json_get(p->holder, p->key), *out;
    if (!json_object_is_type(old, json_type_object))
        return SG_OK;
    if (!(out = json_object_new_object()))
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", p->key);
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

/* A list that is there was gathered by a rule of its own. */
static int windows(const sg_cut *cut, const place *p, sg_error *err)
{
    if (sg_json_get(p->holder, p->key) || !sg_cut_slides(cut))
        return SG_OK;
    json_object *list = json_object_new_array();
    int rc = list ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", p->key);
    for (size_t i = 0; rc == SG_OK && i < cut->plan->n_keep; i++) {
        bool slides = cut->model->spec.layers[cut->plan->keep[i]].window != 0;
        rc = sg_json_append(list, json_object_new_string(slides ? "sliding_attention" : "full_attention"), err);
    }
    if (rc == SG_OK)
        return sg_json_put(p->holder, p->key, list, err);
    json_object_put(list);
    return rc;
}

int sg_rules_config(const sg_cut *cut, json_object *config, const char *what, sg_error *err)
{
    int rc = SG_OK;
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));) {
        place p = {.what = what};
        p.holder = find_holder(config, r->key, &p.key);
        if (r->op == SG_RULE_COUNT)
            rc = count(cut, &p, err);
        else if (r->op == SG_RULE_COUNT_BELOW)
            rc = count_below(cut, &p, err);
        else if (r->op == SG_RULE_GATHER)
            rc = gather(cut, &p, err);
        else if (r->op == SG_RULE_REMAP)
            rc = remap(cut, &p, r->with, err);
        else if (r->op == SG_RULE_REMAP_KEYS)
            rc = remap_keys(cut, &p, err);
        else if (r->op == SG_RULE_WINDOWS)
            rc = windows(cut, &p, err);
    }
    return rc;
}
