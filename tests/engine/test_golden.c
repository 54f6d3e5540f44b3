/* Tiny random models against transformers' f32 numbers: the stream at every layer boundary and the logits, of the whole
 * model and without some layers; any chunks and threads. Tolerance: max |a - b| <= 1e-4 max |b| over each boundary. */
#include <math.h>

#include "engine/pass.h"
#include "golden.h"

enum { WINDOWS = 2, SUBSETS = 2 };

/* Each model's numbers are NAME.txt and NAME.bin; its HF directory NAME, its GGUF NAME.gguf. */
static const struct {
    const char *name;
    bool no_gguf; /* llama.cpp takes no such model, if nothing else is said */
} models[] = {
    {"tiny_llama"},      /* untied */
    {"tiny_llama_tied"}, /* tied, biases, llama3 rope, sharded */
    {"families/llama_linear"},
    {"families/llama_dynamic",
     .no_gguf = true}, /* a GGUF has no dynamic rope, and refuses windows beyond its positions */
    {"families/llama_yarn"},
    {"families/llama_llama3"},
    {"families/mistral"},
    {"families/qwen2"},
    {"families/qwen3"},
    {"families/gemma"},
    {"families/gemma2"},
    {"families/gemma3"},
    {"families/phi3"},
    {"families/phi3_longrope"},
    {"families/olmo2"},
    {"families/granite"},
    {"families/stablelm"},
    {"families/stablelm_parallel"},
    {"families/stablelm_qk"},
    {"families/gpt2"},
    {"families/gpt_neox"},
    {"families/gpt_neox_sequential"},
    {"families/starcoder2"},
    {"families/mixtral"},
    {"families/qwen2_moe"},
    {"families/qwen2_moe_mixed", .no_gguf = true},
    {"families/qwen3_moe"},
    {"families/olmoe"},
};

typedef struct seen {
    int D, V, L, T; /* T: positions of a window */
    float *hidden;  /* [L + 1][WINDOWS][T][D], of subset 0 */
    float *logits;  /* [SUBSETS][WINDOWS][T][V] */
} seen;

static bool has(const int *subsets, int n, int subset)
{
    for (int i = 0; i < n; i++)
        if (subsets[i] == subset)
            return true;
    return false;
}

static int see_layer(void *self, const sg_layer_event *e, sg_error *err)
{
    (void)err;
    seen *s = self;
    size_t D = (size_t)s->D;
    for (int i = 0; has(e->subsets, e->n_subsets, 0) && i < e->n; i++) {
        size_t row = (size_t)(e->at[i].window * s->T + e->at[i].pos), plane = (size_t)(WINDOWS * s->T);
        if (e->layer == 0)
            memcpy(s->hidden + row * D, e->before + (size_t)i * D, D * sizeof(float));
        memcpy(s->hidden + (((size_t)e->layer + 1) * plane + row) * D, e->after + (size_t)i * D, D * sizeof(float));
    }
    return SG_OK;
}

static int see_logits(void *self, const sg_logits_event *e, sg_error *err)
{
    (void)err;
    seen *s = self;
    for (int subset = 0; subset < SUBSETS; subset++)
        for (int i = 0; has(e->subsets, e->n_subsets, subset) && i < e->n; i++) {
            size_t row = (size_t)((subset * WINDOWS + e->at[i].window) * s->T + e->at[i].pos);
            memcpy(s->logits + row * (size_t)s->V + e->v0, e->logits + (size_t)i * (size_t)e->nv,
                   (size_t)e->nv * sizeof(float));
        }
    return SG_OK;
}

/* largest difference over largest expected value */
static double distance(const float *got, const float *want, size_t n)
{
    double diff = 0, top = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]);
        diff = !(d <= diff) ? d : diff; /* NaN counts */
        top = fabs((double)want[i]) > top ? fabs((double)want[i]) : top;
    }
    return diff / top;
}

static sg_model *open_model(const char *path)
{
    char full[512];
    sg_error err = {0};
    sg_model *model;
    snprintf(full, sizeof full, "%s/%s", SG_GOLDEN, path);
    if (sg_model_open(&model, full, &err))
        fail_msg("%s", err.message);
    return model;
}

/* Runs recorded ids; memory 0: the default bound. Returns what the pass returned. */
static int run(seen *s, const sg_model *model, const golden *g, const char *ids_name, sg_precision precision,
               sg_mm_kernel kernel, uint64_t memory, int threads, int *chunks, sg_error *err)
{
    size_t n_ids, n;
    const int32_t *ids = golden_array(g, ids_name, &n_ids), *removed = golden_array(g, "removed", &n);
    const sg_model_info *info = sg_model_get_info(model);
    int L = info->layers, T = (int)n_ids / WINDOWS;
    *s = (seen){.D = info->hidden, .V = info->vocab, .L = L, .T = T};
    s->hidden = calloc((size_t)((L + 1) * WINDOWS * T * s->D), sizeof(float));
    s->logits = calloc((size_t)(SUBSETS * WINDOWS * T * s->V), sizeof(float));
    bool *keep = malloc((size_t)(SUBSETS * L));
    assert_true(s->hidden && s->logits && keep);
    memset(keep, true, (size_t)(SUBSETS * L));
    for (size_t i = 0; i < n; i++)
        keep[L + removed[i]] = false;
    sg_window windows[WINDOWS] = {{ids, T, false}, {ids + T, T, false}};
    sg_observer observer = {.layer = see_layer, .logits = see_logits, .self = s};
    sg_pass pass = {.model = model,
                    .windows = windows,
                    .n_windows = WINDOWS,
                    .keep = keep,
                    .n_subsets = SUBSETS,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = precision,
                    .memory = memory,
                    .threads = threads,
                    .kernel = kernel,
                    .stage = "test"};
    sg_pass_result result;
    int rc = sg_pass_run(&pass, &result, err);
    *chunks = result.chunks;
    free(keep);
    return rc;
}

static void release(seen *s)
{
    free(s->hidden);
    free(s->logits);
}

/* The recorded array, the GGUF's own where llama.cpp computes something else. */
static const float *wanted(const golden *g, const char *array, bool gguf, size_t *n)
{
    char own[64];
    snprintf(own, sizeof own, "gguf_%s", array);
    return golden_array(g, gguf && golden_has(g, own) ? own : array, n);
}

static int check_model(const char *name, bool gguf)
{
    static const char *const arrays[SUBSETS] = {"logits", "logits_removed"};
    char path[128];
    sg_error err = {0};
    int chunks, bad = 0;
    seen s;
    size_t n;
    golden g = golden_open(name);
    snprintf(path, sizeof path, "%s%s", name, gguf ? ".gguf" : "");
    sg_model *model = open_model(path);
    if (run(&s, model, &g, "ids", SG_PRECISION_F32, SG_MM_FASTEST, 0, 0, &chunks, &err))
        fail_msg("%s: %s", path, err.message);
    size_t plane = (size_t)(WINDOWS * s.T * s.D);
    const float *hidden = wanted(&g, "hidden", gguf, &n);
    assert_int_equal(n, plane * (size_t)(s.L + 1));
    for (int i = 0; i <= s.L && !bad; i++) {
        double d = distance(s.hidden + (size_t)i * plane, hidden + (size_t)i * plane, plane);
        if (!(d <= 1e-4)) {
            print_error("%s: boundary %d is off by %g of its largest value\n", path, i, d);
            bad++;
        }
    }
    for (int i = 0; i < SUBSETS; i++) {
        const float *logits = wanted(&g, arrays[i], gguf, &n);
        double d = distance(s.logits + (size_t)i * n, logits, n);
        if (!(d <= 1e-4)) {
            print_error("%s: %s are off by %g of their largest\n", path, arrays[i], d);
            bad++;
        }
    }
    release(&s);
    if (golden_has(&g, "short_ids") && !gguf) { /* the other side of a rope that depends on the length */
        if (run(&s, model, &g, "short_ids", SG_PRECISION_F32, SG_MM_FASTEST, 0, 0, &chunks, &err))
            fail_msg("%s: %s", path, err.message);
        const float *logits = golden_array(&g, "short_logits", &n);
        double d = distance(s.logits, logits, n);
        if (!(d <= 1e-4)) {
            print_error("%s: logits of the short windows are off by %g\n", path, d);
            bad++;
        }
        release(&s);
    }
    sg_model_free(model);
    golden_close(&g);
    return bad;
}

static void test_matches_transformers(void **state)
{
    (void)state;
    int bad = 0;
    for (size_t m = 0; m < SG_ARRAY_LEN(models); m++) {
        bad += check_model(models[m].name, false);
        if (!models[m].no_gguf)
            bad += check_model(models[m].name, true);
    }
    assert_int_equal(bad, 0);
}

/* One thread or two, one chunk or several, subsets together or apart: the same numbers to 1e-6. The bound is lowered
 * until it is refused. */
static void test_any_split(void **state)
{
    (void)state;
    golden g = golden_open("tiny_llama");
    sg_model *model = open_model("tiny_llama");
    sg_error err = {0};
    int chunks, most = 0, rc = SG_OK;
    seen whole;
    assert_int_equal(run(&whole, model, &g, "ids", SG_PRECISION_F32, SG_MM_FASTEST, 0, 2, &chunks, &err), SG_OK);
    assert_int_equal(chunks, 1);
    size_t n = (size_t)(SUBSETS * WINDOWS * whole.T * whole.V);
    for (uint64_t memory = 18000000; !rc; memory -= 10000) {
        seen s;
        rc = run(&s, model, &g, "ids", SG_PRECISION_F32, SG_MM_FASTEST, memory, 1, &chunks, &err);
        double d = rc ? 0 : distance(s.logits, whole.logits, n);
        if (!(d <= 1e-6))
            fail_msg("%d chunks differ from one by %g", chunks, d);
        most = chunks > most ? chunks : most;
        release(&s);
    }
    assert_int_equal(rc, SG_ERR_NOMEM);
    assert_non_null(strstr(err.message, "--memory"));
    assert_int_equal(most, 4); /* two windows one by one, for each of the two subsets */
    release(&whole);
    sg_model_free(model);
    golden_close(&g);
}

/* Whatever multiplies: in f32 the recorded logits to 1e-4; in bf16 those of the plain loops, which round at the same
 * places: a sum in another order moves few numbers to the next bf16. This model turns bf16 itself into 4e-2 of its
 * logits: half of it. */
static void test_every_kernel(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sg_mm_kernel kernel;
        sg_precision precision;
        double most;
    } rows[] = {
        {"plain f32", SG_MM_PLAIN, SG_PRECISION_F32, 1e-4},   {"onednn f32", SG_MM_ONEDNN, SG_PRECISION_F32, 1e-4},
        {"plain bf16", SG_MM_PLAIN, SG_PRECISION_BF16, 2e-2}, {"onednn bf16", SG_MM_ONEDNN, SG_PRECISION_BF16, 2e-2},
        {"amx bf16", SG_MM_AMX, SG_PRECISION_BF16, 2e-2},     {"fastest bf16", SG_MM_FASTEST, SG_PRECISION_BF16, 2e-2},
    };
    golden g = golden_open("tiny_llama");
    sg_model *model = open_model("tiny_llama");
    size_t n;
    const float *logits = golden_array(&g, "logits", &n);
    seen plain = {0};
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        seen s;
        int chunks;
        bool native = rows[i].precision == SG_PRECISION_F32 || rows[i].kernel == SG_MM_PLAIN || sg_matmul_native_bf16();
        if (!native || !sg_mm_runs(rows[i].kernel, rows[i].precision)) {
            print_message("skip: %s does not run on this processor\n", rows[i].name);
            continue;
        }
        if (run(&s, model, &g, "ids", rows[i].precision, rows[i].kernel, 0, 2, &chunks, &err))
            fail_msg("%s: %s", rows[i].name, err.message);
        bool first_bf16 = rows[i].precision == SG_PRECISION_BF16 && !plain.logits;
        double d =
            first_bf16 ? 0 : distance(s.logits, rows[i].precision == SG_PRECISION_BF16 ? plain.logits : logits, n);
        if (!(d <= rows[i].most))
            fail_msg("%s: logits are off by %g of their largest", rows[i].name, d);
        if (first_bf16)
            plain = s;
        else
            release(&s);
    }
    release(&plain);
    sg_model_free(model);
    golden_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matches_transformers), cmocka_unit_test(test_any_split),
                                       cmocka_unit_test(test_every_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
