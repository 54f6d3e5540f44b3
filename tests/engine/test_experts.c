/* Experts where the router's probabilities are no numbers: each row still chooses different ones, so that no expert has
 * more rows than there are. (That the stream then is no number either, the pass finds behind the layer.) */
#include <math.h>

#include "core/mem.h"
#include "engine/layer.h"
#include "sg_test.h"

enum { D = 32, F = 32, X = 6, K = 3, ROWS = 5 };

static sg_weight *weight(sg_mm *mm, int n, int k, float value)
{
    sg_error err = {0};
    sg_weight *w;
    float *plain = sg_alloc((size_t)n * (size_t)k, sizeof *plain);
    for (int i = 0; i < n * k; i++)
        plain[i] = value;
    if (sg_weight_pack(&w, mm, plain, n, k, SG_PRECISION_F32, &err))
        fail_msg("%s", err.message);
    sg_free(plain);
    return w;
}

static void test_not_numbers(void **state)
{
    (void)state;
    static const float values[] = {1, NAN, INFINITY};
    sg_error err = {0};
    sg_mm *mm;
    assert_int_equal(sg_mm_create(&mm, 2, SG_MM_FASTEST, &err), SG_OK);
    sg_layer_spec layer = {.n_heads = 1,
                           .n_kv_heads = 1,
                           .head_dim = 8,
                           .n_experts = X,
                           .n_experts_used = K,
                           .expert_intermediate = F,
                           .gated = true,
                           .renormalise = true};
    sg_model_spec spec = {.hidden = D, .n_layers = 1, .layers = &layer};
    sg_ffn_weights experts[X];
    sg_loader loader = {0};
    sg_layer_weights weights = {
        .loader = &loader, .router = weight(mm, X, D, 1), .experts = experts, .n_experts = X, .in_slot = -1};
    for (int e = 0; e < X; e++)
        experts[e] = (sg_ffn_weights){.width = F, .up = weight(mm, 2 * F, D, 0.1f), .down = weight(mm, D, F, 0.1f)};
    for (size_t i = 0; i < SG_ARRAY_LEN(values); i++) {
        sg_scratch scratch;
        size_t bytes;
        int rows[ROWS]; /* apart from the other scratch: a sanitizer sees who writes behind it */
        float h[ROWS * D], out[ROWS * D];
        assert_int_equal(sg_scratch_create(&scratch, &spec, ROWS, 2, SG_PRECISION_F32, &bytes, &err), SG_OK);
        scratch.expert_rows = rows;
        for (int j = 0; j < ROWS * D; j++)
            h[j] = values[i];
        sg_layer_run run = {.spec = &layer,
                            .weights = &weights,
                            .hidden = D,
                            .mm = mm,
                            .precision = SG_PRECISION_F32,
                            .scratch = &scratch};
        if (sg_experts_forward(&run, out, (const char *)h, ROWS, &err))
            fail_msg("%s", err.message);
        for (int r = 0; r < ROWS; r++)
            for (int k = 0; k < K; k++)
                assert_int_equal(scratch.chosen[r * K + k], k); /* all alike: the lower ones */
        assert_int_equal(isfinite(out[0]) != 0, isfinite(values[i]) != 0);
        sg_scratch_dispose(&scratch);
    }
    for (int e = 0; e < X; e++) {
        sg_weight_free(experts[e].up);
        sg_weight_free(experts[e].down);
    }
    sg_weight_free(weights.router);
    sg_mm_free(mm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_not_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
