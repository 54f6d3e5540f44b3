/* tokenizer.json | 0 | tokenizer_config.json | 0 | a text. Parts may be missing. */
#include "fuzz.h"

#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "tokenizer/tokenizer.h"

/* The part up to the next 0 byte, taken from the front of what is left. */
static sg_str take(const char **data, size_t *size)
{
    const char *end = memchr(*data, 0, *size);
    sg_str part = {*data, end ? (size_t)(end - *data) : *size};
    size_t step = part.bytes + (end != NULL);
    *data += step;
    *size -= step;
    return part;
}

static void encode(const sg_tokenizer *tok, const char *text, size_t bytes)
{
    sg_error err = {0};
    int32_t *ids = NULL;
    size_t n = 0, length;
    if (sg_tokenizer_encode(tok, text, bytes, &ids, &n, &err) == SG_OK)
        for (size_t i = 0; i < n; i++)
            sg_tokenizer_spelling(tok, ids[i], &length);
    sg_free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *rest = (const char *)data;
    if (!size)
        return 0;
    sg_str json = take(&rest, &size), config_json = take(&rest, &size);
    json_object *root = NULL, *config = NULL;
    sg_tokenizer *tok = NULL;
    sg_error err = {0};
    if (sg_json_parse(&root, json.data, json.bytes, "tokenizer.json", &err) == SG_OK) {
        if (config_json.bytes)
            sg_json_parse(&config, config_json.data, config_json.bytes, "tokenizer_config.json", &err);
        if (sg_tokenizer_from_hf(&tok, root, config, "tokenizer.json", &err) == SG_OK) {
            static const char text[] = "  The 3 layers don't\r\n\n turn\t12345 \xc3\xa9 <s></s>";
            encode(tok, text, sizeof text - 1);
            encode(tok, rest, size);
        }
    }
    sg_tokenizer_free(tok);
    json_object_put(root);
    json_object_put(config);
    return 0;
}
