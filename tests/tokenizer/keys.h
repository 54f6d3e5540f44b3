/* A GGUF file's tokenizer keys, written into memory, with some of them changed. */
#ifndef SG_TEST_KEYS_H
#define SG_TEST_KEYS_H

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/gguf.h"

/* One key: s a string, l a list of strings divided by '|', i a 32-bit integer, b a boolean, n, f and u lists of
 * integers, floats and bytes divided by '|'. */
typedef struct key {
    const char *key;
    char type;
    const char *value;
} key;

static const key good_keys[] = {
    {"tokenizer.ggml.model", 's', "gpt2"},        {"tokenizer.ggml.pre", 's', "gpt-2"},
    {"tokenizer.ggml.tokens", 'l', "a|b|ab|<s>"}, {"tokenizer.ggml.token_type", 'n', "1|1|1|3"},
    {"tokenizer.ggml.merges", 'l', "a b"},        {"tokenizer.ggml.bos_token_id", 'i', "3"},
};

static inline void put_text(FILE *f, const char *text, size_t n)
{
    uint64_t length = n;
    fwrite(&length, 8, 1, f);
    fwrite(text, 1, n, f);
}

static inline void put_u32(FILE *f, uint32_t v)
{
    fwrite(&v, 4, 1, f);
}

static inline void put_key(FILE *f, const key *k)
{
    put_text(f, k->key, strlen(k->key));
    uint64_t count = 1;
    for (const char *p = k->value; *p; p++)
        count += *p == '|';
    switch (k->type) {
    case 's':
        put_u32(f, SG_GGUF_STRING);
        put_text(f, k->value, strlen(k->value));
        return;
    case 'i':
        put_u32(f, SG_GGUF_I32);
        put_u32(f, (uint32_t)atoi(k->value));
        return;
    case 'b':
        put_u32(f, SG_GGUF_BOOL);
        fputc(*k->value - '0', f);
        return;
    default:
        put_u32(f, SG_GGUF_ARRAY);
        put_u32(f, k->type == 'l'   ? SG_GGUF_STRING
                   : k->type == 'f' ? SG_GGUF_F32
                   : k->type == 'u' ? SG_GGUF_U8
                                    : SG_GGUF_I32);
        fwrite(&count, 8, 1, f);
    }
    for (const char *p = k->value; count--; p += strcspn(p, "|") + 1) {
        if (k->type == 'l')
            put_text(f, p, strcspn(p, "|"));
        else if (k->type == 'f')
            fwrite(&(float){strtof(p, NULL)}, 4, 1, f);
        else if (k->type == 'u')
            fputc(atoi(p), f);
        else
            put_u32(f, (uint32_t)atoi(p));
    }
}

/* A GGUF file in memory; free. */
static inline char *build(const key changed[2], size_t *bytes)
{
    char *data = NULL;
    uint64_t n = 0;
    key keys[SG_ARRAY_LEN(good_keys) + 2];
    for (size_t i = 0; i < SG_ARRAY_LEN(good_keys); i++)
        keys[n++] = good_keys[i];
    for (size_t c = 0; c < 2 && changed[c].key; c++) {
        size_t at = 0;
        while (at < n && strcmp(keys[at].key, changed[c].key) != 0)
            at++;
        keys[at] = changed[c];
        n += at == n;
        if (!changed[c].type)
            keys[at] = keys[--n];
    }
    FILE *f = open_memstream(&data, bytes);
    fwrite("GGUF\3\0\0\0\0\0\0\0\0\0\0\0", 1, 16, f);
    fwrite(&n, 8, 1, f);
    for (uint64_t i = 0; i < n; i++)
        put_key(f, &keys[i]);
    while (ftell(f) % 32)
        fputc(0, f);
    fclose(f);
    return data;
}

#endif
