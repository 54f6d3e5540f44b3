/* A .safetensors file. */
#include "fuzz.h"

#include "checkpoint/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_safetensors st = {0};
    sg_error err = {0};
    volatile uint8_t sum = 0;
    if (sg_safetensors_parse(&st, data, size, "x.safetensors", &err) == SG_OK)
        for (size_t i = 0; i < st.n_tensors; i++) { /* what was checked can be read */
            const sg_tensor *t = &st.tensors[i];
            if (t->bytes)
                sum ^= data[t->offset] ^ data[t->offset + t->bytes - 1];
        }
    (void)sum;
    sg_safetensors_dispose(&st);
    return 0;
}
