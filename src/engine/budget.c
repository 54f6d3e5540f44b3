/* The memory bound, spent: fixed parts first (a layer's weights, the head's block, scratch), the rest on residual
 * streams. */
#include "engine/budget.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

enum { MAX_THREADS = 256, BATCH_POSITIONS = 4096, MAX_HEAD_DIM = 1024, MAX_CHUNK = 1 << 24 };

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
    for (int w = 0; w < p->n_windows; w++) {
        b->longest = p->windows[w].n > b->longest ? p->windows[w].n : b->longest;
        *positions += (uint64_t)p->windows[w].n;
    }
    if (spec->max_positions && b->longest > spec->max_positions)
        return sg_fail(err, SG_ERR_REFUSED, "%s: a window has %d positions, the model only %d; use a smaller --window",
                       p->model->ckpt->path, b->longest, spec->max_positions);
    return sg_heads_fit(p->model, err);
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

/* Chunks that whole windows make when each holds at most chunk_positions. */
static void cut(sg_budget *b, const sg_pass *p)
{
    int rows = 0, windows = 0;
    b->chunks = 1;
    b->chunk_windows = 1;
    for (int w = 0; w < p->n_windows; w++) {
        if (rows + p->windows[w].n > b->chunk_positions) {
            b->chunks++;
            rows = windows = 0;
        }
        rows += p->windows[w].n;
        windows++;
        b->chunk_windows = windows > b->chunk_windows ? windows : b->chunk_windows;
    }
}

int sg_budget_make(sg_budget *b, const sg_pass *p, sg_error *err)
{
    uint64_t positions, memory = p->memory ? p->memory : sg_memory_default();
    size_t scratch;
    *b = (sg_budget){.precision = sg_precision_effective(p->precision), .threads = sg_threads_effective(p->threads)};
    int rc = check_windows(b, p, &positions, err);
    if (rc)
        return rc;
    for (int i = 0; i < p->n_observers; i++)
        b->head = b->head || p->observers[i].nll || p->observers[i].logits;
    b->batch_positions = b->longest > BATCH_POSITIONS ? b->longest : BATCH_POSITIONS;
    if ((uint64_t)b->batch_positions > positions)
        b->batch_positions = (int)positions;
    sg_scratch_create(NULL, &p->model->spec, b->batch_positions, b->threads, b->precision, &scratch, NULL);

    uint64_t layer = sg_layer_weights_bytes(p->model, b->precision),
             head = b->head ? sg_head_bytes(p->model, b->threads, b->precision) : 0;
    uint64_t fixed = (layer > head ? layer : head) + scratch + table_bytes(b, p);
    int fewest = p->reference && p->n_subsets > 1 ? 2 : 1;
    uint64_t least = fixed + position_bytes(b, p, fewest) * (uint64_t)b->longest;
    if (memory < least)
        return sg_fail(err, SG_ERR_NOMEM,
                       "%s: a pass over windows of %d needs %" PRIu64 " MB, the bound is %" PRIu64
                       " MB; raise --memory, or "
                       "use a smaller --window",
                       p->model->ckpt->path, b->longest, least / 1000000 + 1, memory / 1000000);

    /* As many subsets together as leave room for one window each. */
    b->streams = p->n_subsets;
    while (b->streams > fewest && fixed + position_bytes(b, p, b->streams) * (uint64_t)b->longest > memory)
        b->streams = (b->streams + 1) / 2;
    uint64_t room = (memory - fixed) / position_bytes(b, p, b->streams);
    uint64_t chunk = room < positions ? room : positions;
    b->chunk_positions = chunk > MAX_CHUNK ? MAX_CHUNK : (int)chunk;
    cut(b, p);
    return SG_OK;
}
