/* The tasks' and the texts' part of JSON objects and tables. */
#ifndef SG_REPORT_EVAL_H
#define SG_REPORT_EVAL_H

#include "report/json.h"
#include "report/put.h"

/* obj["tasks"]; first: [n] the same tasks of the model to compare with; NULL: this is that one */
bool sg_put_json_tasks(json_object *obj, const sg_task_score *tasks, size_t n, const sg_task_score *first,
                       sg_error *err);
/* "name - items - chance": a line, and an empty one in front */
void sg_put_task_head(sg_strbuf *b, const sg_task_score *t, const sg_glyphs *g);
/* A block for each task, a row for each entry and metric; names: [entries], at most 8 columns */
void sg_put_tasks(sg_strbuf *b, const sg_eval *eval, const char *const *names, const sg_glyphs *g);
/* obj["samples"] of an entry, where it has any */
bool sg_put_json_samples(json_object *obj, const sg_eval_entry *e, sg_error *err);
/* Each prompt, and how the entries continue it: two side by side, else one below the other */
void sg_put_samples(sg_strbuf *b, const sg_eval *eval, const char *const *names, const sg_style *style);

#endif
