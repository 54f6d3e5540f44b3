/* The memory bound, on models large enough for it to matter, dense, with experts, and with a wide feed-forward, whose
 * products keep much scratch; written here, with random weights.
 * Windows are short, longer than a slice, and in between; subsets fork. For one bound after another until one is
 * refused, and for the least that is not: what is allocated never exceeds it, and the scores are those of a pass
 * without a bound, to 1e-6 in f32 and 1e-4 in bf16, whatever the threads. */
#include <malloc.h>
#include <math.h>

#include "core/mem.h"
#include "engine/budget.h"
#include "tree.h"

enum { WIDE = 28672 };

static int D = 256, F = 1024;
static sg_mm_kernel kernel; /* FASTEST, but for wide products: our own copies their rows */

enum { HEADS = 4, KV_HEADS = 2, E = 64, EXPERTS = 16, EXPERT_F = 512, V = 512, LAYERS = 2, SUBSETS = 2 };

/* ---- memory in use ------------------------------------------------------------------------------------- */

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#else
static size_t in_use(void)
{
    return 0;
}
#endif

static size_t peak;

/* Called before each allocation and other call to the system. */
int sg_test_fault(const char *operation)
{
    (void)operation;
    size_t now = in_use();
#pragma omp critical(peak)
    peak = now > peak ? now : peak;
    return 0;
}

/* ---- a model ------------------------------------------------------------------------------------------- */

typedef struct writer {
    char *header;
    size_t header_bytes, bytes; /* of data so far */
    FILE *data;
    uint32_t seed;
} writer;

/* Random: signs, mantissas, and exponents that give about 1 / sqrt(D); of one row only: ones. */
static void put(writer *w, int rows, int cols, const char *format, ...) __attribute__((format(printf, 4, 5)));
static void put(writer *w, int rows, int cols, const char *format, ...)
{
    char name[128], shape[64];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    size_t n = (size_t)rows * (size_t)cols;
    snprintf(shape, sizeof shape, rows == 1 ? "%d" : "%d,%d", rows == 1 ? cols : rows, cols);
    w->header_bytes += (size_t)sprintf(w->header + w->header_bytes,
                                       "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                                       w->bytes ? "," : "{", name, shape, w->bytes, w->bytes + 2 * n);
    w->bytes += 2 * n;
    for (size_t i = 0; i < n; i++) {
        w->seed = w->seed * 1664525u + 1013904223u;
        uint16_t x = rows == 1 ? 0x3f80 : (uint16_t)(0x3d00 | (w->seed >> 16 & 0x80ff));
        if (fwrite(&x, sizeof x, 1, w->data) != 1)
            fail_msg("cannot write the model");
    }
}

static void put_layer(writer *w, int i, bool experts)
{
    put(w, 1, D, "model.layers.%d.input_layernorm.weight", i);
    put(w, 1, D, "model.layers.%d.post_attention_layernorm.weight", i);
    put(w, HEADS * E, D, "model.layers.%d.self_attn.q_proj.weight", i);
    put(w, KV_HEADS * E, D, "model.layers.%d.self_attn.k_proj.weight", i);
    put(w, KV_HEADS * E, D, "model.layers.%d.self_attn.v_proj.weight", i);
    put(w, D, HEADS * E, "model.layers.%d.self_attn.o_proj.weight", i);
    if (!experts) {
        put(w, F, D, "model.layers.%d.mlp.gate_proj.weight", i);
        put(w, F, D, "model.layers.%d.mlp.up_proj.weight", i);
        put(w, D, F, "model.layers.%d.mlp.down_proj.weight", i);
        return;
    }
    put(w, EXPERTS, D, "model.layers.%d.block_sparse_moe.gate.weight", i);
    for (int e = 0; e < EXPERTS; e++) {
        put(w, EXPERT_F, D, "model.layers.%d.block_sparse_moe.experts.%d.w1.weight", i, e);
        put(w, EXPERT_F, D, "model.layers.%d.block_sparse_moe.experts.%d.w3.weight", i, e);
        put(w, D, EXPERT_F, "model.layers.%d.block_sparse_moe.experts.%d.w2.weight", i, e);
    }
}

static void write_model(const char *dir, bool experts)
{
    char config[1024], path[128];
    snprintf(path, sizeof path, "%s/model.safetensors", dir);
    writer w = {.header = malloc(1 << 20), .data = tmpfile(), .seed = 1};
    FILE *out = fopen(path, "wb");
    assert_true(w.header && w.data && out);
    put(&w, V, D, "model.embed_tokens.weight");
    for (int i = 0; i < LAYERS; i++)
        put_layer(&w, i, experts);
    put(&w, 1, D, "model.norm.weight");
    put(&w, V, D, "lm_head.weight");
    w.header[w.header_bytes++] = '}';
    uint64_t n = w.header_bytes;
    char *data = malloc(w.bytes);
    rewind(w.data);
    assert_true(data && fread(data, 1, w.bytes, w.data) == w.bytes);
    assert_true(fwrite(&n, 8, 1, out) == 1 && fwrite(w.header, 1, n, out) == n &&
                fwrite(data, 1, w.bytes, out) == w.bytes);
    assert_int_equal(fclose(out), 0);
    fclose(w.data);
    free(data);
    free(w.header);
    n = (uint64_t)snprintf(
        config, sizeof config,
        "{\"model_type\":\"%s\",\"architectures\":[\"X\"],\"hidden_size\":%d,\"intermediate_size\":%d,"
        "\"num_hidden_layers\":%d,\"num_attention_heads\":%d,\"num_key_value_heads\":%d,\"head_dim\":64,"
        "\"vocab_size\":%d,\"max_position_embeddings\":8192,\"rms_norm_eps\":1e-5,\"rope_theta\":10000.0,"
        "\"hidden_act\":\"silu\",\"tie_word_embeddings\":false%s}",
        experts ? "mixtral" : "llama", D, experts ? EXPERT_F : F, LAYERS, HEADS, KV_HEADS, V,
        experts ? ",\"num_local_experts\":16,\"num_experts_per_tok\":2,\"sliding_window\":null" : "");
    tree_write(dir, "config.json", config, n);
}

/* ---- a pass -------------------------------------------------------------------------------------------- */

static const int lengths[] = {1100, 1000, 40, 33, 1, 130};
enum { WINDOWS = SG_ARRAY_LEN(lengths) };

typedef struct scores {
    double influence[SUBSETS][LAYERS], nll[SUBSETS]; /* sums over positions */
} scores;

static int see_layer(void *self, const sg_layer_event *e, sg_error *err)
{
    (void)err;
    scores *s = self;
    sg_test_fault("look");
    for (int i = 0; i < e->n; i++) {
        double dot = 0, before = 0, after = 0;
        for (int d = 0; d < D; d++) {
            double b = (double)e->before[i * D + d], a = (double)e->after[i * D + d];
            dot += a * b;
            before += b * b;
            after += a * a;
        }
        for (int j = 0; j < e->n_subsets; j++)
            s->influence[e->subsets[j]][e->layer] += 1 - dot / sqrt(before * after);
    }
    return SG_OK;
}

static int see_nll(void *self, const sg_nll_event *e, sg_error *err)
{
    (void)err;
    scores *s = self;
    for (int i = 0; i < e->n; i++)
        for (int j = 0; j < e->n_subsets && e->at[i].pos + 1 < lengths[e->at[i].window]; j++)
            s->nll[e->subsets[j]] += (double)e->sums[i].max + log(e->sums[i].sum) - (double)e->sums[i].target;
    return SG_OK;
}

static int run(scores *s, sg_budget *budget, const sg_model *model, sg_precision precision, uint64_t memory,
               int threads, sg_error *err)
{
    static const bool keep[SUBSETS][LAYERS] = {{true, true}, {true, false}};
    static int32_t ids[4096];
    sg_window windows[WINDOWS];
    uint32_t seed = 7;
    int at = 0;
    *s = (scores){0};
    for (int w = 0; w < WINDOWS; at += lengths[w++])
        windows[w] = (sg_window){ids + at, lengths[w], false};
    for (int i = 0; i < at; i++) {
        seed = seed * 1664525u + 1013904223u;
        ids[i] = (int32_t)(seed >> 16) % V;
    }
    sg_observer observer = {.layer = see_layer, .nll = see_nll, .self = s};
    sg_pass pass = {.model = model,
                    .windows = windows,
                    .n_windows = WINDOWS,
                    .keep = &keep[0][0],
                    .n_subsets = SUBSETS,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = precision,
                    .memory = memory,
                    .threads = threads,
                    .kernel = kernel,
                    .stage = "test"};
    sg_pass_result result;
    int rc = sg_budget_make(budget, &pass, err);
    return rc ? rc : sg_pass_run(&pass, &result, err);
}

/* Largest difference of a mean over positions. */
static double distance(const scores *a, const scores *b)
{
    double most = 0;
    for (int i = 0; i < SUBSETS; i++) {
        double d = fabs(a->nll[i] - b->nll[i]);
        most = !(d <= most) ? d : most;
        for (int l = 0; l < LAYERS; l++) {
            d = fabs(a->influence[i][l] - b->influence[i][l]);
            most = !(d <= most) ? d : most;
        }
    }
    int n = 0;
    for (int w = 0; w < WINDOWS; w++)
        n += lengths[w];
    return most / n;
}

/* A pass within the bound allocates no more, and finds the same; false: it refuses the bound. */
static bool keeps_bound(const scores *want, sg_budget *budget, const sg_model *model, sg_precision precision,
                        uint64_t memory, int threads, double tolerance, sg_error *err)
{
    scores got;
    size_t before = peak = in_use();
    int rc = run(&got, budget, model, precision, memory, threads, err);
    if (rc == SG_ERR_NOMEM && strstr(err->message, "--memory"))
        return false;
    if (rc)
        fail_msg("%s", err->message);
    if (peak - before > memory)
        fail_msg("%zu bytes were allocated with a bound of %llu and %d threads", peak - before,
                 (unsigned long long)memory, threads);
    if (!(distance(want, &got) <= tolerance))
        fail_msg("with a bound of %llu scores differ by %g", (unsigned long long)memory, distance(want, &got));
    return true;
}

/* From a bound that is refused and one that is not, to 1 in 20. */
static void check_least(const scores *want, uint64_t refused, uint64_t taken, const sg_model *model,
                        sg_precision precision, int threads, double tolerance)
{
    sg_error err = {0};
    sg_budget budget;
    while (taken - refused > taken / 20) {
        uint64_t middle = refused + (taken - refused) / 2;
        if (keeps_bound(want, &budget, model, precision, middle, threads, tolerance, &err))
            taken = middle;
        else
            refused = middle;
    }
}

static void check_bounds(const sg_model *model, sg_precision precision, double tolerance)
{
    scores want;
    sg_error err = {0};
    sg_budget budget, smallest = {0};
    uint64_t memory = 64000000;
    int step = 0, rc = run(&want, &budget, model, precision, (uint64_t)1 << 40, 2, &err);
    if (rc)
        fail_msg("%s", err.message);
    assert_true(budget.chunks == 1 && budget.fetch && !budget.experts_apart);
    for (; keeps_bound(&want, &budget, model, precision, memory, 1 + step % 3, tolerance, &err); step++) {
        smallest = budget;
        memory -= memory / 8;
    }
    assert_in_range(step, 2, 20);
    assert_in_range(smallest.chunks, 2, 4);
    assert_int_equal(smallest.experts_apart, model->spec.layers[0].n_experts > 0);
    check_least(&want, memory, 2 * memory, model, precision, 2, tolerance);
}

static void check_model(bool experts)
{
    char dir[64];
    sg_error err = {0};
    sg_model *model;
    tree_make(dir);
    write_model(dir, experts);
    if (sg_model_open(&model, dir, &err))
        fail_msg("%s", err.message);
    check_bounds(model, SG_PRECISION_F32, 1e-6);
    if (sg_precision_effective(SG_PRECISION_AUTO) == SG_PRECISION_BF16)
        check_bounds(model, SG_PRECISION_BF16, 1e-4);
    sg_model_free(model);
    tree_remove(dir);
}

static void test_dense(void **state)
{
    (void)state;
    check_model(false);
}

static void test_experts(void **state)
{
    (void)state;
    check_model(true);
}

static void test_wide(void **state)
{
    (void)state;
    char dir[64];
    sg_error err = {0};
    sg_model *model;
    scores want;
    sg_budget budget;
    D = 64;
    F = WIDE;
    kernel = SG_MM_AMX;
    tree_make(dir);
    write_model(dir, false);
    if (sg_model_open(&model, dir, &err) || run(&want, &budget, model, SG_PRECISION_AUTO, (uint64_t)1 << 40, 2, &err))
        fail_msg("%s", err.message);
    check_least(&want, 150000000, 300000000, model, SG_PRECISION_AUTO, 2, 1e-4);
    sg_model_free(model);
    tree_remove(dir);
    D = 256;
    F = 1024;
    kernel = SG_MM_FASTEST;
}

/* The least bound that a pass with this observer accepts. */
static uint64_t least_bound(const sg_model *model, bool keeps_logits)
{
    static const bool keep[LAYERS] = {true, true};
    static const int32_t ids[2];
    uint64_t low = 1, high = 1 << 30;
    const sg_window window = {ids, 2, false};
    scores s;
    const sg_observer observer = {.nll = see_nll, .self = &s, .keeps_logits = keeps_logits};
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        sg_budget budget;
        const sg_pass pass = {.model = model,
                              .windows = &window,
                              .n_windows = 1,
                              .keep = keep,
                              .n_subsets = 1,
                              .observers = &observer,
                              .n_observers = 1,
                              .precision = SG_PRECISION_F32,
                              .memory = middle,
                              .threads = 1};
        if (sg_budget_make(&budget, &pass, NULL) == SG_OK)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* An observer that keeps a block of logits is counted with it. */
static void test_kept_logits(void **state)
{
    (void)state;
    char dir[64];
    sg_error err = {0};
    sg_model *model;
    tree_make(dir);
    write_model(dir, false);
    if (sg_model_open(&model, dir, &err))
        fail_msg("%s", err.message);
    assert_int_equal(least_bound(model, true) - least_bound(model, false), sg_block_rows(1) * V * 4);
    sg_model_free(model);
    tree_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dense), cmocka_unit_test(test_experts),
                                       cmocka_unit_test(test_wide), cmocka_unit_test(test_kept_logits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
