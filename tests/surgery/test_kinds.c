/* What a layer is called where the rules know more than the configuration's lists and the tensors' names say. The words are those of
 * transformers' configuration classes (lists that they write out) and of llama.cpp's load_arch_hparams. */
#include "patient.h"

#include "surgery/kinds.h"

/* A letter for each layer, after the tensors: a attention, m mamba, b both, r recurrent, l linear, small x: with experts.
 * And what they become. */
static const struct { char letter; const char *name; } kinds[] = {
    {'a', "attention"}, {'F', "full attention"}, {'S', "sliding attention"}, {'C', "chunked attention"}, {'X', "cross attention"},
    {'l', "linear attention"}, {'P', "sparse attention"}, {'m', "mamba"}, {'b', "mamba and attention"}, {'r', "recurrent"},
    {'h', "hybrid"}, {'H', "hybrid, sliding"}, {'e', "attention, experts"}, {'E', "full attention, experts"}, {'G', "sliding attention, experts"},
    {'f', "full attention, shared KV"}, {'s', "sliding attention, shared KV"}, {'d', "dense feed-forward"}, {'g', "sliding attention, experts, shared KV"},
};

static const char *name_of(char letter)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(kinds); i++)
        if (kinds[i].letter == letter)
            return kinds[i].name;
    fail_msg("letter %c", letter);
    return NULL;
}

/* Each allocation fails in turn; then the kinds are what is wanted. */
static void assert_kinds(const char *name, const patient *p, const char *seen, const char *wanted)
{
    sg_layer_info layers[MAX_LAYERS] = {0};
    int rc = SG_ERR_NOMEM, n = (int)strlen(seen);
    for (long k = 1; rc != SG_OK; k++) {
        for (int i = 0; i < n; i++)
            layers[i] = (sg_layer_info){.index = i, .kind = name_of(seen[i])};
        fault_countdown = k;
        rc = sg_kinds_find(&p->model, layers, NULL);
        bool fired = !fault_countdown;
        fault_countdown = 0;
        if (rc != (fired ? SG_ERR_NOMEM : SG_OK))
            fail_msg("%s: allocation %ld: %d", name, k, rc);
    }
    for (int i = 0; i < n; i++)
        if (strcmp(layers[i].kind, name_of(wanted[i])) != 0)
            fail_msg("%s: layer %d is \"%s\", expected \"%s\"", name, i, layers[i].kind, name_of(wanted[i]));
}

static void test_hf(void **state)
{
    (void)state;
    static const struct { const char *name, *config, *seen, *wanted; } rows[] = {
        {"nothing hangs on the number", "{'model_type':'glm'}", "aaae", "FFFE"},
        {"an unknown family", "{'model_type':'quux'}", "aam", "aam"},
        {"a period", "{'model_type':'gpt_oss'}", "eeee", "GEGE"},
        {"a period by a key", "{'model_type':'cohere2','sliding_window_pattern':3}", "aaaa", "SSFS"},
        {"the first of a period", "{'model_type':'cwm'}", "aaaaa", "FSSSF"},
        {"a list that is there", "{'model_type':'exaone4','layer_types':['full_attention','sliding_attention']}", "aa", "FS"},
        {"a list that is too short", "{'model_type':'exaone4','layer_types':['sliding_attention']}", "aa", "FF"},
        {"another list decides", "{'model_type':'llama4_text','no_rope_layers':[1,0,1],'attention_chunk_size':8}", "aaa", "CFC"},
        {"a period counted anew", "{'model_type':'cohere2_moe','sliding_window_pattern':2,'first_k_dense_replace':1}", "aaaa", "FSFS"},
        {"letters", "{'model_type':'mimo_v2_flash'}", "aaaaaaa", "FSSSSFS"},
        {"runs", "{'model_type':'gpt_neo','attention_types':[[['global','local'],1],[['local'],2]]}", "aaaa", "FSSS"},
        {"runs of another length", "{'model_type':'gpt_neo','attention_types':[[['global','local'],1]]}", "aaa", "FFF"},
        {"one window for all", "{'model_type':'phimoe','sliding_window':9}", "ee", "GG"},
        {"no window", "{'model_type':'phimoe','sliding_window':null}", "ea", "EF"},
        {"a window by default", "{'model_type':'mistral'}", "aa", "SS"},
        {"a window switched off", "{'model_type':'mistral','sliding_window':null}", "aa", "FF"},
        {"windows beside recurrence", "{'model_type':'recurrent_gemma'}", "rra", "rrS"},
        {"linear layers", "{'model_type':'qwen3_next','full_attention_interval':2}", "laae", "lFlE"},
        {"numbers from 1", "{'model_type':'kimi_linear','linear_attn_config':{'full_attn_layers':[2]}}", "bab", "lFl"},
        {"numbers and words", "{'model_type':'kimi_linear','layer_types':['full_attention','linear_attention'],'linear_attn_config':{'full_attn_layers':[2]}}", "Fl", "Fl"},
        {"numbers that slide", "{'model_type':'inkling_text','local_layer_ids':[0]}", "aa", "Hh"},
        {"pictures", "{'model_type':'mllama_text_model','cross_attention_layers':[1]}", "aaa", "FXF"},
        {"pictures by default", "{'model_type':'mllama_text_model'}", "aaaaa", "FFFXF"},
        {"indexers", "{'model_type':'deepseek_v32'}", "aa", "PP"},
        {"indexers in some", "{'model_type':'minimax_m3_vl_text','sparse_attention_config':{'sparse_attention_freq':[0,1]}}", "aa", "FP"},
        {"compression", "{'model_type':'deepseek_v4'}", "aaa", "PPP"},
        {"one word for two", "{'model_type':'granitemoehybrid','layer_types':['linear_attention','attention']}", "ma", "mF"},
        {"feed-forwards", "{'model_type':'nemotron_h','hybrid_override_pattern':'M*-'}", "mad", "mFd"},
        {"keys and values of others", "{'model_type':'gemma3n_text','num_kv_shared_layers':2}", "aaaaaae", "SSSSFsg"},
        {"more sharing than layers", "{'model_type':'gemma4_text','num_kv_shared_layers':9}", "aaa", "SSF"},
        {"the decoder's", "{'model_type':'llama4','text_config':{'model_type':'llama4_text','no_rope_layers':[0,1]}}", "aa", "FC"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        make_hf(&p, "", (int)strlen(rows[i].seen), rows[i].config, "0");
        p.model.family = NULL;
        assert_kinds(rows[i].name, &p, rows[i].seen, rows[i].wanted);
        dispose_patient(&p);
    }
}

static void test_gguf(void **state)
{
    (void)state;
    static const struct { const char *name, *arch, *records, *seen, *wanted; } rows[] = {
        {"nothing hangs on the number", "seed_oss", "~.block_count=3", "aam", "FFm"},
        {"windows that are not read", "llama", "~.attention.sliding_window=9 ~.attention.sliding_window_pattern=[t,f]", "aa", "FF"},
        {"an unknown architecture", "quux", "~.block_count=2", "aa", "aa"},
        {"an unknown architecture with a list", "quux", "~.attention.sliding_window_pattern=[t,f]", "aa", "SF"},
        {"a period", "gemma2", "z=1", "aaa", "SFS"},
        {"a period by a key", "gpt-oss", "~.attention.sliding_window_pattern=3", "eee", "GGE"},
        {"a list", "mimo2", "~.attention.sliding_window_pattern=[f,t]", "aa", "FS"},
        {"windows switched off", "gemma3", "~.attention.sliding_window=0 ~.attention.sliding_window_pattern=[t,t]", "aa", "FF"},
        {"chunks", "llama4", "z=1", "aaaa", "CCCF"},
        {"a depth without windows", "exaone4", "~.attention.sliding_window_pattern=[t,f]", "aa", "FF"},
        {"all of them", "lfm2", "~.attention.sliding_window=9 ~.attention.head_count_kv=[0,2]", "ma", "mS"},
        {"linear layers", "minimax-01", "~.full_attention_interval=2", "aa", "lF"},
        {"linear layers by their heads", "bailingmoe3", "~.attention.head_count_kv=[0,2]", "aa", "lF"},
        {"indexers", "glm-dsa", "~.attention.indexer.top_k=8", "aa", "PP"},
        {"indexers of none", "hy_v4", "~.attention.indexer.top_k=0", "aa", "FF"},
        {"a cache that others fill", "gemma4", "~.attention.shared_kv_layers=2 ~.attention.sliding_window_pattern=[t,f,t,f]", "aaaa", "SFsf"},
        {"a count that does not fit", "gemma2", "~.block_count=9", "aa", "aa"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        make_gguf(&p, rows[i].arch, (int)strlen(rows[i].seen), rows[i].records, "0");
        assert_kinds(rows[i].name, &p, rows[i].seen, rows[i].wanted);
        dispose_patient(&p);
    }
}

/* The depth at which llama.cpp takes exaone4 for the one with windows. */
static void test_depth(void **state)
{
    (void)state;
    static patient p;
    char seen[65] = "", wanted[65] = "";
    for (int i = 0; i < 64; i++) {
        seen[i] = 'a';
        wanted[i] = i % 4 == 3 ? 'F' : 'S';
    }
    make_gguf(&p, "exaone4", 64, "z=1", "0");
    assert_kinds("64 layers", &p, seen, wanted);
    dispose_patient(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hf), cmocka_unit_test(test_gguf), cmocka_unit_test(test_depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
