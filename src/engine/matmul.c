/* Which implementation multiplies, and rows shared out among threads. */
#include "engine/matmul.h"

#include <omp.h>

#include "core/mem.h"
#include "engine/matmul_impl.h"

static const sg_mm_impl *const impls[] = {
    [SG_MM_ONEDNN] = &sg_mm_onednn,
    [SG_MM_AMX] = &sg_mm_amx,
    [SG_MM_PLAIN] = &sg_mm_loops,
};

struct sg_mm {
    int n_threads;
    sg_mm_kernel kernel;
    bool own_bf16; /* our kernel runs, which takes a system call to know */
    void *states[SG_ARRAY_LEN(impls)];
};

struct sg_weight {
    sg_mm_kernel kernel;
    int n, k;
    sg_precision precision;
    void *packed;
};

bool sg_mm_runs(sg_mm_kernel kernel, sg_precision precision)
{
    return kernel == SG_MM_FASTEST || impls[kernel]->runs(precision);
}

const char *sg_mm_kernel_name(sg_precision precision)
{
    return (sg_mm_amx.runs(precision) ? sg_mm_amx : sg_mm_onednn).name;
}

static sg_mm_kernel choose(const sg_mm *mm, sg_precision precision)
{
    if (mm->kernel == SG_MM_PLAIN || mm->kernel == SG_MM_ONEDNN)
        return mm->kernel;
    return precision == SG_PRECISION_BF16 && mm->own_bf16 ? SG_MM_AMX : SG_MM_ONEDNN;
}

int sg_mm_create(sg_mm **out, int threads, sg_mm_kernel kernel, sg_error *err)
{
    int rc = SG_OK;
    sg_mm *mm = sg_alloc_zero(1, sizeof *mm);
    *out = NULL;
    if (!mm)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d threads", threads);
    mm->n_threads = threads;
    mm->kernel = kernel;
    mm->own_bf16 = sg_mm_amx.runs(SG_PRECISION_BF16);
    for (size_t i = SG_MM_ONEDNN; i < SG_ARRAY_LEN(impls) && !rc; i++)
        if (impls[i]->start)
            rc = impls[i]->start(&mm->states[i], threads, err);
    if (rc)
        sg_mm_free(mm);
    else
        *out = mm;
    return rc;
}

void sg_mm_free(sg_mm *mm)
{
    if (!mm)
        return;
    for (size_t i = SG_MM_ONEDNN; i < SG_ARRAY_LEN(impls); i++)
        if (mm->states[i])
            impls[i]->stop(mm->states[i]);
    sg_free(mm);
}

int sg_mm_threads(const sg_mm *mm)
{
    return mm->n_threads;
}

uint64_t sg_weight_bytes(int n, int k, sg_precision precision)
{
    uint64_t rows = ((uint64_t)n + 63) / 64 * 64, cols = ((uint64_t)k + 63) / 64 * 64;
    return rows * cols * sg_element_bytes(precision) + 4096;
}

int sg_weight_pack(sg_weight **out, sg_mm *mm, const void *w, int n, int k, sg_precision precision, sg_error *err)
{
    sg_weight *weight = sg_alloc_zero(1, sizeof *weight);
    *out = NULL;
    if (!weight)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a packed weight");
    *weight = (sg_weight){.kernel = choose(mm, precision), .n = n, .k = k, .precision = precision};
    int rc = impls[weight->kernel]->pack(&weight->packed, mm->states[weight->kernel], w, n, k, precision, err);
    if (rc)
        sg_free(weight);
    else
        *out = weight;
    return rc;
}

void sg_weight_free(sg_weight *w)
{
    if (!w)
        return;
    impls[w->kernel]->release(w->packed);
    sg_free(w);
}

static void take_whole(const sg_mm_sink *sink, float *y, int m, int n)
{
    sg_mm_block all = {.c = y, .ld = (size_t)n, .rows = m, .cols = n};
    if (sink->pair) {
        all.second = y + sink->pair;
        all.cols = sink->pair;
    }
    sink->take(sink->user, &all);
}

int sg_mm_rows(sg_mm *mm, int thread, float *y, const void *x, sg_weight *w, int m, const sg_mm_sink *sink,
               sg_error *err)
{
    const sg_mm_impl *impl = impls[w->kernel];
    void *state = mm->states[w->kernel];
    bool direct = sink && thread != SG_MM_ALL && impl->sink_columns && sink->pair % impl->sink_columns == 0;
    int rc = thread == SG_MM_ALL ? impl->few_rows(state, y, x, w->packed, m, err)
                                 : impl->rows(state, thread, y, x, w->packed, m, direct ? sink : NULL, err);
    if (!rc && sink && !direct)
        take_whole(sink, y, m, w->n);
    return rc;
}

int sg_mm_share(sg_mm *mm, int m, sg_mm_part *part, void *user, sg_error *err)
{
    enum { UNIT = 32 }; /* rows that no implementation likes to see apart */
    int units = (m + UNIT - 1) / UNIT, failed = SG_OK;
    if (units < mm->n_threads)
        return part(user, SG_MM_ALL, 0, m, err);
#pragma omp parallel num_threads(mm->n_threads)
    {
        int n = omp_get_num_threads(), thread = omp_get_thread_num(), rc = SG_OK;
        int first = (int)((int64_t)units * thread / n) * UNIT, end = (int)((int64_t)units * (thread + 1) / n) * UNIT;
        sg_error mine = {0};
        end = end < m ? end : m;
        sg_mm_enter_thread();
        if (first < end)
            rc = part(user, thread, first, end - first, &mine);
        if (rc) {
#pragma omp critical(sg_mm_failed)
            if (!failed) {
                failed = rc;
                if (err)
                    *err = mine;
            }
        }
    }
    return failed;
}

typedef struct whole {
    sg_mm *mm;
    float *y;
    const char *x;
    sg_weight *w;
} whole;

static int weight_part(void *user, int thread, int first, int n, sg_error *err)
{
    const whole *p = user;
    size_t row_bytes = (size_t)p->w->k * sg_element_bytes(p->w->precision), row = (size_t)first;
    return sg_mm_rows(p->mm, thread, p->y + row * (size_t)p->w->n, p->x + row * row_bytes, p->w, n, NULL, err);
}

int sg_mm_weight(sg_mm *mm, float *y, const void *x, sg_weight *w, int m, sg_error *err)
{
    whole p = {mm, y, x, w};
    return sg_mm_share(mm, m, weight_part, &p, err);
}

int sg_mm_plain(sg_mm *mm, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                sg_precision precision, sg_error *err)
{
    sg_mm_kernel kernel = choose(mm, precision);
    return impls[kernel]->plain(mm->states[kernel], thread, c, a, b, layout, m, n, k, precision, err);
}

uint64_t sg_mm_scratch_bytes(sg_mm_kernel kernel, sg_precision precision, const sg_mm_shapes *shapes)
{
    uint64_t bytes = 0;
    for (size_t i = SG_MM_ONEDNN; i < SG_ARRAY_LEN(impls); i++) {
        bool used = (sg_mm_kernel)i == kernel || (kernel != SG_MM_PLAIN && i == SG_MM_ONEDNN) ||
                    (kernel == SG_MM_FASTEST && i == SG_MM_AMX);
        if (used && impls[i]->scratch_bytes && impls[i]->runs(precision))
            bytes += impls[i]->scratch_bytes(precision, shapes);
    }
    return bytes;
}

void sg_mm_enter_thread(void)
{
    omp_set_num_threads(1); /* oneDNN reads it when a primitive is created; holds for this thread of this region */
}
