#!/usr/bin/env python3
"""Writes the seeds, corpus/TARGET/NAME, and the dictionaries, TARGET.dict: python3 fuzz/make_corpus.py
Needs nothing but Python, and writes the same bytes every time. Files found by fuzzing that once crashed are kept beside the
seeds as corpus/TARGET/crash_*; they are left alone here."""
import json
import pathlib
import struct

here = pathlib.Path(__file__).parent
words = {}  # target -> strings of its dictionary


def put(target, name, data):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# ---- safetensors ---------------------------------------------------------------------------------------------------


def safetensors(tensors, metadata=None, pad=0):
    """tensors: {name: (dtype, element bytes, shape)}; the data is zeros."""
    header, at = {}, 0
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, size, shape) in tensors.items():
        n = size
        for dim in shape:
            n *= dim
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n]}
        at += n
    head = text(header) + b" " * pad
    return struct.pack("<Q", len(head)) + head + bytes(at)


put("safetensors", "one", safetensors({"a": ("F32", 4, [2, 3])}))
put("safetensors", "none", safetensors({}))
put("safetensors", "types", safetensors({t: (t, n, [1, 4]) for t, n in [
    ("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2), ("I8", 1), ("U8", 1), ("BOOL", 1),
    ("F8_E4M3", 1), ("F8_E5M2", 1), ("U16", 2), ("U32", 4), ("U64", 8)]}, {"format": "pt"}, 5))
put("safetensors", "shapes", safetensors({"scalar": ("F32", 4, []), "empty": ("F32", 4, [0, 7]), "five": ("U8", 1, [1, 2, 1, 2, 1])}))
put("safetensors", "huge_shape", struct.pack("<Q", 78) + b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}    ')
put("safetensors", "huge_header", struct.pack("<Q", 2**63) + b"{}")
put("safetensors", "escapes", safetensors({"\u00e9\u0001\"": ("U8", 1, [1])}, {"k": "\U0001f642"}))
words["safetensors"] = ["__metadata__", "dtype", "shape", "data_offsets", "F32", "BF16", "F8_E4M3", "U8", "{", "}", "[", "]", ":", ",", "-1",
                        "18446744073709551615", "9223372036854775807", "1e5", "null"]

# ---- GGUF ----------------------------------------------------------------------------------------------------------

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
packs = {U8: "<B", I8: "<b", U16: "<H", I16: "<h", U32: "<I", I32: "<i", F32: "<f", BOOL: "<B", U64: "<Q", I64: "<q", F64: "<d"}


def g_string(s):
    s = s.encode() if isinstance(s, str) else s
    return struct.pack("<Q", len(s)) + s


def g_value(kind, value):
    return g_string(value) if kind == STRING else struct.pack(packs[kind], value)


def g_kv(key, kind, value):
    if isinstance(value, list):
        return g_string(key) + struct.pack("<IIQ", ARRAY, kind, len(value)) + b"".join(g_value(kind, v) for v in value)
    return g_string(key) + struct.pack("<I", kind) + g_value(kind, value)


def gguf(kvs, tensors=(), version=3, alignment=32):
    """kvs: (key, type, value); tensors: (name, dims innermost first, type, bytes)"""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(kvs))
    out += b"".join(g_kv(*kv) for kv in kvs)
    at = 0
    for name, dims, kind, size in tensors:
        out += g_string(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", d) for d in dims)
        out += struct.pack("<IQ", kind, at)
        at += (size + alignment - 1) // alignment * alignment
    if tensors:
        out += bytes(-len(out) % alignment) + bytes(at)
    return out


bytes_to_unicode = {}
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
for b in range(256):
    bytes_to_unicode[b] = chr(b) if b in printable else chr(256 + sum(x not in printable for x in range(b)))
letters = [bytes_to_unicode[b] for b in range(256)]
merges = [("t", "h"), ("th", "e"), ("\u0120", "t"), ("\u0120t", "he"), ("h", "e"), ("l", "a"), ("e", "r"), ("1", "2")]
bpe_tokens = letters + [a + b for a, b in merges if a + b != "\u0120the"] + ["\u0120the", "<|endoftext|>", "<|im_end|>"]
spm_tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)] + list("\u2581thelayrsn12") + \
    ["\u2581t", "he", "\u2581the", "la", "er", "12", "\u2581\u2581", "<user>"]


def g_bpe(pre, **more):
    kinds = [1] * (len(bpe_tokens) - 2) + [3, 3]
    kvs = [("general.architecture", STRING, "llama"), ("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, pre),
           ("tokenizer.ggml.tokens", STRING, bpe_tokens), ("tokenizer.ggml.token_type", I32, kinds),
           ("tokenizer.ggml.merges", STRING, ["%s %s" % m for m in merges]),
           ("tokenizer.ggml.bos_token_id", U32, len(bpe_tokens) - 2), ("tokenizer.ggml.add_bos_token", BOOL, 1)]
    return gguf(kvs + [(k, *v) for k, v in more.items()])


def g_spm(model, scores, charsmap=None):
    kinds = [2, 3, 3] + [6] * 256 + [1] * (len(spm_tokens) - 260) + [4]
    kvs = [("general.architecture", STRING, "llama"), ("tokenizer.ggml.model", STRING, model),
           ("tokenizer.ggml.tokens", STRING, spm_tokens), ("tokenizer.ggml.scores", F32, scores), ("tokenizer.ggml.token_type", I32, kinds),
           ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.unknown_token_id", U32, 0), ("tokenizer.ggml.add_space_prefix", BOOL, 1)]
    if charsmap is not None:
        kvs.append(("tokenizer.ggml.precompiled_charsmap", U8, list(charsmap)))
    return gguf(kvs)


every_kind = [("k%d" % t, t, 1) for t in packs] + [("s", STRING, "word")] + [("a%d" % t, t, [0, 1, 1]) for t in packs] + \
    [("as", STRING, ["", "x", "\u00e9"]), ("ae", U32, [])]
put("gguf", "kinds", gguf(every_kind))
put("gguf", "v2", gguf([("general.architecture", STRING, "llama")], [("t", [4, 2], 0, 32)], version=2))
put("gguf", "tensors", gguf([("general.alignment", U32, 64)], [("a", [32], 2, 18), ("b", [256, 1], 12, 144), ("c", [3], 1, 6), ("d", [1, 1, 1, 1], 0, 4)],
                            alignment=64))
put("gguf", "quants", gguf([], [("t%d" % kind, [256], kind, size) for kind, size in
                                [(2, 144), (3, 160), (6, 176), (7, 192), (8, 272), (10, 84), (11, 110), (12, 144), (13, 176), (14, 210), (20, 144), (23, 136), (30, 512)]]))
put("gguf", "empty", gguf([]))
put("gguf", "many", b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
put("gguf", "big_endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0))
for name in ["gpt-2", "llama-bpe", "qwen2", "smollm", "deepseek-llm"]:
    put("gguf", "bpe_" + name, g_bpe(name))
put("gguf", "spm", g_spm("llama", [-float(i) for i in range(len(spm_tokens))]))
# SentencePiece's map: u32 size of a double-array trie, its units, then the texts that it points to
trie = struct.pack("<4I", 0x1000, 0x61 | 0x400, 0x80000000, 0)
put("gguf", "unigram", g_spm("t5", [-float(i % 17) for i in range(len(spm_tokens))], struct.pack("<I", len(trie)) + trie + b"b\0"))
words["gguf"] = ["GGUF", "general.architecture", "general.alignment", "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens",
                 "tokenizer.ggml.merges", "tokenizer.ggml.scores", "tokenizer.ggml.token_type", "tokenizer.ggml.bos_token_id",
                 "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_space_prefix",
                 "tokenizer.ggml.precompiled_charsmap", "gpt2", "llama", "t5", "gemma4", "gpt-2", "llama-bpe", "qwen2", "smollm", "split.count", "split.no"]

# ---- tokenizer.json ------------------------------------------------------------------------------------------------

gpt2_split = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
llama3_split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def added(id, content, **more):
    return dict({"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}, **more)


def tokenizer(model, normalizer=None, pre_tokenizer=None, post_processor=None, added_tokens=()):
    return text({"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added_tokens), "normalizer": normalizer,
                 "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": None, "model": model})


def bpe(tokens, pairs, **more):
    return dict({"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
                 "byte_fallback": False, "ignore_merges": False, "vocab": {t: i for i, t in enumerate(tokens)}, "merges": pairs}, **more)


few = list("thelayrsn12\u0120\u010a' .,") + ["th", "the", "\u0120t", "\u0120the", "er", "12"]
few_merges = [["t", "h"], ["th", "e"], ["\u0120", "t"], ["\u0120", "the"], ["e", "r"], ["1", "2"]]
spm_few = ["<unk>", "<s>", "</s>", "<0x0A>", "<0xC3>", "<0xA9>"] + list("\u2581thelayrsn12") + ["\u2581t", "he", "\u2581the"]
spm_merges = [["\u2581", "t"], ["h", "e"], ["\u2581t", "he"]]
template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
config = text({"add_bos_token": True, "bos_token": {"content": "<s>"}, "model_max_length": 1e30})


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(*steps, kind="pretokenizers"):
    return {"type": "Sequence", kind: list(steps)}


hard = "\0\0  The \u00e9lan\r\n 12345\t\u4e2d\u6587 \U0001f642 <s> the".encode()
put("tokenizer", "gpt2", tokenizer(bpe(few, few_merges), None, byte_level, byte_level, [added(len(few), "<|endoftext|>")]) + b"\0" + config + b"\0the layers")
put("tokenizer", "old_merges", tokenizer(bpe(few, ["%s %s" % tuple(m) for m in few_merges]), None, byte_level) + hard)
put("tokenizer", "llama3", tokenizer(bpe(few, few_merges, ignore_merges=True), None,
                                     sequence(split(llama3_split), dict(byte_level, use_regex=False)), template,
                                     [added(len(few) + 1, "<s>"), added(len(few), " a b", lstrip=True, rstrip=True, single_word=True, normalized=True, special=False)]) + hard)
put("tokenizer", "digits", tokenizer(bpe(few, few_merges), None, sequence({"type": "Digits", "individual_digits": True}, byte_level)) + hard)
put("tokenizer", "nfc", tokenizer(bpe(few, few_merges), {"type": "NFC"}, sequence(split("\\s+", "MergedWithNext"), dict(byte_level, use_regex=False))) + hard)
put("tokenizer", "splits", tokenizer(bpe(few, few_merges), sequence({"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": False},
                                                                     {"type": "Lowercase"}, kind="normalizers"),
                                     sequence(*[split(" ", b, i % 2 == 1, "String") for i, b in enumerate(
                                         ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"])], byte_level)) + hard)
put("tokenizer", "regex", tokenizer(bpe(few, few_merges), None, split("(?:a|b)*(?=c)[^\\p{L}&&[a-z]]{2,3}+\\u{e9}(?i)x|\\x{41}")) + hard)
put("tokenizer", "sentencepiece", tokenizer(bpe(spm_few, spm_merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True),
                                            sequence({"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
                                                     kind="normalizers"), None, template, [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")]) + b"\0" + config + hard[1:])
put("tokenizer", "metaspace", tokenizer(bpe(spm_few, spm_merges, unk_token="<unk>"), None, metaspace, None, [added(1, "<s>")]) + hard)
put("tokenizer", "unigram", tokenizer({"type": "Unigram", "unk_id": 0, "vocab": [[t, -float(i)] for i, t in enumerate(spm_few)], "byte_fallback": True},
                                      {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}, metaspace, template) + hard)
put("tokenizer", "precompiled", tokenizer({"type": "Unigram", "unk_id": 0, "vocab": [[t, -1.5] for t in spm_few]},
                                          {"type": "Precompiled", "precompiled_charsmap": "EAAAAAAQAABhBAAAAAAAgAAAAABiAA=="}, metaspace) + hard)
put("tokenizer", "wordpiece", tokenizer({"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "a"}) + hard)
words["tokenizer"] = ["type", "BPE", "Unigram", "vocab", "merges", "byte_fallback", "fuse_unk", "unk_token", "unk_id", "ignore_merges", "added_tokens",
                      "normalizer", "pre_tokenizer", "post_processor", "Sequence", "normalizers", "pretokenizers", "processors", "Split", "pattern", "Regex",
                      "String", "behavior", "invert", "Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous", "Digits",
                      "individual_digits", "ByteLevel", "use_regex", "add_prefix_space", "Metaspace", "replacement", "prepend_scheme", "always", "never",
                      "first", "Prepend", "Replace", "NFC", "NFD", "NFKC", "NFKD", "Strip", "Lowercase", "Precompiled", "precompiled_charsmap",
                      "TemplateProcessing", "single", "SpecialToken", "\u2581", "\u0120", "\\p{L}", "\\p{N}", "(?!", "(?=", "(?i:", "[^", "{1,3}", "null", "true",
                      "false"]

# ---- config.json and models ----------------------------------------------------------------------------------------

hidden, ff, vocab, heads = 8, 4, 3, 2
llama = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": ff, "num_hidden_layers": 2,
         "num_attention_heads": heads, "num_key_value_heads": 1, "head_dim": 4, "vocab_size": vocab, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
         "max_position_embeddings": 64, "tie_word_embeddings": True, "hidden_act": "silu"}


H, Q, KV, E = hidden, 8, 4, 2  # widths: the stream, all query heads, all key heads, the number of experts
norms = {"input_layernorm": [H], "post_attention_layernorm": [H]}
attention = {"self_attn.q_proj": [Q, H], "self_attn.k_proj": [KV, H], "self_attn.v_proj": [KV, H], "self_attn.o_proj": [H, Q]}
mlp = {"mlp.gate_proj": [ff, H], "mlp.up_proj": [ff, H], "mlp.down_proj": [H, ff]}
around = {"post_feedforward_layernorm": [H], "pre_feedforward_layernorm": [H]}
head_norms = {"self_attn.q_norm": [4], "self_attn.k_norm": [4]}
qkv_bias = {"self_attn.q_proj.bias": [Q], "self_attn.k_proj.bias": [KV], "self_attn.v_proj.bias": [KV]}
norm_bias = {"input_layernorm.bias": [H], "post_attention_layernorm.bias": [H]}
experts = {"mlp.experts.%d.%s" % (i, k[4:]): v for i in range(E) for k, v in mlp.items()}
shared = {"mlp.shared_expert." + k[4:]: v for k, v in mlp.items()}
llama_layer = {**norms, **attention, **mlp}
# the tensors of a layer, where they are not llama's; a name without its last word means the weight
layers_of = {
    "qwen2": {**llama_layer, **qkv_bias}, "qwen3": {**llama_layer, **head_norms}, "gemma2": {**llama_layer, **around},
    "gemma3_text": {**llama_layer, **around, **head_norms},
    "phi3": {**norms, "self_attn.qkv_proj": [Q + 2 * KV, H], "self_attn.o_proj": [H, Q], "mlp.gate_up_proj": [2 * ff, H], "mlp.down_proj": [H, ff]},
    "olmo2": {"post_attention_layernorm": [H], "post_feedforward_layernorm": [H], **attention, **mlp, "self_attn.q_norm": [Q], "self_attn.k_norm": [KV]},
    "stablelm": {**llama_layer, **norm_bias, **qkv_bias},
    "starcoder2": {**norms, **norm_bias, **attention, **qkv_bias, "self_attn.o_proj.bias": [H], "mlp.c_fc": [ff, H], "mlp.c_fc.bias": [ff],
                   "mlp.c_proj": [H, ff], "mlp.c_proj.bias": [H]},
    "gpt2": {"ln_1": [H], "ln_1.bias": [H], "ln_2": [H], "ln_2.bias": [H], "attn.c_attn": [H, 3 * H], "attn.c_attn.bias": [3 * H],
             "attn.c_proj": [H, H], "attn.c_proj.bias": [H], "mlp.c_fc": [H, 4 * H], "mlp.c_fc.bias": [4 * H], "mlp.c_proj": [4 * H, H], "mlp.c_proj.bias": [H]},
    "gpt_neox": {**norms, **norm_bias, "attention.query_key_value": [3 * H, H], "attention.query_key_value.bias": [3 * H], "attention.dense": [H, H],
                 "attention.dense.bias": [H], "mlp.dense_h_to_4h": [ff, H], "mlp.dense_h_to_4h.bias": [ff], "mlp.dense_4h_to_h": [H, ff], "mlp.dense_4h_to_h.bias": [H]},
    "mixtral": {**norms, **attention, "block_sparse_moe.gate": [E, H],
                **{"block_sparse_moe.experts.%d.%s" % (i, w): shape for i in range(E) for w, shape in [("w1", [ff, H]), ("w2", [H, ff]), ("w3", [ff, H])]}},
    "qwen2_moe": {**norms, **attention, **qkv_bias, **mlp, "mlp.gate": [E, H], **experts, **shared, "mlp.shared_expert_gate": [1, H]},
    "qwen3_moe": {**norms, **attention, **head_norms, **mlp, "mlp.gate": [E, H], **experts},
    "olmoe": {**norms, **attention, "self_attn.q_norm": [Q], "self_attn.k_norm": [KV], "mlp.gate": [E, H], **experts},
}
roots = {"gpt2": ("transformer.", "h.", {"wte": [vocab, H], "wpe": [64, H], "ln_f": [H], "ln_f.bias": [H]}),
         "gpt_neox": ("gpt_neox.", "layers.", {"embed_in": [vocab, H], "final_layer_norm": [H], "final_layer_norm.bias": [H]})}


def model_tensors(family="llama", n_layers=2):
    root, layers, top = roots.get(family, ("model.", "layers.", {"embed_tokens": [vocab, H], "norm": [H], "norm.bias": [H]}))
    named = dict(top)
    for i in range(n_layers):
        named.update({"%s%d.%s" % (layers, i, k): v for k, v in layers_of.get(family, llama_layer).items()})
    out = {root + k + ("" if k.endswith(".bias") else ".weight"): ("F8_E4M3" if len(v) > 1 else "F16", 1 if len(v) > 1 else 2, v) for k, v in named.items()}
    if family == "gpt_neox":
        out["embed_out.weight"] = ("F8_E4M3", 1, [vocab, H])
    return out


weights = safetensors(model_tensors(), {"format": "pt"})
rope = {"linear": {"rope_type": "linear", "factor": 2.0}, "dynamic": {"type": "dynamic", "factor": 2.0},
        "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
        "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0},
        "longrope": {"type": "longrope", "short_factor": [1.0, 1.5], "long_factor": [2.0, 3.0], "original_max_position_embeddings": 32}}
put("config", "llama", text(llama) + b"\0" + weights)
for name, scaling in rope.items():
    put("config", "rope_" + name, text(dict(llama, rope_scaling=scaling)) + b"\0" + weights)
put("config", "rope_parameters", text(dict(llama, rope_parameters=dict(rope["llama3"], rope_theta=500000.0))) + b"\0" + weights)
families = {
    "mistral": {"sliding_window": 4}, "qwen2": {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1, "layer_types": ["full_attention", "sliding_attention"]},
    "qwen3": {"head_dim": 4, "attention_bias": False}, "gemma": {"hidden_activation": "gelu_pytorch_tanh"},
    "gemma2": {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "query_pre_attn_scalar": 4, "sliding_window": 4},
    "gemma3_text": {"rope_local_base_freq": 10000.0, "sliding_window": 4, "sliding_window_pattern": 2, "query_pre_attn_scalar": 4},
    "phi3": {"original_max_position_embeddings": 32, "rope_scaling": rope["longrope"], "partial_rotary_factor": 1.0}, "olmo2": {}, "granite": {
        "embedding_multiplier": 2.0, "residual_multiplier": 0.5, "attention_multiplier": 0.25, "logits_scaling": 3.0},
    "stablelm": {"partial_rotary_factor": 0.5, "use_qkv_bias": True, "layer_norm_eps": 1e-5, "qk_layernorm": False, "use_parallel_residual": False},
    "gpt2": {"n_embd": hidden, "n_head": 2, "n_layer": 2, "n_positions": 64, "n_inner": None, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5},
    "gpt_neox": {"rotary_pct": 0.5, "rotary_emb_base": 10000, "use_parallel_residual": True, "layer_norm_eps": 1e-5}, "starcoder2": {"use_bias": True, "norm_epsilon": 1e-5, "hidden_act": "gelu_pytorch_tanh"},
    "mixtral": {"num_local_experts": 2, "num_experts_per_tok": 1},
    "qwen2_moe": {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 4, "shared_expert_intermediate_size": 4, "decoder_sparse_step": 1, "mlp_only_layers": [0], "norm_topk_prob": True},
    "qwen3_moe": {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 4, "decoder_sparse_step": 2, "mlp_only_layers": []},
    "olmoe": {"num_experts": 2, "num_experts_per_tok": 1, "clip_qkv": None}}
for name, more in families.items():
    put("config", name, text(dict(llama, model_type=name, architectures=[name], **more)) + b"\0" + safetensors(model_tensors(name)))
put("config", "quantized", text(dict(llama, quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]})) + b"\0" + weights)
put("config", "not_json", b"{\"model_type\": ")
g_llama = [("general.architecture", STRING, "llama"), ("general.name", STRING, "tiny"), ("llama.block_count", U32, 2), ("llama.embedding_length", U32, hidden),
           ("llama.feed_forward_length", U32, ff), ("llama.attention.head_count", U32, heads), ("llama.attention.head_count_kv", U32, 1),
           ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5), ("llama.rope.freq_base", F32, 1e4), ("llama.context_length", U32, 64),
           ("llama.attention.key_length", U32, 4), ("llama.attention.value_length", U32, 4), ("llama.rope.dimension_count", U32, 4), ("llama.vocab_size", U32, vocab)]
g_tensors = [("token_embd.weight", [hidden, vocab], 1, 2 * hidden * vocab), ("output_norm.weight", [hidden], 0, 4 * hidden)]
for i in range(2):
    for name, dims in [("attn_norm", [hidden]), ("ffn_norm", [hidden]), ("attn_q", [hidden, 8]), ("attn_k", [hidden, 4]), ("attn_v", [hidden, 4]),
                       ("attn_output", [8, hidden]), ("ffn_gate", [hidden, ff]), ("ffn_up", [hidden, ff]), ("ffn_down", [ff, hidden])]:
        n = dims[0] * (dims[1] if len(dims) > 1 else 1)
        g_tensors.append(("blk.%d.%s.weight" % (i, name), dims, 1 if len(dims) > 1 else 0, n * (2 if len(dims) > 1 else 4)))
put("config", "gguf_llama", gguf(g_llama, g_tensors))
put("config", "gguf_per_layer", gguf(g_llama[:5] + [("llama.attention.head_count", U32, [2, 2]), ("llama.attention.head_count_kv", U32, [1, 1])] + g_llama[7:], g_tensors))
put("config", "gguf_yarn", gguf(g_llama + [("llama.rope.scaling.type", STRING, "yarn"), ("llama.rope.scaling.factor", F32, 4.0),
                                           ("llama.rope.scaling.original_context_length", U32, 16)], g_tensors))
for name, more in {"gemma3": [("gemma3.attention.sliding_window", U32, 4)], "qwen3moe": [("qwen3moe.expert_count", U32, 2), ("qwen3moe.expert_used_count", U32, 1)],
                   "gpt2": [], "phi3": []}.items():
    kvs = [(k.replace("llama.", name + "."), t, name if v == "llama" else v) for k, t, v in g_llama]
    put("config", "gguf_" + name, gguf(kvs + more, g_tensors))
words["config"] = sorted({k for f in families.values() for k in f} | set(llama) | {k for r in rope.values() for k in r} | set(families) | set(rope) |
                         {k.split(".", 1)[1] for k, _, _ in g_llama} | {"silu", "gelu", "relu", "float16", "1e999", "-1", "0", "null", "true", "[]", "{}"})

# ---- plans ---------------------------------------------------------------------------------------------------------

plan = {"schema": "shortgpt/plan/1", "model": {"layers": 4, "hidden": 64, "vocab": 320, "fingerprint": "0123456789abcdef0123456789abcdef"},
        "method": "bi", "remove": [1, 2], "keep": [0, 3]}
put("plan", "plan", text(plan))
put("plan", "pretty", json.dumps(plan, indent=2).encode() + b"\n")
put("plan", "unsorted", text(dict(plan, remove=[2, 1])))
put("plan", "all", text(dict(plan, remove=[0, 1, 2, 3], keep=[])))
put("plan", "many_layers", text(dict(plan, model=dict(plan["model"], layers=2147483647))))
put("plan", "list", b"3,21-25,27")
put("plan", "ratio", b"25.5%")
words["plan"] = ["schema", "shortgpt/plan/1", "model", "layers", "hidden", "vocab", "fingerprint", "method", "bi", "remove", "keep", "-", ",", "%", "[", "]", "1e9",
                 "2147483648"]

# ---- raw files of tasks: the name, then the small files that the tests have -----------------------------------------

raw = here.parent / "tests" / "golden" / "tasks"
for task, name in {"hellaswag": "hellaswag.jsonl", "piqa": "piqa.jsonl", "arc_easy": "arc.jsonl", "openbookqa": "openbookqa.jsonl",
                   "commonsense_qa": "commonsense_qa.jsonl", "winogrande": "winogrande.jsonl", "wsc273": "wsc273.jsonl", "boolq": "boolq_google.jsonl",
                   "wsc": "wsc.jsonl", "race": "race.jsonl", "lambada_openai": "lambada_openai.json", "mmlu": "mmlu/test/tokens_test.csv",
                   "cmmlu": "cmmlu/test/anatomy.csv", "c3": "c3.json", "chid": "chid.json", "cmnli": "nli.json", "cluewsc": "cluewsc.json",
                   "generic": "generic.jsonl"}.items():
    put("tasks", task, task.encode() + b"\n" + (raw / name).read_bytes())
for name in ["race_hf.jsonl", "race/r1.txt"]:
    put("tasks", name.split(".")[0].replace("/", "_"), b"race\n" + (raw / name).read_bytes())
put("tasks", "wsc273_xml", b"wsc273\n<schema><text><txt1>Ann told Bo</txt1><pron> she </pron><txt2>was in.</txt2></text>"
    b"<answers><answer>Ann</answer><answer>Bo</answer></answers><correctAnswer> A. </correctAnswer></schema>\n")
words["tasks"] = sorted(p.name for p in (here / "corpus" / "tasks").iterdir() if not p.name.startswith("crash_")) + \
    ["question", "choices", "text", "label", "answer", "answerKey", "endings", "ctx_a", "ctx_b", "activity_label", "sentence", "option1", "goal", "sol1",
     "problems", "article", "options", "example_id", "content", "candidates", "#idiom#", "pronoun", "pronoun_loc", "target", "span2_index", "delimiter",
     "context", "_", "[title]", "\"\"", "\\x", "\\u", "'", "null", "<schema>", "</schema>", "<text>", "<pron>", "<answer>", "&amp;"]


def quoted(word):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else "\\x%02x" % b for b in word.encode())


for target, list_of_words in words.items():
    lines = "".join('"%s"\n' % quoted(w) for w in list_of_words)
    (here / (target + ".dict")).write_text("# made by make_corpus.py\n" + lines)
