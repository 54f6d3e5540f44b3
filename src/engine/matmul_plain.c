/* Matrix products as the definition says: the oracle of the other implementations' tests. */
#include <string.h>

#include "core/mem.h"
#include "engine/matmul_impl.h"

typedef struct plain_weight {
    int n, k;
    sg_precision precision;
    void *rows; /* [n, k] elements */
} plain_weight;

static double element(const void *p, size_t i, sg_precision precision)
{
    if (precision != SG_PRECISION_BF16)
        return (double)((const float *)p)[i];
    uint32_t bits = (uint32_t)((const uint16_t *)p)[i] << 16;
    float x;
    memcpy(&x, &bits, 4);
    return (double)x;
}

static int multiply(void *state, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n,
                    int k, sg_precision precision, sg_error *err)
{
    (void)state, (void)thread, (void)err;
    size_t N = (size_t)n, K = (size_t)k;
    for (size_t i = 0; i < (size_t)m; i++)
        for (size_t j = 0; j < N; j++) {
            double sum = 0;
            for (size_t l = 0; l < K; l++)
                sum += element(a, i * K + l, precision) *
                       element(b, layout == SG_MM_B_NK ? j * K + l : l * N + j, precision);
            c[i * N + j] = (float)sum;
        }
    return SG_OK;
}

static int rows(void *state, int thread, float *y, const void *x, void *packed, int m, const sg_mm_sink *sink,
                sg_error *err)
{
    const plain_weight *w = packed;
    (void)sink;
    return multiply(state, thread, y, x, w->rows, SG_MM_B_NK, m, w->n, w->k, w->precision, err);
}

static int few_rows(void *state, float *y, const void *x, void *packed, int m, sg_error *err)
{
    return rows(state, 0, y, x, packed, m, NULL, err);
}

static int pack(void **packed, void *state, const void *w, int n, int k, sg_precision precision, sg_error *err)
{
    size_t row_bytes = (size_t)k * sg_element_bytes(precision);
    plain_weight *p = sg_alloc_zero(1, sizeof *p);
    (void)state;
    if (p)
        *p = (plain_weight){n, k, precision, sg_alloc_aligned((size_t)n, row_bytes)};
    if (!p || !p->rows) {
        sg_free(p);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a weight of %d x %d", n, k);
    }
    memcpy(p->rows, w, (size_t)n * row_bytes);
    *packed = p;
    return SG_OK;
}

static void release(void *packed)
{
    sg_free(((plain_weight *)packed)->rows);
    sg_free(packed);
}

static bool runs(sg_precision precision)
{
    (void)precision;
    return true;
}

const sg_mm_impl sg_mm_loops = {
    .name = "plain",
    .runs = runs,
    .pack = pack,
    .release = release,
    .rows = rows,
    .few_rows = few_rows,
    .plain = multiply,
};
