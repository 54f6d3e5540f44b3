"""Which rows of hf_families.py llama.cpp takes, too; by name:

    config      keys of the configuration that llama.cpp wants otherwise (None: the key goes)
    wants       keys of config.json that the converter reads and transformers does not write; or a function of it
    no_mtp      the converter is told that there are no layers that predict further tokens
    options     of hf_families.py's row, changed
    sets        more sets of layers to remove; only_sets: no others
    refused     words of the tool's reason by set; every other set must work
    adds        False: the layers do more than add to the residual stream, so they cannot be silenced: only the files
                are compared
    differs     records that converting the pruned model writes otherwise than pruning the converted, and why that is
                right; same: False, why the two cannot be compared at all
"""
SETS = [(1,), (3, 4), (0, 4, 6), (7,)]
WINDOWS = {"%s.attention.sliding_window_pattern": "the converter leaves the period to the loader"}
NO_ROPE = "which layers have no rotary embedding"

FAMILIES = {name: {} for name in (
    "llama", "mistral", "qwen2", "qwen3", "gemma", "phi3", "olmo", "olmo2", "olmo3", "granite", "granitemoe",
    "stablelm", "bloom", "starcoder2", "mixtral", "deepseek_v2", "hunyuan_v1_dense", "ernie4_5", "seed_oss", "apertus",
    "nemotron", "falcon_h1", "arcee", "glm4", "exaone", "exaone4", "internlm3", "jais2", "qwen2_moe_old", "deepseek_v3", "glm4_moe",
    "hy_v3_old", "granite_swa_old", "granitemoe_swa", "granitemoeshared", "cohere", "glm", "iquestcoder", "youtu", "solar_open", "gpt_bigcode", "dbrx",
    "bamba", "sarvam_mla", "qwen2_windows", "lfm2_listed", "lfm2_moe", "jamba", "gemma4_old")}
FAMILIES |= {
    "gemma2": dict(differs=WINDOWS), "gemma3": dict(differs=WINDOWS), "gpt_oss": dict(differs=WINDOWS),
    "cohere2": dict(differs=WINDOWS, wants=dict(rotary_pct=1.0)),
    "gpt2": dict(wants=dict(n_ctx=128)), "gpt_neox": dict(wants=dict(rotary_pct=0.25)), "falcon": dict(config=dict(head_dim=None)),
    "olmoe": dict(config=dict(num_key_value_heads=4)), "minimax_m2": dict(wants=dict(rotary_dim=8, scoring_func="sigmoid")),
    "qwen3_moe": dict(config=dict(decoder_sparse_step=1, mlp_only_layers=[])),
    "dots1": dict(config=dict(num_key_value_heads=4), wants=dict(scoring_func="sigmoid")),
    "phi": dict(config=dict(num_key_value_heads=4, intermediate_size=128)), "falcon_mamba": dict(config=dict(intermediate_size=64)),
    "qwen4_exp_old": dict(no_mtp=True, refused={(1,): "layer 1 of family"}, differs={
        "%s.full_attention_interval": "transformers' period, which the list of recurrent layers overrides"}, config=dict(ple_layer_ids=[2],
        rope_parameters=dict(rope_type="default", rope_theta=1e4, partial_rotary_factor=1.0, mrope_section=[1, 1, 2]))),
    "mamba": dict(config=dict(intermediate_size=64)), "mamba2": dict(config=dict(intermediate_size=64)),
    "exaone_moe": dict(wants=dict(scoring_func="sigmoid")), "mellum": dict(config=dict(mlp_layer_types=["sparse"] * 8)),
    "laguna": dict(refused={(0, 4, 6): "sizes the heads"}, differs=WINDOWS),
    "hunyuan_v1_moe": dict(config=dict(moe_topk=[2] * 8), wants=dict(moe_intermediate_size=[48], num_shared_expert=[1])),
    "ernie4_5_moe": dict(config=dict(moe_layer_end_index=7)),
    "afmoe": dict(refused={s: NO_ROPE for s in SETS[:3]}, sets=[(2, 3, 4, 5)], differs=WINDOWS),
    "smollm3": dict(config=dict(no_rope_layer_interval=4), refused={s: NO_ROPE for s in SETS[:3]}, sets=[(4, 5, 6, 7), (1, 2, 3, 4)]),
    "llama4": dict(config=dict(no_rope_layer_interval=4), refused={s: NO_ROPE for s in SETS[:3]}, sets=[(4, 5, 6, 7)],
                   differs=WINDOWS),
    "glm4_moe_lite_old": dict(wants=dict(first_k_dense_replace=1), same=False),
    "qwen3_next": dict(no_mtp=True),
    "qwen3_5_old": dict(no_mtp=True, differs={
        "%s.full_attention_interval": "transformers' period, which the list of recurrent layers overrides"}, config=dict(rope_parameters=dict(
        rope_type="default", rope_theta=1e4, partial_rotary_factor=1.0, mrope_section=[1, 1, 2]))),
    # the converter knows an older word for full attention
    "granitemoehybrid": dict(wants=lambda c: dict(layer_types=[t.replace("full_", "") for t in c["layer_types"]])),
    # llama.cpp has layers of experts, or dense ones, in one file
    "nemotron_h": dict(config=dict(layers_block_type=["mamba", "moe", "attention", "moe", "mamba", "attention", "moe", "moe"]),
                       refused={(0, 4, 6): "without a layer of the recurrent kind"}),
    "minicpm3": dict(refused={s: "sqrt(number of layers)" for s in SETS}),
    "gemma4": dict(refused={(3, 4): "layer 3 of family gemma4 has to stay", (0, 4, 6): "layer 4 of family gemma4 has to stay"},
                   sets=[(0, 2, 5), (5, 6)]),
    # its layers do more than add to one stream, and llama.cpp wants keys and values that transformers no longer writes
    "gemma3n_old": dict(
        config=dict(num_kv_shared_layers=4, altup_num_inputs=4, hidden_size_per_layer_input=256, laurel_rank=64), adds=False,
        options=dict(depth=24, drop=[], refused={}), only_sets=True, sets=[(20,), (21, 22), (20, 23), (19,)],
        refused={(19,): "layer 19 of family gemma3n has to stay"}),
}
