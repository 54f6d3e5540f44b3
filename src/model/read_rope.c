/* Reading rotary embeddings from both kinds of configuration. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "model/rope.h"

#define HF(name) ((sg_config_key){(name), NULL})
#define GGUF(name) ((sg_config_key){NULL, (name)})

static int no_memory(sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "no memory for rope's frequencies");
}

/* ---- HF ---------------------------------------------------------------------------------------------- */

/* The parameters' own look-ups, and the model's: original positions may stand in both, the model's win. */
typedef struct hf_rope {
    const sg_config *model;
    sg_config params;
    sg_model_spec *spec;
    sg_rope *rope;
    int positions; /* max_position_embeddings */
} hf_rope;

static int original_positions(const hf_rope *r, double *out, sg_error *err)
{
    static const char key[] = "original_max_position_embeddings";
    return sg_config_positive(sg_json_get(r->model->hf, key) ? r->model : &r->params, HF(key), r->positions, out, err);
}

static int read_linear(const hf_rope *r, sg_error *err)
{
    double factor;
    int rc = sg_config_positive(&r->params, HF("factor"), NAN, &factor, err);
    for (int i = 0; !rc && i < r->rope->dim / 2; i++)
        r->rope->inv_freq[i] /= (float)factor;
    return rc;
}

static int read_dynamic(const hf_rope *r, sg_error *err)
{
    r->rope->kind = SG_ROPE_DYNAMIC;
    r->rope->original = r->positions;
    if (r->rope->dim <= 2)
        return sg_fail(err, SG_ERR_REFUSED, "%s: dynamic rope needs more than 2 dimensions", r->params.file);
    int rc = sg_config_positive(&r->params, HF("factor"), NAN, &r->rope->factor, err);
    if (!rc && r->rope->factor * r->positions < INT32_MAX) /* it is there to go beyond what the model was trained on */
        r->spec->max_positions = (int)(r->rope->factor * r->positions);
    return rc;
}

static int read_llama3(const hf_rope *r, sg_error *err)
{
    sg_rope_llama3 s;
    int rc;
    if ((rc = sg_config_positive(&r->params, HF("factor"), NAN, &s.factor, err)) ||
        (rc = sg_config_positive(&r->params, HF("low_freq_factor"), NAN, &s.low_freq_factor, err)) ||
        (rc = sg_config_positive(&r->params, HF("high_freq_factor"), NAN, &s.high_freq_factor, err)) ||
        (rc = original_positions(r, &s.original_positions, err)))
        return rc;
    if (s.high_freq_factor <= s.low_freq_factor)
        return sg_fail(err, SG_ERR_FORMAT, "%s: high_freq_factor %g is not above low_freq_factor %g", r->params.file,
                       s.high_freq_factor, s.low_freq_factor);
    sg_rope_scale_llama3(r->rope->inv_freq, r->rope->dim / 2, &s);
    return SG_OK;
}

/* YaRN's magnitude for a factor (its equation 22, with DeepSeek's mscale). */
static double yarn_magnitude(double factor, double mscale)
{
    return factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1;
}

static int read_yarn(const hf_rope *r, sg_error *err)
{
    sg_rope_yarn s = {.theta = r->rope->theta, .truncate = true};
    double magnitude = 0, mscale = 0, mscale_all = 0;
    int rc;
    if ((rc = original_positions(r, &s.original_positions, err)) ||
        (rc = sg_config_positive(&r->params, HF("factor"), r->positions / s.original_positions, &s.factor, err)) ||
        (rc = sg_config_positive(&r->params, HF("beta_fast"), 32, &s.beta_fast, err)) ||
        (rc = sg_config_positive(&r->params, HF("beta_slow"), 1, &s.beta_slow, err)) ||
        (rc = sg_config_bool(&r->params, HF("truncate"), true, &s.truncate, err)) ||
        (rc = sg_config_number(&r->params, HF("attention_factor"), 0, &magnitude, err)) ||
        (rc = sg_config_number(&r->params, HF("mscale"), 0, &mscale, err)) ||
        (rc = sg_config_number(&r->params, HF("mscale_all_dim"), 0, &mscale_all, err)))
        return rc;
    if (!magnitude)
        magnitude = mscale && mscale_all ? yarn_magnitude(s.factor, mscale) / yarn_magnitude(s.factor, mscale_all)
                                         : yarn_magnitude(s.factor, 1);
    sg_rope_scale_yarn(r->rope->inv_freq, r->rope->dim / 2, &s);
    r->rope->magnitude = (float)magnitude;
    return SG_OK;
}

/* inv_freq divided by a list of as many factors */
static int divide_by_list(float *inv_freq, int n, const sg_config *params, const char *key, sg_error *err)
{
    json_object *list = sg_json_get(params->hf, key);
    if (!list || !json_object_is_type(list, json_type_array) || json_object_array_length(list) != (size_t)n)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s must be a list of %d numbers", params->file, key, n);
    for (int i = 0; i < n; i++) {
        double f = json_object_get_double(json_object_array_get_idx(list, (size_t)i));
        if (!isfinite(f) || f <= 0)
            return sg_fail(err, SG_ERR_FORMAT, "%s: %s[%d] is %g, expected a number above 0", params->file, key, i, f);
        inv_freq[i] /= (float)f;
    }
    return SG_OK;
}

static int read_long(const hf_rope *r, sg_error *err)
{
    double original, factor, magnitude = 0;
    int half = r->rope->dim / 2, rc;
    r->rope->kind = SG_ROPE_LONG;
    r->rope->inv_freq_long = sg_alloc((size_t)half, sizeof(float));
    if (!r->rope->inv_freq_long)
        return no_memory(err);
    memcpy(r->rope->inv_freq_long, r->rope->inv_freq, (size_t)half * sizeof(float));
    if ((rc = original_positions(r, &original, err)) ||
        (rc = sg_config_positive(&r->params, HF("factor"), r->positions / original, &factor, err)) ||
        (rc = sg_config_number(&r->params, HF("attention_factor"), 0, &magnitude, err)) ||
        (rc = divide_by_list(r->rope->inv_freq, half, &r->params, "short_factor", err)) ||
        (rc = divide_by_list(r->rope->inv_freq_long, half, &r->params, "long_factor", err)))
        return rc;
    r->rope->original = (int)original;
    r->rope->magnitude = (float)(magnitude ? magnitude : factor <= 1 ? 1 : sqrt(1 + log(factor) / log(original)));
    return SG_OK;
}

static const struct {
    const char *type;
    int (*read)(const hf_rope *r, sg_error *err);
} hf_types[] = {
    {"linear", read_linear}, {"dynamic", read_dynamic}, {"llama3", read_llama3},
    {"yarn", read_yarn},     {"longrope", read_long},   {"su", read_long},
};

int sg_rope_read_hf(sg_model_spec *spec, const sg_config *c, json_object *params, int dim, double theta, sg_error *err)
{
    hf_rope r = {.model = c,
                 .spec = spec,
                 .params = {.hf = params, .arch = "", .file = c->file},
                 .positions = spec->max_positions};
    char *type = NULL;
    int rc = SG_OK;
    if (!(r.rope = sg_rope_add(spec, dim, theta)))
        return no_memory(err);
    if (!params)
        return SG_OK;
    if (!json_object_is_type(params, json_type_object))
        return sg_fail(err, SG_ERR_FORMAT, "%s: rope's parameters are no object", c->file);
    if ((rc = sg_config_string(&r.params, HF(sg_json_get(params, "rope_type") ? "rope_type" : "type"), &type, err)))
        return rc;
    if (type && strcmp(type, "default") != 0) {
        size_t i = 0;
        while (i < SG_ARRAY_LEN(hf_types) && strcmp(hf_types[i].type, type) != 0)
            i++;
        rc = i < SG_ARRAY_LEN(hf_types)
                 ? hf_types[i].read(&r, err)
                 : sg_fail(
                       err, SG_ERR_REFUSED,
                       "%s: rope scaling of type \"%s\" does not run; known: default, linear, dynamic, llama3, yarn, "
                       "longrope",
                       c->file, type);
    }
    sg_free(type);
    return rc;
}

/* rope_scaling, where it is set, replaces rope_parameters; theta stands in either or beside them. */
static int read_hf(sg_model_spec *spec, const sg_family *family, const sg_config *c, int head_dim, sg_error *err)
{
    json_object *scaling = sg_json_get(c->hf, "rope_scaling"),
                *params = scaling ? scaling : sg_json_get(c->hf, "rope_parameters");
    sg_config inner = *c;
    inner.hf = json_object_is_type(params, json_type_object) ? params : c->hf;
    const char *old_theta = sg_json_get(c->hf, "rotary_emb_base") ? "rotary_emb_base" : "rope_theta";
    const char *old_partial = sg_json_get(c->hf, "rotary_pct") ? "rotary_pct" : "partial_rotary_factor";
    double partial;
    int rc;
    if ((rc = sg_config_positive(c, HF(old_theta), family->theta ? family->theta : 10000, &spec->rope_theta, err)) ||
        (rc = sg_config_positive(&inner, HF("rope_theta"), spec->rope_theta, &spec->rope_theta, err)) ||
        (rc = sg_config_positive(c, HF(old_partial), family->partial_rotary, &partial, err)) ||
        (rc = sg_config_positive(&inner, HF("partial_rotary_factor"), partial, &partial, err)))
        return rc;
    int dim = (int)(head_dim * partial);
    if (partial > 1 || dim < 2 || dim % 2)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: rope over %d of a head's %d dimensions, expected an even number up to the head size",
                       c->file, dim, head_dim);
    if (partial != 1 && !family->honours_partial)
        return sg_fail(err, SG_ERR_REFUSED, "%s: partial_rotary_factor is %g; family %s runs with 1", c->file, partial,
                       family->name);
    return sg_rope_read_hf(spec, c, params, dim, spec->rope_theta, err);
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

/* out /= the tensor's numbers, one per frequency; absent: nothing */
static int divide_by_tensor(float *out, int n, const sg_checkpoint *ckpt, const char *name, const char *file,
                            sg_error *err)
{
    const sg_tensor *t = sg_checkpoint_find(ckpt, name);
    if (!t)
        return SG_OK;
    if (strcmp(t->type->name, "F32") != 0 || t->n_elements != (uint64_t)n)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s must be %d numbers of type F32", file, name, n);
    for (int i = 0; i < n; i++) {
        float f;
        memcpy(&f, sg_tensor_data(ckpt, t) + 4 * (size_t)i, 4);
        if (!(f > 0) || !isfinite(f))
            return sg_fail(err, SG_ERR_NUMERIC, "%s: %s[%d] is %g, expected a number above 0", file, name, i,
                           (double)f);
        out[i] /= f;
    }
    return SG_OK;
}

/* rope_factors_short and _long: by the window's length. (llama.cpp chooses by its context's size; transformers, and we,
 * by the text's.) */
static int read_gguf_long(sg_rope *rope, const sg_config *c, const sg_checkpoint *ckpt, double original, sg_error *err)
{
    int half = rope->dim / 2, rc;
    rope->kind = SG_ROPE_LONG;
    rope->original = (int)original;
    rope->inv_freq_long = sg_alloc((size_t)half, sizeof(float));
    if (!rope->inv_freq_long)
        return no_memory(err);
    memcpy(rope->inv_freq_long, rope->inv_freq, (size_t)half * sizeof(float));
    if ((rc = divide_by_tensor(rope->inv_freq, half, ckpt, "rope_factors_short.weight", c->file, err)))
        return rc;
    return divide_by_tensor(rope->inv_freq_long, half, ckpt, "rope_factors_long.weight", c->file, err);
}

static int read_gguf(sg_model_spec *spec, const sg_config *c, const sg_checkpoint *ckpt, int head_dim, sg_error *err)
{
    double factor, original, magnitude;
    char *type = NULL;
    int dim, rc;
    if ((rc = sg_config_positive(c, GGUF("%s.rope.freq_base"), 10000, &spec->rope_theta, err)) ||
        (rc = sg_config_int(c, GGUF("%s.rope.dimension_count"), 2, head_dim, head_dim, &dim, err)) ||
        (rc = sg_config_number(c, GGUF("%s.rope.scale_linear"), 0, &factor, err)) ||
        (rc = sg_config_number(c, GGUF("%s.rope.scaling.factor"), factor, &factor, err)) ||
        (rc = sg_config_positive(c, GGUF("%s.rope.scaling.original_context_length"), spec->max_positions, &original,
                                 err)) ||
        (rc = sg_config_positive(c, GGUF("%s.rope.scaling.attn_factor"), 1, &magnitude, err)) ||
        (rc = sg_config_string(c, GGUF("%s.rope.scaling.type"), &type, err)))
        return rc;
    bool none = type && strcmp(type, "none") == 0, yarn = type && strcmp(type, "yarn") == 0;
    bool known = !type || none || yarn || strcmp(type, "linear") == 0 || strcmp(type, "longrope") == 0;
    if (!known)
        rc =
            sg_fail(err, SG_ERR_REFUSED,
                    "%s: rope scaling of type \"%s\" does not run; known: none, linear, yarn, longrope", c->file, type);
    sg_free(type);
    if (rc)
        return rc;
    if (dim % 2)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s.rope.dimension_count is %d, expected an even number", c->file,
                       c->arch, dim);
    sg_rope *rope = sg_rope_add(spec, dim, spec->rope_theta);
    if (!rope)
        return no_memory(err);
    rope->magnitude = (float)magnitude;
    if (sg_checkpoint_find(ckpt, "rope_factors_long.weight"))
        rc = read_gguf_long(rope, c, ckpt, original, err);
    else
        rc = divide_by_tensor(rope->inv_freq, dim / 2, ckpt, "rope_freqs.weight", c->file, err);
    if (rc || none || factor <= 0 || factor == 1)
        return rc;
    if (yarn) {
        sg_rope_scale_yarn(rope->inv_freq, dim / 2,
                           &(sg_rope_yarn){.factor = factor,
                                           .theta = spec->rope_theta,
                                           .original_positions = original,
                                           .beta_fast = 32,
                                           .beta_slow = 1,
                                           .truncate = true});
        rope->magnitude *= (float)yarn_magnitude(factor, 1);
        return SG_OK;
    }
    for (int i = 0; i < dim / 2; i++) {
        rope->inv_freq[i] /= (float)factor;
        if (rope->inv_freq_long)
            rope->inv_freq_long[i] /= (float)factor;
    }
    return SG_OK;
}

int sg_rope_read(sg_model_spec *spec, const sg_family *family, const sg_config *config, const sg_checkpoint *ckpt,
                 int head_dim, sg_error *err)
{
    if (config->hf)
        return read_hf(spec, family, config, head_dim, err);
    return read_gguf(spec, config, ckpt, head_dim, err);
}
