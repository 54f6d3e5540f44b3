/* Where a pass spends its time, and which part of the rate it reaches that its own weight products have alone.
 *
 *   breakdown MODEL score|eval TOKENS WINDOW TEXT [threads]
 *
 * The engine knows nothing of this: the linker puts the functions below (--wrap) in front of the engine's own, between
 * its files. What lies inside one file of it is told by difference. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "engine/head.h"
#include "engine/layer.h"
#include "engine/rows.h"
#include "measure/influence.h"
#include "numbers.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- what is counted --------------------------------------------------------------------------------- */

typedef enum part {
    LOAD,
    DEQUANTIZE,
    PACK,
    LAYER,
    PRODUCT,
    ATTENTION,
    QKV,
    OBSERVE,
    HEAD,
    HEAD_PRODUCT,
    HEAD_LOAD,
    N_PARTS
} part;
static double seconds[N_PARTS];
static bool in_head;

/* Inside a parallel region each thread is at work on its share. */
static void count_seconds(part p, double s)
{
    if (omp_in_parallel())
        s /= omp_get_num_threads();
#pragma omp atomic
    seconds[p] += s;
}

static void count(part p, double start)
{
    count_seconds(p, now() - start);
}

/* Products of one shape. */
typedef struct product {
    int n, k, m; /* m: of all threads */
    bool shared; /* by sg_mm_share, each thread its rows */
    bool taken;  /* by a sink, from the cache */
    sg_precision precision;
    double calls;
} product;
static product products[256];
static int n_products;
static struct packed { /* live weights */
    const sg_weight *w;
    int n, k;
    sg_precision precision;
} packed[4096];
static sg_mm_kernel kernel;

static void note_product(const sg_weight *w, int m, bool shared, bool taken)
{
    int threads = omp_in_parallel() ? omp_get_num_threads() : 1, i = 0;
    const struct packed *p = packed;
    while (p < packed + SG_ARRAY_LEN(packed) && p->w != w)
        p++;
    if (p == packed + SG_ARRAY_LEN(packed))
        return;
    m *= threads;
#pragma omp critical(products)
    {
        while (i < n_products && (products[i].n != p->n || products[i].k != p->k || products[i].m != m))
            i++;
        if (i == n_products && n_products < (int)SG_ARRAY_LEN(products))
            products[n_products++] = (product){p->n, p->k, m, shared, taken, p->precision, 0};
        if (i < n_products)
            products[i].calls += 1.0 / threads;
    }
}

/* ---- the wrappers ------------------------------------------------------------------------------------ */

/* __real_NAME is the engine's function, __wrap_NAME what its callers reach instead. */
#define WRAP(type, name, params)                                                                                       \
    type __real_##name params;                                                                                         \
    type __wrap_##name params;                                                                                         \
    type __wrap_##name params

WRAP(int, sg_mm_create, (sg_mm * *out, int threads, sg_mm_kernel which, sg_error *err))
{
    kernel = which;
    return __real_sg_mm_create(out, threads, which, err);
}

WRAP(int, sg_weight_pack,
     (sg_weight * *out, sg_mm *mm, const void *w, int n, int k, sg_precision precision, sg_error *err))
{
    double start = now();
    int rc = __real_sg_weight_pack(out, mm, w, n, k, precision, err);
    count(in_head ? HEAD_LOAD : PACK, start);
    for (size_t i = 0; !rc && i < SG_ARRAY_LEN(packed); i++)
        if (!packed[i].w) {
            packed[i] = (struct packed){*out, n, k, precision};
            break;
        }
    return rc;
}

WRAP(void, sg_weight_free, (sg_weight * w))
{
    for (size_t i = 0; w && i < SG_ARRAY_LEN(packed); i++)
        if (packed[i].w == w)
            packed[i].w = NULL;
    __real_sg_weight_free(w);
}

WRAP(int, sg_mm_weight, (sg_mm * mm, float *y, const void *x, sg_weight *w, int m, sg_error *err))
{
    double start = now();
    int rc = __real_sg_mm_weight(mm, y, x, w, m, err);
    count(in_head ? HEAD_PRODUCT : PRODUCT, start);
    note_product(w, m, false, false);
    return rc;
}

/* What is done with results while they are in the cache is not the product's time. */
typedef struct timed_sink {
    const sg_mm_sink *sink;
    double seconds;
} timed_sink;

static void take_timed(void *user, const sg_mm_block *block)
{
    timed_sink *timed = user;
    double start = now();
    timed->sink->take(timed->sink->user, block);
    timed->seconds += now() - start;
}

WRAP(int, sg_mm_rows,
     (sg_mm * mm, int thread, float *y, const void *x, sg_weight *w, int m, const sg_mm_sink *sink, sg_error *err))
{
    timed_sink timed = {.sink = sink};
    sg_mm_sink ours = {.take = take_timed, .user = &timed, .pair = sink ? sink->pair : 0};
    double start = now();
    int rc = __real_sg_mm_rows(mm, thread, y, x, w, m, sink ? &ours : NULL, err);
    count_seconds(in_head ? HEAD_PRODUCT : PRODUCT, now() - start - timed.seconds);
    note_product(w, m, true, sink != NULL);
    return rc;
}

WRAP(int, sg_rows_load,
     (void *out, const sg_model *model, const sg_tensor *t, const sg_row_layout *layout, uint64_t first, int n,
      sg_precision precision, sg_error *err))
{
    double start = now();
    int rc = __real_sg_rows_load(out, model, t, layout, first, n, precision, err);
    count(in_head ? HEAD_LOAD : DEQUANTIZE, start);
    return rc;
}

WRAP(int, sg_layer_weights_load, (sg_layer_weights * out, sg_loader *loader, int layer, sg_error *err))
{
    double start = now();
    int rc = __real_sg_layer_weights_load(out, loader, layer, err);
    count(LOAD, start);
    return rc;
}

WRAP(int, sg_layer_forward,
     (const sg_layer_run *run, float *x, const sg_span *windows, int n_windows, sg_layer_seen *seen, void *user,
      sg_error *err))
{
    double start = now();
    int rc = __real_sg_layer_forward(run, x, windows, n_windows, seen, user, err);
    count(LAYER, start);
    return rc;
}

WRAP(int, sg_attention,
     (void *out, const sg_qkv *in, sg_slice slice, const sg_span *windows, int n_windows, const sg_layer_spec *spec,
      sg_precision precision, sg_mm *mm, char *scratch, sg_error *err))
{
    double start = now();
    int rc = __real_sg_attention(out, in, slice, windows, n_windows, spec, precision, mm, scratch, err);
    count(ATTENTION, start);
    return rc;
}

WRAP(void, sg_qkv_split,
     (const sg_qkv *out, float *fused, sg_slice rows, sg_slice slice, const sg_span *windows, int n_windows,
      const sg_layer_spec *spec, const sg_qkv_run *run, sg_precision precision))
{
    double start = now();
    __real_sg_qkv_split(out, fused, rows, slice, windows, n_windows, spec, run, precision);
    count(QKV, start);
}

WRAP(int, sg_influence_layer, (void *self, const sg_layer_event *event, sg_error *err))
{
    double start = now();
    int rc = __real_sg_influence_layer(self, event, err);
    count(OBSERVE, start);
    return rc;
}

WRAP(int, sg_head_run,
     (const sg_head_rows *streams, int n_streams, const sg_model *model, sg_mm *mm, sg_precision precision,
      sg_logits_seen *seen, void *user, sg_error *err))
{
    double start = now();
    in_head = true;
    int rc = __real_sg_head_run(streams, n_streams, model, mm, precision, seen, user, err);
    in_head = false;
    count(HEAD, start);
    return rc;
}

/* ---- the products alone ------------------------------------------------------------------------------ */

static void must(int rc, const sg_error *err)
{
    if (rc < 0) {
        fprintf(stderr, "breakdown: %s\n", err->message);
        exit(1);
    }
}

typedef struct single {
    sg_mm *mm;
    const product *p;
    sg_weight *w;
    const char *x;
    float *y;
} single;

static void take_nothing(void *user, const sg_mm_block *block)
{
    (void)user, (void)block;
}

static int multiply_part(void *user, int thread, int first, int n, sg_error *err)
{
    const single *a = user;
    static const sg_mm_sink sink = {.take = take_nothing};
    size_t row = (size_t)first;
    return __real_sg_mm_rows(a->mm, thread, a->y + row * (size_t)a->p->n,
                             a->x + row * (size_t)a->p->k * sg_element_bytes(a->p->precision), a->w, n,
                             a->p->taken ? &sink : NULL, err);
}

static void multiply(single *a)
{
    sg_error err = {0};
    must(a->p->shared ? sg_mm_share(a->mm, a->p->m, multiply_part, a, &err)
                      : __real_sg_mm_weight(a->mm, a->y, a->x, a->w, a->p->m, &err),
         &err);
}

/* Seconds of one call, of repeats for a tenth of a second, the least of three such. */
static double call_seconds(sg_mm *mm, const product *p)
{
    size_t element = sg_element_bytes(p->precision), n = (size_t)p->n, k = (size_t)p->k, m = (size_t)p->m;
    char *w = sg_alloc_zero(n * k, element), *x = sg_alloc_zero(m * k, element);
    float *y = sg_alloc_aligned(m * n, sizeof *y);
    sg_error err = {0};
    double best = 1e9;
    if (!w || !x || !y)
        must(sg_fail(&err, SG_ERR_NOMEM, "no memory for a product"), &err);
    random_elements(w, n * k, p->precision);
    random_elements(x, m * k, p->precision);
    single a = {.mm = mm, .p = p, .x = x, .y = y};
    must(__real_sg_weight_pack(&a.w, mm, w, p->n, p->k, p->precision, &err), &err);
    multiply(&a);
    for (int repeat = 0; repeat < 3; repeat++) {
        double start = now(), s = 0;
        long calls = 0;
        for (; s < 0.1; calls++, s = now() - start)
            multiply(&a);
        best = s / (double)calls < best ? s / (double)calls : best;
    }
    __real_sg_weight_free(a.w);
    sg_free(y);
    sg_free(x);
    sg_free(w);
    return best;
}

static double products_alone(int threads, double *flops)
{
    sg_mm *mm;
    sg_error err = {0};
    double sum = 0;
    must(__real_sg_mm_create(&mm, threads, kernel, &err), &err);
    for (int i = 0; i < n_products; i++) {
        sum += products[i].calls * call_seconds(mm, &products[i]);
        *flops += products[i].calls * 2.0 * products[i].n * products[i].k * products[i].m;
    }
    sg_mm_free(mm);
    return sum;
}

/* ---- the report -------------------------------------------------------------------------------------- */

static void print_part(const char *name, double s, double pass)
{
    printf("  %-44s %8.3f s %5.1f %%\n", name, s, 100 * s / pass);
}

static void print_report(double pass, long positions, int threads)
{
    const double *s = seconds;
    double flops = 0, alone = products_alone(threads, &flops);
    printf("pass of %ld tokens: %.3f s, %.0f tokens/s\n", positions, pass, (double)positions / pass);
    print_part("read and dequantize", s[DEQUANTIZE], pass);
    print_part("pack", s[PACK], pass);
    print_part("other work on weights", s[LOAD] - s[DEQUANTIZE] - s[PACK], pass);
    print_part("weight products", s[PRODUCT], pass);
    print_part("attention", s[ATTENTION], pass);
    print_part("rope, norms of q and k, their places", s[QKV], pass);
    print_part("observers", s[OBSERVE], pass);
    print_part("norms, activations, additions, waiting", s[LAYER] - s[PRODUCT] - s[ATTENTION] - s[QKV] - s[OBSERVE],
               pass);
    if (s[HEAD] > 0) {
        print_part("head: weights", s[HEAD_LOAD], pass);
        print_part("head: product", s[HEAD_PRODUCT], pass);
        print_part("head: norm, softmax, sums", s[HEAD] - s[HEAD_LOAD] - s[HEAD_PRODUCT], pass);
    }
    print_part("everything else", pass - s[LOAD] - s[LAYER] - s[HEAD], pass);
    printf(
        "  weight products alone: %.3f s, %.0f GFLOP/s; in the pass %.0f GFLOP/s; the pass as a whole %.0f GFLOP/s\n",
        alone, flops / alone * 1e-9, flops / (s[PRODUCT] + s[HEAD_PRODUCT]) * 1e-9, flops / pass * 1e-9);
    printf("share of the products' rate: %.1f %%\n", 100 * alone / pass);
}

int main(int argc, char **argv)
{
    if (argc < 6 || (strcmp(argv[2], "score") && strcmp(argv[2], "eval"))) {
        fprintf(stderr, "usage: breakdown MODEL score|eval TOKENS WINDOW TEXT [threads]\n");
        return 2;
    }
    sg_error err = {0};
    sg_model *model = NULL;
    sg_text text;
    int threads = argc > 6 ? atoi(argv[6]) : omp_get_num_procs();
    must(sg_model_open(&model, argv[1], &err), &err);
    must(sg_text_read(&text, argv[5], &err), &err);
    sg_run_opts opts = {
        .texts = &text, .n_texts = 1, .tokens = atol(argv[3]), .window = atoi(argv[4]), .threads = threads};
    if (strcmp(argv[2], "score") == 0) {
        sg_score *score;
        must(sg_score_run(&score, model, &opts, &err), &err);
        print_report(score->seconds, (long)score->tokens, threads);
        sg_score_free(score);
    } else {
        sg_eval *eval;
        must(sg_eval_run(&eval, model, NULL, 0, &opts, &err), &err);
        print_report(eval->seconds, (long)eval->scored, threads);
        sg_eval_free(eval);
    }
    sg_text_free(&text);
    sg_model_free(model);
    return 0;
}
