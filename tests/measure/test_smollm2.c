/* SmolLM2-135M-Instruct on the embedded texts against transformers' f32 numbers (tests/golden/make_smollm2.py). The model is downloaded,
 * never committed: `make test` sets SHORTGPT_TEST_MODEL to it. */
#include <json-c/json.h>
#include <math.h>

#include "engine/matmul.h"
#include "golden.h"

static json_object *golden_json, *score_golden, *eval_golden;
static sg_model *model;

static json_object *get(json_object *o, const char *key)
{
    json_object *v;
    if (!json_object_object_get_ex(o, key, &v))
        fail_msg("smollm2.json has no %s", key);
    return v;
}

static double number(json_object *o, const char *key)
{
    return json_object_get_double(get(o, key));
}

static int setup(void **state)
{
    (void)state;
    const char *path = getenv("SHORTGPT_TEST_MODEL");
    sg_error err = {0};
    golden_json = json_object_from_file(SG_GOLDEN "/smollm2.json");
    if (!path || !*path || !golden_json)
        return golden_json ? 0 : -1;
    score_golden = get(golden_json, "score");
    eval_golden = get(golden_json, "eval");
    if (sg_model_open(&model, path, &err)) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sg_model_free(model);
    json_object_put(golden_json);
    return 0;
}

static void need_model(void)
{
    if (!model) {
        print_message("skip: SmolLM2-135M-Instruct is not here; `make test` downloads it and sets SHORTGPT_TEST_MODEL\n");
        skip();
    }
}

static void check_ids(sg_embedded which, json_object *recorded)
{
    sg_error err = {0};
    sg_tokens tokens;
    sg_text text = sg_text_embedded(which);
    json_object *ids = get(recorded, "ids");
    if (sg_tokenize(model, &text, SG_BOS_NEVER, &tokens, &err))
        fail_msg("%s", err.message);
    assert_int_equal(tokens.n, json_object_array_length(ids));
    for (size_t i = 0; i < tokens.n; i++)
        if (tokens.ids[i] != json_object_get_int(json_object_array_get_idx(ids, i)))
            fail_msg("token %zu is %d", i, tokens.ids[i]);
    sg_tokens_free(&tokens);
}

static void test_ids(void **state)
{
    (void)state;
    need_model();
    check_ids(SG_EMBEDDED_SCORE, score_golden);
    check_ids(SG_EMBEDDED_EVAL, eval_golden);
}

/* |got - want| <= max(relative * want, absolute) */
static void close_to(const char *what, int layer, double got, double want, double relative, double absolute)
{
    double bound = relative * fabs(want) > absolute ? relative * fabs(want) : absolute;
    if (!(fabs(got - want) <= bound))
        fail_msg("%s of layer %d is %.6f, transformers gives %.6f", what, layer, got, want);
}

static void check_score(sg_precision precision, double relative, double absolute)
{
    sg_error err = {0};
    sg_score *score;
    sg_run_opts opts = {.bos = SG_BOS_NEVER, .precision = precision};
    if (sg_score_run(&score, model, &opts, &err))
        fail_msg("%s", err.message);
    json_object *layers = get(score_golden, "layers");
    assert_int_equal(score->tokens, json_object_get_int64(get(score_golden, "tokens")));
    assert_int_equal(score->n_layers, json_object_array_length(layers));
    for (int i = 0; i < score->n_layers; i++) {
        json_object *want = json_object_array_get_idx(layers, (size_t)i);
        const sg_layer_score *got = &score->layers[i];
        close_to("bi", i, got->bi, number(want, "bi"), relative, absolute);
        close_to("mixer_bi", i, got->mixer_bi, number(want, "mixer_bi"), relative, absolute);
        close_to("ffn_bi", i, got->ffn_bi, number(want, "ffn_bi"), relative, absolute);
        close_to("relative_magnitude", i, got->relative_magnitude, number(want, "relative_magnitude"), relative, absolute);
        assert_true(got->bi_low < got->bi && got->bi < got->bi_high);
    }
    for (int i = 1; i < score->n_layers; i++)
        assert_true(score->layers[score->order[i - 1]].bi <= score->layers[score->order[i]].bi);
    sg_score_free(score);
}

static void check_eval(sg_precision precision, double relative)
{
    sg_error err = {0};
    sg_eval *eval;
    int removed[8];
    json_object *list = get(eval_golden, "removed");
    size_t n = json_object_array_length(list);
    for (size_t i = 0; i < n; i++)
        removed[i] = json_object_get_int(json_object_array_get_idx(list, i));
    sg_run_opts opts = {.bos = SG_BOS_NEVER, .precision = precision};
    if (sg_eval_run(&eval, model, removed, n, &opts, &err))
        fail_msg("%s", err.message);
    assert_int_equal(eval->n_entries, 2);
    assert_int_equal(eval->entries[0].perplexity[0].tokens, json_object_get_int64(get(eval_golden, "predictions")));
    close_to("perplexity", -1, eval->entries[0].perplexity[0].ppl, number(eval_golden, "perplexity"), relative, 0);
    close_to("perplexity without layers", -1, eval->entries[1].perplexity[0].ppl, number(eval_golden, "perplexity_removed"), relative, 0);
    sg_eval_free(eval);
}

static void test_f32(void **state)
{
    (void)state;
    need_model();
    check_score(SG_PRECISION_F32, 0.005, 2e-4);
    check_eval(SG_PRECISION_F32, 0.003);
}

static void test_bf16(void **state)
{
    (void)state;
    need_model();
    if (!sg_matmul_native_bf16()) {
        print_message("skip: this processor has no native bf16\n");
        skip();
    }
    check_score(SG_PRECISION_BF16, 0.02, 0);
    check_eval(SG_PRECISION_BF16, 0.006);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ids), cmocka_unit_test(test_f32), cmocka_unit_test(test_bf16)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
