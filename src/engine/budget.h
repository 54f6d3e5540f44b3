/* How a pass is cut so that it stays within its memory bound. */
#ifndef SG_ENGINE_BUDGET_H
#define SG_ENGINE_BUDGET_H

#include "engine/pass.h"

typedef struct sg_budget {
    sg_precision precision;
    int threads;
    bool head;                          /* an observer wants likelihoods or logits */
    bool experts_apart;                 /* see sg_loader; then a chunk is one batch */
    bool fetch;                         /* there is room for the next layer's bytes */
    int longest;                        /* window, what it shares included */
    int group_positions;                /* of the largest group of windows */
    int batch_positions;                /* of whole windows that go through a layer together */
    int streams;                        /* subsets that go together */
    int chunk_positions, chunk_windows; /* of the largest chunk */
    int chunks;                         /* per group of subsets */
} sg_budget;

/* Also checks the windows against the model. */
int sg_budget_make(sg_budget *out, const sg_pass *pass, sg_error *err);
/* 0: the processors that this process may use; never more than 256 */
int sg_threads_effective(int wanted);
/* Half of MemAvailable; where that is not told, half of physical memory. */
uint64_t sg_memory_default(void);
/* SG_ERR_REFUSED: a head is wider than attention takes. */
int sg_heads_fit(const sg_model *model, sg_error *err);

#endif
