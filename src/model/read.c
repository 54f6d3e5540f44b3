/* From a configuration and a family's row to the specification: what most families share. The rest is finish.c's. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "model/read.h"
#include "model/rope.h"

enum { MAX_LAYERS = 100000, MAX_WIDTH = 1 << 24 };

static const struct {
    const char *name;
    sg_activation act;
} activations[] = {
    {"silu", SG_ACT_SILU},          {"swish", SG_ACT_SILU},
    {"gelu", SG_ACT_GELU_ERF},      {"gelu_pytorch_tanh", SG_ACT_GELU_TANH},
    {"gelu_new", SG_ACT_GELU_TANH}, {"gelu_fast", SG_ACT_GELU_TANH},
};

/* HF names it; llama.cpp has silu, or for every gelu the tanh form. */
static int read_activation(sg_activation *out, const sg_family *family, const sg_config *c, sg_error *err)
{
    char *name = NULL;
    int rc = sg_config_string(c, (sg_config_key){family->keys.act ? family->keys.act : "hidden_act", NULL}, &name, err);
    if (rc)
        return rc;
    const char *wanted = name ? name : family->act;
    size_t i = 0;
    while (i < SG_ARRAY_LEN(activations) && strcmp(activations[i].name, wanted) != 0)
        i++;
    if (i == SG_ARRAY_LEN(activations))
        rc = sg_fail(err, SG_ERR_REFUSED,
                     "%s: the activation \"%s\" does not run; known: silu, gelu, gelu_new, gelu_pytorch_tanh", c->file,
                     wanted);
    else
        *out = c->gguf && activations[i].act == SG_ACT_GELU_ERF ? SG_ACT_GELU_TANH : activations[i].act;
    sg_free(name);
    return rc;
}

/* Do these biases exist? HF: its key or always or never. GGUF: the tensor, or one that is fused, is there. */
static int has_bias(const sg_config *c, const sg_checkpoint *ckpt, const char *hf_key, bool absent,
                    const char *const *gguf, int layer, bool *out, sg_error *err)
{
    *out = absent;
    if (c->hf)
        return hf_key ? sg_config_bool(c, (sg_config_key){hf_key, NULL}, absent, out, err) : SG_OK;
    *out = false;
    for (int i = 0; gguf[i]; i++) {
        char name[96];
        snprintf(name, sizeof name, "blk.%d.%s", layer, gguf[i]);
        *out = *out || sg_checkpoint_find(ckpt, name) != NULL;
    }
    return SG_OK;
}

static int read_heads(sg_layer_spec *s, int i, const sg_model_spec *spec, const sg_family *f, const sg_config *c,
                      sg_error *err)
{
    const char *heads = f->keys.heads ? f->keys.heads : "num_attention_heads",
               *kv = f->keys.kv_heads ? f->keys.kv_heads : "num_key_value_heads";
    int L = spec->n_layers, value_length, rc;
    if ((rc = sg_config_layer_int(c, (sg_config_key){heads, "%s.attention.head_count"}, i, L, 1, MAX_WIDTH, SG_REQUIRED,
                                  &s->n_heads, err)))
        return rc;
    bool class_default =
        c->hf && f->kv_heads && !sg_config_has(c, (sg_config_key){kv, NULL}); /* null is as many as heads */
    if ((rc = sg_config_layer_int(c, (sg_config_key){kv, "%s.attention.head_count_kv"}, i, L, 1, MAX_WIDTH,
                                  class_default ? f->kv_heads : s->n_heads, &s->n_kv_heads, err)))
        return rc;
    bool default_dim = c->hf && f->head_dim && !sg_config_has(c, (sg_config_key){"head_dim", NULL});
    if ((rc = sg_config_int(c, (sg_config_key){"head_dim", "%s.attention.key_length"}, 2, MAX_WIDTH,
                            default_dim ? f->head_dim : spec->hidden / s->n_heads, &s->head_dim, err)) ||
        (rc = sg_config_int(c, (sg_config_key){NULL, "%s.attention.value_length"}, 1, MAX_WIDTH, s->head_dim,
                            &value_length, err)))
        return rc;
    if (s->n_heads % s->n_kv_heads)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %d attention heads are not a multiple of %d key-value heads", c->file,
                       s->n_heads, s->n_kv_heads);
    if (value_length != s->head_dim)
        return sg_fail(err, SG_ERR_REFUSED, "%s: values of %d and keys of %d dimensions do not run", c->file,
                       value_length, s->head_dim);
    if ((int64_t)s->n_heads * s->head_dim > MAX_WIDTH || s->head_dim < 2)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %d heads of %d dimensions", c->file, s->n_heads, s->head_dim);
    s->attn_scale = 1.0f / sqrtf((float)s->head_dim);
    return SG_OK;
}

static int read_layer(sg_layer_spec *s, int i, const sg_model_spec *spec, const sg_family *f, const sg_config *c,
                      const sg_checkpoint *ckpt, sg_error *err)
{
    static const char *const qkv[] = {"attn_q.bias", "attn_qkv.bias", NULL}, *const o[] = {"attn_output.bias", NULL};
    static const char *const ffn[] = {"ffn_up.bias", NULL};
    const char *intermediate = f->keys.intermediate ? f->keys.intermediate : "intermediate_size";
    bool four_times = f->keys.intermediate != NULL; /* GPT-2's n_inner: null is 4 hidden */
    int rc = read_heads(s, i, spec, f, c, err);
    if (rc ||
        (rc = sg_config_layer_int(c, (sg_config_key){intermediate, "%s.feed_forward_length"}, i, spec->n_layers, 1,
                                  MAX_WIDTH, four_times ? 4 * (int64_t)spec->hidden : SG_REQUIRED, &s->intermediate,
                                  err)) ||
        (rc = has_bias(c, ckpt, f->qkv_bias, f->qkv_bias_default, qkv, i, &s->qkv_bias, err)) ||
        (rc = has_bias(c, ckpt, f->o_bias, f->o_bias_default, o, i, &s->o_bias, err)) ||
        (rc = has_bias(c, ckpt, f->ffn_bias, f->ffn_bias_default, ffn, i, &s->ffn_bias, err)) ||
        (rc = read_activation(&s->act, f, c, err)))
        return rc;
    s->rope = f->no_rope ? -1 : 0;
    s->qk_norm = f->qk_norm;
    s->norm = f->norm;
    s->norm_eps = spec->final_norm_eps;
    s->residual_scale = 1;
    s->gated = !f->ungated;
    return SG_OK;
}

static int read_model(sg_model_spec *spec, const sg_family *f, const sg_config *c, const sg_checkpoint *ckpt,
                      sg_error *err)
{
    const sg_family_keys *k = &f->keys;
    sg_config_key eps_key = {k->norm_eps              ? k->norm_eps
                             : f->norm == SG_NORM_RMS ? "rms_norm_eps"
                                                      : "layer_norm_eps",
                             f->norm == SG_NORM_RMS ? "%s.attention.layer_norm_rms_epsilon"
                                                    : "%s.attention.layer_norm_epsilon"};
    double eps;
    int rc;
    if ((rc = sg_config_int(c, (sg_config_key){k->n_layers ? k->n_layers : "num_hidden_layers", "%s.block_count"}, 1,
                            MAX_LAYERS, SG_REQUIRED, &spec->n_layers, err)) ||
        (rc = sg_config_int(c, (sg_config_key){k->hidden ? k->hidden : "hidden_size", "%s.embedding_length"}, 1,
                            MAX_WIDTH, SG_REQUIRED, &spec->hidden, err)) ||
        (rc = sg_config_int(
             c, (sg_config_key){k->positions ? k->positions : "max_position_embeddings", "%s.context_length"}, 1,
             INT32_MAX, c->hf ? f->positions : 0, &spec->max_positions, err)) ||
        (rc = sg_config_positive(c, eps_key, c->hf ? f->eps : (double)NAN, &eps, err)))
        return rc;
    if ((size_t)spec->n_layers > ckpt->n_tensors) /* before anything is done for each of them */
        return sg_fail(err, SG_ERR_FORMAT, "%s: says %d layers, but there are only %zu tensors", c->file, spec->n_layers,
                       ckpt->n_tensors);
    spec->final_norm = f->norm;
    spec->final_norm_eps = (float)eps;
    spec->embed_scale = spec->logit_scale = 1;
    if (c->hf) {
        if ((rc = sg_config_int(c, (sg_config_key){"vocab_size", NULL}, 1, INT32_MAX, SG_REQUIRED, &spec->vocab, err)))
            return rc;
        return sg_config_bool(c, (sg_config_key){"tie_word_embeddings", NULL}, f->tied, &spec->tied, err);
    }
    const sg_tensor *embd = sg_checkpoint_find(ckpt, "token_embd.weight");
    if (!embd || embd->n_dims != 2 || embd->shape[0] > INT32_MAX)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: tensor token_embd.weight is missing or not a matrix of [vocabulary, hidden]", c->file);
    spec->vocab = (int)embd->shape[0];
    spec->tied = !sg_checkpoint_find(ckpt, "output.weight");
    return SG_OK;
}

int sg_spec_read(sg_model_spec *spec, const sg_family *f, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    json_object *per_layer = c->hf ? sg_json_get(c->hf, "per_layer_config") : NULL;
    int rc = read_model(spec, f, c, ckpt, err);
    if (rc)
        return rc;
    if (json_object_is_type(per_layer, json_type_object) && json_object_object_length(per_layer) > 0)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: per_layer_config is not empty; layers with settings of their own do not run yet", c->file);
    spec->layers = sg_alloc_zero((size_t)spec->n_layers, sizeof *spec->layers);
    if (!spec->layers)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the specifications of %d layers", spec->n_layers);
    for (int i = 0; i < spec->n_layers; i++) {
        if ((rc = read_layer(&spec->layers[i], i, spec, f, c, ckpt, err)))
            return rc;
        if (spec->layers[i].head_dim != spec->layers[0].head_dim)
            return sg_fail(err, SG_ERR_REFUSED, "%s: layers 0 and %d differ in head size", c->file, i);
    }
    if (!f->no_rope && (rc = sg_rope_read(spec, f, c, ckpt, spec->layers[0].head_dim, err)))
        return rc;
    if ((rc = sg_windows_read(spec, f, c, err)))
        return rc;
    return f->finish ? f->finish(spec, c, ckpt, err) : SG_OK;
}
