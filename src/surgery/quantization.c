/* A name follows its layer where the layer list's last word ("layers", "h") and a number stand in it. */
#include "surgery/quantization.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* "layers" of "model.layers."; its length in *n. */
static const char *list_word(const sg_cut *cut, size_t *n)
{
    const char *prefix = cut->model->layer_prefix, *end = prefix + strlen(prefix) - 1, *at = end;
    while (at > prefix && at[-1] != '.')
        at--;
    *n = (size_t)(end - at);
    return at;
}

static bool is_pattern(const char *name)
{
    return strncmp(name, "re:", 3) == 0 || strncmp(name, "+:", 2) == 0 || strncmp(name, "-:", 2) == 0;
}

static bool is_of_tower(const char *name, const char *at)
{
    static const char *const towers[] = {"vision", "visual", "audio", "image"};
    for (size_t i = 0; i < SG_ARRAY_LEN(towers); i++) {
        const char *found = strstr(name, towers[i]);
        if (found && found < at)
            return true;
    }
    return false;
}

/* Where the layer's number stands; NULL: in no place. *pick: a pattern goes on there with something else than a plain
 * number. */
static const char *find_number(const sg_cut *cut, const char *name, bool *pick)
{
    size_t n;
    const char *word = list_word(cut, &n);
    *pick = false;
    for (const char *at = name; n && (at = memmem(at, strlen(at), word, n)); at += n) {
        const char *dot = at + n, *number;
        bool starts = at == name || (!(at[-1] >= 'a' && at[-1] <= 'z') && at[-1] != '_');
        dot += *dot == '\\';
        number = dot + 1;
        if (!starts || *dot != '.' || is_of_tower(name, at))
            continue;
        size_t digits = strspn(number, "0123456789");
        const char *end = number + digits;
        if (digits && digits < 8 && (!*end || *end == '.' || *end == '\\' || *end == '$'))
            return number;
        *pick = is_pattern(name) && (digits || *number == '(' || *number == '[');
        if (*pick)
            return NULL;
    }
    return NULL;
}

/* The name after the cut, in *out (sg_free); NULL: it goes. */
static int follow(const sg_cut *cut, const char *name, char **out, sg_error *err)
{
    bool pick;
    const char *number = find_number(cut, name, &pick);
    *out = NULL;
    if (pick)
        return sg_fail(
            err, SG_ERR_REFUSED,
            "%s: \"quantization_config\" has the pattern \"%s\", which picks layers by their numbers' digits; "
            "write it as one name a layer",
            cut->model->config_path, name);
    if (!number) {
        *out = sg_strdup(name);
        return *out ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the quantization configuration");
    }
    char *rest;
    long layer = strtol(number, &rest, 10);
    long to = layer < cut->plan->layers ? cut->to[layer] : layer - (long)cut->plan->n_remove;
    if (to < 0)
        return SG_OK;
    *out = sg_asprintf("%.*s%ld%s", (int)(number - name), name, to, rest);
    return *out ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the quantization configuration");
}

static int follow_all(const sg_cut *cut, json_object *value, int depth, json_object **out, sg_error *err);

static int follow_array(const sg_cut *cut, json_object *list, int depth, json_object *fresh, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < json_object_array_length(list); i++) {
        json_object *element = json_object_array_get_idx(list, i), *made = NULL;
        char *name = NULL;
        if (json_object_is_type(element, json_type_string)) {
            rc = follow(cut, json_object_get_string(element), &name, err);
            if (rc == SG_OK && name)
                rc = sg_json_append(fresh, json_object_new_string(name), err);
        } else if (!element) {
            if (json_object_array_add(fresh, NULL) != 0)
                rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the quantization configuration");
        } else if ((rc = follow_all(cut, element, depth, &made, err)) == SG_OK)
            rc = sg_json_append(fresh, made, err);
        sg_free(name);
    }
    return rc;
}

static int put_or_null(json_object *obj, const char *key, json_object *value, sg_error *err)
{
    if (value)
        return sg_json_put(obj, key, value, err);
    return sg_test_fault("alloc") || json_object_object_add(obj, key, NULL) != 0
               ? sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", key)
               : SG_OK;
}

static int follow_object(const sg_cut *cut, json_object *object, int depth, json_object *fresh, sg_error *err)
{
    int rc = SG_OK;
    struct json_object_iterator it = json_object_iter_begin(object), end = json_object_iter_end(object);
    for (; rc == SG_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        json_object *value = json_object_iter_peek_value(&it), *made = NULL;
        char *name = NULL;
        rc = follow(cut, json_object_iter_peek_name(&it), &name, err);
        if (rc == SG_OK && name && value)
            rc = follow_all(cut, value, depth, &made, err);
        if (rc == SG_OK && name)
            rc = put_or_null(fresh, name, made, err);
        sg_free(name);
    }
    return rc;
}

/* A new value: the old one with the names in it following. */
static int follow_all(const sg_cut *cut, json_object *value, int depth, json_object **out, sg_error *err)
{
    bool list = json_object_is_type(value, json_type_array), object = json_object_is_type(value, json_type_object);
    if ((!list && !object) || depth > 32) {
        *out = json_object_get(value);
        return SG_OK;
    }
    json_object *fresh = list ? json_object_new_array() : json_object_new_object();
    int rc = fresh ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the quantization configuration");
    if (rc == SG_OK)
        rc = list ? follow_array(cut, value, depth + 1, fresh, err) : follow_object(cut, value, depth + 1, fresh, err);
    if (rc == SG_OK)
        *out = fresh;
    else
        json_object_put(fresh);
    return rc;
}

int sg_quantization_follow(const sg_cut *cut, json_object *quantization, json_object **out, sg_error *err)
{
    return follow_all(cut, quantization, 0, out, err);
}

int sg_quantization_edit(const sg_cut *cut, json_object *object, sg_error *err)
{
    json_object *old = sg_json_get(object, "quantization_config"), *fresh = NULL;
    if (!json_object_is_type(old, json_type_object) || !cut->model->layer_prefix)
        return SG_OK;
    int rc = follow_all(cut, old, 0, &fresh, err);
    return rc == SG_OK ? sg_json_put(object, "quantization_config", fresh, err) : rc;
}
