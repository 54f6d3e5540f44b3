/* Final norm, vocabulary product and log-softmax. V = vocabulary rows of a block, B = stream rows of a block. */
#include "engine/head.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "engine/rows.h"

enum { VOCAB_ROWS = 8192 };

typedef struct head_run {
    const sg_model *model;
    sg_mm *mm;
    sg_precision precision;
    sg_norm_weights norm; /* [hidden] */
    char *plain;          /* [V, hidden] elements, before packing */
    sg_weight *weight;    /* the same, packed */
    int v0, nv;           /* which rows of the vocabulary these are */
    int rows;             /* B */
    char *h;              /* [B, hidden] elements */
    float *logits;        /* [B, V] */
    float *row;           /* [threads][hidden] */
} head_run;

int sg_head_block_columns(const sg_model *model)
{
    return model->spec.vocab < VOCAB_ROWS ? model->spec.vocab : VOCAB_ROWS;
}

uint64_t sg_head_block_bytes(const sg_model *model, int threads)
{
    return (uint64_t)sg_block_rows(threads) * (uint64_t)sg_head_block_columns(model) * sizeof(float);
}

uint64_t sg_head_bytes(const sg_model *model, int threads, sg_precision precision)
{
    uint64_t D = (uint64_t)model->spec.hidden, V = (uint64_t)sg_head_block_columns(model),
             element = sg_element_bytes(precision), B = (uint64_t)sg_block_rows(threads);
    return 2 * sg_weight_bytes((int)V, (int)D, precision) + B * (D * element + V * 4) + ((uint64_t)threads + 2) * D * 4;
}

static int allocate(head_run *run, sg_error *err)
{
    size_t D = (size_t)run->model->spec.hidden, V = (size_t)sg_head_block_columns(run->model), B = (size_t)run->rows,
           element = sg_element_bytes(run->precision);
    static const sg_row_layout plain = {.head_dim = 1};
    const sg_tensor *bias = sg_model_role(run->model, SG_FINAL_NORM_BIAS);
    int rc = sg_norm_load(&run->norm.weight, run->model, sg_model_role(run->model, SG_FINAL_NORM), err);
    if (!rc && bias)
        rc = sg_vector_load(&run->norm.bias, run->model, bias, &plain, err);
    if (rc)
        return rc;
    run->plain = sg_alloc_aligned(V * D, element);
    run->h = sg_alloc_aligned(B * D, element);
    run->logits = sg_alloc_aligned(B * V, sizeof(float));
    run->row = sg_alloc_aligned((size_t)sg_mm_threads(run->mm) * D, sizeof(float));
    if (!run->plain || !run->h || !run->logits || !run->row)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the output matrix in blocks of %zu x %zu", V, D);
    return SG_OK;
}

/* A block of rows of a stream. */
typedef struct rows_user {
    head_run *run;
    const sg_head_rows *s;
    int first; /* row of the stream */
    bool keep; /* the logits stay in run->logits */
} rows_user;

/* A part of the block, in one thread. */
typedef struct part {
    const rows_user *u;
    int first;
} part;

/* n logits of a row from vocabulary row v on, scaled and capped as the model says, then taken into the row's sums */
static void reduce_row(const rows_user *u, int row, float *logits, int v, int n)
{
    const sg_model_spec *spec = &u->run->model->spec;
    int target = u->s->targets[row];
    sg_logit_sums *sums = &u->s->sums[row];
    if (spec->logit_softcap > 0)
        sg_row_softcap(logits, n, spec->logit_scale, spec->logit_softcap);
    else if (spec->logit_scale != 1)
        sg_row_scale(logits, spec->logit_scale, n);
    if (target < 0)
        return;
    sg_row_log_sum_exp(logits, n, &sums->max, &sums->sum);
    if (target >= v && target < v + n)
        sums->target = logits[target - v];
}

/* Kept or not, logits are summed in the same pieces: the same numbers whoever looks on. */
static void take_logits(void *user, const sg_mm_block *block)
{
    const part *p = user;
    const head_run *run = p->u->run;
    for (int r = 0; r < block->rows; r++) {
        float *logits = block->c + (size_t)r * block->ld,
              *kept = run->logits + (size_t)(p->first + block->row + r) * (size_t)run->nv + (size_t)block->col;
        reduce_row(p->u, p->u->first + p->first + block->row + r, logits, run->v0 + block->col, block->cols);
        if (p->u->keep && kept != logits)
            memcpy(kept, logits, (size_t)block->cols * sizeof *kept);
    }
}

static int share_rows(void *user, int thread, int first, int n, sg_error *err)
{
    const rows_user *u = user;
    head_run *run = u->run;
    const sg_model_spec *spec = &run->model->spec;
    size_t D = (size_t)spec->hidden, V = (size_t)run->nv, bytes = D * sg_element_bytes(run->precision);
    float *row = run->row + (size_t)(thread == SG_MM_ALL ? 0 : thread) * D, *logits = run->logits + (size_t)first * V;
    part p = {u, first};
    sg_mm_sink sink = {.take = take_logits, .user = &p};
    for (int r = first; r < first + n; r++) /* [B, D] */
        sg_norm_store_row(run->h + (size_t)r * bytes, u->s->x + (size_t)(u->first + r) * D, &run->norm,
                          spec->final_norm, spec->hidden, spec->final_norm_eps, run->precision, row);
    return sg_mm_rows(run->mm, thread, logits, run->h + (size_t)first * bytes, run->weight, n, &sink, err); /* [n, V] */
}

static int run_rows(head_run *run, const sg_head_rows *streams, int stream, int first, sg_logits_seen *seen, void *user,
                    sg_error *err)
{
    const sg_head_rows *s = &streams[stream];
    int n = s->n - first < run->rows ? s->n - first : run->rows;
    rows_user u = {run, s, first, seen != NULL};
    int rc = sg_mm_share(run->mm, n, share_rows, &u, err);
    return !rc && seen ? seen(user, stream, first, n, run->v0, run->nv, run->logits, err) : rc;
}

int sg_head_run(const sg_head_rows *streams, int n_streams, const sg_model *model, sg_mm *mm, sg_precision precision,
                sg_logits_seen *seen, void *user, sg_error *err)
{
    head_run run = {.model = model, .mm = mm, .precision = precision, .rows = sg_block_rows(sg_mm_threads(mm))};
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
        for (int first = 0; first < longest && !rc; first += run.rows)
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
