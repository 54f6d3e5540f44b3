#!/usr/bin/env python3
"""Makes a tiny random model of every family that the engine runs, and what transformers computes from it.

    python3 make_families.py LLAMA_CPP [--f32 DIR] [NAME ...]     (torch, transformers 5, numpy)

LLAMA_CPP is a source tree of llama.cpp, whose own converter writes the GGUF; --f32 keeps another GGUF of each model,
every matrix in F32, for a comparison with libllama. Without names: all of the table below. Writes into families/:

    NAME/           Hugging Face directory without a tokenizer: bfloat16 weights
    NAME.gguf       the same model, without a vocabulary; missing where llama.cpp does not take it (`no_gguf`)
    NAME.txt, .bin  expected numbers: a line of NAME.txt is `name dtype dim0 dim1 ... byte_offset` and describes one
                    little-endian, row-major array of NAME.bin; dtype is i32 or f32. A line from # on is a remark.

Arrays (L layers, two windows of T tokens, D hidden, V vocabulary), from the bfloat16 values in float32 arithmetic:

    ids                     [2, T]           random
    hidden                  [L + 1, 2, T, D] residual stream entering layer i; the last is before the final norm
    logits                  [2, T, V]
    removed                 [2]              layers skipped for the next array; the others keep their own kind
    logits_removed          [2, T, V]
    short_ids, short_logits the same of the first 12 tokens, where rope depends on the window's length
    gguf_hidden, gguf_logits, gguf_logits_removed
                            what the GGUF means to llama.cpp, where that is not what the HF directory means to
                            transformers; then the GGUF is compared with these. The remark says why.
"""
import argparse
import json
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).resolve().parent
OUT = HERE / "families"
TOKENS, SHORT, WINDOW = 24, 12, 7

BASE = dict(vocab_size=128, hidden_size=32, intermediate_size=40, num_hidden_layers=4, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=None)
EXPERTS = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16)
LONGROPE = dict(short_factor=[1.0, 1.1, 1.3, 1.6], long_factor=[1.2, 2.5, 5.0, 9.0])
NO_WINDOW = dict(sliding_window=None)


def rope(kind="default", theta=10000.0, **more):
    return dict(rope_parameters={"rope_type": kind, "rope_theta": theta, **more})


# model: transformers' class; config: beyond BASE, or instead of its entries; removed: layers skipped, else [1, 2];
# as_gguf: configuration with which transformers computes what llama.cpp does, and why; no_gguf: why there is none;
# add: keys that the converter wants and transformers no longer writes; old: config.json in the style of transformers 4,
# these keys instead of rope_parameters and those in drop
FAMILIES = {
    "llama_linear": dict(model="Llama", config=rope("linear", factor=4.0)),
    "llama_dynamic": dict(
        model="Llama", short=True,
        config=dict(max_position_embeddings=16, tie_word_embeddings=True) | rope("dynamic", factor=2.0),
        as_gguf=(rope(), "GGUF has no dynamic rope scaling")),
    "llama_yarn": dict(
        model="Llama", config=dict(head_dim=16, max_position_embeddings=8192)  # so that the ramp has ends and a middle
        | rope("yarn", factor=4.0, original_max_position_embeddings=2048)),
    "llama_llama3": dict(
        model="Llama", config=dict(head_dim=16, attention_bias=True)
        | rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)),
    "mistral": dict(
        model="Mistral", config=dict(sliding_window=WINDOW, head_dim=16),
        as_gguf=(NO_WINDOW, "llama.cpp has no sliding window for mistral")),
    "qwen2": dict(
        model="Qwen2", config=dict(use_sliding_window=True, sliding_window=WINDOW, max_window_layers=2,
                                   tie_word_embeddings=True) | rope(theta=1e6),
        old=dict(rope_theta=1e6), drop=["layer_types"],
        as_gguf=(dict(layer_types=["full_attention"] * 4), "llama.cpp has no sliding window for qwen2")),
    "qwen3": dict(model="Qwen3", config=dict(head_dim=16, tie_word_embeddings=True) | rope(theta=1e6)),
    "gemma": dict(model="Gemma", config=dict(head_dim=16, num_key_value_heads=1)),
    "gemma2": dict(
        model="Gemma2", config=dict(head_dim=16, query_pre_attn_scalar=6, sliding_window=WINDOW,
                                    attn_logit_softcapping=4.0, final_logit_softcapping=6.0),
        as_gguf=(dict(query_pre_attn_scalar=16), "llama.cpp scales by the head size, not by query_pre_attn_scalar")),
    "gemma3": dict(
        model="Gemma3", text="Gemma3Text", removed=[1, 4],
        config=dict(num_hidden_layers=7, intermediate_size=32, head_dim=16, query_pre_attn_scalar=16,
                    sliding_window=WINDOW,
                    rope_parameters={"full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e6},
                                     "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}),
        old=dict(rope_theta=1e6, rope_local_base_freq=1e4, rope_scaling=dict(rope_type="linear", factor=4.0),
                 sliding_window_pattern=6),
        drop=["layer_types", "_sliding_window_pattern"]),
    "phi3": dict(
        model="Phi3",
        config=dict(sliding_window=WINDOW, original_max_position_embeddings=64) | rope(partial_rotary_factor=0.5),
        as_gguf=(NO_WINDOW, "llama.cpp ignores phi3's sliding window")),
    "phi3_longrope": dict(
        model="Phi3", short=True,
        config=dict(original_max_position_embeddings=16) | rope("longrope", **LONGROPE),
        old=dict(rope_theta=10000.0, rope_scaling=dict(type="longrope", **LONGROPE))),
    "olmo2": dict(model="Olmo2", config=rope(theta=5e5)),
    "granite": dict(
        model="Granite", config=dict(embedding_multiplier=3.0, attention_multiplier=0.2, residual_multiplier=0.4,
                                     logits_scaling=2.5, tie_word_embeddings=True, attention_bias=True, mlp_bias=True)),
    "stablelm": dict(model="StableLm", config=dict(use_qkv_bias=True) | rope(partial_rotary_factor=0.5)),
    "stablelm_parallel": dict(
        model="StableLm", config=dict(use_parallel_residual=True, num_attention_heads=2, num_key_value_heads=1)
        | rope(partial_rotary_factor=0.25)),
    "stablelm_qk": dict(
        model="StableLm", config=dict(qk_layernorm=True, use_parallel_residual=True) | rope(partial_rotary_factor=0.5)),
    "gpt2": dict(model="GPT2LMHead", text="GPT2",
                 config=dict(n_embd=32, n_layer=4, n_head=4, n_positions=32), add=dict(n_ctx=32)),
    "gpt_neox": dict(
        model="GPTNeoX", config=dict(hidden_act="gelu", num_attention_heads=2) | rope(partial_rotary_factor=0.25),
        add=dict(rotary_pct=0.25),
        as_gguf=(dict(hidden_act="gelu_new"), "llama.cpp's gelu is the tanh approximation")),
    "gpt_neox_sequential": dict(
        model="GPTNeoX",
        config=dict(hidden_act="gelu_fast", use_parallel_residual=False) | rope(partial_rotary_factor=0.5),
        add=dict(rotary_pct=0.5), old=dict(rotary_pct=0.5, rotary_emb_base=10000)),
    "starcoder2": dict(
        model="Starcoder2", config=dict(sliding_window=WINDOW),
        as_gguf=(NO_WINDOW, "llama.cpp has no sliding window for starcoder2")),
    "mixtral": dict(model="Mixtral", config=dict(num_local_experts=4, num_experts_per_tok=2, intermediate_size=24)),
    "qwen2_moe": dict(model="Qwen2Moe", config=EXPERTS | dict(shared_expert_intermediate_size=24)),
    "qwen2_moe_mixed": dict(
        model="Qwen2Moe", removed=[0, 3],
        config=EXPERTS | dict(num_hidden_layers=6, shared_expert_intermediate_size=24, norm_topk_prob=True,
                              mlp_only_layers=[1], decoder_sparse_step=2,
                              use_sliding_window=True, sliding_window=WINDOW, max_window_layers=3),
        no_gguf="llama.cpp wants experts in every layer of qwen2moe"),
    "qwen3_moe": dict(
        model="Qwen3Moe", config=EXPERTS | dict(head_dim=16, norm_topk_prob=True, tie_word_embeddings=True)),
    "olmoe": dict(
        model="Olmoe", config=dict(num_experts=4, num_experts_per_tok=2, num_key_value_heads=4, intermediate_size=16)),
}


class Undecided(Exception):
    """Another seed is needed."""


def zero_centred(model):
    return type(model).__name__.startswith("Gemma")  # their norms scale by 1 + weight


@torch.no_grad()
def randomise(model, seed):
    """Weights strong enough that each layer turns the stream; norms away from 1, biases from 0, routers decided."""
    gen = torch.Generator().manual_seed(seed)
    embedding = model.get_input_embeddings().weight
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=gen)
        if p.ndim == 1 and name.endswith("weight"):
            p.copy_(0.3 * noise if zero_centred(model) else 1 + 0.3 * noise)
        elif p is embedding:
            p.copy_(noise * (0.2 if zero_centred(model) else 0.8))
        elif name.endswith("mlp.gate.weight"):
            p.copy_(0.5 * noise)
        else:
            p.copy_(noise * (0.2 if zero_centred(model) else 0.25))


def make_model(entry, path, seed):
    config = getattr(transformers, entry.get("text", entry["model"]) + "Config")
    model_class = getattr(transformers, entry["model"] + ("Model" if entry["model"] == "GPT2LMHead" else "ForCausalLM"))
    dims = dict(BASE)
    if entry["model"] == "GPT2LMHead":  # it spells them its own way
        dims = {k: v for k, v in BASE.items() if "token" in k or k == "vocab_size"}
    model = model_class(config(**dims | entry.get("config", {})))
    randomise(model, seed)
    shutil.rmtree(path, ignore_errors=True)
    model.bfloat16().save_pretrained(path)
    (path / "generation_config.json").unlink()
    for file in path.iterdir():
        file.chmod(0o644)
    if "old" in entry:
        rewrite_config(path, ["rope_parameters", *entry.get("drop", [])], entry["old"])


def rewrite_config(path, drop, add):
    """Another spelling of the same: to transformers it must mean what it did."""
    file, ids = path / "config.json", torch.arange(TOKENS)[None]
    before, raw = streams(load(path), ids)[1], json.loads(file.read_text())
    raw["torch_dtype"] = raw.pop("dtype")
    file.write_text(json.dumps({k: v for k, v in raw.items() if k not in drop} | add, indent=2, sort_keys=True) + "\n")
    assert torch.equal(streams(load(path), ids)[1], before)


def load(path, changes=None, dtype=torch.float32):
    config = AutoConfig.from_pretrained(path)
    for key, value in (changes or {}).items():
        setattr(config, key, value)
    return AutoModelForCausalLM.from_pretrained(path, config=config, dtype=dtype, attn_implementation="eager",
                                                experts_implementation="eager").eval()


def inside(model):
    """The module that holds the layers, its layers, and its final norm's name."""
    for name, layers, norm in (("model", "layers", "norm"), ("transformer", "h", "ln_f"),
                               ("gpt_neox", "layers", "final_layer_norm")):
        if hasattr(model, name):
            return getattr(model, name), layers, norm
    raise TypeError(type(model))


@torch.no_grad()
def streams(model, ids):
    """The residual stream at every layer boundary, [L + 1, 2, T, D], and the logits. Hooks, since output_hidden_states
    gives the last one after the final norm. Raises Undecided where rounding could make a router's choice."""
    body, layers, norm = inside(model)
    x, hooks = [], []

    def router(module, args, output):
        p = output[0].float().softmax(-1).sort(dim=-1, descending=True).values
        if (p[:, module.top_k - 1] - p[:, module.top_k]).min() < 2e-5:
            raise Undecided

    for module in [*getattr(body, layers), getattr(body, norm)]:
        hooks.append(module.register_forward_pre_hook(lambda m, args: x.append(args[0].clone())))
    for module in model.modules():
        if hasattr(module, "top_k") and type(module).__name__.endswith("Router"):
            hooks.append(module.register_forward_hook(router))
    logits = model(ids, use_cache=False).logits
    for h in hooks:
        h.remove()
    return torch.stack(x), logits


def without(model, removed):
    """The same model with those layers skipped; the others keep their own window, rope, experts."""
    body, layers, _ = inside(model)
    keep = [i for i in range(len(getattr(body, layers))) if i not in removed]
    setattr(body, layers, torch.nn.ModuleList(getattr(body, layers)[i] for i in keep))
    if getattr(body.config, "layer_types", None):
        body.config.__dict__["layer_types"] = [body.config.layer_types[i] for i in keep]
    return model


def expect(name, entry, seed):
    path = OUT / name
    ids = torch.randint(BASE["vocab_size"], (2, TOKENS), generator=torch.Generator().manual_seed(seed))
    removed = entry.get("removed", [1, 2])
    x, logits = streams(load(path), ids)
    arrays = {"ids": ids.int(), "hidden": x, "logits": logits, "removed": torch.tensor(removed, dtype=torch.int32),
              "logits_removed": streams(without(load(path), removed), ids)[1]}
    remarks = []
    if entry.get("short"):
        arrays["short_ids"] = ids[:, :SHORT].int().contiguous()
        arrays["short_logits"] = streams(load(path), ids[:, :SHORT])[1]
    if "as_gguf" in entry:
        changes, why = entry["as_gguf"]
        remarks.append(f"# gguf_*: {why}")
        arrays["gguf_hidden"], arrays["gguf_logits"] = streams(load(path, changes), ids)
        arrays["gguf_logits_removed"] = streams(without(load(path, changes), removed), ids)[1]
    if "no_gguf" in entry:
        remarks.append(f"# no GGUF: {entry['no_gguf']}")

    with open(f"{path}.bin", "wb") as data, open(f"{path}.txt", "w") as manifest:
        for array, a in arrays.items():
            print(array, {torch.int32: "i32", torch.float32: "f32"}[a.dtype], *a.shape, data.tell(), file=manifest)
            data.write(a.contiguous().numpy().tobytes())
        for line in remarks:
            print(line, file=manifest)
    report(name, path, ids, x, logits, arrays)


def report(name, path, ids, x, logits, arrays):
    """How far float32 is from float64 (what a tolerance must allow), how each layer turns, what llama.cpp changes."""
    x64, logits64 = streams(load(path, dtype=torch.float64), ids)
    top = logits.abs().max()
    bi = 1 - torch.nn.functional.cosine_similarity(x[:-1].double(), x[1:].double(), dim=-1).mean(dim=(1, 2))
    line = "%-20s f32 - f64: hidden %.0e of %.0f, logits %.0e of %.1f  bi %s" % (
        name, (x64 - x).abs().max(), x.abs().max(), (logits64 - logits).abs().max(), top,
        [round(v, 2) for v in bi.tolist()])
    if "gguf_logits" in arrays:
        line += "  gguf differs by %.0e" % ((arrays["gguf_logits"] - logits).abs().max() / top)
    print(line)


def write_gguf(name, entry, llama_cpp, outfile, f32):
    """By llama.cpp's converter, from a copy with the keys that it wants; the vocabulary is left out."""
    sys.path[:0] = [p for p in (str(llama_cpp / "gguf-py"), str(llama_cpp)) if p not in sys.path]
    import gguf
    from conversion import ModelBase, get_model_class

    with tempfile.TemporaryDirectory() as tmp:
        copy = Path(tmp) / name
        shutil.copytree(OUT / name, copy)
        # gemma3's converter counts these to cut the embedding
        vocabulary = {str(i): i for i in range(BASE["vocab_size"])}
        (copy / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": []}))

        def no_vocabulary(self):
            self.gguf_writer.add_tokenizer_model("no_vocab")
            self.gguf_writer.remove_key(f"{self.gguf_writer.arch}.vocab_size")
            self.gguf_writer.add_vocab_size(BASE["vocab_size"])

        config = ModelBase.load_hparams(copy, False) | entry.get("add", {})
        base = get_model_class(config["architectures"][0])
        converter = type(base.__name__, (base,), {"model_arch": base.model_arch, "set_vocab": no_vocabulary})
        if name == "stablelm_qk":
            converter.modify_tensors = stablelm_stacks_norms
        with torch.inference_mode():
            file_type = gguf.LlamaFileType.ALL_F32 if f32 else gguf.LlamaFileType.MOSTLY_BF16
            converter(copy, file_type, Path(outfile), hparams=config).write()


def stablelm_stacks_norms(self, data, name, bid):
    """What StableLMModel.modify_tensors means to do; it returns its stacked norms from a generator: they are lost."""
    from conversion.base import TextModel
    for which, heads in (("q_layernorm", self.hparams["num_attention_heads"]),
                         ("k_layernorm", self.hparams["num_key_value_heads"])):
        if f".{which}.norms." in name:
            stack = self.__dict__.setdefault("stacks", {}).setdefault((bid, which), {})
            stack[int(name.split(".")[-2])] = data
            if len(stack) == heads:
                yield from TextModel.modify_tensors(self, torch.stack([stack[h] for h in range(heads)]),
                                                    f"model.layers.{bid}.self_attn.{which}.weight", bid)
            return
    yield from TextModel.modify_tensors(self, data, name, bid)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("llama_cpp", type=Path)
    parser.add_argument("--f32", type=Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    OUT.mkdir(exist_ok=True)
    for name, entry in FAMILIES.items():
        if args.names and name not in args.names:
            continue
        for seed in range(zlib.crc32(name.encode()), 1 << 33):
            try:
                make_model(entry, OUT / name, seed)
                expect(name, entry, seed + 1)
                break
            except Undecided:
                pass
        if "no_gguf" not in entry:
            write_gguf(name, entry, args.llama_cpp, OUT / f"{name}.gguf", f32=False)
            if args.f32:
                write_gguf(name, entry, args.llama_cpp, args.f32 / f"{name}.gguf", f32=True)


if __name__ == "__main__":
    main()
