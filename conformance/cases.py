"""What is pruned: every model of tests/golden/make_families.py, deeper, and the variants below; which layers go; what
the tool must refuse, and why."""
import copy

from make_families import FAMILIES, WINDOW

DEPTH = 8
DEPTHS = {"gemma3": 13}  # two whole periods and one layer

WORDS = {"S": "sliding_attention", "F": "full_attention"}


def words(letters):
    return [WORDS[letter] for letter in letters]


# Beyond make_families' keys: depth; keys: records that the GGUF gets instead of the converter's; sets: more sets of
# layers to remove; only_sets: no others
VARIANTS = {
    # lists that transformers checks, though the family does nothing with them
    "llama_layer_types": FAMILIES["llama_linear"] | dict(
        config=FAMILIES["llama_linear"]["config"] | dict(layer_types=words("F" * DEPTH))),
    # an entry for each layer, as converters of other models write them
    "llama_lists": FAMILIES["llama_linear"] | dict(
        keys={"llama.attention.head_count": [4] * DEPTH, "llama.attention.head_count_kv": [2] * DEPTH,
              "llama.feed_forward_length": [40] * DEPTH}),
    "mixtral_lists": FAMILIES["mixtral"] | dict(keys={"llama.expert_used_count": [2] * DEPTH}),
    "qwen3_moe_lists": FAMILIES["qwen3_moe"] | dict(keys={"qwen3moe.expert_feed_forward_length": [16] * DEPTH}),
    # a window that begins at a layer's number, which nothing lists
    "qwen3_windows": FAMILIES["qwen3"] | dict(
        config=FAMILIES["qwen3"]["config"] | dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=5),
        old=dict(rope_theta=1e6), drop=["layer_types"],
        as_gguf=(dict(layer_types=words("F" * DEPTH)), "llama.cpp has no sliding window for qwen3")),
    "qwen2_listed": FAMILIES["qwen2"] | dict(
        config=FAMILIES["qwen2"]["config"] | dict(layer_types=words("SFFSSFSF")), old=dict(rope_theta=1e6), drop=[]),
    # the period that an absent list means
    "gemma2_old": FAMILIES["gemma2"] | dict(old=dict(rope_theta=1e4), drop=["layer_types"]),
    "gemma2_listed": FAMILIES["gemma2"] | dict(
        config=FAMILIES["gemma2"]["config"] | dict(layer_types=words("FSSFSFFS")), sets=[[1, 2, 4]],
        keys={"gemma2.attention.sliding_window_pattern": [letter == "S" for letter in "FSSFSFFS"]}),
    "gemma2_period_3": FAMILIES["gemma2"] | dict(
        config=FAMILIES["gemma2"]["config"] | dict(layer_types=words("SSFSSFSS")),
        keys={"gemma2.attention.sliding_window_pattern": 3}),
    "gemma3_period_3": FAMILIES["gemma3"] | dict(
        depth=DEPTH, config=FAMILIES["gemma3"]["config"] | dict(layer_types=words("SSFSSFSS")),
        old=FAMILIES["gemma3"]["old"] | dict(sliding_window_pattern=3),
        keys={"gemma3.attention.sliding_window_pattern": 3}),
    "gemma3_listed": FAMILIES["gemma3"] | dict(
        depth=DEPTH, drop=["_sliding_window_pattern"],
        config=FAMILIES["gemma3"]["config"] | dict(layer_types=words("FSSFSFFS")),
        keys={"gemma3.attention.sliding_window_pattern": [letter == "S" for letter in "FSSFSFFS"]}),
    # no window left, or nothing but windows
    "gemma2_one_kind": FAMILIES["gemma2"] | dict(sets=[[0, 2, 4, 6], [1, 3, 5, 7]]),
    "gemma3_one_kind": FAMILIES["gemma3"] | dict(
        depth=DEPTH, sets=[[5], [0, 1, 2, 3, 4, 6, 7]], only_sets=True),
    # depths that llama.cpp takes for its largest model
    "gemma2_46": FAMILIES["gemma2"] | dict(depth=46, sets=[[3]], only_sets=True),
    "gemma2_48": FAMILIES["gemma2"] | dict(depth=48, sets=[[3, 8], [3, 8, 20]], only_sets=True),
    "gemma3_62": FAMILIES["gemma3"] | dict(depth=62, sets=[[3]], only_sets=True),
    "gemma3_64": FAMILIES["gemma3"] | dict(depth=64, sets=[[3, 8], [3, 8, 20]], only_sets=True),
    # dense layers among those with experts
    "qwen2_moe_mixed_old": FAMILIES["qwen2_moe_mixed"] | dict(old=dict(rope_theta=1e4), drop=["layer_types"]),
    "qwen3_moe_mixed": FAMILIES["qwen3_moe"] | dict(
        config=FAMILIES["qwen3_moe"]["config"] | dict(decoder_sparse_step=3, mlp_only_layers=[2]),
        no_gguf="llama.cpp wants experts in every layer of qwen3moe"),
    "qwen3_moe_listed": FAMILIES["qwen3_moe"] | dict(
        config=FAMILIES["qwen3_moe"]["config"] | dict(mlp_only_layers=[6, 1, 2]), no_gguf="the same"),
    "gpt2_by_index": FAMILIES["gpt2"] | dict(
        config=FAMILIES["gpt2"]["config"] | dict(scale_attn_by_inverse_layer_idx=True), sets=[[6, 7]],
        as_gguf=(dict(scale_attn_by_inverse_layer_idx=False), "GGUF has no such key")),
}

# (model, format, does it hold for this set?): words of the reason
NO_CONFIGURATION_SAYS_IT = [
    ("gpt2_by_index", "hf", lambda removed, depth: removed[0] != depth - len(removed), "only the last layers can go"),
    ("gemma2_46", "gguf", lambda removed, depth: True, "no layer of this file can go"),
    ("gemma3_62", "gguf", lambda removed, depth: True, "no layer of this file can go"),
    ("gemma2_48", "gguf", lambda removed, depth: depth - len(removed) == 46, "one layer more"),
    ("gemma3_64", "gguf", lambda removed, depth: depth - len(removed) == 62, "one layer more"),
    ("gemma2_one_kind", "gguf", lambda removed, depth: removed == [0, 2, 4, 6], "without a layer of sliding attention"),
]


def refusal(name, kind, removed, depth):
    """Words of the tool's reason; None: it must prune."""
    for model, of, holds, why in NO_CONFIGURATION_SAYS_IT:
        if (model, of) == (name, kind) and holds(removed, depth):
            return why
    return None


def removals(entry, depth):
    """One early layer, a middle pair, a scattered set, the last; and the entry's own."""
    common = [[1], [depth // 2 - 1, depth // 2], [0, depth // 2, depth - 2], [depth - 1]]
    return ([] if entry.get("only_sets") else common) + entry.get("sets", [])


def models():
    """name -> entry as make_families takes it, with the depth put in."""
    out = {}
    for name, entry in (FAMILIES | VARIANTS).items():
        entry = copy.deepcopy(entry)
        depth = entry.setdefault("depth", DEPTHS.get(name, DEPTH))
        entry.setdefault("config", {})["n_layer" if entry["model"] == "GPT2LMHead" else "num_hidden_layers"] = depth
        changes = entry.get("as_gguf", ({}, ""))[0]
        if "layer_types" in changes:
            changes["layer_types"] = changes["layer_types"][:1] * depth
        entry["removals"] = removals(entry, depth)
        out[name] = entry
    return out
