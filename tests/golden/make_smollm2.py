#!/usr/bin/env python3
"""Records what transformers computes for SmolLM2-135M-Instruct on the embedded texts: smollm2.json, beside this file.

    python3 make_smollm2.py SmolLM2-135M-Instruct.Q4_1.gguf src/measure/texts/score.txt src/measure/texts/eval.txt

(torch, transformers 5, tokenizers, gguf, numpy.) Weights are dequantized, rounded to bfloat16 and used in float32;
arithmetic is float32. No BOS anywhere.

smollm2.json: score: `ids` of the whole text; the first `windows` windows of 512 ids (at most 16,384 ids) give `layers`.
eval: `ids` of the whole text; all whole windows of 1024 give `perplexity` of the model and of the model without the
layers `removed` (`perplexity_removed`); `nll` and `nll_removed` are the mean negative log-likelihoods per window.

The tokenizer is built here, from the file's vocabulary, as llama.cpp reads `tokenizer.ggml.pre` = smollm: each digit
alone, then GPT-2's expression. (transformers' own reading of a GGUF drops the digits step.)
"""
import json
import math
import os
import sys

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

REMOVED = [14, 17, 25]


def load_model(reader):
    def key(name):
        return reader.get_field(name).contents()

    heads, kv_heads = key("llama.attention.head_count"), key("llama.attention.head_count_kv")
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(key("tokenizer.ggml.tokens")), hidden_size=key("llama.embedding_length"),
        intermediate_size=key("llama.feed_forward_length"), num_hidden_layers=key("llama.block_count"),
        num_attention_heads=heads, num_key_value_heads=kv_heads, rms_norm_eps=key("llama.attention.layer_norm_rms_epsilon"),
        max_position_embeddings=key("llama.context_length"), tie_word_embeddings=True,
        bos_token_id=key("tokenizer.ggml.bos_token_id"), eos_token_id=key("tokenizer.ggml.eos_token_id"),
        rope_parameters={"rope_type": "default", "rope_theta": key("llama.rope.freq_base")}))

    tensors = {t.name: t for t in reader.tensors}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    with torch.no_grad():
        for name, p in model.named_parameters():
            t = tensors.pop(names.get_name(name, try_suffixes=(".weight",)))
            w = gguf.quants.dequantize(t.data, t.tensor_type)
            for part, n in (".q_proj.", heads), (".k_proj.", kv_heads):
                if part in name:  # rows from interleaved rope pairs back to halves
                    w = w.reshape(n, w.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(w.shape)
            p.copy_(torch.from_numpy(w.copy()).bfloat16())
    assert not tensors, tensors.keys()
    return model.eval()


def load_tokenizer(reader):
    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    types = reader.get_field("tokenizer.ggml.token_type").contents()
    merges = [tuple(m.split(" ")) for m in reader.get_field("tokenizer.ggml.merges").contents()]
    assert reader.get_field("tokenizer.ggml.pre").contents() == "smollm"
    tok = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.add_special_tokens([t for t, kind in zip(tokens, types) if kind == gguf.TokenType.CONTROL])
    return tok


def encode(tok, path):
    with open(path, encoding="utf-8", newline="") as f:
        return tok.encode(f.read(), add_special_tokens=False).ids


def windows(ids, size):
    count = len(ids) // size
    return torch.tensor(ids[: count * size]).reshape(count, size)


@torch.no_grad()
def score(model, rows):
    """Per layer, means over all positions: how far the layer, its attention half and its feed-forward half turn the
    stream, and the size of its change. The last layer's output is taken before the final norm."""
    streams = []
    hooks = [m.register_forward_pre_hook(lambda m, args: streams.append(args[0].double()))
             for layer in model.model.layers for m in (layer, layer.post_attention_layernorm)]
    hooks.append(model.model.norm.register_forward_pre_hook(lambda m, args: streams.append(args[0].double())))

    def turn(a, b):
        return float(1 - torch.nn.functional.cosine_similarity(a, b, dim=-1).mean())

    sums = np.zeros((len(model.model.layers), 4))
    for row in rows:
        streams.clear()
        model.model(row[None], use_cache=False)
        for i in range(len(sums)):
            x, mid, y = streams[2 * i: 2 * i + 3]  # entering, after attention, leaving
            sums[i] += turn(x, y), turn(x, mid), turn(mid, y), float(((y - x).norm(dim=-1) / y.norm(dim=-1)).mean())
    for h in hooks:
        h.remove()
    keys = "bi", "mixer_bi", "ffn_bi", "relative_magnitude"
    return [{"index": i} | dict(zip(keys, (s / len(rows)).tolist())) for i, s in enumerate(sums)]


@torch.no_grad()
def likelihood(model, rows):
    """Mean negative log-likelihood of each window; its first token is not predicted."""
    return [float(torch.nn.functional.cross_entropy(model(row[None], use_cache=False).logits[0, :-1].double(), row[1:]))
            for row in rows]


def perplexity(nll):
    return math.exp(sum(nll) / len(nll))


def remove_layers(model, removed):
    model.model.layers = torch.nn.ModuleList(l for i, l in enumerate(model.model.layers) if i not in removed)


def main(gguf_path, score_path, eval_path):
    reader = gguf.GGUFReader(gguf_path)
    model, tok = load_model(reader), load_tokenizer(reader)

    ids = encode(tok, score_path)
    rows = windows(ids, 512)[: 16384 // 512]
    scored = {"window": 512, "windows": len(rows), "tokens": rows.numel(), "layers": score(model, rows), "ids": ids}

    ids = encode(tok, eval_path)
    rows = windows(ids, 1024)
    nll = likelihood(model, rows)
    remove_layers(model, REMOVED)
    nll_removed = likelihood(model, rows)
    evaluated = {"window": 1024, "windows": len(rows), "predictions": len(rows) * 1023, "perplexity": perplexity(nll),
                 "removed": REMOVED, "perplexity_removed": perplexity(nll_removed), "nll": nll, "nll_removed": nll_removed,
                 "ids": ids}

    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "smollm2.json")
    with open(out, "w", encoding="ascii") as f:
        json.dump({"score": scored, "eval": evaluated}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
