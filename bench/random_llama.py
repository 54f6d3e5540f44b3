"""random_llama.py OUT [key=value ...]: a llama of any size with random weights in bf16, sharded in files of about 2 GB, and a
tokenizer whose tokens are the 256 bytes. Keys and their defaults, of a model of 13 GB:
hidden=4096 intermediate=11008 layers=32 heads=32 kv_heads=32 vocab=32000

Weights are signs, random mantissas and exponents of 2^-7 and 2^-6, cut from a block of 61 MB at another place for each tensor: they
cost no more than writing them."""
import json, os, struct, sys

SHARD = 2_000_000_000
shape = dict(hidden=4096, intermediate=11008, layers=32, heads=32, kv_heads=32, vocab=32000)
for word in sys.argv[2:]:
    key, value = word.split("=")
    if key not in shape:
        sys.exit(f"{key}: expected one of {', '.join(shape)}")
    shape[key] = int(value)
out = sys.argv[1]
D, F, L, H, K, V = (shape[k] for k in ("hidden", "intermediate", "layers", "heads", "kv_heads", "vocab"))
E = D // H

BLOCK = 61_000_000
block = bytearray(os.urandom(BLOCK))
block[1::2] = bytes(block[1::2]).translate(bytes(0x3c | i & 0x80 for i in range(256)))
block = bytes(block)


def tensors():
    yield "model.embed_tokens.weight", [V, D]
    for i in range(L):
        layer = f"model.layers.{i}."
        yield layer + "input_layernorm.weight", [D]
        yield layer + "self_attn.q_proj.weight", [D, D]
        yield layer + "self_attn.k_proj.weight", [K * E, D]
        yield layer + "self_attn.v_proj.weight", [K * E, D]
        yield layer + "self_attn.o_proj.weight", [D, D]
        yield layer + "post_attention_layernorm.weight", [D]
        yield layer + "mlp.gate_proj.weight", [F, D]
        yield layer + "mlp.up_proj.weight", [F, D]
        yield layer + "mlp.down_proj.weight", [D, F]
    yield "model.norm.weight", [D]
    yield "lm_head.weight", [V, D]


def size(dims):
    n = 2
    for d in dims:
        n *= d
    return n


def write_random(f, n, at):
    while n:
        part = block[at:at + n]
        f.write(part)
        n -= len(part)
        at = 0


def write_shard(name, members, seed):
    header, end = {}, 0
    for key, dims in members:
        header[key] = {"dtype": "BF16", "shape": dims, "data_offsets": [end, end + size(dims)]}
        end += size(dims)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(out, name), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for key, dims in members:
            if len(dims) == 1:
                f.write(b"\x80\x3f" * dims[0])
            else:
                write_random(f, size(dims), seed * 7_919_000 % BLOCK // 2 * 2)
                seed += 1
    return seed


def byte_tokens():
    """GPT-2's letters for the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [b for b in range(256) if b not in plain]
    return {chr(b) if b in plain else chr(256 + other.index(b)): b for b in range(256)}


os.mkdir(out)
shards, now = [], []
for member in tensors():
    if now and sum(size(d) for _, d in now) + size(member[1]) > SHARD:
        shards.append(now)
        now = []
    now.append(member)
shards.append(now)
index, seed = {}, 1
for i, members in enumerate(shards):
    name = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
    seed = write_shard(name, members, seed)
    index.update({key: name for key, _ in members})
total = sum(size(d) for _, d in tensors())
json.dump({"metadata": {"total_size": total}, "weight_map": index}, open(os.path.join(out, "model.safetensors.index.json"), "w"))
json.dump({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": D, "intermediate_size": F, "num_hidden_layers": L,
           "num_attention_heads": H, "num_key_value_heads": K, "head_dim": E, "vocab_size": V, "max_position_embeddings": 131072,
           "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "bfloat16",
           "bos_token_id": 0, "eos_token_id": 0}, open(os.path.join(out, "config.json"), "w"))
json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
           "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
           "post_processor": None, "decoder": {"type": "ByteLevel"},
           "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                     "fuse_unk": False, "byte_fallback": False, "vocab": byte_tokens(), "merges": []}},
          open(os.path.join(out, "tokenizer.json"), "w"))
print(f"{total / 1e9:.2f} GB in {len(shards)} files")
