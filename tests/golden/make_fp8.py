"""Checkpoints of 8-bit floats with scales, for tests/checkpoint/test_scales.c.

    python3 make_fp8.py      (needs torch, transformers, safetensors and compressed-tensors; made with torch 2.15, transformers 5.24,
                              compressed-tensors 0.20)

fp8/METHOD/: config.json and model.safetensors, in which X.expected (F32) is what tensor X.weight (or X) means: for fp8 what transformers'
Fp8Dequantize makes of it, for compressed-tensors what that package's dequantize does, for fbgemm_fp8 weight times scale. Fp8Dequantize
takes only blocks that are all whole; where the last ones are cut off, the weight is padded first.
"""
import json
import os

import torch
import torch.nn.functional as F
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import dequantize
from safetensors.torch import save_file
from transformers.integrations.finegrained_fp8 import Fp8Dequantize

E4M3, E5M2, E8M0 = torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e8m0fnu
BLOCK = (8, 16)
torch.manual_seed(2403)


def weight(*shape, dtype=E4M3):
    return torch.randint(0, 256, shape, dtype=torch.uint8).view(dtype)


def scale(*shape, dtype=torch.float32, low=-12, high=2):
    return torch.exp2(torch.rand(shape) * (high - low) + low).to(dtype)


def padded(w):
    pad = (-w.shape[-1] % BLOCK[1], -w.shape[-2] % BLOCK[0])
    return F.pad(w.view(torch.uint8), (0, pad[0], 0, pad[1])).view(w.dtype)


def fp8(w, s):
    ragged = s.dim() == w.dim() and s.shape[-1] == -(-w.shape[-1] // BLOCK[1]) and s.numel() > 1 and s.shape[-1] > 1
    whole = Fp8Dequantize(None)._dequantize_one(padded(w) if ragged else w, s, torch.float32)
    return whole[..., : w.shape[-2], : w.shape[-1]]


def write(method, quantization, tensors):
    os.makedirs(f"fp8/{method}", exist_ok=True)
    with open(f"fp8/{method}/config.json", "w") as f:
        json.dump({"model_type": "llama", "quantization_config": {"quant_method": method, **quantization}}, f, indent=1)
    save_file({k: v.contiguous() for k, v in tensors.items()}, f"fp8/{method}/model.safetensors", {"format": "pt"})


def main():
    t = {}
    for name, w, s in [
        ("even", weight(16, 32), scale(2, 2)),
        ("cut", weight(20, 40), scale(3, 3)),
        ("wide", weight(3, 1200), scale(1, 75)),
        ("e5m2", weight(16, 32, dtype=E5M2), scale(2, 2)),
        ("bf16", weight(16, 32), scale(2, 2, dtype=torch.bfloat16)),
        ("e8m0", weight(16, 32), scale(2, 2).to(E8M0)),
        ("bytes", weight(16, 32), torch.randint(110, 140, (2, 2), dtype=torch.uint8)),
        ("tensor", weight(16, 32), scale()),
        ("one", weight(9, 20), scale(1)),
        ("rows", weight(5, 32), scale(5, 1)),
    ]:
        t |= {f"{name}.weight": w, f"{name}.weight_scale_inv": s, f"{name}.expected": fp8(w, s)}
    w, s = weight(3, 20, 40), scale(3, 3, 3)
    t |= {"experts": w, "experts_scale_inv": s, "experts.expected": torch.stack([fp8(a, b) for a, b in zip(w, s)])}
    write("fp8", {"activation_scheme": "dynamic", "weight_block_size": BLOCK}, t)

    t = {}
    for name, strategy, w, s in [
        ("rows", "channel", weight(5, 40), scale(5, 1, dtype=torch.bfloat16)),
        ("f16", "channel", weight(12, 40), scale(12, 1, dtype=torch.float16, low=-20, high=10)),
        ("f32", "channel", weight(5, 40), scale(5, 1)),
        ("tensor", "tensor", weight(5, 40), scale(1, dtype=torch.bfloat16)),
        ("blocks", "block", weight(20, 40), scale(3, 3, dtype=torch.bfloat16)),
    ]:
        args = QuantizationArgs(num_bits=8, type="float", strategy=strategy, block_structure=BLOCK if strategy == "block" else None)
        t |= {f"{name}.weight": w, f"{name}.weight_scale": s, f"{name}.expected": dequantize(w, s, None, args).float()}
    weights = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "channel"}
    groups = {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": {"num_bits": 8, "type": "float", "dynamic": True}},
              "group_1": {"targets": ["blocks"], "weights": {**weights, "strategy": "block", "block_structure": BLOCK}}}
    write("compressed-tensors", {"format": "float-quantized", "quantization_status": "compressed", "config_groups": groups}, t)

    w, s = weight(5, 40), scale(5, 1)
    write("fbgemm_fp8", {"activation_scale_ub": 1200.0}, {"rows.weight": w, "rows.weight_scale": s, "rows.expected": w.float() * s})


main()
