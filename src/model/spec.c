/* Comparing and releasing specifications. */
#include "model/spec.h"

#include <string.h>

#include "core/mem.h"

void sg_model_spec_dispose(sg_model_spec *spec)
{
    sg_free(spec->layers);
    sg_free(spec->inv_freq);
    *spec = (sg_model_spec){0};
}

#define FIELD(name) { #name, offsetof(sg_layer_spec, name), sizeof(((sg_layer_spec *)0)->name) }

static const struct {
    const char *name;
    size_t offset, bytes;
} fields[] = {
    FIELD(n_heads),    FIELD(n_kv_heads), FIELD(head_dim),     FIELD(rotary_dim), FIELD(window),
    FIELD(attn_scale), FIELD(norm_eps),   FIELD(intermediate), FIELD(act),        FIELD(qkv_bias),
    FIELD(o_bias),     FIELD(ffn_bias),
};

bool sg_layer_spec_equal(const sg_layer_spec *a, const sg_layer_spec *b, const char **field)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(fields); i++) {
        *field = fields[i].name;
        if (memcmp((const char *)a + fields[i].offset, (const char *)b + fields[i].offset, fields[i].bytes) != 0)
            return false;
    }
    *field = "inv_freq";
    return memcmp(a->inv_freq, b->inv_freq, (size_t)(a->rotary_dim / 2) * sizeof(float)) == 0;
}
