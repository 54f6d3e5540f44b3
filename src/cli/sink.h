/* Where a result goes: a table and a JSON object, to stdout and to a file. */
#ifndef SG_CLI_SINK_H
#define SG_CLI_SINK_H

#include "shortgpt.h"

typedef struct sink {
    bool table;      /* is wanted on stdout */
    bool json;       /* is wanted, on stdout when there is no table */
    char *target;    /* of --json FILE; symbolic links resolved */
    char *temporary; /* its sibling, until it is complete; NULL: target is no regular file and written to at once */
    int fd;
} sink;

/* json: --json's value or NULL. Finds out before the work whether the result can be written at all. sink_close in any
 * case. */
int sink_open(sink *s, const char *json, sg_error *err);
/* Text of a table to stdout, at once. */
int sink_print(const char *text, sg_error *err);
/* The finished result: each is NULL when it is not wanted. The JSON file appears whole, under its name. */
int sink_finish(sink *s, const char *table, const char *json, sg_error *err);
/* The text alone, under the file's name; nothing where no file is wanted. */
int sink_write(sink *s, const char *text, sg_error *err);
void sink_close(sink *s);

#endif
