/* A layer's forward pass, block of rows by block of rows: all of it but attention works on each position alone.
 * B = rows of a block, D = hidden, E = head_dim, F = intermediate. */
#include "engine/layer.h"

#include <omp.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"

enum { SLICE_ROWS = 2048 }; /* rows whose queries are there at once: enough work for all threads */

int sg_block_rows(int threads)
{
    enum { LEAST = 512, EACH = 128 }; /* enough for the matrix unit, and not more than the cache holds */
    int rows = threads < SLICE_ROWS / EACH ? threads * EACH : SLICE_ROWS;
    return rows > LEAST ? rows : LEAST;
}

static void norm_row(float *y, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int d, float eps)
{
    if (kind == SG_NORM_RMS)
        sg_row_rmsnorm(y, x, norm->weight, d, eps);
    else
        sg_row_layernorm(y, x, norm->weight, norm->bias, d, eps);
}

void sg_norm_store_row(char *out, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int d, float eps,
                       sg_precision precision, float *row)
{
    if (norm->weight)
        norm_row(row, x, norm, kind, d, eps);
    sg_row_store(out, norm->weight ? row : x, d, precision);
}

void sg_norm_rows(char *out, const float *x, const sg_norm_weights *norm, sg_norm_kind kind, int rows, int d, float eps,
                  sg_precision precision, float *row)
{
    size_t D = (size_t)d, row_bytes = D * sg_element_bytes(precision);
#pragma omp parallel for schedule(static) if (rows > 1)
    for (int r = 0; r < rows; r++)
        sg_norm_store_row(out + (size_t)r * row_bytes, x + (size_t)r * D, norm, kind, d, eps, precision,
                          row + (size_t)omp_get_thread_num() * D);
}

/* A part of a block, in one thread (or in SG_MM_ALL): rows counted from the block's first. */
typedef struct part {
    const sg_layer_run *run;
    int thread, first, n;
} part;

static size_t row_bytes(const sg_layer_run *run, int width)
{
    return (size_t)width * sg_element_bytes(run->precision);
}

/* The part's rows of scratch: as wide as the widest product, so that no other part's product reaches them. */
static float *wide_part(const part *p)
{
    return p->run->scratch->wide + (size_t)p->first * p->run->scratch->widest;
}

static void norm_part(const part *p, char *out, const float *x, const sg_norm_weights *norm)
{
    const sg_layer_spec *spec = p->run->spec;
    int D = p->run->hidden;
    float *row = p->run->scratch->row + (size_t)(p->thread == SG_MM_ALL ? 0 : p->thread) * (size_t)D;
    for (int r = p->first; r < p->first + p->n; r++)
        sg_norm_store_row(out + (size_t)r * row_bytes(p->run, D), x + (size_t)r * (size_t)D, norm, spec->norm, D,
                          spec->norm_eps, p->run->precision, row);
}

/* What happens to a half's result: bias, the norm behind it, the residual's scale; then to[i] = add[i] + it. All [B,
 * D], to[1] NULL: not wanted, add[0] NULL: nothing is added. to[0] may not be among the added. */
typedef struct half_end {
    const sg_layer_run *run;
    const float *bias;
    const sg_norm_weights *post;
    int first; /* row of the part */
    float *to[2];
    const float *add[2];
} half_end;

/* Results that are complete but for the additions, n of them from number `at` of the block on. */
static void add_half(const half_end *end, size_t at, const float *half, int n)
{
    for (int i = 1; i >= 0; i--) /* to[0] may be half itself */
        if (end->to[i] && end->add[i])
            sg_row_sum(end->to[i] + at, end->add[i] + at, half, n);
        else if (end->to[i] && end->to[i] + at != half)
            memcpy(end->to[i] + at, half, (size_t)n * sizeof *half);
}

static bool has_post(const half_end *end)
{
    return end->post && end->post->weight;
}

static void take_half(void *user, const sg_mm_block *block)
{
    const half_end *end = user;
    float scale = end->run->spec->residual_scale;
    for (int r = 0; r < block->rows; r++) {
        float *half = block->c + (size_t)r * block->ld;
        size_t at = (size_t)(end->first + block->row + r) * (size_t)end->run->hidden + (size_t)block->col;
        if (end->bias)
            sg_row_add(half, end->bias + block->col, block->cols);
        if (has_post(end)) { /* wants the whole row */
            memcpy(end->to[0] + at, half, (size_t)block->cols * sizeof *half);
            continue;
        }
        if (end->add[0] && scale != 1)
            sg_row_scale(half, scale, block->cols);
        add_half(end, at, half, block->cols);
    }
}

/* The halves stand in to[0], whole rows. */
static void finish_half(const half_end *end, int first, int n)
{
    const sg_layer_spec *spec = end->run->spec;
    int D = end->run->hidden;
    for (int r = first; r < first + n; r++) {
        size_t at = (size_t)r * (size_t)D;
        float *half = end->to[0] + at;
        if (has_post(end))
            norm_row(half, half, end->post, spec->norm, D, spec->norm_eps);
        if (spec->residual_scale != 1)
            sg_row_scale(half, spec->residual_scale, D);
        add_half(end, at, half, D);
    }
}

/* x: [B, k] elements, w: [D, k] */
static int product_half(const part *p, half_end *end, const char *x, sg_weight *w, int k, sg_error *err)
{
    end->first = p->first;
    sg_mm_sink sink = {.take = take_half, .user = end};
    size_t first = (size_t)p->first;
    int rc = sg_mm_rows(p->run->mm, p->thread, wide_part(p), x + first * row_bytes(p->run, k), w, p->n, &sink, err);
    if (!rc && has_post(end))
        finish_half(end, p->first, p->n);
    return rc;
}

static void act_row(float *y, const float *gate, const float *up, int n, sg_activation act)
{
    if (act == SG_ACT_SILU)
        sg_row_silu(y, gate, up, n);
    else if (act == SG_ACT_GELU_TANH)
        sg_row_gelu_tanh(y, gate, up, n);
    else
        sg_row_gelu_erf(y, gate, up, n);
}

typedef struct activation {
    const sg_layer_run *run;
    const sg_ffn_weights *w;
    char *out; /* the part's [rows, F] elements */
} activation;

/* out = act(gate + bias) * (up + bias), or act(up + bias) */
static void take_up(void *user, const sg_mm_block *block)
{
    enum { PIECE = 256 };
    const activation *a = user;
    const float *bias = a->w->up_bias;
    float y[PIECE];
    for (int r = 0; r < block->rows; r++)
        for (int c = 0; c < block->cols; c += PIECE) {
            int n = block->cols - c < PIECE ? block->cols - c : PIECE, col = block->col + c;
            float *gate = block->c + (size_t)r * block->ld + c,
                  *up = block->second ? block->second + (size_t)r * block->ld + c : NULL;
            if (bias)
                sg_row_add(gate, bias + col, n);
            if (bias && up)
                sg_row_add(up, bias + a->w->width + col, n);
            act_row(y, gate, up, n, a->run->spec->act);
            sg_row_store(a->out + (size_t)(block->row + r) * row_bytes(a->run, a->w->width) + row_bytes(a->run, col), y,
                         n, a->run->precision);
        }
}

/* h: [B, D] elements */
static int ffn_part(const part *p, const sg_ffn_weights *w, half_end *end, const char *h, sg_error *err)
{
    const sg_layer_run *run = p->run;
    sg_scratch *s = run->scratch;
    size_t first = (size_t)p->first;
    int F = w->width;
    activation act = {run, w, s->act + first * row_bytes(run, F)};
    sg_mm_sink sink = {.take = take_up, .user = &act, .pair = run->spec->gated ? F : 0};
    int rc = sg_mm_rows(run->mm, p->thread, wide_part(p), h + first * row_bytes(run, run->hidden), w->up, p->n, &sink,
                        err); /* [n, gate | up] or [n, up] to act, [n, F] */
    return rc ? rc : product_half(p, end, s->act, w->down, F, err);
}

typedef struct ffn_user {
    const sg_layer_run *run;
    const sg_ffn_weights *w;
    half_end end;
    const char *h;
} ffn_user;

static int share_ffn(void *user, int thread, int first, int n, sg_error *err)
{
    const ffn_user *u = user;
    half_end end = u->end;
    return ffn_part(&(part){u->run, thread, first, n}, u->w, &end, u->h, err);
}

int sg_ffn_forward(const sg_layer_run *run, const sg_ffn_weights *w, float *out, const char *h, int rows, sg_error *err)
{
    ffn_user user = {run, w, {.run = run, .bias = w->down_bias, .to = {out}}, h};
    return sg_mm_share(run->mm, rows, share_ffn, &user, err);
}

/* A block of a slice on its way to attention. */
typedef struct qkv_user {
    const sg_layer_run *run;
    const float *x; /* [B, D] */
    sg_slice block, slice;
    const sg_span *windows;
    int n_windows;
} qkv_user;

/* norm, q, k and v, put where attention finds them */
static int share_qkv(void *user, int thread, int first, int n, sg_error *err)
{
    const qkv_user *u = user;
    const sg_layer_run *run = u->run;
    const sg_layer_spec *spec = run->spec;
    const sg_layer_weights *w = run->weights;
    sg_scratch *s = run->scratch;
    const part p = {run, thread, first, n};
    int D = run->hidden, width = (spec->n_heads + 2 * spec->n_kv_heads) * spec->head_dim;
    float *fused = wide_part(&p);
    sg_qkv_run qkv = {
        .q_norm = w->q_norm, .k_norm = w->k_norm, .cos = run->cos, .sin = run->sin, .rope_half = run->rope_half};
    norm_part(&p, s->h, u->x, &w->attn_norm); /* [B, D] */
    int rc = sg_mm_rows(run->mm, thread, fused, s->h + (size_t)first * row_bytes(run, D), w->qkv, n, NULL,
                        err); /* [n, (Hq + 2 Hkv) E] */
    if (rc)
        return rc;
    for (int r = 0; r < n && w->qkv_bias; r++)
        sg_row_add(fused + (size_t)r * (size_t)width, w->qkv_bias, width);
    sg_qkv_split(&s->qkv, fused, (sg_slice){u->block.first + first, n}, u->slice, u->windows, u->n_windows, spec, &qkv,
                 run->precision);
    return SG_OK;
}

/* A block behind attention: x, mid, out: [B, D]; attended: [B, n_heads E] elements, NULL: mid is there. */
typedef struct block_user {
    const sg_layer_run *run;
    const float *x;
    float *mid, *out;
    const char *attended;
    bool ffn; /* out as well: the layer is dense */
} block_user;

/* mid = x + the mixer's half */
static int mixer_part(const part *p, const block_user *u, sg_error *err)
{
    const sg_layer_run *run = p->run;
    const sg_layer_weights *w = run->weights;
    size_t at = (size_t)p->first * (size_t)run->hidden;
    half_end end = {.run = run, .bias = w->o_bias, .post = &w->attn_post_norm, .to = {u->mid}, .add = {u->x}};
    if (!run->skip_mixer)
        return product_half(p, &end, u->attended, w->o, run->spec->n_heads * run->spec->head_dim, err);
    memcpy(u->mid + at, u->x + at, (size_t)p->n * (size_t)run->hidden * sizeof *u->mid);
    return SG_OK;
}

/* out = mid + the feed-forward's half; in a parallel layer also extra = x + it */
static half_end ffn_end(const sg_layer_run *run, const block_user *u)
{
    const sg_layer_weights *w = run->weights;
    half_end end = {.run = run, .bias = w->ffn.down_bias, .post = &w->ffn_post_norm, .to = {u->out}, .add = {u->mid}};
    if (run->spec->parallel) {
        end.to[1] = run->scratch->extra;
        end.add[1] = u->x;
    }
    return end;
}

static void norm_before_ffn(const part *p, const block_user *u)
{
    const sg_layer_weights *w = p->run->weights;
    bool parallel = p->run->spec->parallel;
    norm_part(p, p->run->scratch->h, parallel ? u->x : u->mid,
              parallel && !w->ffn_norm.weight ? &w->attn_norm : &w->ffn_norm); /* StableLM's halves share one */
}

static int share_block(void *user, int thread, int first, int n, sg_error *err)
{
    const block_user *u = user;
    const sg_layer_run *run = u->run;
    part p = {run, thread, first, n};
    int rc = mixer_part(&p, u, err);
    if (rc || !u->ffn)
        return rc;
    half_end end = ffn_end(run, u);
    norm_before_ffn(&p, u);
    return ffn_part(&p, &run->weights->ffn, &end, run->scratch->h, err);
}

static int share_norm(void *user, int thread, int first, int n, sg_error *err)
{
    const block_user *u = user;
    (void)err;
    norm_before_ffn(&(part){u->run, thread, first, n}, u);
    return SG_OK;
}

static int share_end(void *user, int thread, int first, int n, sg_error *err)
{
    const block_user *u = user;
    half_end end = ffn_end(u->run, u);
    (void)thread, (void)err;
    finish_half(&end, first, n);
    return SG_OK;
}

static int experts_half(block_user *u, int rows, sg_error *err)
{
    const sg_layer_run *run = u->run;
    int rc = sg_mm_share(run->mm, rows, share_norm, u, err);
    if (rc || (rc = sg_experts_forward(run, u->out, run->scratch->h, rows, err)))
        return rc;
    return sg_mm_share(run->mm, rows, share_end, u, err);
}

/* The residual stream as it was, half by half, to who wants to see it; then it is what the layer made of it. */
static int end_layer(const sg_layer_run *run, float *x, const float *mid, sg_slice block, sg_layer_seen *seen,
                     void *user, sg_error *err)
{
    const bool parallel = run->spec->parallel;
    sg_scratch *s = run->scratch;
    size_t D = (size_t)run->hidden, bytes = D * sizeof *x;
    if (run->skip_ffn) {
        memcpy(s->out, mid, (size_t)block.n * bytes);
        if (parallel)
            memcpy(s->extra, x, (size_t)block.n * bytes);
    }
    sg_layer_rows rows = {.first = block.first,
                          .n = block.n,
                          .before = x,
                          .mid = mid,
                          .after = s->out,
                          .ffn_before = parallel ? x : mid,
                          .ffn_after = parallel ? s->extra : s->out};
    int rc = seen(user, &rows, err);
    if (rc)
        return rc;
#pragma omp parallel for schedule(static) if (block.n > 1)
    for (int r = 0; r < block.n; r++)
        memcpy(x + (size_t)r * D, s->out + (size_t)r * D, bytes);
    return SG_OK;
}

static sg_slice next_block(sg_slice slice, int first, int most)
{
    int left = slice.first + slice.n - first;
    return (sg_slice){first, left < most ? left : most};
}

/* A layer goes through the batch in slices: attention looks back only, so a slice needs the keys and values of those
 * before it, and no more of them. Experts get all rows of the batch at once, since each takes only some. */
static int run_slice(const sg_layer_run *run, float *x, sg_slice slice, const sg_span *windows, int n_windows,
                     sg_layer_seen *seen, void *user, sg_error *err)
{
    const sg_layer_spec *spec = run->spec;
    sg_scratch *s = run->scratch;
    int end = slice.first + slice.n, most = sg_block_rows(sg_mm_threads(run->mm)), rc = SG_OK;
    size_t D = (size_t)run->hidden;
    for (int at = slice.first; at < end && !rc && !run->skip_mixer; at += most) {
        qkv_user u = {run, x + (size_t)at * D, next_block(slice, at, most), slice, windows, n_windows};
        rc = sg_mm_share(run->mm, u.block.n, share_qkv, &u, err);
    }
    if (!rc && run->past && run->past->n > 0 && slice.n == 1)
        sg_attend_row(s->attended, &s->qkv, slice.first, spec, run->precision, run->past->scratch);
    else if (!rc && !run->skip_mixer)
        rc = sg_attention(s->attended, &s->qkv, slice, windows, n_windows, spec, run->precision, run->mm, s->attention,
                          err);
    for (int at = slice.first; at < end && !rc; at += most) {
        sg_slice block = next_block(slice, at, most);
        block_user u = {.run = run,
                        .x = x + (size_t)at * D,
                        .mid = s->mid + (spec->n_experts ? (size_t)at * D : 0),
                        .out = s->out,
                        .attended =
                            s->attended + (size_t)(at - slice.first) * row_bytes(run, spec->n_heads * spec->head_dim),
                        .ffn = !spec->n_experts && !run->skip_ffn};
        rc = sg_mm_share(run->mm, block.n, share_block, &u, err);
        if (!rc && !spec->n_experts)
            rc = end_layer(run, x + (size_t)at * D, u.mid, block, seen, user, err);
    }
    return rc;
}

int sg_layer_forward(const sg_layer_run *run, float *x, const sg_span *windows, int n_windows, sg_layer_seen *seen,
                     void *user, sg_error *err)
{
    int rows = windows[n_windows - 1].start + windows[n_windows - 1].n, behind = run->past ? run->past->n : 0,
        rc = SG_OK;
    for (int first = behind; first < rows && !rc; first += SLICE_ROWS) {
        sg_slice slice = {first, rows - first < SLICE_ROWS ? rows - first : SLICE_ROWS};
        rc = run_slice(run, x, slice, windows, n_windows, seen, user, err);
    }
    if (rc || !run->spec->n_experts)
        return rc;
    size_t at = (size_t)behind * (size_t)run->hidden;
    block_user u = {.run = run, .x = x + at, .mid = run->scratch->mid + at, .out = run->scratch->out};
    if (!run->skip_ffn && (rc = experts_half(&u, rows - behind, err)))
        return rc;
    return end_layer(run, x + at, u.mid, (sg_slice){behind, rows - behind}, seen, user, err);
}

/* ---- scratch ------------------------------------------------------------------------------------------ */

typedef struct sizes { /* largest over the layers */
    size_t wide, ffn, q, kv, attention, extra, parallel_experts, experts, used;
} sizes;

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static sizes measure(const sg_model_spec *spec, int threads)
{
    sizes z = {.wide = (size_t)spec->hidden, .ffn = 1};
    for (int i = 0; i < spec->n_layers; i++) {
        const sg_layer_spec *s = &spec->layers[i];
        size_t q = (size_t)s->n_heads * (size_t)s->head_dim, kv = (size_t)s->n_kv_heads * (size_t)s->head_dim;
        size_t F = most((size_t)s->intermediate, most((size_t)s->expert_intermediate, (size_t)s->shared_intermediate));
        z.wide = most(z.wide, most(q + 2 * kv, (s->gated ? 2 : 1) * F));
        z.ffn = most(z.ffn, F);
        z.q = most(z.q, q);
        z.kv = most(z.kv, kv);
        z.attention = most(z.attention, sg_attention_scratch_bytes(s, threads));
        z.extra = most(z.extra, s->parallel || s->n_experts);
        z.parallel_experts = most(z.parallel_experts, s->parallel && s->n_experts);
        z.experts = most(z.experts, (size_t)s->n_experts);
        z.used = most(z.used, (size_t)s->n_experts_used);
    }
    return z;
}

/* Buffer sizes as a list, so that one sum and one walk serve all. */
int sg_scratch_create(sg_scratch *out, const sg_model_spec *spec, int batch, int threads, sg_precision precision,
                      size_t *bytes, sg_error *err)
{
    sizes z = measure(spec, threads);
    size_t D = (size_t)spec->hidden, rows = (size_t)batch, B = least(rows, (size_t)sg_block_rows(threads)),
           S = least(rows, SLICE_ROWS), N = z.experts ? rows : B, element = sg_element_bytes(precision),
           real = sizeof(float);
    sg_scratch s = {.widest = z.wide, .qkv = {.q_rows = (int)S, .kv_rows = batch}};
    const struct {
        void *at;
        size_t n;
    } parts[] = {
        {&s.wide, B * z.wide * real},
        {&s.mid, N * D * real},
        {&s.out, N * D * real},
        {&s.row, (size_t)threads * most(z.ffn, D) * real},
        {&s.h, N * D * element},
        {&s.act, B * z.ffn * element},
        {&s.extra, z.extra * (z.parallel_experts ? N : B) * D * real},
        {&s.gathered, z.experts ? B * D * element : 0},
        {&s.router, N * z.experts * real},
        {&s.weights, N * z.used * real},
        {&s.chosen, N * z.used * sizeof(int)},
        {&s.expert_rows, z.experts ? N * sizeof(int) : 0},
        {&s.qkv.q, S * z.q * element},
        {&s.qkv.k, rows * z.kv * element},
        {&s.qkv.v, rows * z.kv * element},
        {&s.attended, S * z.q * element},
        {&s.attention, z.attention},
    };
    size_t total = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++)
        total += (parts[i].n + 63) / 64 * 64;
    *bytes = total;
    if (!out)
        return SG_OK;
    s.memory = sg_alloc_aligned(total, 1);
    if (!s.memory)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu bytes of scratch", total);
    char *p = s.memory;
    for (size_t i = 0; i < SG_ARRAY_LEN(parts); i++) {
        memcpy(parts[i].at, &p, sizeof p); /* pointers to different types alike */
        p += (parts[i].n + 63) / 64 * 64;
    }
    *out = s;
    return SG_OK;
}

void sg_scratch_dispose(sg_scratch *s)
{
    sg_free(s->memory);
    *s = (sg_scratch){0};
}
