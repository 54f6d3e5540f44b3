/* What layers are called in a model that does not run here: by its configuration's lists, by its tensors' names. */
#include "sg_test.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "model/describe.h"

enum { MAX = 8 };

/* tensors: of layer 0 up to a |, of layer 1 ...; kinds: wanted, the same way */
static const struct { const char *name, *config, *tensors, *kinds; } rows[] = {
    {"words", "{'layer_types':['full_attention','sliding_attention','linear_attention']}", "self_attn.q_proj self_attn.k_proj|x|x",
     "full attention|sliding attention|linear attention"},
    {"words and experts", "{'text_config':{'layers_block_type':['mamba','attention']}}", "mamba.A_log|block_sparse_moe.router", "mamba|full attention, experts"},
    {"a word of ours for none", "{'layer_types':['quux',7]}", "self_attn.o_proj.weight|conv.conv.weight", "attention|convolution"},
    {"letters", "{'hybrid_override_pattern':'M*-E'}", "mixer.A_log|mixer.q_proj|mixer.up_proj|mixer.experts.0.up_proj",
     "mamba|full attention|dense feed-forward|experts"},
    {"one word for two", "{'layer_types':['linear_attention','linear_attention']}", "mamba.A_log|linear_attn.A_log", "mamba|linear attention"},
    {"numbers", "{'full_attn_idxs':[1]}", "conv.in_proj|self_attn.q_proj", "convolution|full attention"},
    {"no list, a short one", "{'layer_types':['conv']}", "x|self_attn.q_proj", "convolution|attention"},
    {"names", "{}", "mamba.A_log self_attn.q_proj|linear_attn.A_log mlp.experts.0|attention.time_decay|temporal_block.rg_lru.a|attn.c_attn mlp.c_fc|post_attention_layernorm.weight",
     "mamba and attention|linear attention, experts|recurrent|recurrent|attention|unknown"},
    {"names of GGUF", NULL, "attn_q.weight ffn_up.weight|ssm_conv1d.weight ssm_a|ssm_beta.weight ssm_a attn_qkv|time_mix_w1.weight|shortconv.conv ffn_gate_exps.weight|attn_norm.weight ffn_down",
     "attention|mamba|linear attention|recurrent|convolution, experts|dense feed-forward"},
};

static void test_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char names[MAX * 4][128], config[256], got[512] = "";
        sg_tensor tensors[MAX * 4] = {0};
        sg_layer_info layers[MAX] = {0};
        sg_gguf none = {0};
        sg_checkpoint ckpt = {.tensors = tensors, .format = rows[i].config ? SG_FORMAT_HF : SG_FORMAT_GGUF};
        sg_model m = {.ckpt = &ckpt, .layers = layers, .layer_prefix = (char *)"m.layers."};
        sg_config c = {.arch = "quux", .file = "config.json", .gguf = rows[i].config ? NULL : &none};
        int layer = 0;
        for (const char *at = rows[i].tensors; *at;) {
            size_t n = strcspn(at, " |");
            snprintf(names[ckpt.n_tensors], sizeof names[0], "m.layers.%d.%.*s", layer, (int)n, at);
            tensors[ckpt.n_tensors].name = names[ckpt.n_tensors];
            ckpt.n_tensors++;
            layer += at[n] == '|';
            at += n + (at[n] != 0);
        }
        m.spec.n_layers = layer + 1;
        snprintf(config, sizeof config, "%s", rows[i].config ? rows[i].config : "{}");
        for (char *q = config; *q; q++)
            *q = *q == '\'' ? '"' : *q;
        json_object *parsed = NULL;
        assert_int_equal(sg_json_parse(&parsed, config, strlen(config), "config.json", NULL), SG_OK);
        c.hf = rows[i].config ? parsed : NULL;
        assert_int_equal(sg_describe_kinds(&m, &c, NULL), SG_OK);
        for (int k = 0; k <= layer; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", k ? "|" : "", layers[k].kind);
        if (strcmp(got, rows[i].kinds) != 0)
            fail_msg("%s: %s", rows[i].name, got);
        json_object_put(parsed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
