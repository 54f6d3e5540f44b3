"""Prints src/checkpoint/dequant_iq_grids.c from the gguf package's grids.

    python3 make_grids.py > ../../src/checkpoint/dequant_iq_grids.c      (needs numpy and gguf; made with gguf 0.19.0)
"""
import gguf.quants as q
import numpy as np

print("/* Printed by tests/golden/make_grids.py. See dequant_iq_grids.h. */")
print('#include "checkpoint/dequant_iq_grids.h"')
for name, t in [("iq2_xxs", q.IQ2_XXS), ("iq2_xs", q.IQ2_XS), ("iq2_s", q.IQ2_S), ("iq3_xxs", q.IQ3_XXS), ("iq3_s", q.IQ3_S),
                ("iq1", q.IQ1_S)]:
    t.init_grid()
    grid = t.grid.reshape(t.grid_shape)
    codes = np.searchsorted(t.grid_map, grid)
    bits = 16 // t.grid_shape[1]
    words = [f"0x{sum(int(c) << (bits * k) for k, c in enumerate(row)):04x}," for row in codes]
    print(f"\nconst uint16_t sg_{name}_grid[{len(words)}] = {{")
    for i in range(0, len(words), 14):
        print("    " + " ".join(words[i : i + 14]))
    print("};")
