/* Opening models: what is refused, and that both formats of one model say the same. */
#include <math.h>

#include "core/error.h"
#include "model/model.h"
#include "tree.h"

static const char *const linked[] = {"model.safetensors", "tokenizer.json", "tokenizer_config.json"};

/* Opens tiny_llama with config.json's key set to value (JSON text; NULL: removed). */
static int open_edited(const char *key, const char *value, sg_error *err)
{
    char dir[64];
    tree_make(dir);
    tree_link(dir, "tiny_llama", linked, SG_ARRAY_LEN(linked));
    json_object *config = json_object_from_file(SG_GOLDEN "/tiny_llama/config.json");
    assert_non_null(config);
    if (value)
        json_object_object_add(config, key, json_tokener_parse(value));
    else
        json_object_object_del(config, key);
    const char *text = json_object_to_json_string(config);
    tree_write(dir, "config.json", text, strlen(text));
    sg_model *model = NULL;
    int rc = sg_model_open(&model, dir, err);
    if (!rc)
        rc = sg_model_runs(model, err); /* a family that does not run opens, to be described */
    sg_model_free(model);
    json_object_put(config);
    tree_remove(dir);
    return rc;
}

static void test_config(void **state)
{
    (void)state;
    static const struct { const char *name, *key, *value; int code; const char *says; } rows[] = {
        {"as it is", "unknown_key", "[1, 2]", SG_OK, ""},
        {"another family", "model_type", "\"bert\"", SG_ERR_REFUSED, "known: llama"},
        {"no family", "model_type", NULL, SG_ERR_REFUSED, "model_type is missing"},
        {"no layers", "num_hidden_layers", NULL, SG_ERR_FORMAT, "num_hidden_layers is missing"},
        {"zero layers", "num_hidden_layers", "0", SG_ERR_FORMAT, "num_hidden_layers is 0"},
        {"layers as text", "num_hidden_layers", "\"4\"", SG_ERR_FORMAT, "expected an integer"},
        {"one layer too few", "num_hidden_layers", "3", SG_ERR_FORMAT, "beyond the configuration's 3 layers"},
        {"one layer too many", "num_hidden_layers", "5", SG_ERR_FORMAT, "model.layers.4."},
        {"more layers than tensors", "num_hidden_layers", "5000", SG_ERR_FORMAT, "says 5000 layers, but there are only"},
        {"huge layers", "num_hidden_layers", "99999999999", SG_ERR_FORMAT, "num_hidden_layers"},
        {"another width", "hidden_size", "128", SG_ERR_FORMAT, "has shape"},
        {"another vocabulary", "vocab_size", "319", SG_ERR_FORMAT, "embed_tokens.weight has shape"},
        {"heads no multiple", "num_key_value_heads", "3", SG_ERR_FORMAT, "not a multiple"},
        {"odd head", "head_dim", "15", SG_ERR_FORMAT, "rope"},
        {"activation", "hidden_act", "\"relu\"", SG_ERR_REFUSED, "activation \"relu\""},
        {"biases that are not there", "attention_bias", "true", SG_ERR_FORMAT, "q_proj.bias is missing"},
        {"rope type", "rope_parameters", "{\"rope_type\": \"spiral\", \"rope_theta\": 10000.0}", SG_ERR_REFUSED, "\"spiral\""},
        {"negative eps", "rms_norm_eps", "-1e-5", SG_ERR_FORMAT, "rms_norm_eps"},
        {"quantized", "quantization_config", "{\"quant_method\": \"gptq\"}", SG_ERR_REFUSED, "gptq"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        int rc = open_edited(rows[i].key, rows[i].value, &err);
        if (rc != rows[i].code || !strstr(err.message, rows[i].says))
            fail_msg("%s: %d \"%s\"", rows[i].name, rc, err.message);
    }
}

static sg_model *open_golden(const char *name)
{
    char path[512];
    sg_error err = {0};
    sg_model *model;
    snprintf(path, sizeof path, "%s/%s", SG_GOLDEN, name);
    if (sg_model_open(&model, path, &err))
        fail_msg("%s", err.message);
    return model;
}

/* The HF directory and the GGUF of one model have the same specifications. */
static void test_formats_agree(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"tiny_llama", "tiny_llama.gguf"}, {"tiny_llama_tied", "tiny_llama_tied.gguf"}};
    for (size_t i = 0; i < SG_ARRAY_LEN(pairs); i++) {
        sg_model *hf = open_golden(pairs[i][0]), *gguf = open_golden(pairs[i][1]);
        assert_int_equal(hf->spec.n_layers, gguf->spec.n_layers);
        assert_int_equal(hf->spec.tied, gguf->spec.tied);
        assert_true(hf->spec.final_norm_eps == gguf->spec.final_norm_eps);
        for (int l = 0; l < hf->spec.n_layers; l++) {
            const char *field;
            const sg_layer_spec *a = &hf->spec.layers[l], *b = &gguf->spec.layers[l];
            if (!sg_layer_spec_equal(a, b, &field))
                fail_msg("%s: layer %d differs in %s", pairs[i][0], l, field);
        }
        const sg_rope *p = &hf->spec.ropes[0], *q = &gguf->spec.ropes[0];
        assert_int_equal(p->dim, q->dim);
        for (int f = 0; f < p->dim / 2; f++) /* GGUF keeps llama3's scaling as rounded divisors */
            if (!(fabsf(p->inv_freq[f] - q->inv_freq[f]) <= 2e-7f * p->inv_freq[f]))
                fail_msg("%s: frequency %d differs", pairs[i][0], f);
        assert_int_equal(hf->info.parameters, gguf->info.parameters - (sg_model_role(gguf, SG_ROPE_FACTORS) ? 8 : 0));
        sg_model_free(hf);
        sg_model_free(gguf);
    }
}

static void test_layer_names(void **state)
{
    (void)state;
    static const struct { const char *prefix, *name; int layer; } rows[] = {
        {"model.layers.", "model.layers.12.mlp.up_proj.weight", 12}, {"model.layers.", "model.layers.0.x", 0},
        {"model.layers.", "model.layers.01.x", -1},                  {"model.layers.", "model.layers..x", -1},
        {"model.layers.", "model.layers.5", -1},                     {"model.layers.", "model.norm.weight", -1},
        {"model.layers.", "vision.layers.5.x", -1},                  {"blk.", "blk.7.attn_q.weight", 7},
        {"blk.", "blk.99999999.x", -1},                              {"blk.", "output.weight", -1},
        {"h.", "h.3.ln_1.weight", 3},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++)
        if (sg_name_layer(rows[i].prefix, rows[i].name, NULL) != rows[i].layer)
            fail_msg("%s", rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_config), cmocka_unit_test(test_formats_agree), cmocka_unit_test(test_layer_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
