/* Tiny random models against transformers' f32 numbers: the stream at every layer boundary and the logits, of the whole model and without
 * some layers; any chunks and threads. Tolerance: max |a - b| <= 1e-4 max |b| over each boundary. */
#include <math.h>

#include "engine/pass.h"
#include "golden.h"

enum { WINDOWS = 2, LENGTH = 40, SUBSETS = 2 };

static const struct {
    const char *name, *path, *numbers;
} models[] = {
    {"untied, HF", "tiny_llama", "tiny_llama"},
    {"untied, GGUF", "tiny_llama.gguf", "tiny_llama"},
    {"tied, biases, llama3 rope, sharded, HF", "tiny_llama_tied", "tiny_llama_tied"},
    {"tied, biases, llama3 rope, GGUF", "tiny_llama_tied.gguf", "tiny_llama_tied"},
};

typedef struct seen {
    int D, V, L, subset;
    float *hidden; /* [L + 1][WINDOWS][LENGTH][D], of subset 0 */
    float *logits; /* [SUBSETS][WINDOWS][LENGTH][V] */
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
        size_t row = (size_t)(e->at[i].window * LENGTH + e->at[i].pos), plane = (size_t)(WINDOWS * LENGTH);
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
            size_t row = (size_t)((subset * WINDOWS + e->at[i].window) * LENGTH + e->at[i].pos);
            memcpy(s->logits + row * (size_t)s->V + e->v0, e->logits + (size_t)i * (size_t)e->nv, (size_t)e->nv * sizeof(float));
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

/* Runs the recorded ids; memory 0: the default bound. Returns what the pass returned. */
static int run(seen *s, const sg_model *model, const golden *g, sg_precision precision, uint64_t memory, int threads, int *chunks, sg_error *err)
{
    size_t n;
    const int32_t *ids = golden_array(g, "ids", &n), *removed = golden_array(g, "removed", &n);
    const sg_model_info *info = sg_model_get_info(model);
    int L = info->layers;
    *s = (seen){.D = info->hidden, .V = info->vocab, .L = L};
    s->hidden = calloc((size_t)((L + 1) * WINDOWS * LENGTH * s->D), sizeof(float));
    s->logits = calloc((size_t)(SUBSETS * WINDOWS * LENGTH * s->V), sizeof(float));
    bool *keep = malloc((size_t)(SUBSETS * L));
    assert_true(s->hidden && s->logits && keep);
    memset(keep, true, (size_t)(SUBSETS * L));
    for (size_t i = 0; i < n; i++)
        keep[L + removed[i]] = false;
    sg_window windows[WINDOWS] = {{ids, LENGTH, false}, {ids + LENGTH, LENGTH, false}};
    sg_observer observer = {.layer = see_layer, .logits = see_logits, .self = s};
    sg_pass pass = {.model = model, .windows = windows, .n_windows = WINDOWS, .keep = keep, .n_subsets = SUBSETS, .observers = &observer,
                    .n_observers = 1, .precision = precision, .memory = memory, .threads = threads, .stage = "test"};
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

static void test_matches_transformers(void **state)
{
    (void)state;
    for (size_t m = 0; m < SG_ARRAY_LEN(models); m++) {
        golden g = golden_open(models[m].numbers);
        sg_model *model = open_model(models[m].path);
        seen s;
        sg_error err = {0};
        int chunks;
        if (run(&s, model, &g, SG_PRECISION_F32, 0, 0, &chunks, &err))
            fail_msg("%s: %s", models[m].name, err.message);
        size_t n, plane = (size_t)(WINDOWS * LENGTH * s.D);
        const float *hidden = golden_array(&g, "hidden", &n);
        assert_int_equal(n, plane * (size_t)(s.L + 1));
        for (int i = 0; i <= s.L; i++) {
            double d = distance(s.hidden + (size_t)i * plane, hidden + (size_t)i * plane, plane);
            if (!(d <= 1e-4))
                fail_msg("%s: boundary %d is off by %g of its largest value", models[m].name, i, d);
        }
        static const char *const arrays[SUBSETS] = {"logits", "logits_removed"};
        for (int i = 0; i < SUBSETS; i++) {
            const float *logits = golden_array(&g, arrays[i], &n);
            double d = distance(s.logits + (size_t)i * n, logits, n);
            if (!(d <= 1e-4))
                fail_msg("%s: %s are off by %g of their largest", models[m].name, arrays[i], d);
        }
        release(&s);
        sg_model_free(model);
        golden_close(&g);
    }
}

/* One thread or two, one chunk or several, subsets together or apart: the same numbers to 1e-6. The bound is lowered until it is refused. */
static void test_any_split(void **state)
{
    (void)state;
    golden g = golden_open("tiny_llama");
    sg_model *model = open_model("tiny_llama");
    sg_error err = {0};
    int chunks, most = 0, rc = SG_OK;
    seen whole;
    assert_int_equal(run(&whole, model, &g, SG_PRECISION_F32, 0, 2, &chunks, &err), SG_OK);
    assert_int_equal(chunks, 1);
    size_t n = (size_t)(SUBSETS * WINDOWS * LENGTH * whole.V);
    for (uint64_t memory = 6000000; !rc; memory -= 10000) {
        seen s;
        rc = run(&s, model, &g, SG_PRECISION_F32, memory, 1, &chunks, &err);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matches_transformers), cmocka_unit_test(test_any_split)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
