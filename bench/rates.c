/* What this machine multiplies at most (one instruction on registers, all threads), and what a matrix product reaches.
 *
 *   rates [threads]
 *
 * The peak is that of the best instruction that the processor has: tdpbf16ps (AMX), vdpbf16ps (AVX-512), fused
 * multiply-adds. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "engine/matmul.h"
#include "numbers.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- peaks ------------------------------------------------------------------------------------------- */

/* A loop of n rounds of eight independent instructions, and its floating-point operations per round. */
typedef void loop(long n);
static volatile float sink; /* so that no loop is optimised away */

#ifdef __x86_64__
#include <immintrin.h>

#define EIGHT(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7)

__attribute__((target("avx512f"))) static void loop_avx512(long n)
{
    __m512 a = _mm512_set1_ps(1e-3f), c[8] = {a, a, a, a, a, a, a, a};
    for (long i = 0; i < n; i++) {
#define STEP(j)                                                                                                        \
    c[j] = _mm512_fmadd_ps(a, a, c[j]);                                                                                \
    __asm__("" : "+v"(c[j]));
        EIGHT(STEP)
#undef STEP
    }
    float out[16];
    for (int j = 1; j < 8; j++)
        c[0] = _mm512_add_ps(c[0], c[j]);
    _mm512_storeu_ps(out, c[0]);
    sink = out[0];
}

__attribute__((target("avx2,fma"))) static void loop_avx2(long n)
{
    __m256 a = _mm256_set1_ps(1e-3f), c[8] = {a, a, a, a, a, a, a, a};
    for (long i = 0; i < n; i++) {
#define STEP(j)                                                                                                        \
    c[j] = _mm256_fmadd_ps(a, a, c[j]);                                                                                \
    __asm__("" : "+x"(c[j]));
        EIGHT(STEP)
#undef STEP
    }
    float out[8];
    for (int j = 1; j < 8; j++)
        c[0] = _mm256_add_ps(c[0], c[j]);
    _mm256_storeu_ps(out, c[0]);
    sink = out[0];
}

__attribute__((target("avx512bf16"))) static void loop_avx512_bf16(long n)
{
    __m512bh a = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3f), _mm512_set1_ps(1e-3f));
    __m512 zero = _mm512_setzero_ps(), c[8] = {zero, zero, zero, zero, zero, zero, zero, zero};
    for (long i = 0; i < n; i++) {
#define STEP(j)                                                                                                        \
    c[j] = _mm512_dpbf16_ps(c[j], a, a);                                                                               \
    __asm__("" : "+v"(c[j]));
        EIGHT(STEP)
#undef STEP
    }
    float out[16];
    for (int j = 1; j < 8; j++)
        c[0] = _mm512_add_ps(c[0], c[j]);
    _mm512_storeu_ps(out, c[0]);
    sink = out[0];
}

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t colsb[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

__attribute__((target("amx-tile,amx-bf16"))) static void loop_amx(long n)
{
    static const char zeros[1024];
    struct tile_config config = {.palette = 1};
    for (int t = 0; t < 8; t++) {
        config.colsb[t] = 64;
        config.rows[t] = 16;
    }
    __asm__ volatile("" : : "r"(&config) : "memory"); /* the intrinsic does not say that it reads all of it */
    _tile_loadconfig(&config);
    _tile_loadd(6, zeros, 64);
    _tile_loadd(7, zeros, 64);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (long i = 0; i < n; i++) { /* six of them; tiles are named at compile time */
        _tile_dpbf16ps(0, 6, 7);
        _tile_dpbf16ps(1, 6, 7);
        _tile_dpbf16ps(2, 6, 7);
        _tile_dpbf16ps(3, 6, 7);
        _tile_dpbf16ps(4, 6, 7);
        _tile_dpbf16ps(5, 6, 7);
    }
    _tile_release();
}

static bool has_amx(void)
{
    uint32_t a, b, c, d;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    return (d >> 22 & 1) && (d >> 24 & 1) && syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18) == 0;
}

static loop *pick(bool bf16, const char **name, double *flops)
{
    if (bf16 && has_amx()) {
        *name = "tdpbf16ps";
        *flops = 6 * 2.0 * 16 * 16 * 32;
        return loop_amx;
    }
    if (bf16 && __builtin_cpu_supports("avx512bf16")) {
        *name = "vdpbf16ps";
        *flops = 8 * 2.0 * 32;
        return loop_avx512_bf16;
    }
    if (bf16)
        return NULL;
    bool wide = __builtin_cpu_supports("avx512f");
    *name = wide ? "vfmadd, 512 bits" : "vfmadd, 256 bits";
    *flops = 8 * 2.0 * (wide ? 16 : 8);
    return wide ? loop_avx512 : __builtin_cpu_supports("fma") ? loop_avx2 : NULL;
}
#elif defined(__aarch64__)
#include <arm_neon.h>

static void loop_neon(long n)
{
    float32x4_t a = vdupq_n_f32(1e-3f), c[8] = {a, a, a, a, a, a, a, a};
    for (long i = 0; i < n; i++)
        for (int j = 0; j < 8; j++) {
            c[j] = vfmaq_f32(c[j], a, a);
            __asm__("" : "+w"(c[j]));
        }
    for (int j = 1; j < 8; j++)
        c[0] = vaddq_f32(c[0], c[j]);
    sink = vgetq_lane_f32(c[0], 0);
}

static loop *pick(bool bf16, const char **name, double *flops)
{
    *name = "fmla, 128 bits";
    *flops = 8 * 2.0 * 4;
    return bf16 ? NULL : loop_neon;
}
#else
static loop *pick(bool bf16, const char **name, double *flops)
{
    (void)bf16, (void)name, (void)flops;
    return NULL;
}
#endif

static void print_peak(bool bf16, int threads)
{
    const char *name;
    double flops, best = 0;
    loop *run = pick(bf16, &name, &flops);
    const long n = bf16 ? 1000000 : 10000000;
    for (int repeat = 0; run && repeat < 5; repeat++) {
        double start = now();
#pragma omp parallel num_threads(threads)
        run(n);
        best = fmax(best, (double)n * flops * threads / (now() - start));
    }
    if (run)
        printf("peak %-5s %9.1f GFLOP/s  (%s from registers, %d thread%s, best of 5)\n", bf16 ? "bf16" : "f32",
               best * 1e-9, name, threads, threads == 1 ? "" : "s");
}

/* ---- products ---------------------------------------------------------------------------------------- */

static const struct product {
    const char *of;
    int n, k;
} products[] = {
    {"SmolLM2-135M qkv", 960, 576},
    {"SmolLM2-135M gate and up", 3072, 576},
    {"SmolLM2-135M down", 576, 1536},
    {"Gemma-3-270M gate and up", 4096, 640},
    {"Qwen2.5-0.5B gate and up", 9728, 896},
    {"Qwen2.5-0.5B down", 896, 4864},
    {"llama 1.1B o", 2048, 2048},
    {"llama 1.1B gate and up", 11264, 2048},
    {"llama 1.1B down", 2048, 5632},
    {"llama 7B gate and up", 22016, 4096},
    {"llama 7B down", 4096, 11008},
    {"8,192 of a vocabulary", 8192, 576},
};

enum { ROWS = 4096, BLOCK = 512 }; /* a block is what a layer multiplies at once */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void must(int rc, const sg_error *err)
{
    if (rc < 0) {
        fprintf(stderr, "rates: %s\n", err->message);
        exit(1);
    }
}

/* Median of five times ROWS rows, block by block; GFLOP/s */
static double product_rate(sg_mm *mm, const struct product *p, sg_precision precision)
{
    size_t element = sg_element_bytes(precision), n = (size_t)p->n, k = (size_t)p->k;
    char *w = sg_alloc_zero(n * k, element), *x = sg_alloc_zero((size_t)ROWS * k, element);
    float *y = sg_alloc((size_t)BLOCK * n, sizeof *y);
    sg_weight *packed = NULL;
    sg_error err = {0};
    double rates[5];
    if (!w || !x || !y)
        must(sg_fail(&err, SG_ERR_NOMEM, "no memory for a product"), &err);
    random_elements(w, n * k, precision);
    random_elements(x, ROWS * k, precision);
    must(sg_weight_pack(&packed, mm, w, p->n, p->k, precision, &err), &err);
    for (int i = -1; i < 5; i++) { /* the first to warm up */
        double start = now();
        for (size_t r = 0; r < ROWS; r += BLOCK)
            must(sg_mm_weight(mm, y, x + r * k * element, packed, BLOCK, &err), &err);
        rates[i < 0 ? 0 : i] = 2.0 * ROWS * p->n * p->k / (now() - start) * 1e-9;
    }
    qsort(rates, 5, sizeof *rates, compare);
    sg_weight_free(packed);
    sg_free(y);
    sg_free(x);
    sg_free(w);
    return rates[2];
}

int main(int argc, char **argv)
{
    static const struct {
        sg_mm_kernel kernel;
        const char *name;
    } kernels[] = {{SG_MM_FASTEST, "chosen"}, {SG_MM_AMX, "amx"}, {SG_MM_ONEDNN, "onednn"}};
    int threads = argc > 1 ? atoi(argv[1]) : omp_get_num_procs();
    if (threads < 1 || threads > 256) {
        fprintf(stderr, "rates: threads are %s, expected 1 to 256\n", argv[1]);
        return 2;
    }
    omp_set_num_threads(threads);
    printf("effective ISA %s, oneDNN %s\n", sg_matmul_isa(), sg_matmul_version());
    print_peak(true, threads);
    print_peak(false, threads);
    printf("\nproducts [%d, k] x [n, k]^T in blocks of %d rows, GFLOP/s, median of 5\n%-28s%7s%7s  ", ROWS, BLOCK, "",
           "n", "k");
    for (int precision = SG_PRECISION_BF16; precision <= SG_PRECISION_F32; precision++)
        for (size_t i = 0; i < SG_ARRAY_LEN(kernels); i++)
            if (sg_mm_runs(kernels[i].kernel, (sg_precision)precision))
                printf("%6s %-7s", sg_precision_name((sg_precision)precision), kernels[i].name);
    printf("\n");
    for (size_t j = 0; j < SG_ARRAY_LEN(products); j++) {
        printf("%-28s%7d%7d  ", products[j].of, products[j].n, products[j].k);
        for (int precision = SG_PRECISION_BF16; precision <= SG_PRECISION_F32; precision++)
            for (size_t i = 0; i < SG_ARRAY_LEN(kernels); i++) {
                sg_mm *mm;
                sg_error err = {0};
                if (!sg_mm_runs(kernels[i].kernel, (sg_precision)precision))
                    continue;
                must(sg_mm_create(&mm, threads, kernels[i].kernel, &err), &err);
                printf("%13.0f ", product_rate(mm, &products[j], (sg_precision)precision));
                fflush(stdout);
                sg_mm_free(mm);
            }
        printf("\n");
    }
    return 0;
}
