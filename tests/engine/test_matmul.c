/* Every implementation of matrix products against the plain one (which sums in f64), on odd shapes, in both precisions.
 * Tolerance: every term is exact in f32 up to one rounding, and at most k roundings are added: |error| <= (k + 1) 2^-24
 * sum |a b|. Inputs are rounded to bf16 beforehand, so that both precisions multiply the same numbers. */
#include <math.h>
#include <omp.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "engine/matmul.h"
#include "sg_test.h"

static const struct {
    int m, n, k;
} shapes[] = {
    {1, 1, 1},       {3, 5, 7},    {1, 64, 64},      {17, 33, 65},  {64, 48, 16},  {130, 96, 577}, {512, 40, 100},
    {5, 320, 64},    {33, 31, 31}, {32, 32, 32},     {31, 300, 96}, {290, 65, 33}, {16, 17, 2050}, /* more than a chunk
                                                                                                    * of k
                                                                                                    */
    {40, 290, 1024}, {2, 7, 5632}, {35, 2100, 2100}, /* more columns than sums that wait */
};

static const struct {
    const char *name;
    sg_mm_kernel kernel;
} kernels[] = {{"fastest", SG_MM_FASTEST}, {"onednn", SG_MM_ONEDNN}, {"amx", SG_MM_AMX}};

static uint32_t seed = 1;

static float random_bf16(void)
{
    seed = seed * 1664525u + 1013904223u;
    float x = (float)((int32_t)seed) / 2147483648.0f;
    uint32_t bits;
    memcpy(&bits, &x, 4);
    bits &= 0xffff0000u;
    memcpy(&x, &bits, 4);
    return x;
}

/* n numbers, as f32 and as elements of the precision */
static void *make(float *plain, size_t n, sg_precision precision)
{
    void *elements = sg_alloc_aligned(n, sg_element_bytes(precision));
    for (size_t i = 0; i < n; i++)
        plain[i] = random_bf16();
    sg_row_store(elements, plain, (int)n, precision);
    return elements;
}

/* sizes: sum |a b| of each result */
static void check(const float *c, const float *want, const float *sizes, int m, int n, int k, const char *kernel,
                  const char *what)
{
    for (int i = 0; i < m * n; i++)
        if (!(fabsf(c[i] - want[i]) <= ((float)k + 1) * 0x1p-24f * sizes[i]))
            fail_msg("%s, %s %d x %d x %d: [%d, %d] is %g, expected %g", kernel, what, m, n, k, i / n, i % n,
                     (double)c[i], (double)want[i]);
}

static void product(float *c, sg_mm *mm, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                    sg_precision precision)
{
    sg_error err = {0};
    int rc = SG_OK;
#pragma omp parallel num_threads(1)
    {
        sg_mm_enter_thread();
        rc = sg_mm_plain(mm, 0, c, a, b, layout, m, n, k, precision, &err);
    }
    if (rc)
        fail_msg("%s", err.message);
}

static void by_weight(float *c, sg_mm *mm, const void *a, const void *b, int m, int n, int k, sg_precision precision)
{
    sg_error err = {0};
    sg_weight *w;
    if (sg_weight_pack(&w, mm, b, n, k, precision, &err) || sg_mm_weight(mm, c, a, w, m, &err))
        fail_msg("%s", err.message);
    sg_weight_free(w);
}

static sg_mm *context(int threads, sg_mm_kernel kernel)
{
    sg_error err = {0};
    sg_mm *mm;
    if (sg_mm_create(&mm, threads, kernel, &err))
        fail_msg("%s", err.message);
    return mm;
}

static void magnitudes(float *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = fabsf(x[i]);
}

static void check_shape(int m, int n, int k, sg_precision precision)
{
    size_t na = (size_t)(m * k), nb = (size_t)(n * k), nc = (size_t)(m * n);
    float *a = sg_alloc(na, 4), *b = sg_alloc(nb, 4), *c = sg_alloc_aligned(nc, 4), *want = sg_alloc(nc, 4),
          *sizes = sg_alloc(nc, 4);
    void *ea = make(a, na, precision), *eb = make(b, nb, precision);
    sg_mm *oracle = context(1, SG_MM_PLAIN);
    magnitudes(a, a, na);
    magnitudes(b, b, nb);
    for (int layout = 0; layout < 2; layout++) {
        sg_mm_b of = layout ? SG_MM_B_KN : SG_MM_B_NK;
        product(want, oracle, ea, eb, of, m, n, k, precision);
        product(sizes, oracle, a, b, of, m, n, k, SG_PRECISION_F32);
        for (size_t i = 0; i < SG_ARRAY_LEN(kernels); i++) {
            if (!sg_mm_runs(kernels[i].kernel, precision))
                continue;
            sg_mm *mm = context(2, kernels[i].kernel);
            product(c, mm, ea, eb, of, m, n, k, precision);
            check(c, want, sizes, m, n, k, kernels[i].name, layout ? "plain kn" : "plain nk");
            if (layout == 0) {
                by_weight(c, mm, ea, eb, m, n, k, precision);
                check(c, want, sizes, m, n, k, kernels[i].name, "packed");
            }
            sg_mm_free(mm);
        }
    }
    sg_mm_free(oracle);
    sg_free(a);
    sg_free(b);
    sg_free(c);
    sg_free(want);
    sg_free(sizes);
    sg_free(ea);
    sg_free(eb);
}

static void check_precision(sg_precision precision)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(shapes); i++)
        check_shape(shapes[i].m, shapes[i].n, shapes[i].k, precision);
}

static bool skipped(bool runs, const char *what)
{
    if (!runs)
        print_message("skip: this processor has no %s\n", what);
    return !runs;
}

static void test_f32(void **state)
{
    (void)state;
    check_precision(SG_PRECISION_F32);
}

static void test_bf16(void **state)
{
    (void)state;
    if (skipped(sg_matmul_native_bf16(), "native bf16"))
        skip();
    check_precision(SG_PRECISION_BF16);
}

/* In f32, too: the same bits for any threads, and for any two rows or more beside each other. */
static void test_split_f32(void **state)
{
    (void)state;
    enum { M = 301, N = 70, K = 577 };
    float *a = sg_alloc(M * K, 4), *b = sg_alloc(N * K, 4), *want = sg_alloc(M * N, 4), *c = sg_alloc(M * N, 4);
    float *ea = make(a, M * K, SG_PRECISION_F32), *eb = make(b, N * K, SG_PRECISION_F32);
    static const int threads[] = {1, 2, 3, 7}, parts[] = {M, 2, 31, 100};
    for (size_t i = 0; i < SG_ARRAY_LEN(threads); i++) {
        sg_error err = {0};
        sg_weight *w;
        sg_mm *mm = context(threads[i], SG_MM_FASTEST);
        omp_set_num_threads(threads[i]);
        if (sg_weight_pack(&w, mm, eb, N, K, SG_PRECISION_F32, &err))
            fail_msg("%s", err.message);
        for (int row = 0, m; row < M; row += m) {
            m = M - row < parts[i] + 2 ? M - row : parts[i]; /* no row is left alone */
            if (sg_mm_weight(mm, (i ? c : want) + row * N, ea + row * K, w, m, &err))
                fail_msg("%s", err.message);
        }
        if (i && memcmp(c, want, M * N * sizeof *c) != 0)
            fail_msg("%d threads, %d rows at a time: other results (%s)", threads[i], parts[i], sg_matmul_isa());
        sg_weight_free(w);
        sg_mm_free(mm);
    }
    void *all[] = {a, b, want, c, ea, eb};
    for (size_t i = 0; i < SG_ARRAY_LEN(all); i++)
        sg_free(all[i]);
}

/* Our own kernel: the same bits for any threads and any rows beside a row. */
static void test_split(void **state)
{
    (void)state;
    enum { M = 301, N = 70, K = 2100 };
    if (skipped(sg_mm_runs(SG_MM_AMX, SG_PRECISION_BF16), "AMX"))
        skip();
    float *a = sg_alloc(M * K, 4), *b = sg_alloc(N * K, 4), *want = sg_alloc(M * N, 4), *c = sg_alloc(M * N, 4);
    char *ea = make(a, M * K, SG_PRECISION_BF16), *eb = make(b, N * K, SG_PRECISION_BF16);
    static const int threads[] = {1, 2, 3, 7}, parts[] = {1, 31, 100, M};
    for (size_t i = 0; i < SG_ARRAY_LEN(threads); i++) {
        sg_mm *mm = context(threads[i], SG_MM_AMX);
        by_weight(i ? c : want, mm, ea, eb, M, N, K, SG_PRECISION_BF16);
        assert_true(i == 0 || memcmp(c, want, M * N * sizeof *c) == 0);
        for (int row = 0; row < M; row += parts[i]) {
            int m = M - row < parts[i] ? M - row : parts[i];
            product(c + row * N, mm, ea + (size_t)row * K * 2, eb, SG_MM_B_NK, m, N, K, SG_PRECISION_BF16);
        }
        assert_memory_equal(c, want, M * N * sizeof *c);
        sg_mm_free(mm);
    }
    sg_free(a);
    sg_free(b);
    sg_free(c);
    sg_free(want);
    sg_free(ea);
    sg_free(eb);
}

typedef struct taken {
    float *out; /* [m, n], added to */
    int n;
} taken;

static void take(void *user, const sg_mm_block *block)
{
    const taken *t = user;
    for (int r = 0; r < block->rows; r++)
        for (int c = 0; c < block->cols; c++) {
            size_t from = (size_t)r * block->ld + (size_t)c,
                   to = (size_t)(block->row + r) * (size_t)t->n + (size_t)(block->col + c);
            t->out[to] += block->c[from];
            if (block->second)
                t->out[to + (size_t)t->n / 2] += block->second[from];
        }
}

typedef struct shared {
    sg_mm *mm;
    const char *x;
    sg_weight *w;
    float *out, *scratch;
    int n, k, pair;
} shared;

static int share(void *user, int thread, int first, int rows, sg_error *err)
{
    const shared *u = user;
    size_t at = (size_t)first * (size_t)u->n;
    taken t = {.out = u->out + at, .n = u->n};
    sg_mm_sink sink = {.take = take, .user = &t, .pair = u->pair};
    return sg_mm_rows(u->mm, thread, u->scratch + at, u->x + (size_t)first * (size_t)u->k * 2, u->w, rows, &sink, err);
}

/* Results that are taken block by block are the product's, each of them once: columns alone and by pairs, whose halves
 * are panels or not, for few rows and many. */
static void test_sink(void **state)
{
    (void)state;
    static const struct {
        int m, n, k, pair;
    } rows[] = {{3, 70, 64, 0},       {100, 70, 64, 0},   {100, 320, 64, 160}, {70, 1216, 64, 608},   {65, 70, 64, 35},
                {300, 192, 2100, 96}, {300, 33, 2100, 0}, {2, 64, 40, 32},     {33, 4224, 2100, 2112}};
    if (skipped(sg_matmul_native_bf16(), "native bf16"))
        skip();
    for (size_t i = 0; i < SG_ARRAY_LEN(rows) * SG_ARRAY_LEN(kernels); i++) {
        int m = rows[i / 3].m, n = rows[i / 3].n, k = rows[i / 3].k;
        size_t size = (size_t)(m * n);
        sg_error err = {0};
        sg_mm *mm = context(2, kernels[i % 3].kernel);
        float *a = sg_alloc((size_t)(m * k), 4), *b = sg_alloc((size_t)(n * k), 4), *want = sg_alloc(size, 4),
              *out = sg_alloc_zero(size, 4), *scratch = sg_alloc_aligned(size, 4);
        void *ea = make(a, (size_t)(m * k), SG_PRECISION_BF16), *eb = make(b, (size_t)(n * k), SG_PRECISION_BF16);
        by_weight(want, mm, ea, eb, m, n, k, SG_PRECISION_BF16);
        shared u = {mm, ea, NULL, out, scratch, n, k, rows[i / 3].pair};
        if (sg_weight_pack(&u.w, mm, eb, n, k, SG_PRECISION_BF16, &err) || sg_mm_share(mm, m, share, &u, &err))
            fail_msg("%s", err.message);
        if (memcmp(out, want, size * sizeof *out) != 0)
            fail_msg("%s %d x %d x %d, pairs %d: what was taken differs", kernels[i % 3].name, m, n, k, u.pair);
        sg_weight_free(u.w);
        sg_mm_free(mm);
        void *all[] = {a, b, want, out, scratch, ea, eb};
        for (size_t j = 0; j < SG_ARRAY_LEN(all); j++)
            sg_free(all[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16),
                                       cmocka_unit_test(test_split), cmocka_unit_test(test_split_f32),
                                       cmocka_unit_test(test_sink)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
