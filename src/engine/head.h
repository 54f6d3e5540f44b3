/* From the last residual stream to the likelihood of the next token. */
#ifndef SG_ENGINE_HEAD_H
#define SG_ENGINE_HEAD_H

#include "engine/layer.h"

/* A row's logits reduced: log p(target) = target - max - log(sum), sum over the vocabulary of e^(logit - max). */
typedef struct sg_logit_sums {
    float max, target;
    double sum;
} sg_logit_sums;

typedef struct sg_head_rows { /* one stream */
    const float *x;           /* [n, hidden], before the final norm */
    const int32_t *targets;   /* [n], -1: this row predicts nothing */
    int n;
    sg_logit_sums *sums; /* [n] out, of rows with a target */
} sg_head_rows;

/* Called with each block of logits: rows [first, first + n) of a stream, vocabulary [v0, v0 + nv); logits: [n, nv]. */
typedef int sg_logits_seen(void *user, int stream, int first, int n, int v0, int nv, const float *logits,
                           sg_error *err);

/* The head is read once, in blocks of rows of the vocabulary; every stream's rows meet each block; the logits of a
 * block of rows are reduced at once and never kept. The same rows of all streams come one after another, the first
 * stream's first. seen: NULL or a call per block. */
int sg_head_run(const sg_head_rows *streams, int n_streams, const sg_model *model, sg_mm *mm, sg_precision precision,
                sg_logits_seen *seen, void *user, sg_error *err);
/* Columns of a block of logits. */
int sg_head_block_columns(const sg_model *model);
/* Of the largest block of logits that seen is called with. */
uint64_t sg_head_block_bytes(const sg_model *model, int threads);
/* What it allocates. */
uint64_t sg_head_bytes(const sg_model *model, int threads, sg_precision precision);

#endif
