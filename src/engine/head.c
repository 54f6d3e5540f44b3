/* Final norm, vocabulary product and log-softmax. V = vocabulary rows of a block, B = stream rows of a block. */
#include "engine/head.h"

#include <math.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "engine/rows.h"

enum {
    VOCAB_ROWS = 8192,
    STREAM_ROWS = 256
}; /* 8 MB of logits at a time: they are reduced before they leave the cache */

typedef struct head_run {
    const sg_model *model;
    sg_mm *mm;
    sg_precision precision;
    sg_norm_weights norm; /* [hidden] */
    char *plain;          /* [V, hidden] elements, before packing */
    sg_weight *weight;    /* the same, packed */
    int v0, nv;           /* which rows of the vocabulary these are */
    char *h;              /* [B, hidden] elements */
    float *logits;        /* [B, V] */
    float *row;           /* [threads][hidden] */
} head_run;

static int vocab_rows(const sg_model *model)
{
    return model->spec.vocab < VOCAB_ROWS ? model->spec.vocab : VOCAB_ROWS;
}

uint64_t sg_head_bytes(const sg_model *model, int threads, sg_precision precision)
{
    uint64_t D = (uint64_t)model->spec.hidden, V = (uint64_t)vocab_rows(model), element = sg_element_bytes(precision);
    return 2 * sg_weight_bytes((int)V, (int)D, precision) + STREAM_ROWS * (D * element + V * 4) +
           ((uint64_t)threads + 2) * D * 4;
}

static int allocate(head_run *run, sg_error *err)
{
    size_t D = (size_t)run->model->spec.hidden, V = (size_t)vocab_rows(run->model),
           element = sg_element_bytes(run->precision);
    static const sg_row_layout plain = {.head_dim = 1};
    const sg_tensor *bias = sg_model_role(run->model, SG_FINAL_NORM_BIAS);
    int rc = sg_norm_load(&run->norm.weight, run->model, sg_model_role(run->model, SG_FINAL_NORM), err);
    if (!rc && bias)
        rc = sg_vector_load(&run->norm.bias, run->model, bias, &plain, err);
    if (rc)
        return rc;
    run->plain = sg_alloc_aligned(V * D, element);
    run->h = sg_alloc_aligned(STREAM_ROWS * D, element);
    run->logits = sg_alloc_aligned(STREAM_ROWS * V, sizeof(float));
    run->row = sg_alloc_aligned((size_t)sg_mm_threads(run->mm) * D, sizeof(float));
    if (!run->plain || !run->h || !run->logits || !run->row)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the output matrix in blocks of %zu x %zu", V, D);
    return SG_OK;
}

/* run->logits [n, nv] scaled and capped as the model says, then taken into the rows' sums */
static void reduce(const head_run *run, const sg_head_rows *s, int first, int n)
{
    const sg_model_spec *spec = &run->model->spec;
#pragma omp parallel for schedule(static)
    for (int r = 0; r < n; r++) {
        float *logits = run->logits + (size_t)r * (size_t)run->nv;
        int target = s->targets[first + r];
        sg_logit_sums *sums = &s->sums[first + r];
        if (spec->logit_softcap > 0)
            sg_row_softcap(logits, run->nv, spec->logit_scale, spec->logit_softcap);
        else if (spec->logit_scale != 1)
            sg_row_scale(logits, spec->logit_scale, run->nv);
        if (target < 0)
            continue;
        sg_row_log_sum_exp(logits, run->nv, &sums->max, &sums->sum);
        if (target >= run->v0 && target < run->v0 + run->nv)
            sums->target = logits[target - run->v0];
    }
}

static int run_rows(head_run *run, const sg_head_rows *streams, int stream, int first, sg_logits_seen *seen, void *user,
                    sg_error *err)
{
    const sg_head_rows *s = &streams[stream];
    const sg_model_spec *spec = &run->model->spec;
    int n = s->n - first < STREAM_ROWS ? s->n - first : STREAM_ROWS, D = spec->hidden;
    sg_norm_rows(run->h, s->x + (size_t)first * (size_t)D, &run->norm, spec->final_norm, n, D, spec->final_norm_eps,
                 run->precision, run->row);                                   /* [B, D] */
    int rc = sg_mm_weight(run->mm, run->logits, run->h, run->weight, n, err); /* [B, V] */
    if (rc)
        return rc;
    reduce(run, s, first, n);
    return seen ? seen(user, stream, first, n, run->v0, run->nv, run->logits, err) : SG_OK;
}

int sg_head_run(const sg_head_rows *streams, int n_streams, const sg_model *model, sg_mm *mm, sg_precision precision,
                sg_logits_seen *seen, void *user, sg_error *err)
{
    head_run run = {.model = model, .mm = mm, .precision = precision};
    static const sg_row_layout layout = {.head_dim = 1};
    const sg_tensor *head = sg_model_head(model);
    int rc = allocate(&run, err);
    int longest = 0;
    for (int i = 0; i < n_streams; i++) {
        longest = streams[i].n > longest ? streams[i].n : longest;
        for (int r = 0; r < streams[i].n; r++)
            streams[i].sums[r] = (sg_logit_sums){.max = -INFINITY};
    }
    for (run.v0 = 0; run.v0 < model->spec.vocab && !rc; run.v0 += run.nv) {
        run.nv = model->spec.vocab - run.v0 < VOCAB_ROWS ? model->spec.vocab - run.v0 : VOCAB_ROWS;
        if ((rc = sg_rows_load(run.plain, model, head, &layout, (uint64_t)run.v0, run.nv, precision, err)) ||
            (rc = sg_weight_pack(&run.weight, mm, run.plain, run.nv, model->spec.hidden, precision, err)))
            break;
        for (int first = 0; first < longest && !rc; first += STREAM_ROWS)
            for (int i = 0; i < n_streams && !rc; i++)
                if (first < streams[i].n)
                    rc = run_rows(&run, streams, i, first, seen, user, err);
        sg_weight_free(run.weight);
        run.weight = NULL;
    }
    sg_free(run.norm.weight);
    sg_free(run.norm.bias);
    sg_free(run.plain);
    sg_free(run.h);
    sg_free(run.logits);
    sg_free(run.row);
    return rc;
}
