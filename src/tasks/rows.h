/* A task's raw file as a JSON array of rows. */
#ifndef SG_TASKS_ROWS_H
#define SG_TASKS_ROWS_H

#include "core/json.h"

/* JSON lines, one JSON array, or WSC273's XML (schemas.h); empty lines are left out. SG_ERR_FORMAT: malformed, with the
 * line, not UTF-8, or no rows. */
int sg_rows_read_json(json_object **out, const char *path, sg_error *err);
/* The same of a folder of files that hold one object each (*.txt, as RACE is published), in the order of their names.
 */
int sg_rows_read_folder(json_object **out, const char *path, sg_error *err);
int sg_rows_read_csv(json_object **out, const char *path, sg_error *err);

/* Names in a folder that end with suffix, sorted; *names and each of them for sg_free. SG_ERR_IO; SG_ERR_FORMAT when
 * there are none. */
int sg_folder_list(char ***names, size_t *n, const char *path, const char *suffix, sg_error *err);
void sg_names_free(char **names, size_t n);

/* The string at a path of keys parted by dots ("question.stem"). SG_ERR_FORMAT naming where and path: absent, not a
 * string, or with a 0 character. Borrowed. */
int sg_row_string(json_object *row, const char *where, const char *path, const char **out, sg_error *err);
json_object *sg_row_get(json_object *row, const char *path); /* NULL: absent */

#endif
