/* A model's text to ids: its tokenizer read at first use, and the BOS in front. */
#include <string.h>

#include "core/mem.h"
#include "model/model.h"

static int no_tokenizer(const sg_model *m, sg_error *err)
{
    char *model = sg_path_join(m->ckpt->path, "tokenizer.model");
    bool only_model = model && sg_path_exists(model);
    sg_free(model);
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: %s; save a tokenizer.json with transformers (AutoTokenizer.from_pretrained, save_pretrained)",
                   m->ckpt->path,
                   only_model ? "has only a SentencePiece tokenizer.model, which is not read"
                              : "there is no tokenizer.json");
}

/* eos_token_id, a number or a list, of generation_config.json or else of config.json. */
static int read_ends(sg_model *m, sg_error *err)
{
    static const char *const files[] = {"generation_config.json", "config.json"};
    for (size_t i = 0; i < SG_ARRAY_LEN(files); i++) {
        json_object *config = NULL;
        char *path = sg_path_join(m->ckpt->path, files[i]);
        int rc = !path                   ? sg_fail(err, SG_ERR_NOMEM, "no memory to read the tokenizer")
                 : !sg_path_exists(path) ? SG_OK
                                         : sg_json_read_file(&config, path, err);
        json_object *ends = sg_json_get(config, "eos_token_id");
        bool list = json_object_is_type(ends, json_type_array);
        for (size_t j = 0; ends && !rc && j < (list ? json_object_array_length(ends) : 1); j++) {
            json_object *id = list ? json_object_array_get_idx(ends, j) : ends;
            if (json_object_is_type(id, json_type_int))
                sg_tokenizer_set_end(m->tokenizer, json_object_get_int64(id));
            else
                rc = sg_fail(err, SG_ERR_FORMAT, "%s: eos_token_id: expected a number or a list of numbers", path);
        }
        bool found = ends != NULL;
        json_object_put(config);
        sg_free(path);
        if (rc || found)
            return rc;
    }
    return SG_OK;
}

static int load_hf(sg_model *m, sg_error *err)
{
    json_object *tokenizer = NULL, *config = NULL;
    int rc = SG_OK;
    char *path = sg_path_join(m->ckpt->path, "tokenizer.json");
    char *config_path = sg_path_join(m->ckpt->path, "tokenizer_config.json");
    if (!path || !config_path) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory to read the tokenizer");
        goto out;
    }
    if (!sg_path_exists(path)) {
        rc = no_tokenizer(m, err);
        goto out;
    }
    if ((rc = sg_json_read_file(&tokenizer, path, err)) ||
        (sg_path_exists(config_path) && (rc = sg_json_read_file(&config, config_path, err))))
        goto out;
    if (!(rc = sg_tokenizer_from_hf(&m->tokenizer, tokenizer, config, path, err)))
        rc = read_ends(m, err);
out:
    json_object_put(tokenizer);
    json_object_put(config);
    sg_free(path);
    sg_free(config_path);
    return rc;
}

static int load(sg_model *m, sg_error *err)
{
    if (m->tokenizer)
        return SG_OK;
    int rc = m->ckpt->format == SG_FORMAT_HF
                 ? load_hf(m, err)
                 : sg_tokenizer_from_gguf(&m->tokenizer, &m->ckpt->ggufs[0], m->ckpt->path, err);
    if (rc)
        return rc;
    int32_t bos = sg_tokenizer_bos(m->tokenizer);
    if (bos >= m->spec.vocab)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: the tokenizer's BOS id %d is outside the model's vocabulary of %d",
                     m->ckpt->path, bos, m->spec.vocab);
    if (rc) {
        sg_tokenizer_free(m->tokenizer);
        m->tokenizer = NULL;
    }
    return rc;
}

int sg_model_bos(sg_model *m, sg_bos bos, int32_t *id, sg_error *err)
{
    int rc = load(m, err);
    *id = -1;
    if (rc)
        return rc;
    if (bos == SG_BOS_ALWAYS || (bos == SG_BOS_AUTO && sg_tokenizer_adds_bos(m->tokenizer)))
        *id = sg_tokenizer_bos(m->tokenizer);
    if (bos == SG_BOS_ALWAYS && *id < 0)
        return sg_fail(err, SG_ERR_REFUSED, "%s: --bos always, but the tokenizer has no BOS token", m->ckpt->path);
    return SG_OK;
}

int sg_model_encode(sg_model *m, const sg_text *text, sg_tokens *out, sg_error *err)
{
    *out = (sg_tokens){0};
    int rc = load(m, err);
    if (rc)
        return rc;
    if ((rc = sg_tokenizer_encode(m->tokenizer, text->data, text->bytes, &out->ids, &out->n, err)))
        return rc == SG_ERR_FORMAT ? sg_fail_in(err, rc, text->source) : rc;
    for (size_t i = 0; i < out->n; i++)
        if (out->ids[i] < 0 || out->ids[i] >= m->spec.vocab) {
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: the tokenizer gives id %d, but the model's vocabulary has %d",
                         m->ckpt->path, out->ids[i], m->spec.vocab);
            sg_tokens_free(out);
            return rc;
        }
    return SG_OK;
}

bool sg_model_ends(const sg_model *m, int32_t id)
{
    return m->tokenizer && sg_tokenizer_ends(m->tokenizer, id);
}

int sg_tokenize(sg_model *model, const sg_text *text, sg_bos bos, sg_tokens *out, sg_error *err)
{
    int32_t id;
    int rc = sg_model_bos(model, bos, &id, err);
    *out = (sg_tokens){0};
    if (rc || (rc = sg_model_encode(model, text, out, err)) || id < 0)
        return rc;
    int32_t *grown = sg_resize(out->ids, out->n + 1, sizeof *grown);
    if (!grown) {
        sg_tokens_free(out);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the tokens of %s", text->source);
    }
    memmove(grown + 1, grown, out->n * sizeof *grown);
    grown[0] = id;
    out->ids = grown;
    out->n++;
    return SG_OK;
}

void sg_tokens_free(sg_tokens *tokens)
{
    sg_free(tokens->ids);
    *tokens = (sg_tokens){0};
}

const char *sg_token_spelling(const sg_model *model, int32_t id, size_t *bytes)
{
    return model->tokenizer ? sg_tokenizer_spelling(model->tokenizer, id, bytes) : NULL;
}
