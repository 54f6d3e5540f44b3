/* The rule table on small configurations: what is edited, what stays, what is refused (GGUF: test_rules_gguf.c). Whether a real loader agrees
 * is conformance/'s question. */
#include "patient.h"

/* ---- config.json ------------------------------------------------------------------------------------- */

static const struct { const char *name, *family; int layers; const char *before, *list, *after; /* NULL: SG_ERR_FORMAT */ } configs[] = {
    {"count", "llama", 4, "{'a':1.50,'num_hidden_layers':4,'b':null}", "1", "{'a':1.50,'num_hidden_layers':3,'b':null}"},
    {"count unsaid, in the decoder's", "llama", 4, "{'text_config':{'model_type':'llama'},'vision_config':{}}", "1", "{'text_config':{'model_type':'llama'},'vision_config':{}}"},
    {"another count", "llama", 4, "{'num_hidden_layers':5}", "1", NULL},
    {"count of gpt2", "gpt2", 4, "{'n_layer':4,'n_head':4}", "1-2", "{'n_layer':2,'n_head':4}"},
    {"both counts", "gpt2", 4, "{'n_layer':4,'num_hidden_layers':4}", "0", "{'n_layer':3,'num_hidden_layers':3}"},
    {"lists of all families", "mistral", 4, "{'layer_types':['a','b',null,'d'],'mlp_layer_types':['w','x','y','z']}", "1,3",
     "{'layer_types':['a',null],'mlp_layer_types':['w','y']}"},
    {"other lists stay", "phi3", 4, "{'rope_scaling':{'short_factor':[1,2,3,4]}}", "1", "{'rope_scaling':{'short_factor':[1,2,3,4]}}"},
    {"short list", "llama", 4, "{'layer_types':['a','b','c']}", "1", NULL},
    {"settings for layers", "llama", 11, "{'per_layer_config':{'00':{'x':1},'01':{'x':2},'10':{'x':3}}}", "1,4",
     "{'per_layer_config':{'00':{'x':1},'08':{'x':3}}}"},
    {"settings by name", "llama", 4, "{'per_layer_config':{'first':{'x':1}}}", "1", NULL},

    {"qwen2 derived", "qwen2", 4, "{'use_sliding_window':true,'max_window_layers':2,'z':0}", "1",
     "{'use_sliding_window':true,'max_window_layers':1,'z':0,'layer_types':['full_attention','sliding_attention','sliding_attention']}"},
    {"qwen2 null", "qwen2", 4, "{'use_sliding_window':true,'layer_types':null,'max_window_layers':2}", "3",
     "{'use_sliding_window':true,'layer_types':['full_attention','full_attention','sliding_attention'],'max_window_layers':2}"},
    {"qwen2 listed", "qwen2", 4, "{'layer_types':['sliding_attention','full_attention','full_attention','full_attention'],'max_window_layers':28}", "1,2",
     "{'layer_types':['sliding_attention','full_attention'],'max_window_layers':26}"},
    {"qwen2 without windows", "qwen2", 4, "{'use_sliding_window':false,'max_window_layers':4}", "0,3", "{'use_sliding_window':false,'max_window_layers':2}"},
    {"qwen3", "qwen3", 2, "{'use_sliding_window':true,'max_window_layers':1}", "0", "{'use_sliding_window':true,'max_window_layers':0,'layer_types':['sliding_attention']}"},
    {"gemma2", "gemma2", 4, "{'a':1}", "0", "{'a':1,'layer_types':['full_attention','sliding_attention','full_attention']}"},
    {"gemma3", "gemma3_text", 6, "{'sliding_window_pattern':3}", "2", "{'sliding_window_pattern':3,'layer_types':['sliding_attention','sliding_attention',"
     "'sliding_attention','sliding_attention','full_attention']}"},
    {"gemma has none", "gemma", 2, "{'a':1}", "0", "{'a':1}"},

    {"dense layers", "qwen3_moe", 4, "{'mlp_only_layers':[3,1,0],'decoder_sparse_step':1}", "1", "{'mlp_only_layers':[2,0],'decoder_sparse_step':1}"},
    {"none of them", "qwen3_moe", 4, "{'mlp_only_layers':[],'z':0}", "1", "{'mlp_only_layers':[],'z':0}"},
    {"numbers of no layer go", "qwen3_moe", 4, "{'mlp_only_layers':[-1,7,2]}", "1", "{'mlp_only_layers':[1]}"},
    {"a step", "qwen2_moe", 6, "{'decoder_sparse_step':2,'mlp_only_layers':[1]}", "0,3", "{'decoder_sparse_step':1,'mlp_only_layers':[0,1,2]}"},
    {"a step alone", "qwen2_moe", 6, "{'decoder_sparse_step':3,'z':0}", "1", "{'decoder_sparse_step':1,'z':0,'mlp_only_layers':[0,2,3]}"},
    {"not numbers", "qwen3_moe", 4, "{'mlp_only_layers':['1']}", "1", NULL},
    {"no list", "qwen3_moe", 4, "{'mlp_only_layers':1}", "1", NULL},
    {"no step", "qwen3_moe", 4, "{'decoder_sparse_step':0}", "1", NULL},
    {"a default by a key", "gemma3_text", 6, "{'sliding_window_pattern':2}", "0,3", "{'sliding_window_pattern':2,'layer_types':['full_attention','sliding_attention',"
     "'sliding_attention','full_attention']}"},
    {"first of a period", "cwm", 6, "{}", "0", "{'layer_types':['sliding_attention','sliding_attention','sliding_attention','full_attention','sliding_attention']}"},
    {"letters", "lfm3", 5, "{}", "1", "{'layer_types':['conv','full_attention','conv','sliding_attention']}"},
    {"letters and the last", "flint", 7, "{'mlp_only_layers':[0,1]}", "0,1", "{'mlp_only_layers':[],'layer_types':['sliding_attention','sliding_attention',"
     "'sliding_attention','full_attention','full_attention']}"},
    {"a letter a layer", "nemotron_h", 5, "{'num_hidden_layers':5,'hybrid_override_pattern':'ME*M-'}", "1,3", "{'num_hidden_layers':3,'hybrid_override_pattern':'M*-'}"},
    {"experts by a list", "dots3_note_text", 4, "{'first_k_dense_replace':1,'moe_layer_freq':[1,0,1,1],'layer_types':[1,2,3,4]}", "2",
     "{'first_k_dense_replace':1,'moe_layer_freq':[1,0,1],'layer_types':[1,2,4],'mlp_layer_types':['dense','dense','sparse']}"},
    {"letters of two bytes", "nemotron_h", 5, "{'num_hidden_layers':5,'hybrid_override_pattern':'M\303\211*M'}", "1", NULL},
    {"another list decides", "smollm3", 4, "{'use_sliding_window':true,'sliding_window':4,'no_rope_layers':[1,0,1,1]}", "0",
     "{'use_sliding_window':true,'sliding_window':4,'no_rope_layers':[0,1,1],'layer_types':['sliding_attention','full_attention','full_attention']}"},
    {"an empty list is none", "llama4_text", 4, "{'no_rope_layers':[],'layer_types':['a','b','c','d'],'no_rope_layer_interval':2}", "0",
     "{'no_rope_layers':[0,1,0],'layer_types':['b','c','d'],'no_rope_layer_interval':2}"},
    {"a step for experts", "llama4_text", 4, "{'interleave_moe_layer_step':2,'no_rope_layers':[1,1,1,1]}", "0", "{'interleave_moe_layer_step':2,'no_rope_layers':[1,1,1],"
     "'moe_layers':[0,2]}"},
    {"dense ones in front", "deepseek_v3", 5, "{'first_k_dense_replace':2}", "0,3", "{'first_k_dense_replace':1}"},
    {"dense ones unsaid", "deepseek_v3", 5, "{}", "1", "{'first_k_dense_replace':2}"},
    {"dense by default", "laguna", 3, "{'num_attention_heads_per_layer':[1,2,3]}", "0", "{'num_attention_heads_per_layer':[2,3],'mlp_layer_types':['sparse','sparse']}"},
    {"lists of two", "kimi_linear", 4, "{'linear_attn_config':{'full_attn_layers':[2,4],'kda_layers':[1,3]},'mlp_layer_types':[1,2,3,4]}", "1",
     "{'linear_attn_config':{'full_attn_layers':[3],'kda_layers':[1,2]},'mlp_layer_types':[1,3,4]}"},
    {"words and times", "gpt_neo", 4, "{'num_layers':4,'attention_types':[[['global','local'],2]],'attention_layers':[]}", "0",
     "{'num_layers':3,'attention_types':[[['local','global','local'],1]]}"},
    {"words and times are a word", "gpt_neo", 4, "{'attention_types':'global'}", "0", NULL},
    {"a run is a word", "gpt_neo", 4, "{'attention_types':['global']}", "0", NULL},
    {"a run is null", "gpt_neo", 4, "{'attention_types':[null]}", "0", NULL},
    {"no words", "gpt_neo", 4, "{'attention_types':[[[],9]]}", "0", NULL},
    {"very many times", "gpt_neo", 4, "{'attention_types':[[['local'],9223372036854775807]]}", "0", NULL},
    {"the list that decides is none", "llama4_text", 4, "{'no_rope_layers':{}}", "0", NULL},
    {"numbers below all", "kimi_linear", 4, "{'linear_attn_config':{'full_attn_layers':[-9223372036854775808,2],'kda_layers':[]},'mlp_layer_types':[1,2,3,4]}", "0",
     "{'linear_attn_config':{'full_attn_layers':[1],'kda_layers':[]},'mlp_layer_types':[2,3,4]}"},
    {"a range without end", "ernie4_5_moe", 4, "{'moe_layer_start_index':0,'moe_layer_end_index':9223372036854775807}", "0",
     "{'moe_layer_start_index':0,'moe_layer_end_index':2147483646}"},
    {"an offset below all", "glm_moe_dsa", 3, "{'index_skip_topk_offset':-9223372036854775808,'mlp_layer_types':[1,2,3]}", "2",
     "{'index_skip_topk_offset':-9223372036854775808,'mlp_layer_types':[1,2]}"},
    {"dense layers below none", "cohere2_moe", 2, "{'first_k_dense_replace':-9223372036854775808,'mlp_layer_types':[1,2]}", "1", NULL},
    {"a cycle", "recurrent_gemma", 4, "{'block_types':['r','a']}", "1", "{'block_types':['r','r','a']}"},
    {"a cycle unsaid", "recurrent_gemma", 4, "{}", "1", "{'block_types':['recurrent','attention','recurrent']}"},
    {"depth in the scale", "minicpm3", 4, "{'scale_depth':2.0}", "0,1,2", "{'scale_depth':1.0}"},
    {"the depth's own scale", "minicpm3", 4, "{'scale_depth':null}", "0", "{'scale_depth':null}"},
    {"the scale unsaid", "minicpm3", 4, "{}", "0,1,2", "{'scale_depth':0.7}"},
    {"a period", "jamba", 8, "{'attn_layer_period':4,'attn_layer_offset':2,'expert_layer_period':2,'expert_layer_offset':1}", "1-4",
     "{'attn_layer_period':4,'attn_layer_offset':2,'expert_layer_period':2,'expert_layer_offset':1}"},
    {"another period", "jamba", 8, "{'attn_layer_period':8,'attn_layer_offset':4,'expert_layer_period':2,'expert_layer_offset':1}", "0,1",
     "{'attn_layer_period':8,'attn_layer_offset':2,'expert_layer_period':2,'expert_layer_offset':1}"},
    {"a range", "ernie4_5_moe", 6, "{'moe_layer_start_index':2,'moe_layer_end_index':4}", "0,3", "{'moe_layer_start_index':1,'moe_layer_end_index':2}"},
    {"shared keys and values", "gemma3n_text", 6, "{'num_kv_shared_layers':2,'layer_types':['a','a','b','a','a','b']}", "0,4",
     "{'num_kv_shared_layers':1,'layer_types':['a','b','a','b']}"},
    {"within the decoder's", "qwen3", 3, "{'text_config':{'num_hidden_layers':3},'vision_config':{'num_hidden_layers':3}}", "1",
     "{'text_config':{'num_hidden_layers':2},'vision_config':{'num_hidden_layers':3}}"},
    {"names of quantization", "llama", 3, "{'quantization_config':{'ignore':['lm_head','model.layers.0.mlp','model.layers.1.mlp','model.layers.2.mlp'],"
     "'x':{'model.layers.2.a':1,'model.layers.1.a':2},'y':['re:.*layers\\\\.2\\\\.b','vision.layers.1.c']}}", "1",
     "{'quantization_config':{'ignore':['lm_head','model.layers.0.mlp','model.layers.1.mlp'],'x':{'model.layers.1.a':1},"
     "'y':['re:.*layers\\\\.1\\\\.b','vision.layers.1.c']}}"},
    {"settings of a tower", "qwen3", 2, "{'quantization_config':{'bits':4}}", "0", "{'quantization_config':{'bits':4}}"},
    {"not of this family", "llama", 4, "{'num_hidden_layers':4,'mlp_only_layers':[1],'max_window_layers':2,'n_layer':4}", "1", "{'num_hidden_layers':3,'mlp_only_layers':[1],'max_window_layers':2,'n_layer':4}"},
};

/* Each allocation fails in turn. */
static void assert_config_faults(const char *name, const patient *p, const char *before)
{
    int rc = SG_ERR_NOMEM;
    for (long k = 1; rc != SG_OK; k++) {
        json_object *config = parse(before);
        fault_countdown = k;
        rc = sg_rules_config(&p->cut, config, "config.json", NULL);
        bool fired = !fault_countdown;
        fault_countdown = 0;
        json_object_put(config);
        if (rc != (fired ? SG_ERR_NOMEM : SG_OK))
            fail_msg("%s: allocation %ld: %d", name, k, rc);
    }
}

/* Rows that do not say the number of layers get it, behind what is compared, under the family's key; NULL: it is said. */
static const char *unsaid(const char *before, const char *family)
{
    static const char *const own[][2] = {{"gpt_neo", "num_layers"}, {"gpt2", "n_layer"}};
    if (strstr(before, "'num_hidden_layers'") || strstr(before, "'n_layer'") || strstr(before, "'num_layers'"))
        return NULL;
    for (size_t i = 0; i < SG_ARRAY_LEN(own); i++)
        if (strcmp(own[i][0], family) == 0)
            return own[i][1];
    return "num_hidden_layers";
}

static void test_config(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(configs); i++) {
        static patient p;
        sg_error err = {0};
        make_hf(&p, configs[i].family, configs[i].layers, configs[i].before, configs[i].list);
        json_object *config = parse(configs[i].before), *want = configs[i].after ? parse(configs[i].after) : NULL;
        int rc = sg_rules_check(&p.cut, &err);
        rc = rc == SG_OK ? sg_rules_config(&p.cut, config, "config.json", &err) : rc;
        if (rc != (want ? SG_OK : SG_ERR_FORMAT))
            fail_msg("%s: %d (%s)", configs[i].name, rc, err.message);
        json_object *text = sg_json_get(config, "text_config") ? sg_json_get(config, "text_config") : config;
        const char *count = unsaid(configs[i].before, configs[i].family);
        if (want && count) {
            assert_int_equal(json_object_get_int64(sg_json_get(text, count)), p.plan.n_keep);
            json_object_object_del(text, count);
        }
        const char *got = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN);
        if (want && strcmp(got, json_object_to_json_string_ext(want, JSON_C_TO_STRING_PLAIN)) != 0)
            fail_msg("%s: %s", configs[i].name, got);
        if (want)
            assert_config_faults(configs[i].name, &p, configs[i].before);
        json_object_put(want);
        json_object_put(config);
        dispose_patient(&p);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

#define BY_INDEX "{'scale_attn_by_inverse_layer_idx':true}"

static const struct { const char *name, *family; int layers; const char *config, *list, *says; /* NULL: no refusal */ } limits[] = {
    {"unknown family, nothing to fear", "quux", 3, "{'num_hidden_layers':3,'hidden_size':8,'eos_token_id':[1,2],'rope_scaling':{'x':[1,2,3]}}", "1", NULL},
    {"unknown family, no count", "quux", 3, "{'hidden_size':8}", "1", "the number of layers (which is not said) could hang"},
    {"unknown family, a list", "quux", 3, "{'num_hidden_layers':3,'fruits':['a','b','c'],'other':['a','b']}", "1", "\"fruits\" could hang"},
    {"unknown family, numbers", "quux", 6, "{'special':[1,5]}", "1", "\"special\" could hang"},
    {"unknown family, a period", "quux", 3, "{'attn_period':2,'use_layers':false}", "1", "\"attn_period\" could hang"},
    {"unknown family, letters", "quux", 6, "{'hybrid':'MM*MM*','name':'ABCDEF'}", "1", "\"hybrid\""},
    {"a word inside another", "qwen", 3, "{'layer_interval':2}", "1", "family qwen is not known here"},
    {"always by index", "diffllama", 4, "{}", "0", "As many could go as 3-3"},
    {"the first stays", "rwkv", 3, "{}", "0,1", "layer 0 has to stay: it alone has the norm"},
    {"others go", "rwkv", 3, "{}", "1,2", NULL},
    {"the last stays", "gpt_neox_japanese", 3, "{}", "2", "layer 2 has to stay"},
    {"a kind stays", "zamba2", 3, "{'layers_block_type':['m','hybrid','m']}", "1", "layer 1 has to stay: it is \"hybrid\""},
    {"a kind unsaid", "zamba2", 3, "{}", "0", "\"layers_block_type\" is absent"},
    {"pictures come in", "qwen3_vl_text", 4, "{'text_config':{'model_type':'qwen3_vl_text'},'vision_config':{'deepstack_visual_indexes':[5,7]}}", "1,3", "layer 1 has to stay"},
    {"behind the pictures", "qwen3_vl_text", 4, "{'text_config':{'model_type':'qwen3_vl_text'},'vision_config':{'deepstack_visual_indexes':[5,7]}}", "2", NULL},
    {"a provider", "gemma3n_text", 6, "{'num_kv_shared_layers':2,'layer_types':['a','a','b','a','a','b']}", "3", "layer 4, which stays, takes keys and values from it"},
    {"a provider of none", "gemma3n_text", 6, "{'num_kv_shared_layers':2,'layer_types':['a','a','b','a','a','b']}", "3,4", NULL},
    {"no provider", "gemma3n_text", 6, "{'num_kv_shared_layers':2,'layer_types':['a','a','b','a','a','b']}", "0", NULL},
    {"the last is full", "gemma4_text", 3, "{'layer_types':['full_attention','sliding_attention','full_attention']}", "2", "keep layer 2"},
    {"the last can be full", "gemma4_text", 3, "{'layer_types':['sliding_attention','full_attention','full_attention']}", "2", NULL},
    {"one of a kind", "olmo_hybrid", 3, "{'layer_types':['linear_attention','full_attention','full_attention']}", "0", "keep one, such as 0"},
    {"a server", "glm_moe_dsa", 4, "{'index_topk_pattern':'FSFS'}", "2", "layer 3, which stays and is \"shared\""},
    {"a server and its own", "glm_moe_dsa", 4, "{'index_topk_pattern':'FSFS'}", "2,3", NULL},
    {"a buffer that is not stored", "minimax", 4, "{}", "0", "model.layers.1.self_attn.slope_rate is not stored"},
    {"no layer", "dory", 4, "{}", "3", "no layer of family dory can go"},
    {"the end", "beam", 8, "{}", "6-7", NULL},
    {"not the end", "beam", 8, "{}", "6", "a layer weighs what it adds by its number, so only the last layers can go"},
    {"one before another of its kind", "qwen4_exp_text", 8, "{'ple_layer_ids':[2,6]}", "1", "layer 1 has to stay: a later one's"},
    {"the last of its kind", "qwen4_exp_text", 8, "{'ple_layer_ids':[2,6]}", "5", NULL},
    {"all of its kind", "qwen4_exp_text", 8, "{'ple_layer_ids':[2,6,99,'x']}", "1,5", NULL},
    {"scaled by index, from the end", "gpt2", 6, BY_INDEX, "4-5", NULL},
    {"scaled by index, inside", "gpt2", 6, BY_INDEX, "1,3,5", "1,3 of the plan lie before layer 4, which stays. As many could go as 3-5"},
    {"not scaled by index", "gpt2", 6, "{'scale_attn_by_inverse_layer_idx':false}", "1", NULL},
    {"another family", "llama", 6, BY_INDEX, "1", NULL},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(limits); i++) {
        static patient p;
        sg_error err = {0};
        make_hf(&p, limits[i].family, limits[i].layers, limits[i].config, limits[i].list);
        int rc = sg_rules_check(&p.cut, &err);
        if (rc != (limits[i].says ? SG_ERR_REFUSED : SG_OK) || (limits[i].says && !strstr(err.message, limits[i].says)))
            fail_msg("%s: %d (%s)", limits[i].name, rc, err.message);
        dispose_patient(&p);
    }
}

/* A family that is not known, with other numbered lists of tensors than its layers'. */
static void test_twins(void **state)
{
    (void)state;
    static const struct { const char *name, *other; bool refused; } rows[] = {
        {"as long", "model.ffns.1.lin1.weight", true},
        {"shorter", "model.ffns.0.lin1.weight", false},
        {"longer", "model.ffns.2.lin1.weight", false},
        {"of a tower", "vision_tower.layers.1.mlp.weight", false},
        {"the layers' own", "model.layers.1.ffns.1.weight", false},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        sg_error err = {0};
        sg_tensor tensors[] = {{.name = (char *)"model.layers.1.q.weight"}, {.name = (char *)rows[i].other}};
        make_hf(&p, "quux", 2, "{'num_hidden_layers':2}", "1");
        p.ckpt.tensors = tensors;
        p.ckpt.n_tensors = SG_ARRAY_LEN(tensors);
        int rc = sg_rules_check(&p.cut, &err);
        if (rc != (rows[i].refused ? SG_ERR_REFUSED : SG_OK) || (rc && !strstr(err.message, "tensors model.ffns.N could hang")))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        dispose_patient(&p);
    }
}

/* No numbers fit: said while the configuration is edited, which is before anything is written. */
static void test_no_period_fits(void **state)
{
    (void)state;
    static const struct { const char *name, *family, *before, *list, *says; } rows[] = {
        {"jamba", "jamba", "{'attn_layer_period':4,'attn_layer_offset':2,'expert_layer_period':2}", "1", "4 layers in a row can go, such as 1-4"},
        {"jamba near the end", "jamba", "{'attn_layer_period':4,'attn_layer_offset':2,'expert_layer_period':3}", "6", "layers at the end can go"},
        {"jamba's experts", "jamba", "{'attn_layer_period':8,'attn_layer_offset':7,'expert_layer_period':2}", "3", "\"expert_layer_period\" and \"expert_layer_offset\""},
        {"ernie", "ernie4_5_moe", "{'moe_layer_interval':2}", "2", "2 layers in a row can go, such as 2-3"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        sg_error err = {0};
        make_hf(&p, rows[i].family, 8, rows[i].before, rows[i].list);
        json_object *config = parse(rows[i].before);
        assert_int_equal(sg_rules_check(&p.cut, &err), SG_OK);
        int rc = sg_rules_config(&p.cut, config, "config.json", &err);
        if (rc != SG_ERR_REFUSED || !strstr(err.message, rows[i].says))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        json_object_put(config);
        dispose_patient(&p);
    }
}

/* Names of modules in a quantization's configuration, without layer 1 of 12. after: NULL: refused; "": it goes. */
static void test_quantization_names(void **state)
{
    (void)state;
    static const struct { const char *name, *before, *after; } rows[] = {
        {"a layer", "model.layers.2", "model.layers.1"},
        {"that goes", "model.layers.1.mlp", ""},
        {"two digits", "model.layers.11.mlp.gate", "model.layers.10.mlp.gate"},
        {"beyond the last", "model.layers.12.mlp", "model.layers.11.mlp"},
        {"without the root", "layers.2.mlp", "layers.1.mlp"},
        {"of a tower", "vision_tower.layers.2.mlp", "vision_tower.layers.2.mlp"},
        {"another word", "sublayers.2.mlp", "sublayers.2.mlp"},
        {"no layer", "lm_head", "lm_head"},
        {"all layers", "re:.*layers\\.\\d+\\.mlp", "re:.*layers\\.\\d+\\.mlp"},
        {"all layers by a class", "re:.*layers\\.[0-9]+\\.mlp", "re:.*layers\\.[0-9]+\\.mlp"},
        {"all layers in brackets", "re:.*layers\\.(\\d+)\\.mlp", "re:.*layers\\.(\\d+)\\.mlp"},
        {"a layer's expression", "-:model\\.layers\\.2\\..*", "-:model\\.layers\\.1\\..*"},
        {"GPTQModel's manner", "+:.*\\.3\\..*gate.*", "+:.*\\.2\\..*gate.*"},
        {"without a sign", ".*\\.4\\..*gate.*", ".*\\.3\\..*gate.*"},
        {"that goes, in this manner", "-:.*\\.1\\.mlp", ""},
        {"modules of any layer", "-:.*\\.(gate|up)_proj", "-:.*\\.(gate|up)_proj"},
        {"a choice", "re:.*layers.(0|1).mlp", NULL},
        {"a choice without a sign", "model.layers.(0|1).mlp", NULL},
        {"a class", "model.layers.[0-3].mlp", NULL},
        {"a class without the word", "-:.*\\.[0-3]\\.mlp", NULL},
        {"a choice without the word", "-:.*\\.(2|3)\\.mlp", NULL},
        {"a digit and a class", "re:.*layers\\.1\\d\\.", NULL},
        {"a wild card behind a digit", "model.layers.1*", NULL},
        {"two layers", "re:(model.layers.2.mlp|model.layers.3.mlp)", NULL},
        {"an expert's number, too", "+:.*\\.5\\..*gate.*", NULL},
        {"an expert's, of a layer", "model.layers.2.mlp.experts.5.gate", "model.layers.1.mlp.experts.5.gate"},
    };
    static sg_tensor expert = {.name = (char *)"model.layers.0.mlp.experts.5.gate.weight"};
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        sg_error err = {0};
        make_hf(&p, "llama", 12, "{'quantization_config':{'ignore':[]}}", "1");
        p.ckpt.tensors = &expert;
        p.ckpt.n_tensors = 1;
        json_object *list = sg_json_get(sg_json_get(p.ckpt.config, "quantization_config"), "ignore");
        json_object_array_add(list, json_object_new_string(rows[i].before));
        int rc = sg_rules_config(&p.cut, p.ckpt.config, "config.json", &err);
        list = sg_json_get(sg_json_get(p.ckpt.config, "quantization_config"), "ignore");
        const char *got = json_object_get_string(json_object_array_get_idx(list, 0));
        bool refused = rc == SG_ERR_REFUSED && strstr(err.message, "picks layers by their numbers' digits");
        if (rows[i].after ? rc != SG_OK || strcmp(got ? got : "", rows[i].after) != 0 : !refused)
            fail_msg("%s: %d (%s), %s", rows[i].name, rc, err.message, got);
        dispose_patient(&p);
    }
}

/* ---- layer by layer ---------------------------------------------------------------------------------- */

/* verdicts: a letter a layer; y goes alone, s in a set, e with its neighbours (not chosen), n stays */
static const struct { const char *name, *family, *config, *verdicts, *says; } layers[] = {
    {"all go", "llama", "{'num_hidden_layers':4}", "yyyy", NULL},
    {"the first stays", "rwkv", "{}", "nyyy", "layer 0 has to stay: it alone"},
    {"a tail", "diffllama", "{}", "sssy", "not alone: the weight"},
    {"no layer", "dory", "{}", "nnnn", "no layer of family dory can go"},
    {"providers", "gemma3n_text", "{'num_kv_shared_layers':2,'layer_types':['a','a','b','b','a','b']}", "ynynyy", NULL},
    {"the last is full", "gemma4_text", "{'layer_types':['sliding_attention','full_attention','sliding_attention','full_attention']}", "yyye", "not alone: the loader makes"},
    {"one of a kind", "olmo_hybrid", "{'layer_types':['linear_attention','full_attention','full_attention']}", "nyy", "keep one, such as 0"},
    {"periods", "jamba", "{'attn_layer_period':4,'attn_layer_offset':2,'expert_layer_period':2}", "yssssssy", NULL},
    {"unknown family", "quux", "{'attn_period':2}", "nnn", "\"attn_period\" could hang"},
    {"names by digits", "llama", "{'quantization_config':{'ignore':['re:.*layers.(0|1).mlp']}}", "nnn", "picks layers"},
    {"malformed", "llama", "{'layer_types':['a']}", "nnn", "\"layer_types\" has 1 entries"},
};

static char verdict(const sg_removable *r, int i)
{
    bool together = r->why[i] && strncmp(r->why[i], "not alone: ", strlen("not alone: ")) == 0;
    return r->alone[i] ? 'y' : together ? r->allowed[i] ? 's' : 'e' : r->allowed[i] ? '?' : 'n';
}

static void test_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(layers); i++) {
        static patient p;
        sg_removable *r;
        sg_error err = {0};
        char got[16] = "";
        int n = (int)strlen(layers[i].verdicts), allowed = 0;
        const char *first = NULL;
        make_hf(&p, layers[i].family, n, layers[i].config, "0");
        int rc = SG_ERR_NOMEM;
        for (long k = 1; rc != SG_OK; k++) { /* each allocation fails in turn */
            fault_countdown = k;
            rc = sg_removable_find(&r, &p.model, false, &err);
            bool fired = !fault_countdown;
            fault_countdown = 0;
            if (rc != (fired ? SG_ERR_NOMEM : SG_OK) || (rc && r))
                fail_msg("%s: allocation %ld: %d (%s)", layers[i].name, k, rc, err.message);
        }
        for (int k = 0; k < n; k++) {
            got[k] = verdict(r, k);
            allowed += r->allowed[k];
            first = first ? first : r->why[k];
            assert_true((r->cause[k] < 0) == r->alone[k]);
        }
        if (strcmp(got, layers[i].verdicts) || allowed != r->n_allowed || (layers[i].says && !(first && strstr(first, layers[i].says))))
            fail_msg("%s: %s, %s", layers[i].name, got, first);
        sg_removable_free(r);
        dispose_patient(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config), cmocka_unit_test(test_limits), cmocka_unit_test(test_twins), cmocka_unit_test(test_no_period_fits), cmocka_unit_test(test_quantization_names), cmocka_unit_test(test_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
