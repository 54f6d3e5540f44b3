/* Our own bf16 products on AMX, the matrix unit of x86-64 (tiles of 16 rows of 64 bytes; Intel's Software Developer's
 * Manual, volume 1, chapter 18). One instruction adds a 16 x 32 tile times a 32 x 16 tile to a 16 x 16 tile of f32.
 *
 * A weight [n, k] is packed into panels of 32 columns; a panel is a run of steps of 32 along k; a step is two tiles as
 * the instruction wants its second operand: 16 rows of (two k) x (16 columns). Rows of x are copied to tiles, since
 * where they lie they may fall on each other in the cache: a step of a unit of 32 rows is two tiles of 16 x 32.
 *
 * The loops, from the inside: a 32 x 32 block of results in four tiles along at most SLICE steps, so that the unit's
 * part of x stays in the first-level cache while the weights stream past it (by loads that do not displace it); the
 * panels of a group; all units of up to BLOCK rows, for which rows and group stay in the second-level cache, while the
 * next group is fetched into it; all groups; chunks of k, between which sums wait in scratch; columns whose sums do.
 * Each result is summed along k in one order, whatever the rows and threads. */
#include "engine/matmul_impl.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <omp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/mem.h"
#include "engine/matmul_amx_pack.h"

#define AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")))
/* The intrinsics do not tell the compiler which memory they read. */
#define MEMORY_WRITTEN() __asm__ volatile("" ::: "memory")

enum {
    LINE_BYTES = 64,         /* of the caches */
    SLICE = 20,              /* steps: 40 KB of x */
    CHUNK = 64,              /* steps: 1 MB of a block's rows */
    BLOCK = 256,             /* rows */
    GROUP_BYTES = 256 << 10, /* of one chunk */
    GROUP = 8,               /* panels at most */
    SUMS = 64,               /* panels whose sums wait for the next chunk */
    ROWS_BYTES = BLOCK / UNIT * CHUNK * STEP_BYTES,
    RESULTS_BYTES = UNIT * GROUP * PANEL * 4,
    SUMS_BYTES = SUMS * PANEL * BLOCK * 4,
};

typedef struct buffer {
    void *data;
    size_t bytes;
} buffer;

typedef struct thread_buffers {
    buffer x, weight, results, sums;
} thread_buffers;

enum { SPARES = 8 };

typedef struct amx {
    int n_threads;
    thread_buffers *threads; /* [n_threads] */
    buffer spares[SPARES];   /* panels given back: the next layer's are as large, and memory anew is cleared anew */
} amx;

typedef struct amx_weight {
    amx *owner;
    int n, k;
    buffer panels;
} amx_weight;

static void *reserve(buffer *b, size_t bytes)
{
    if (bytes > b->bytes) {
        sg_free(b->data);
        b->data = sg_alloc_huge(bytes, 1);
        b->bytes = b->data ? bytes : 0;
    }
    return b->data;
}

/* ---- tiles -------------------------------------------------------------------------------------------- */

static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} whole_tiles = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

/* Where results lie, ld floats from row to row. */
typedef struct place {
    float *c;
    size_t ld;
} place;

AMX static inline __attribute__((always_inline)) void zero_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

AMX static inline __attribute__((always_inline)) void load_sums(place from)
{
    size_t stride = from.ld * sizeof(float);
    float *low = from.c + 16 * from.ld;
    _tile_loadd(0, from.c, stride);
    _tile_loadd(1, from.c + 16, stride);
    _tile_loadd(2, low, stride);
    _tile_loadd(3, low + 16, stride);
}

AMX static inline __attribute__((always_inline)) void store_sums(place to)
{
    size_t stride = to.ld * sizeof(float);
    float *low = to.c + 16 * to.ld;
    _tile_stored(0, to.c, stride);
    _tile_stored(1, to.c + 16, stride);
    _tile_stored(2, low, stride);
    _tile_stored(3, low + 16, stride);
}

/* Adds a unit's rows times a panel, along steps, to the tiles 0 to 3. ahead: an address whose bytes will be needed
 * soon; lines of them are fetched a step. */
AMX static inline __attribute__((always_inline)) void multiply_steps(const char *x, const char *panel, int steps,
                                                                     uintptr_t ahead, int lines)
{
    for (int i = 0; i < steps; i++, x += STEP_BYTES, panel += STEP_BYTES) {
        for (int line = 0; line < lines; line++, ahead += LINE_BYTES)
            _mm_prefetch((const char *)ahead, _MM_HINT_T1);
        _tile_stream_loadd(6, panel, 64);
        _tile_loadd(4, x, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_stream_loadd(7, panel + TILE_BYTES, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, x + TILE_BYTES, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}

/* ---- a product ---------------------------------------------------------------------------------------- */

typedef struct product {
    const uint16_t *x;
    const char *panels;
    float *y;
    const sg_mm_sink *sink; /* NULL: results go to y */
    int m, n, k, steps;
    int first_panel, end_panel;
    int pair;       /* panels from a column to its pair: a group is as many of both halves; 0: none */
    int halves;     /* 2 where there are pairs, else 1 */
    int group;      /* panels of each half */
    int chunk;      /* steps */
    int slice;      /* steps */
    int waiting;    /* panels of each half whose sums wait for the next chunk */
    char *x_tiles;  /* [BLOCK / UNIT][chunk][2 tiles] */
    float *results; /* [UNIT][halves][group * PANEL] */
    float *sums;    /* [halves][waiting][BLOCK / UNIT][UNIT][PANEL] */
} product;

/* What of the product is at work: rows, steps of k, the group's panels (of the first half), the first whose sums wait.
 */
typedef struct work {
    int row, rows, from, steps, panel, n_panels, waiting;
} work;

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void pack_rows(const product *p, const work *at)
{
    for (int u = 0; u * UNIT < at->rows; u++) {
        int row = at->row + u * UNIT;
        sg_amx_pack_unit(p->x_tiles + (size_t)u * (size_t)at->steps * STEP_BYTES, p->x + (size_t)row * (size_t)p->k,
                         least(p->m - row, UNIT), p->k, at->from * DEPTH, at->steps);
    }
}

/* A unit's results of a group, complete: to the sink, or to y. */
static void put_results(const product *p, const work *at, int row)
{
    int width = p->pair ? p->pair * PANEL : p->n, first = at->panel * PANEL;
    size_t ld = (size_t)(p->halves * p->group * PANEL);
    sg_mm_block block = {.c = p->results,
                         .second = p->pair ? p->results + p->group * PANEL : NULL,
                         .ld = ld,
                         .row = row,
                         .rows = least(p->m - row, UNIT),
                         .col = first,
                         .cols = least(width - first, at->n_panels * PANEL)};
    if (p->sink) {
        p->sink->take(p->sink->user, &block);
        return;
    }
    for (int r = 0; r < block.rows; r++)
        memcpy(p->y + (size_t)(row + r) * (size_t)p->n + first, p->results + (size_t)r * ld,
               (size_t)block.cols * sizeof *p->y);
}

/* Where sums of a unit and a panel of the group (the group's j-th of a half) wait for the next chunk. */
static place waiting_sums(const product *p, const work *at, int unit, int half, int j)
{
    int panel = half * p->waiting + at->panel - at->waiting + j;
    return (place){p->sums + (size_t)(panel * (BLOCK / UNIT) + unit) * UNIT * PANEL, PANEL};
}

/* Where they end. */
static place results_of(const product *p, const work *at, int unit, int half, int j, bool straight)
{
    size_t panel = (size_t)(half * p->pair + at->panel + j);
    if (straight)
        return (place){p->y + (size_t)(at->row + unit * UNIT) * (size_t)p->n + panel * PANEL, (size_t)p->n};
    return (place){p->results + (half * p->group + j) * PANEL, (size_t)(p->halves * p->group * PANEL)};
}

/* A unit's rows times a group's panels, along a chunk. */
AMX static void multiply_unit(const product *p, const work *at, int unit, bool straight)
{
    enum { STEP_LINES = STEP_BYTES / LINE_BYTES, SHARE = STEP_LINES / (BLOCK / UNIT) };
    int lines = ceil_div(STEP_LINES, ceil_div(at->rows, UNIT)); /* the units share what is fetched ahead */
    size_t next_group = (size_t)at->n_panels * (size_t)p->steps * STEP_BYTES;
    for (int s = 0; s < at->steps; s += p->slice) {
        int steps = least(at->steps - s, p->slice);
        bool last = at->from + s + steps == p->steps;
        const char *x = p->x_tiles + (size_t)(unit * at->steps + s) * STEP_BYTES;
        for (int i = 0; i < p->halves * at->n_panels; i++) {
            int half = i / at->n_panels, j = i % at->n_panels;
            size_t step = (size_t)(half * p->pair + at->panel + j) * (size_t)p->steps + (size_t)(at->from + s);
            const char *panel = p->panels + step * STEP_BYTES;
            uintptr_t ahead = (uintptr_t)panel + next_group + (uintptr_t)(unit * steps * lines) * LINE_BYTES;
            place done = results_of(p, at, unit, half, j, straight),
                  wait = p->sums ? waiting_sums(p, at, unit, half, j) : done;
            if (at->from + s == 0)
                zero_sums();
            else
                load_sums(wait);
            if (lines == SHARE) /* known to the compiler */
                multiply_steps(x, panel, steps, ahead, SHARE);
            else
                multiply_steps(x, panel, steps, ahead, lines);
            store_sums(last ? done : wait);
        }
    }
}

static void multiply_group(const product *p, const work *at)
{
    bool last = at->from + at->steps == p->steps;
    for (int u = 0; u * UNIT < at->rows; u++) {
        int row = at->row + u * UNIT;
        bool straight = !p->sink && p->m - row >= UNIT && p->n - at->panel * PANEL >= at->n_panels * PANEL;
        multiply_unit(p, at, u, straight);
        if (last && !straight)
            put_results(p, at, row);
    }
}

static void multiply_chunk(const product *p, work *at, int end)
{
    pack_rows(p, at);
    MEMORY_WRITTEN();
    for (at->panel = at->waiting; at->panel < end; at->panel += p->group) {
        at->n_panels = least(end - at->panel, p->group);
        multiply_group(p, at);
    }
}

AMX static void multiply(const product *p)
{
    int end = p->pair ? p->pair : p->end_panel;
    work at = {0};
    _tile_loadconfig(&whole_tiles);
    for (at.row = 0; at.row < p->m; at.row += BLOCK) {
        at.rows = least(p->m - at.row, BLOCK);
        for (at.waiting = p->first_panel; at.waiting < end; at.waiting += p->waiting)
            for (at.from = 0; at.from < p->steps; at.from += p->chunk) {
                at.steps = least(p->steps - at.from, p->chunk);
                multiply_chunk(p, &at, least(end, at.waiting + p->waiting));
            }
    }
    _tile_release();
}

/* total cut into equal parts of at most `most` */
static int equal_part(int total, int most)
{
    return ceil_div(total, ceil_div(total, most));
}

/* The product's shape, x, panels, and where results go are there; the rest is filled in. */
static int run(thread_buffers *t, product p, sg_error *err)
{
    int units = p.m < BLOCK ? ceil_div(p.m, UNIT) : BLOCK / UNIT;
    p.halves = p.pair ? 2 : 1;
    p.steps = ceil_div(p.k, DEPTH);
    p.chunk = equal_part(p.steps, CHUNK);
    p.slice = equal_part(p.chunk, SLICE);
    p.group = least(GROUP_BYTES / (p.chunk * STEP_BYTES), GROUP) / p.halves;
    p.waiting = p.chunk < p.steps ? SUMS / p.halves : ceil_div(p.n, PANEL);
    p.x_tiles = reserve(&t->x, (size_t)units * (size_t)p.chunk * STEP_BYTES);
    p.results = reserve(&t->results, RESULTS_BYTES);
    p.sums = p.chunk < p.steps ? reserve(&t->sums, SUMS_BYTES) : NULL;
    if (!p.x_tiles || !p.results || (p.chunk < p.steps && !p.sums))
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a product's scratch");
    multiply(&p);
    return SG_OK;
}

/* ---- the implementation's functions ------------------------------------------------------------------- */

static int rows(void *state, int thread, float *y, const void *x, void *packed, int m, const sg_mm_sink *sink,
                sg_error *err)
{
    const amx_weight *w = packed;
    product p = {.x = x,
                 .panels = w->panels.data,
                 .y = y,
                 .sink = sink,
                 .m = m,
                 .n = w->n,
                 .k = w->k,
                 .end_panel = ceil_div(w->n, PANEL),
                 .pair = sink ? sink->pair / PANEL : 0};
    return run(&((amx *)state)->threads[thread], p, err);
}

/* Each thread some of the columns. */
static int few_rows(void *state, float *y, const void *x, void *packed, int m, sg_error *err)
{
    amx *a = state;
    const amx_weight *w = packed;
    int n_panels = ceil_div(w->n, PANEL), rc = SG_OK;
#pragma omp parallel num_threads(a->n_threads)
    {
        int n = omp_get_num_threads(), thread = omp_get_thread_num();
        product p = {.x = x,
                     .panels = w->panels.data,
                     .y = y,
                     .m = m,
                     .n = w->n,
                     .k = w->k,
                     .first_panel = (int)((int64_t)n_panels * thread / n),
                     .end_panel = (int)((int64_t)n_panels * (thread + 1) / n)};
        sg_error mine = {0};
        if (run(&a->threads[thread], p, &mine)) {
#pragma omp critical(sg_amx_failed)
            {
                rc = SG_ERR_NOMEM;
                if (err)
                    *err = mine;
            }
        }
    }
    return rc;
}

static size_t panel_bytes(int k)
{
    return (size_t)ceil_div(k, DEPTH) * STEP_BYTES;
}

static int plain(void *state, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                 sg_precision precision, sg_error *err)
{
    thread_buffers *t = &((amx *)state)->threads[thread];
    char *panels = reserve(&t->weight, (size_t)ceil_div(n, PANEL) * panel_bytes(k));
    (void)precision;
    if (!panels)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a product's scratch");
    for (int i = 0; i < ceil_div(n, PANEL); i++)
        (layout == SG_MM_B_NK ? sg_amx_pack_panel : sg_amx_pack_panel_kn)(panels + (size_t)i * panel_bytes(k), b,
                                                                          i * PANEL, n, k);
    product p = {.x = a, .panels = panels, .y = c, .m = m, .n = n, .k = k, .end_panel = ceil_div(n, PANEL)};
    return run(t, p, err);
}

static uint64_t scratch_bytes(sg_precision precision, const sg_mm_shapes *s)
{
    (void)precision;
    return (uint64_t)ROWS_BYTES + RESULTS_BYTES + (ceil_div(s->k, DEPTH) > CHUNK ? (uint64_t)SUMS_BYTES : 0) +
           (uint64_t)ceil_div(s->plain_n, PANEL) * panel_bytes(s->plain_k);
}

/* One of as many bytes; without one all spares go, so that no more is kept than a layer's. */
static void *take_spare(amx *a, size_t bytes)
{
    for (int i = 0; i < SPARES; i++)
        if (a->spares[i].bytes == bytes) {
            void *data = a->spares[i].data;
            a->spares[i] = (buffer){0};
            return data;
        }
    for (int i = 0; i < SPARES; i++) {
        sg_free(a->spares[i].data);
        a->spares[i] = (buffer){0};
    }
    return sg_alloc_huge(bytes, 1);
}

static void give_spare(amx *a, buffer b)
{
    for (int i = 0; i < SPARES; i++)
        if (!a->spares[i].data) {
            a->spares[i] = b;
            return;
        }
    sg_free(b.data);
}

static int pack(void **out, void *state, const void *w, int n, int k, sg_precision precision, sg_error *err)
{
    int n_panels = ceil_div(n, PANEL);
    size_t bytes = (size_t)n_panels * panel_bytes(k);
    amx_weight *packed = sg_alloc_zero(1, sizeof *packed);
    (void)precision;
    if (packed)
        *packed = (amx_weight){state, n, k, {take_spare(state, bytes), bytes}};
    if (!packed || !packed->panels.data) {
        sg_free(packed);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a packed weight of %d x %d", n, k);
    }
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n_panels; i++)
        sg_amx_pack_panel((char *)packed->panels.data + (size_t)i * panel_bytes(k), w, i * PANEL, n, k);
    *out = packed;
    return SG_OK;
}

static void release(void *packed)
{
    amx_weight *w = packed;
    give_spare(w->owner, w->panels);
    sg_free(w);
}

static void stop(void *state)
{
    amx *a = state;
    for (int i = 0; i < a->n_threads; i++) {
        sg_free(a->threads[i].x.data);
        sg_free(a->threads[i].weight.data);
        sg_free(a->threads[i].results.data);
        sg_free(a->threads[i].sums.data);
    }
    for (int i = 0; i < SPARES; i++)
        sg_free(a->spares[i].data);
    sg_free(a->threads);
    sg_free(a);
}

static int start(void **state, int threads, sg_error *err)
{
    amx *a = sg_alloc_zero(1, sizeof *a);
    thread_buffers *t = sg_alloc_zero((size_t)threads, sizeof *t);
    if (!a || !t) {
        sg_free(a);
        sg_free(t);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d threads", threads);
    }
    *a = (amx){.n_threads = threads, .threads = t};
    *state = a;
    return SG_OK;
}

static bool processor_has_amx(void)
{
    enum { EDX_AMX_BF16 = 1 << 22, EDX_AMX_TILE = 1 << 24 }; /* leaf 7 */
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & EDX_AMX_BF16 && d & EDX_AMX_TILE &&
           __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

/* A process has to ask for the tiles' state (Documentation/arch/x86/xstate.rst of Linux); asking again is harmless. */
static bool runs(sg_precision precision)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return precision == SG_PRECISION_BF16 && sg_onednn_allows_amx() && processor_has_amx() &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

const sg_mm_impl sg_mm_amx = {
    .name = "amx",
    .runs = runs,
    .start = start,
    .stop = stop,
    .pack = pack,
    .release = release,
    .rows = rows,
    .sink_columns = PANEL,
    .few_rows = few_rows,
    .plain = plain,
    .scratch_bytes = scratch_bytes,
};

#else /* another processor or system */

static bool runs(sg_precision precision)
{
    (void)precision;
    return false;
}

const sg_mm_impl sg_mm_amx = {.name = "amx", .runs = runs};
#endif
