/* Layers are seen from tensor names: the numbered list ("....layers.N.", "blk.N.") that most tensors stand in. */
#include "model/describe.h"

#include <string.h>

#include "core/mem.h"

enum { MAX_LISTS = 32, MAX_LAYERS = 100000 };

typedef struct numbered_list {
    const char *name; /* the first tensor's name, of which the prefix is the list's */
    size_t prefix;    /* bytes, with the dot in front of the number */
    size_t tensors;
    int layers; /* highest number + 1 */
} numbered_list;

/* The first component of a name that is a number; 0: there is none. */
static size_t find_number(const char *name, int *number)
{
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        const char *p = dot + 1;
        int n = 0;
        while (*p >= '0' && *p <= '9' && n < MAX_LAYERS)
            n = 10 * n + (*p++ - '0');
        if (p > dot + 1 && *p == '.' && n < MAX_LAYERS) {
            *number = n;
            return (size_t)(dot + 1 - name);
        }
    }
    return 0;
}

static const numbered_list *longest_list(const sg_checkpoint *ckpt, numbered_list lists[MAX_LISTS])
{
    size_t n = 0;
    const numbered_list *best = NULL;
    for (size_t i = 0; i < ckpt->n_tensors; i++) {
        int number;
        const char *name = ckpt->tensors[i].name;
        size_t prefix = find_number(name, &number), j = 0;
        if (!prefix)
            continue;
        while (j < n && (lists[j].prefix != prefix || strncmp(lists[j].name, name, prefix) != 0))
            j++;
        if (j == MAX_LISTS)
            continue;
        if (j == n)
            lists[n++] = (numbered_list){.name = name, .prefix = prefix};
        lists[j].tensors++;
        lists[j].layers = number + 1 > lists[j].layers ? number + 1 : lists[j].layers;
    }
    for (size_t j = 0; j < n; j++)
        if (!best || lists[j].tensors > best->tensors)
            best = &lists[j];
    return best;
}

/* The first of some keys that is there, in the configuration or its text_config; 0: none. */
static int first_int(const sg_config *c, const char *const *hf, const char *gguf)
{
    sg_config inner = *c;
    int value = 0;
    if (!c->hf)
        return sg_config_int(c, (sg_config_key){NULL, gguf}, 0, INT32_MAX, 0, &value, NULL) ? 0 : value;
    for (int nested = 0; nested < 2 && !value; nested++) {
        inner.hf = nested ? sg_json_get(c->hf, "text_config") : c->hf;
        for (int i = 0; inner.hf && hf[i] && !value; i++)
            if (sg_config_int(&inner, (sg_config_key){hf[i], NULL}, 0, INT32_MAX, 0, &value, NULL))
                value = 0;
    }
    return value;
}

int sg_describe(sg_model *m, const sg_config *c, sg_error *err)
{
    static const char *const hidden[] = {"hidden_size", "n_embd", "d_model", "dim", NULL}, *const vocab[] = {
                                                                                               "vocab_size", NULL};
    static const char *const positions[] = {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", NULL};
    numbered_list lists[MAX_LISTS];
    const numbered_list *best = longest_list(m->ckpt, lists);
    sg_model_spec_dispose(&m->spec);
    m->layer_prefix = best ? sg_strndup(best->name, best->prefix)
                           : sg_strdup(m->ckpt->format == SG_FORMAT_HF ? "model.layers." : "blk.");
    if (!m->layer_prefix)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to describe %s", m->ckpt->path);
    m->spec.n_layers = best ? best->layers : 0;
    m->spec.hidden = first_int(c, hidden, "%s.embedding_length");
    m->spec.max_positions = first_int(c, positions, "%s.context_length");
    m->spec.vocab = first_int(c, vocab, "%s.vocab_size");
    if (!m->spec.vocab && !c->hf) {
        const sg_gguf_kv *tokens = sg_gguf_find(c->gguf, "tokenizer.ggml.tokens");
        m->spec.vocab = tokens && tokens->count < INT32_MAX ? (int)tokens->count : 0;
    }
    return SG_OK;
}
