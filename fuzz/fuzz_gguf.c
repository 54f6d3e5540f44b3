/* A .gguf file: its header, each value of it, and the tokenizer that its keys make. */
#include "fuzz.h"

#include "core/mem.h"
#include "tokenizer/tokenizer.h"

static void read_values(const sg_gguf *g)
{
    for (size_t i = 0; i < g->n_kvs; i++) {
        const sg_gguf_kv *kv = &g->kvs[i];
        int64_t whole;
        double real;
        sg_str string, *strings = NULL;
        sg_gguf_find(g, kv->key);
        uint64_t places[] = {0, 1, kv->count - 1, kv->count, UINT64_MAX};
        for (size_t j = 0; j < SG_ARRAY_LEN(places); j++) {
            sg_gguf_get_int(kv, places[j], &whole);
            sg_gguf_get_f64(kv, places[j], &real);
        }
        sg_gguf_get_str(kv, &string);
        if (kv->type == SG_GGUF_ARRAY && kv->element == SG_GGUF_STRING && sg_gguf_get_strings(kv, &strings, NULL) == SG_OK)
            sg_free(strings);
    }
}

static void read_tokenizer(const sg_gguf *g)
{
    static const char text[] = "  The 3 layers don\'t\r\n\n turn\t12345 \xc3\xa9\xe2\x96\x81\xf0\x9f\x99\x82 <s></s><|im_end|> \xe4\xb8\xad\xe6\x96\x87";
    sg_tokenizer *tok = NULL;
    sg_error err = {0};
    int32_t *ids = NULL;
    size_t n = 0, bytes;
    if (sg_tokenizer_from_gguf(&tok, g, "x.gguf", &err))
        return;
    if (sg_tokenizer_encode(tok, text, sizeof text - 1, &ids, &n, &err) == SG_OK)
        for (size_t i = 0; i < n; i++)
            sg_tokenizer_spelling(tok, ids[i], &bytes);
    sg_free(ids);
    sg_tokenizer_free(tok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_gguf g = {0};
    sg_error err = {0};
    if (sg_gguf_parse(&g, data, size, "x.gguf", &err) == SG_OK) {
        read_values(&g);
        read_tokenizer(&g);
    }
    sg_gguf_dispose(&g);
    return 0;
}
