/* Python literals, as data sets hold them in strings: RACE's "problems" is the repr() of a list. */
#ifndef SG_TASKS_PYTHON_H
#define SG_TASKS_PYTHON_H

#include "core/json.h"

/* Lists, dictionaries, strings and numbers of a literal, as JSON. SG_ERR_FORMAT naming what: anything else. text:
 * UTF-8. */
int sg_python_parse(json_object **out, const char *text, const char *what, sg_error *err);

#endif
