/* The decoder. D = hidden, V = vocabulary. */
#include "engine/generate.h"

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "core/mem.h"
#include "engine/angles.h"
#include "engine/budget.h"
#include "engine/fetch.h"
#include "engine/kernels.h"
#include "engine/rows.h"

enum { VOCAB_ROWS = 8192 }; /* of a block of the output matrix */

struct sg_decoder {
    const sg_model *model;
    sg_decoder_info info;
    int threads, capacity;
    sg_mm *mm;
    sg_loader loader;
    sg_fetch *fetch;          /* NULL: all layers stay */
    int *kept;                /* [n_layers] numbers of the layers that it has; the first info.held stay loaded */
    bool *off;                /* [n_layers] sg_decoder_use leaves it out; in the order of kept */
    sg_layer_weights *layers; /* [n_layers], in the order of kept */
    sg_layer_weights passing; /* the layer in work, of those that do not stay */
    sg_weight **head;         /* [n_blocks] the output matrix in blocks of VOCAB_ROWS */
    int n_blocks;
    bool head_held;
    char *plain; /* [VOCAB_ROWS, D] elements, a block before it is packed */
    sg_norm_weights norm;
    char *keys;         /* keys and values of all its layers: [n_kv_heads][capacity][E] elements each */
    size_t *keys_at;    /* [n_layers] where a layer's keys begin; its values follow them */
    float *row_scratch; /* sg_attend_row's */
    sg_scratch scratch;
    sg_angles angles;
    sg_source embedding;
    float *position_rows; /* [capacity, D] where positions are learned, else NULL */
    int32_t *ids;         /* [capacity] all so far */
    int n;
    int layer;     /* in work */
    float *x;      /* [batch, D] */
    float *row;    /* [threads][D] */
    float *logits; /* [V] */
    char *h;       /* [1, D] elements */
};

/* ---- weights ------------------------------------------------------------------------------------------ */

static int block_rows(const sg_decoder *d, int block)
{
    int left = d->model->spec.vocab - block * VOCAB_ROWS;
    return left < VOCAB_ROWS ? left : VOCAB_ROWS;
}

static int load_block(sg_weight **out, sg_decoder *d, int block, sg_error *err)
{
    static const sg_row_layout layout = {.head_dim = 1};
    int n = block_rows(d, block);
    int rc = sg_rows_load(d->plain, d->model, sg_model_head(d->model), &layout, (uint64_t)block * VOCAB_ROWS, n,
                          d->info.precision, err);
    return rc ? rc : sg_weight_pack(out, d->mm, d->plain, n, d->model->spec.hidden, d->info.precision, err);
}

static uint64_t head_bytes(const sg_decoder *d)
{
    uint64_t bytes = 0;
    for (int b = 0; b < d->n_blocks; b++)
        bytes += sg_weight_bytes(block_rows(d, b), d->model->spec.hidden, d->info.precision);
    return bytes;
}

/* Loads what stays within `room` bytes; *fits: all did, else with `all` nothing is loaded. */
static int load_weights(sg_decoder *d, uint64_t room, bool all, bool *fits, const sg_progress *progress, sg_error *err)
{
    uint64_t layer = sg_layer_weights_bytes(d->model, false, d->threads, d->info.precision), head = head_bytes(d);
    int rc = SG_OK;
    *fits = room >= head && (room - head) / layer > (uint64_t)d->info.layers; /* one more: in work */
    if (all && !*fits)
        return SG_OK;
    if (room < layer)
        return sg_fail(err, SG_ERR_NOMEM, "%s: a layer needs %" PRIu64 " MB, but the bound leaves %" PRIu64 " MB",
                       d->model->ckpt->path, layer / 1000000 + 1, room / 1000000);
    room -= layer; /* for one in work */
    d->head_held = head <= room;
    room -= d->head_held ? head : 0;
    for (int b = 0; d->head_held && b < d->n_blocks && !rc; b++)
        rc = load_block(&d->head[b], d, b, err);
    uint64_t fit = room / layer;
    int held = fit < (uint64_t)d->info.layers ? (int)fit : d->info.layers;
    while (d->info.held < held && !rc) {
        if (progress->report &&
            progress->report("loading", (uint64_t)d->info.held, (uint64_t)held, "layers", progress->user))
            return sg_fail(err, SG_ERR_CANCELLED, "loading was interrupted");
        rc = sg_layer_weights_load(&d->layers[d->info.held], &d->loader, d->kept[d->info.held], err);
        d->info.held += !rc;
    }
    d->info.held_all = d->head_held && d->info.held == d->info.layers;
    d->info.bytes += (d->head_held ? head : 0) + layer * (uint64_t)d->info.held;
    return rc;
}

/* ---- making ------------------------------------------------------------------------------------------- */

/* Bytes of one position's keys, or values, in layer i of those that it has. */
static size_t position_bytes(const sg_decoder *d, int i)
{
    const sg_layer_spec *s = &d->model->spec.layers[d->kept[i]];
    return (size_t)s->n_kv_heads * (size_t)s->head_dim * sg_element_bytes(d->info.precision);
}

static int load_ends(sg_decoder *d, sg_error *err)
{
    static const sg_row_layout plain = {.head_dim = 1};
    const sg_model *m = d->model;
    const sg_tensor *bias = sg_model_role(m, SG_FINAL_NORM_BIAS), *positions = sg_model_role(m, SG_POSITIONS);
    sg_source source;
    int rc;
    if ((rc = sg_source_open(&d->embedding, m, sg_model_role(m, SG_EMBEDDING), err)) ||
        (rc = sg_norm_load(&d->norm.weight, m, sg_model_role(m, SG_FINAL_NORM), err)) ||
        (bias && (rc = sg_vector_load(&d->norm.bias, m, bias, &plain, err))) || !positions ||
        (rc = sg_source_open(&source, m, positions, err)))
        return rc;
    d->position_rows = sg_alloc((size_t)d->capacity * (size_t)m->spec.hidden, sizeof(float));
    if (!d->position_rows)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d position embeddings", d->capacity);
    sg_source_rows(&source, d->position_rows, 0, d->capacity);
    return SG_OK;
}

/* Everything but weights. Keeps account in info.bytes. */
static int allocate(sg_decoder *d, sg_error *err)
{
    const sg_model_spec *spec = &d->model->spec;
    size_t L = (size_t)spec->n_layers, D = (size_t)spec->hidden, V = (size_t)spec->vocab, T = (size_t)d->capacity;
    size_t block = V < VOCAB_ROWS ? V : VOCAB_ROWS, keys = 0, row_bytes = 0, scratch_bytes = 0, total = 0;
    d->n_blocks = (int)((V + VOCAB_ROWS - 1) / VOCAB_ROWS);
    d->off = sg_alloc_zero(L, sizeof *d->off);
    d->layers = sg_alloc_zero(L, sizeof *d->layers);
    d->head = sg_alloc_zero((size_t)d->n_blocks, sizeof *d->head);
    d->keys_at = sg_alloc(L, sizeof *d->keys_at);
    if (!d->off || !d->layers || !d->head || !d->keys_at)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu layers", L);
    for (int i = 0; i < d->info.layers; i++) {
        size_t n = sg_attend_row_bytes(&spec->layers[d->kept[i]], d->capacity, d->threads);
        row_bytes = n > row_bytes ? n : row_bytes;
        d->keys_at[i] = keys;
        keys += 2 * T * position_bytes(d, i);
    }
    const struct {
        void *at;
        size_t n;
    } parts[] = {{&d->keys, keys},
                 {&d->row_scratch, row_bytes},
                 {&d->ids, T * sizeof *d->ids},
                 {&d->x, T * D * sizeof(float)},
                 {&d->row, (size_t)d->threads * D * sizeof(float)},
                 {&d->logits, V * sizeof(float)},
                 {&d->h, D * sizeof(float)},
                 {&d->plain, block * D * sg_element_bytes(d->info.precision)}};
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++) {
        void *p = sg_alloc_aligned(parts[i].n, 1);
        if (!p)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %d positions: %zu bytes", d->capacity, parts[i].n);
        memcpy(parts[i].at, &p, sizeof p); /* pointers to different types alike */
        total += parts[i].n;
    }
    int rc;
    if ((rc = sg_scratch_create(&d->scratch, spec, d->capacity, d->threads, d->info.precision, &scratch_bytes, err)) ||
        (rc = sg_angles_init(&d->angles, spec, d->capacity, err)) || (rc = load_ends(d, err)))
        return rc;
    for (int r = 0; r < spec->n_ropes; r++)
        total += T * (size_t)spec->ropes[r].dim * sizeof(float);
    d->info.bytes = total + scratch_bytes + (d->position_rows ? T * D * sizeof(float) : 0);
    return SG_OK;
}

static int check(const sg_decoder_opts *o, sg_error *err)
{
    int rc = sg_model_runnable(o->model, err);
    if (rc || (rc = sg_heads_fit(o->model, err)))
        return rc;
    if (o->model->spec.max_positions && o->capacity > o->model->spec.max_positions)
        return sg_fail(err, SG_ERR_REFUSED, "%s: the text has %d positions, the model only %d", o->model->ckpt->path,
                       o->capacity, o->model->spec.max_positions);
    return SG_OK;
}

static int make(sg_decoder *d, const sg_decoder_opts *o, bool *fits, sg_error *err)
{
    const sg_model_spec *spec = &o->model->spec;
    uint64_t memory = o->memory ? o->memory : sg_memory_default();
    int rc = sg_mm_create(&d->mm, d->threads, SG_MM_FASTEST, err);
    if (rc)
        return rc;
    d->kept = sg_alloc((size_t)spec->n_layers, sizeof *d->kept);
    if (!d->kept)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d layers", spec->n_layers);
    for (int i = 0; i < spec->n_layers; i++)
        if (!o->keep || o->keep[i])
            d->kept[d->info.layers++] = i;
    if ((rc = allocate(d, err)))
        return rc;
    d->loader = (sg_loader){.model = d->model, .mm = d->mm, .precision = d->info.precision};
    rc = load_weights(d, memory > d->info.bytes ? memory - d->info.bytes : 0, o->all_or_nothing, fits, &o->progress,
                      err);
    if (o->all_or_nothing && !*fits)
        return rc;
    if (d->info.held == d->info.layers)
        sg_loader_rest(&d->loader);
    return rc || d->info.held == d->info.layers ? rc : sg_fetch_create(&d->fetch, d->model, err);
}

int sg_decoder_create(sg_decoder **out, const sg_decoder_opts *o, sg_error *err)
{
    *out = NULL;
    int rc = check(o, err), old_threads = omp_get_max_threads();
    if (rc)
        return rc;
    sg_decoder *d = sg_alloc_zero(1, sizeof *d);
    if (!d)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a decoder");
    bool fits = false;
    d->model = o->model;
    d->info.precision = sg_precision_effective(o->precision);
    d->threads = sg_threads_effective(o->threads);
    d->capacity = o->capacity;
    omp_set_num_threads(d->threads);
    rc = make(d, o, &fits, err);
    omp_set_num_threads(old_threads);
    if (rc || (o->all_or_nothing && !fits))
        sg_decoder_free(d);
    else
        *out = d;
    return rc;
}

void sg_decoder_free(sg_decoder *d)
{
    if (!d)
        return;
    for (int i = 0; d->layers && i < d->info.layers; i++)
        sg_layer_weights_dispose(&d->layers[i]);
    sg_layer_weights_dispose(&d->passing);
    for (int b = 0; d->head && b < d->n_blocks; b++)
        sg_weight_free(d->head[b]);
    void *owned[] = {d->kept,    d->off,         d->layers, d->head, d->plain, d->norm.weight,   d->norm.bias, d->keys,
                     d->keys_at, d->row_scratch, d->ids,    d->x,    d->row,   d->position_rows, d->logits,    d->h};
    for (size_t i = 0; i < SG_ARRAY_LEN(owned); i++)
        sg_free(owned[i]);
    sg_fetch_free(d->fetch);
    sg_loader_dispose(&d->loader);
    sg_scratch_dispose(&d->scratch);
    sg_angles_dispose(&d->angles);
    sg_mm_free(d->mm);
    sg_free(d);
}

sg_decoder_info sg_decoder_get_info(const sg_decoder *d)
{
    sg_decoder_info info = d->info;
    uint64_t layer = sg_layer_weights_bytes(d->model, false, d->threads, info.precision);
    for (int i = 0; i < d->info.layers; i++)
        if (d->off[i]) {
            bool held = i < d->info.held;
            info.layers--;
            info.held -= held;
            info.bytes -= 2 * (size_t)d->capacity * position_bytes(d, i) + (held ? layer : 0);
        }
    return info;
}

void sg_decoder_use(sg_decoder *d, const bool *keep)
{
    for (int i = 0; i < d->info.layers; i++)
        d->off[i] = keep && !keep[d->kept[i]];
    sg_decoder_reset(d);
}

void sg_decoder_reset(sg_decoder *d)
{
    d->n = 0;
}

/* ---- running ------------------------------------------------------------------------------------------ */

/* Rows [first, n) of x: the embeddings of these positions. */
static void embed(const sg_decoder *d, int first, int n)
{
    int D = d->model->spec.hidden;
    float scale = d->model->spec.embed_scale;
    for (int i = first; i < n; i++) {
        float *row = d->x + (size_t)i * (size_t)D;
        sg_source_rows(&d->embedding, row, (uint64_t)d->ids[i], 1);
        if (scale != 1)
            sg_row_scale(row, scale, D);
        if (d->position_rows)
            sg_row_add(row, d->position_rows + (size_t)i * (size_t)D, D);
    }
}

static int check_finite(void *user, const sg_layer_rows *rows, sg_error *err)
{
    const sg_decoder *d = user;
    size_t D = (size_t)d->model->spec.hidden;
    for (int i = 0; i < rows->n; i++)
        if (!sg_row_finite(rows->after + (size_t)i * D, (int)D))
            return sg_fail(err, SG_ERR_NUMERIC,
                           "%s: the residual stream after layer %d is not finite at position %d (%s)",
                           d->model->ckpt->path, d->layer, rows->first + i, sg_weights_not_finite(d->model, d->layer));
    return SG_OK;
}

/* The layer that is read next, behind layer i of those that it has: this text's, or the next one's. */
static int next_passing(const sg_decoder *d, int i)
{
    for (int step = 1; step < d->info.layers; step++) {
        int next = (i + step) % d->info.layers;
        if (next >= d->info.held && !d->off[next])
            return d->kept[next];
    }
    return d->kept[i];
}

/* Rows [first, n) of x through layer i of those that it has. */
static int run_layer(sg_decoder *d, int i, int first, int n, sg_error *err)
{
    const sg_model_spec *spec = &d->model->spec;
    const sg_layer_spec *of_layer = &spec->layers[d->kept[i]];
    bool held = i < d->info.held;
    d->layer = d->kept[i];
    sg_layer_run run = {.spec = of_layer,
                        .weights = held ? &d->layers[i] : &d->passing,
                        .hidden = spec->hidden,
                        .mm = d->mm,
                        .precision = d->info.precision,
                        .scratch = &d->scratch,
                        .past = &(sg_past){first, d->row_scratch}};
    d->scratch.qkv.k = d->keys + d->keys_at[i];
    d->scratch.qkv.v = d->scratch.qkv.k + (size_t)d->capacity * position_bytes(d, i);
    if (of_layer->rope >= 0) {
        run.rope_half = spec->ropes[of_layer->rope].dim / 2;
        run.cos = d->angles.cos[of_layer->rope];
        run.sin = d->angles.sin[of_layer->rope];
    }
    if (!held) {
        sg_fetch_want(d->fetch, next_passing(d, i));
        int rc = sg_layer_weights_load(&d->passing, &d->loader, d->kept[i], err);
        if (rc)
            return rc;
    }
    int rc = sg_layer_forward(&run, d->x, &(sg_span){0, n}, 1, check_finite, d, err);
    if (!held)
        sg_layer_weights_dispose(&d->passing);
    return rc;
}

/* The row's logits: final norm, product, scale or cap. */
static int run_head(sg_decoder *d, const float *x, sg_error *err)
{
    const sg_model_spec *spec = &d->model->spec;
    sg_norm_rows(d->h, x, &d->norm, spec->final_norm, 1, spec->hidden, spec->final_norm_eps, d->info.precision, d->row);
    for (int b = 0; b < d->n_blocks; b++) {
        int rc = d->head_held ? SG_OK : load_block(&d->head[b], d, b, err);
        if (!rc)
            rc = sg_mm_weight(d->mm, d->logits + (size_t)b * VOCAB_ROWS, d->h, d->head[b], 1, err);
        if (!d->head_held) {
            sg_weight_free(d->head[b]);
            d->head[b] = NULL;
        }
        if (rc)
            return rc;
    }
    if (spec->logit_softcap > 0)
        sg_row_softcap(d->logits, spec->vocab, spec->logit_scale, spec->logit_softcap);
    else if (spec->logit_scale != 1)
        sg_row_scale(d->logits, spec->logit_scale, spec->vocab);
    if (!sg_row_finite(d->logits, spec->vocab))
        return sg_fail(err, SG_ERR_NUMERIC, "%s: the logits at position %d are not finite (%s)", d->model->ckpt->path,
                       d->n - 1, sg_weights_not_finite(d->model, -1));
    return SG_OK;
}

static int feed(sg_decoder *d, const int32_t *ids, int n, sg_error *err)
{
    int first = d->n, rc = SG_OK;
    memcpy(d->ids + first, ids, (size_t)n * sizeof *ids);
    d->n += n;
    if (first && !sg_angles_alike(&d->angles, first, d->n))
        first = 0;
    sg_angles_set(&d->angles, d->n);
    embed(d, first, d->n);
    for (int i = 0; i < d->info.layers && !rc; i++)
        rc = d->off[i] ? SG_OK : run_layer(d, i, first, d->n, err);
    return rc ? rc : run_head(d, d->x + (size_t)(d->n - 1) * (size_t)d->model->spec.hidden, err);
}

int sg_decoder_feed(sg_decoder *d, const int32_t *ids, int n, const float **logits, sg_error *err)
{
    int old_threads = omp_get_max_threads();
    omp_set_num_threads(d->threads);
    int rc = feed(d, ids, n, err);
    omp_set_num_threads(old_threads);
    *logits = d->logits;
    return rc;
}
