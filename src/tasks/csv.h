/* CSV as RFC 4180 has it: fields parted by commas, rows by LF or CR LF; a field in quotes may hold all three, and a
 * quote as two. A quote inside a field that does not begin with one is a character like any other, as in Python's
 * reader. */
#ifndef SG_TASKS_CSV_H
#define SG_TASKS_CSV_H

#include "core/json.h"

/* A JSON array of arrays of strings; what: the file's name. Empty lines are left out. SG_ERR_FORMAT with the line: a
 * quoted field that does not end, or goes on behind its quote; rows of different widths. data: UTF-8 without 0 bytes.
 */
int sg_csv_parse(json_object **out, const char *data, size_t bytes, const char *what, sg_error *err);

#endif
