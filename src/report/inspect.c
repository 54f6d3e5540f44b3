/* What a model is: the JSON object and the table of `inspect`, and the model's part of other objects. */
#include "report/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

/* A size; 0 is what is not known: null. */
static bool put_known(json_object *obj, const char *key, int value, sg_error *err)
{
    return value > 0 ? sg_put_json_int(obj, key, (uint64_t)value, err) : sg_put_json_number(obj, key, (double)NAN, err);
}

bool sg_put_json_model(json_object *obj, const sg_model_info *info, sg_error *err)
{
    json_object *model = json_object_new_object();
    if (sg_put_json_string(model, "path", info->path, err) &&
        sg_put_json_string(model, "format", info->format_name, err) &&
        sg_put_json_string(model, "family", info->family, err) &&
        sg_put_json_string(model, "architecture", info->architecture, err) &&
        sg_put_json_int(model, "layers", (uint64_t)info->layers, err) &&
        put_known(model, "hidden", info->hidden, err) && sg_put_json_int(model, "parameters", info->parameters, err) &&
        sg_put_json_int(model, "bytes", info->bytes, err) &&
        sg_put_json_string(model, "fingerprint", info->fingerprint, err))
        return sg_json_put(obj, "model", model, err) == SG_OK;
    json_object_put(model);
    return false;
}

void sg_put_model(sg_strbuf *b, const sg_model_info *info, const sg_glyphs *g)
{
    sg_put_key(b, "model");
    sg_put_clean(b, info->path);
    sg_strbuf_puts(b, "\n");
    sg_put_key(b, "family");
    sg_strbuf_puts(b, info->family ? info->family : "does not run here");
    if (!info->family || strcmp(info->family, info->architecture)) {
        sg_strbuf_puts(b, " (");
        sg_put_clean(b, info->architecture);
        sg_strbuf_puts(b, ")");
    }
    sg_strbuf_puts(b, "\n");
    sg_put_key(b, "size");
    sg_strbuf_printf(b, "%d layer%s %s ", info->layers, info->layers == 1 ? "" : "s", g->dot);
    sg_put_count(b, info->parameters);
    sg_strbuf_printf(b, " parameters %s ", g->dot);
    sg_put_bytes(b, info->bytes);
    sg_strbuf_printf(b, " of %s\n", info->weight_types);
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static bool put_shape(json_object *model, const sg_model_info *info, sg_error *err)
{
    return sg_put_json_string(model, "name", info->name, err) && sg_put_json_bool(model, "runs", !info->refusal, err) &&
           sg_put_json_string(model, "refusal", info->refusal, err) &&
           sg_put_json_string(model, "weight_types", info->weight_types, err) &&
           put_known(model, "vocab", info->vocab, err) && put_known(model, "heads", info->n_heads, err) &&
           put_known(model, "kv_heads", info->n_kv_heads, err) && put_known(model, "head_dim", info->head_dim, err) &&
           put_known(model, "intermediate", info->intermediate, err) &&
           put_known(model, "max_positions", info->max_positions, err) &&
           sg_put_json_number(model, "rope_theta", info->rope_theta > 0 ? info->rope_theta : (double)NAN, err) &&
           sg_put_json_bool(model, "tied", info->tied, err) &&
           sg_put_json_string(model, "fingerprint", info->fingerprint, err);
}

static bool put_layers(json_object *obj, const sg_layer_info *layers, const sg_removable *removable, int n,
                       sg_error *err)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < n; i++) {
        json_object *layer = json_object_new_object();
        bool ok = sg_put_json_int(layer, "index", (uint64_t)layers[i].index, err) &&
                  sg_put_json_string(layer, "kind", layers[i].kind, err) &&
                  sg_put_json_int(layer, "parameters", layers[i].parameters, err) &&
                  sg_put_json_int(layer, "bytes", layers[i].bytes, err) &&
                  sg_put_json_bool(layer, "removable", removable->alone[i], err) &&
                  sg_put_json_string(layer, "reason", removable->why[i], err);
        if (!ok)
            json_object_put(layer);
        if (!ok || sg_json_append(list, layer, err)) {
            json_object_put(list);
            return false;
        }
    }
    return sg_json_put(obj, "layers", list, err) == SG_OK;
}

int sg_report_inspect_json(const sg_model_info *info, const sg_layer_info *layers, const sg_removable *removable,
                           char **out, sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok = sg_put_json_string(obj, "schema", "shortgpt/inspect/1", err) && sg_put_json_model(obj, info, err) &&
              put_shape(sg_json_get(obj, "model"), info, err) && put_layers(obj, layers, removable, info->layers, err);
    return sg_report_json_text(obj, ok, out, err);
}

/* ---- the table ---------------------------------------------------------------------------------------- */

static bool same_layer(const sg_layer_info *layers, const sg_removable *removable, int i, int j)
{
    const sg_layer_info *a = &layers[i], *b = &layers[j];
    return !strcmp(a->kind, b->kind) && a->parameters == b->parameters && a->bytes == b->bytes &&
           removable->cause[i] == removable->cause[j];
}

/* One row for each run of equal layers. */
static void put_layer_runs(sg_strbuf *b, const sg_layer_info *layers, const sg_removable *removable, int n)
{
    int kinds = 28; /* columns of the longest, and one between */
    for (int i = 0; i < n; i++)
        kinds = (int)strlen(layers[i].kind) >= kinds ? (int)strlen(layers[i].kind) + 1 : kinds;
    sg_strbuf_puts(b, "\n  layers    ");
    sg_strbuf_pad(b, "kind", kinds);
    sg_strbuf_puts(b, " parameters each    size each  can go\n");
    for (int first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && same_layer(layers, removable, first, end); end++)
            ;
        char range[32];
        if (end - first == 1)
            snprintf(range, sizeof range, "%d", first);
        else
            snprintf(range, sizeof range, "%d-%d", first, end - 1);
        sg_strbuf_puts(b, "  ");
        sg_strbuf_pad(b, range, 10);
        sg_strbuf_pad(b, layers[first].kind, kinds);
        sg_put_padded(b, sg_put_count, layers[first].parameters, -16);
        sg_put_padded(b, sg_put_bytes, layers[first].bytes, -13);
        if (removable->alone[first])
            sg_strbuf_puts(b, "  yes\n");
        else
            sg_strbuf_printf(b, "  no [%d]\n", removable->cause[first] + 1);
    }
}

static void put_positions(sg_strbuf *b, const sg_model_info *info)
{
    sg_put_key(b, "positions");
    if (info->max_positions > 0)
        sg_put_count(b, (uint64_t)info->max_positions);
    else
        sg_strbuf_puts(b, "not said");
}

static void put_architecture(sg_strbuf *b, const sg_model_info *info, const sg_glyphs *g)
{
    sg_put_key(b, "stream");
    sg_strbuf_printf(b, "%d wide %s feed-forward %d wide\n", info->hidden, g->dot, info->intermediate);
    sg_put_key(b, "attention");
    sg_strbuf_printf(b, "%d heads of %d %s %d of keys and values\n", info->n_heads, info->head_dim, g->dot,
                     info->n_kv_heads);
    put_positions(b, info);
    if (info->rope_theta > 0) {
        sg_strbuf_printf(b, " %s rope theta ", g->dot);
        sg_strbuf_fixed(b, info->rope_theta, 0);
    }
    sg_strbuf_puts(b, "\n");
    sg_put_key(b, "vocabulary");
    sg_put_count(b, (uint64_t)info->vocab);
    sg_strbuf_printf(b, " tokens %s output matrix %s\n", g->dot, info->tied ? "is the embedding (tied)" : "of its own");
}

static void put_count_or_unknown(sg_strbuf *b, int value, const char *unit)
{
    if (value <= 0) {
        sg_strbuf_puts(b, "not said\n");
        return;
    }
    sg_put_count(b, (uint64_t)value);
    sg_strbuf_printf(b, " %s\n", unit);
}

/* A model that is only described: what its configuration tells. */
static void put_described(sg_strbuf *b, const sg_model_info *info)
{
    sg_put_key(b, "stream");
    put_count_or_unknown(b, info->hidden, "wide");
    put_positions(b, info);
    sg_strbuf_puts(b, "\n");
    sg_put_key(b, "vocabulary");
    put_count_or_unknown(b, info->vocab, "tokens");
}

int sg_report_inspect_table(const sg_model_info *info, const sg_layer_info *layers, const sg_removable *removable,
                            const sg_style *style, char **out, sg_error *err)
{
    const sg_glyphs *g = sg_glyphs_of(style);
    sg_strbuf b = {0};
    sg_put_heading(&b, info->name, style);
    sg_put_model(&b, info, g);
    if (info->family)
        put_architecture(&b, info, g);
    else
        put_described(&b, info);
    if (info->refusal) {
        sg_put_key(&b, "note");
        sg_put_clean(&b, info->refusal);
        sg_strbuf_puts(&b, "\n");
    }
    sg_put_key(&b, "format");
    sg_strbuf_printf(&b, "%s %s fingerprint %s\n", info->format_name, g->dot, info->fingerprint);
    put_layer_runs(&b, layers, removable, info->layers);
    sg_put_causes(&b, removable, style);
    return sg_strbuf_finish(&b, out, err);
}
