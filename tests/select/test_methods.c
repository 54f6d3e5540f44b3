/* What methods measure on tiny models against transformers' numbers (tests/golden/make_methods.py), with one thread and
 * two. Tolerance: float32 of the stream, 1e-4 of the value or 2e-5. */
#include <json-c/json.h>
#include <math.h>

#include "core/mem.h"
#include "engine/budget.h"
#include "golden.h"
#include "measure/divergence.h"
#include "measure/likelihood.h"
#include "select/chooser.h"
#include "select/stable.h"

enum { WINDOWS = 2, MOST = 16 };

static json_object *all_golden, *golden_of;
static sg_model *model;
static sg_window list[WINDOWS];
static int32_t *ids;
static int L;
static const sg_run_opts runs[] = {{.precision = SG_PRECISION_F32, .threads = 1},
                                   {.precision = SG_PRECISION_F32, .threads = 2}};

static json_object *get(const char *key)
{
    json_object *v;
    if (!json_object_object_get_ex(golden_of, key, &v))
        fail_msg("methods.json has no %s", key);
    return v;
}

static double number(const char *key, int i, int j)
{
    json_object *v = get(key);
    if (i >= 0)
        v = json_object_array_get_idx(v, (size_t)i);
    if (j >= 0)
        v = json_object_array_get_idx(v, (size_t)j);
    return json_object_get_double(v);
}

static void close_to(const char *what, int i, double got, double want)
{
    if (!(fabs(got - want) <= fmax(1e-4 * fabs(want), 2e-5)))
        fail_msg("%s %d is %.8f, transformers gives %.8f", what, i, got, want);
}

static void open_model(const char *name)
{
    char path[512];
    sg_error err = {0};
    size_t n;
    golden g = golden_open(name);
    const int32_t *recorded = golden_array(&g, "ids", &n);
    ids = malloc(n * sizeof *ids);
    memcpy(ids, recorded, n * sizeof *ids);
    golden_close(&g);
    for (int w = 0; w < WINDOWS; w++)
        list[w] = (sg_window){.ids = ids + (size_t)w * n / WINDOWS, .n = (int)n / WINDOWS};
    snprintf(path, sizeof path, "%s/%s.gguf", SG_GOLDEN, name);
    if (sg_model_open(&model, path, &err))
        fail_msg("%s", err.message);
    L = model->spec.n_layers;
    json_object_object_get_ex(all_golden, name, &golden_of);
    assert_true(golden_of && 2 * L <= MOST);
}

static void close_model(void)
{
    sg_model_free(model);
    free(ids);
}

static sg_windows windows(void)
{
    return (sg_windows){.windows = list, .n = WINDOWS, .window = list[0].n};
}

static void check_trials(const sg_run_opts *run)
{
    bool keep[(MOST + 1) * MOST];
    double nll[MOST + 1], kl[MOST + 1];
    sg_error err = {0};
    sg_trial trial = {.model = model, .run = run, .windows = windows(), .stage = ""};
    memset(keep, true, sizeof keep);
    for (int i = 0; i < L; i++)
        keep[(i + 1) * L + i] = false;
    if (sg_trial_run(&trial, keep, L + 1, nll, kl, &err))
        fail_msg("%s", err.message);
    close_to("nll", -1, nll[0], number("nll", -1, -1));
    for (int i = 0; i < L; i++) {
        close_to("nll without layer", i, nll[i + 1], number("nll_without", i, -1));
        close_to("divergence without layer", i, kl[i + 1], number("kl", i, -1));
    }
    trial.halves = true;
    memset(keep, true, sizeof keep);
    for (int u = 0; u < 2 * L; u++)
        keep[(u + 1) * 2 * L + u] = false;
    if (sg_trial_run(&trial, keep, 2 * L + 1, nll, NULL, &err))
        fail_msg("%s", err.message);
    for (int u = 0; u < 2 * L; u++)
        close_to("nll without half", u, nll[u + 1], number("nll_without_half", u, -1));
}

static void check_greedy(const sg_run_opts *run, bool kl, const char *key)
{
    bool candidates[MOST];
    sg_greedy greedy;
    sg_error err = {0};
    sg_trial trial = {.model = model, .run = run, .windows = windows(), .stage = ""};
    memset(candidates, true, sizeof candidates);
    assert_int_equal(sg_greedy_init(&greedy, &trial, L, candidates, kl, &err), SG_OK);
    for (int n = 0; n < L - 1; n++) {
        int unit;
        double value, nll;
        if (sg_greedy_round(&greedy, &unit, &value, &nll, NULL, NULL, &err))
            fail_msg("%s", err.message);
        if (unit != (int)number(key, n, -1))
            fail_msg("%s: round %d removes layer %d, not %d", key, n, unit, (int)number(key, n, -1));
    }
    sg_greedy_dispose(&greedy);
    memset(candidates, false, sizeof candidates);
    assert_int_equal(sg_greedy_init(&greedy, &trial, L, candidates, kl, &err), SG_OK);
    int unit;
    double value, nll;
    assert_int_equal(sg_greedy_round(&greedy, &unit, &value, &nll, NULL, NULL, &err), SG_ERR_REFUSED);
    sg_greedy_dispose(&greedy);
}

/* A calibration over the recorded windows, read in two passes. */
static void calibrate(sg_calibration *c, const sg_run_opts *run)
{
    sg_error err = {0};
    *c = (sg_calibration){.model = model,
                          .run = run,
                          .needs = SG_NEEDS_INFLUENCE | SG_NEEDS_LAST_ANGLES | SG_NEEDS_ALL_ANGLES,
                          .windows = windows()};
    if (sg_influence_init(&c->influence, list, WINDOWS, L, 0, &err) ||
        sg_angular_init(&c->last, list, WINDOWS, model, false, &err) ||
        sg_angular_init(&c->all, list, WINDOWS, model, true, &err) || sg_calibration_read(c, 1, &err) ||
        sg_calibration_read(c, WINDOWS, &err))
        fail_msg("%s", err.message);
}

static void release(sg_calibration *c)
{
    c->windows = (sg_windows){0}; /* ours */
    sg_calibration_dispose(c);
}

static void check_scores(const sg_run_opts *run)
{
    sg_calibration c;
    double values[MOST];
    calibrate(&c, run);
    for (int i = 0; i <= L; i++)
        for (int j = i + 1; j <= L; j++) {
            close_to("angle at the last token", i, sg_block_angle(&c, false, i, j - i, NULL), number("angular_last", i, j));
            close_to("angle at all tokens", i, sg_block_angle(&c, true, i, j - i, NULL), number("angular_all", i, j));
        }
    sg_unit_values(&c, SG_METHOD_RELATIVE_MAGNITUDE, true, 0, NULL, values);
    for (int u = 0; u < 2 * L; u++)
        close_to("magnitude of half", u, values[u], number("half_magnitude", u, -1));
    for (int n = 1; n < L; n++) {
        double value, least = 1;
        int first = sg_best_block(&c, true, n, NULL, NULL, &value), best = -1;
        for (int i = 0; i + n <= L; i++)
            if (number("angular_all", i, i + n) <= least) {
                least = number("angular_all", i, i + n);
                best = i;
            }
        assert_int_equal(first, best);
    }
    release(&c);
}

static void test_against_transformers(void **state)
{
    (void)state;
    static const char *const names[] = {"tiny_llama", "tiny_llama_tied"};
    for (size_t m = 0; m < SG_ARRAY_LEN(names); m++) {
        open_model(names[m]);
        for (size_t i = 0; i < SG_ARRAY_LEN(runs); i++) {
            check_trials(&runs[i]);
            check_greedy(&runs[i], false, "greedy");
            check_greedy(&runs[i], true, "greedy_kl");
            check_scores(&runs[i]);
        }
        close_model();
    }
}

/* Mean, 99th percentile and agreement of one layer's absence; windows apart and together. */
static void test_divergence(void **state)
{
    (void)state;
    open_model("tiny_llama");
    for (int layer = 0; layer < L; layer++) {
        bool keep[2 * MOST];
        sg_error err = {0};
        sg_divergence d;
        sg_divergence_stats both, first, second;
        sg_pass_result result;
        memset(keep, true, sizeof keep);
        keep[L + layer] = false;
        assert_int_equal(sg_divergence_init(&d, list, WINDOWS, 2, &err), SG_OK);
        sg_observer observer = sg_divergence_observer(&d);
        sg_pass pass = {.model = model, .windows = list, .n_windows = WINDOWS, .keep = keep, .n_subsets = 2,
                        .reference = true, .observers = &observer, .n_observers = 1, .precision = SG_PRECISION_F32};
        if (sg_pass_run(&pass, &result, &err))
            fail_msg("%s", err.message);
        assert_int_equal(sg_divergence_of(&d, 1, 0, WINDOWS, &both, &err), SG_OK);
        assert_int_equal(sg_divergence_of(&d, 1, 0, 1, &first, &err), SG_OK);
        assert_int_equal(sg_divergence_of(&d, 1, 1, 1, &second, &err), SG_OK);
        assert_int_equal(both.n, WINDOWS * (list[0].n - 1));
        close_to("divergence", layer, both.kl, number("kl", layer, -1));
        close_to("divergence, windows apart", layer, (first.kl + second.kl) / 2, number("kl", layer, -1));
        close_to("99th percentile", layer, both.kl_p99, number("kl_p99", layer, -1));
        close_to("top 1", layer, both.top1, number("top1", layer, -1));
        sg_divergence_dispose(&d);
    }
    close_model();
}

/* With the least memory each subset goes beside the reference in a group of its own, window by window: nothing changes. */
static void test_groups(void **state)
{
    (void)state;
    open_model("tiny_llama");
    bool keep[(MOST + 1) * MOST];
    sg_error err = {0};
    sg_pass_result result;
    sg_divergence d[2];
    sg_likelihood lik[2];
    memset(keep, true, sizeof keep);
    for (int i = 0; i < L; i++)
        keep[(i + 1) * L + i] = false;
    sg_pass pass = {.model = model, .windows = list, .n_windows = WINDOWS, .keep = keep, .n_subsets = L + 1,
                    .reference = true, .n_observers = 2, .precision = SG_PRECISION_F32, .threads = 1};
    for (int small = 0; small < 2; small++) {
        assert_int_equal(sg_divergence_init(&d[small], list, WINDOWS, L + 1, &err), SG_OK);
        assert_int_equal(sg_likelihood_init(&lik[small], list, WINDOWS, L + 1, &err), SG_OK);
        sg_observer observers[] = {sg_divergence_observer(&d[small]), {.nll = sg_likelihood_nll, .self = &lik[small]}};
        sg_budget budget;
        pass.observers = observers;
        for (pass.memory = small ? 4096 : 0; small && sg_budget_make(&budget, &pass, NULL);)
            pass.memory += 4096;
        if (sg_pass_run(&pass, &result, &err))
            fail_msg("%s", err.message);
        assert_int_equal(result.chunks, small ? L * WINDOWS : 1);
    }
    assert_memory_equal(lik[0].nll, lik[1].nll, (size_t)(L + 1) * WINDOWS * sizeof *lik[0].nll);
    assert_memory_equal(d[0].kl, d[1].kl, (size_t)L * d[0].positions * sizeof *d[0].kl);
    for (int i = 0; i < 2; i++) {
        sg_divergence_dispose(&d[i]);
        sg_likelihood_dispose(&lik[i]);
    }
    close_model();
}

/* The same sets by the chooser, with some layers that may not go. */
static void test_allowed(void **state)
{
    (void)state;
    open_model("tiny_llama");
    const bool allowed[] = {true, true, false, true};
    for (int m = 0; m < SG_N_METHODS; m++) {
        sg_calibration c;
        sg_chooser chooser;
        sg_error err = {0};
        sg_trial trial = {.model = model, .run = &runs[0], .windows = windows(), .stage = ""};
        sg_choose_opts opts = {.allowed = allowed, .candidates = L};
        calibrate(&c, &runs[0]);
        assert_int_equal(sg_chooser_init(&chooser, (sg_method)m, &opts, &c, &trial, 2, &err), SG_OK);
        int rc = SG_OK, n = 0;
        for (; !(rc = sg_chooser_next(&chooser, &err)); n++) {
            int gone = 0;
            for (int i = 0; i < L; i++)
                gone += chooser.gone[i];
            if (chooser.gone[2] || gone != n + 1)
                fail_msg("%s: %d layers are gone after %d steps%s", sg_method_name((sg_method)m), gone, n + 1,
                         chooser.gone[2] ? ", layer 2 too" : "");
        }
        assert_int_equal(rc, SG_ERR_REFUSED);
        bool blocks = m == SG_METHOD_ANGULAR || m == SG_METHOD_ANGULAR_ALL;
        if (n != (blocks ? 2 : 3))
            fail_msg("%s: %d layers could go: %s", sg_method_name((sg_method)m), n, err.message);
        sg_chooser_dispose(&chooser);
        release(&c);
    }
    static const char *const why[] = {NULL, NULL, "it alone is 2", NULL};
    sg_choice *choice = NULL;
    sg_error err = {0};
    sg_choose_opts opts = {.allowed = allowed, .why = why, .method = SG_METHOD_REVERSE, .remove = 2};
    assert_int_equal(sg_choose(&choice, model, &opts, &err), SG_OK);
    assert_int_equal(choice->removed[0], 1);
    assert_int_equal(choice->removed[1], 3);
    sg_choice_free(choice);
    const bool one[] = {false, true, false, false};
    opts.allowed = one;
    opts.why = (const char *const[]){"it comes first", NULL, "it alone is 2", "it is the last"};
    assert_int_equal(sg_choose(&choice, model, &opts, &err), SG_ERR_REFUSED);
    assert_string_equal(err.message, "2 are to go, but only 1 of 4 can; layer 0: it comes first");
    close_model();
}

/* Two windows that agree are stable; when they do not, half of the samples choose otherwise. */
static void test_stable(void **state)
{
    (void)state;
    open_model("tiny_llama");
    static const struct { const char *name; double bi[2][2]; bool stable; } rows[] = {
        {"agree", {{1, 1}, {3, 3}}, true},
        {"contradict", {{1, 4}, {3, 1}}, false},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_calibration c;
        bool stable;
        const bool allowed[] = {true, true, false, false};
        sg_choose_opts opts = {.allowed = allowed, .seed = 1};
        calibrate(&c, &runs[0]);
        for (int layer = 0; layer < 2; layer++)
            for (int w = 0; w < WINDOWS; w++) {
                sg_influence_sums *s = &c.influence.sums[layer * WINDOWS + w];
                s->bi = rows[i].bi[layer][w] * s->n;
            }
        assert_int_equal(sg_choice_stable(&c, &opts, 1, &stable, NULL), SG_OK);
        if (stable != rows[i].stable)
            fail_msg("%s: %s", rows[i].name, stable ? "stable" : "not stable");
        c.read = 1; /* one window agrees with itself */
        assert_int_equal(sg_choice_stable(&c, &opts, 1, &stable, NULL), SG_OK);
        assert_false(stable);
        release(&c);
    }
    close_model();
}

static void test_rank(void **state)
{
    (void)state;
    static const double values[] = {3, 1, NAN, 1, 2};
    static const bool allowed[] = {true, true, true, true, false};
    static const int all[] = {3, 1, 4, 0}, some[] = {3, 1, 0};
    int order[5];
    assert_int_equal(sg_rank(values, 5, NULL, order), 4);
    assert_memory_equal(order, all, sizeof all);
    assert_int_equal(sg_rank(values, 5, allowed, order), 3);
    assert_memory_equal(order, some, sizeof some);
}

static int setup(void **state)
{
    (void)state;
    all_golden = json_object_from_file(SG_GOLDEN "/methods.json");
    return all_golden ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    json_object_put(all_golden);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_transformers), cmocka_unit_test(test_divergence), cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_stable),               cmocka_unit_test(test_rank),      cmocka_unit_test(test_groups),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
