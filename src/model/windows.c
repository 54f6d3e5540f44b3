/* Which layers see a sliding window: explicit lists where the configuration has one, else the family's rule. */
#include <string.h>

#include "model/read.h"

/* layer_types, one word per layer. *found: it is there. */
static int read_layer_types(sg_model_spec *spec, const sg_config *c, int window, bool *found, sg_error *err)
{
    json_object *list = sg_json_get(c->hf, "layer_types");
    *found = list != NULL;
    if (!list)
        return SG_OK;
    for (int i = 0; i < spec->n_layers; i++) {
        const char *word = json_object_get_string(json_object_array_get_idx(list, (size_t)i));
        bool sliding = word && strcmp(word, "sliding_attention") == 0;
        if (!sliding && !(word && strcmp(word, "full_attention") == 0))
            return sg_fail(err, SG_ERR_REFUSED,
                           "%s: layer_types[%d] is \"%s\"; known: full_attention, sliding_attention", c->file, i,
                           word ? word : "null");
        if (sliding && !window)
            return sg_fail(err, SG_ERR_FORMAT,
                           "%s: layer_types[%d] is \"sliding_attention\", but sliding_window is not set", c->file, i);
        spec->layers[i].window = sliding ? window : 0;
    }
    return SG_OK;
}

/* Does layer i slide where nothing lists the layers? */
static bool slides(sg_window_rule rule, int i, int max_window_layers, int period)
{
    switch (rule) {
    case SG_WINDOW_NONE:
        return false;
    case SG_WINDOW_ALL:
    case SG_WINDOW_QWEN3_MOE:
        return true;
    case SG_WINDOW_QWEN2:
        return i >= max_window_layers;
    case SG_WINDOW_QWEN2_MOE:
        return i % 2 == 0 && i < max_window_layers;
    case SG_WINDOW_PERIOD:
        return (i + 1) % period != 0;
    }
    return false;
}

static int read_hf(sg_model_spec *spec, const sg_family *f, const sg_config *c, sg_error *err)
{
    bool switched =
             f->window == SG_WINDOW_QWEN2 || f->window == SG_WINDOW_QWEN2_MOE || f->window == SG_WINDOW_QWEN3_MOE,
         use, found;
    bool null = sg_config_has(c, (sg_config_key){"sliding_window", NULL});
    int window, max_window_layers, period, rc;
    if ((rc = sg_config_bool(c, (sg_config_key){"use_sliding_window", NULL}, false, &use, err)) ||
        (rc = sg_config_int(c, (sg_config_key){"sliding_window", NULL}, 0, INT32_MAX, null ? 0 : f->window_size,
                            &window, err)) ||
        (rc =
             sg_config_int(c, (sg_config_key){"max_window_layers", NULL}, 0, INT32_MAX, 28, &max_window_layers, err)) ||
        (rc = sg_config_int(c, (sg_config_key){"sliding_window_pattern", NULL}, 1, INT32_MAX, f->period, &period, err)))
        return rc;
    if (switched && !use)
        window = 0;
    if (f->window == SG_WINDOW_QWEN2 || f->window == SG_WINDOW_QWEN2_MOE || f->window == SG_WINDOW_PERIOD) {
        if ((rc = read_layer_types(spec, c, window, &found, err)) || found)
            return rc;
    }
    for (int i = 0; i < spec->n_layers; i++)
        spec->layers[i].window = slides(f->window, i, max_window_layers, period) ? window : 0;
    return SG_OK;
}

/* attention.sliding_window_pattern: true for each sliding layer, or a period. */
static int read_gguf(sg_model_spec *spec, const sg_family *f, const sg_config *c, int window_size, sg_error *err)
{
    static const sg_config_key pattern = {NULL, "%s.attention.sliding_window_pattern"};
    int window, value, rc;
    if ((rc = sg_config_int(c, (sg_config_key){NULL, "%s.attention.sliding_window"}, 0, INT32_MAX, window_size, &window,
                            err)))
        return rc;
    bool list = sg_config_is_list(c, pattern);
    for (int i = 0; i < spec->n_layers; i++) {
        if ((rc = sg_config_layer_int(c, pattern, i, spec->n_layers, 0, INT32_MAX, f->period, &value, err)))
            return rc;
        bool sliding =
            list ? value != 0
                 : value == 0 || slides(SG_WINDOW_PERIOD, i, 0, value); /* 0: llama.cpp lets every layer slide */
        spec->layers[i].window = sliding ? window : 0;
    }
    return SG_OK;
}

int sg_windows_read(sg_model_spec *spec, const sg_family *f, const sg_config *c, sg_error *err)
{
    json_object *list =
        c->hf ? sg_json_get(c->hf, "layer_types") : NULL; /* transformers checks its length in every family */
    if (list &&
        (!json_object_is_type(list, json_type_array) || json_object_array_length(list) != (size_t)spec->n_layers))
        return sg_fail(err, SG_ERR_FORMAT, "%s: layer_types must be a list of %d words", c->file, spec->n_layers);
    if (c->hf)
        return f->window == SG_WINDOW_NONE ? SG_OK : read_hf(spec, f, c, err);
    /* Gemma 2's architecture implies its window; Gemma 3 without the key has none. */
    return f->gguf_window == SG_WINDOW_NONE
               ? SG_OK
               : read_gguf(spec, f, c, strcmp(f->name, "gemma2") == 0 ? f->window_size : 0, err);
}
