/* The family table: one row each. Defaults are those of transformers 5's configuration classes; a GGUF has llama.cpp's
 * meaning. */
#include "model/families.h"

#include "model/role_groups.h"

/* clang-format off */
#define RMS_MODEL  .hf_root = "model.", .hf_layers = "layers.", .norm = SG_NORM_RMS, .act = "silu", .partial_rotary = 1
#define GEMMA_BASE .hf_root = "model.", .hf_layers = "layers.", .norm = SG_NORM_RMS, .norm_plus_one = true, .partial_rotary = 1, \
                   .act = "gelu_pytorch_tanh", .tied = true, .head_dim = 256, .qkv_bias = "attention_bias", .o_bias = "attention_bias"

static const sg_family families[] = {
    {.name = "llama", .gguf = "llama", RMS_MODEL, .eps = 1e-6, .positions = 2048,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv_pairs, &sg_roles_ffn, &sg_roles_rope_factors},
     .qkv_bias = "attention_bias", .o_bias = "attention_bias", .ffn_bias = "mlp_bias"},
    {.name = "mistral", RMS_MODEL, .eps = 1e-6, .positions = 131072, .kv_heads = 8, .window = SG_WINDOW_ALL, .window_size = 4096,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv_pairs, &sg_roles_ffn}},
    {.name = "qwen2", .gguf = "qwen2", RMS_MODEL, .eps = 1e-6, .positions = 32768, .kv_heads = 32, .window = SG_WINDOW_QWEN2,
     .window_size = 4096, .qkv_bias_default = true,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv, &sg_roles_ffn}},
    {.name = "qwen3", .gguf = "qwen3", RMS_MODEL, .eps = 1e-6, .positions = 32768, .kv_heads = 32, .head_dim = 128,
     .window = SG_WINDOW_QWEN2, .window_size = 4096, .qk_norm = SG_QK_NORM_HEAD, .qkv_bias = "attention_bias", .o_bias = "attention_bias",
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv, &sg_roles_qk_norm_head, &sg_roles_ffn}},
    {.name = "gemma", .gguf = "gemma", GEMMA_BASE, .eps = 1e-6, .positions = 8192, .kv_heads = 16, .finish = sg_finish_gemma,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv, &sg_roles_ffn}},
    {.name = "gemma2", .gguf = "gemma2", GEMMA_BASE, .eps = 1e-6, .positions = 8192, .kv_heads = 4, .keys.act = "hidden_activation",
     .window = SG_WINDOW_PERIOD, .gguf_window = SG_WINDOW_PERIOD, .window_size = 4096, .period = 2, .finish = sg_finish_gemma2,
     .groups = {&sg_roles_model, &sg_roles_norms_gemma, &sg_roles_qkv, &sg_roles_ffn}},
    {.name = "gemma3_text", .gguf = "gemma3", GEMMA_BASE, .eps = 1e-6, .positions = 131072, .kv_heads = 4,
     .keys.act = "hidden_activation", .qk_norm = SG_QK_NORM_HEAD, .window = SG_WINDOW_PERIOD, .gguf_window = SG_WINDOW_PERIOD,
     .window_size = 4096, .period = 6, .finish = sg_finish_gemma3,
     .groups = {&sg_roles_model, &sg_roles_norms_gemma, &sg_roles_qkv, &sg_roles_qk_norm_head, &sg_roles_ffn}},
    {.name = "phi3", .gguf = "phi3", RMS_MODEL, .honours_partial = true, .eps = 1e-5, .positions = 4096, .window = SG_WINDOW_ALL,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv_phi3, &sg_roles_ffn_phi3, &sg_roles_rope_long}},
    {.name = "olmo2", .gguf = "olmo2", RMS_MODEL, .eps = 1e-5, .positions = 2048, .qk_norm = SG_QK_NORM_ROW,
     .qkv_bias = "attention_bias", .o_bias = "attention_bias", .finish = sg_finish_olmo2,
     .groups = {&sg_roles_model, &sg_roles_norms_behind, &sg_roles_qkv, &sg_roles_qk_norm_row, &sg_roles_ffn}},
    {.name = "granite", .gguf = "granite", RMS_MODEL, .eps = 1e-6, .positions = 2048, .qkv_bias = "attention_bias",
     .o_bias = "attention_bias", .ffn_bias = "mlp_bias", .finish = sg_finish_granite,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv_pairs, &sg_roles_ffn, &sg_roles_rope_factors}},
    {.name = "stablelm", .gguf = "stablelm", .hf_root = "model.", .hf_layers = "layers.", .norm = SG_NORM_LAYER, .act = "silu",
     .eps = 1e-5, .partial_rotary = 0.25, .honours_partial = true, .positions = 4096, .kv_heads = 32, .qkv_bias = "use_qkv_bias",
     .finish = sg_finish_stablelm,
     .groups = {&sg_roles_model_layernorm, &sg_roles_norms_stablelm, &sg_roles_qkv, &sg_roles_qk_norm_heads, &sg_roles_ffn}},
    {.name = "gpt2", .gguf = "gpt2", .hf_root = "transformer.", .hf_layers = "h.", .norm = SG_NORM_LAYER, .act = "gelu_new", .eps = 1e-5,
     .partial_rotary = 1, .positions = 1024, .tied = true, .ungated = true, .no_rope = true, .qkv_bias_default = true,
     .o_bias_default = true, .ffn_bias_default = true, .finish = sg_finish_gpt2,
     .keys = {.n_layers = "n_layer", .hidden = "n_embd", .heads = "n_head", .kv_heads = "", .intermediate = "n_inner", .positions = "n_positions",
              .act = "activation_function", .norm_eps = "layer_norm_epsilon"},
     .groups = {&sg_roles_model_gpt2, &sg_roles_norms_gpt2, &sg_roles_qkv_gpt2, &sg_roles_ffn_gpt2}},
    {.name = "gpt_neox", .gguf = "gptneox", .hf_root = "gpt_neox.", .hf_layers = "layers.", .norm = SG_NORM_LAYER, .act = "gelu",
     .eps = 1e-5, .partial_rotary = 0.25, .honours_partial = true, .positions = 2048, .ungated = true, .qkv_bias = "attention_bias",
     .o_bias = "attention_bias", .qkv_bias_default = true, .o_bias_default = true, .ffn_bias_default = true,
     .finish = sg_finish_gpt_neox, .keys = {.kv_heads = "", .norm_eps = "layer_norm_eps"},
     .groups = {&sg_roles_model_gpt_neox, &sg_roles_norms_layer, &sg_roles_qkv_gpt_neox, &sg_roles_ffn_gpt_neox}},
    {.name = "starcoder2", .gguf = "starcoder2", .hf_root = "model.", .hf_layers = "layers.", .norm = SG_NORM_LAYER,
     .act = "gelu_pytorch_tanh", .eps = 1e-5, .partial_rotary = 1, .positions = 4096, .kv_heads = 2, .tied = true,
     .ungated = true, .window = SG_WINDOW_ALL, .qkv_bias = "use_bias", .o_bias = "use_bias", .ffn_bias = "use_bias",
     .qkv_bias_default = true, .o_bias_default = true, .ffn_bias_default = true, .keys = {.norm_eps = "norm_epsilon"},
     .groups = {&sg_roles_model_layernorm, &sg_roles_norms_layer, &sg_roles_qkv, &sg_roles_ffn_starcoder2}},
    {.name = "mixtral", .gguf = "llama", .experts = true, RMS_MODEL, .eps = 1e-5, .theta = 1e6, .positions = 131072, .kv_heads = 8,
     .window = SG_WINDOW_ALL, .finish = sg_finish_mixtral,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv_pairs, &sg_roles_experts_mixtral, &sg_roles_rope_factors}},
    {.name = "qwen2_moe", .gguf = "qwen2moe", .experts = true, RMS_MODEL, .eps = 1e-6, .positions = 32768, .kv_heads = 16,
     .window = SG_WINDOW_QWEN2_MOE, .window_size = 4096, .qkv_bias = "qkv_bias", .qkv_bias_default = true, .finish = sg_finish_qwen2_moe,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv, &sg_roles_ffn, &sg_roles_experts, &sg_roles_shared_expert}},
    {.name = "qwen3_moe", .gguf = "qwen3moe", .experts = true, RMS_MODEL, .eps = 1e-6, .positions = 32768, .kv_heads = 4,
     .qk_norm = SG_QK_NORM_HEAD, .window = SG_WINDOW_QWEN3_MOE, .window_size = 4096, .qkv_bias = "attention_bias",
     .o_bias = "attention_bias", .finish = sg_finish_qwen3_moe,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv, &sg_roles_qk_norm_head, &sg_roles_ffn, &sg_roles_experts}},
    {.name = "olmoe", .gguf = "olmoe", .experts = true, RMS_MODEL, .eps = 1e-5, .positions = 4096, .qk_norm = SG_QK_NORM_ROW,
     .qkv_bias = "attention_bias", .o_bias = "attention_bias", .finish = sg_finish_olmoe,
     .groups = {&sg_roles_model, &sg_roles_norms, &sg_roles_qkv, &sg_roles_qk_norm_row, &sg_roles_experts}},
};
/* clang-format on */

const sg_family *sg_family_row(size_t i)
{
    return i < SG_ARRAY_LEN(families) ? &families[i] : NULL;
}
