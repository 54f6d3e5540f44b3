/* Comparing and releasing specifications. */
#include "model/spec.h"

#include <string.h>

#include "core/mem.h"

void sg_model_spec_dispose(sg_model_spec *spec)
{
    for (int i = 0; i < spec->n_ropes; i++) {
        sg_free(spec->ropes[i].inv_freq);
        sg_free(spec->ropes[i].inv_freq_long);
    }
    sg_free(spec->layers);
    *spec = (sg_model_spec){0};
}

#define FIELD(name) { #name, offsetof(sg_layer_spec, name), sizeof(((sg_layer_spec *)0)->name) }

static const struct {
    const char *name;
    size_t offset, bytes;
} fields[] = {
    FIELD(n_heads),      FIELD(n_kv_heads),   FIELD(head_dim),       FIELD(rope),
    FIELD(window),       FIELD(attn_scale),   FIELD(attn_softcap),   FIELD(clip_qkv),
    FIELD(qk_norm),      FIELD(qkv_bias),     FIELD(o_bias),         FIELD(ffn_bias),
    FIELD(norm),         FIELD(norm_eps),     FIELD(parallel),       FIELD(residual_scale),
    FIELD(gated),        FIELD(act),          FIELD(intermediate),   FIELD(n_experts),
    FIELD(n_experts_used), FIELD(expert_intermediate), FIELD(shared_intermediate), FIELD(renormalise),
};

bool sg_layer_spec_equal(const sg_layer_spec *a, const sg_layer_spec *b, const char **field)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(fields); i++) {
        *field = fields[i].name;
        if (memcmp((const char *)a + fields[i].offset, (const char *)b + fields[i].offset, fields[i].bytes) != 0)
            return false;
    }
    return true;
}

bool sg_rope_equal(const sg_rope *a, const sg_rope *b)
{
    size_t bytes = (size_t)(a->dim / 2) * sizeof(float);
    if (a->kind != b->kind || a->dim != b->dim || a->original != b->original || a->theta != b->theta || a->factor != b->factor ||
        a->magnitude != b->magnitude || !a->inv_freq_long != !b->inv_freq_long)
        return false;
    return memcmp(a->inv_freq, b->inv_freq, bytes) == 0 && (!a->inv_freq_long || memcmp(a->inv_freq_long, b->inv_freq_long, bytes) == 0);
}
