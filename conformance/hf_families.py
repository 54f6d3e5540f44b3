"""Families of transformers as tiny random models, with what hangs on a layer's number set so that it bites.

A row: model_type, the configuration's keys beyond BASE (None: the key goes), and
    drop, put   keys of config.json that go, or come, after saving: older spellings, defaults that nothing writes
    sets        more sets of layers to remove; only_sets: no others
    refused     words of the tool's reason by set (a tuple of layers); every other set must work
    depth       how many layers, 8 unless said
    towers      the row is the decoder's (text_config) of a model of that type, and these are its towers' configurations
    mtp         a layer that predicts further tokens stands behind the last
"""
BASE = dict(vocab_size=97, hidden_size=32, intermediate_size=48, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
            max_position_embeddings=128, pad_token_id=0, bos_token_id=1, eos_token_id=2, initializer_range=0.3)
WINDOW = 5
MOE = dict(num_experts=4, num_local_experts=4, num_experts_per_tok=2, moe_intermediate_size=24)
MAMBA = dict(mamba_d_state=8, mamba_d_conv=4, mamba_expand=2, mamba_n_heads=8, mamba_d_head=8, mamba_n_groups=1,
             mamba_chunk_size=8)
MLA = dict(q_lora_rank=16, kv_lora_rank=16, qk_rope_head_dim=4, qk_nope_head_dim=8, v_head_dim=8, head_dim=None,
           num_key_value_heads=4)
ROUTED = dict(n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=24, n_shared_experts=1, n_group=1,
              topk_group=1, routed_scaling_factor=1.0)
DELTA = dict(linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=8, linear_value_head_dim=8,
             linear_conv_kernel_dim=4)
S, F, L, C = "sliding_attention", "full_attention", "linear_attention", "conv"
D, P = "dense", "sparse"


def words(letters, **names):
    table = dict(S=S, F=F, L=L, C=C, D=D, P=P) | names
    return [table[letter] for letter in letters]


QWEN_VL = dict(rope_parameters=dict(rope_type="default", rope_theta=1e4, mrope_section=[1, 1, 2], mrope_interleaved=True))
PICTURES = dict(vision_config=dict(depth=2, hidden_size=16, intermediate_size=24, num_heads=2, out_hidden_size=32, patch_size=4,
                                   spatial_merge_size=2, embed_dim=16), image_token_id=90, video_token_id=91,
                vision_start_token_id=92, vision_end_token_id=93)
SETS = [(1,), (3, 4), (0, 4, 6), (7,)]


def all_refused(why, sets=SETS):
    return {s: why for s in sets}


PERIOD_BROKEN = "no numbers fit"

FAMILIES = {
    # ---- the number of layers, and nothing else
    **{name: (name, {}, {}) for name in (
        "llama", "mistral", "ministral3", "gemma", "olmo", "olmo2", "granite", "stablelm", "starcoder2", "arcee", "bitnet", "cohere",
        "ernie4_5", "glm", "glm4", "helium", "hunyuan_v1_dense", "hyperclovax", "jais2", "nemotron", "persimmon", "phi", "seed_oss",
        "gpt_neox", "apertus", "biogpt", "mamba", "falcon_mamba", "nanochat", "doge", "exaone", "internlm3", "iquestcoder", "youtu", "apertus1p5_text")},
}
FAMILIES |= {
    "youtu": ("youtu", MLA, {}),
    "phi3": ("phi3", dict(pad_token_id=0), {}),
    "phimoe": ("phimoe", MOE, {}),
    "mixtral": ("mixtral", MOE, {}),
    "olmoe": ("olmoe", MOE, {}), "flex_olmo": ("flex_olmo", MOE, {}),
    "granitemoe": ("granitemoe", MOE, {}), "granitemoeshared": ("granitemoeshared", MOE | dict(shared_intermediate_size=24), {}),
    "minimax_m2": ("minimax_m2", MOE, {}),
    "solar_open": ("solar_open", MOE | ROUTED, {}),
    "jetmoe": ("jetmoe", dict(MOE, kv_channels=8, head_dim=None, num_key_value_heads=2), {}),
    "aria_text": ("aria_text", dict(moe_num_experts=4, moe_topk=2, moe_num_shared_experts=1), {}),
    "gpt2": ("gpt2", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128), {}),
    "gpt2_by_index": ("gpt2", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128, scale_attn_by_inverse_layer_idx=True),
                      dict(sets=[(6, 7)], refused={s: "only the last layers can go" for s in SETS[:3]})),
    "gpt_bigcode": ("gpt_bigcode", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128), {}),
    "gptj": ("gptj", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128, rotary_dim=4), {}),
    "codegen": ("codegen", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128, rotary_dim=4), {}),
    "ctrl": ("ctrl", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128, dff=48), {}),
    "openai_gpt": ("openai-gpt", dict(n_layer=8, n_embd=32, n_head=4, n_positions=128), {}),
    "bloom": ("bloom", dict(n_layer=8, n_head=4), {}),
    "mpt": ("mpt", dict(n_layers=8, d_model=32, n_heads=4, max_seq_len=128, expansion_ratio=2), {}),
    "dbrx": ("dbrx", dict(n_layers=8, d_model=32, n_heads=4, max_seq_len=128, attn_config=dict(kv_n_heads=2, clip_qkv=8, rope_theta=1e4),
                          ffn_config=dict(ffn_hidden_size=24, moe_num_experts=4, moe_top_k=2)), {}),
    "falcon": ("falcon", dict(num_kv_heads=4, new_decoder_architecture=True, head_dim=None), {}),
    "opt": ("opt", dict(ffn_dim=48, word_embed_proj_dim=32), {}),
    "xglm": ("xglm", dict(num_layers=8, d_model=32, ffn_dim=48, attention_heads=4), {}),
    "mamba2": ("mamba2", dict(num_heads=8, head_dim=8, state_size=8, n_groups=1, expand=2, chunk_size=8), {}),
    "falcon_h1": ("falcon_h1", dict(MAMBA, mamba_d_ssm=64), {}),
    "xlstm": ("xlstm", dict(num_heads=4, num_blocks=8, chunkwise_kernel="chunkwise--native_autograd",
                            sequence_kernel="native_sequence__native", step_kernel="native"), {}),

    # ---- full and sliding attention
    "qwen2": ("qwen2", {}, {}),
    "qwen2_windows": ("qwen2", dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=3), {}),
    "qwen2_windows_old": ("qwen2", dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=3), dict(drop=["layer_types"])),
    "qwen3": ("qwen3", {}, {}),
    "qwen3_windows_old": ("qwen3", dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=5), dict(drop=["layer_types"])),
    "dots1": ("dots1", ROUTED | dict(first_k_dense_replace=3, sliding_window=WINDOW, max_window_layers=3), {}),
    "dots1_old": ("dots1", ROUTED | dict(first_k_dense_replace=3, sliding_window=WINDOW, max_window_layers=3), dict(drop=["layer_types"])),
    "ministral": ("ministral", dict(sliding_window=WINDOW, layer_types=words("SFFSSFSF")), {}),
    "gemma2": ("gemma2", dict(sliding_window=WINDOW), {}),
    "gemma2_old": ("gemma2", dict(sliding_window=WINDOW), dict(drop=["layer_types"])),
    "vaultgemma_old": ("vaultgemma", dict(sliding_window=WINDOW), dict(drop=["layer_types"])),
    "gpt_oss": ("gpt_oss", MOE | dict(sliding_window=WINDOW), {}),
    "gpt_oss_old": ("gpt_oss", MOE | dict(sliding_window=WINDOW), dict(drop=["layer_types"])),
    "gemma3": ("gemma3_text", dict(sliding_window=WINDOW, sliding_window_pattern=3), {}),
    "gemma3_old": ("gemma3_text", dict(sliding_window=WINDOW), dict(drop=["layer_types"], put=dict(sliding_window_pattern=3))),
    "cohere2_old": ("cohere2", dict(sliding_window=WINDOW), dict(drop=["layer_types"], put=dict(sliding_window_pattern=3))),
    "cohere2": ("cohere2", dict(sliding_window=WINDOW), {}),
    "exaone4": ("exaone4", dict(sliding_window=WINDOW, sliding_window_pattern="LLLG", layer_types=words("SSFSSFSF")), {}),
    "exaone4_old": ("exaone4", dict(sliding_window=WINDOW, sliding_window_pattern=3), dict(drop=["layer_types"])),
    "exaone_moe": ("exaone_moe", MOE | dict(sliding_window=WINDOW, sliding_window_pattern=3, first_k_dense_replace=3, n_group=1,
                                            topk_group=1, num_shared_experts=1), {}),
    "exaone_moe_old": ("exaone_moe", MOE | dict(sliding_window=WINDOW, sliding_window_pattern=3, first_k_dense_replace=3, n_group=1,
                                                topk_group=1, num_shared_experts=1), dict(drop=["layer_types", "mlp_layer_types"])),
    "cohere_compass": ("cohere_compass_text", dict(sliding_window=WINDOW, layer_types=words("SFFSSFSF"), rope_parameters={
        t: dict(rope_type="default", rope_theta=1e4) for t in (S, F)}), {}),
    "dots3_note_old": ("dots3_note_text", MLA | ROUTED | dict(sliding_window=WINDOW, index_topk=4, index_head_dim=8, index_n_heads=2, head_dim=12),
                       dict(drop=["layer_types", "mlp_layer_types", "per_layer_config"])),
    "cohere2_moe_old": ("cohere2_moe", MOE | dict(sliding_window=WINDOW, sliding_window_pattern=3, first_k_dense_replace=2),
                        dict(drop=["layer_types", "mlp_layer_types"], put=dict(first_k_dense_replace=2))),
    "afmoe": ("afmoe", MOE | dict(sliding_window=WINDOW, num_dense_layers=3, global_attn_every_n_layers=3, num_shared_experts=1), {}),
    "afmoe_old": ("afmoe", MOE | dict(sliding_window=WINDOW, num_dense_layers=3, global_attn_every_n_layers=3, num_shared_experts=1),
                  dict(drop=["layer_types"])),
    "olmo3_old": ("olmo3", dict(sliding_window=WINDOW), dict(drop=["layer_types"])),
    "olmo3": ("olmo3", dict(sliding_window=WINDOW, layer_types=words("SSFSSFSF")), {}),
    "cwm_old": ("cwm", dict(sliding_window=WINDOW), dict(drop=["layer_types"])),
    "granite_swa_old": ("granite_swa", dict(sliding_window=WINDOW, layer_rope_theta=[0, 1e4, 1e3, 0, 1e2, 1e4, 0, 1e3]),
                        dict(drop=["layer_types"])),
    "granitemoe_swa": ("granitemoe_swa", MOE | dict(sliding_window=WINDOW, layer_rope_theta=[0, 1e4, 1e3, 0, 1e2, 1e4, 0, 1e3]), {}),
    "modernbert_decoder_old": ("modernbert-decoder", dict(local_attention=WINDOW, sliding_window=WINDOW),
                               dict(drop=["layer_types"], refused={(0, 4, 6): "layer 0 has to stay"}, sets=[(2, 4, 6)])),
    "mimo_v2_flash_old": ("mimo_v2_flash", ROUTED | dict(sliding_window=WINDOW, v_head_dim=8), dict(drop=["layer_types", "mlp_layer_types"])),
    "flint_old": ("flint", MOE | dict(sliding_window=WINDOW), dict(drop=["layer_types", "mlp_only_layers"])),
    "smollm3": ("smollm3", dict(no_rope_layer_interval=3), {}),
    "smollm3_old": ("smollm3", dict(no_rope_layer_interval=3), dict(drop=["no_rope_layers", "layer_types"])),
    "smollm3_windows_old": ("smollm3", dict(no_rope_layer_interval=3, use_sliding_window=True, sliding_window=WINDOW),
                            dict(drop=["no_rope_layers", "layer_types"])),
    "llama4_old": ("llama4_text", dict(num_local_experts=4, num_experts_per_tok=1, intermediate_size_mlp=40, attention_chunk_size=WINDOW,
                                       interleave_moe_layer_step=3, no_rope_layer_interval=3),
                   dict(drop=["no_rope_layers", "layer_types", "moe_layers"])),
    "llama4": ("llama4_text", dict(num_local_experts=4, num_experts_per_tok=1, intermediate_size_mlp=40, attention_chunk_size=WINDOW,
                                   interleave_moe_layer_step=2), {}),
    "laguna": ("laguna", MOE | dict(sliding_window=WINDOW, layer_types=words("FSSFSSFS"),
                                    num_attention_heads_per_layer=[4, 2, 4, 2, 4, 4, 2, 2]), {}),
    "inkling_old": ("inkling_text", MOE | ROUTED | dict(sliding_window_size=WINDOW, sliding_window=WINDOW, local_layer_ids=[0, 1, 3, 6], dense_mlp_idx=3),
                    dict(drop=["layer_types", "mlp_layer_types"], put=dict(dense_mlp_idx=3))),
    "gpt_neo": ("gpt_neo", dict(num_layers=8, num_heads=4, window_size=WINDOW, attention_types=[[["global", "local"], 3], [["local"], 2]]), {}),
    "mellum": ("mellum", MOE | dict(sliding_window=WINDOW, layer_types=words("FSSFSSFS"), mlp_layer_types=words("DDPPDPPP")), {}),
    "kolibri1_old": ("kolibri1", MOE | dict(sliding_window=WINDOW), dict(drop=["layer_types"])),

    # ---- other mixers
    "qwen3_next": ("qwen3_next", MOE | DELTA | dict(shared_expert_intermediate_size=24, full_attention_interval=3), {}),
    "qwen3_next_old": ("qwen3_next", MOE | DELTA | dict(full_attention_interval=3, shared_expert_intermediate_size=24, decoder_sparse_step=2, mlp_only_layers=[3]),
                       dict(drop=["layer_types"], put=dict(full_attention_interval=3))),
    "qwen3_5_old": ("qwen3_5_text", DELTA | dict(full_attention_interval=3), dict(drop=["layer_types"], put=dict(full_attention_interval=3))),
    "qwen3_5_moe_old": ("qwen3_5_moe_text", MOE | DELTA | dict(full_attention_interval=3, shared_expert_intermediate_size=24),
                        dict(drop=["layer_types"], put=dict(full_attention_interval=3))),
    "qwen4_exp_old": ("qwen4_exp_text", MOE | DELTA | dict(hc_count=2, hc_lowrank=4, shared_expert_intermediate_size=24,
                      indexer_n_heads=2, indexer_kv_heads=1, indexer_head_dim=8, indexer_budget=4, indexer_compress_ratio=2,
                      full_attention_interval=3, ple_layer_ids=[2, 5], ple_embed_dim=32, heads_per_ngram=2, ngram_vocab_size_base=50,
                      make_ngram_vocab_size_divisible_by=8, split_ngram_parts=1),
                      dict(drop=["layer_types"], put=dict(full_attention_interval=3), sets=[(1, 4)], refused={(1,): "layer 1 has to stay"})),
    "bailing_hybrid_old": ("bailing_hybrid", MLA | ROUTED | dict(num_experts=4, layer_group_size=3, first_k_dense_replace=2, num_mtp_layers=0),
                           dict(drop=["layer_types", "mlp_layer_types"])),
    "olmo_hybrid_old": ("olmo_hybrid", DELTA, dict(drop=["layer_types"], sets=[(3, 7)], refused={(3, 7): "keep one, such as 7"})),
    "minimax": ("minimax", MOE | dict(block_size=8), dict()),
    "minimax_old": ("minimax", MOE | dict(block_size=8), dict(drop=["layer_types"])),
    "kimi_linear": ("kimi_linear", MLA | ROUTED | dict(linear_attn_config=dict(num_heads=4, head_dim=8, short_conv_kernel_size=4,
                    full_attn_layers=[3, 5, 8], kda_layers=[1, 2, 4, 6, 7])),
                    dict(drop=["layer_types", "mlp_layer_types"], put=dict(linear_attn_config=dict(num_heads=4, head_dim=8,
                         short_conv_kernel_size=4, full_attn_layers=[3, 5, 8], kda_layers=[1, 2, 4, 6, 7])))),
    "lara_mini_old": ("lara_mini", MOE | DELTA | dict(sliding_window=WINDOW, shared_expert_intermediate_size=24), dict(drop=["layer_types"])),
    "lfm2": ("lfm2", dict(full_attn_idxs=[2, 5, 7]), dict(drop=["layer_types"], put=dict(full_attn_idxs=[2, 5, 7]))),
    "lfm2_listed": ("lfm2", dict(layer_types=words("CCFCCFCF")), {}),
    "lfm2_moe": ("lfm2_moe", MOE | dict(num_dense_layers=3, layer_types=words("CCFCCFCF")), {}),
    "lfm3_old": ("lfm3", dict(sliding_window=WINDOW), dict(drop=["layer_types"])),
    "bamba": ("bamba", MAMBA | dict(attn_layer_indices=[2, 5]), {}),
    "granitemoehybrid": ("granitemoehybrid", MOE | MAMBA | dict(shared_intermediate_size=24,
                         layer_types=["mamba", "mamba", "attention", "mamba", "mamba", "attention", "mamba", "attention"]), {}),
    "nemotron_h": ("nemotron_h", ROUTED | dict(layers_block_type=["mamba", "moe", "attention", "mlp", "mamba", "attention", "moe", "mlp"],
                   mamba_num_heads=8, mamba_head_dim=8, ssm_state_size=8, n_groups=1, chunk_size=8,
                   moe_shared_expert_intermediate_size=24), {}),
    "nemotron_h_old": ("nemotron_h", ROUTED | dict(layers_block_type=["mamba", "moe", "attention", "mlp", "mamba", "attention", "moe", "mlp"],
                       mamba_num_heads=8, mamba_head_dim=8, ssm_state_size=8, n_groups=1, chunk_size=8,
                       moe_shared_expert_intermediate_size=24),
                       dict(drop=["layers_block_type", "layer_types"], put=dict(hybrid_override_pattern="ME*-M*E-", num_hidden_layers=8))),
    "recurrent_gemma": ("recurrent_gemma", dict(attention_window_size=WINDOW, lru_width=32), {}),
    "jamba": ("jamba", MOE | dict(mamba_d_state=8, mamba_d_conv=4, mamba_expand=2, mamba_dt_rank=4, use_mamba_kernels=False, attn_layer_period=4,
              attn_layer_offset=2, expert_layer_period=2, expert_layer_offset=1),
              dict(sets=[(0, 1, 2, 3), (2, 3, 4, 5), (5, 6, 7)], refused={(1,): "4 layers in a row can go, such as 1-4", (3, 4): PERIOD_BROKEN,
                                                      (0, 4, 6): PERIOD_BROKEN})),
    "jamba_shifted": ("jamba", MOE | dict(mamba_d_state=8, mamba_d_conv=4, mamba_expand=2, mamba_dt_rank=4, use_mamba_kernels=False,
                      attn_layer_period=8, attn_layer_offset=4, expert_layer_period=2, expert_layer_offset=1),
                      dict(only_sets=True, sets=[(0, 1), (2, 3), (6, 7), (0,), (4, 5)])),
    "zamba": ("zamba", dict(mamba_d_state=8, mamba_expand=2, n_mamba_heads=2, mamba_dt_rank=4, num_key_value_heads=4, use_mamba_kernels=False,
              layers_block_type=["mamba", "mamba", "hybrid", "mamba", "mamba", "hybrid", "mamba", "mamba"], attention_head_dim=16,
              attention_hidden_size=64, head_dim=None), dict(sets=[(5, 7)], refused={(5, 7): "layer 5 has to stay"})),
    "zamba2": ("zamba2", dict(mamba_d_state=8, mamba_expand=2, n_mamba_heads=8, num_key_value_heads=4, num_mem_blocks=2, chunk_size=8,
               layers_block_type=["mamba", "mamba", "hybrid", "mamba", "mamba", "hybrid", "mamba", "hybrid"], attention_head_dim=16,
               use_shared_attention_adapter=True, adapter_rank=4, head_dim=None),
               dict(sets=[(0, 3, 6)], refused={(7,): "layer 7 has to stay"})),
    "deepseek_v4": ("deepseek_v4", ROUTED | dict(sliding_window=WINDOW), dict(drop=["layer_types", "mlp_layer_types"], put=dict(num_hash_layers=2))),
    "minimax_m3": ("minimax_m3_vl_text", MOE, {}),
    "minimax_m3_old": ("minimax_m3_vl_text", MOE | dict(index_topk_blocks=1, index_block_size=2, index_local_blocks=1, index_n_heads=2, index_head_dim=8,
                          layer_types=["minimax_m3_sparse" if i in (1, 2, 5) else F for i in range(8)], mlp_layer_types=words("DDPPDPPP")),
                          dict(drop=["layer_types", "mlp_layer_types"], put=dict(moe_layer_freq=[0, 0, 1, 1, 0, 1, 1, 1],
                               sparse_attention_config=dict(sparse_attention_freq=[0, 1, 1, 0, 0, 1, 0, 0])))),

    # ---- dense and experts
    "qwen2_moe": ("qwen2_moe", MOE | dict(shared_expert_intermediate_size=24, decoder_sparse_step=2, mlp_only_layers=[1, 5]), {}),
    "qwen2_moe_old": ("qwen2_moe", MOE | dict(shared_expert_intermediate_size=24, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=5),
                      dict(drop=["layer_types"])),
    "qwen3_moe": ("qwen3_moe", MOE | dict(decoder_sparse_step=3, mlp_only_layers=[2]), {}),
    "deepseek_v2": ("deepseek_v2", MLA | ROUTED | dict(first_k_dense_replace=3, topk_method="greedy"), {}),
    "deepseek_v3": ("deepseek_v3", MLA | ROUTED | dict(first_k_dense_replace=3, num_nextn_predict_layers=1), dict(mtp=True)),
    "deepseek_v32": ("deepseek_v32", MLA | ROUTED | dict(first_k_dense_replace=3, index_topk=4, index_head_dim=8, index_n_heads=2),
                     dict(drop=["mlp_layer_types", "layer_types"])),
    "glm4_moe": ("glm4_moe", ROUTED | dict(first_k_dense_replace=3, num_nextn_predict_layers=1), dict(mtp=True)),
    "glm4_moe_lite_old": ("glm4_moe_lite", MLA | ROUTED, dict(drop=["mlp_layer_types"])),
    "glm_moe_dsa": ("glm_moe_dsa", MLA | ROUTED | dict(index_topk_freq=3, index_skip_topk_offset=2, first_k_dense_replace=2, index_topk=4, index_head_dim=8, index_n_heads=2),
                    dict(drop=["mlp_layer_types", "layer_types", "indexer_types"], put=dict(index_topk_freq=3, index_skip_topk_offset=2, first_k_dense_replace=2),
                         refused={(1,): "layer 1 has to stay", (3, 4): "layer 4 has to stay", (0, 4, 6): "layer 4 has to stay"}, sets=[(2,), (5, 6), (1, 2, 3)])),
    "axk1_old": ("axk1", MLA | ROUTED | dict(first_k_dense_replace=2, moe_layer_freq=2), dict(drop=["mlp_layer_types"], put=dict(first_k_dense_replace=2, moe_layer_freq=2))),
    "axk2_old": ("axk2", MLA | ROUTED | dict(first_k_dense_replace=2, moe_layer_freq=2, index_topk=4, index_head_dim=8, index_n_heads=2), dict(drop=["mlp_layer_types"], put=dict(first_k_dense_replace=2, moe_layer_freq=2))),
    "hy_v3_old": ("hy_v3", MOE | ROUTED, dict(drop=["mlp_layer_types"])),
    "hy_v4_old": ("hy_v4", MLA | MOE | ROUTED | dict(index_topk=4, index_head_dim=8, index_n_heads=2), dict(drop=["mlp_layer_types", "layer_types", "indexer_types"],
                  refused={(1,): "layer 1 has to stay"})),
    "hunyuan_v1_moe": ("hunyuan_v1_moe", dict(num_experts=4, moe_topk=[1, 2, 3, 2, 1, 2, 1, 3]), {}),
    "ernie4_5_moe": ("ernie4_5_moe", dict(moe_num_experts=4, moe_k=2, moe_intermediate_size=24, moe_num_shared_experts=1, moe_layer_start_index=2,
                                          moe_layer_end_index=6), {}),
    "ernie4_5_moe_step": ("ernie4_5_moe", dict(moe_num_experts=4, moe_k=2, moe_intermediate_size=24, moe_num_shared_experts=1, moe_layer_start_index=1,
                          moe_layer_interval=2), dict(sets=[(2, 3)], refused={(1,): None, (3, 4): None, (0, 4, 6): None})),
    "ernie4_5_moe_start": ("ernie4_5_moe", dict(moe_num_experts=4, moe_k=2, moe_intermediate_size=24, moe_num_shared_experts=1,
                           moe_layer_start_index=3, moe_layer_interval=2), dict(only_sets=True, sets=[(0, 1), (2, 3), (0, 2), (7,)])),
    "longcat_flash": ("longcat_flash", MLA | dict(head_dim=4, num_layers=8, ffn_hidden_size=48, expert_ffn_hidden_size=24, n_routed_experts=4, zero_expert_num=2, moe_topk=2), {}),
    "moshi": ("moshi", dict(ffn_dim=96, num_codebooks=2, audio_vocab_size=50), {}),
    "sarvam_moe": ("sarvam_moe", ROUTED | dict(first_k_dense_replace=3), {}),
    "sarvam_mla": ("sarvam_mla", MLA | ROUTED | dict(first_k_dense_replace=3), {}),
    "cpmant": ("cpmant", dict(dim_head=8, dim_ff=48, prompt_types=4, prompt_length=4, segment_types=4), {}),
    "zaya": ("zaya", MOE | dict(num_experts_per_tok=1), dict(refused={s: "only the last layers can go" for s in SETS[:3]})),

    # ---- keys and values of other layers
    "gemma3n": ("gemma3n_text", dict(sliding_window=WINDOW, vocab_size_per_layer_input=97, hidden_size_per_layer_input=8, num_kv_shared_layers=3,
                laurel_rank=4, layer_types=words("SSFSFSSF"), intermediate_size=[48, 40, 48, 32, 40, 48, 32, 48], altup_num_inputs=2,
                activation_sparsity_pattern=[0.9, 0.9, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0]),
                dict(refused={(3, 4): "layer 3 has to stay", (0, 4, 6): "layer 4 has to stay"}, sets=[(0, 2, 5), (6,), (5, 6, 7)])),
    "gemma3n_old": ("gemma3n_text", dict(sliding_window=WINDOW, vocab_size_per_layer_input=97, hidden_size_per_layer_input=8, num_kv_shared_layers=3,
                laurel_rank=4, altup_num_inputs=2), dict(depth=12, drop=["layer_types", "activation_sparsity_pattern"],
                refused={(3, 4): "layer 4 has to stay", (0, 4, 6): "layer 4 has to stay"}, sets=[(0, 1), (10, 11)])),
    "gemma4": ("gemma4_text", dict(sliding_window=WINDOW, vocab_size_per_layer_input=97, hidden_size_per_layer_input=8, num_kv_shared_layers=3,
               layer_types=words("SSFSFSFF")), dict(refused={(3, 4): "layer 3 has to stay", (0, 4, 6): "layer 4 has to stay", (6, 7): "keep layer 6"}, sets=[(0, 2, 5), (6, 7)])),
    "gemma4_unified": ("gemma4_unified_text", dict(sliding_window=WINDOW, num_kv_shared_layers=3, layer_types=words("SSFSFSFF")), dict(
        refused={(3, 4): "layer 3 has to stay", (0, 4, 6): "layer 4 has to stay"}, sets=[(0, 2, 5)])),
    "gemma4_old": ("gemma4_text", dict(sliding_window=WINDOW, hidden_size_per_layer_input=0), dict(drop=["layer_types", "per_layer_config"],
                   refused={(7,): "keep layer 7"}, sets=[(5,), (6, 7)])),

    # ---- the number itself
    "minicpm3": ("minicpm3", MLA | dict(scale_depth=1.4), {}),
    "minicpm3_null": ("minicpm3", MLA, dict(put=dict(scale_depth=None))),
    "minicpm3_old": ("minicpm3", MLA, dict(drop=["scale_depth"])),
    "diffllama": ("diffllama", {}, dict(sets=[(6, 7)], refused={s: "only the last layers can go" for s in SETS[:3]})),
    "gpt_neox_japanese": ("gpt_neox_japanese", {}, dict(refused={(7,): "layer 7 has to stay"})),
    "rwkv": ("rwkv", dict(attention_hidden_size=32, rescale_every=0), dict(refused={(0, 4, 6): "layer 0 has to stay"}, sets=[(4, 6)])),
    # the stream is halved after each third layer, so that behind a cut it stands otherwise to the norms' epsilon: at the usual 1e-5
    # that moves logits by 5e-5 of the largest, with an epsilon of nothing by none
    "rwkv_rescaled": ("rwkv", dict(attention_hidden_size=32, rescale_every=3, layer_norm_epsilon=1e-12),
                      dict(refused={(0, 4, 6): "layer 0 has to stay"}, sets=[(4, 6)])),
    # all layers stay; of hrm_text and inkling2 the same is said, without a model here (two stacks; a residual stream of blocks)
    "dory": ("dory", dict(sliding_window=WINDOW, n_input_layers=2, n_output_layers=2), dict(only_sets=True, sets=[(1,)],
             refused={(1,): "no layer of family dory can go"})),
    "beam_old": ("beam", MOE | ROUTED | dict(sliding_window=WINDOW), dict(drop=["layer_types", "mlp_layer_types"], sets=[(6, 7)],
                 refused={s: "only the last layers can go" for s in SETS[:3]})),

    # ---- decoders of models that also see: num_hidden_layers and the lists are in text_config, and the towers keep their layers
    "qwen2_vl_windows": ("qwen2_vl", QWEN_VL | dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=3),
                         dict(towers=PICTURES, drop=["layer_types"])),
    "qwen2_5_vl_windows": ("qwen2_5_vl", QWEN_VL | dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=5),
                           dict(towers=PICTURES, drop=["layer_types"])),
    "qwen3_vl": ("qwen3_vl", QWEN_VL, dict(towers=PICTURES | dict(vision_config=PICTURES["vision_config"] | dict(
        deepstack_visual_indexes=[0, 1], num_position_embeddings=16)), sets=[(2, 5)],
        refused={(1,): "layer 1 has to stay", (0, 4, 6): "layer 0 has to stay"})),
    "qwen3_vl_moe": ("qwen3_vl_moe", QWEN_VL | MOE | dict(decoder_sparse_step=2, mlp_only_layers=[1, 5]), dict(
        towers=PICTURES | dict(vision_config=PICTURES["vision_config"] | dict(deepstack_visual_indexes=[], num_position_embeddings=16)))),
    # published ones leave the number of layers to the decoder's default
    "llava": ("llava", dict(num_hidden_layers=32, pad_token_id=0), dict(depth=32, drop=["num_hidden_layers"], only_sets=True, sets=[(1,), (3, 4, 30)],
              towers=dict(vision_config=dict(num_hidden_layers=2, hidden_size=16, intermediate_size=24, num_attention_heads=2, image_size=16,
              patch_size=4, model_type="clip_vision_model"), image_token_index=90))),
    "gemma3_vision": ("gemma3", dict(sliding_window=WINDOW), dict(drop=["layer_types"], put=dict(sliding_window_pattern=3), towers=dict(
        vision_config=dict(num_hidden_layers=8, hidden_size=16, intermediate_size=24, num_attention_heads=2, image_size=16, patch_size=4),
        image_token_index=90, boi_token_index=91, eoi_token_index=92, mm_tokens_per_image=4))),
    "phi4_multimodal": ("phi4_multimodal", dict(sliding_window=WINDOW, original_max_position_embeddings=128, vision_config=dict(
        hidden_size=16, intermediate_size=24, num_hidden_layers=8, num_attention_heads=2, crop_size=28), audio_config=dict(
        hidden_size=16, intermediate_size=24, num_blocks=8, num_attention_heads=2, ext_pw_out_channel=16, depthwise_separable_out_channel=16,
        nemo_conv_channels=16, input_size=16)), {}),
    "emu3": ("emu3", {}, dict(towers=dict(vq_config=dict(codebook_size=16, embed_dim=32, latent_channels=32, base_channels=32, channel_multiplier=[1, 1],
        num_res_blocks=1, attn_resolutions=[], hidden_size=32, num_attention_heads=1), vocabulary_map={"<image>": 5}))),
    "mllama": ("mllama", dict(cross_attention_layers=[2, 5], rope_parameters=dict(rope_type="default", rope_theta=1e4)), dict(
        towers=dict(vision_config=dict(num_hidden_layers=2, num_global_layers=1, hidden_size=16, intermediate_size=24, attention_heads=2,
                                       image_size=16, patch_size=4, intermediate_layers_indices=[0], supported_aspect_ratios=[[1, 1]],
                                       max_num_tiles=1, vision_output_dim=32), image_token_index=96))),
}
