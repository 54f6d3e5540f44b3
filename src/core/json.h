/* json-c with our error sentences. Objects keep their key order, fractions keep their text. */
#ifndef SG_CORE_JSON_H
#define SG_CORE_JSON_H

#include <json-c/json.h>

#include "core/error.h"

/* Parses exactly one value (blanks around it allowed); what: the file's name for the error, which gives the byte
 * offset. Release with json_object_put. */
int sg_json_parse(json_object **out, const char *data, size_t bytes, const char *what, sg_error *err);
int sg_json_read_file(json_object **out, const char *path, sg_error *err);

/* NULL when absent, JSON null, or obj is no object. Borrowed. */
json_object *sg_json_get(json_object *obj, const char *key);

/* Typed reads. Absent (or null): *found (NULL ok) false, *out untouched. Of another type or out of range: SG_ERR_FORMAT
 * naming what, key and value. */
int sg_json_get_int(json_object *obj, const char *what, const char *key, int64_t min, int64_t max, int64_t *out,
                    bool *found, sg_error *err);
int sg_json_get_double(json_object *obj, const char *what, const char *key, double *out, bool *found, sg_error *err);
int sg_json_get_bool(json_object *obj, const char *what, const char *key, bool *out, bool *found, sg_error *err);
/* Borrowed string. */
int sg_json_get_string(json_object *obj, const char *what, const char *key, const char **out, bool *found,
                       sg_error *err);

/* obj[key] = value, taking ownership of value also on failure. SG_ERR_NOMEM when value is NULL or there is no memory.
 */
int sg_json_put(json_object *obj, const char *key, json_object *value, sg_error *err);
int sg_json_append(json_object *array, json_object *value, sg_error *err);
/* A number with 17 significant digits at most, never spelled as an integer; null when it is not finite (so
 * sg_json_number(NAN) is how to write a null). NULL: no memory. */
json_object *sg_json_number(double value);
/* Pretty text with two blanks of indent and a newline at the end; sg_free. */
int sg_json_text(json_object *obj, char **out, sg_error *err);

#endif
