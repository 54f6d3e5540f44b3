/* Raw files. */
#include "tasks/rows.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "tasks/csv.h"
#include "tasks/schemas.h"

#define MAX_TASK_FILE (512ull << 20)

/* The whole file, checked to be UTF-8 without 0 bytes; *start is behind a BOM. */
static int read_text(const char *path, char **data, const char **start, size_t *bytes, sg_error *err)
{
    size_t bad;
    int rc = sg_file_read(path, MAX_TASK_FILE, data, bytes, err);
    if (rc)
        return rc;
    *start = *data;
    if (*bytes >= 3 && !memcmp(*data, "\xef\xbb\xbf", 3)) {
        *start += 3;
        *bytes -= 3;
    }
    if (!sg_utf8_valid(*start, *bytes, &bad))
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: byte %zu is not UTF-8", path, bad);
    else if (strlen(*start) != *bytes)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: a 0 byte at %zu", path, strlen(*start));
    if (rc)
        sg_free(*data);
    return rc;
}

/* Takes row over. */
static int append_row(json_object *rows, json_object *row, const char *where, sg_error *err)
{
    return row ? sg_json_append(rows, row, err) : sg_fail(err, SG_ERR_FORMAT, "%s: is null, no item", where);
}

static int take_lines(json_object *rows, const char *at, const char *path, sg_error *err)
{
    int rc = SG_OK;
    for (size_t line = 1; *at && !rc; line++) {
        char where[600];
        json_object *row = NULL;
        size_t n = strcspn(at, "\n");
        snprintf(where, sizeof where, "%.500s: line %zu", path, line);
        if (strspn(at, " \t\r") < n && !(rc = sg_json_parse(&row, at, n, where, err)))
            rc = append_row(rows, row, where, err);
        at += n + (at[n] == '\n');
    }
    return rc;
}

int sg_rows_read_json(json_object **out, const char *path, sg_error *err)
{
    char *data;
    const char *start;
    size_t bytes;
    json_object *rows = NULL;
    *out = NULL;
    int rc = read_text(path, &data, &start, &bytes, err);
    if (rc)
        return rc;
    char first = start[strspn(start, " \t\r\n")];
    if (first == '[')
        rc = sg_json_parse(&rows, start, bytes, path, err);
    else if (first == '<')
        rc = sg_schemas_parse(&rows, start, path, err);
    else if ((rows = json_object_new_array()))
        rc = take_lines(rows, start, path, err);
    else
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", path);
    sg_free(data);
    if (!rc && !json_object_array_length(rows))
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: has no items in it", path);
    if (rc)
        json_object_put(rows);
    else
        *out = rows;
    return rc;
}

int sg_rows_read_csv(json_object **out, const char *path, sg_error *err)
{
    char *data;
    const char *start;
    size_t bytes;
    *out = NULL;
    int rc = read_text(path, &data, &start, &bytes, err);
    if (rc)
        return rc;
    rc = sg_csv_parse(out, start, bytes, path, err);
    sg_free(data);
    return rc;
}

/* ---- folders ------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void sg_names_free(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sg_free(names[i]);
    sg_free(names);
}

int sg_folder_list(char ***names, size_t *n, const char *path, const char *suffix, sg_error *err)
{
    int rc = SG_OK, fault = sg_test_fault("open");
    DIR *dir = fault ? NULL : opendir(path);
    *names = NULL;
    *n = 0;
    if (!dir)
        return sg_fail(err, SG_ERR_IO, "%s: cannot open the folder: %s", path, strerror(fault ? fault : errno));
    for (struct dirent *e; !rc && (e = readdir(dir));) {
        size_t length = strlen(e->d_name), tail = strlen(suffix);
        if (e->d_name[0] == '.' || length <= tail || strcmp(e->d_name + length - tail, suffix))
            continue;
        char **grown = sg_resize(*names, *n + 1, sizeof *grown);
        if (grown)
            *names = grown;
        if (!grown || !(grown[*n] = sg_strdup(e->d_name)))
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory to list %s", path);
        else
            ++*n;
    }
    closedir(dir);
    if (!rc && !*n)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: no file in it ends with %s", path, suffix);
    if (rc) {
        sg_names_free(*names, *n);
        *names = NULL;
        *n = 0;
    } else {
        qsort(*names, *n, sizeof **names, by_name);
    }
    return rc;
}

int sg_rows_read_folder(json_object **out, const char *path, sg_error *err)
{
    char **names;
    size_t n;
    *out = NULL;
    int rc = sg_folder_list(&names, &n, path, ".txt", err);
    if (rc)
        return rc;
    json_object *rows = json_object_new_array();
    for (size_t i = 0; i < n && !rc; i++) {
        json_object *row = NULL;
        char *file = sg_path_join(path, names[i]);
        rc = file ? sg_json_read_file(&row, file, err) : sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", path);
        if (!rc)
            rc = append_row(rows, row, file, err);
        sg_free(file);
    }
    sg_names_free(names, n);
    if (rc)
        json_object_put(rows);
    else
        *out = rows;
    return rc;
}

/* ---- reading a row ------------------------------------------------------------------------------------ */

json_object *sg_row_get(json_object *row, const char *path)
{
    char key[64];
    for (const char *at = path; row; at++) {
        size_t n = strcspn(at, ".");
        snprintf(key, sizeof key, "%.*s", (int)n, at);
        row = sg_json_get(row, key);
        at += n;
        if (!*at)
            break;
    }
    return row;
}

int sg_row_string(json_object *row, const char *where, const char *path, const char **out, sg_error *err)
{
    json_object *value = sg_row_get(row, path);
    if (!value)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is missing", where, path);
    if (!json_object_is_type(value, json_type_string))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" must be a string", where, path);
    *out = json_object_get_string(value);
    if (strlen(*out) != (size_t)json_object_get_string_len(value))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" has a 0 character in it", where, path);
    return SG_OK;
}
