/* A text that went on: the JSON object, and what stands below the text. */
#include "core/mem.h"
#include "report/parts.h"

/* The tokens behind the first new one took `seconds`. */
static double rate(int tokens, double seconds)
{
    return tokens > 0 && seconds > 0 ? tokens / seconds : 0;
}

int sg_generation_json(const sg_model *model, const int *removed, size_t n_removed, const sg_generate_opts *opts,
                       const sg_generation *g, char **out, sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok = sg_put_json_string(obj, "schema", "shortgpt/generate/1", err) &&
              sg_put_json_model(obj, sg_model_get_info(model), err) &&
              sg_put_json_layers(obj, "removed", removed, n_removed, err) &&
              sg_put_json_string(obj, "prompt", g->prompt, err) && sg_put_json_string(obj, "text", g->text, err) &&
              sg_put_json_layers(obj, "ids", g->ids, (size_t)g->n, err) &&
              sg_put_json_int(obj, "prompt_tokens", (uint64_t)g->n_prompt, err) &&
              sg_put_json_int(obj, "tokens", (uint64_t)g->n, err) &&
              sg_put_json_string(obj, "stop", sg_stop_name(g->stop), err) &&
              sg_put_json_number(obj, "temperature", opts ? opts->temperature : 0, err) &&
              sg_put_json_int(obj, "seed", opts ? opts->seed : 0, err) &&
              sg_put_json_string(obj, "precision", sg_precision_name(g->precision), err) &&
              sg_put_json_int(obj, "layers", (uint64_t)g->layers, err) &&
              sg_put_json_int(obj, "layers_in_memory", (uint64_t)g->layers_in_memory, err) &&
              sg_put_json_int(obj, "memory", g->memory, err) &&
              sg_put_json_number(obj, "prompt_seconds", g->prompt_seconds, err) &&
              sg_put_json_number(obj, "seconds", g->seconds, err) &&
              sg_put_json_number(obj, "prompt_tokens_per_second", rate(g->n_prompt, g->prompt_seconds), err) &&
              sg_put_json_number(obj, "tokens_per_second", rate(g->n - 1, g->seconds), err);
    return sg_report_json_text(obj, ok, out, err);
}

static void put_rate(sg_strbuf *b, int tokens, double seconds)
{
    double per_second = rate(tokens, seconds);
    if (per_second > 0) {
        sg_strbuf_puts(b, ", ");
        sg_strbuf_fixed(b, per_second, per_second < 100 ? 1 : 0);
        sg_strbuf_puts(b, " a second");
    }
}

static void put_tokens(sg_strbuf *b, const char *key, int n, int timed, double seconds)
{
    sg_put_key(b, key);
    sg_strbuf_printf(b, "%d token%s", n, n == 1 ? "" : "s");
    put_rate(b, timed, seconds);
}

int sg_generation_table(const sg_model *model, const int *removed, size_t n_removed, const sg_generation *g,
                        const sg_style *style, char **out, sg_error *err)
{
    static const char *const why[] = {"", ", where the model ended the text", ", where the model's positions end"};
    const sg_glyphs *glyphs = sg_glyphs_of(style);
    sg_strbuf b = {0};
    sg_put_key(&b, "model");
    sg_put_clean(&b, sg_model_get_info(model)->path);
    if (n_removed) {
        sg_strbuf_puts(&b, " without layers ");
        sg_put_layers(&b, removed, n_removed);
    }
    sg_strbuf_puts(&b, "\n");
    put_tokens(&b, "prompt", g->n_prompt, g->n_prompt, g->prompt_seconds);
    sg_strbuf_puts(&b, "\n");
    put_tokens(&b, "text", g->n, g->n - 1, g->seconds);
    sg_strbuf_printf(&b, "%s\n", why[g->stop]);
    sg_put_key(&b, "computed");
    sg_strbuf_printf(&b, "in %s %s ", sg_precision_name(g->precision), glyphs->dot);
    if (g->layers_in_memory == g->layers)
        sg_strbuf_puts(&b, "weights stay in memory, ");
    else
        sg_strbuf_printf(&b, "%d of %d layers stay in memory, the others are read again for each token, ",
                         g->layers_in_memory, g->layers);
    sg_put_bytes(&b, g->memory);
    sg_strbuf_puts(&b, "\n");
    return sg_strbuf_finish(&b, out, err);
}
