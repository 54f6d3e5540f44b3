/* Family llama: Llama 1 to 3, TinyLlama, SmolLM2 and others that say so. Sequential residuals, RMS norms, grouped heads,
 * rope over whole heads, SwiGLU. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "model/family.h"

static const sg_role_row roles[] = {
    /* role            HF                            GGUF                  rows                cols            needed          interleaved */
    { SG_EMBEDDING,    "model.embed_tokens.weight",  "token_embd.weight",  SG_EXT_VOCAB,       SG_EXT_HIDDEN,  SG_ALWAYS,      false },
    { SG_FINAL_NORM,   "model.norm.weight",          "output_norm.weight", SG_EXT_HIDDEN,      SG_EXT_NONE,    SG_ALWAYS,      false },
    { SG_HEAD,         "lm_head.weight",             "output.weight",      SG_EXT_VOCAB,       SG_EXT_HIDDEN,  SG_IF_UNTIED,   false },
    { SG_ROPE_FACTORS, NULL,                         "rope_freqs.weight",  SG_EXT_ROTARY_HALF, SG_EXT_NONE,    SG_OPTIONAL,    false },
    { SG_ATTN_NORM,    "input_layernorm.weight",     "attn_norm.weight",   SG_EXT_HIDDEN,      SG_EXT_NONE,    SG_ALWAYS,      false },
    { SG_Q,            "self_attn.q_proj.weight",    "attn_q.weight",      SG_EXT_Q,           SG_EXT_HIDDEN,  SG_ALWAYS,      true },
    { SG_K,            "self_attn.k_proj.weight",    "attn_k.weight",      SG_EXT_KV,          SG_EXT_HIDDEN,  SG_ALWAYS,      true },
    { SG_V,            "self_attn.v_proj.weight",    "attn_v.weight",      SG_EXT_KV,          SG_EXT_HIDDEN,  SG_ALWAYS,      false },
    { SG_O,            "self_attn.o_proj.weight",    "attn_output.weight", SG_EXT_HIDDEN,      SG_EXT_Q,       SG_ALWAYS,      false },
    { SG_FFN_NORM,     "post_attention_layernorm.weight", "ffn_norm.weight", SG_EXT_HIDDEN,    SG_EXT_NONE,    SG_ALWAYS,      false },
    { SG_GATE,         "mlp.gate_proj.weight",       "ffn_gate.weight",    SG_EXT_FFN,         SG_EXT_HIDDEN,  SG_ALWAYS,      false },
    { SG_UP,           "mlp.up_proj.weight",         "ffn_up.weight",      SG_EXT_FFN,         SG_EXT_HIDDEN,  SG_ALWAYS,      false },
    { SG_DOWN,         "mlp.down_proj.weight",       "ffn_down.weight",    SG_EXT_HIDDEN,      SG_EXT_FFN,     SG_ALWAYS,      false },
    { SG_Q_BIAS,       "self_attn.q_proj.bias",      "attn_q.bias",        SG_EXT_Q,           SG_EXT_NONE,    SG_IF_QKV_BIAS, true },
    { SG_K_BIAS,       "self_attn.k_proj.bias",      "attn_k.bias",        SG_EXT_KV,          SG_EXT_NONE,    SG_IF_QKV_BIAS, true },
    { SG_V_BIAS,       "self_attn.v_proj.bias",      "attn_v.bias",        SG_EXT_KV,          SG_EXT_NONE,    SG_IF_QKV_BIAS, false },
    { SG_O_BIAS,       "self_attn.o_proj.bias",      "attn_output.bias",   SG_EXT_HIDDEN,      SG_EXT_NONE,    SG_IF_O_BIAS,   false },
    { SG_GATE_BIAS,    "mlp.gate_proj.bias",         "ffn_gate.bias",      SG_EXT_FFN,         SG_EXT_NONE,    SG_IF_FFN_BIAS, false },
    { SG_UP_BIAS,      "mlp.up_proj.bias",           "ffn_up.bias",        SG_EXT_FFN,         SG_EXT_NONE,    SG_IF_FFN_BIAS, false },
    { SG_DOWN_BIAS,    "mlp.down_proj.bias",         "ffn_down.bias",      SG_EXT_HIDDEN,      SG_EXT_NONE,    SG_IF_FFN_BIAS, false },
};

enum { MAX_LAYERS = 100000, MAX_WIDTH = 1 << 24 };

/* What this family is not: a sibling that shares the architecture's name but computes something else. */
static int refuse_variants(const sg_config *c, sg_error *err)
{
    int experts;
    char *act = NULL;
    int rc = sg_config_int(c, (sg_config_key){NULL, "%s.expert_count"}, 0, INT32_MAX, 0, &experts, err);
    if (rc)
        return rc;
    if (experts)
        return sg_fail(err, SG_ERR_REFUSED, "%s: llama.expert_count is %d; layers with experts (Mixtral) do not run yet", c->file, experts);
    if ((rc = sg_config_string(c, (sg_config_key){"hidden_act", NULL}, &act, err)))
        return rc;
    if (act && strcmp(act, "silu") != 0)
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: hidden_act is \"%s\"; family llama runs with \"silu\"", c->file, act);
    sg_free(act);
    if (rc)
        return rc;
    double partial;
    if ((rc = sg_config_positive(c, (sg_config_key){"partial_rotary_factor", NULL}, 1, &partial, err)))
        return rc;
    if (partial != 1)
        return sg_fail(err, SG_ERR_REFUSED, "%s: partial_rotary_factor is %g; family llama runs with 1", c->file, partial);
    return SG_OK;
}

/* Do these biases exist? HF's configuration says so; a GGUF has the tensor or not. */
static int has_bias(const sg_config *c, const sg_checkpoint *ckpt, const char *hf_key, const char *gguf_tensor, int layer, bool *out,
                    sg_error *err)
{
    if (c->hf)
        return sg_config_bool(c, (sg_config_key){hf_key, NULL}, false, out, err);
    char name[96];
    snprintf(name, sizeof name, "blk.%d.%s", layer, gguf_tensor);
    *out = sg_checkpoint_find(ckpt, name) != NULL;
    return SG_OK;
}

static int read_layer(sg_layer_spec *s, int i, const sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    int L = spec->n_layers, rc;
    if ((rc = sg_config_layer_int(c, (sg_config_key){"num_attention_heads", "%s.attention.head_count"}, i, L, 1, MAX_WIDTH, SG_REQUIRED,
                                  &s->n_heads, err)) ||
        (rc = sg_config_layer_int(c, (sg_config_key){"num_key_value_heads", "%s.attention.head_count_kv"}, i, L, 1, MAX_WIDTH, s->n_heads,
                                  &s->n_kv_heads, err)) ||
        (rc = sg_config_int(c, (sg_config_key){"head_dim", "%s.attention.key_length"}, 1, MAX_WIDTH, spec->hidden / s->n_heads, &s->head_dim,
                            err)) ||
        (rc = sg_config_layer_int(c, (sg_config_key){"intermediate_size", "%s.feed_forward_length"}, i, L, 1, MAX_WIDTH, SG_REQUIRED,
                                  &s->intermediate, err)) ||
        (rc = sg_config_int(c, (sg_config_key){NULL, "%s.rope.dimension_count"}, 2, MAX_WIDTH, s->head_dim, &s->rotary_dim, err)) ||
        (rc = has_bias(c, ckpt, "attention_bias", "attn_q.bias", i, &s->qkv_bias, err)) ||
        (rc = has_bias(c, ckpt, "attention_bias", "attn_output.bias", i, &s->o_bias, err)) ||
        (rc = has_bias(c, ckpt, "mlp_bias", "ffn_gate.bias", i, &s->ffn_bias, err)))
        return rc;
    if (s->n_heads % s->n_kv_heads)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %d attention heads are not a multiple of %d key-value heads", c->file, s->n_heads,
                       s->n_kv_heads);
    if (s->head_dim < 2 || s->rotary_dim > s->head_dim || s->rotary_dim % 2)
        return sg_fail(err, SG_ERR_FORMAT, "%s: rope over %d of a head's %d dimensions, expected an even number up to the head size", c->file,
                       s->rotary_dim, s->head_dim);
    if ((int64_t)s->n_heads * s->head_dim > MAX_WIDTH)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %d heads of %d dimensions is wider than %d", c->file, s->n_heads, s->head_dim, MAX_WIDTH);
    s->attn_scale = 1.0f / sqrtf((float)s->head_dim);
    s->norm_eps = spec->final_norm_eps;
    s->act = SG_ACT_SILU;
    return SG_OK;
}

/* HF: rope_parameters (transformers 5), or rope_theta and rope_scaling beside it. */
static int read_rope_hf(sg_model_spec *spec, const sg_config *c, sg_error *err)
{
    json_object *params = sg_json_get(c->hf, "rope_parameters");
    json_object *scaling = params ? params : sg_json_get(c->hf, "rope_scaling");
    sg_config top = *c, inner = *c;
    top.hf = params && sg_json_get(params, "rope_theta") ? params : c->hf;
    inner.hf = scaling;
    int rc = sg_config_positive(&top, (sg_config_key){"rope_theta", NULL}, 10000, &spec->rope_theta, err);
    if (rc)
        return rc;
    int rotary = spec->layers[0].rotary_dim;
    sg_rope_default(spec->inv_freq, rotary, spec->rope_theta);
    if (!scaling)
        return SG_OK;
    if (!json_object_is_type(scaling, json_type_object))
        return sg_fail(err, SG_ERR_FORMAT, "%s: rope_scaling is not an object", c->file);

    char *type = NULL;
    sg_rope_llama3 s;
    const char *spelling = sg_json_get(scaling, "rope_type") ? "rope_type" : "type";
    if ((rc = sg_config_string(&inner, (sg_config_key){spelling, NULL}, &type, err)))
        return rc;
    if (!type || strcmp(type, "default") == 0)
        goto out;
    if (strcmp(type, "llama3") != 0) {
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: rope scaling of type \"%s\" does not run yet; known: default, llama3", c->file, type);
        goto out;
    }
    if ((rc = sg_config_positive(&inner, (sg_config_key){"factor", NULL}, NAN, &s.factor, err)) ||
        (rc = sg_config_positive(&inner, (sg_config_key){"low_freq_factor", NULL}, NAN, &s.low_freq_factor, err)) ||
        (rc = sg_config_positive(&inner, (sg_config_key){"high_freq_factor", NULL}, NAN, &s.high_freq_factor, err)) ||
        (rc = sg_config_positive(&inner, (sg_config_key){"original_max_position_embeddings", NULL}, NAN, &s.original_positions, err)))
        goto out;
    if (s.high_freq_factor <= s.low_freq_factor) {
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: high_freq_factor %g is not above low_freq_factor %g", c->file, s.high_freq_factor, s.low_freq_factor);
        goto out;
    }
    sg_rope_scale_llama3(spec->inv_freq, rotary / 2, &s);
out:
    sg_free(type);
    return rc;
}

/* GGUF: llama3's scaling is stored as one divisor per frequency, in rope_freqs.weight. */
static int read_rope_gguf(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    char *type = NULL;
    int rc;
    if ((rc = sg_config_positive(c, (sg_config_key){NULL, "%s.rope.freq_base"}, 10000, &spec->rope_theta, err)) ||
        (rc = sg_config_string(c, (sg_config_key){NULL, "%s.rope.scaling.type"}, &type, err)))
        return rc;
    if (type && strcmp(type, "none") != 0)
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: rope scaling of type \"%s\" does not run yet", c->file, type);
    sg_free(type);
    if (rc)
        return rc;
    int half = spec->layers[0].rotary_dim / 2;
    sg_rope_default(spec->inv_freq, 2 * half, spec->rope_theta);
    const sg_tensor *factors = sg_checkpoint_find(ckpt, "rope_freqs.weight");
    if (!factors)
        return SG_OK;
    if (strcmp(factors->type->name, "F32") != 0 || factors->n_elements != (uint64_t)half)
        return sg_fail(err, SG_ERR_FORMAT, "%s: rope_freqs.weight must be %d numbers of type F32", c->file, half);
    for (int i = 0; i < half; i++) {
        float f;
        memcpy(&f, sg_tensor_data(ckpt, factors) + 4 * (size_t)i, 4);
        if (!(f > 0) || !isfinite(f))
            return sg_fail(err, SG_ERR_NUMERIC, "%s: rope_freqs.weight[%d] is %g, expected a number above 0", c->file, i, (double)f);
        spec->inv_freq[i] /= f;
    }
    return SG_OK;
}

static int read_llama(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    int rc = refuse_variants(c, err);
    double eps;
    if (rc ||
        (rc = sg_config_int(c, (sg_config_key){"num_hidden_layers", "%s.block_count"}, 1, MAX_LAYERS, SG_REQUIRED, &spec->n_layers, err)) ||
        (rc = sg_config_int(c, (sg_config_key){"hidden_size", "%s.embedding_length"}, 1, MAX_WIDTH, SG_REQUIRED, &spec->hidden, err)) ||
        (rc = sg_config_int(c, (sg_config_key){"max_position_embeddings", "%s.context_length"}, 1, INT32_MAX, c->hf ? 2048 : 0,
                            &spec->max_positions, err)) ||
        (rc = sg_config_positive(c, (sg_config_key){"rms_norm_eps", "%s.attention.layer_norm_rms_epsilon"}, c->hf ? 1e-6 : (double)NAN, &eps, err)))
        return rc;
    spec->final_norm_eps = (float)eps;
    if (c->hf) {
        if ((rc = sg_config_int(c, (sg_config_key){"vocab_size", NULL}, 1, INT32_MAX, SG_REQUIRED, &spec->vocab, err)) ||
            (rc = sg_config_bool(c, (sg_config_key){"tie_word_embeddings", NULL}, false, &spec->tied, err)))
            return rc;
    } else {
        const sg_tensor *embd = sg_checkpoint_find(ckpt, "token_embd.weight");
        if (!embd || embd->n_dims != 2 || embd->shape[0] > INT32_MAX)
            return sg_fail(err, SG_ERR_FORMAT, "%s: tensor token_embd.weight is missing or not a matrix of [vocabulary, hidden]", c->file);
        spec->vocab = (int)embd->shape[0];
        spec->tied = !sg_checkpoint_find(ckpt, "output.weight");
    }
    spec->layers = sg_alloc_zero((size_t)spec->n_layers, sizeof *spec->layers);
    if (!spec->layers)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the specifications of %d layers", spec->n_layers);
    for (int i = 0; i < spec->n_layers; i++)
        if ((rc = read_layer(&spec->layers[i], i, spec, c, ckpt, err)))
            return rc;
    spec->inv_freq = sg_alloc((size_t)spec->layers[0].rotary_dim / 2, sizeof *spec->inv_freq);
    if (!spec->inv_freq)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for rope's frequencies");
    for (int i = 0; i < spec->n_layers; i++) {
        if (spec->layers[i].rotary_dim != spec->layers[0].rotary_dim)
            return sg_fail(err, SG_ERR_REFUSED, "%s: layers 0 and %d differ in rope dimensions", c->file, i);
        spec->layers[i].inv_freq = spec->inv_freq;
    }
    return c->hf ? read_rope_hf(spec, c, err) : read_rope_gguf(spec, c, ckpt, err);
}

const sg_family sg_family_llama = {
    .name = "llama", .gguf = "llama", .roles = roles, .n_roles = SG_ARRAY_LEN(roles), .read = read_llama,
};
