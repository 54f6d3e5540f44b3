/* The layer-major pass. See pass.h; the cutting into chunks is in budget.c. */
#include "engine/pass.h"

#include <math.h>
#include <omp.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "engine/angles.h"
#include "engine/budget.h"
#include "engine/fetch.h"
#include "engine/kernels.h"
#include "engine/rows.h"

/* A residual stream and the subsets that share it. */
typedef struct stream {
    float *x;     /* [chunk positions, hidden] */
    int *subsets; /* [n], into the pass's */
    int n;
} stream;

typedef struct run {
    const sg_pass *p;
    sg_budget budget;
    sg_mm *mm;
    sg_scratch scratch;
    sg_loader loader;
    sg_fetch *fetch; /* NULL: there is no room for it */
    sg_layer_weights weights;
    sg_angles angles;
    sg_source embedding;
    float *position_rows; /* [longest window, hidden] where positions are learned, else NULL */
    stream *streams;      /* [group's subsets]; the first n_streams live */
    int n_streams, max_streams;
    /* the chunk */
    int first_window, n_windows, positions;
    sg_span *spans;             /* [n_windows], starts count from the chunk's first position */
    sg_position *at;            /* [positions] */
    int32_t *targets;           /* [positions] */
    sg_logit_sums *sums;        /* [max_streams][positions] */
    uint64_t steps_done, steps; /* for progress: layers, the head as one more */
    /* the layer in work, for seen() */
    int layer, batch_start;
    const stream *stream;
} run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int report(const run *r, sg_error *err)
{
    const sg_progress *p = &r->p->progress;
    if (p->report && p->report(r->p->stage, r->steps_done, r->steps, "layers", p->user))
        return sg_fail(err, SG_ERR_CANCELLED, "%s was interrupted", r->p->stage);
    return SG_OK;
}

static int open_embeddings(run *r, sg_error *err)
{
    const sg_model *model = r->p->model;
    const sg_tensor *positions = sg_model_role(model, SG_POSITIONS);
    sg_source source;
    int rc = sg_source_open(&r->embedding, model, sg_model_role(model, SG_EMBEDDING), err);
    if (rc || !positions || (rc = sg_source_open(&source, model, positions, err)))
        return rc;
    r->position_rows = sg_alloc((size_t)r->budget.longest * (size_t)model->spec.hidden, sizeof(float));
    if (!r->position_rows)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d position embeddings", r->budget.longest);
    sg_source_rows(&source, r->position_rows, 0, r->budget.longest);
    return SG_OK;
}

static int allocate(run *r, sg_error *err)
{
    const sg_pass *p = r->p;
    size_t n = (size_t)r->budget.chunk_positions, D = (size_t)p->model->spec.hidden, S = (size_t)r->max_streams, bytes;
    r->streams = sg_alloc_zero(S, sizeof *r->streams);
    r->spans = sg_alloc((size_t)r->budget.chunk_windows, sizeof *r->spans);
    r->at = sg_alloc(n, sizeof *r->at);
    r->targets = sg_alloc(n, sizeof *r->targets);
    r->sums = r->budget.head ? sg_alloc(S * n, sizeof *r->sums) : NULL;
    bool ok = r->streams && r->spans && r->at && r->targets && (r->sums || !r->budget.head);
    for (size_t i = 0; ok && i < S; i++) {
        r->streams[i].x = sg_alloc_aligned(n * D, sizeof(float));
        r->streams[i].subsets = sg_alloc(S, sizeof(int));
        ok = r->streams[i].x && r->streams[i].subsets;
    }
    if (!ok)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for residual streams of %zu positions", n);
    int rc = sg_scratch_create(&r->scratch, &p->model->spec, r->budget.batch_positions, r->budget.threads,
                               r->budget.precision, &bytes, err);
    if (!rc)
        rc = open_embeddings(r, err);
    if (!rc && r->budget.fetch)
        rc = sg_fetch_create(&r->fetch, p->model, err);
    r->loader = (sg_loader){
        .model = p->model, .mm = r->mm, .precision = r->budget.precision, .experts_apart = r->budget.experts_apart};
    return rc ? rc : sg_angles_init(&r->angles, &p->model->spec, r->budget.longest, err);
}

static void dispose(run *r)
{
    for (int i = 0; r->streams && i < r->max_streams; i++) {
        sg_free(r->streams[i].x);
        sg_free(r->streams[i].subsets);
    }
    sg_free(r->streams);
    sg_free(r->spans);
    sg_free(r->at);
    sg_free(r->targets);
    sg_free(r->sums);
    sg_angles_dispose(&r->angles);
    sg_free(r->position_rows);
    sg_scratch_dispose(&r->scratch);
    sg_fetch_free(r->fetch);
    sg_layer_weights_dispose(&r->weights);
    sg_loader_dispose(&r->loader);
    sg_mm_free(r->mm);
}

/* The stream's start: the tokens' embeddings, scaled, and their positions' where the model learned some. */
static void embed(const run *r, float *x)
{
    int D = r->p->model->spec.hidden;
    float scale = r->p->model->spec.embed_scale;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < r->positions; i++) {
        float *row = x + (size_t)i * (size_t)D;
        sg_source_rows(&r->embedding, row, (uint64_t)r->p->windows[r->at[i].window].ids[r->at[i].pos], 1);
        if (scale != 1)
            sg_row_scale(row, scale, D);
        if (r->position_rows)
            sg_row_add(
                row, r->position_rows + (size_t)(r->p->windows[r->at[i].window].shared + r->at[i].pos) * (size_t)D, D);
    }
}

static void add_window(run *r, int w)
{
    const sg_window *window = &r->p->windows[w];
    r->spans[r->n_windows++] =
        (sg_span){.start = r->positions, .n = window->n, .shared = window->shared, .back = window->back};
    for (int t = 0; t < window->n; t++) {
        r->at[r->positions] = (sg_position){w, t};
        r->targets[r->positions++] = window->targets ? window->targets[t] : t + 1 < window->n ? window->ids[t + 1] : -1;
    }
}

/* As many whole groups of windows from first_window on as the chunk holds, and their embeddings as the one stream of
 * all subsets.
 */
static void begin_chunk(run *r, const int *subsets, int n_subsets)
{
    const sg_pass *p = r->p;
    r->n_windows = r->positions = 0;
    for (int w = r->first_window, end; w < p->n_windows; w = end) {
        int rows = 0;
        end = sg_group_end(p->windows, p->n_windows, w);
        for (int i = w; i < end; i++)
            rows += p->windows[i].n;
        if (r->positions + rows > r->budget.chunk_positions)
            break;
        for (int i = w; i < end; i++)
            add_window(r, i);
    }
    stream *s = &r->streams[0];
    memcpy(s->subsets, subsets, (size_t)n_subsets * sizeof *subsets);
    s->n = n_subsets;
    r->n_streams = 1;
    embed(r, s->x);
}

/* Observers and the check for numbers that are none, after each block of a layer. */
static int seen(void *user, const sg_layer_rows *rows, sg_error *err)
{
    run *r = user;
    const sg_pass *p = r->p;
    size_t D = (size_t)p->model->spec.hidden;
    const sg_position *at = r->at + r->batch_start + rows->first;
    int bad = rows->n;
#pragma omp parallel for schedule(static) reduction(min : bad)
    for (int i = 0; i < rows->n; i++)
        if (!sg_row_finite(rows->after + (size_t)i * D, (int)D) && i < bad)
            bad = i;
    if (bad < rows->n)
        return sg_fail(
            err, SG_ERR_NUMERIC, "%s: the residual stream after layer %d is not finite in window %d, position %d (%s)",
            p->model->ckpt->path, r->layer, at[bad].window, at[bad].pos, sg_weights_not_finite(p->model, r->layer));
    sg_layer_event event = {.layer = r->layer,
                            .subsets = r->stream->subsets,
                            .n_subsets = r->stream->n,
                            .at = at,
                            .n = rows->n,
                            .hidden = (int)D,
                            .before = rows->before,
                            .mid = rows->mid,
                            .after = rows->after,
                            .ffn_before = rows->ffn_before,
                            .ffn_after = rows->ffn_after};
    for (int i = 0; i < p->n_observers; i++) {
        int rc = p->observers[i].layer ? p->observers[i].layer(p->observers[i].self, &event, err) : SG_OK;
        if (rc)
            return rc;
    }
    return SG_OK;
}

static int length_of(const sg_span *window)
{
    return window->shared + window->n;
}

/* How many windows from w on go through a layer together: whole groups, of one rope. */
static int batch_end(const run *r, int w)
{
    int end = w, rows = 0;
    for (int i = w;
         i < r->n_windows && rows + r->spans[i].n <= r->budget.batch_positions &&
         (r->spans[i].shared || sg_angles_alike(&r->angles, length_of(&r->spans[w]), length_of(&r->spans[i])));) {
        rows += r->spans[i++].n;
        if (i == r->n_windows || !r->spans[i].shared)
            end = i;
    }
    return end;
}

/* Which halves of the layer the subset has. */
enum { NOTHING = 0, MIXER = 1, FFN = 2, WHOLE = MIXER | FFN };

static int parts_of(const run *r, int subset, int layer)
{
    size_t at = (size_t)subset * (size_t)r->p->model->spec.n_layers + (size_t)layer;
    if (r->p->halves)
        return (r->p->keep[2 * at] ? MIXER : 0) | (r->p->keep[2 * at + 1] ? FFN : 0);
    return r->p->keep[at] ? WHOLE : NOTHING;
}

/* One stream through the loaded layer, batch by batch. */
static int run_stream(run *r, const stream *s, sg_error *err)
{
    const sg_model_spec *spec = &r->p->model->spec;
    const sg_layer_spec *of_layer = &spec->layers[r->layer];
    sg_layer_run layer = {.spec = of_layer,
                          .weights = &r->weights,
                          .hidden = spec->hidden,
                          .mm = r->mm,
                          .precision = r->budget.precision,
                          .scratch = &r->scratch};
    int parts = parts_of(r, s->subsets[0], r->layer);
    layer.skip_mixer = !(parts & MIXER);
    layer.skip_ffn = !(parts & FFN);
    r->stream = s;
    for (int w = 0, end; w < r->n_windows; w = end) {
        int start = r->spans[w].start;
        end = batch_end(r, w);
        sg_angles_set(&r->angles, length_of(&r->spans[w]));
        if (of_layer->rope >= 0) {
            layer.cos = r->angles.cos[of_layer->rope];
            layer.sin = r->angles.sin[of_layer->rope];
            layer.rope_half = spec->ropes[of_layer->rope].dim / 2;
        }
        for (int i = w; i < end; i++)
            r->spans[i].start -= start; /* for the batch they count from its first row */
        r->batch_start = start;
        int rc =
            sg_layer_forward(&layer, s->x + (size_t)start * (size_t)spec->hidden, r->spans + w, end - w, seen, r, err);
        for (int i = w; i < end; i++)
            r->spans[i].start += start;
        if (rc || (rc = report(r, err)))
            return rc;
    }
    return SG_OK;
}

/* Splits every stream whose subsets disagree about the layer: those that differ from its first move to a copy, which is
 * looked at in its turn. Says whether any stream runs it. */
static bool fork_streams(run *r, int layer)
{
    bool any = false;
    for (int i = 0; i < r->n_streams; i++) {
        stream *s = &r->streams[i], *fork = r->n_streams < r->max_streams ? &r->streams[r->n_streams] : NULL;
        int parts = parts_of(r, s->subsets[0], layer), with = 0, without = 0;
        any = any || parts;
        for (int j = 0; fork && j < s->n; j++) {
            int subset = s->subsets[j];
            if (parts_of(r, subset, layer) == parts)
                s->subsets[with++] = subset;
            else
                fork->subsets[without++] = subset;
        }
        if (!without)
            continue;
        s->n = with;
        fork->n = without;
        memcpy(fork->x, s->x, (size_t)r->positions * (size_t)r->p->model->spec.hidden * sizeof *s->x);
        r->n_streams++;
    }
    return any;
}

/* The first layer from `layer` on that any subset of the group has; the number of layers: none. */
static int next_kept(const run *r, int layer)
{
    for (; layer < r->p->model->spec.n_layers; layer++)
        for (int i = 0; i < r->n_streams; i++)
            for (int j = 0; j < r->streams[i].n; j++)
                if (parts_of(r, r->streams[i].subsets[j], layer))
                    return layer;
    return layer;
}

/* Whose bytes are needed behind `layer` (or the output matrix, as a last one): a layer's, the output matrix's, of
 * another chunk the first layer's, none (-1). */
static int next_needed(const run *r, int layer)
{
    int L = r->p->model->spec.n_layers, next = layer < L ? next_kept(r, layer + 1) : L;
    if (next < L || (layer < L && r->budget.head))
        return next;
    return r->first_window + r->n_windows < r->p->n_windows && next_kept(r, 0) < L ? next_kept(r, 0) : -1;
}

static int run_layer(run *r, int layer, sg_error *err)
{
    const sg_model *model = r->p->model;
    int rc = SG_OK;
    r->layer = layer;
    if (fork_streams(r, layer)) {
        sg_fetch_want(r->fetch, next_needed(r, layer));
        rc = sg_layer_weights_load(&r->weights, &r->loader, layer, err);
        double start = now();
        for (int i = 0; i < r->n_streams && !rc; i++)
            if (parts_of(r, r->streams[i].subsets[0], layer))
                rc = run_stream(r, &r->streams[i], err);
        if (r->p->layer_seconds)
            r->p->layer_seconds[layer] += now() - start;
        sg_layer_weights_dispose(&r->weights);
        sg_fetch_release(model, layer);
    }
    r->steps_done++;
    return rc ? rc : report(r, err);
}

static int logits_seen(void *user, int stream_index, int first, int n, int v0, int nv, const float *logits,
                       sg_error *err)
{
    run *r = user;
    const stream *s = &r->streams[stream_index];
    sg_logits_event event = {
        .subsets = s->subsets, .n_subsets = s->n, .at = r->at + first, .n = n, .v0 = v0, .nv = nv, .logits = logits};
    for (int i = 0; i < r->p->n_observers; i++) {
        const sg_observer *o = &r->p->observers[i];
        int rc = o->logits ? o->logits(o->self, &event, err) : SG_OK;
        if (rc)
            return rc;
    }
    return report(r, err);
}

/* Likelihoods must be numbers. */
static int check_sums(const run *r, const sg_head_rows *rows, sg_error *err)
{
    for (int i = 0; i < rows->n; i++) {
        const sg_logit_sums *s = &rows->sums[i];
        if (rows->targets[i] >= 0 && !isfinite((double)s->max + log(s->sum) - (double)s->target))
            return sg_fail(err, SG_ERR_NUMERIC, "%s: the logits are not finite in window %d, position %d (%s)",
                           r->p->model->ckpt->path, r->at[i].window, r->at[i].pos,
                           sg_weights_not_finite(r->p->model, -1));
    }
    return SG_OK;
}

/* Rows that their window says predict nothing are left out: the others move up. */
static void drop_silent_rows(run *r)
{
    size_t D = (size_t)r->p->model->spec.hidden, kept = 0;
    for (size_t i = 0; i < (size_t)r->positions; i++) {
        if (r->targets[i] < 0 && r->p->windows[r->at[i].window].targets)
            continue;
        for (int j = 0; j < r->n_streams && kept != i; j++)
            memcpy(r->streams[j].x + kept * D, r->streams[j].x + i * D, D * sizeof(float));
        r->at[kept] = r->at[i];
        r->targets[kept++] = r->targets[i];
    }
    r->positions = (int)kept;
}

static int run_head(run *r, sg_error *err)
{
    drop_silent_rows(r);
    size_t n = (size_t)r->positions;
    sg_head_rows *rows = sg_alloc((size_t)r->n_streams, sizeof *rows);
    if (!rows)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d streams", r->n_streams);
    for (int i = 0; i < r->n_streams; i++)
        rows[i] = (sg_head_rows){
            .x = r->streams[i].x, .targets = r->targets, .n = r->positions, .sums = r->sums + (size_t)i * n};
    sg_loader_rest(&r->loader);
    sg_fetch_want(r->fetch, next_needed(r, r->p->model->spec.n_layers));
    double start = now();
    int rc = sg_head_run(rows, r->n_streams, r->p->model, r->mm, r->budget.precision, logits_seen, r, err);
    if (r->p->layer_seconds)
        r->p->layer_seconds[r->p->model->spec.n_layers] += now() - start;
    for (int i = 0; i < r->n_streams && !rc; i++)
        rc = check_sums(r, &rows[i], err);
    for (int i = 0; i < r->n_streams && !rc; i++) {
        const stream *s = &r->streams[i];
        sg_nll_event event = {
            .subsets = s->subsets, .n_subsets = s->n, .at = r->at, .n = r->positions, .sums = rows[i].sums};
        for (int j = 0; j < r->p->n_observers && !rc; j++)
            if (r->p->observers[j].nll)
                rc = r->p->observers[j].nll(r->p->observers[j].self, &event, err);
    }
    sg_free(rows);
    sg_fetch_release(r->p->model, r->p->model->spec.n_layers);
    r->steps_done++;
    return rc;
}

/* All windows, for one group of subsets that fits the bound. */
static int run_group(run *r, const int *subsets, int n_subsets, int *chunks, sg_error *err)
{
    int rc = allocate(r, err);
    int L = r->p->model->spec.n_layers;
    for (r->first_window = 0; r->first_window < r->p->n_windows && !rc; r->first_window += r->n_windows) {
        begin_chunk(r, subsets, n_subsets);
        sg_fetch_want(r->fetch, next_kept(r, 0));
        for (int layer = 0; layer < L && !rc; layer++)
            rc = run_layer(r, layer, err);
        if (!rc && r->budget.head)
            rc = run_head(r, err);
        ++*chunks;
    }
    return rc;
}

static int run_groups(const sg_pass *p, sg_pass_result *result, sg_error *err)
{
    sg_budget budget;
    int rc = sg_budget_make(&budget, p, err);
    int *subsets = sg_alloc((size_t)p->n_subsets, sizeof *subsets);
    if (!rc && !subsets)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for %d subsets", p->n_subsets);
    int shared = p->reference && p->n_subsets > 1, others = p->n_subsets - shared; /* subset 0 is in every group */
    int each = rc ? 1 : budget.streams - shared;
    uint64_t groups = rc ? 0 : (uint64_t)((others + each - 1) / each);
    for (uint64_t g = 0; g < groups && !rc; g++) {
        int first = (int)g * each, n = shared;
        if (shared)
            subsets[0] = 0;
        for (int i = first; i < others && i < first + each; i++)
            subsets[n++] = shared + i;
        uint64_t steps = (uint64_t)p->model->spec.n_layers + (budget.head ? 1 : 0);
        run r = {.p = p, .budget = budget, .max_streams = n};
        r.steps = groups * (uint64_t)budget.chunks * steps;
        r.steps_done = g * (uint64_t)budget.chunks * steps;
        if (!(rc = sg_mm_create(&r.mm, budget.threads, p->kernel, err)))
            rc = run_group(&r, subsets, n, &result->chunks, err);
        dispose(&r);
    }
    result->precision = budget.precision;
    sg_free(subsets);
    return rc;
}

int sg_pass_run(const sg_pass *p, sg_pass_result *result, sg_error *err)
{
    *result = (sg_pass_result){0};
    int rc = sg_model_runnable(p->model, err);
    if (rc)
        return rc;
    int old_threads = omp_get_max_threads();
    omp_set_num_threads(sg_threads_effective(p->threads)); /* oneDNN and our own loops both read it */
    double start = now();
    rc = run_groups(p, result, err);
    result->seconds = now() - start;
    omp_set_num_threads(old_threads);
    return rc;
}
