#!/usr/bin/env python3
"""Makes the tiny llama models that the tests run, and what transformers computes from them.

    python3 make_tiny_llama.py          (torch, transformers 5, tokenizers, safetensors, gguf, numpy)

Writes beside itself, for NAME = tiny_llama and tiny_llama_tied:

    NAME/           Hugging Face directory
    NAME.gguf       the same model as llama.cpp's convert_hf_to_gguf.py writes it
    NAME.txt, .bin  expected numbers: a line of NAME.txt is `name dtype dim0 dim1 ... byte_offset` and describes
                    one little-endian, row-major array of NAME.bin; dtype is i32, f32 or f64
    NAME_ids.json   texts and their ids: `ids` as they are, `ids_bos` with what the post-processor adds

Arrays (L layers, W windows, T tokens, D hidden, V vocabulary), all from float32 weights and arithmetic:

    ids                     [W, T]           random, two windows
    hidden                  [L + 1, W, T, D] residual stream entering layer i; the last is before the final norm
    logits                  [W, T, V]
    removed                 [2]              layers skipped for the next array
    logits_removed          [W, T, V]
    bi, mixer_bi, ffn_bi, relative_magnitude  [L] f64, over all W * T positions (in float64 from the float32 streams)

tiny_llama is plain and untied; its config.json is in the style of transformers 5 (rope_parameters), its vocabulary
is padded beyond the tokenizer. tiny_llama_tied has tied embeddings, q wider than the stream, llama3 rope scaling,
biases everywhere, bfloat16 shards, the config.json style of transformers 4 and a tokenizer like Llama 3's.
"""
import json
import os
import shutil

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import gguf
import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
WINDOWS, TOKENS = 2, 40

SENTENCES = [
    "The layer turns the stream a little, and the next layer turns it back.",
    "The lowest influence is removed first; the others keep their number.",
    "A model that has lost three of its thirty layers still reads and writes.",
    "There isn't a layer that can't be removed, but some shouldn't be.",
    "In 1998 there were 12 of them, in 2024 there were 120 or 1,200.",
    "Weights are read once, whatever the number of tokens in the text.",
    "    indented code:\n\tfor (int i = 0; i < n; i++)\n\t\tsum += x[i];\n",
    "Das Gewicht der Schicht; la couche supprimée; 层的影响; naïve café.",
]
# What the tokenizer test encodes: contractions, digits, runs of blanks, added tokens, other scripts, stray bytes.
TEXTS = SENTENCES + [
    "", " ", "\n\n  \n", "a  b   c \t d\r\ne", "it's THEY'LL we'Ve", "3.14159 12345 1e10 ٣٤٥",
    "before<note>after", " <note> <note>", "end<|endoftext|>of", "<|eot_id|>text<|begin_of_text|>",
    "influence influences Influence", "日本語 🙂👍🏽 e\u0301 \u00a0nbsp\u2028line", "\u0000\u0001\u007f\ufeff",
]

LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def train(tok, vocab_size):
    tok.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))


def gpt2_tokenizer():
    """Byte-level BPE as GPT-2's; one special token and one that a user added."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    train(tok, 316)
    tok.add_special_tokens(["<|endoftext|>"])
    tok.add_tokens([AddedToken("<note>", normalized=False)])
    return tok, {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "add_prefix_space": False}


def llama3_tokenizer():
    """As Llama 3's: its split, ignore_merges, and a BOS from the post-processor."""
    tok = Tokenizer(models.BPE(ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    train(tok, 316)
    # a token that no merge makes: only ignore_merges finds it
    raw = json.loads(tok.to_str())
    raw["model"]["vocab"]["Ġinfluence"] = 316
    tok = Tokenizer.from_str(json.dumps(raw))
    tok.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin_of_text|> $A",
                                      pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                                      special_tokens=[("<|begin_of_text|>", 317)])])
    return tok, {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}


def save_tokenizer(tok, special, path):
    tok.save(f"{path}/tokenizer.json")
    added = {str(i): {"content": t.content, "lstrip": t.lstrip, "normalized": t.normalized, "rstrip": t.rstrip,
                      "single_word": t.single_word, "special": t.special}
             for i, t in sorted(tok.get_added_tokens_decoder().items())}
    config = {"added_tokens_decoder": added, "clean_up_tokenization_spaces": False, "model_max_length": 128,
              "tokenizer_class": "PreTrainedTokenizerFast"} | special
    write_json(f"{path}/tokenizer_config.json", config)


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2, ensure_ascii=False)
        f.write("\n")


def random_model(config, seed):
    """Weights strong enough that each layer turns the stream; norms and biases away from 1 and 0."""
    gen = torch.Generator().manual_seed(seed)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=gen)
            if "norm" in name:
                p.copy_(1 + 0.3 * noise)
            elif name.endswith("embed_tokens.weight"):
                p.copy_(0.8 * noise)
            else:
                p.copy_(0.2 * noise)
    return model


def permute(w, n_head):
    """Rows of q and k from rotate-halves (transformers) to interleaved pairs (llama.cpp's llama)."""
    return w.reshape(n_head, 2, w.shape[0] // n_head // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def llama3_rope_factors(rope, dim):
    """What each rope frequency is divided by; convert_hf_to_gguf.py, LlamaModel.generate_extra_tensors."""
    wavelength = 2 * np.pi * rope["rope_theta"] ** (np.arange(0, dim, 2, dtype=np.float32) / dim)
    old, low, high = rope["original_max_position_embeddings"], rope["low_freq_factor"], rope["high_freq_factor"]
    smooth = np.clip((old / wavelength - low) / (high - low), 0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


def write_gguf(path, name, model, tok, hf_dir, pre, bf16):
    """The keys and tensors of convert_hf_to_gguf.py's LlamaModel, in its order."""
    c = model.config
    w = gguf.GGUFWriter(path, "llama")
    matrix_type = gguf.GGMLQuantizationType.BF16 if bf16 else gguf.GGMLQuantizationType.F32

    def add_tensor(name, data):
        qtype = matrix_type if data.ndim > 1 else gguf.GGMLQuantizationType.F32
        w.add_tensor(name, gguf.quants.quantize(data, qtype), raw_dtype=qtype)

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, c.num_hidden_layers)
    rope = c.rope_parameters
    if rope["rope_type"] == "llama3":
        add_tensor("rope_freqs.weight", llama3_rope_factors(rope, c.head_dim))
    for hf_name, p in model.named_parameters():  # tied weights come once
        data = p.detach().float().numpy()
        if ".q_proj." in hf_name:
            data = permute(data, c.num_attention_heads)
        if ".k_proj." in hf_name:
            data = permute(data, c.num_key_value_heads)
        add_tensor(names.get_name(hf_name, try_suffixes=(".weight", ".bias")), np.ascontiguousarray(data))

    w.add_type("model")
    w.add_name(name)
    w.add_size_label(gguf.size_label(w.get_total_parameter_count()[0], 0, 0, 0))
    w.add_block_count(c.num_hidden_layers)
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_rope_freq_base(rope["rope_theta"])
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_BF16 if bf16 else gguf.LlamaFileType.ALL_F32)
    w.add_vocab_size(c.vocab_size)
    w.add_rope_dimension_count(c.head_dim)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)

    tokens = [f"[PAD{i}]" for i in range(c.vocab_size)]
    types = [gguf.TokenType.UNUSED] * c.vocab_size
    added = tok.get_added_tokens_decoder()
    for token, i in tok.get_vocab().items():
        tokens[i] = token
        types[i] = (gguf.TokenType.NORMAL if i not in added else
                    gguf.TokenType.CONTROL if added[i].special else gguf.TokenType.USER_DEFINED)
    with open(f"{hf_dir}/tokenizer_config.json", encoding="utf-8") as f:
        space = json.load(f).get("add_prefix_space")
    if space is not None:
        w.add_add_space_prefix(space)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre(pre)
    w.add_token_list(tokens)
    w.add_token_types(types)
    vocab = gguf.SpecialVocab(hf_dir, load_merges=True)
    for what in ("bos", "eos"):  # the converter's gguf has this default, the released package not yet
        vocab.add_special_token.setdefault(what, False)
    vocab.add_to_gguf(w)

    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


@torch.no_grad()
def streams(model, ids):
    """The residual stream at every layer boundary, [L + 1, W, T, D], after each layer's attention, [L, W, T, D],
    and the logits. Hooks, since output_hidden_states gives the last one after the final norm."""
    x, mid = [], []
    hooks = []
    for layer in model.model.layers:
        hooks.append(layer.register_forward_pre_hook(lambda m, args: x.append(args[0].clone())))
        hooks.append(layer.post_attention_layernorm.register_forward_pre_hook(lambda m, args: mid.append(args[0].clone())))
    hooks.append(model.model.norm.register_forward_pre_hook(lambda m, args: x.append(args[0].clone())))
    logits = model(ids, use_cache=False).logits
    for h in hooks:
        h.remove()
    return torch.stack(x), torch.stack(mid), logits


def turn(a, b):
    return 1 - torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=-1).mean(dim=(1, 2))


def expect(path, hf_dir, removed, seed):
    model = LlamaForCausalLM.from_pretrained(hf_dir, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(model.config.vocab_size, (WINDOWS, TOKENS), generator=torch.Generator().manual_seed(seed))
    x, mid, logits = streams(model, ids)
    change = (x[1:].double() - x[:-1].double()).norm(dim=-1) / x[1:].double().norm(dim=-1)
    arrays = {"ids": ids.int(), "hidden": x, "logits": logits, "bi": turn(x[:-1], x[1:]),
              "mixer_bi": turn(x[:-1], mid), "ffn_bi": turn(mid, x[1:]), "relative_magnitude": change.mean(dim=(1, 2))}

    # how far float32 itself is from float64: what a tolerance must allow
    x64, _, logits64 = streams(model.double(), ids)
    print(path, "bi", [round(v, 4) for v in arrays["bi"].tolist()],
          "f32 - f64: hidden %.1e of %.0f, logits %.1e of %.0f" % tuple(float(v) for v in (
              (x64 - x).abs().max(), x.abs().max(), (logits64 - logits).abs().max(), logits.abs().max())))

    model.float().model.layers = torch.nn.ModuleList(
        layer for i, layer in enumerate(model.model.layers) if i not in removed)
    arrays["removed"] = torch.tensor(removed, dtype=torch.int32)
    arrays["logits_removed"] = streams(model, ids)[2]

    kinds = {torch.int32: "i32", torch.float32: "f32", torch.float64: "f64"}
    with open(path + ".bin", "wb") as data, open(path + ".txt", "w") as manifest:
        for name, a in sorted(arrays.items(), key=lambda item: item[1].dtype != torch.float64):  # f64 first: aligned
            print(name, kinds[a.dtype], *a.shape, data.tell(), file=manifest)
            data.write(a.contiguous().numpy().tobytes())


def expect_ids(path, hf_dir):
    tok = Tokenizer.from_file(f"{hf_dir}/tokenizer.json")
    fast = AutoTokenizer.from_pretrained(hf_dir)
    rows = []
    for text in TEXTS:
        rows.append({"text": text, "ids": tok.encode(text, add_special_tokens=False).ids, "ids_bos": tok.encode(text).ids})
        assert fast(text).input_ids == rows[-1]["ids_bos"], text
    with open(path, "w", encoding="ascii") as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")


def make(name, config, tokenizer, pre, seed, removed, bf16=False, max_shard_size="5GB"):
    hf_dir = f"{HERE}/{name}"
    shutil.rmtree(hf_dir, ignore_errors=True)
    tok, special = tokenizer()
    bos, eos = (tok.token_to_id(special[k]) for k in ("bos_token", "eos_token"))
    config = LlamaConfig(bos_token_id=bos, eos_token_id=eos, max_position_embeddings=128, **config)
    model = random_model(config, seed)
    if bf16:
        model = model.bfloat16()
    model.save_pretrained(hf_dir, max_shard_size=max_shard_size)
    for file in os.listdir(hf_dir):
        os.chmod(f"{hf_dir}/{file}", 0o644)
    save_tokenizer(tok, special, hf_dir)
    if bf16:  # as transformers 4 wrote it, and as most published checkpoints are
        with open(f"{hf_dir}/config.json") as f:
            raw = json.load(f)
        rope = raw.pop("rope_parameters")
        raw |= {"rope_theta": rope.pop("rope_theta"), "rope_scaling": rope, "torch_dtype": raw.pop("dtype")}
        write_json(f"{hf_dir}/config.json", raw)
    write_gguf(f"{HERE}/{name}.gguf", name, model, tok, hf_dir, pre, bf16)
    expect(f"{HERE}/{name}", hf_dir, removed, seed + 1)
    expect_ids(f"{HERE}/{name}_ids.json", hf_dir)


torch.set_num_threads(1)
make("tiny_llama",
     dict(vocab_size=320, hidden_size=64, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4,
          num_key_value_heads=2, head_dim=16, rms_norm_eps=1e-5, tie_word_embeddings=False,
          rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
     gpt2_tokenizer, "gpt-2", seed=1, removed=[1, 2])
make("tiny_llama_tied",
     dict(vocab_size=320, hidden_size=48, intermediate_size=112, num_hidden_layers=5, num_attention_heads=6,
          num_key_value_heads=2, head_dim=16, rms_norm_eps=1e-6, tie_word_embeddings=True,
          attention_bias=True, mlp_bias=True,
          rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                           "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
     llama3_tokenizer, "llama-bpe", seed=11, removed=[1, 3], bf16=True, max_shard_size="130KB")
