/* The memory bound, spent: fixed parts first (a layer's weights, the head's block, scratch), the rest on residual
 * streams. */
#include "engine/budget.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "engine/fetch.h"
#include "engine/kernels.h"
#include "model/rope.h"

enum {
    MAX_THREADS = 256,
    BATCH_POSITIONS = 4096,
    MAX_HEAD_DIM = 1024,
    MAX_CHUNK = 1 << 24,
    ENOUGH_POSITIONS = 16384,
    LIBRARY_BYTES = 12 << 20, /* oneDNN's generated code and what else it keeps */
    THREAD_BYTES = 512 << 10, /* of a thread's stack */
};

sg_precision sg_precision_effective(sg_precision wanted)
{
    if (wanted != SG_PRECISION_AUTO)
        return wanted;
    return sg_matmul_native_bf16() ? SG_PRECISION_BF16 : SG_PRECISION_F32;
}

int sg_threads_effective(int wanted)
{
    cpu_set_t set;
    if (wanted > 0)
        return wanted < MAX_THREADS ? wanted : MAX_THREADS;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

uint64_t sg_memory_default(void)
{
    unsigned long long kib = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib ? (uint64_t)kib * 512 : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
}

int sg_heads_fit(const sg_model *model, sg_error *err)
{
    for (int i = 0; i < model->spec.n_layers; i++)
        if (model->spec.layers[i].head_dim > MAX_HEAD_DIM)
            return sg_fail(err, SG_ERR_REFUSED, "%s: a head of %d dimensions is wider than %d", model->ckpt->path,
                           model->spec.layers[i].head_dim, MAX_HEAD_DIM);
    return SG_OK;
}

static int check_windows(sg_budget *b, const sg_pass *p, uint64_t *positions, sg_error *err)
{
    const sg_model_spec *spec = &p->model->spec;
    *positions = 0;
    for (int w = 0, rows = 0; w < p->n_windows; w++) {
        const sg_window *window = &p->windows[w];
        int length = window->shared + window->n;
        rows = (window->shared ? rows : 0) + window->n;
        b->longest = length > b->longest ? length : b->longest;
        b->group_positions = rows > b->group_positions ? rows : b->group_positions;
        *positions += (uint64_t)window->n;
    }
    if (spec->max_positions && b->longest > spec->max_positions)
        return sg_fail(err, SG_ERR_REFUSED, "%s: a window has %d positions, the model only %d; use a smaller --window",
                       p->model->ckpt->path, b->longest, spec->max_positions);
    return sg_heads_fit(p->model, err);
}

static bool has_experts(const sg_pass *p)
{
    for (int i = 0; i < p->model->spec.n_layers; i++)
        if (p->model->spec.layers[i].n_experts)
            return true;
    return false;
}

/* Positions that go through a layer together, of a chunk: experts that come one by one meet all of it. */
static int batch_of(const sg_budget *b, int chunk)
{
    int batch = b->group_positions > BATCH_POSITIONS ? b->group_positions : BATCH_POSITIONS;
    return b->experts_apart || chunk < batch ? chunk : batch;
}

/* What a position costs in each stream, and once. */
static uint64_t position_bytes(const sg_budget *b, const sg_pass *p, int streams)
{
    uint64_t each = (uint64_t)p->model->spec.hidden * sizeof(float) + (b->head ? sizeof(sg_logit_sums) : 0);
    uint64_t once = sizeof(sg_position) + sizeof(int32_t) + sizeof(sg_span);
    for (int i = 0; i < p->n_observers; i++)
        once += p->observers[i].position_bytes;
    return each * (uint64_t)streams + once;
}

/* Rope's angles, and learned positions. */
static uint64_t table_bytes(const sg_budget *b, const sg_pass *p)
{
    const sg_model_spec *spec = &p->model->spec;
    uint64_t floats = sg_model_role(p->model, SG_POSITIONS) ? (uint64_t)spec->hidden : 0;
    for (int i = 0; i < spec->n_ropes; i++)
        floats += (uint64_t)spec->ropes[i].dim;
    return floats * (uint64_t)b->longest * sizeof(float);
}

bool sg_rope_lengths_alike(const sg_model *model, int longest)
{
    for (int r = 0; r < model->spec.n_ropes; r++)
        if (sg_rope_variant(&model->spec.ropes[r], 1) != sg_rope_variant(&model->spec.ropes[r], longest))
            return false;
    return true;
}

int sg_group_end(const sg_window *windows, int n_windows, int w)
{
    do
        w++;
    while (w < n_windows && windows[w].shared);
    return w;
}

/* Chunks that whole groups of windows make when each holds at most chunk_positions. */
static void cut(sg_budget *b, const sg_pass *p)
{
    int rows = 0, windows = 0;
    b->chunks = 1;
    b->chunk_windows = 1;
    for (int w = 0, end; w < p->n_windows; w = end) {
        int group = 0;
        end = sg_group_end(p->windows, p->n_windows, w);
        for (int i = w; i < end; i++)
            group += p->windows[i].n;
        if (rows + group > b->chunk_positions) {
            b->chunks++;
            rows = windows = 0;
        }
        rows += group;
        windows += end - w;
        b->chunk_windows = windows > b->chunk_windows ? windows : b->chunk_windows;
    }
}

static uint64_t kept_logits(const sg_budget *b, const sg_pass *p)
{
    uint64_t bytes = 0;
    for (int i = 0; i < p->n_observers; i++)
        bytes += p->observers[i].keeps_logits ? sg_head_block_bytes(p->model, b->threads) : 0;
    return bytes;
}

/* Of a thread's products. */
static uint64_t product_bytes(const sg_budget *b, const sg_pass *p)
{
    const sg_model_spec *spec = &p->model->spec;
    sg_mm_shapes most = {.n = b->head ? sg_head_block_columns(p->model) : 0, .k = spec->hidden};
    for (int i = 0; i < spec->n_layers; i++) {
        const sg_layer_spec *s = &spec->layers[i];
        int q = s->n_heads * s->head_dim, qkv = q + 2 * s->n_kv_heads * s->head_dim, gates = s->gated ? 2 : 1;
        int ks[] = {q, s->intermediate, s->expert_intermediate, s->shared_intermediate}, ns[] = {qkv, s->n_experts};
        for (size_t j = 0; j < SG_ARRAY_LEN(ks); j++) {
            most.k = ks[j] > most.k ? ks[j] : most.k;
            most.n = j > 0 && gates * ks[j] > most.n ? gates * ks[j] : most.n;
        }
        for (size_t j = 0; j < SG_ARRAY_LEN(ns); j++)
            most.n = ns[j] > most.n ? ns[j] : most.n;
        most.plain_k = s->head_dim > most.plain_k ? s->head_dim : most.plain_k;
    }
    most.n = spec->hidden > most.n ? spec->hidden : most.n;
    most.plain_n = SG_SOFTMAX_BLOCK;
    return sg_mm_scratch_bytes(p->kernel, b->precision, &most);
}

/* What a pass allocates when its chunks have that many positions. */
static uint64_t need(const sg_budget *b, const sg_pass *p, int positions)
{
    uint64_t layer = sg_layer_weights_bytes(p->model, b->experts_apart, b->threads, b->precision),
             head = b->head ? sg_head_bytes(p->model, b->threads, b->precision) : 0;
    size_t scratch;
    sg_scratch_create(NULL, &p->model->spec, batch_of(b, positions), b->threads, b->precision, &scratch, NULL);
    return (layer > head ? layer : head) + (b->fetch ? sg_fetch_bytes(p->model, b->head) : 0) + scratch +
           table_bytes(b, p) + kept_logits(b, p) + LIBRARY_BYTES +
           (THREAD_BYTES + product_bytes(b, p)) * (uint64_t)b->threads +
           position_bytes(b, p, b->streams) * (uint64_t)positions;
}

static int fewest_streams(const sg_pass *p)
{
    return p->reference && p->n_subsets > 1 ? 2 : 1;
}

/* As many subsets together as leave room for one group of windows each, then as many positions as there is room for.
 * false: not even one group fits. */
static bool fill(sg_budget *b, const sg_pass *p, uint64_t positions, uint64_t memory)
{
    int low = b->group_positions, high = positions < MAX_CHUNK ? (int)positions : MAX_CHUNK;
    for (b->streams = p->n_subsets; b->streams > fewest_streams(p) && need(b, p, low) > memory;)
        b->streams = (b->streams + 1) / 2;
    if (need(b, p, low) > memory)
        return false;
    while (low < high) {
        int mid = low + (high - low + 1) / 2;
        if (need(b, p, mid) <= memory)
            low = mid;
        else
            high = mid - 1;
    }
    b->chunk_positions = low;
    b->batch_positions = batch_of(b, low);
    return true;
}

/* The first way of working, from the fastest on, whose chunks are large enough that loading the weights costs little;
 * else the one with the largest chunks. *out untouched: none fits. */
static void choose(sg_budget *out, const sg_pass *p, uint64_t positions, uint64_t memory)
{
    static const struct {
        bool experts_apart, fetch;
    } ways[] = {{false, true}, {false, false}, {true, true}, {true, false}};
    uint64_t enough = positions < ENOUGH_POSITIONS ? positions : ENOUGH_POSITIONS, most = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(ways) && most < enough; i++) {
        sg_budget b = *out;
        b.experts_apart = ways[i].experts_apart;
        b.fetch = ways[i].fetch;
        if ((b.experts_apart && !has_experts(p)) || !fill(&b, p, positions, memory))
            continue;
        uint64_t together = (uint64_t)b.chunk_positions * (uint64_t)b.streams;
        if ((uint64_t)b.chunk_positions == positions && together < enough)
            together = enough;
        if (together > most) {
            most = together;
            *out = b;
        }
    }
}

int sg_budget_make(sg_budget *b, const sg_pass *p, sg_error *err)
{
    uint64_t positions, memory = p->memory ? p->memory : sg_memory_default();
    *b = (sg_budget){.precision = sg_precision_effective(p->precision), .threads = sg_threads_effective(p->threads)};
    int rc = check_windows(b, p, &positions, err);
    if (rc)
        return rc;
    for (int i = 0; i < p->n_observers; i++)
        b->head = b->head || p->observers[i].nll || p->observers[i].logits;
    choose(b, p, positions, memory);
    if (!b->chunk_positions) {
        b->streams = fewest_streams(p);
        b->experts_apart = has_experts(p);
        return sg_fail(err, SG_ERR_NOMEM,
                       "%s: a pass over windows of %d needs %" PRIu64 " MB, the bound is %" PRIu64
                       " MB; raise --memory, or use a smaller --window",
                       p->model->ckpt->path, b->longest, need(b, p, b->group_positions) / 1000000 + 1,
                       memory / 1000000);
    }
    cut(b, p);
    return SG_OK;
}
