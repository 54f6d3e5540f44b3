/* Requests as a model's tokens. */
#ifndef SG_TASKS_ENCODE_H
#define SG_TASKS_ENCODE_H

#include "model/model.h"
#include "tasks/task.h"

typedef struct sg_sequence {
    int32_t *ids; /* [n] context and continuation; all but the last are put in */
    int n, first; /* ids from first on are scored; first >= 1 */
    int length;   /* tokens that a mean is over: of the whole text */
    bool cut;     /* it was longer than the model's positions */
} sg_sequence;

typedef struct sg_encoded {
    sg_sequence *sequences; /* [n], in the order of the tasks' requests */
    size_t n;
    bool bos; /* one stands in front */
} sg_encoded;

/* As lm-evaluation-harness encodes: context and continuation in one, cut behind as many tokens as the context alone
 * has; blanks at the context's end belong to the continuation; behind an empty context stands the BOS, or
 * where there is none the EOS; what is too long
 * loses its beginning. Under SG_RULE_MEAN the text in one, which loses its end. SG_ERR_FORMAT: a continuation without
 * tokens, or longer than the model's positions. */
int sg_encode(sg_encoded *out, sg_model *model, const sg_task *const *tasks, size_t n_tasks, sg_bos bos, sg_error *err);
void sg_encoded_dispose(sg_encoded *e);

#endif
