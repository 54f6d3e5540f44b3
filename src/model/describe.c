/* Layers are seen from tensor names: the numbered list ("....layers.N.", "blk.N.") that is as long as the configuration
 * says; where it says nothing, the one that most tensors stand in. */
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

/* Lists of pictures', sounds' and encoders' layers: only where no other is as long. */
static bool is_tower(const numbered_list *list)
{
    static const char *const words[] = {"vision", "visual", "audio", "image", "encoder"};
    for (size_t i = 0; i < SG_ARRAY_LEN(words); i++) {
        const char *at = strstr(list->name, words[i]);
        if (at && at < list->name + list->prefix)
            return true;
    }
    return false;
}

static size_t find_lists(const sg_checkpoint *ckpt, numbered_list lists[MAX_LISTS])
{
    size_t n = 0;
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
    return n;
}

/* The list that is best among those of at least and at most so many layers. */
static const numbered_list *best_of(const numbered_list *lists, size_t n, int least, int most)
{
    const numbered_list *best = NULL;
    for (size_t j = 0; j < n; j++) {
        const numbered_list *l = &lists[j];
        if (l->layers < least || l->layers > most)
            continue;
        if (!best || (is_tower(best) && !is_tower(l)) || (is_tower(best) == is_tower(l) && l->tensors > best->tensors))
            best = l;
    }
    return best;
}

json_object *sg_config_text(json_object *config)
{
    static const char *const inner[] = {"text_config", "language_config", "llm_config", "thinker_config"};
    for (size_t i = 0; i < SG_ARRAY_LEN(inner); i++) {
        json_object *object = sg_json_get(config, inner[i]);
        if (json_object_is_type(object, json_type_object))
            return sg_config_text(object);
    }
    return config;
}

/* The first of some keys that is there, in the configuration or the decoder's; 0: none. */
static int first_int(const sg_config *c, const char *const *hf, const char *gguf)
{
    sg_config inner = *c;
    int value = 0;
    if (!c->hf)
        return sg_config_int(c, (sg_config_key){NULL, gguf}, 0, INT32_MAX, 0, &value, NULL) ? 0 : value;
    for (int nested = 1; nested >= 0 && !value; nested--) {
        inner.hf = nested ? sg_config_text(c->hf) : c->hf;
        for (int i = 0; inner.hf && hf[i] && !value; i++)
            if (sg_config_int(&inner, (sg_config_key){hf[i], NULL}, 0, INT32_MAX, 0, &value, NULL))
                value = 0;
    }
    return value;
}

/* The number of layers that the list at key is for; 0: there is none. */
static int list_length(const sg_config *c, const char *key)
{
    json_object *list = sg_json_get(sg_config_text(c->hf), key);
    size_t n = json_object_is_type(list, json_type_array)    ? json_object_array_length(list)
               : json_object_is_type(list, json_type_string) ? (size_t)json_object_get_string_len(list)
                                                             : 0;
    return n < MAX_LAYERS ? (int)n : 0;
}

/* Chooses the list of layers and their number: the configuration's, if a list is as long, or longer by layers that
 * predict further tokens. NULL: there is no list. */
static const numbered_list *choose_list(const sg_config *c, const numbered_list *lists, size_t n, int *layers)
{
    static const char *const counts[] = {"num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_blocks"};
    static const char *const entries[] = {"layers_block_type", "hybrid_override_pattern"}; /* nemotron_h counts these */
    enum { N_COUNTS = SG_ARRAY_LEN(counts), N_KEYS = N_COUNTS + SG_ARRAY_LEN(entries), MAX_FURTHER = 8 };
    const numbered_list *best = NULL;
    for (int further = 0; !best && c->hf && further <= MAX_FURTHER; further += MAX_FURTHER)
        for (size_t i = 0; !best && i < N_KEYS; i++) {
            *layers = i < N_COUNTS ? first_int(c, (const char *const[]){counts[i], NULL}, NULL)
                                   : list_length(c, entries[i - N_COUNTS]);
            if (*layers)
                best = best_of(lists, n, *layers, *layers + further);
        }
    if (best)
        return best;
    best = best_of(lists, n, 0, MAX_LAYERS);
    *layers = best ? best->layers : 0;
    return best;
}

int sg_describe(sg_model *m, const sg_config *c, sg_error *err)
{
    static const char *const hidden[] = {"hidden_size", "n_embd", "d_model", "dim", "embedding_dim", NULL},
                             *const vocab[] = {"vocab_size", NULL};
    static const char *const positions[] = {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", NULL};
    numbered_list lists[MAX_LISTS];
    int layers;
    const numbered_list *best = choose_list(c, lists, find_lists(m->ckpt, lists), &layers);
    sg_model_spec_dispose(&m->spec);
    m->layer_prefix = best ? sg_strndup(best->name, best->prefix)
                           : sg_strdup(m->ckpt->format == SG_FORMAT_HF ? "model.layers." : "blk.");
    if (!m->layer_prefix)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to describe %s", m->ckpt->path);
    m->spec.n_layers = layers;
    m->spec.hidden = first_int(c, hidden, "%s.embedding_length");
    m->spec.max_positions = first_int(c, positions, "%s.context_length");
    m->spec.vocab = first_int(c, vocab, "%s.vocab_size");
    if (!m->spec.vocab && !c->hf) {
        const sg_gguf_kv *tokens = sg_gguf_find(c->gguf, "tokenizer.ggml.tokens");
        m->spec.vocab = tokens && tokens->count < INT32_MAX ? (int)tokens->count : 0;
    }
    return SG_OK;
}

const char *sg_describe_twin(const sg_model *m, size_t *prefix)
{
    numbered_list lists[MAX_LISTS];
    size_t n = find_lists(m->ckpt, lists);
    for (size_t i = 0; i < n; i++)
        if (lists[i].layers == m->info.layers && !is_tower(&lists[i]) &&
            strncmp(lists[i].name, m->layer_prefix, lists[i].prefix) != 0) {
            *prefix = lists[i].prefix;
            return lists[i].name;
        }
    return NULL;
}
