/* CSV. */
#include "tasks/csv.h"

#include <limits.h>
#include <string.h>

#include "core/strbuf.h"

typedef struct reader {
    const char *at, *end, *what;
    size_t line;
    sg_strbuf field;
} reader;

static int take_quoted(reader *r, sg_error *err)
{
    size_t opened = r->line;
    for (r->at++;; r->at++) {
        if (r->at == r->end)
            return sg_fail(err, SG_ERR_FORMAT, "%s: line %zu: a quoted field does not end", r->what, opened);
        if (*r->at == '"' && (++r->at == r->end || *r->at != '"'))
            break;
        r->line += *r->at == '\n';
        sg_strbuf_add(&r->field, r->at, 1);
    }
    if (r->at < r->end && !strchr(",\r\n", *r->at))
        return sg_fail(err, SG_ERR_FORMAT, "%s: line %zu: something follows a field's closing quote", r->what, r->line);
    return SG_OK;
}

static int take_field(reader *r, json_object *row, sg_error *err)
{
    int rc = SG_OK;
    r->field.n = 0;
    sg_strbuf_add(&r->field, "", 0);
    if (r->at < r->end && *r->at == '"') {
        rc = take_quoted(r, err);
    } else {
        size_t n = 0;
        while (r->at + n < r->end && !strchr(",\r\n", r->at[n]))
            n++;
        sg_strbuf_add(&r->field, r->at, n);
        r->at += n;
    }
    if (rc)
        return rc;
    if (r->field.failed || r->field.n > INT_MAX)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for line %zu", r->what, r->line);
    return sg_json_append(row, json_object_new_string_len(r->field.data, (int)r->field.n), err);
}

/* The row at r->at, which is not at an empty line, and its end of line. */
static int take_row(reader *r, json_object *row, sg_error *err)
{
    int rc;
    while (!(rc = take_field(r, row, err)) && r->at < r->end && *r->at == ',')
        r->at++;
    if (!rc && r->at < r->end && *r->at == '\r')
        r->at++;
    if (!rc && r->at < r->end && *r->at != '\n')
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: line %zu: a CR without LF", r->what, r->line);
    return rc;
}

int sg_csv_parse(json_object **out, const char *data, size_t bytes, const char *what, sg_error *err)
{
    reader r = {.at = data, .end = data + bytes, .what = what, .line = 1};
    json_object *rows = json_object_new_array();
    int rc = rows ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", what);
    while (!rc && r.at < r.end) {
        if (*r.at == '\n' || (*r.at == '\r' && r.at + 1 < r.end && r.at[1] == '\n')) {
            r.line += *r.at++ == '\n';
            continue;
        }
        size_t line = r.line;
        json_object *row = json_object_new_array();
        if (!row) {
            rc = sg_fail(err, SG_ERR_NOMEM, "no memory to read %s", what);
            break;
        }
        rc = take_row(&r, row, err);
        size_t width = json_object_array_length(row),
               first = json_object_array_length(rows) ? json_object_array_length(json_object_array_get_idx(rows, 0))
                                                      : width;
        if (!rc && width != first)
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: line %zu: %zu fields, the first row has %zu", what, line, width,
                         first);
        if (rc)
            json_object_put(row);
        else
            rc = sg_json_append(rows, row, err);
    }
    sg_strbuf_free(&r.field);
    if (rc)
        json_object_put(rows);
    else
        *out = rows;
    return rc;
}
