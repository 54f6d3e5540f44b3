/* The Winograd schemas as they are published: WSCollection.xml, a <schema> each. */
#ifndef SG_TASKS_SCHEMAS_H
#define SG_TASKS_SCHEMAS_H

#include "core/json.h"

/* Rows of {"text", "pronoun", "pronoun_loc", "options", "label"}, as Hugging Face's data set makes them; the first 273,
 * which WSC273 is. Not a reader of XML: of this file's elements, without attributes. data: UTF-8, terminated.
 * SG_ERR_FORMAT naming the schema and what it lacks. */
int sg_schemas_parse(json_object **out, const char *data, const char *what, sg_error *err);

#endif
