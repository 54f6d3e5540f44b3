/* Hugging Face: what a configuration says by a layer's number, read in transformers' own sources,
 * models/NAME/{configuration,modeling}_NAME.py. Families are config.json's model_type (the inner one of text_config).
 * One idea a row; a family of which nothing hangs on the number but the count is a word in `known` alone. */
#include "core/mem.h"
#include "surgery/rule.h"
#include "surgery/rules_limits.h"
#include "surgery/rules_unknown.h"

/* Families of which the rows below say all that hangs on a layer's number. */
static const char known[] =
    /* the count alone, or the rows for every family */
    "llama mistral ministral3 gemma phi phi3 phi4_multimodal phimoe olmo olmo2 olmoe flex_olmo granite granitemoe "
    "granitemoeshared stablelm gpt2 gpt_neox gpt_bigcode gptj codegen bloom mpt opt falcon starcoder2 mixtral "
    "apertus apertus1p5_text arcee aria_text biogpt bitnet cohere cpmant ctrl dbrx doge emu3_text_model ernie4_5 "
    "exaone falcon_h1 falcon_mamba glm glm4 helium hunyuan_v1_dense hyperclovax internlm3 iquestcoder jais2 "
    "jetmoe mamba mamba2 cohere_compass_text minimax_m2 moshi nanochat nemotron openai-gpt persimmon seed_oss "
    "solar_open xglm xlstm youtu qwen2_vl qwen2_5_vl "
    /* rows of their own */
    "afmoe axk1 axk2 bailing_hybrid bamba beam cohere2 cohere2_moe cwm deepseek_v2 deepseek_v3 deepseek_v32 "
    "deepseek_v4 diffllama dots1 dots3_note_text ernie4_5_moe exaone4 exaone_moe flint gemma2 gemma3_text "
    "gemma3n_text gemma4_text gemma4_unified_text glm4_moe glm4_moe_lite glm_moe_dsa gpt_neo gpt_neox_japanese "
    "gpt_oss granite_swa granitemoe_swa granitemoehybrid hunyuan_v1_moe hy_v3 hy_v4 inkling_text jamba "
    "kimi_linear kolibri1 laguna lara_mini lfm2 lfm2_moe lfm3 llama4_text longcat_flash mellum mimo_v2_flash "
    "minicpm3 minimax minimax_m3_vl_text ministral mllama_text_model modernbert-decoder nemotron_h olmo3 "
    "olmo_hybrid qwen2 qwen2_vl_text qwen2_5_vl_text qwen2_moe qwen3 qwen3_moe qwen3_next qwen4_exp_text "
    "qwen3_5_text qwen3_5_moe_text qwen3_vl_text qwen3_vl_moe_text recurrent_gemma rwkv sarvam_mla sarvam_moe "
    "smollm3 vaultgemma zamba zamba2 zaya "
    /* no layer can go */
    "inkling2_text inkling2_loop_text dory hrm_text";

#define ROW(who, what, how, ...)                                                                                       \
    {                                                                                                                  \
        .families = who, .key = what, .op = SG_RULE_##how, __VA_ARGS__                                                 \
    }
#define HF(...) ROW(__VA_ARGS__, )
#define EVERY NULL

/* What an absent list means. */
#define ABSENT(how, ...) .absent = SG_ABSENT_##how, __VA_ARGS__
#define LAST_OF(k, key) ABSENT(LAST_OF, .n = k, .with = key)
#define FULL_ELSE_SLIDING .yes = "full_attention", .no = "sliding_attention"
#define SLIDING_ELSE_FULL .yes = "sliding_attention", .no = "full_attention"
#define FULL_ELSE_LINEAR .yes = "full_attention", .no = "linear_attention"
#define SPARSE_ELSE_DENSE .yes = "sparse", .no = "dense"
#define SPARSE_FROM(k) ABSENT(FROM, .n = k, .with = "first_k_dense_replace", SPARSE_ELSE_DENSE)
#define SPARSE_BUT_THE_FIRST ABSENT(FROM, .n = 1, SPARSE_ELSE_DENSE)

static const sg_rule rows[] = {
    /* ---- counts ---- */
    HF(EVERY, "num_hidden_layers", COUNT),
    HF("gpt2 bloom gptj gpt_bigcode codegen ctrl openai-gpt falcon", "n_layer", COUNT),
    HF("mpt dbrx", "n_layers", COUNT),
    HF("gpt_neo xglm exaone", "num_layers", COUNT),
    HF("xlstm", "num_blocks", COUNT),
    HF("longcat_flash", "num_layers", COUNT),

    /* ---- lists of any family; transformers refuses the first two with another length ---- */
    HF(EVERY, "layer_types", GATHER),
    HF(EVERY, "mlp_layer_types", GATHER),
    HF(EVERY, "layers_block_type", GATHER),
    HF(EVERY, "per_layer_config", REMAP_KEYS),

    /* ---- full and sliding attention ---- */
    HF("qwen2 qwen3 qwen2_vl qwen2_5_vl qwen2_vl_text qwen2_5_vl_text", "layer_types", GATHER,
       ABSENT(FROM, .n = 28, .with = "max_window_layers", SLIDING_ELSE_FULL,
              .when = "use_sliding_window ?sliding_window")),
    HF("qwen2_moe", "layer_types", GATHER,
       ABSENT(EVEN_BELOW, .n = 28, .with = "max_window_layers", SLIDING_ELSE_FULL, .when = "use_sliding_window")),
    HF("dots1", "layer_types", GATHER,
       ABSENT(FROM, .n = 62, .with = "max_window_layers", SLIDING_ELSE_FULL, .when = "?sliding_window")),
    /* for readers older than layer_types */
    HF("qwen2 qwen3 qwen2_moe dots1 qwen2_vl qwen2_5_vl qwen2_vl_text qwen2_5_vl_text", "max_window_layers",
       COUNT_BELOW),
    HF("gemma2 gpt_oss vaultgemma", "layer_types", GATHER, LAST_OF(2, NULL), FULL_ELSE_SLIDING),
    HF("gemma3_text", "layer_types", GATHER, LAST_OF(6, "sliding_window_pattern"), FULL_ELSE_SLIDING),
    HF("gemma3n_text kolibri1", "layer_types", GATHER, LAST_OF(5, NULL), FULL_ELSE_SLIDING),
    HF("gemma4_text gemma4_unified_text", "layer_types", GATHER, LAST_OF(6, NULL), FULL_ELSE_SLIDING, .ends = 2),
    HF("gemma4_text gemma4_unified_text", "layer_types", KEEP_LAST, .yes = "full_attention"),
    HF("cohere2 exaone4 exaone_moe", "layer_types", GATHER, LAST_OF(4, "sliding_window_pattern"), FULL_ELSE_SLIDING),
    HF("cohere2_moe", "layer_types", GATHER, ABSENT(RESTARTS, FULL_ELSE_SLIDING)),
    HF("afmoe", "layer_types", GATHER, LAST_OF(4, "global_attn_every_n_layers"), FULL_ELSE_SLIDING),
    HF("olmo3", "layer_types", GATHER, LAST_OF(4, NULL), FULL_ELSE_SLIDING),
    HF("cwm granite_swa granitemoe_swa", "layer_types", GATHER, ABSENT(FIRST_OF, .n = 4), FULL_ELSE_SLIDING),
    HF("modernbert-decoder", "layer_types", GATHER, ABSENT(FIRST_OF, .n = 3), .with = "global_attn_every_n_layers",
       FULL_ELSE_SLIDING),
    HF("beam", "layer_types", GATHER, LAST_OF(6, NULL), FULL_ELSE_SLIDING, .ends = 1),
    HF("dots3_note_text", "layer_types", GATHER, ABSENT(LETTERS, .letters = "nn|yyyn"), .yes = "sliding_attention",
       .no = "indexed_attention",
       .when = "?use_sliding_window"), /* the loader takes that for full where there is no DSA */
    HF("mimo_v2_flash", "layer_types", GATHER, ABSENT(LETTERS, .letters = "ynnnny|nnnnny"), FULL_ELSE_SLIDING),
    HF("flint", "layer_types", GATHER, ABSENT(LETTERS, .letters = "yy|nnny"), FULL_ELSE_SLIDING, .ends = 1),
    HF("smollm3 llama4_text", "no_rope_layers", GATHER, LAST_OF(4, "no_rope_layer_interval"), .yes = "0", .no = "1"),
    HF("smollm3", "layer_types", GATHER,
       ABSENT(AS_NOT, .with = "no_rope_layers", SLIDING_ELSE_FULL, .when = "use_sliding_window sliding_window")),
    HF("llama4_text", "layer_types", GATHER, ABSENT(AS, .with = "no_rope_layers"), .yes = "chunked_attention",
       .no = "full_attention", .when = "?attention_chunk_size"),
    HF("granite_swa granitemoe_swa", "layer_rope_theta", GATHER),
    HF("laguna", "num_attention_heads_per_layer", GATHER),
    HF("mimo_v2_flash", "hybrid_layer_pattern", GATHER),
    HF("minimax minimax_m2", "attn_type_list", GATHER),
    HF("mixtral phi3 phi4_multimodal phimoe starcoder2 ministral3 doge", "sliding_window", TELLS, SLIDING_ELSE_FULL),
    HF("mistral", "sliding_window", TELLS, SLIDING_ELSE_FULL, .n = 1),
    HF("qwen3_moe", "use_sliding_window", TELLS, SLIDING_ELSE_FULL),
    HF("recurrent_gemma", "", TELLS, .yes = "sliding_attention"),
    HF("inkling_text", "layer_types", GATHER, LAST_OF(6, NULL), .yes = "hybrid", .no = "hybrid_sliding",
       .unless = "local_layer_ids"),
    HF("inkling_text", "local_layer_ids", REMAP, .yes = "hybrid_sliding", .no = "hybrid"),
    HF("gpt_neo", "attention_types", RUNS),
    HF("gpt_neo", "attention_layers", DROP),

    /* ---- other mixers ---- */
    HF("qwen3_next qwen3_5_text qwen3_5_moe_text", "layer_types", GATHER, LAST_OF(4, "full_attention_interval"),
       FULL_ELSE_LINEAR),
    HF("qwen4_exp_text", "layer_types", GATHER, LAST_OF(4, "full_attention_interval"), .yes = "indexed_attention",
       .no = "linear_attention"),
    HF("bailing_hybrid", "layer_types", GATHER, LAST_OF(6, "layer_group_size"), FULL_ELSE_LINEAR),
    HF("olmo_hybrid", "layer_types", GATHER, LAST_OF(4, NULL), FULL_ELSE_LINEAR),
    HF("olmo_hybrid", "layer_types", KEEP_A_WORD, .yes = "linear_attention"),
    HF("olmo_hybrid", "layer_types", KEEP_A_WORD, .yes = "full_attention"),
    HF("minimax", "layer_types", GATHER, LAST_OF(2, NULL), .yes = "linear_attention", .no = "full_attention"),
    HF("minimax", "layer_types", NEEDS_TENSOR, .yes = "linear_attention", .letters = "self_attn.slope_rate"),
    HF("kimi_linear", "layer_types", GATHER, ABSENT(LETTERS, .letters = "nnnn|ynnn"), FULL_ELSE_LINEAR,
       .unless = "linear_attn_config.full_attn_layers"),
    HF("kimi_linear", "linear_attn_config.full_attn_layers", REMAP, .depth = 1, FULL_ELSE_LINEAR),
    HF("kimi_linear", "linear_attn_config.kda_layers", REMAP, .depth = 1),
    HF("qwen4_exp_text", "ple_layer_ids", PROTECT_EARLIER, .depth = 1,
       .with = "a later one's n-gram embeddings are found by its place among such layers"),
    HF("qwen4_exp_text", "ple_layer_ids", REMAP, .depth = 1),
    HF("lara_mini", "layer_types", GATHER, ABSENT(LETTERS, .letters = "LSLFS")),
    HF("lfm3", "layer_types", GATHER, ABSENT(LETTERS, .letters = "CCFC|SCFC")),
    HF("lfm2", "full_attn_idxs", REMAP),
    HF("bamba", "attn_layer_indices", REMAP),
    HF("granitemoehybrid", "attn_layer_indices", REMAP),
    HF("nemotron_h", "hybrid_override_pattern", GATHER),
    HF("recurrent_gemma", "block_types", CYCLE, ABSENT(LETTERS, .letters = "RRA")),
    HF("jamba", "attn_layer_period", FIT_PERIOD, .with = "attn_layer_offset", .depth = 8, .n = 4),
    HF("jamba", "expert_layer_period", FIT_PERIOD, .with = "expert_layer_offset", .depth = 2, .n = 1),
    HF("zamba2", "hybrid_layer_ids", REMAP),
    HF("zamba zamba2", "layers_block_type", PROTECT_WORD, .yes = "hybrid",
       .with = "such layers share one block of attention, by their order"),
    HF("deepseek_v4", "layer_types", GATHER, ABSENT(LETTERS, .letters = "nn|ny"), .yes = "compressed_sparse_attention",
       .no = "heavily_compressed_attention", .unless = "compress_ratios"),
    HF("deepseek_v4", "compress_ratios", GATHER),
    HF("minimax_m3_vl_text", "sparse_attention_config.sparse_attention_freq", GATHER),
    HF("minimax_m3_vl_text", "sparse_attention_config.sparse_attention_freq", TELLS, .yes = "minimax_m3_sparse",
       .no = "full_attention"),
    HF("deepseek_v32 glm_moe_dsa hy_v4 axk2", "", TELLS, .yes = "indexed_attention"),
    HF("glm_moe_dsa", "indexer_types", GATHER, .absent = SG_ABSENT_INDEXER, .yes = "full", .no = "shared"),
    HF("hy_v4", "indexer_types", GATHER, ABSENT(LETTERS, .letters = "y|ynnn"), .yes = "full", .no = "shared"),
    HF("glm_moe_dsa", "index_topk_pattern", GATHER),
    HF("glm_moe_dsa hy_v4", "indexer_types", KEEP_SERVED, .yes = "full", .no = "shared"),
    HF("mllama_text_model", "cross_attention_layers", REMAP, ABSENT(LETTERS, .letters = "nnnyn"),
       .yes = "cross_attention", .no = "full_attention"),

    /* ---- dense and experts ---- */
    HF("qwen2_moe qwen3_moe qwen3_next", "mlp_only_layers", REMAP, .step = "decoder_sparse_step"),
    HF("flint", "mlp_only_layers", REMAP, ABSENT(LETTERS, .letters = "yy|n"), .yes = "y", .no = "n",
       .step = "decoder_sparse_step"),
    HF("qwen3_vl_moe_text", "mlp_only_layers", REMAP, .step = "decoder_sparse_step"),
    HF("llama4_text", "moe_layers", REMAP, ABSENT(LAST_OF, .n = 1, .with = "interleave_moe_layer_step"), .yes = "y",
       .no = "n"),
    HF("axk1 axk2 dots3_note_text", "mlp_layer_types", GATHER,
       ABSENT(FROM, .n = 1, .with = "first_k_dense_replace", .step = "moe_layer_freq", SPARSE_ELSE_DENSE)),
    HF("deepseek_v32 glm_moe_dsa", "mlp_layer_types", GATHER, SPARSE_FROM(3)),
    HF("beam", "mlp_layer_types", GATHER, ABSENT(FROM, .n = 3, SPARSE_ELSE_DENSE)),
    HF("exaone_moe kimi_linear", "mlp_layer_types", GATHER, SPARSE_FROM(1)),
    HF("cohere2_moe", "mlp_layer_types", GATHER, SPARSE_FROM(0)),
    HF("bailing_hybrid", "mlp_layer_types", GATHER, SPARSE_FROM(2)),
    HF("inkling_text", "mlp_layer_types", GATHER, ABSENT(FROM, .n = 0, .with = "dense_mlp_idx", SPARSE_ELSE_DENSE)),
    HF("glm4_moe_lite hy_v3 hy_v4 laguna mimo_v2_flash", "mlp_layer_types", GATHER, SPARSE_BUT_THE_FIRST),
    HF("deepseek_v4", "mlp_layer_types", GATHER, ABSENT(FROM, .n = 3, .with = "num_hash_layers"), .yes = "moe",
       .no = "hash_moe"),
    HF("deepseek_v2 axk1 axk2 dots3_note_text cohere2_moe dots1 kimi_linear deepseek_v32 glm_moe_dsa exaone_moe "
       "bailing_hybrid laguna "
       "glm4_moe_lite hy_v3 hy_v4 mimo_v2_flash",
       "first_k_dense_replace", COUNT_BELOW),
    HF("deepseek_v3", "first_k_dense_replace", COUNT_BELOW, .n = 3),
    HF("glm4_moe sarvam_mla sarvam_moe", "first_k_dense_replace", COUNT_BELOW, .n = 1),
    HF("afmoe", "num_dense_layers", COUNT_BELOW, .n = 1),
    HF("lfm2_moe", "num_dense_layers", COUNT_BELOW, .n = 2),
    HF("inkling_text", "dense_mlp_idx", COUNT_BELOW),
    HF("deepseek_v4", "num_hash_layers", COUNT_BELOW),
    HF("deepseek_v2 deepseek_v3 dots3_note_text mimo_v2_flash minimax_m3_vl_text", "moe_layer_freq", GATHER),
    HF("hunyuan_v1_moe", "moe_topk", GATHER),
    HF("hunyuan_v1_moe", "num_experts", GATHER),
    HF("hunyuan_v1_moe", "moe_intermediate_size", GATHER),
    HF("hunyuan_v1_moe", "num_shared_expert", GATHER),
    HF("ernie4_5_moe", "moe_layer_start_index", FIT_RANGE),

    /* ---- keys and values of other layers, embeddings of each layer ---- */
    HF("gemma3n_text", "intermediate_size", GATHER),
    HF("gemma3n_text", "activation_sparsity_pattern", GATHER, ABSENT(FROM, .n = 10), .depth = 10, .yes = "0.0",
       .no = "0.95"),
    HF("gemma3n_text", "num_kv_shared_layers", PROTECT_KV, .n = 15),
    HF("gemma3n_text", "num_kv_shared_layers", COUNT_ABOVE, .n = 15),
    HF("gemma4_text gemma4_unified_text", "num_kv_shared_layers", PROTECT_KV),
    HF("gemma4_text gemma4_unified_text", "num_kv_shared_layers", COUNT_ABOVE),
    HF("gemma3n_text gemma4_text", ".embed_tokens_per_layer.weight", SLICE, .n = 1),
    HF("gemma3n_text gemma4_text", ".per_layer_model_projection.weight", SLICE, .n = 0),

    /* ---- what hangs on the number itself ---- */
    HF("minicpm3", "scale_depth", SCALE, .with = "1.4"),
    HF("gpt2", "scale_attn_by_inverse_layer_idx", TAIL_IF_TRUE),
    HF("diffllama", "", TAIL, .with = "the weight of the second attention map hangs on the layer's number"),
    HF("gpt_neox_japanese", "", PROTECT, .n = -1, .with = "it alone has a bias behind its attention"),
    HF("modernbert-decoder", "", PROTECT, .n = 0, .with = "it alone has no norm before its attention"),
    HF("rwkv", "", PROTECT, .n = 0, .with = "it alone has the norm behind the embedding"),
    HF("zaya", "", TAIL, .with = "each layer's router goes on from that of the layer before it"),
    HF("qwen3_vl_text qwen3_vl_moe_text", "vision_config.deepstack_visual_indexes", PROTECT_BELOW,
       .with = "pictures are added behind it, by its number"),
    HF("beam", "", TAIL, .with = "a layer weighs what it adds by its number"),
    HF("inkling2_text inkling2_loop_text", "", REFUSE,
       .with = "blocks of layers, by their numbers, share their residual stream"),
    HF("dory hrm_text", "", REFUSE, .with = "layers are run several times, by their numbers"),
};

const sg_rule_table sg_rules_hf = {
    .rows = rows, .n = SG_ARRAY_LEN(rows), .known = known, .refuse = sg_limit_hf, .suspect = sg_suspect_config};
