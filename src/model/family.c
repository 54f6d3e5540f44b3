/* The family table and its look-up. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/nearest.h"
#include "model/families.h"

/* "llama, ..." into buffer */
static void list_families(char *buffer, size_t bytes)
{
    buffer[0] = 0;
    for (size_t i = 0; sg_family_row(i); i++) {
        size_t used = strlen(buffer);
        snprintf(buffer + used, bytes - used, "%s%s", i ? ", " : "", sg_family_row(i)->name);
    }
}

/* "; did you mean ...?" among the format's words */
static const char *hint(char buffer[160], const sg_config *c, const char *word)
{
    const char *words[64];
    size_t n = 0;
    for (size_t i = 0; sg_family_row(i) && n < SG_ARRAY_LEN(words); i++) {
        const char *name = c->hf ? sg_family_row(i)->name : sg_family_row(i)->gguf;
        if (name)
            words[n++] = name;
    }
    return sg_nearest_hint(buffer, "", word, words, n);
}

/* Does the word of config.json or of the GGUF mean this family? Mixtral shares llama's architecture and has experts. */
static bool means(const sg_family *f, const sg_config *c, const char *word, int experts)
{
    if (c->hf)
        return strcmp(word, f->name) == 0;
    return f->gguf && strcmp(word, f->gguf) == 0 && (f->experts == (experts > 0) || strcmp(word, "llama") != 0);
}

const sg_role_row *sg_family_role(const sg_family *family, sg_role role)
{
    for (int g = 0; g < SG_MAX_GROUPS && family->groups[g]; g++)
        for (size_t i = 0; i < family->groups[g]->n; i++)
            if (family->groups[g]->rows[i].role == role)
                return &family->groups[g]->rows[i];
    return NULL;
}

/* architectures[0] of config.json, else model_type. */
static int hf_architecture(const sg_config *c, const char *model_type, char **out, sg_error *err)
{
    json_object *list = sg_json_get(c->hf, "architectures");
    const char *word = model_type;
    if (list && json_object_is_type(list, json_type_array) && json_object_array_length(list) > 0 &&
        json_object_is_type(json_object_array_get_idx(list, 0), json_type_string))
        word = json_object_get_string(json_object_array_get_idx(list, 0));
    *out = sg_strdup(word);
    return *out ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the architecture's name");
}

int sg_family_find(const sg_family **out, const sg_config *c, char **architecture, sg_error *err)
{
    char *word = NULL, known[512], buffer[160];
    int experts = 0, rc = sg_config_string(c, (sg_config_key){"model_type", "general.architecture"}, &word, err);
    *architecture = NULL;
    if (rc)
        return rc;
    *out = NULL;
    if (!word && !c->hf)
        return sg_fail(err, SG_ERR_FORMAT, "%s: general.architecture is missing", c->file);
    if (!word) {
        rc = hf_architecture(c, "not named", architecture, err);
        return rc ? rc : sg_fail(err, SG_ERR_REFUSED, "%s: model_type is missing, which names the family", c->file);
    }
    sg_config with_arch = *c;
    with_arch.arch = word;
    if (!c->hf &&
        (rc = sg_config_int(&with_arch, (sg_config_key){NULL, "%s.expert_count"}, 0, INT32_MAX, 0, &experts, err))) {
        sg_free(word);
        return rc;
    }
    for (size_t i = 0; sg_family_row(i) && !*out; i++)
        if (means(sg_family_row(i), c, word, experts))
            *out = sg_family_row(i);
    *architecture = word;
    if (!*out) {
        list_families(known, sizeof known);
        return sg_fail(err, SG_ERR_REFUSED, "%s: model family \"%s\" does not run here (known: %s)%s", c->file, word,
                       known, hint(buffer, c, word));
    }
    if (!c->hf)
        return SG_OK;
    rc = hf_architecture(c, word, architecture, err);
    sg_free(word);
    return rc;
}
