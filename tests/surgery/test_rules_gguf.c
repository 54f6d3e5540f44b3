/* GGUF's rule table on small files: what is edited, what stays, what is refused. Whether llama.cpp agrees is conformance/'s question. The
 * size labels are gguf.utility.model_weight_count_rounded_notation's. */
#include "patient.h"

/* The inverse of put_records. */
static void records_text(const sg_gguf *g, char *text, size_t room)
{
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < g->n_kvs; i++) {
        const sg_gguf_kv *kv = &g->kvs[i];
        bool list = kv->type == SG_GGUF_ARRAY;
        n += (size_t)snprintf(text + n, room - n, "%s%s=%s", i ? " " : "", kv->key, list ? "[" : "");
        for (uint64_t k = 0; k < kv->count; k++) {
            int64_t value;
            assert_true(sg_gguf_get_int(kv, k, &value));
            n += (size_t)snprintf(text + n, room - n, k ? "," : "");
            if (kv->element == SG_GGUF_BOOL && list)
                n += (size_t)snprintf(text + n, room - n, value ? "t" : "f");
            else
                n += (size_t)snprintf(text + n, room - n, "%lld", (long long)value);
        }
        n += (size_t)snprintf(text + n, room - n, list ? "]" : "");
    }
}

/* ---- edits ------------------------------------------------------------------------------------------- */

static const struct { const char *name, *arch; int layers; const char *before, *list, *after; /* NULL: SG_ERR_FORMAT */ } records[] = {
    {"count", "llama", 4, "general.alignment=32 ~.block_count=4 ~.rope.dimension_count=4", "1",
     "general.alignment=32 ~.block_count=3 ~.rope.dimension_count=4"},
    {"another count", "llama", 4, "~.block_count=5", "1", NULL},
    {"lists", "qwen3moe", 4,
     "~.attention.head_count_kv=[5,6,7,8] ~.feed_forward_length=[1,2,3,4] ~.expert_feed_forward_length=[4,3,2,1] "
     "~.expert_used_count=[2,1,2,1] ~.rope.dimension_sections=[1,2,3,4]", "0,2",
     "~.attention.head_count_kv=[6,8] ~.feed_forward_length=[2,4] ~.expert_feed_forward_length=[3,1] ~.expert_used_count=[1,1] "
     "~.rope.dimension_sections=[1,2,3,4]"},
    {"numbers for all layers", "llama", 2, "~.expert_used_count=2 ~.expert_count=4", "0", "~.expert_used_count=2 ~.expert_count=4"},
    {"short list", "llama", 4, "~.attention.head_count_kv=[1,2,3]", "1", NULL},
    {"another architecture's", "llama", 2, "qwen2.block_count=7", "0", "qwen2.block_count=7"},
    {"without a prefix", "apertus", 3, "xielu.alpha_n=[1,2,3] xielu.beta=4", "1", "xielu.alpha_n=[1,3] xielu.beta=4"},
    {"leading dense", "deepseek2", 6, "~.leading_dense_block_count=3", "0,2,5", "~.leading_dense_block_count=1"},
    {"more leading than layers", "deepseek2", 6, "~.leading_dense_block_count=7", "0", NULL},
    {"hash layers", "deepseek4", 4, "~.hash_layer_count=3 ~.attention.compress_ratios=[0,0,4,4,0]", "1", "~.hash_layer_count=2 ~.attention.compress_ratios=[0,4,4,0]"},

    {"gemma2 default", "gemma2", 4, "~.block_count=4 z=1", "0", "~.block_count=3 z=1 ~.attention.sliding_window_pattern=[f,t,f]"},
    {"gemma2 period", "gemma2", 4, "~.attention.sliding_window_pattern=3 z=1", "1,2", "~.attention.sliding_window_pattern=[t,t] z=1"},
    {"a period of nothing", "gemma2", 3, "~.attention.sliding_window_pattern=0", "1", "~.attention.sliding_window_pattern=[t,t]"},
    {"gemma2 list", "gemma2", 4, "~.attention.sliding_window_pattern=[t,f,t,f]", "1", "~.attention.sliding_window_pattern=[t,t,f]"},
    {"gemma2 list of numbers", "gemma2", 4, "~.attention.sliding_window_pattern=[1,0,1,0]", "1", "~.attention.sliding_window_pattern=[1,1,0]"},
    {"a list of another length", "mimo2", 4, "~.attention.sliding_window_pattern=[t,f,t]", "1", "~.attention.sliding_window_pattern=[t,t]"},
    {"a list longer than the file", "step35", 3, "~.attention.sliding_window_pattern=[f,t,f,t,t]", "0", "~.attention.sliding_window_pattern=[t,f,t,t]"},
    {"gemma3", "gemma3", 7, "~.attention.sliding_window=7", "5", "~.attention.sliding_window=7 ~.attention.sliding_window_pattern=[t,t,t,t,t,t]"},
    {"gemma3 full", "gemma3", 6, "~.attention.sliding_window=7", "0-4", "~.attention.sliding_window=0 ~.attention.sliding_window_pattern=[f]"},
    {"gemma3 without windows", "gemma3", 3, "~.attention.sliding_window=0", "0", "~.attention.sliding_window=0"},
    {"first of a period", "laguna", 6, "~.attention.sliding_window=9", "1,5", "~.attention.sliding_window=9 ~.attention.sliding_window_pattern=[f,t,t,f]"},
    {"period of 8", "plamo3", 9, "~.attention.sliding_window=9", "0", "~.attention.sliding_window=9 ~.attention.sliding_window_pattern=[t,t,t,t,t,t,f,t]"},
    {"olmo2 has no windows", "olmo2", 5, "z=1", "0", "z=1"},
    {"cohere2", "cohere2", 5, "z=1", "0", "z=1 ~.attention.sliding_window_pattern=[t,t,f,t]"},

    {"recurrent by default", "qwen3next", 8, "z=1", "0,4", "z=1 ~.attention.recurrent_layers=[t,t,f,t,t,f]"},
    {"recurrent by interval", "qwen35", 6, "~.full_attention_interval=3", "1", "~.full_attention_interval=3 ~.attention.recurrent_layers=[t,f,t,t,f]"},
    {"recurrent by list", "qwen35moe", 4, "~.attention.recurrent_layers=[t,f,f,t]", "1", "~.attention.recurrent_layers=[t,f,t]"},
    {"GLM 5.2's indexers", "glm-dsa", 8, "~.context_length=1048576", "0,7",
     "~.context_length=1048576 ~.attention.indexer.types=[t,t,f,f,f,t]"},
    {"GLM 5's", "glm-dsa", 8, "~.context_length=202752", "0,7", "~.context_length=202752"},
    {"indexers listed", "hy_v4", 5, "~.attention.indexer.types=[1,0,1,0,0]", "1", "~.attention.indexer.types=[1,1,0,0]"},

    {"an MTP block", "glm4moe", 5, "~.block_count=5 ~.nextn_predict_layers=1 ~.attention.head_count_kv=[1,2,3,4,5]", "1,2",
     "~.block_count=3 ~.nextn_predict_layers=1 ~.attention.head_count_kv=[1,4,5]"},
    {"an MTP block that goes", "glm4moe", 5, "~.block_count=5 ~.nextn_predict_layers=1", "1,4", "~.block_count=3 ~.nextn_predict_layers=0"},
    {"an MTP block that is not there", "glm4moe", 4, "~.block_count=5 ~.nextn_predict_layers=1 ~.attention.head_count_kv=[1,2,3,4,5]", "1",
     "~.block_count=4 ~.nextn_predict_layers=1 ~.attention.head_count_kv=[1,3,4,5]"},
    {"a list without MTP blocks", "glm5-next", 5, "~.block_count=5 ~.nextn_predict_layers=1 ~.attention.indexer.types=[1,0,1,0]", "1",
     "~.block_count=4 ~.nextn_predict_layers=1 ~.attention.indexer.types=[1,1,0]"},
    {"an MTP block does not slide", "exaone-moe", 5, "~.block_count=5 ~.nextn_predict_layers=1", "0",
     "~.block_count=4 ~.nextn_predict_layers=1 ~.attention.sliding_window_pattern=[t,t,f,f]"},
    {"very many MTP blocks", "glm4moe", 4, "~.block_count=2000000004 ~.nextn_predict_layers=2000000000", "1", NULL},
    {"more MTP blocks than blocks", "glm4moe", 4, "~.block_count=4 ~.nextn_predict_layers=4", "1", NULL},

    {"consumers of a shared cache", "gemma4", 8, "~.attention.shared_kv_layers=4 ~.attention.sliding_window_pattern=[t,f,t,f,t,f,t,f]", "0,5,7",
     "~.attention.shared_kv_layers=2 ~.attention.sliding_window_pattern=[f,t,f,t,t]"},
    {"numbers of layers", "qwen4exp", 4, "~.ple.layers=[2] ~.attention.recurrent_layers=[t,f,t,f]", "1", "~.ple.layers=[1] ~.attention.recurrent_layers=[t,t,f]"},
    {"queries without low rank", "deepseek2", 27, "~.expert_gating_func=1", "3,4", "~.expert_gating_func=1 ~.attention.q_lora_rank=0"},
    {"the same at another such depth", "deepseek2", 27, "~.expert_gating_func=1", "3", "~.expert_gating_func=1"},
    {"routers known by depth", "deepseek2", 48, "~.vocab_size=154880 ~.attention.q_lora_rank=8", "3,5",
     "~.vocab_size=154880 ~.attention.q_lora_rank=8 ~.expert_gating_func=2"},
    {"routers that a depth would change", "deepseek2", 49, "~.vocab_size=154880 ~.attention.q_lora_rank=8", "3",
     "~.vocab_size=154880 ~.attention.q_lora_rank=8 ~.expert_gating_func=1"},
    {"what surgery itself writes", "llama", 2, "split.no=0 shortgpt.layers=3 general.parameter_count=9", "0", "general.parameter_count=1234567"},
};

/* Each allocation fails in turn, at once or remembered until the header is made. */
static void assert_metadata_faults(const char *name, const patient *p)
{
    int rc = SG_ERR_NOMEM;
    for (long k = 1; rc != SG_OK; k++) {
        sg_gguf_draft to = {.version = 3, .alignment = 32};
        sg_strbuf head = {0};
        fault_countdown = k;
        rc = sg_rules_metadata(&p->cut, &p->gguf, &to, NULL);
        rc = rc == SG_OK ? sg_gguf_draft_header(&to, &head, NULL) : rc;
        bool fired = !fault_countdown;
        fault_countdown = 0;
        sg_strbuf_free(&head);
        sg_gguf_draft_dispose(&to);
        if (rc != (fired ? SG_ERR_NOMEM : SG_OK))
            fail_msg("%s: allocation %ld: %d", name, k, rc);
    }
}

static void test_metadata(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(records); i++) {
        static patient p;
        sg_error err = {0};
        sg_gguf got;
        sg_strbuf head = {0};
        sg_gguf_draft to = {.version = 3, .alignment = 32};
        char text[2048], want[2048] = "";
        make_gguf(&p, records[i].arch, records[i].layers, records[i].before, records[i].list);
        int rc = sg_rules_check(&p.cut, &err);
        rc = rc == SG_OK ? sg_rules_metadata(&p.cut, &p.gguf, &to, &err) : rc;
        if (rc != (records[i].after ? SG_OK : SG_ERR_FORMAT))
            fail_msg("%s: %d (%s)", records[i].name, rc, err.message);
        if (rc == SG_OK) {
            parse_draft(&got, &to, &head);
            records_text(&got, text, sizeof text);
            expand(want, sizeof want, records[i].after, records[i].arch);
            if (strcmp(text, want) != 0)
                fail_msg("%s: %s", records[i].name, text);
            assert_metadata_faults(records[i].name, &p);
            sg_gguf_dispose(&got);
        }
        sg_gguf_draft_dispose(&to);
        sg_strbuf_free(&head);
        dispose_patient(&p);
    }
}

/* The number that MiniCPM's residuals are scaled by. */
static void test_depth_scale(void **state)
{
    (void)state;
    static patient p;
    sg_gguf got;
    sg_strbuf head = {0};
    sg_gguf_draft to = {.version = 3, .alignment = 32};
    double value = 0;
    make_gguf(&p, "minicpm", 49, "z=1", "1-9");
    assert_int_equal(sg_rules_check(&p.cut, NULL), SG_OK);
    assert_int_equal(sg_rules_metadata(&p.cut, &p.gguf, &to, NULL), SG_OK);
    parse_draft(&got, &to, &head);
    assert_true(sg_gguf_get_f64(sg_gguf_find(&got, "minicpm.residual_scale"), 0, &value));
    assert_true(value > 0.1999999 && value < 0.2000001); /* 1.4 / sqrt(49) */
    sg_gguf_dispose(&got);
    sg_gguf_draft_dispose(&to);
    sg_strbuf_free(&head);
    dispose_patient(&p);
}

/* NVFP4's list of tensors whose activations must not have 4 bits. */
static void test_tensor_names(void **state)
{
    (void)state;
    static const struct { const char *name, *list; size_t flags, kept; const char *names[3]; bool values[3]; } rows[] = {
        {"follow", "0,1", 4, 3, {"blk.0.attn_q.weight", "output.weight", "blk.1.ffn_up.weight"}, {true, true, false}},
        {"some go", "2", 4, 3, {"blk.0.ffn_up.weight", "output.weight", "blk.2.ffn_up.weight"}, {false, true, false}},
        {"another length", "1", 3, 0, {0}, {0}},
    };
    static char *const names[] = {"blk.2.attn_q.weight", "blk.0.ffn_up.weight", "output.weight", "blk.3.ffn_up.weight"};
    static const bool flags[] = {true, false, true, false};
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        sg_error err = {0};
        sg_gguf got;
        sg_strbuf head = {0};
        sg_gguf_draft to = {.version = 3, .alignment = 32}, from = to;
        make_gguf(&p, "llama", 5, "z=1", rows[i].list);
        sg_gguf_dispose(&p.gguf);
        sg_strbuf_free(&p.head);
        p.head = (sg_strbuf){0};
        sg_gguf_put_bools(&from, "general.tensor_extra.prec_a4", flags, rows[i].flags);
        sg_gguf_put_strings(&from, "general.tensor_extra.name", names, SG_ARRAY_LEN(names));
        parse_draft(&p.gguf, &from, &p.head);
        sg_gguf_draft_dispose(&from);
        int rc = sg_rules_metadata(&p.cut, &p.gguf, &to, &err);
        if (rc != (rows[i].kept ? SG_OK : SG_ERR_FORMAT))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        if (rc == SG_OK) {
            sg_str *texts;
            int64_t value;
            parse_draft(&got, &to, &head);
            const sg_gguf_kv *kept = sg_gguf_find(&got, "general.tensor_extra.name");
            assert_int_equal(sg_gguf_get_strings(kept, &texts, NULL), SG_OK);
            assert_int_equal(kept->count, rows[i].kept);
            for (size_t k = 0; k < rows[i].kept; k++) {
                assert_true(texts[k].bytes == strlen(rows[i].names[k]) && memcmp(texts[k].data, rows[i].names[k], texts[k].bytes) == 0);
                assert_true(sg_gguf_get_int(sg_gguf_find(&got, "general.tensor_extra.prec_a4"), k, &value) && value == rows[i].values[k]);
            }
            sg_free(texts);
            assert_metadata_faults(rows[i].name, &p);
            sg_gguf_dispose(&got);
        }
        sg_gguf_draft_dispose(&to);
        sg_strbuf_free(&head);
        dispose_patient(&p);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

#define GEMMA "~.embedding_length=64 ~.attention.head_count=4 ~.attention.key_length=32"
#define HYBRID "~.attention.head_count_kv=[0,0,2,0,2]"

static const struct { const char *name, *arch; int layers; const char *records, *list, *says; /* NULL: no refusal */ } limits[] = {
    {"unknown family", "quux", 3, "~.block_count=3 ~.context_length=9 ~.attention.head_count_kv=[1,2,3]", "1", NULL},
    {"unknown family with a list", "quux", 3, "~.odd=[7,8,9] ~.rope.dimension_sections=[1,2,3,4]", "1", "quux.odd could hang on a layer's number"},
    {"unknown family with a period", "quux", 3, "~.moe_every_n=2", "1", "quux.moe_every_n could hang"},
    {"unknown family with a period of 0", "quux", 3, "~.moe_every_n=0", "1", NULL},
    {"a word inside another", "qwen3m", 3, "~.layers_x=1", "1", "not known"},
    {"gemma3n's counted layers", "gemma3n", 30, "z=1", "19", "layer 19 of family gemma3n has to stay"},
    {"gemma3n's last", "gemma3n", 30, "z=1", "20,22-29", NULL},
    {"gemma2 at its depth", "gemma2", 46, GEMMA, "1", "no layer of this file can go"},
    {"gemma2 to its depth", "gemma2", 48, GEMMA, "1-2", "one layer more"},
    {"gemma2 past it", "gemma2", 48, GEMMA, "1-3", NULL},
    {"gemma2 where it does not matter", "gemma2", 46, "~.embedding_length=64 ~.attention.head_count=4 ~.attention.key_length=16", "1", NULL},
    {"gemma3 at its depth", "gemma3", 62, GEMMA, "1", "no layer of this file can go"},
    {"gemma3 at the other's", "gemma3", 46, GEMMA, "1", NULL},
    {"gemma2's last window", "gemma2", 4, "z=1", "0,2", "keep one, such as 2"},
    {"gemma2 without windows", "gemma2", 4, "~.attention.sliding_window_pattern=1", "0-2", NULL},
    {"gemma3's last window", "gemma3", 6, "~.attention.sliding_window=7", "0-4", NULL},
    {"a listed last window", "mimo2", 3, "~.attention.sliding_window_pattern=[f,t,f]", "1", "keep one, such as 1"},
    {"smollm3, part of a period", "smollm3", 12, "z=1", "5,9", "without 5,9 others would come to such places; any 4 in a row can go, such as 4-11"},
    {"smollm3, a period", "smollm3", 12, "z=1", "4-7", NULL},
    {"smollm3, the tail", "smollm3", 12, "z=1", "10-11", NULL},
    {"smollm3, all periods", "smollm3", 8, "z=1", "1,5", "any 4 in a row can go"},
    {"smollm3, as many in a row", "smollm3", 8, "z=1", "3-6", NULL},
    {"llama4's experts", "llama4", 6, "~.interleave_moe_layer_step=2 ~.attention.sliding_window=0", "1", "which layers have experts"},
    {"llama4's experts, a period", "llama4", 6, "~.interleave_moe_layer_step=2 ~.attention.sliding_window=0", "2-3", NULL},
    {"llama4 without a step", "llama4", 6, "~.interleave_moe_layer_step=1 ~.attention.sliding_window=0", "2", NULL},
    {"llama4's last without windows", "llama4", 6, "~.interleave_moe_layer_step=1 ~.attention.sliding_window=0", "5", "layer 5 of family llama4 has to stay"},
    {"llama4's positions", "llama4", 8, "~.interleave_moe_layer_step=1", "1", "rotary embedding"},
    {"ernie, behind the dense", "ernie4_5-moe", 6, "~.interleave_moe_layer_step=2 ~.leading_dense_block_count=2", "0-1", NULL},
    {"ernie, one", "ernie4_5-moe", 6, "~.interleave_moe_layer_step=2 ~.leading_dense_block_count=2", "0", "experts"},
    {"smallthinker", "smallthinker", 8, "~.attention.sliding_window=4096", "1", "rotary"},
    {"smallthinker without windows", "smallthinker", 8, "~.attention.sliding_window=0", "1", NULL},
    {"kimi-k3", "kimi-k3", 6, "~.attn_res.block_size=3", "1", "any 3 in a row can go, such as 0-2"},
    {"rwkv6 inside", "rwkv6", 12, "~.rescale_every_n_layers=6", "2", "any of layers 6-11 can go"},
    {"rwkv6 at the end", "rwkv6", 12, "~.rescale_every_n_layers=6", "7,9", NULL},
    {"rwkv6 not scaled", "rwkv6", 12, "~.rescale_every_n_layers=0", "2", NULL},
    {"rwkv7's first", "rwkv7", 4, "z=1", "0", "layer 0 of family rwkv7 has to stay"},
    {"rwkv7's others", "rwkv7", 4, "z=1", "1-3", NULL},
    {"baichuan 7B", "baichuan", 32, "z=1", "1", "that its positions are rotary"},
    {"baichuan 13B", "baichuan", 40, "z=1", "1", "that its positions are ALiBi's"},
    {"another to baichuan 7B", "baichuan", 34, "z=1", "1-2", "one layer more, or one less"},
    {"baichuan of no size", "baichuan", 20, "z=1", "1", NULL},
    {"exaone4 32B", "exaone4", 64, "z=1", "1", "no layer of this file can go"},
    {"exaone4", "exaone4", 30, "z=1", "1", NULL},
    {"command-r+", "command-r", 64, "z=1", "1", "at most 0 of 64 can go"},
    {"command-r", "command-r", 40, "z=1", "1", NULL},
    {"low rank at a lite depth", "deepseek2", 28, "~.attention.q_lora_rank=8", "1", "two layers more"},
    {"low rank", "deepseek2", 60, "~.attention.q_lora_rank=8", "1", NULL},
    {"minicpm3", "minicpm3", 4, "z=1", "1", "sqrt(number of layers)"},
    {"minimax-01", "minimax-01", 4, "z=1", "1", "decay"},
    {"the last attention", "jamba", 5, HYBRID, "2,4", "without a layer of attention"},
    {"the last recurrent", "jamba", 5, HYBRID, "0,1,3", "without a layer of the recurrent kind"},
    {"one of each", "jamba", 5, HYBRID, "0,1,4", NULL},
    {"attention alone from the start", "granitehybrid", 3, "~.attention.head_count_kv=2", "1", NULL},
    {"feed-forwards are neither", "nemotron_h", 4, "~.attention.head_count_kv=[0,0,2,0] ~.feed_forward_length=[0,9,0,9]", "0", "recurrent kind"},
    {"qwen3next's last attention", "qwen3next", 4, "z=1", "3", "without a layer of attention"},
    {"a kind of cache", "deepseek4", 3, "~.attention.compress_ratios=[0,4,128]", "1", "no layer with 4; keep one, such as 1"},
    {"a served layer", "glm-dsa", 4, "~.attention.indexer.types=[1,0,1,0]", "2", "layer 3 of family glm-dsa attends to what layer 2's"},
    {"with what it serves", "glm-dsa", 4, "~.attention.indexer.types=[1,0,1,0]", "2-3", NULL},
    {"a shared cache's source", "gemma4", 8, "~.attention.shared_kv_layers=4 ~.attention.sliding_window_pattern=[t,f,t,f,t,f,t,f]", "3",
     "layer 3 of family gemma4 has to stay: later layers read its keys and values; all such layers: 2-3"},
    {"when nobody reads it", "gemma4", 8, "~.attention.shared_kv_layers=4 ~.attention.sliding_window_pattern=[t,f,t,f,t,f,t,f]", "3-7", NULL},
    {"fewer caches than two", "gemma4", 3, "~.attention.sliding_window_pattern=[t,f,f]", "1-2", "and the plan leaves 1"},
    {"an image projector's layers", "qwen3vl", 6, "~.n_deepstack_layers=3", "2", "all such layers: 0-2"},
    {"behind them", "qwen3vl", 6, "~.n_deepstack_layers=3", "3", NULL},
    {"granite's", "granite", 4, "~.deepstack_mapping=[0,7,0,7]", "2", "all such layers"},
    {"the n-gram layer", "qwen4exp", 4, "~.ple.layers=[2] ~.attention.recurrent_layers=[t,f,t,f]", "2", "all such layers: 2"},
    {"heads by layer 0", "laguna", 5, "~.attention.sliding_window=9 ~.rope.dimension_count=64 ~.rope.dimension_count_swa=128", "0", "keep layer 0"},
    {"heads the same", "laguna", 5, "~.attention.sliding_window=9 ~.rope.dimension_count=64", "0", NULL},
    {"no heads in the new first", "deci", 3, "~.attention.head_count=[8,0,8] ~.attention.key_length=16 ~.attention.value_length=16", "0", "keep layer 0"},
    {"other heads", "openelm", 3, "~.attention.head_count=[8,4,4] ~.attention.key_length=16 ~.attention.value_length=16", "0", NULL},
    {"other heads of no said size", "openelm", 3, "~.attention.head_count=[8,4,4]", "0", "keep layer 0"},
    {"nothing but MTP", "glm4moe", 3, "~.block_count=3 ~.nextn_predict_layers=1", "0-1", "nothing but the blocks"},
    {"an encoder", "t5", 3, "z=1", "1", "no layer of family t5 can go"},
    {"no decoder", "bert", 3, "z=1", "1", "no language model"},
};

/* Each allocation fails in turn; a refusal that comes first is fine. */
static void assert_check_faults(const char *name, const patient *p, int expected)
{
    int rc = SG_ERR_NOMEM;
    for (long k = 1; rc == SG_ERR_NOMEM; k++) {
        fault_countdown = k;
        rc = sg_rules_check(&p->cut, NULL);
        bool fired = !fault_countdown;
        fault_countdown = 0;
        if (rc != (fired ? SG_ERR_NOMEM : expected))
            fail_msg("%s: allocation %ld: %d", name, k, rc);
    }
}

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(limits); i++) {
        static patient p;
        sg_error err = {0};
        make_gguf(&p, limits[i].arch, limits[i].layers, limits[i].records, limits[i].list);
        int rc = sg_rules_check(&p.cut, &err);
        if (rc != (limits[i].says ? SG_ERR_REFUSED : SG_OK) || (limits[i].says && !strstr(err.message, limits[i].says)))
            fail_msg("%s: %d (%s)", limits[i].name, rc, err.message);
        assert_check_faults(limits[i].name, &p, rc);
        dispose_patient(&p);
    }
}

/* ---- layer by layer ---------------------------------------------------------------------------------- */

static void test_layers(void **state)
{
    (void)state;
    /* verdicts: y goes alone, s in a set, e with its neighbours, n stays */
    static const struct { const char *name, *arch, *records, *verdicts; } rows[] = {
        {"all go", "llama", "z=1", "yyyy"},
        {"each fourth", "smollm3", "z=1", "sssssssy"},
        {"the last of a period", "smollm3", "z=1", "ssssy"},
        {"the first", "rwkv7", "z=1", "nyyy"},
        {"no layer", "minicpm3", "z=1", "nnn"},
        {"an only window", "gemma2", "~.attention.sliding_window_pattern=[t,f,f]", "nyy"},
        {"providers", "gemma4", "~.attention.shared_kv_layers=2 ~.attention.sliding_window_pattern=[t,f,t,f,t,f]", "yynnyy"},
        {"heads by layer 0", "deci", "~.attention.head_count=[4,0,4]", "eyy"},
        {"unknown", "quux", "~.layer_period=2", "nnn"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        static patient p;
        sg_removable *r;
        char got[16] = "";
        int n = (int)strlen(rows[i].verdicts);
        make_gguf(&p, rows[i].arch, n, rows[i].records, "0");
        assert_int_equal(sg_removable_find(&r, &p.model, false, NULL), SG_OK);
        for (int k = 0; k < n; k++) {
            bool together = r->why[k] && strncmp(r->why[k], "not alone: ", strlen("not alone: ")) == 0;
            got[k] = r->alone[k] ? 'y' : together ? r->allowed[k] ? 's' : 'e' : r->allowed[k] ? '?' : 'n';
        }
        if (strcmp(got, rows[i].verdicts) != 0)
            fail_msg("%s: %s, %s", rows[i].name, got, r->why[0]);
        sg_removable_free(r);
        dispose_patient(&p);
    }
}

/* ---- size labels ------------------------------------------------------------------------------------- */

static void test_size_label(void **state)
{
    (void)state;
    static const struct { uint64_t parameters; const char *label; } rows[] = {
        {0u, "0.00K"}, {1u, "0.00K"}, {499u, "0.50K"}, {500u, "0.50K"}, {999u, "1.0K"}, {1500u, "1.5K"},
        {9499u, "9.5K"}, {9500u, "10K"}, {9949u, "10K"}, {9950u, "10K"}, {10000u, "10K"}, {10500u, "10K"},
        {159360u, "159K"}, {999499u, "999K"}, {999999u, "1000K"}, {1000000u, "1000K"}, {1000001u, "1.0M"},
        {1234567u, "1.2M"}, {9500000u, "10M"}, {134515008u, "135M"}, {123895296u, "124M"},
        {999999999u, "1000M"}, {1000000000u, "1000M"}, {1000000001u, "1.0B"}, {1498000000u, "1.5B"},
        {2500000000u, "2.5B"}, {6738415616ull, "6.7B"}, {8030261248ull, "8.0B"}, {9499999999ull, "9.5B"},
        {9950000000ull, "10B"}, {70553706496ull, "71B"}, {405000000000ull, "405B"}, {1000000000001ull, "1.0T"},
        {1040000000000ull, "1.0T"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char label[32];
        sg_size_label(rows[i].parameters, label);
        if (strcmp(label, rows[i].label) != 0)
            fail_msg("%llu: %s, expected %s", (unsigned long long)rows[i].parameters, label, rows[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata), cmocka_unit_test(test_depth_scale), cmocka_unit_test(test_tensor_names), cmocka_unit_test(test_limits), cmocka_unit_test(test_layers), cmocka_unit_test(test_size_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
