/* Matrix products by oneDNN, 2.6 and 3.x. The only file that includes its header.
 * Weights are packed once into the layout that the library asks for; that layout is the same for every m, so each m
 * gets a primitive of its own in each thread and all share the packed bytes. Scratch memory is ours
 * (scratchpad_mode_user), since the library's own is either per primitive or per creating thread, depending on how it
 * was built.
 * Without AVX-512 its f32 products sum a row in another order depending on how many rows there are and where the row
 * stands (a tile has 6): there every product has the same number of rows, whole tiles of them, the last filled up. */
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "core/mem.h"
#include "engine/matmul_impl.h"

#if DNNL_VERSION_MAJOR >= 3 /* a memory descriptor is an owned pointer */
typedef const_dnnl_memory_desc_t md_ref;
#define MD(md) (md)
#define md_tag dnnl_memory_desc_create_with_tag
#define md_clone(out, md) dnnl_memory_desc_clone((out), (md))
#define md_free(md) dnnl_memory_desc_destroy(md)
#else /* a struct, passed by address */
typedef const dnnl_memory_desc_t *md_ref;
#define MD(md) (&(md))
#define md_tag dnnl_memory_desc_init_by_tag
#define md_clone(out, md) (*(out) = *(md), dnnl_success)
#define md_free(md) ((void)(md))
#endif

/* A product of one shape. b is the weight's descriptor. */
typedef struct op {
    int m, n, k;
    sg_precision precision;
    sg_mm_b layout;
    dnnl_primitive_t primitive; /* NULL: an empty slot */
    dnnl_primitive_desc_t desc;
    size_t scratch_bytes;
} op;

enum { FIXED_ROWS = 48 };

enum { PLAIN_OPS = 48 }; /* shapes that attention of one window length meets, and some more */

typedef struct thread_state {
    dnnl_stream_t stream;
    void *scratch;
    size_t scratch_bytes;
    float *filled; /* FIXED_ROWS rows of a product that has fewer, and of its results */
    size_t filled_floats;
    op ops[PLAIN_OPS];
    int next; /* slot to replace */
} thread_state;

typedef struct library {
    dnnl_engine_t engine;
    int n_threads;
    thread_state *threads; /* [n_threads] */
} library;

typedef struct onednn_weight {
    void *data;
    dnnl_memory_desc_t md;
    bool has_md;
    int n, k;
    sg_precision precision;
    int n_threads;
    op *last; /* [n_threads + 1]: rows come in blocks of one size; the last is run by all threads */
} onednn_weight;

static int library_error(dnnl_status_t status, const char *what, sg_precision precision, sg_error *err)
{
    if (status == dnnl_out_of_memory)
        return sg_fail(err, SG_ERR_NOMEM, "oneDNN has no memory for %s", what);
    if (status == dnnl_unimplemented)
        return sg_fail(err, SG_ERR_REFUSED, "this processor (%s) has no %s products; use --precision f32",
                       sg_matmul_isa(), sg_precision_name(precision));
    return sg_fail(err, SG_ERR_LIBRARY, "oneDNN %s failed at %s with status %d", sg_matmul_version(), what,
                   (int)status);
}

static dnnl_data_type_t data_type(sg_precision precision)
{
    return precision == SG_PRECISION_BF16 ? dnnl_bf16 : dnnl_f32;
}

/* c [m, n] f32 = a [m, k] times b, whose descriptor is given */
static dnnl_status_t matmul_desc(dnnl_primitive_desc_t *out, dnnl_engine_t engine, int m, int n, int k,
                                 sg_precision precision, md_ref b)
{
    dnnl_memory_desc_t a, c;
    dnnl_dims_t a_dims = {m, k}, c_dims = {m, n};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(&attr);
    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (s == dnnl_success && (s = md_tag(&a, 2, a_dims, data_type(precision), dnnl_ab)) == dnnl_success) {
        if ((s = md_tag(&c, 2, c_dims, dnnl_f32, dnnl_ab)) == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
            s = dnnl_matmul_primitive_desc_create(out, engine, a, b, NULL, c, attr);
#else
            dnnl_matmul_desc_t d;
            if ((s = dnnl_matmul_desc_init(&d, &a, b, NULL, &c)) == dnnl_success)
                s = dnnl_primitive_desc_create(out, &d, attr, engine, NULL);
#endif
            md_free(c);
        }
        md_free(a);
    }
    dnnl_primitive_attr_destroy(attr);
    return s;
}

static void op_dispose(op *o)
{
    if (o->primitive)
        dnnl_primitive_destroy(o->primitive);
    if (o->desc)
        dnnl_primitive_desc_destroy(o->desc);
    *o = (op){0};
}

static dnnl_status_t op_create(op *o, dnnl_engine_t engine, int m, int n, int k, sg_precision precision, md_ref b)
{
    *o = (op){.m = m, .n = n, .k = k, .precision = precision};
    dnnl_status_t s = matmul_desc(&o->desc, engine, m, n, k, precision, b);
    if (s == dnnl_success)
        s = dnnl_primitive_create(&o->primitive, o->desc);
    if (s == dnnl_success)
        o->scratch_bytes =
            dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(o->desc, dnnl_query_scratchpad_md, 0));
    else
        op_dispose(o);
    return s;
}

static int op_run(op *o, const library *lib, thread_state *t, float *c, const void *a, const void *b, sg_error *err)
{
    static const struct {
        dnnl_query_t query;
        int arg;
    } args[] = {
        {dnnl_query_src_md, DNNL_ARG_SRC},
        {dnnl_query_weights_md, DNNL_ARG_WEIGHTS},
        {dnnl_query_dst_md, DNNL_ARG_DST},
        {dnnl_query_scratchpad_md, DNNL_ARG_SCRATCHPAD},
    };
    if (o->scratch_bytes > t->scratch_bytes) {
        sg_free(t->scratch);
        t->scratch_bytes = 0;
        t->scratch = sg_alloc_aligned(o->scratch_bytes, 1);
        if (!t->scratch)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu bytes of a product's scratch", o->scratch_bytes);
        t->scratch_bytes = o->scratch_bytes;
    }
    /* oneDNN takes every handle as writable; a and b are only read */
    void *handles[] = {(void *)(uintptr_t)a, (void *)(uintptr_t)b, c, t->scratch};
    dnnl_exec_arg_t exec[SG_ARRAY_LEN(args)];
    int n = 0;
    dnnl_status_t s = dnnl_success;
    for (size_t i = 0; i < SG_ARRAY_LEN(args) && s == dnnl_success; i++) {
        if (args[i].arg == DNNL_ARG_SCRATCHPAD && o->scratch_bytes == 0)
            continue;
        exec[n].arg = args[i].arg;
        s = dnnl_memory_create(&exec[n].memory, dnnl_primitive_desc_query_md(o->desc, args[i].query, 0), lib->engine,
                               handles[i]);
        n += s == dnnl_success;
    }
    if (s == dnnl_success)
        s = dnnl_primitive_execute(o->primitive, t->stream, n, exec);
    if (s == dnnl_success)
        s = dnnl_stream_wait(t->stream);
    while (n > 0)
        dnnl_memory_destroy(exec[--n].memory);
    return s == dnnl_success ? SG_OK : library_error(s, "a matrix product", o->precision, err);
}

/* Does a row's result depend on the rows beside it? */
static bool rows_meet(sg_precision precision);

/* Rows of the primitive for m rows. */
static int op_rows(sg_precision precision, int m)
{
    return rows_meet(precision) ? FIXED_ROWS : m;
}

/* f32, m < o->m rows */
static int run_filled(op *o, const library *lib, thread_state *t, float *c, const void *a, const void *b, int m,
                      sg_error *err)
{
    size_t all = (size_t)o->m, K = (size_t)o->k, N = (size_t)o->n, rows = (size_t)m, floats = all * (K + N);
    if (floats > t->filled_floats) {
        sg_free(t->filled);
        t->filled = sg_alloc_aligned(floats, sizeof *t->filled);
        t->filled_floats = t->filled ? floats : 0;
        if (!t->filled)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu numbers of a product", floats);
    }
    float *result = t->filled + all * K;
    memcpy(t->filled, a, rows * K * sizeof *t->filled);
    memset(t->filled + rows * K, 0, (all - rows) * K * sizeof *t->filled);
    int rc = op_run(o, lib, t, result, t->filled, b, err);
    if (!rc)
        memcpy(c, result, rows * N * sizeof *c);
    return rc;
}

/* m rows, as many at a time as the primitive takes */
static int run_rows(op *o, const library *lib, thread_state *t, float *c, const void *a, const void *b, int m,
                    sg_error *err)
{
    int rc = SG_OK;
    size_t row_bytes = (size_t)o->k * sg_element_bytes(o->precision);
    for (int r = 0; r < m && !rc; r += o->m) {
        float *to = c + (size_t)r * (size_t)o->n;
        const void *from = (const char *)a + (size_t)r * row_bytes;
        rc = m - r < o->m ? run_filled(o, lib, t, to, from, b, m - r, err) : op_run(o, lib, t, to, from, b, err);
    }
    return rc;
}

static void stop(void *state)
{
    library *lib = state;
    for (int i = 0; i < lib->n_threads; i++) {
        for (int j = 0; j < PLAIN_OPS; j++)
            op_dispose(&lib->threads[i].ops[j]);
        sg_free(lib->threads[i].scratch);
        sg_free(lib->threads[i].filled);
        if (lib->threads[i].stream)
            dnnl_stream_destroy(lib->threads[i].stream);
    }
    if (lib->engine)
        dnnl_engine_destroy(lib->engine);
    sg_free(lib->threads);
    sg_free(lib);
}

static int start(void **state, int threads, sg_error *err)
{
    library *lib = sg_alloc_zero(1, sizeof *lib);
    thread_state *states = sg_alloc_zero((size_t)threads, sizeof *states);
    if (!lib || !states) {
        sg_free(lib);
        sg_free(states);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d threads", threads);
    }
    *lib = (library){.n_threads = threads, .threads = states};
    dnnl_status_t s = dnnl_engine_create(&lib->engine, dnnl_cpu, 0);
    for (int i = 0; i < threads && s == dnnl_success; i++)
        s = dnnl_stream_create(&states[i].stream, lib->engine, dnnl_stream_default_flags);
    if (s != dnnl_success) {
        stop(lib);
        return library_error(s, "starting", SG_PRECISION_F32, err);
    }
    *state = lib;
    return SG_OK;
}

/* data: bytes in the packed layout. Rewrites w, [n, k] row-major, which as oneDNN's b is k x n with its columns
 * contiguous. */
static dnnl_status_t reorder(const library *lib, const void *w, onednn_weight *packed)
{
    dnnl_memory_desc_t plain;
    dnnl_dims_t dims = {packed->k, packed->n};
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_status_t s = md_tag(&plain, 2, dims, data_type(packed->precision), dnnl_ba);
    if (s != dnnl_success)
        return s;
    if ((s = dnnl_reorder_primitive_desc_create(&desc, MD(plain), lib->engine, MD(packed->md), lib->engine, NULL)) ==
            dnnl_success &&
        (s = dnnl_primitive_create(&primitive, desc)) == dnnl_success &&
        (s = dnnl_memory_create(&from, MD(plain), lib->engine, (void *)(uintptr_t)w)) == dnnl_success &&
        (s = dnnl_memory_create(&to, MD(packed->md), lib->engine, packed->data)) == dnnl_success) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        s = dnnl_primitive_execute(primitive, lib->threads[0].stream, 2, args);
        if (s == dnnl_success)
            s = dnnl_stream_wait(lib->threads[0].stream);
    }
    dnnl_memory_destroy(from);
    dnnl_memory_destroy(to);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(desc);
    md_free(plain);
    return s;
}

static void release(void *packed)
{
    onednn_weight *w = packed;
    for (int i = 0; i <= w->n_threads; i++)
        op_dispose(&w->last[i]);
    if (w->has_md)
        md_free(w->md);
    sg_free(w->last);
    sg_free(w->data);
    sg_free(w);
}

/* The layout that the library wants, then the bytes in it. */
static dnnl_status_t fill(onednn_weight *packed, const library *lib, const void *w)
{
    enum { TYPICAL_ROWS = 512 };
    dnnl_memory_desc_t any;
    dnnl_dims_t dims = {packed->k, packed->n};
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t s = md_tag(&any, 2, dims, data_type(packed->precision), dnnl_format_tag_any);
    if (s != dnnl_success)
        return s;
    s = matmul_desc(&desc, lib->engine, TYPICAL_ROWS, packed->n, packed->k, packed->precision, MD(any));
    md_free(any);
    if (s != dnnl_success)
        return s;
    s = md_clone(&packed->md, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0));
    if (s == dnnl_success) {
        packed->has_md = true;
        packed->data = sg_alloc_aligned(dnnl_memory_desc_get_size(MD(packed->md)), 1);
        s = packed->data ? reorder(lib, w, packed) : dnnl_out_of_memory;
    }
    dnnl_primitive_desc_destroy(desc);
    return s;
}

static int pack(void **out, void *state, const void *w, int n, int k, sg_precision precision, sg_error *err)
{
    const library *lib = state;
    onednn_weight *packed = sg_alloc_zero(1, sizeof *packed);
    op *last = sg_alloc_zero((size_t)lib->n_threads + 1, sizeof *last);
    if (!packed || !last) {
        sg_free(packed);
        sg_free(last);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a packed weight");
    }
    *packed = (onednn_weight){.n = n, .k = k, .precision = precision, .n_threads = lib->n_threads, .last = last};
    dnnl_status_t s = fill(packed, lib, w);
    if (s != dnnl_success) {
        release(packed);
        return library_error(s, "packing a weight", precision, err);
    }
    *out = packed;
    return SG_OK;
}

/* each: rows of the primitive */
static int by_weight(library *lib, op *o, thread_state *t, float *y, const void *x, onednn_weight *w, int m, int each,
                     sg_error *err)
{
    if (!o->primitive || o->m != each) {
        op_dispose(o);
        dnnl_status_t s = op_create(o, lib->engine, each, w->n, w->k, w->precision, MD(w->md));
        if (s != dnnl_success)
            return library_error(s, "a product by a weight", w->precision, err);
    }
    return run_rows(o, lib, t, y, x, w->data, m, err);
}

static int rows(void *state, int thread, float *y, const void *x, void *packed, int m, const sg_mm_sink *sink,
                sg_error *err)
{
    library *lib = state;
    onednn_weight *w = packed;
    (void)sink;
    return by_weight(lib, &w->last[thread], &lib->threads[thread], y, x, w, m, op_rows(w->precision, m), err);
}

/* Rows that meet, each thread some of them. */
static int share_few(library *lib, float *y, const char *x, onednn_weight *w, int m, sg_error *err)
{
    int failed = SG_OK;
    size_t row_bytes = (size_t)w->k * sg_element_bytes(w->precision);
#pragma omp parallel for schedule(static) num_threads(lib->n_threads)
    for (int r = 0; r < m; r += FIXED_ROWS) {
        sg_error mine = {0};
        sg_mm_enter_thread();
        int rc = rows(lib, omp_get_thread_num(), y + (size_t)r * (size_t)w->n, x + (size_t)r * row_bytes, w,
                      m - r < FIXED_ROWS ? m - r : FIXED_ROWS, NULL, &mine);
        if (rc) {
#pragma omp critical(sg_onednn_failed)
            {
                failed = rc;
                if (err)
                    *err = mine;
            }
        }
    }
    return failed;
}

/* oneDNN's own threads. A row alone goes on a text; it may be summed in another order than beside others. */
static int few_rows(void *state, float *y, const void *x, void *packed, int m, sg_error *err)
{
    library *lib = state;
    onednn_weight *w = packed;
    if (m > 1 && rows_meet(w->precision))
        return share_few(lib, y, x, w, m, err);
    return by_weight(lib, &w->last[w->n_threads], &lib->threads[0], y, x, w, m, m, err);
}

/* The thread's primitive for this shape, made at first use. */
static int plain_op(op **out, const library *lib, thread_state *t, sg_mm_b layout, int m, int n, int k,
                    sg_precision precision, sg_error *err)
{
    for (int i = 0; i < PLAIN_OPS; i++) {
        op *o = &t->ops[i];
        if (o->primitive && o->m == m && o->n == n && o->k == k && o->layout == layout && o->precision == precision) {
            *out = o;
            return SG_OK;
        }
    }
    op *o = &t->ops[t->next];
    t->next = (t->next + 1) % PLAIN_OPS;
    op_dispose(o);
    dnnl_memory_desc_t b;
    dnnl_dims_t dims = {k, n};
    dnnl_status_t s = md_tag(&b, 2, dims, data_type(precision), layout == SG_MM_B_NK ? dnnl_ba : dnnl_ab);
    if (s == dnnl_success) {
        s = op_create(o, lib->engine, m, n, k, precision, MD(b));
        md_free(b);
    }
    if (s != dnnl_success)
        return library_error(s, "a product of attention", precision, err);
    o->layout = layout;
    *out = o;
    return SG_OK;
}

static int plain(void *state, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                 sg_precision precision, sg_error *err)
{
    library *lib = state;
    op *o;
    thread_state *t = &lib->threads[thread];
    int rc = plain_op(&o, lib, t, layout, op_rows(precision, m), n, k, precision, err);
    return rc ? rc : run_rows(o, lib, t, c, a, b, m, err);
}

/* The library's scratch: 300 KB at most were seen of 2.6.3, for K = 4096 and 14336. */
static uint64_t scratch_bytes(sg_precision precision, const sg_mm_shapes *s)
{
    enum { LIBRARY_BYTES = 512 << 10 };
    uint64_t plain = (uint64_t)s->plain_n + (uint64_t)s->plain_k, weight = (uint64_t)s->n + (uint64_t)s->k,
             filled = FIXED_ROWS * sizeof(float) * (weight > plain ? weight : plain);
    return LIBRARY_BYTES + (rows_meet(precision) ? filled : 0);
}

const char *sg_matmul_isa(void)
{
#if defined(__x86_64__)
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } names[] = {
        {dnnl_cpu_isa_avx512_core_amx, "AVX512_CORE_AMX"},
        {dnnl_cpu_isa_avx512_core_bf16, "AVX512_CORE_BF16"},
        {dnnl_cpu_isa_avx512_core_vnni, "AVX512_CORE_VNNI"},
        {dnnl_cpu_isa_avx512_core, "AVX512_CORE"},
        {dnnl_cpu_isa_avx2, "AVX2"},
        {dnnl_cpu_isa_avx, "AVX"},
        {dnnl_cpu_isa_sse41, "SSE41"},
    };
    unsigned effective = (unsigned)dnnl_get_effective_cpu_isa();
    for (size_t i = 0; i < SG_ARRAY_LEN(names); i++)
        if ((effective & (unsigned)names[i].isa) == (unsigned)names[i].isa)
            return names[i].name;
#endif
    return "generic";
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *sg_matmul_version(void)
{
    return TEXT(DNNL_VERSION_MAJOR) "." TEXT(DNNL_VERSION_MINOR) "." TEXT(DNNL_VERSION_PATCH);
}

#if defined(__x86_64__)
static bool allows(dnnl_cpu_isa_t isa)
{
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)isa) == (unsigned)isa;
}

static bool rows_meet(sg_precision precision)
{
    return precision == SG_PRECISION_F32 && !allows(dnnl_cpu_isa_avx512_core);
}

bool sg_matmul_native_bf16(void)
{
    return allows(dnnl_cpu_isa_avx512_core_bf16);
}

bool sg_onednn_allows_amx(void)
{
    return allows(dnnl_cpu_isa_avx512_core_amx);
}
#else
static bool rows_meet(sg_precision precision)
{
    (void)precision;
    return false;
}

bool sg_matmul_native_bf16(void)
{
    return false;
}

bool sg_onednn_allows_amx(void)
{
    return false;
}
#endif

static bool runs(sg_precision precision)
{
    return precision != SG_PRECISION_BF16 || sg_matmul_native_bf16();
}

const sg_mm_impl sg_mm_onednn = {
    .name = "onednn",
    .runs = runs,
    .start = start,
    .stop = stop,
    .pack = pack,
    .release = release,
    .rows = rows,
    .few_rows = few_rows,
    .plain = plain,
    .scratch_bytes = scratch_bytes,
};
