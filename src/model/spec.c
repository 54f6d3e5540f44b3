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

typedef struct field {
    const char *name;
    size_t offset, bytes;
} field;

#define LAYER(name)                                                                                                    \
    {                                                                                                                  \
#name, offsetof(sg_layer_spec, name), sizeof(((sg_layer_spec *)0)->name)                                       \
    }
#define MODEL(name)                                                                                                    \
    {                                                                                                                  \
#name, offsetof(sg_model_spec, name), sizeof(((sg_model_spec *)0)->name)                                       \
    }

static const field layer_fields[] = {
    LAYER(n_heads),
    LAYER(n_kv_heads),
    LAYER(head_dim),
    LAYER(rope),
    LAYER(window),
    LAYER(attn_scale),
    LAYER(attn_softcap),
    LAYER(clip_qkv),
    LAYER(qk_norm),
    LAYER(qkv_bias),
    LAYER(o_bias),
    LAYER(ffn_bias),
    LAYER(norm),
    LAYER(norm_eps),
    LAYER(parallel),
    LAYER(residual_scale),
    LAYER(gated),
    LAYER(act),
    LAYER(intermediate),
    LAYER(n_experts),
    LAYER(n_experts_used),
    LAYER(expert_intermediate),
    LAYER(shared_intermediate),
    LAYER(renormalise),
};
static const field model_fields[] = {
    /* all but n_layers, the layers and the ropes */
    MODEL(hidden),      MODEL(vocab),          MODEL(max_positions), MODEL(rope_theta),
    MODEL(final_norm),  MODEL(final_norm_eps), MODEL(tied),          MODEL(embed_scale),
    MODEL(logit_scale), MODEL(logit_softcap),  MODEL(n_ropes),
};

static bool equal(const void *a, const void *b, const field *fields, size_t n, const char **name)
{
    for (size_t i = 0; i < n; i++) {
        *name = fields[i].name;
        if (memcmp((const char *)a + fields[i].offset, (const char *)b + fields[i].offset, fields[i].bytes) != 0)
            return false;
    }
    return true;
}

bool sg_layer_spec_equal(const sg_layer_spec *a, const sg_layer_spec *b, const char **name)
{
    return equal(a, b, layer_fields, SG_ARRAY_LEN(layer_fields), name);
}

static bool rope_equal(const sg_rope *a, const sg_rope *b)
{
    size_t bytes = (size_t)(a->dim / 2) * sizeof(float);
    if (a->kind != b->kind || a->dim != b->dim || a->original != b->original || a->theta != b->theta ||
        a->factor != b->factor || a->magnitude != b->magnitude || !a->inv_freq_long != !b->inv_freq_long)
        return false;
    return memcmp(a->inv_freq, b->inv_freq, bytes) == 0 &&
           (!a->inv_freq_long || memcmp(a->inv_freq_long, b->inv_freq_long, bytes) == 0);
}

bool sg_model_spec_equal(const sg_model_spec *a, const sg_model_spec *b, const char **name)
{
    if (!equal(a, b, model_fields, SG_ARRAY_LEN(model_fields), name))
        return false;
    *name = "rope";
    for (int i = 0; i < a->n_ropes; i++)
        if (!rope_equal(&a->ropes[i], &b->ropes[i]))
            return false;
    return true;
}
