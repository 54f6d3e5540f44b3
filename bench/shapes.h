/* The shapes of models that the benchmarks generate: of well-known models, with random weights. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <stdbool.h>

typedef enum shape_kind { KIND_LLAMA = 1, KIND_QWEN2 = 2, KIND_GEMMA3 = 4, KIND_ALL = 7 } shape_kind;

typedef struct shape {
    const char *name;
    shape_kind kind;
    int layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
    bool tied;
    int window; /* of five layers in six; 0: none */
} shape;

/* clang-format off */
static const shape shapes[] = {
    /* name            kind         layers hidden   ffn heads kv head  vocab  tied  window */
    {"smollm2-135m", KIND_LLAMA,     30,   576,  1536,  9,  3,  64,  49152, true,    0},
    {"gemma-270m",   KIND_GEMMA3,    18,   640,  2048,  4,  1, 256, 262144, true,  512},
    {"qwen-0.5b",    KIND_QWEN2,     24,   896,  4864, 14,  2,  64, 151936, true,    0},
    {"llama-1.1b",   KIND_LLAMA,     22,  2048,  5632, 32,  4,  64,  32000, false,   0},
    {"llama-50b",    KIND_LLAMA,     60,  8192, 27648, 64,  8, 128,  32000, false,   0}, /* 101 GB of bf16 */
    {"llama-thin",   KIND_LLAMA,  22222,    64,   128,  2,  1,  32,    512, true,    0}, /* 200,000 tensors */
    {"scaling",      KIND_LLAMA,     16,   512,  1408,  8,  2,  64,    512, true,    0},
};
/* clang-format on */

#endif
