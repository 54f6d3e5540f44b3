/* Pieces of the JSON objects of design.md, "The command line". */
#ifndef SG_REPORT_JSON_H
#define SG_REPORT_JSON_H

#include "core/json.h"

/* A JSON string; bytes that are not UTF-8 (of a path, or a vocabulary) come out as U+FFFD. NULL: no memory. */
json_object *sg_report_string(const char *s, size_t bytes);

/* obj[key] = value; false, with err filled, when there is no memory. */
bool sg_put_json_string(json_object *obj, const char *key, const char *value, sg_error *err); /* NULL: null */
bool sg_put_json_int(json_object *obj, const char *key, uint64_t value, sg_error *err);
bool sg_put_json_bool(json_object *obj, const char *key, bool value, sg_error *err);
bool sg_put_json_number(json_object *obj, const char *key, double value, sg_error *err); /* null when not finite */
bool sg_put_json_layers(json_object *obj, const char *key, const int *layers, size_t n, sg_error *err);

/* The text of obj into *out, and obj released; ok false: only released. SG_OK, or SG_ERR_NOMEM with err filled. */
int sg_report_json_text(json_object *obj, bool ok, char **out, sg_error *err);

#endif
