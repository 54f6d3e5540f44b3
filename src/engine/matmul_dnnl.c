/* Matrix products by oneDNN, 2.6 and 3.x. The only file that includes its header.
 * Weights are packed once into the layout that the library asks for; that layout is the same for every m, so each m
 * gets a primitive of its own and all share the packed bytes. Scratch memory is ours (scratchpad_mode_user), since the
 * library's own is either per primitive or per creating thread, depending on how it was built. */
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "core/mem.h"
#include "engine/matmul.h"

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

enum { PLAIN_OPS = 48 }; /* shapes that attention of one window length meets, and some more */

typedef struct thread_state {
    dnnl_stream_t stream;
    void *scratch;
    size_t scratch_bytes;
    op ops[PLAIN_OPS];
    int next; /* slot to replace */
} thread_state;

struct sg_mm {
    dnnl_engine_t engine;
    int n_threads;
    thread_state *threads; /* [n_threads]; products by packed weights use the first */
};

struct sg_weight {
    void *data;
    dnnl_memory_desc_t md;
    bool has_md;
    int n, k;
    sg_precision precision;
    op last; /* rows come in blocks of one size */
};

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

static int op_run(op *o, sg_mm *mm, thread_state *t, float *c, const void *a, const void *b, sg_error *err)
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
        s = dnnl_memory_create(&exec[n].memory, dnnl_primitive_desc_query_md(o->desc, args[i].query, 0), mm->engine,
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

int sg_mm_create(sg_mm **out, int threads, sg_error *err)
{
    dnnl_status_t s = dnnl_success;
    sg_mm *mm = sg_alloc_zero(1, sizeof *mm);
    thread_state *states = sg_alloc_zero((size_t)threads, sizeof *states);
    *out = NULL;
    if (!mm || !states) {
        sg_free(mm);
        sg_free(states);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d threads", threads);
    }
    mm->threads = states;
    mm->n_threads = threads;
    s = dnnl_engine_create(&mm->engine, dnnl_cpu, 0);
    for (int i = 0; i < threads && s == dnnl_success; i++)
        s = dnnl_stream_create(&states[i].stream, mm->engine, dnnl_stream_default_flags);
    if (s != dnnl_success) {
        sg_mm_free(mm);
        return library_error(s, "starting", SG_PRECISION_F32, err);
    }
    *out = mm;
    return SG_OK;
}

void sg_mm_free(sg_mm *mm)
{
    if (!mm)
        return;
    for (int i = 0; i < mm->n_threads; i++) {
        for (int j = 0; j < PLAIN_OPS; j++)
            op_dispose(&mm->threads[i].ops[j]);
        sg_free(mm->threads[i].scratch);
        if (mm->threads[i].stream)
            dnnl_stream_destroy(mm->threads[i].stream);
    }
    if (mm->engine)
        dnnl_engine_destroy(mm->engine);
    sg_free(mm->threads);
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

/* data: bytes in the packed layout. Rewrites w, [n, k] row-major, which as oneDNN's b is k x n with its columns
 * contiguous. */
static dnnl_status_t reorder(sg_mm *mm, const void *w, sg_weight *packed)
{
    dnnl_memory_desc_t plain;
    dnnl_dims_t dims = {packed->k, packed->n};
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_t from = NULL, to = NULL;
    dnnl_status_t s = md_tag(&plain, 2, dims, data_type(packed->precision), dnnl_ba);
    if (s != dnnl_success)
        return s;
    if ((s = dnnl_reorder_primitive_desc_create(&desc, MD(plain), mm->engine, MD(packed->md), mm->engine, NULL)) ==
            dnnl_success &&
        (s = dnnl_primitive_create(&primitive, desc)) == dnnl_success &&
        (s = dnnl_memory_create(&from, MD(plain), mm->engine, (void *)(uintptr_t)w)) == dnnl_success &&
        (s = dnnl_memory_create(&to, MD(packed->md), mm->engine, packed->data)) == dnnl_success) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
        s = dnnl_primitive_execute(primitive, mm->threads[0].stream, 2, args);
        if (s == dnnl_success)
            s = dnnl_stream_wait(mm->threads[0].stream);
    }
    dnnl_memory_destroy(from);
    dnnl_memory_destroy(to);
    dnnl_primitive_destroy(primitive);
    dnnl_primitive_desc_destroy(desc);
    md_free(plain);
    return s;
}

int sg_weight_pack(sg_weight **out, sg_mm *mm, const void *w, int n, int k, sg_precision precision, sg_error *err)
{
    enum { TYPICAL_ROWS = 512 };
    dnnl_memory_desc_t any;
    dnnl_dims_t dims = {k, n};
    dnnl_primitive_desc_t desc = NULL;
    sg_weight *packed = sg_alloc_zero(1, sizeof *packed);
    *out = NULL;
    if (!packed)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a packed weight");
    packed->n = n;
    packed->k = k;
    packed->precision = precision;
    dnnl_status_t s = md_tag(&any, 2, dims, data_type(precision), dnnl_format_tag_any);
    if (s != dnnl_success)
        goto out;
    s = matmul_desc(&desc, mm->engine, TYPICAL_ROWS, n, k, precision, MD(any));
    md_free(any);
    if (s != dnnl_success)
        goto out;
    if ((s = md_clone(&packed->md, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0))) != dnnl_success)
        goto out;
    packed->has_md = true;
    packed->data = sg_alloc_aligned(dnnl_memory_desc_get_size(MD(packed->md)), 1);
    s = packed->data ? reorder(mm, w, packed) : dnnl_out_of_memory;
out:
    dnnl_primitive_desc_destroy(desc);
    if (s != dnnl_success) {
        sg_weight_free(packed);
        return library_error(s, "packing a weight", precision, err);
    }
    *out = packed;
    return SG_OK;
}

void sg_weight_free(sg_weight *w)
{
    if (!w)
        return;
    op_dispose(&w->last);
    if (w->has_md)
        md_free(w->md);
    sg_free(w->data);
    sg_free(w);
}

int sg_mm_weight(sg_mm *mm, float *y, const void *x, sg_weight *w, int m, sg_error *err)
{
    if (!w->last.primitive || w->last.m != m) {
        op_dispose(&w->last);
        dnnl_status_t s = op_create(&w->last, mm->engine, m, w->n, w->k, w->precision, MD(w->md));
        if (s != dnnl_success)
            return library_error(s, "a product by a weight", w->precision, err);
    }
    return op_run(&w->last, mm, &mm->threads[0], y, x, w->data, err);
}

/* The thread's primitive for this shape, made at first use. */
static int plain_op(op **out, sg_mm *mm, thread_state *t, sg_mm_b layout, int m, int n, int k, sg_precision precision,
                    sg_error *err)
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
        s = op_create(o, mm->engine, m, n, k, precision, MD(b));
        md_free(b);
    }
    if (s != dnnl_success)
        return library_error(s, "a product of attention", precision, err);
    o->layout = layout;
    *out = o;
    return SG_OK;
}

int sg_mm_plain(sg_mm *mm, int thread, float *c, const void *a, const void *b, sg_mm_b layout, int m, int n, int k,
                sg_precision precision, sg_error *err)
{
    op *o;
    thread_state *t = &mm->threads[thread];
    int rc = plain_op(&o, mm, t, layout, m, n, k, precision, err);
    return rc ? rc : op_run(o, mm, t, c, a, b, err);
}

void sg_mm_enter_thread(void)
{
    omp_set_num_threads(1); /* oneDNN reads it when a primitive is created; holds for this thread of this region */
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

bool sg_matmul_native_bf16(void)
{
#if defined(__x86_64__)
    unsigned bf16 = (unsigned)dnnl_cpu_isa_avx512_core_bf16;
    return ((unsigned)dnnl_get_effective_cpu_isa() & bf16) == bf16;
#else
    return false;
#endif
}
