/* The tasks' part of `eval`'s JSON and table. */
#ifndef SG_REPORT_EVAL_H
#define SG_REPORT_EVAL_H

#include "report/json.h"
#include "report/put.h"

/* obj["tasks"] of an entry; first: the eval's first entry, with which the others are compared */
bool sg_put_json_tasks(json_object *obj, const sg_eval_entry *e, const sg_eval_entry *first, sg_error *err);
/* A block for each task, a row for each entry and metric; names: [entries], at most 8 columns */
void sg_put_tasks(sg_strbuf *b, const sg_eval *eval, const char *const *names, const sg_glyphs *g);

#endif
