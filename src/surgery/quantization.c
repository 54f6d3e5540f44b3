/* A name follows its layer where the layer list's last word ("layers", "h") and a number stand in it. */
#include "surgery/quantization.h"

#include <stdio.h>
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

/* "re:" is compressed-tensors', the others GPTQModel's. Elsewhere, too, names may be regular expressions. */
static bool is_pattern(const char *name)
{
    return strncmp(name, "re:", 3) == 0 || strncmp(name, "+:", 2) == 0 || strncmp(name, "-:", 2) == 0 ||
           strstr(name, "\\.");
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

typedef enum place { NO_NUMBER, ONE_NUMBER, SOME_NUMBERS } place;

/* What stands where a component of a name begins: a number and nothing else, or an expression for some of them. */
static place look(const char *at)
{
    size_t digits = strspn(at, "0123456789");
    const char *end = at + digits;
    if (digits && digits < 8 && (!*end || *end == '.' || *end == '$' || strncmp(end, "\\.", 2) == 0))
        return ONE_NUMBER;
    if (digits)
        return strchr("[(|*+?{\\", *end) ? SOME_NUMBERS : NO_NUMBER;
    at += *at == '(';
    at += strncmp(at, "?:", 2) == 0 ? 2 : 0;
    if (strncmp(at, "[0-9]", 5) == 0) /* any */
        return NO_NUMBER;
    return *at == '[' || (*at >= '0' && *at <= '9') ? SOME_NUMBERS : NO_NUMBER;
}

/* Looks behind the word of the layers' list. *number: where it stands */
static place find_behind_word(const sg_cut *cut, const char *name, const char **number)
{
    size_t n;
    const char *word = list_word(cut, &n);
    for (const char *at = name; n && (at = memmem(at, strlen(at), word, n)); at += n) {
        const char *dot = at + n;
        bool starts = at == name || (!(at[-1] >= 'a' && at[-1] <= 'z') && at[-1] != '_');
        dot += *dot == '\\';
        place found = starts && *dot == '.' && !is_of_tower(name, at) ? look(dot + 1) : NO_NUMBER;
        *number = dot + 1;
        if (found)
            return found;
    }
    return NO_NUMBER;
}

/* Do tensors of layers have that number in another place, as experts do? */
static bool is_elsewhere(const sg_cut *cut, const char *number)
{
    const sg_checkpoint *ckpt = cut->model->ckpt;
    char text[16];
    snprintf(text, sizeof text, ".%ld.", strtol(number, NULL, 10));
    for (size_t i = 0; i < ckpt->n_tensors; i++) {
        const char *rest;
        if (sg_name_layer(cut->model->layer_prefix, ckpt->tensors[i].name, &rest) >= 0 && strstr(rest, text))
            return true;
    }
    return false;
}

/* "+:.*\.18\..*gate.*", without that word: the first number that is a component. */
static place find_bare(const sg_cut *cut, const char *name, const char **number)
{
    for (const char *at = name; (at = strstr(at, "\\.")); at++) {
        place found = look(*number = at + 2);
        if (found == ONE_NUMBER && is_elsewhere(cut, *number))
            return SOME_NUMBERS;
        if (found)
            return found;
    }
    return NO_NUMBER;
}

static place find_number(const sg_cut *cut, const char *name, const char **number)
{
    const char *second;
    place found = find_behind_word(cut, name, number);
    if (found == NO_NUMBER && is_pattern(name))
        found = find_bare(cut, name, number);
    return found == ONE_NUMBER && find_behind_word(cut, *number, &second) ? SOME_NUMBERS : found;
}

/* The name after the cut, in *out (sg_free); NULL: it goes. */
static int follow(const sg_cut *cut, const char *name, char **out, sg_error *err)
{
    const char *number;
    place found = find_number(cut, name, &number);
    *out = NULL;
    if (found == SOME_NUMBERS)
        return sg_fail(
            err, SG_ERR_REFUSED,
            "%s: the quantization's configuration has \"%.200s\", which picks layers by their numbers' digits, or also "
            "something else by such a number; write it as one name a layer",
            cut->model->config_path, name);
    if (found == NO_NUMBER) {
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
