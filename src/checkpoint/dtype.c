/* The table of number formats. GGUF: ids and sizes of gguf-py's constants.py (GGML_QUANT_SIZES); the ids that are
 * missing were removed from ggml. safetensors: the dtypes of its 0.7 release. */
#include "checkpoint/dtype.h"

#include <string.h>

#include "checkpoint/dequant.h"

#define NOT_GGUF (-1)

static const sg_dtype dtypes[] = {
    /* name      gguf  safetensors  block  bytes  to f32 */
    {"F32",       0,   true,    1,   4, sg_f32_to_f32},
    {"F16",       1,   true,    1,   2, sg_f16_to_f32},
    {"Q4_0",      2,   false,  32,  18, sg_q4_0_to_f32},
    {"Q4_1",      3,   false,  32,  20, sg_q4_1_to_f32},
    {"Q5_0",      6,   false,  32,  22, sg_q5_0_to_f32},
    {"Q5_1",      7,   false,  32,  24, sg_q5_1_to_f32},
    {"Q8_0",      8,   false,  32,  34, sg_q8_0_to_f32},
    {"Q8_1",      9,   false,  32,  40, NULL},
    {"Q2_K",     10,   false, 256,  84, sg_q2_k_to_f32},
    {"Q3_K",     11,   false, 256, 110, sg_q3_k_to_f32},
    {"Q4_K",     12,   false, 256, 144, sg_q4_k_to_f32},
    {"Q5_K",     13,   false, 256, 176, sg_q5_k_to_f32},
    {"Q6_K",     14,   false, 256, 210, sg_q6_k_to_f32},
    {"Q8_K",     15,   false, 256, 292, NULL},
    {"IQ2_XXS",  16,   false, 256,  66, sg_iq2_xxs_to_f32},
    {"IQ2_XS",   17,   false, 256,  74, sg_iq2_xs_to_f32},
    {"IQ3_XXS",  18,   false, 256,  98, sg_iq3_xxs_to_f32},
    {"IQ1_S",    19,   false, 256,  50, sg_iq1_s_to_f32},
    {"IQ4_NL",   20,   false,  32,  18, sg_iq4_nl_to_f32},
    {"IQ3_S",    21,   false, 256, 110, sg_iq3_s_to_f32},
    {"IQ2_S",    22,   false, 256,  82, sg_iq2_s_to_f32},
    {"IQ4_XS",   23,   false, 256, 136, sg_iq4_xs_to_f32},
    {"I8",       24,   true,    1,   1, NULL},
    {"I16",      25,   true,    1,   2, NULL},
    {"I32",      26,   true,    1,   4, NULL},
    {"I64",      27,   true,    1,   8, NULL},
    {"F64",      28,   true,    1,   8, NULL},
    {"IQ1_M",    29,   false, 256,  56, sg_iq1_m_to_f32},
    {"BF16",     30,   true,    1,   2, sg_bf16_to_f32},
    {"TQ1_0",    34,   false, 256,  54, sg_tq1_0_to_f32},
    {"TQ2_0",    35,   false, 256,  66, sg_tq2_0_to_f32},
    {"MXFP4",    39,   false,  32,  17, sg_mxfp4_to_f32},
    {"NVFP4",    40,   false,  64,  36, sg_nvfp4_to_f32},
    {"Q1_0",     41,   false, 128,  18, NULL},
    /* only in safetensors */
    {"BOOL",        NOT_GGUF, true, 1, 1, NULL},
    {"U8",          NOT_GGUF, true, 1, 1, NULL},
    {"U16",         NOT_GGUF, true, 1, 2, NULL},
    {"U32",         NOT_GGUF, true, 1, 4, NULL},
    {"U64",         NOT_GGUF, true, 1, 8, NULL},
    {"C64",         NOT_GGUF, true, 1, 8, NULL},
    {"F8_E4M3",     NOT_GGUF, true, 1, 1, sg_f8_e4m3_to_f32},
    {"F8_E5M2",     NOT_GGUF, true, 1, 1, sg_f8_e5m2_to_f32},
    {"F8_E8M0",     NOT_GGUF, true, 1, 1, sg_f8_e8m0_to_f32},
    {"F8_E4M3FNUZ", NOT_GGUF, true, 1, 1, NULL},
    {"F8_E5M2FNUZ", NOT_GGUF, true, 1, 1, NULL},
    {"F6_E2M3",     NOT_GGUF, true, 4, 3, NULL},
    {"F6_E3M2",     NOT_GGUF, true, 4, 3, NULL},
    {"F4",          NOT_GGUF, true, 2, 1, NULL},
};

const sg_dtype *sg_dtype_by_gguf(uint32_t id)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(dtypes); i++)
        if (dtypes[i].gguf_id >= 0 && (uint32_t)dtypes[i].gguf_id == id)
            return &dtypes[i];
    return NULL;
}

const sg_dtype *sg_dtype_by_safetensors(const char *name)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(dtypes); i++)
        if (dtypes[i].safetensors && strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}
