/* Surgery on the tiny model of every family, in both formats. sg_prune_run itself holds each survivor's specification and the likelihoods
 * against the original's; here the tensors, and that pruning twice is pruning once. */
#include "work.h"

static const struct { const char *name; int layers; bool gguf; } fixtures[] = {
    {"llama_linear", 4, true}, {"llama_dynamic", 4, true}, {"llama_yarn", 4, true}, {"llama_llama3", 4, true}, {"mistral", 4, true},
    {"qwen2", 4, true}, {"qwen3", 4, true}, {"gemma", 4, true}, {"gemma2", 4, true}, {"gemma3", 7, true}, {"phi3", 4, true},
    {"phi3_longrope", 4, true}, {"olmo2", 4, true}, {"granite", 4, true}, {"stablelm", 4, true}, {"stablelm_parallel", 4, true},
    {"stablelm_qk", 4, true}, {"gpt2", 4, true}, {"gpt_neox", 4, true}, {"gpt_neox_sequential", 4, true}, {"starcoder2", 4, true},
    {"mixtral", 4, true}, {"qwen2_moe", 4, true}, {"qwen2_moe_mixed", 6, false}, {"qwen3_moe", 4, true}, {"olmoe", 4, true},
};

static void copy_fixture(const char *name)
{
    assert_true(shell("cp -r %s/families/%s .", SG_GOLDEN, name));
}

static void assert_pruned(const char *model, int layers)
{
    int keep[16];
    size_t n = 0;
    must_prune(model, "1-2", "both");
    must_prune(model, "1", "a");
    must_prune("a", "1", "ab");
    if (!shell("diff -r ab both >/dev/null"))
        fail_msg("%s without 1, then 1", model);
    for (int i = 0; i < layers; i++)
        if (i != 1 && i != 2)
            keep[n++] = i;
    assert_survivors(model, "both", keep, n);
    char list[16];
    snprintf(list, sizeof list, "0,%d", layers - 1);
    must_prune(model, list, "ends");
    for (n = 0; n < (size_t)layers - 2; n++)
        keep[n] = (int)n + 1;
    assert_survivors(model, "ends", keep, n);
    assert_true(shell("rm -r a ab both ends"));
}

static void test_every_family(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(fixtures); i++) {
        char gguf[64];
        copy_fixture(fixtures[i].name);
        assert_pruned(fixtures[i].name, fixtures[i].layers);
        if (!fixtures[i].gguf)
            continue;
        snprintf(gguf, sizeof gguf, "%s.gguf", fixtures[i].name);
        copy_fixture(gguf);
        assert_pruned(gguf, fixtures[i].layers);
    }
}

/* Behaviour that hangs on a layer's number and that no configuration says otherwise: nothing is written. */
static void test_refusals(void **state)
{
    (void)state;
    static const struct { const char *model, *list, *says; } rows[] = {
        {"gpt2", "1,3", "1 of the plan lie before layer 2, which stays. As many could go as 2-3"}, {"gpt2", "2-3", NULL},
        {"gemma2.gguf", "0,2", "keep one, such as 2"}, {"gemma2.gguf", "0,1", NULL}, {"gemma2.gguf", "1,3", NULL},
    };
    copy_fixture("gpt2");
    copy_fixture("gemma2.gguf");
    assert_true(shell("sed -i 's/\"scale_attn_by_inverse_layer_idx\": false/\"scale_attn_by_inverse_layer_idx\": true/' gpt2/config.json"));
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        int rc = prune(rows[i].model, rows[i].list, "out", NULL, NULL, &err);
        if (rc != (rows[i].says ? SG_ERR_REFUSED : SG_OK) || (rows[i].says && !strstr(err.message, rows[i].says)))
            fail_msg("%s without %s: %d (%s)", rows[i].model, rows[i].list, rc, err.message);
        assert_true(sg_path_exists(at("out")) == !rows[i].says);
        assert_true(shell("rm -rf out"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_family, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refusals, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
