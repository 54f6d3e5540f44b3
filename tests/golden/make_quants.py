"""What gguf-py says about ggml's tensor types, for tests/checkpoint/test_dtype.c.

    python3 make_quants.py      (needs numpy and gguf; made with gguf 0.19.0)

ggml_types.txt: a line "id name block bytes" per type.
quants.bin: records of a type's name (16 bytes, zero-padded), u32 number of elements, u32 number of bytes, the bytes, and the f32
values that gguf.quants.dequantize gives. The bytes are random, with f16 scales that also take every special kind.
"""
import struct

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

# zero, smallest and largest subnormals and normals, one, a usual scale, infinities, NaN
SPECIAL = np.array([0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x8400, 0x7BFF, 0xFBFF, 0x3C00, 0x1E66, 0x7C00, 0xFC00,
                    0x7E00], dtype=np.uint16)
# type: blocks, byte offsets of the f16 scales in a block
CASES = {
    T.F32: (64, []),
    T.F16: (256, []),
    T.BF16: (256, []),
    T.Q4_0: (24, [0]),
    T.Q4_1: (24, [0, 2]),
    T.Q5_0: (24, [0]),
    T.Q5_1: (24, [0, 2]),
    T.Q8_0: (24, [0]),
    T.Q4_K: (18, [0, 2]),
    T.Q5_K: (18, [0, 2]),
    T.Q6_K: (18, [208]),
}


def blocks(rng, n, size, scales):
    data = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for k, at in enumerate(scales):
        values = rng.normal(0, 0.02, n).astype(np.float16).view(np.uint16)
        special = np.roll(SPECIAL, 4 * k)[: n - 3]  # against another special value in the other scale
        values[3 : 3 + len(special)] = special
        data[:, at : at + 2] = values.view(np.uint8).reshape(n, 2)
    return data


def main():
    with open("ggml_types.txt", "w") as f:
        for t, (block, size) in GGML_QUANT_SIZES.items():
            f.write(f"{int(t)} {t.name} {block} {size}\n")
    rng = np.random.default_rng(20240306)
    np.seterr(all="ignore")
    with open("quants.bin", "wb") as f:
        for t, (n, scales) in CASES.items():
            block, size = GGML_QUANT_SIZES[t]
            data = blocks(rng, n, size, scales)
            values = gguf.quants.dequantize(data.reshape(1, -1), t).reshape(-1)
            assert values.dtype == np.float32 and len(values) == n * block
            f.write(struct.pack("<16sII", t.name.encode(), len(values), data.size))
            f.write(data.tobytes())
            f.write(values.tobytes())


main()
