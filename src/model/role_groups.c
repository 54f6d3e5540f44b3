/* Tensor roles of both formats, in groups. Names, shapes and orders are those of transformers' checkpoints and of
 * llama.cpp's convert_hf_to_gguf.py; tests/golden/make_families.py makes a fixture of each. */
#include "model/role_groups.h"

/* clang-format off */
#define GROUP(name, ...)                                    \
    static const sg_role_row name##_rows[] = {__VA_ARGS__}; \
    const sg_role_group name = {name##_rows, SG_ARRAY_LEN(name##_rows)}

#define V   SG_EXT_VOCAB
#define D   SG_EXT_HIDDEN
#define Q   SG_EXT_Q
#define KV  SG_EXT_KV
#define ALL SG_EXT_QKV
#define E   SG_EXT_HEAD
#define F   SG_EXT_FFN
#define X   SG_EXT_EXPERTS
#define FX  SG_EXT_EXPERT_FFN
#define FS  SG_EXT_SHARED_FFN

/* ---- the model --------------------------------------------------------------------------------------- */

GROUP(sg_roles_model,
    /* role           HF                      GGUF                  shape   needed */
    {SG_EMBEDDING,    "embed_tokens.weight",  "token_embd.weight",  {V, D}, SG_ALWAYS},
    {SG_FINAL_NORM,   "norm.weight",          "output_norm.weight", {D},    SG_ALWAYS},
    {SG_HEAD,         "/lm_head.weight",      "output.weight",      {V, D}, SG_IF_UNTIED});
GROUP(sg_roles_model_layernorm,
    {SG_EMBEDDING,       "embed_tokens.weight", "token_embd.weight",  {V, D}, SG_ALWAYS},
    {SG_FINAL_NORM,      "norm.weight",         "output_norm.weight", {D},    SG_ALWAYS},
    {SG_FINAL_NORM_BIAS, "norm.bias",           "output_norm.bias",   {D},    SG_ALWAYS},
    {SG_HEAD,            "/lm_head.weight",     "output.weight",      {V, D}, SG_IF_UNTIED});
GROUP(sg_roles_model_gpt2,
    {SG_EMBEDDING,       "wte.weight",      "token_embd.weight",    {V, D}, SG_ALWAYS},
    {SG_POSITIONS,       "wpe.weight",      "position_embd.weight", {SG_EXT_POSITIONS, D}, SG_ALWAYS},
    {SG_FINAL_NORM,      "ln_f.weight",     "output_norm.weight",   {D},    SG_ALWAYS},
    {SG_FINAL_NORM_BIAS, "ln_f.bias",       "output_norm.bias",     {D},    SG_ALWAYS},
    {SG_HEAD,            "/lm_head.weight", "output.weight",        {V, D}, SG_IF_UNTIED});
GROUP(sg_roles_model_gpt_neox,
    {SG_EMBEDDING,       "embed_in.weight",         "token_embd.weight",  {V, D}, SG_ALWAYS},
    {SG_FINAL_NORM,      "final_layer_norm.weight", "output_norm.weight", {D},    SG_ALWAYS},
    {SG_FINAL_NORM_BIAS, "final_layer_norm.bias",   "output_norm.bias",   {D},    SG_ALWAYS},
    {SG_HEAD,            "/embed_out.weight",       "output.weight",      {V, D}, SG_IF_UNTIED});
GROUP(sg_roles_rope_factors,
    {SG_ROPE_FACTORS, NULL, "rope_freqs.weight", {SG_EXT_ROTARY_HALF}, SG_OPTIONAL});
GROUP(sg_roles_rope_long,
    {SG_ROPE_LONG_FACTORS,  NULL, "rope_factors_long.weight",  {SG_EXT_ROTARY_HALF}, SG_OPTIONAL},
    {SG_ROPE_SHORT_FACTORS, NULL, "rope_factors_short.weight", {SG_EXT_ROTARY_HALF}, SG_OPTIONAL});

/* ---- norms ------------------------------------------------------------------------------------------- */

GROUP(sg_roles_norms,
    {SG_ATTN_NORM, "input_layernorm.weight",          "attn_norm.weight", {D}, SG_ALWAYS},
    {SG_FFN_NORM,  "post_attention_layernorm.weight", "ffn_norm.weight",  {D}, SG_ALWAYS});
GROUP(sg_roles_norms_gemma, /* in front of and behind each half */
    {SG_ATTN_NORM,      "input_layernorm.weight",            "attn_norm.weight",           {D}, SG_ALWAYS},
    {SG_ATTN_POST_NORM, "post_attention_layernorm.weight",   "post_attention_norm.weight", {D}, SG_ALWAYS},
    {SG_FFN_NORM,       "pre_feedforward_layernorm.weight",  "ffn_norm.weight",            {D}, SG_ALWAYS},
    {SG_FFN_POST_NORM,  "post_feedforward_layernorm.weight", "post_ffw_norm.weight",       {D}, SG_ALWAYS});
GROUP(sg_roles_norms_behind,
    {SG_ATTN_POST_NORM, "post_attention_layernorm.weight",   "post_attention_norm.weight", {D}, SG_ALWAYS},
    {SG_FFN_POST_NORM,  "post_feedforward_layernorm.weight", "post_ffw_norm.weight",       {D}, SG_ALWAYS});
GROUP(sg_roles_norms_layer,
    {SG_ATTN_NORM,      "input_layernorm.weight",          "attn_norm.weight", {D}, SG_ALWAYS},
    {SG_ATTN_NORM_BIAS, "input_layernorm.bias",            "attn_norm.bias",   {D}, SG_ALWAYS},
    {SG_FFN_NORM,       "post_attention_layernorm.weight", "ffn_norm.weight",  {D}, SG_ALWAYS},
    {SG_FFN_NORM_BIAS,  "post_attention_layernorm.bias",   "ffn_norm.bias",    {D}, SG_ALWAYS});
GROUP(sg_roles_norms_stablelm, /* parallel halves share the first norm */
    {SG_ATTN_NORM,      "input_layernorm.weight",          "attn_norm.weight", {D}, SG_ALWAYS},
    {SG_ATTN_NORM_BIAS, "input_layernorm.bias",            "attn_norm.bias",   {D}, SG_ALWAYS},
    {SG_FFN_NORM,       "post_attention_layernorm.weight", "ffn_norm.weight",  {D}, SG_IF_SEQUENTIAL},
    {SG_FFN_NORM_BIAS,  "post_attention_layernorm.bias",   "ffn_norm.bias",    {D}, SG_IF_SEQUENTIAL});
GROUP(sg_roles_norms_gpt2,
    {SG_ATTN_NORM,      "ln_1.weight", "attn_norm.weight", {D}, SG_ALWAYS},
    {SG_ATTN_NORM_BIAS, "ln_1.bias",   "attn_norm.bias",   {D}, SG_ALWAYS},
    {SG_FFN_NORM,       "ln_2.weight", "ffn_norm.weight",  {D}, SG_ALWAYS},
    {SG_FFN_NORM_BIAS,  "ln_2.bias",   "ffn_norm.bias",    {D}, SG_ALWAYS});

/* ---- the mixer ---------------------------------------------------------------------------------------- */

/* The rows after Q and K differ only in how a GGUF keeps q and k. A GGUF may hold the three fused. */
#define QKV_ROWS(gguf_order)                                                                                             \
    {SG_QKV,      NULL,                      "attn_qkv.weight",    {ALL, D}, SG_OPTIONAL,    SG_ROWS_AS_OURS, gguf_order}, \
    {SG_Q,        "self_attn.q_proj.weight", "attn_q.weight",      {Q, D},  SG_UNLESS_FUSED, SG_ROWS_AS_OURS, gguf_order}, \
    {SG_K,        "self_attn.k_proj.weight", "attn_k.weight",      {KV, D}, SG_UNLESS_FUSED, SG_ROWS_AS_OURS, gguf_order}, \
    {SG_V,        "self_attn.v_proj.weight", "attn_v.weight",      {KV, D}, SG_UNLESS_FUSED},                              \
    {SG_O,        "self_attn.o_proj.weight", "attn_output.weight", {D, Q},  SG_ALWAYS},                                    \
    {SG_QKV_BIAS, NULL,                      "attn_qkv.bias",      {ALL},   SG_OPTIONAL,     SG_ROWS_AS_OURS, gguf_order}, \
    {SG_Q_BIAS,   "self_attn.q_proj.bias",   "attn_q.bias",        {Q},     SG_IF_QKV_BIAS,  SG_ROWS_AS_OURS, gguf_order}, \
    {SG_K_BIAS,   "self_attn.k_proj.bias",   "attn_k.bias",        {KV},    SG_IF_QKV_BIAS,  SG_ROWS_AS_OURS, gguf_order}, \
    {SG_V_BIAS,   "self_attn.v_proj.bias",   "attn_v.bias",        {KV},    SG_IF_QKV_BIAS},                               \
    {SG_O_BIAS,   "self_attn.o_proj.bias",   "attn_output.bias",   {D},     SG_IF_O_BIAS}

GROUP(sg_roles_qkv_pairs, QKV_ROWS(SG_ROWS_INTERLEAVED)); /* architectures of llama.cpp's rope type "norm" */
GROUP(sg_roles_qkv, QKV_ROWS(SG_ROWS_AS_OURS));           /* of its type "neox" */
GROUP(sg_roles_qkv_phi3,
    {SG_QKV, "self_attn.qkv_proj.weight", "attn_qkv.weight",    {ALL, D}, SG_ALWAYS},
    {SG_O,   "self_attn.o_proj.weight",   "attn_output.weight", {D, Q},   SG_ALWAYS});
GROUP(sg_roles_qkv_gpt2, /* GPT-2 stores [in, out]; everyone else [out, in] */
    {SG_QKV,      "attn.c_attn.weight", "attn_qkv.weight",    {ALL, D}, SG_ALWAYS, SG_ROWS_AS_COLUMNS},
    {SG_QKV_BIAS, "attn.c_attn.bias",   "attn_qkv.bias",      {ALL},    SG_ALWAYS},
    {SG_O,        "attn.c_proj.weight", "attn_output.weight", {D, Q},   SG_ALWAYS, SG_ROWS_AS_COLUMNS},
    {SG_O_BIAS,   "attn.c_proj.bias",   "attn_output.bias",   {D},      SG_ALWAYS});
GROUP(sg_roles_qkv_gpt_neox,
    {SG_QKV,      "attention.query_key_value.weight", "attn_qkv.weight",    {ALL, D}, SG_ALWAYS,      SG_ROWS_BY_HEAD},
    {SG_QKV_BIAS, "attention.query_key_value.bias",   "attn_qkv.bias",      {ALL},    SG_IF_QKV_BIAS, SG_ROWS_BY_HEAD},
    {SG_O,        "attention.dense.weight",           "attn_output.weight", {D, Q},   SG_ALWAYS},
    {SG_O_BIAS,   "attention.dense.bias",             "attn_output.bias",   {D},      SG_IF_O_BIAS});

GROUP(sg_roles_qk_norm_head,
    {SG_Q_NORM, "self_attn.q_norm.weight", "attn_q_norm.weight", {E}, SG_ALWAYS},
    {SG_K_NORM, "self_attn.k_norm.weight", "attn_k_norm.weight", {E}, SG_ALWAYS});
GROUP(sg_roles_qk_norm_row,
    {SG_Q_NORM, "self_attn.q_norm.weight", "attn_q_norm.weight", {Q},  SG_ALWAYS},
    {SG_K_NORM, "self_attn.k_norm.weight", "attn_k_norm.weight", {KV}, SG_ALWAYS});
GROUP(sg_roles_qk_norm_heads, /* HF: a tensor for each head */
    {SG_Q_NORM, "self_attn.q_layernorm.norms.%d.weight", "attn_q_norm.weight", {SG_EXT_HEADS, E},    SG_IF_QK_NORM},
    {SG_K_NORM, "self_attn.k_layernorm.norms.%d.weight", "attn_k_norm.weight", {SG_EXT_KV_HEADS, E}, SG_IF_QK_NORM});

/* ---- the feed-forward --------------------------------------------------------------------------------- */

GROUP(sg_roles_ffn,
    {SG_GATE,      "mlp.gate_proj.weight", "ffn_gate.weight", {F, D}, SG_IF_DENSE},
    {SG_UP,        "mlp.up_proj.weight",   "ffn_up.weight",   {F, D}, SG_IF_DENSE},
    {SG_DOWN,      "mlp.down_proj.weight", "ffn_down.weight", {D, F}, SG_IF_DENSE},
    {SG_GATE_BIAS, "mlp.gate_proj.bias",   "ffn_gate.bias",   {F},    SG_IF_FFN_BIAS},
    {SG_UP_BIAS,   "mlp.up_proj.bias",     "ffn_up.bias",     {F},    SG_IF_FFN_BIAS},
    {SG_DOWN_BIAS, "mlp.down_proj.bias",   "ffn_down.bias",   {D},    SG_IF_FFN_BIAS});
GROUP(sg_roles_ffn_phi3,
    {SG_GATE_UP, "mlp.gate_up_proj.weight", "ffn_up.weight",   {SG_EXT_GATE_UP, D}, SG_ALWAYS},
    {SG_DOWN,    "mlp.down_proj.weight",    "ffn_down.weight", {D, F},              SG_ALWAYS});
GROUP(sg_roles_ffn_gpt2,
    {SG_UP,        "mlp.c_fc.weight",   "ffn_up.weight",   {F, D}, SG_ALWAYS, SG_ROWS_AS_COLUMNS},
    {SG_UP_BIAS,   "mlp.c_fc.bias",     "ffn_up.bias",     {F},    SG_ALWAYS},
    {SG_DOWN,      "mlp.c_proj.weight", "ffn_down.weight", {D, F}, SG_ALWAYS, SG_ROWS_AS_COLUMNS},
    {SG_DOWN_BIAS, "mlp.c_proj.bias",   "ffn_down.bias",   {D},    SG_ALWAYS});
GROUP(sg_roles_ffn_gpt_neox,
    {SG_UP,        "mlp.dense_h_to_4h.weight", "ffn_up.weight",   {F, D}, SG_ALWAYS},
    {SG_UP_BIAS,   "mlp.dense_h_to_4h.bias",   "ffn_up.bias",     {F},    SG_ALWAYS},
    {SG_DOWN,      "mlp.dense_4h_to_h.weight", "ffn_down.weight", {D, F}, SG_ALWAYS},
    {SG_DOWN_BIAS, "mlp.dense_4h_to_h.bias",   "ffn_down.bias",   {D},    SG_ALWAYS});
GROUP(sg_roles_ffn_starcoder2,
    {SG_UP,        "mlp.c_fc.weight",   "ffn_up.weight",   {F, D}, SG_ALWAYS},
    {SG_UP_BIAS,   "mlp.c_fc.bias",     "ffn_up.bias",     {F},    SG_IF_FFN_BIAS},
    {SG_DOWN,      "mlp.c_proj.weight", "ffn_down.weight", {D, F}, SG_ALWAYS},
    {SG_DOWN_BIAS, "mlp.c_proj.bias",   "ffn_down.bias",   {D},    SG_IF_FFN_BIAS});

/* An expert's matrices: HF has one tensor for each expert ("%d"), GGUF all in one with the expert outermost. */
GROUP(sg_roles_experts_mixtral,
    {SG_ROUTER,      "block_sparse_moe.gate.weight",          "ffn_gate_inp.weight",  {X, D},     SG_IF_EXPERTS},
    {SG_EXPERT_GATE, "block_sparse_moe.experts.%d.w1.weight", "ffn_gate_exps.weight", {X, FX, D}, SG_IF_EXPERTS},
    {SG_EXPERT_UP,   "block_sparse_moe.experts.%d.w3.weight", "ffn_up_exps.weight",   {X, FX, D}, SG_IF_EXPERTS},
    {SG_EXPERT_DOWN, "block_sparse_moe.experts.%d.w2.weight", "ffn_down_exps.weight", {X, D, FX}, SG_IF_EXPERTS});
GROUP(sg_roles_experts,
    {SG_ROUTER,      "mlp.gate.weight",                 "ffn_gate_inp.weight",  {X, D},     SG_IF_EXPERTS},
    {SG_EXPERT_GATE, "mlp.experts.%d.gate_proj.weight", "ffn_gate_exps.weight", {X, FX, D}, SG_IF_EXPERTS},
    {SG_EXPERT_UP,   "mlp.experts.%d.up_proj.weight",   "ffn_up_exps.weight",   {X, FX, D}, SG_IF_EXPERTS},
    {SG_EXPERT_DOWN, "mlp.experts.%d.down_proj.weight", "ffn_down_exps.weight", {X, D, FX}, SG_IF_EXPERTS});
GROUP(sg_roles_shared_expert,
    {SG_SHARED_GATE,  "mlp.shared_expert.gate_proj.weight", "ffn_gate_shexp.weight", {FS, D}, SG_IF_SHARED},
    {SG_SHARED_UP,    "mlp.shared_expert.up_proj.weight",   "ffn_up_shexp.weight",   {FS, D}, SG_IF_SHARED},
    {SG_SHARED_DOWN,  "mlp.shared_expert.down_proj.weight", "ffn_down_shexp.weight", {D, FS}, SG_IF_SHARED},
    {SG_SHARED_SCORE, "mlp.shared_expert_gate.weight",      "ffn_gate_inp_shexp.weight", {SG_EXT_ONE, D}, SG_IF_SHARED});
