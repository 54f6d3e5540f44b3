/* What must change, besides the weights, when layers leave a model: one table for both formats. */
#ifndef SG_SURGERY_RULES_H
#define SG_SURGERY_RULES_H

#include "checkpoint/gguf_write.h"
#include "surgery/cut.h"

/* SG_ERR_REFUSED: no configuration says the result; or the table does not know the family, and something in the
 * configuration could hang on a layer's number (unless the cut takes that). */
int sg_rules_check(const sg_cut *cut, sg_error *err);

/* What the rule behind a refusal says of the layers in the cut. */
typedef enum sg_hold {
    SG_HOLD_STAYS, /* they stay, whatever else goes */
    SG_HOLD_EDGE,  /* at an end of the model: they go with enough of those beside them */
    SG_HOLD_SET,   /* they go in a set that fits a pattern, a tail or a depth */
} sg_hold;
typedef struct sg_refusal {
    const void *rule; /* the table's row; NULL: none, the family is not known, or the file malformed */
    sg_hold hold;
} sg_refusal;
/* The same; *by is filled, and means something where it fails. */
int sg_rules_judge(const sg_cut *cut, sg_refusal *by, sg_error *err);
/* What a cut of a family that the table does not know takes for granted; sg_free. *out NULL: the family is known. */
int sg_rules_assumed(const sg_cut *cut, char **out, sg_error *err);
/* Edits config.json's object in place; key order and what no rule names stay. what: the file, for errors. */
int sg_rules_config(const sg_cut *cut, json_object *config, const char *what, sg_error *err);
/* Copies all metadata records in their order, byte for byte but for those that a rule edits or drops. */
int sg_rules_metadata(const sg_cut *cut, const sg_gguf *from, sg_gguf_draft *to, sg_error *err);

/* "135M", as the gguf package rounds a number of parameters; text: room for 32 bytes */
void sg_size_label(uint64_t parameters, char text[static 32]);

#endif
