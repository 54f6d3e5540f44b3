/* A text's tokens, for `tokenize`. */
#include "core/strbuf.h"
#include "report/json.h"

static json_object *spelling_of(const sg_model *model, int32_t id)
{
    size_t bytes = 0;
    const char *s = sg_token_spelling(model, id, &bytes);
    return sg_report_string(s ? s : "", s ? bytes : 0);
}

int sg_tokens_json(const sg_model *model, const sg_text *text, const sg_tokens *tokens, char **out, sg_error *err)
{
    json_object *obj = json_object_new_object(), *ids = json_object_new_array(), *spellings = json_object_new_array();
    bool ok = sg_put_json_string(obj, "schema", "shortgpt/tokenize/1", err) &&
              sg_put_json_string(obj, "path", sg_model_get_info(model)->path, err) &&
              sg_put_json_string(obj, "source", text->source, err) && sg_put_json_int(obj, "n", tokens->n, err);
    for (size_t i = 0; ok && i < tokens->n; i++)
        ok = !sg_json_append(ids, json_object_new_int(tokens->ids[i]), err) &&
             !sg_json_append(spellings, spelling_of(model, tokens->ids[i]), err);
    ok = ok && !sg_json_put(obj, "ids", json_object_get(ids), err) &&
         !sg_json_put(obj, "tokens", json_object_get(spellings), err);
    json_object_put(ids);
    json_object_put(spellings);
    return sg_report_json_text(obj, ok, out, err);
}

int sg_tokens_lines(const sg_model *model, const sg_tokens *tokens, bool ids_only, char **out, sg_error *err)
{
    sg_strbuf b = {0};
    for (size_t i = 0; i < tokens->n; i++) {
        sg_strbuf_printf(&b, "%d", (int)tokens->ids[i]);
        if (!ids_only) {
            json_object *s = spelling_of(model, tokens->ids[i]);
            const char *quoted = s ? json_object_to_json_string_ext(s, JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
            sg_strbuf_printf(&b, "\t%s", quoted ? quoted : "");
            b.failed |= !quoted;
            json_object_put(s);
        }
        sg_strbuf_puts(&b, "\n");
    }
    return sg_strbuf_finish(&b, out, err);
}
