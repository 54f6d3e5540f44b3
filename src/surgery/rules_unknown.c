/* Another list of tensors that is as long is suspicious. A key is by its value (a list or a string with an entry for
 * each layer, a list of layer numbers) or by its name, when its value is on. */
#include "surgery/rules_unknown.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "model/describe.h"

enum { MAX_NESTED = 4 };

/* Whatever they hold, it is not about layers of the decoder. */
static const char *const harmless[] = {"architectures",     "auto_map",     "id2label",
                                       "label2id",          "rope_scaling", "task_specific_params",
                                       "generation_config", "shortgpt"};
/* The number of layers itself, and words that only look like a schedule. */
static const char *const counts = "num_hidden_layers n_layer n_layers num_layers num_blocks hidden_layers";
static const char *const innocent[] = {"layer_norm", "layernorm", "layerdrop", "layer_drop", "layer_scale", "qk_layer"};
static const char *const words[] = {
    "layers",  "layer_",    "pattern",   "interval",  "period",      "_freq",         "every_n",
    "first_k", "_schedule", "schedule_", "layer_idx", "block_types", "block_configs", "decoder_sparse_step",
    "depth"};

static bool has_one(const char *key, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(key, list[i]))
            return true;
    return false;
}

static bool is_skipped(const char *key)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(harmless); i++)
        if (strcmp(key, harmless[i]) == 0)
            return true;
    return strncmp(key, "rope_", 5) == 0 || strstr(key, "token_id") || strstr(key, "quantization") ||
           strstr(key, "vision") || strstr(key, "audio") || strncmp(key, "_name", 5) == 0;
}

static bool is_number_of_layer(json_object *e, int layers)
{
    int64_t n = json_object_is_type(e, json_type_int) ? json_object_get_int64(e) : -1;
    return n >= 0 && n <= layers;
}

/* A list as long as the model is deep, or of numbers that layers have. */
static bool list_is_suspicious(json_object *list, int layers)
{
    size_t n = json_object_array_length(list);
    bool numbers = n > 0;
    for (size_t i = 0; numbers && i < n; i++)
        numbers = is_number_of_layer(json_object_array_get_idx(list, i), layers);
    return n == (size_t)layers || numbers;
}

static bool is_suspicious(const char *key, json_object *value, int layers)
{
    if (!value || (json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value)))
        return false;
    if (json_object_is_type(value, json_type_array) && list_is_suspicious(value, layers))
        return true;
    if (json_object_is_type(value, json_type_string) && layers > 4 && json_object_get_string_len(value) == layers)
        return !strpbrk(json_object_get_string(value),
                        "abcdefghijklmnopqrstuvwxyz_/."); /* "MM*E-": letters, not a name */
    return !sg_word_listed(counts, key) && !has_one(key, innocent, SG_ARRAY_LEN(innocent)) &&
           has_one(key, words, SG_ARRAY_LEN(words));
}

static void suspect(json_object *object, int layers, int depth, sg_strbuf *keys)
{
    struct json_object_iterator it = json_object_iter_begin(object), end = json_object_iter_end(object);
    for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
        const char *key = json_object_iter_peek_name(&it);
        json_object *value = json_object_iter_peek_value(&it);
        if (is_skipped(key))
            continue;
        if (is_suspicious(key, value, layers))
            sg_strbuf_printf(keys, "%s\"%.60s\"", keys->n ? ", " : "", key);
        else if (json_object_is_type(value, json_type_object) && depth < MAX_NESTED)
            suspect(value, layers, depth + 1, keys);
    }
}

static bool says_count(json_object *config)
{
    char key[64];
    for (const char *at = counts; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        snprintf(key, sizeof key, "%.*s", (int)n, at);
        if (sg_json_get(config, key))
            return true;
        at += n;
    }
    return false;
}

int sg_suspect_config(const sg_cut *cut, sg_strbuf *keys, sg_error *err)
{
    json_object *config = sg_cut_config(cut);
    bool both = false;
    int rc =
        sg_json_get_bool(cut->model->ckpt->config, cut->model->config_path, "is_encoder_decoder", &both, NULL, err);
    if (rc < 0)
        return rc;
    if (both)
        sg_strbuf_puts(keys, "\"is_encoder_decoder\"");
    if (!says_count(config))
        sg_strbuf_printf(keys, "%sthe number of layers (which is not said)", keys->n ? ", " : "");
    size_t prefix;
    const char *twin = cut->plan->layers > 1 ? sg_describe_twin(cut->model, &prefix) : NULL;
    if (twin)
        sg_strbuf_printf(keys, "%stensors %.*sN", keys->n ? ", " : "", (int)(prefix < 80 ? prefix : 80), twin);
    if (json_object_is_type(config, json_type_object))
        suspect(config, cut->plan->layers, 0, keys);
    return SG_OK;
}
