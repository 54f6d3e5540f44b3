/* A text that goes on position by position gives the logits of the whole text: every family, both formats. Tolerance:
 * that of test_golden. */
#include <math.h>

#include "engine/generate.h"
#include "golden.h"

static const char *const models[] = {
    "tiny_llama",
    "tiny_llama_tied",
    "families/llama_linear",
    "families/llama_dynamic",
    "families/llama_yarn",
    "families/llama_llama3",
    "families/mistral",
    "families/qwen2",
    "families/qwen3",
    "families/gemma",
    "families/gemma2",
    "families/gemma3",
    "families/phi3",
    "families/phi3_longrope",
    "families/olmo2",
    "families/granite",
    "families/stablelm",
    "families/stablelm_parallel",
    "families/stablelm_qk",
    "families/gpt2",
    "families/gpt_neox",
    "families/gpt_neox_sequential",
    "families/starcoder2",
    "families/mixtral",
    "families/qwen2_moe",
    "families/qwen2_moe_mixed",
    "families/qwen3_moe",
    "families/olmoe",
};

static sg_model *open_model(const char *name, const char *suffix)
{
    char path[512];
    sg_error err = {0};
    sg_model *model;
    snprintf(path, sizeof path, "%s/%s%s", SG_GOLDEN, name, suffix);
    if (!sg_path_exists(path))
        return NULL;
    if (sg_model_open(&model, path, &err))
        fail_msg("%s", err.message);
    return model;
}

/* ---- the logits of whole windows, by the pass ----------------------------------------------------------- */

typedef struct whole {
    int V, wanted; /* the position whose logits are kept */
    float *logits;
} whole;

static int see_logits(void *self, const sg_logits_event *e, sg_error *err)
{
    (void)err;
    whole *w = self;
    for (int i = 0; i < e->n; i++)
        if (e->at[i].pos == w->wanted)
            memcpy(w->logits + e->v0, e->logits + (size_t)i * (size_t)e->nv, (size_t)e->nv * sizeof(float));
    return SG_OK;
}

/* Of the last of n positions. */
static void whole_logits(float *out, const sg_model *model, const bool *keep, const int32_t *ids, int n,
                         sg_precision precision)
{
    whole w = {sg_model_get_info(model)->vocab, n - 1, out};
    sg_window window = {ids, n, false};
    sg_observer observer = {.logits = see_logits, .self = &w};
    sg_pass pass = {.model = model,
                    .windows = &window,
                    .n_windows = 1,
                    .keep = keep,
                    .n_subsets = 1,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = precision,
                    .stage = "test"};
    sg_pass_result result;
    sg_error err = {0};
    if (sg_pass_run(&pass, &result, &err))
        fail_msg("%s", err.message);
}

static double distance(const float *got, const float *want, int n)
{
    double diff = 0, top = 0;
    for (int i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]);
        diff = !(d <= diff) ? d : diff; /* NaN counts */
        top = fabs((double)want[i]) > top ? fabs((double)want[i]) : top;
    }
    return diff / top;
}

/* For models without a list of what is removed. */
static const bool all_layers[16] = {true, true, true, true, true, true, true, true,
                                    true, true, true, true, true, true, true, true};

/* ---- tests -------------------------------------------------------------------------------------------- */

/* Feeds the ids: `first` at once, then one by one but for a pair in the middle, and
 * compares every fourth time. Returns the worst distance from the whole's logits. */
static double walk(const sg_model *model, const bool *keep, const int32_t *ids, int n, int first,
                   sg_precision precision, uint64_t memory, sg_decoder_info *info)
{
    int V = sg_model_get_info(model)->vocab, at = 0;
    float *want = malloc((size_t)V * sizeof *want);
    const float *got;
    double worst = 0;
    sg_error err = {0};
    sg_decoder *d;
    sg_decoder_opts opts = {.model = model, .keep = keep, .capacity = n, .precision = precision, .memory = memory};
    if (sg_decoder_create(&d, &opts, &err))
        fail_msg("%s", err.message);
    *info = sg_decoder_get_info(d);
    while (at < n) {
        int step = at == 0 ? first : at == n / 2 ? 2 : 1;
        step = at + step > n ? n - at : step;
        if (sg_decoder_feed(d, ids + at, step, &got, &err))
            fail_msg("%s", err.message);
        at += step;
        if (at > first && at < n && at % 4)
            continue;
        whole_logits(want, model, keep, ids, at, precision);
        double off = distance(got, want, V);
        worst = !(off <= worst) ? off : worst;
    }
    sg_decoder_free(d);
    free(want);
    return worst;
}

static int check(const char *name, const char *suffix)
{
    sg_decoder_info info;
    sg_model *model = open_model(name, suffix);
    if (!model)
        return 0;
    golden g = golden_open(name);
    size_t n_ids, n_removed;
    const int32_t *ids = golden_array(&g, "ids", &n_ids), *removed = golden_array(&g, "removed", &n_removed);
    bool keep[64];
    int bad = 0, T = (int)n_ids / 2, positions = sg_model_get_info(model)->max_positions;
    T = positions && T > positions ? positions : T;
    for (int subset = 0; subset < 2; subset++) {
        memset(keep, true, sizeof keep);
        for (size_t i = 0; subset && i < n_removed; i++)
            keep[removed[i]] = false;
        double worst = walk(model, keep, ids, T, subset ? 5 : T / 2 - 1, SG_PRECISION_F32, 0, &info);
        if (!(worst <= 1e-4) || !info.held_all) {
            print_error("%s%s, subset %d: off by %g\n", name, suffix, subset, worst);
            bad++;
        }
    }
    sg_model_free(model);
    golden_close(&g);
    return bad;
}

static void test_goes_on_as_the_whole(void **state)
{
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(models); i++)
        bad += check(models[i], "") + check(models[i], ".gguf");
    assert_int_equal(bad, 0);
}

/* Weights that stay, some of them, or none: the same. The bound is lowered until it is refused. */
static void test_any_memory(void **state)
{
    (void)state;
    golden g = golden_open("tiny_llama");
    size_t n;
    const int32_t *ids = golden_array(&g, "ids", &n);
    sg_model *model = open_model("tiny_llama", "");
    sg_decoder_info info;
    sg_error err = {0};
    bool all = false, some = false, none = false;
    int rc = SG_OK;
    for (uint64_t memory = 8000000; !rc; memory -= 50000) {
        sg_decoder *d;
        sg_decoder_opts opts = {.model = model, .capacity = 24, .precision = SG_PRECISION_F32, .memory = memory};
        rc = sg_decoder_create(&d, &opts, &err);
        if (rc)
            break;
        info = sg_decoder_get_info(d);
        sg_decoder_free(d);
        bool *seen = info.held_all ? &all : info.held ? &some : &none;
        if (!*seen) {
            assert_true(info.bytes <= memory);
            assert_true(walk(model, all_layers, ids, 24, 8, SG_PRECISION_F32, memory, &info) <= 1e-5);
            *seen = true;
        }
    }
    assert_int_equal(rc, SG_ERR_NOMEM);
    assert_true(all && some && none);
    sg_model_free(model);
    golden_close(&g);
}

static void feed_all(float *logits, sg_decoder *d, const int32_t *ids, int n, int V)
{
    const float *got;
    sg_error err = {0};
    if (sg_decoder_feed(d, ids, n / 2, &got, &err) || sg_decoder_feed(d, ids + n / 2, n - n / 2, &got, &err))
        fail_msg("%s", err.message);
    memcpy(logits, got, (size_t)V * sizeof *logits);
}

/* One decoder by turns with all layers and without some: bit for bit what decoders that have just these give, whether
 * weights stay or not. */
static void test_use(void **state)
{
    (void)state;
    static const char *const rows[] = {"all weights stay", "some do not"};
    static const bool all[] = {true, true, true, true}, part[] = {false, true, false, true};
    golden g = golden_open("tiny_llama");
    size_t n_ids;
    const int32_t *ids = golden_array(&g, "ids", &n_ids);
    sg_model *model = open_model("tiny_llama", "");
    int V = sg_model_get_info(model)->vocab, n = 16;
    float *want[2] = {malloc((size_t)V * sizeof(float)), malloc((size_t)V * sizeof(float))};
    float *got = malloc((size_t)V * sizeof(float));
    sg_error err = {0};
    sg_decoder *d;
    sg_decoder_opts opts = {.model = model, .capacity = n, .precision = SG_PRECISION_F32};
    sg_decoder_info alone[2], info;
    for (int i = 0; i < 2; i++) {
        opts.keep = i ? part : all;
        assert_int_equal(sg_decoder_create(&d, &opts, &err), SG_OK);
        alone[i] = sg_decoder_get_info(d);
        feed_all(want[i], d, ids, n, V);
        sg_decoder_free(d);
    }
    opts.keep = NULL;
    for (size_t row = 0; row < SG_ARRAY_LEN(rows); row++) {
        opts.memory = row ? alone[1].bytes : 0;
        if (sg_decoder_create(&d, &opts, &err))
            fail_msg("%s: %s", rows[row], err.message);
        assert_int_equal(sg_decoder_get_info(d).held_all, row == 0);
        for (int turn = 0; turn < 4; turn++) {
            sg_decoder_use(d, turn % 2 ? part : turn ? all : NULL);
            info = sg_decoder_get_info(d);
            feed_all(got, d, ids, n, V);
            if (memcmp(got, want[turn % 2], (size_t)V * sizeof *got))
                fail_msg("%s, turn %d: other logits", rows[row], turn);
            assert_int_equal(info.layers, alone[turn % 2].layers);
            if (row == 0)
                assert_int_equal(info.bytes, alone[turn % 2].bytes);
        }
        sg_decoder_free(d);
    }
    free(want[0]);
    free(want[1]);
    free(got);
    sg_model_free(model);
    golden_close(&g);
}

/* bf16: keys and values are rounded as the whole's, so only sums differ. */
static void test_bf16(void **state)
{
    (void)state;
    golden g = golden_open("families/gemma2");
    size_t n;
    const int32_t *ids = golden_array(&g, "ids", &n);
    sg_model *model = open_model("families/gemma2", "");
    sg_decoder_info info;
    sg_decoder *d;
    sg_error err = {0};
    sg_decoder_opts opts = {.model = model, .capacity = 4, .precision = SG_PRECISION_BF16};
    int rc = sg_decoder_create(&d, &opts, &err);
    sg_decoder_free(d);
    if (rc == SG_ERR_REFUSED) { /* this processor has no bf16 products */
        sg_model_free(model);
        golden_close(&g);
        skip();
    }
    double worst = walk(model, all_layers, ids, (int)n / 2, 7, SG_PRECISION_BF16, 0, &info);
    if (!(worst <= 0.02))
        fail_msg("off by %g", worst);
    sg_model_free(model);
    golden_close(&g);
}

static void test_refusals(void **state)
{
    (void)state;
    sg_model *model = open_model("tiny_llama", "");
    sg_decoder *d;
    sg_error err = {0};
    sg_decoder_opts opts = {.model = model, .capacity = 1 << 20};
    assert_int_equal(sg_decoder_create(&d, &opts, &err), SG_ERR_REFUSED);
    assert_non_null(strstr(err.message, "positions"));
    sg_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_goes_on_as_the_whole), cmocka_unit_test(test_any_memory),
                                       cmocka_unit_test(test_use), cmocka_unit_test(test_bf16),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
