/* What several reports have in common. */
#ifndef SG_REPORT_PARTS_H
#define SG_REPORT_PARTS_H

#include "report/json.h"
#include "report/put.h"

/* obj["model"], as design.md's score JSON has it */
bool sg_put_json_model(json_object *obj, const sg_model_info *info, sg_error *err);
/* obj["perplexity"], an item per text */
bool sg_put_json_perplexities(json_object *obj, const sg_perplexity *p, size_t n, sg_error *err);
/* obj["speed"]: null when it was not measured */
bool sg_put_json_speed(json_object *obj, const sg_speed *s, sg_error *err);
/* The lines model, family and size of a table's head. */
void sg_put_model(sg_strbuf *b, const sg_model_info *info, const sg_glyphs *g);
/* Why layers cannot go: "  [1] 0-3: ...", a paragraph a cause; the number is the cause's + 1. */
void sg_put_causes(sg_strbuf *b, const sg_removable *removable, const sg_style *style);

#endif
