/* The choices observer against the recorded logits, and windows that share their beginning against whole ones, in every family. */
#include <math.h>

#include "golden.h"
#include "measure/choices.h"

enum { T = 40, MAX_ROWS = 4 * T };

static const char *const models[] = {
    "tiny_llama", "tiny_llama.gguf", "tiny_llama_tied", "families/llama_dynamic", "families/llama_yarn", "families/mistral",
    "families/qwen3", "families/gemma2", "families/gemma3", "families/gemma3.gguf", "families/phi3_longrope", "families/olmo2",
    "families/stablelm_parallel", "families/gpt2", "families/gpt_neox", "families/starcoder2", "families/mixtral", "families/qwen2_moe",
};

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

/* Probes for every row of the windows, whose targets are all there; scores [n] of the whole model. */
static size_t probe_all(sg_token_score *scores, const sg_model *model, const sg_window *windows, int n_windows, uint64_t memory)
{
    static sg_probe probes[MAX_ROWS];
    size_t n = 0;
    sg_choices choices;
    sg_error err = {0};
    bool keep[64];
    memset(keep, true, sizeof keep);
    for (int w = 0; w < n_windows; w++)
        for (int pos = 0; pos < windows[w].n; pos++)
            probes[n++] = (sg_probe){{w, pos}, windows[w].targets[pos]};
    assert_int_equal(sg_choices_init(&choices, probes, n, n_windows, 1, &err), SG_OK);
    sg_observer observer = {.nll = sg_choices_nll, .logits = sg_choices_logits, .self = &choices};
    sg_pass pass = {.model = model, .windows = windows, .n_windows = n_windows, .keep = keep, .n_subsets = 1, .observers = &observer,
                    .n_observers = 1, .precision = SG_PRECISION_F32, .memory = memory, .threads = 2, .stage = "test"};
    sg_pass_result result;
    if (sg_pass_run(&pass, &result, &err))
        fail_msg("%s", err.message);
    memcpy(scores, choices.scores, n * sizeof *scores);
    sg_choices_dispose(&choices);
    return n;
}

static void test_recorded_logits(void **state)
{
    (void)state;
    golden g = golden_open("tiny_llama");
    sg_model *model = open_model("tiny_llama");
    size_t n_ids, n_logits;
    const int32_t *ids = golden_array(&g, "ids", &n_ids);
    const float *logits = golden_array(&g, "logits", &n_logits);
    int V = sg_model_get_info(model)->vocab;
    int32_t targets[2 * T];
    for (int i = 0; i < 2 * T; i++)
        targets[i] = (i * 37 + 5) % V;
    targets[3] = -1; /* nothing is wanted of that row */
    sg_window windows[2] = {{.ids = ids, .n = T, .targets = targets}, {.ids = ids + T, .n = T, .targets = targets + T}};
    sg_token_score scores[MAX_ROWS];
    assert_int_equal(probe_all(scores, model, windows, 2, 0), 2 * T);
    for (int i = 0; i < 2 * T; i++) {
        const float *row = logits + i * V;
        double sum = 0;
        int best = 0;
        for (int v = 0; v < V; v++) {
            sum += exp((double)row[v]);
            best = row[v] > row[best] ? v : best;
        }
        if (i == 3)
            assert_true(isnan(scores[i].logp));
        else if (fabs(scores[i].logp - ((double)row[targets[i]] - log(sum))) > 1e-4 || scores[i].best != best)
            fail_msg("row %d: %f, best %d; expected %f, best %d", i, scores[i].logp, scores[i].best, (double)row[targets[i]] - log(sum), best);
    }
    golden_close(&g);
    sg_model_free(model);
}

/* Four texts: the second begins like the first, the third like the second, the fourth like the first. */
static const struct {
    int shared, back;
} chain[4] = {{0, 0}, {17, 1}, {22, 1}, {9, 3}};

static void test_shared_beginnings(void **state)
{
    (void)state;
    enum { N = 32 }; /* as many positions as all of them have */
    int32_t ids[4][N], targets[4][N];
    int shared_models = 0;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        sg_model *model = open_model(models[m]);
        int V = sg_model_get_info(model)->vocab;
        if (!sg_rope_lengths_alike(model, N)) { /* their angles differ, so nothing can be shared */
            sg_model_free(model);
            continue;
        }
        shared_models++;
        for (int w = 0; w < 4; w++)
            for (int t = 0; t < N; t++) {
                ids[w][t] = t < chain[w].shared ? ids[w - chain[w].back][t] : (t * t + 31 * w + 7) % (V - 8);
                targets[w][t] = (t + w) % V;
            }
        sg_window whole[4], parts[4];
        for (int w = 0; w < 4; w++) {
            int from = chain[w].shared;
            whole[w] = (sg_window){.ids = ids[w], .n = N, .targets = targets[w]};
            parts[w] = (sg_window){.ids = ids[w] + from, .n = N - from, .targets = targets[w] + from, .shared = from, .back = chain[w].back};
        }
        sg_token_score a[MAX_ROWS], b[MAX_ROWS];
        size_t n = probe_all(a, model, whole, 4, 0), at = 0;
        assert_int_equal(n, 4 * N);
        assert_int_equal(probe_all(b, model, parts, 4, 0), 4 * N - 48);
        for (int w = 0; w < 4; w++)
            for (int t = chain[w].shared; t < N; t++, at++)
                if (!(fabs(a[w * N + t].logp - b[at].logp) < 2e-5))
                    fail_msg("%s: text %d, position %d: %f alone, %f shared", models[m], w, t, a[w * N + t].logp, b[at].logp);
        sg_model_free(model);
    }
    assert_true(shared_models >= 15);
}

/* A group stays together in chunks: two groups, memory for one. */
static void test_groups_in_chunks(void **state)
{
    (void)state;
    sg_model *model = open_model("tiny_llama");
    int32_t ids[T], targets[T];
    for (int t = 0; t < T; t++)
        ids[t] = targets[t] = (t * 29 + 3) % 300;
    sg_window windows[4] = {{.ids = ids, .n = 20, .targets = targets},
                            {.ids = ids + 25, .n = 10, .targets = targets, .shared = 15, .back = 1},
                            {.ids = ids, .n = 20, .targets = targets},
                            {.ids = ids + 25, .n = 10, .targets = targets, .shared = 15, .back = 1}};
    sg_token_score a[MAX_ROWS], b[MAX_ROWS];
    assert_int_equal(sg_group_end(windows, 4, 0), 2);
    assert_int_equal(sg_group_end(windows, 4, 2), 4);
    assert_int_equal(probe_all(a, model, windows, 4, 0), 60);
    for (int i = 0; i < 30; i++)
        assert_true(a[i].logp == a[30 + i].logp);
    sg_error err = {0};
    sg_choices none;
    bool keep[64];
    memset(keep, true, sizeof keep);
    assert_int_equal(sg_choices_init(&none, NULL, 0, 4, 1, &err), SG_OK);
    sg_observer observer = {.nll = sg_choices_nll, .self = &none};
    sg_pass pass = {.model = model, .windows = windows, .n_windows = 4, .keep = keep, .n_subsets = 1, .observers = &observer, .n_observers = 1,
                    .precision = SG_PRECISION_F32, .memory = 1, .threads = 2, .stage = "test"};
    sg_pass_result result;
    assert_int_equal(sg_pass_run(&pass, &result, &err), SG_ERR_NOMEM);
    uint64_t low = 1, high = 1 << 30; /* the smallest bound that is enough */
    while (low + 1 < high) {
        pass.memory = (low + high) / 2;
        if (sg_pass_run(&pass, &result, NULL) == SG_OK)
            high = pass.memory;
        else
            low = pass.memory;
    }
    pass.memory = high;
    assert_int_equal(sg_pass_run(&pass, &result, &err), SG_OK);
    assert_int_equal(result.chunks, 2);
    sg_choices_dispose(&none);
    probe_all(b, model, windows, 4, high);
    for (int i = 0; i < 60; i++)
        assert_true(a[i].logp == b[i].logp);
    sg_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_logits),
        cmocka_unit_test(test_shared_beginnings),
        cmocka_unit_test(test_groups_in_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
