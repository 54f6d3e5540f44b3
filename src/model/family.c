/* The family table and its look-up. */
#include "model/family.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

static const sg_family *const families[] = { &sg_family_llama };

/* "llama, ..." into buffer */
static void list_families(char *buffer, size_t bytes)
{
    buffer[0] = 0;
    for (size_t i = 0; i < SG_ARRAY_LEN(families); i++) {
        size_t used = strlen(buffer);
        snprintf(buffer + used, bytes - used, "%s%s", i ? ", " : "", families[i]->name);
    }
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
    char *word = NULL, known[256];
    int rc = sg_config_string(c, (sg_config_key){"model_type", "general.architecture"}, &word, err);
    *architecture = NULL;
    if (rc)
        return rc;
    if (!word)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s is missing", c->file, c->hf ? "model_type" : "general.architecture");
    *out = NULL;
    for (size_t i = 0; i < SG_ARRAY_LEN(families); i++)
        if (strcmp(word, c->hf ? families[i]->name : families[i]->gguf) == 0)
            *out = families[i];
    if (!*out) {
        list_families(known, sizeof known);
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: model family \"%s\" is not supported yet; known: %s", c->file, word, known);
    } else {
        rc = c->hf ? hf_architecture(c, word, architecture, err) : SG_OK;
        if (!c->hf) {
            *architecture = word;
            word = NULL;
        }
    }
    sg_free(word);
    return rc;
}
