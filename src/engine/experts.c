/* A feed-forward half of experts (arXiv 2101.03961; Mixtral, arXiv 2401.04088): the router's softmax over all experts,
 * each position's largest few, each expert's positions gathered into one product, results added in the experts' order.
 * B = rows of a block, X = experts, K = experts used. */
#include <math.h>
#include <string.h>

#include "engine/kernels.h"
#include "engine/layer.h"

/* A row's K largest probabilities, larger first (ties: the lower expert); their weights. probs: [X], overwritten. The K
 * differ even where probabilities are no numbers, so that an expert never has more rows than there are. */
static void choose(float *probs, const sg_layer_spec *spec, int *chosen, float *weights)
{
    const float TAKEN = -1;
    int X = spec->n_experts, K = spec->n_experts_used;
    float sum = sg_row_softmax_exp(probs, X, X, 1), taken = 0;
    for (int k = 0; k < K; k++) {
        int best = -1;
        for (int e = 0; e < X; e++)
            if (probs[e] != TAKEN && (best < 0 || probs[e] > probs[best]))
                best = e;
        chosen[k] = best;
        weights[k] = probs[best] / sum;
        taken += weights[k];
        probs[best] = TAKEN;
    }
    for (int k = 0; k < K && spec->renormalise; k++)
        weights[k] /= taken;
}

static int route(const sg_layer_run *run, const char *h, int rows, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    sg_scratch *s = run->scratch;
    int rc = sg_mm_weight(run->mm, s->router, h, run->weights->router, rows, err); /* [B, X] */
    if (rc)
        return rc;
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++) {
        size_t K = (size_t)spec->n_experts_used;
        choose(s->router + (size_t)r * (size_t)spec->n_experts, spec, s->chosen + (size_t)r * K,
               s->weights + (size_t)r * K);
    }
    return SG_OK;
}

/* out[row] += weight * expert(h[row]) for n of the rows that chose it; at: which row: at / K; which weight: at */
static int run_gathered(const sg_layer_run *run, const sg_ffn_weights *expert, float *out, const char *h, const int *at,
                        int n, sg_error *err)
{
    sg_scratch *s = run->scratch;
    int K = run->spec->n_experts_used, D = run->hidden;
    size_t row_bytes = (size_t)D * sg_element_bytes(run->precision);
#pragma omp parallel for schedule(static) if (n > 1)
    for (int i = 0; i < n; i++)
        memcpy(s->gathered + (size_t)i * row_bytes, h + (size_t)(at[i] / K) * row_bytes, row_bytes);
    int rc = sg_ffn_forward(run, expert, s->extra, s->gathered, n, err); /* [n, D] */
    if (rc)
        return rc;
#pragma omp parallel for schedule(static) if (n > 1)
    for (int i = 0; i < n; i++)
        sg_row_add_scaled(out + (size_t)(at[i] / K) * (size_t)D, s->extra + (size_t)i * (size_t)D, s->weights[at[i]],
                          D);
    return SG_OK;
}

/* All rows that chose expert e, a block at a time. */
static int run_expert(const sg_layer_run *run, float *out, const char *h, int rows, int e, sg_error *err)
{
    sg_scratch *s = run->scratch;
    const sg_ffn_weights *expert;
    int n = 0, most = sg_block_rows(sg_mm_threads(run->mm));
    for (int i = 0; i < rows * run->spec->n_experts_used; i++)
        if (s->chosen[i] == e)
            s->expert_rows[n++] = i;
    int rc = n ? sg_layer_expert(&expert, run->weights, e, err) : SG_OK;
    for (int i = 0; i < n && !rc; i += most)
        rc = run_gathered(run, expert, out, h, s->expert_rows + i, n - i < most ? n - i : most, err);
    return rc;
}

/* out += sigmoid(score . h) * shared(h); at most a block of rows */
static int run_shared(const sg_layer_run *run, float *out, const char *h, int rows, sg_error *err)
{
    sg_scratch *s = run->scratch;
    int D = run->hidden;
    int rc = sg_ffn_forward(run, &run->weights->shared, s->extra, h, rows, err); /* [B, D] */
    if (rc)
        return rc;
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++) {
        float score = sg_row_dot_elements(h + (size_t)r * (size_t)D * sg_element_bytes(run->precision),
                                          run->weights->shared_score, D, run->precision);
        sg_row_add_scaled(out + (size_t)r * (size_t)D, s->extra + (size_t)r * (size_t)D, 1 / (1 + expf(-score)), D);
    }
    return SG_OK;
}

int sg_experts_forward(const sg_layer_run *run, float *out, const char *h, int rows, sg_error *err)
{
    int rc = route(run, h, rows, err);
    memset(out, 0, (size_t)rows * (size_t)run->hidden * sizeof *out);
    for (int e = 0; e < run->spec->n_experts && !rc; e++)
        rc = run_expert(run, out, h, rows, e, err);
    size_t D = (size_t)run->hidden, element = sg_element_bytes(run->precision),
           most = (size_t)sg_block_rows(sg_mm_threads(run->mm));
    for (size_t at = 0; run->spec->shared_intermediate && at < (size_t)rows && !rc; at += most)
        rc = run_shared(run, out + at * D, h + at * D * element,
                        (int)((size_t)rows - at < most ? (size_t)rows - at : most), err);
    return rc;
}
