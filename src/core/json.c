/* json-c with our error sentences. */
#include "core/json.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

enum { MAX_DEPTH = 64 };             /* configurations and tokenizers nest less than 10 deep */
#define MAX_JSON_FILE (256ull << 20) /* the largest tokenizer.json in use is about 35 MB */

/* ---- parsing ------------------------------------------------------------------------------------------ */

static size_t skip_blanks(const char *data, size_t at, size_t bytes)
{
    while (at < bytes && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r'))
        at++;
    return at;
}

int sg_json_parse(json_object **out, const char *data, size_t bytes, const char *what, sg_error *err)
{
    *out = NULL;
    if (skip_blanks(data, 0, bytes) == bytes)
        return sg_fail(err, SG_ERR_FORMAT, "%s: has no JSON in it (%zu bytes)", what, bytes);
    if (bytes > INT_MAX - 1)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %zu bytes are too many for JSON", what, bytes);

    int rc = SG_OK;
    json_tokener *tok = sg_test_fault("alloc") ? NULL : json_tokener_new_ex(MAX_DEPTH);
    if (!tok)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to parse JSON", what);
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *value = json_tokener_parse_ex(tok, data, (int)bytes);
    size_t end = json_tokener_get_parse_end(tok);
    if (json_tokener_get_error(tok) == json_tokener_continue)
        value = json_tokener_parse_ex(tok, "",
                                      1); /* the 0 byte ends a number at the top, and is an error inside an object */

    enum json_tokener_error code = json_tokener_get_error(tok);
    if (code != json_tokener_success)
        rc =
            sg_fail(err, SG_ERR_FORMAT, "%s: malformed JSON at byte %zu: %s", what, end, json_tokener_error_desc(code));
    else if ((end = skip_blanks(data, end, bytes)) != bytes) /* json-c stops at a 0 byte */
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: malformed JSON at byte %zu: something follows the value", what, end);
    json_tokener_free(tok);
    if (rc)
        json_object_put(value);
    else
        *out = value;
    return rc;
}

int sg_json_read_file(json_object **out, const char *path, sg_error *err)
{
    *out = NULL;
    char *data;
    size_t bytes;
    int rc = sg_file_read(path, MAX_JSON_FILE, &data, &bytes, err);
    if (rc)
        return rc;
    rc = sg_json_parse(out, data, bytes, path, err);
    sg_free(data);
    return rc;
}

/* ---- typed reads -------------------------------------------------------------------------------------- */

json_object *sg_json_get(json_object *obj, const char *key)
{
    json_object *value;
    return json_object_is_type(obj, json_type_object) && json_object_object_get_ex(obj, key, &value) ? value : NULL;
}

static int fail_type(sg_error *err, const char *what, const char *key, json_object *value, const char *expected)
{
    const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is %.100s, expected %s", what, key, text ? text : "of another type",
                   expected);
}

int sg_json_get_int(json_object *obj, const char *what, const char *key, int64_t min, int64_t max, int64_t *out,
                    bool *found, sg_error *err)
{
    json_object *value = sg_json_get(obj, key);
    if (found)
        *found = value != NULL;
    if (!value)
        return SG_OK;
    char expected[96];
    snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)min, (long long)max);
    if (!json_object_is_type(value, json_type_int) || json_object_get_uint64(value) > INT64_MAX)
        return fail_type(err, what, key, value, expected);
    int64_t i = json_object_get_int64(value);
    if (i < min || i > max)
        return fail_type(err, what, key, value, expected);
    *out = i;
    return SG_OK;
}

int sg_json_get_double(json_object *obj, const char *what, const char *key, double *out, bool *found, sg_error *err)
{
    json_object *value = sg_json_get(obj, key);
    if (found)
        *found = value != NULL;
    if (!value)
        return SG_OK;
    bool number = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    double d = number ? json_object_get_double(value) : NAN;
    if (!isfinite(d))
        return fail_type(err, what, key, value, "a finite number");
    *out = d;
    return SG_OK;
}

int sg_json_get_bool(json_object *obj, const char *what, const char *key, bool *out, bool *found, sg_error *err)
{
    json_object *value = sg_json_get(obj, key);
    if (found)
        *found = value != NULL;
    if (!value)
        return SG_OK;
    if (!json_object_is_type(value, json_type_boolean))
        return fail_type(err, what, key, value, "true or false");
    *out = json_object_get_boolean(value);
    return SG_OK;
}

int sg_json_get_string(json_object *obj, const char *what, const char *key, const char **out, bool *found,
                       sg_error *err)
{
    json_object *value = sg_json_get(obj, key);
    if (found)
        *found = value != NULL;
    if (!value)
        return SG_OK;
    if (!json_object_is_type(value, json_type_string))
        return fail_type(err, what, key, value, "a string");
    *out = json_object_get_string(value);
    return SG_OK;
}

/* ---- building ----------------------------------------------------------------------------------------- */

int sg_json_put(json_object *obj, const char *key, json_object *value, sg_error *err)
{
    if (obj && value && !sg_test_fault("alloc") && json_object_object_add(obj, key, value) == 0)
        return SG_OK;
    json_object_put(value);
    return sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON key \"%s\"", key);
}

int sg_json_append(json_object *array, json_object *value, sg_error *err)
{
    if (array && value && !sg_test_fault("alloc") && json_object_array_add(array, value) == 0)
        return SG_OK;
    json_object_put(value);
    return sg_fail(err, SG_ERR_NOMEM, "no memory for a JSON array");
}

json_object *sg_json_number(double value)
{
    if (sg_test_fault("alloc"))
        return NULL;
    if (!isfinite(value)) /* json-c's own null is the NULL pointer, which here means no memory */
        return json_object_new_double_s(value, "null");
    char text[40];
    for (int digits = 15; digits <= 17; digits++) { /* the fewest that read back as the same number */
        snprintf(text, sizeof text - 3, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *c = text; *c; c++) /* some locales write a comma */
        if (*c == ',')
            *c = '.';
    if (!strpbrk(text, ".e")) /* a float's key never reads as an integer */
        strcat(text, ".0");
    return json_object_new_double_s(value, text);
}

int sg_json_text(json_object *obj, char **out, sg_error *err)
{
    int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
    size_t bytes = 0;
    const char *text = sg_test_fault("alloc") ? NULL : json_object_to_json_string_length(obj, flags, &bytes);
    char *copy = text ? sg_alloc(bytes + 2, 1) : NULL;
    if (!copy)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the JSON text");
    memcpy(copy, text, bytes);
    memcpy(copy + bytes, "\n", 2);
    *out = copy;
    return SG_OK;
}
