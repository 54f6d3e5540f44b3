/* shortgpt tokenize: a text's ids by the model's own tokenizer. */
#include "command.h"

int cmd_tokenize(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_tokens tokens = {0};
    texts t = {0};
    char *json = NULL, *lines = NULL;
    sink s = {.fd = -1};
    int rc = require_one_model(o, err);
    if (rc)
        return rc;
    if (o->n_texts > 1)
        return usage_error(err, "tokenize takes one --text");
    if ((rc = sg_model_open(&model, o->models[0], err)) || (rc = texts_read(&t, o, err)))
        goto out;

    sg_text text = t.n ? t.list[0] : sg_text_embedded(SG_EMBEDDED_SCORE);
    if (!t.n)
        print_note(o, "no --text: these are the tokens of the text that is built in");
    if ((rc = sink_open(&s, o->json, err)) || (rc = sg_tokenize(model, &text, (sg_bos)o->bos, &tokens, err)) ||
        (s.json && (rc = sg_tokens_json(model, &text, &tokens, &json, err))) ||
        (s.table && (rc = sg_tokens_lines(model, &tokens, o->ids || o->quiet, &lines, err))))
        goto out;
    rc = sink_finish(&s, lines, json, err);
out:
    sg_string_free(json);
    sg_string_free(lines);
    sg_tokens_free(&tokens);
    texts_free(&t);
    sink_close(&s);
    sg_model_free(model);
    return rc;
}
