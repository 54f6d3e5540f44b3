/* What only one family has. Each function's formula is the family's in transformers (HF) or llama.cpp (GGUF). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "model/families.h"
#include "model/rope.h"

#define HF(name) ((sg_config_key){(name), NULL})
#define GGUF(name) ((sg_config_key){NULL, (name)})
#define BOTH(hf, gguf) ((sg_config_key){(hf), (gguf)})

enum { MAX_EXPERTS = 65536, MAX_FFN = 1 << 24 };

/* ---- Gemma ------------------------------------------------------------------------------------------- */

/* A number that null switches off (0), and that absent means `absent`. */
static int read_cap(const sg_config *c, sg_config_key key, double absent, float *out, sg_error *err)
{
    double value;
    int rc = sg_config_number(c, key, sg_config_has(c, key) ? 0 : absent, &value, err);
    *out = (float)value;
    return rc;
}

int sg_finish_gemma(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    bool both_ways;
    (void)ckpt;
    spec->embed_scale = sqrtf((float)spec->hidden);
    if (c->gguf)
        spec->tied = true; /* llama.cpp's graph knows no other */
    for (int i = 0; i < spec->n_layers; i++)
        if (spec->layers[i].act == SG_ACT_GELU_ERF)
            spec->layers[i].act = SG_ACT_GELU_TANH; /* Gemma's "gelu" is read as the tanh form */
    int rc = sg_config_bool(c, HF("use_bidirectional_attention"), false, &both_ways, err);
    if (!rc && both_ways)
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: use_bidirectional_attention is true; only causal models run", c->file);
    return rc;
}

/* HF says the scale of scores; llama.cpp derives it, from hidden / heads at the depth that tells its largest model. */
static int read_gemma_scale(sg_model_spec *spec, const sg_config *c, int largest_depth, sg_error *err)
{
    double scalar;
    int rc = sg_config_positive(c, HF("query_pre_attn_scalar"), 256, &scalar, err);
    if (!c->hf)
        scalar = spec->n_layers == largest_depth ? spec->hidden / spec->layers[0].n_heads : spec->layers[0].head_dim;
    for (int i = 0; i < spec->n_layers; i++)
        spec->layers[i].attn_scale = (float)(1 / sqrt(scalar));
    return rc;
}

int sg_finish_gemma2(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    float cap;
    int rc;
    if ((rc = sg_finish_gemma(spec, c, ckpt, err)) || (rc = read_gemma_scale(spec, c, 46, err)) ||
        (rc = read_cap(c, BOTH("final_logit_softcapping", "%s.final_logit_softcapping"), 30, &spec->logit_softcap,
                       err)) ||
        (rc = read_cap(c, BOTH("attn_logit_softcapping", "%s.attn_logit_softcapping"), 50, &cap, err)))
        return rc;
    for (int i = 0; i < spec->n_layers; i++)
        spec->layers[i].attn_softcap = cap;
    return SG_OK;
}

/* Full layers keep the common rope; sliding ones have a rope of their own, unscaled. */
static int read_gemma3_ropes(sg_model_spec *spec, const sg_config *c, sg_error *err)
{
    int dim = spec->ropes[0].dim, rc;
    double local = 10000;
    if (c->hf) {
        json_object *nested = sg_json_get(c->hf, "rope_parameters"),
                    *sliding = sg_json_get(nested, "sliding_attention");
        json_object *full = sg_json_get(nested, "full_attention");
        double theta = 1e6;
        sg_config inner = *c;
        sg_free(spec->ropes[0].inv_freq);
        sg_free(spec->ropes[0].inv_freq_long);
        spec->n_ropes = 0;
        if ((rc = sg_config_positive(c, HF("rope_theta"), theta, &theta, err)))
            return rc;
        inner.hf = full ? full : c->hf;
        if ((rc = sg_config_positive(&inner, HF("rope_theta"), theta, &theta, err)) ||
            (rc = sg_rope_read_hf(spec, c, full ? full : sg_json_get(c->hf, "rope_scaling"), dim, theta, err)) ||
            (rc = sg_config_positive(c, HF("rope_local_base_freq"), local, &local, err)))
            return rc;
        spec->rope_theta = theta;
        inner.hf = sliding ? sliding : c->hf;
        if (sliding && (rc = sg_config_positive(&inner, HF("rope_theta"), local, &local, err)))
            return rc;
        rc = sg_rope_read_hf(spec, c, sliding, dim, local, err);
    } else {
        if ((rc = sg_config_positive(c, GGUF("%s.rope.freq_base_swa"), local, &local, err)))
            return rc;
        rc = sg_rope_add(spec, dim, local) ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for rope's frequencies");
    }
    for (int i = 0; i < spec->n_layers; i++)
        spec->layers[i].rope = spec->layers[i].window ? 1 : 0;
    return rc;
}

int sg_finish_gemma3(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    bool tied = spec->tied;
    int rc;
    if ((rc = sg_finish_gemma(spec, c, ckpt, err)) || (rc = read_gemma_scale(spec, c, 62, err)) ||
        (rc = read_cap(c, BOTH("final_logit_softcapping", "%s.final_logit_softcapping"), 0, &spec->logit_softcap, err)))
        return rc;
    spec->tied = tied;
    return read_gemma3_ropes(spec, c, err);
}

/* ---- OLMo 2, Granite, StableLM ------------------------------------------------------------------------ */

int sg_finish_olmo2(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    (void)ckpt;
    (void)spec;
    if (c->gguf && sg_config_has(c, GGUF("%s.attention.sliding_window")))
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: this is an OLMo 3 (sliding windows in architecture olmo2), which does not run yet",
                       c->file);
    return SG_OK;
}

int sg_finish_granite(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    double embed, residual, attn, logits;
    int rc;
    (void)ckpt;
    if ((rc = sg_config_number(c, BOTH("embedding_multiplier", "%s.embedding_scale"), 1, &embed, err)) ||
        (rc = sg_config_number(c, BOTH("residual_multiplier", "%s.residual_scale"), 1, &residual, err)) ||
        (rc = sg_config_number(c, BOTH("attention_multiplier", "%s.attention.scale"), c->hf ? 1 : 0, &attn, err)) ||
        (rc = sg_config_positive(c, BOTH("logits_scaling", "%s.logit_scale"), c->hf ? 1 : (double)NAN, &logits, err)))
        return rc;
    if (c->gguf) { /* llama.cpp reads 0 as not set */
        embed = embed ? embed : 1;
        residual = residual ? residual : 1;
    }
    spec->embed_scale = (float)embed;
    spec->logit_scale = (float)(1 / logits);
    for (int i = 0; i < spec->n_layers; i++) {
        spec->layers[i].residual_scale = (float)residual;
        if (c->hf || attn)
            spec->layers[i].attn_scale = (float)attn;
    }
    return SG_OK;
}

/* In a GGUF the tensors decide. */
static bool has_layer_tensor(const sg_checkpoint *ckpt, int layer, const char *name)
{
    char full[96];
    snprintf(full, sizeof full, "blk.%d.%s", layer, name);
    return sg_checkpoint_find(ckpt, full) != NULL;
}

int sg_finish_stablelm(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    bool parallel, qk_norm;
    int rc;
    if ((rc = sg_config_bool(c, HF("use_parallel_residual"), false, &parallel, err)) ||
        (rc = sg_config_bool(c, HF("qk_layernorm"), false, &qk_norm, err)))
        return rc;
    for (int i = 0; i < spec->n_layers; i++) {
        sg_layer_spec *s = &spec->layers[i];
        s->parallel = c->hf ? parallel : !has_layer_tensor(ckpt, i, "ffn_norm.weight");
        s->qk_norm =
            (c->hf ? qk_norm : has_layer_tensor(ckpt, i, "attn_q_norm.weight")) ? SG_QK_NORM_HEADS : SG_QK_NORM_NONE;
    }
    return SG_OK;
}

/* ---- GPT-2, GPT-NeoX ---------------------------------------------------------------------------------- */

int sg_finish_gpt2(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    bool scale, by_index, cross;
    int rc;
    (void)ckpt;
    if ((rc = sg_config_bool(c, HF("scale_attn_weights"), true, &scale, err)) ||
        (rc = sg_config_bool(c, HF("scale_attn_by_inverse_layer_idx"), false, &by_index, err)) ||
        (rc = sg_config_bool(c, HF("add_cross_attention"), false, &cross, err)))
        return rc;
    if (cross)
        return sg_fail(err, SG_ERR_REFUSED, "%s: add_cross_attention is true; only decoders run", c->file);
    for (int i = 0; i < spec->n_layers; i++) {
        if (!scale)
            spec->layers[i].attn_scale = 1;
        if (by_index)
            spec->layers[i].attn_scale /= (float)(i + 1);
    }
    return SG_OK;
}

int sg_finish_gpt_neox(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    bool parallel;
    (void)ckpt;
    int rc = sg_config_bool(c, BOTH("use_parallel_residual", "%s.use_parallel_residual"), true, &parallel, err);
    for (int i = 0; i < spec->n_layers; i++)
        spec->layers[i].parallel = parallel;
    return rc;
}

/* ---- experts ------------------------------------------------------------------------------------------ */

typedef struct expert_keys {
    const char *n, *n_used, *width, *shared; /* HF; width NULL: intermediate_size; shared NULL: no shared expert */
    int n_default, n_used_default, width_default, shared_default;
    bool renormalise, renormalise_gguf; /* always in HF; in llama.cpp */
    bool divided; /* GGUF: without its own key an expert has feed_forward_length / expert_used_count */
} expert_keys;

/* mlp_only_layers and decoder_sparse_step: which layers are dense. */
static int read_dense(bool *dense, int layer, const sg_config *c, sg_error *err)
{
    json_object *list = sg_json_get(c->hf, "mlp_only_layers");
    int step;
    int rc = sg_config_int(c, HF("decoder_sparse_step"), 1, INT32_MAX, 1, &step, err);
    *dense = (layer + 1) % (rc ? 1 : step) != 0;
    size_t n = list && json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < n; i++)
        *dense = *dense || json_object_get_int64(json_object_array_get_idx(list, i)) == layer;
    return rc;
}

/* Layer i's n experts; a GGUF may list how many it uses and how wide they are for each layer. */
static int read_experts(sg_layer_spec *s, int i, int n, int n_layers, const sg_config *c, const expert_keys *k,
                        sg_error *err)
{
    int used, width, ffn = s->intermediate, rc;
    if ((rc = sg_config_layer_int(c, BOTH(k->n_used, "%s.expert_used_count"), i, n_layers, 1, MAX_EXPERTS,
                                  c->hf ? k->n_used_default : SG_REQUIRED, &used, err)))
        return rc;
    if (used > n)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %d experts are used of %d", c->file, used, n);
    int fallback = !k->width ? ffn : c->hf ? k->width_default : k->divided ? ffn / used : ffn;
    if ((rc = sg_config_layer_int(c, BOTH(k->width, k->width ? "%s.expert_feed_forward_length" : NULL), i, n_layers, 1,
                                  MAX_FFN, fallback, &width, err)) ||
        (k->shared && (rc = sg_config_int(c, BOTH(k->shared, "%s.expert_shared_feed_forward_length"), 1, MAX_FFN,
                                          c->hf ? k->shared_default : ffn, &s->shared_intermediate, err))))
        return rc;
    s->intermediate = 0;
    s->n_experts = n;
    s->n_experts_used = used;
    s->expert_intermediate = width;
    return SG_OK;
}

static int finish_experts(sg_model_spec *spec, const sg_config *c, const expert_keys *k, sg_error *err)
{
    int n, rc;
    bool renormalise = k->renormalise;
    if ((rc = sg_config_int(c, BOTH(k->n, "%s.expert_count"), 0, MAX_EXPERTS, k->n_default, &n, err)) ||
        (rc = sg_config_bool(c, HF("norm_topk_prob"), false, &renormalise, err)))
        return rc;
    renormalise = c->hf ? renormalise || k->renormalise : k->renormalise_gguf;
    for (int i = 0; i < spec->n_layers; i++) {
        bool dense = n == 0;
        if (c->hf && !dense && (rc = read_dense(&dense, i, c, err)))
            return rc;
        if (dense)
            continue;
        if ((rc = read_experts(&spec->layers[i], i, n, spec->n_layers, c, k, err)))
            return rc;
        spec->layers[i].renormalise = renormalise;
    }
    return SG_OK;
}

int sg_finish_mixtral(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    static const expert_keys keys = {.n = "num_local_experts",
                                     .n_used = "num_experts_per_tok",
                                     .n_default = 8,
                                     .n_used_default = 2,
                                     .renormalise = true,
                                     .renormalise_gguf = true};
    (void)ckpt;
    return finish_experts(spec, c, &keys, err);
}

int sg_finish_qwen2_moe(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    static const expert_keys keys = {.n = "num_experts",
                                     .n_used = "num_experts_per_tok",
                                     .width = "moe_intermediate_size",
                                     .shared = "shared_expert_intermediate_size",
                                     .n_default = 60,
                                     .n_used_default = 4,
                                     .width_default = 1408,
                                     .shared_default = 5632,
                                     .divided = true};
    (void)ckpt;
    return finish_experts(spec, c, &keys, err);
}

int sg_finish_qwen3_moe(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    expert_keys keys = {.n = "num_experts",
                        .n_used = "num_experts_per_tok",
                        .width = "moe_intermediate_size",
                        .n_default = 128,
                        .n_used_default = 8,
                        .width_default = 768,
                        .renormalise_gguf = true,
                        .divided = true};
    (void)ckpt;
    if (c->hf && sg_config_has(c, HF("num_local_experts"))) /* transformers 5's spelling */
        keys.n = "num_local_experts";
    return finish_experts(spec, c, &keys, err);
}

int sg_finish_olmoe(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, sg_error *err)
{
    static const expert_keys keys = {
        .n = "num_experts", .n_used = "num_experts_per_tok", .n_default = 64, .n_used_default = 8};
    double clip;
    (void)ckpt;
    int rc = finish_experts(spec, c, &keys, err);
    if (rc || (rc = sg_config_number(c, HF("clip_qkv"), 0, &clip, err)))
        return rc;
    for (int i = 0; i < spec->n_layers; i++)
        spec->layers[i].clip_qkv = (float)clip;
    return SG_OK;
}
