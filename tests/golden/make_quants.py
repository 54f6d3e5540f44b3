"""What gguf-py and torch say about number formats, for tests/checkpoint/test_dtype.c.

    python3 make_quants.py      (needs numpy, gguf and torch; made with gguf 0.19.0 and torch 2.15)

ggml_types.txt: a line "id name block bytes" per type.
quants.bin: records of a type's name (16 bytes, zero-padded), u32 number of elements, u32 number of bytes, the bytes, and u64 hashes, one
for each run of elements (a block, or 32 elements where a block is smaller): FNV-1a over the bits of the f32 values that
gguf.quants.dequantize (8-bit floats: torch) gives, as words, with every NaN as 0x7fc00000. The bytes are random, with f16 scales that also
take every special kind.
"""
import struct

import gguf
import numpy as np
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

# zero, smallest and largest subnormals and normals, one, a usual scale, infinities, NaN
SPECIAL = np.array([0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x8400, 0x7BFF, 0xFBFF, 0x3C00, 0x1E66, 0x7C00, 0xFC00,
                    0x7E00], dtype=np.uint16)
# type: blocks, byte offsets of the f16 scales in a block. The IQ formats get as many as show most of their grid.
CASES = {
    T.F32: (64, []),
    T.F16: (256, []),
    T.BF16: (256, []),
    T.Q4_0: (24, [0]),
    T.Q4_1: (24, [0, 2]),
    T.Q5_0: (24, [0]),
    T.Q5_1: (24, [0, 2]),
    T.Q8_0: (24, [0]),
    T.Q2_K: (24, [80, 82]),
    T.Q3_K: (24, [108]),
    T.Q4_K: (24, [0, 2]),
    T.Q5_K: (24, [0, 2]),
    T.Q6_K: (24, [208]),
    T.IQ2_XXS: (40, [0]),
    T.IQ2_XS: (80, [0]),
    T.IQ2_S: (160, [0]),
    T.IQ3_XXS: (24, [0]),
    T.IQ3_S: (40, [0]),
    T.IQ1_S: (320, [0]),
    T.IQ1_M: (64, []),
    T.IQ4_NL: (24, [0]),
    T.IQ4_XS: (24, [0]),
    T.TQ1_0: (24, [52]),
    T.TQ2_0: (24, [64]),
    T.MXFP4: (256, []),
    T.NVFP4: (64, []),
}
F8 = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu}


def blocks(rng, t, n, size, scales):
    data = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for k, at in enumerate(scales):
        values = rng.normal(0, 0.02, n).astype(np.float16).view(np.uint16)
        special = np.roll(SPECIAL, 4 * k)[: n - 3]  # against another special value in the other scale
        values[3 : 3 + len(special)] = special
        data[:, at : at + 2] = values.view(np.uint8).reshape(n, 2)
    if t in (T.MXFP4, T.NVFP4):  # scales of a byte: each of them once
        data[:, : 256 // n] = np.arange(256).reshape(n, -1)
    return data


def hashes(values, run):
    words = np.where(np.isnan(values), np.uint32(0x7FC00000), values.view(np.uint32)).reshape(-1, run).astype(np.uint64)
    h = np.full(len(words), 0xCBF29CE484222325, dtype=np.uint64)
    for k in range(run):
        h = (h ^ words[:, k]) * np.uint64(0x100000001B3)
    return h


def put(f, name, block, data, values):
    values = values.reshape(-1)
    assert values.dtype == np.float32
    f.write(struct.pack("<16sII", name.encode(), len(values), data.size))
    f.write(data.tobytes())
    f.write(hashes(values, max(block, 32)).tobytes())


def main():
    with open("ggml_types.txt", "w") as f:
        for t, (block, size) in GGML_QUANT_SIZES.items():
            f.write(f"{int(t)} {t.name} {block} {size}\n")
    rng = np.random.default_rng(20240306)
    np.seterr(all="ignore")
    with open("quants.bin", "wb") as f:
        for t, (n, scales) in CASES.items():
            block, size = GGML_QUANT_SIZES[t]
            data = blocks(rng, t, n, size, scales)
            put(f, t.name, block, data, gguf.quants.dequantize(data.reshape(1, -1), t))
        for name, t in F8.items():
            data = np.arange(256, dtype=np.uint8)
            put(f, name, 1, data, torch.from_numpy(data).view(t).float().numpy())


main()
