/* Configuration look-ups for both formats. Every error names the file, the key as that format spells it, and the value.
 */
#include "model/config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

/* The key as this file spells it, for look-up and for errors; "" where the format has none. */
static const char *spell(const sg_config *c, sg_config_key key, char buffer[160])
{
    buffer[0] = 0;
    const char *form = c->hf ? key.hf : key.gguf;
    if (form && strncmp(form, "%s", 2) == 0)
        snprintf(buffer, 160, "%s%s", c->arch, form + 2);
    else if (form)
        snprintf(buffer, 160, "%s", form);
    return buffer;
}

static int absent_key(const sg_config *c, const char *key, sg_error *err)
{
    return sg_fail(err, SG_ERR_FORMAT, "%s: %s is missing", c->file, key);
}

/* An integer, of a list its element i. count: the list's length, 0 for a scalar. */
static int read_int(const sg_config *c, const char *key, int i, int64_t *out, uint64_t *count, bool *found,
                    sg_error *err)
{
    *found = false;
    *count = 0;
    if (!*key)
        return SG_OK;
    if (c->hf) {
        json_object *v = sg_json_get(c->hf, key);
        if (v && json_object_is_type(v, json_type_array)) {
            *count = json_object_array_length(v);
            v = (uint64_t)i < *count ? json_object_array_get_idx(v, (size_t)i) : NULL;
        }
        if (!v)
            return *count ? sg_fail(err, SG_ERR_FORMAT, "%s: %s has %" PRIu64 " entries, none for layer %d", c->file,
                                    key, *count, i)
                          : SG_OK;
        if (!json_object_is_type(v, json_type_int))
            return sg_fail(err, SG_ERR_FORMAT, "%s: %s is %s, expected an integer", c->file, key,
                           json_object_to_json_string(v));
        *out = json_object_get_int64(v);
    } else {
        const sg_gguf_kv *kv = sg_gguf_find(c->gguf, key);
        if (!kv)
            return SG_OK;
        if (kv->type == SG_GGUF_ARRAY)
            *count = kv->count;
        if (!sg_gguf_get_int(kv, kv->type == SG_GGUF_ARRAY ? (uint64_t)i : 0, out))
            return sg_fail(err, SG_ERR_FORMAT, "%s: %s is not an integer, or has no entry for layer %d", c->file, key,
                           i);
    }
    *found = true;
    return SG_OK;
}

int sg_config_layer_int(const sg_config *c, sg_config_key names, int i, int n_layers, int64_t min, int64_t max,
                        int64_t absent, int *out, sg_error *err)
{
    char buffer[160];
    const char *key = spell(c, names, buffer);
    int64_t value = absent;
    uint64_t count;
    bool found;
    int rc = read_int(c, key, i, &value, &count, &found, err);
    if (rc)
        return rc;
    if (!found && absent == SG_REQUIRED)
        return absent_key(c, key, err);
    if (count && count != (uint64_t)n_layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s has %" PRIu64 " entries, expected one for each of %d layers",
                       c->file, key, count, n_layers);
    if (found && (value < min || value > max))
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s is %" PRId64 ", expected %" PRId64 " to %" PRId64, c->file, key,
                       value, min, max);
    *out = (int)value;
    return SG_OK;
}

int sg_config_int(const sg_config *c, sg_config_key key, int64_t min, int64_t max, int64_t absent, int *out,
                  sg_error *err)
{
    return sg_config_layer_int(c, key, 0, 1, min, max, absent, out, err);
}

/* A number, where there is one. */
static int read_number(const sg_config *c, const char *key, double *out, bool *found, sg_error *err)
{
    *found = false;
    if (!*key)
        return SG_OK;
    if (c->hf)
        return sg_json_get_double(c->hf, c->file, key, out, found, err);
    const sg_gguf_kv *kv = sg_gguf_find(c->gguf, key);
    *found = kv != NULL;
    if (kv && (!sg_gguf_get_f64(kv, 0, out) || !isfinite(*out)))
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s is not a finite number", c->file, key);
    return SG_OK;
}

int sg_config_number(const sg_config *c, sg_config_key names, double absent, double *out, sg_error *err)
{
    char buffer[160];
    bool found;
    double value = absent;
    int rc = read_number(c, spell(c, names, buffer), &value, &found, err);
    *out = value;
    return rc;
}

int sg_config_positive(const sg_config *c, sg_config_key names, double absent, double *out, sg_error *err)
{
    char buffer[160];
    const char *key = spell(c, names, buffer);
    bool found;
    double value = absent;
    int rc = read_number(c, key, &value, &found, err);
    if (rc)
        return rc;
    if (!found && isnan(absent))
        return absent_key(c, key, err);
    if (found && value <= 0)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s is %g, expected a number above 0", c->file, key, value);
    *out = value;
    return SG_OK;
}

bool sg_config_has(const sg_config *c, sg_config_key names)
{
    char buffer[160];
    const char *key = spell(c, names, buffer);
    return *key && (c->hf ? json_object_object_get_ex(c->hf, key, NULL) : sg_gguf_find(c->gguf, key) != NULL);
}

bool sg_config_is_list(const sg_config *c, sg_config_key names)
{
    char buffer[160];
    const char *key = spell(c, names, buffer);
    const sg_gguf_kv *kv = *key && !c->hf ? sg_gguf_find(c->gguf, key) : NULL;
    return c->hf ? *key && json_object_is_type(sg_json_get(c->hf, key), json_type_array)
                 : kv && kv->type == SG_GGUF_ARRAY;
}

int sg_config_bool(const sg_config *c, sg_config_key names, bool absent, bool *out, sg_error *err)
{
    char buffer[160];
    const char *key = spell(c, names, buffer);
    bool found;
    int64_t value;
    *out = absent;
    if (!*key)
        return SG_OK;
    if (c->hf)
        return sg_json_get_bool(c->hf, c->file, key, out, &found, err);
    const sg_gguf_kv *kv = sg_gguf_find(c->gguf, key);
    if (!kv)
        return SG_OK;
    if (kv->type != SG_GGUF_BOOL || !sg_gguf_get_int(kv, 0, &value))
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s is not true or false", c->file, key);
    *out = value != 0;
    return SG_OK;
}

int sg_config_string(const sg_config *c, sg_config_key names, char **out, sg_error *err)
{
    char buffer[160];
    const char *key = spell(c, names, buffer), *text = NULL;
    sg_str str = {0};
    *out = NULL;
    if (*key && c->hf) {
        bool found;
        int rc = sg_json_get_string(c->hf, c->file, key, &text, &found, err);
        if (rc || !text)
            return rc;
        str = (sg_str){text, strlen(text)};
    } else if (*key) {
        const sg_gguf_kv *kv = sg_gguf_find(c->gguf, key);
        if (!kv)
            return SG_OK;
        if (!sg_gguf_get_str(kv, &str))
            return sg_fail(err, SG_ERR_FORMAT, "%s: %s is not a string", c->file, key);
    } else {
        return SG_OK;
    }
    *out = sg_strndup(str.data, str.bytes);
    return *out ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for %s of %s", key, c->file);
}
