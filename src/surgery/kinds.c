/* Kinds of layers, from the same rows that say what surgery edits. The first row that tells of a layer counts. */
#include "surgery/kinds.h"

#include <string.h>

#include "core/mem.h"
#include "model/describe.h"
#include "surgery/rule.h"
#include "surgery/rule_gguf.h"

/* Is nothing told of its attention so far? */
static bool is_vague(const sg_layer_info *layer)
{
    return strncmp(layer->kind, "attention", strlen("attention")) == 0;
}

/* ---- HF ---------------------------------------------------------------------------------------------- */

/* Is a value, or of a list its entry for the layer, neither null, false nor 0? */
static bool is_on(json_object *value, int layer)
{
    return json_object_get_boolean(
        json_object_is_type(value, json_type_array) ? json_object_array_get_idx(value, (size_t)layer) : value);
}

static bool lists(json_object *numbers, int64_t n)
{
    for (size_t i = 0; i < json_object_array_length(numbers); i++) {
        json_object *e = json_object_array_get_idx(numbers, i);
        if (json_object_is_type(e, json_type_int) && json_object_get_int64(e) == n)
            return true;
    }
    return false;
}

/* The rule's word for the layer; NULL: it tells nothing. entries: of its list; there: its key, with the value. */
static const char *word_of(const sg_rule *rule, json_object *entries, bool there, json_object *value, int layer)
{
    if (rule->op == SG_RULE_TELLS)
        return !*rule->key || (there ? is_on(value, layer) : rule->n != 0) ? rule->yes : rule->no;
    if (rule->op == SG_RULE_REMAP && json_object_is_type(value, json_type_array))
        return lists(value, (int64_t)layer + rule->depth) ? rule->yes : rule->no;
    json_object *entry = entries ? json_object_array_get_idx(entries, (size_t)layer) : NULL;
    return json_object_is_type(entry, json_type_string) ? json_object_get_string(entry) : NULL;
}

/* told: [layers], by an earlier row */
static int tell(const sg_cut *cut, const sg_rule *rule, sg_layer_info *layers, bool *told, sg_error *err)
{
    const char *key;
    json_object *holder = sg_json_holder(sg_cut_config(cut), rule->key, &key), *entries = NULL;
    json_object *value = NULL;
    bool there = json_object_is_type(holder, json_type_object) && json_object_object_get_ex(holder, key, &value);
    bool by_list = rule->op != SG_RULE_TELLS && !(rule->op == SG_RULE_REMAP && value);
    if (by_list && sg_rule_entries(cut, rule, &entries, err) == SG_ERR_NOMEM)
        return SG_ERR_NOMEM;
    for (int i = 0; i < cut->plan->layers; i++) {
        const char *word = word_of(rule, entries, there, value, i);
        if (!word || told[i] || (rule->op == SG_RULE_TELLS && !is_vague(&layers[i])))
            continue;
        const char *kind = sg_kind_said(layers[i].kind, word);
        told[i] = kind != NULL;
        layers[i].kind = kind ? kind : layers[i].kind;
    }
    json_object_put(entries);
    return SG_OK;
}

static int find_hf(const sg_cut *cut, sg_layer_info *layers, sg_error *err)
{
    int n = cut->plan->layers, rc = SG_OK;
    int64_t shared = 0;
    bool *told = sg_alloc_zero((size_t)n, sizeof *told);
    if (!told)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the kinds of %d layers", n);
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));) {
        if (r->op == SG_RULE_GATHER || r->op == SG_RULE_CYCLE || r->op == SG_RULE_RUNS || r->op == SG_RULE_TELLS ||
            (r->op == SG_RULE_REMAP && r->yes))
            rc = tell(cut, r, layers, told, err);
        if (r->op == SG_RULE_PROTECT_KV)
            shared = sg_rule_number(sg_cut_config(cut), r->key, r->n);
    }
    for (int i = 0; i < n; i++) {
        if (is_vague(&layers[i]) && sg_rules_know(cut))
            layers[i].kind = sg_kind_said(layers[i].kind, "full_attention");
        if (shared > 0 && shared < n && i >= n - shared)
            layers[i].kind = sg_kind_shared(layers[i].kind);
    }
    sg_free(told);
    return rc;
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

/* The word, as configurations of HF have it, for block i; NULL: nothing tells. */
static const char *block_word(const sg_gguf_cut *g, int i)
{
    bool known = sg_rules_know(g->cut);
    bool windows = sg_gguf_rule_of(g, SG_GGUF_WINDOWS) || sg_gguf_rule_of(g, SG_GGUF_KEEP_A_WINDOW);
    bool recurs = sg_gguf_rule_of(g, SG_GGUF_RECURRENT) || sg_gguf_rule_of(g, SG_GGUF_KEEP_BOTH);
    if (!known && !sg_gguf_cut_find(g, "%s.attention.sliding_window_pattern"))
        return NULL;
    if (recurs && sg_gguf_is_recurrent(g, i))
        return "linear_attention";
    if (sg_gguf_rule_of(g, SG_GGUF_ALL_SLIDE) || ((windows || !known) && sg_gguf_slides(g, i)))
        return strcmp(g->cut->word, "llama4") == 0 ? "chunked_attention" : "sliding_attention";
    return sg_gguf_cut_int(g, "%s.attention.indexer.top_k", 0, 0) > 0 ? "indexed_attention" : "full_attention";
}

/* Does block i read the cache of an earlier one? */
static bool shares_kv(const sg_gguf_cut *g, int i)
{
    int64_t shared = sg_gguf_cut_int(g, "%s.attention.shared_kv_layers", 0, 0);
    if (strcmp(g->cut->word, "gemma3n") == 0) /* by number: see rules_gguf.c */
        return i >= 20;
    return sg_gguf_rule_of(g, SG_GGUF_PROTECT_KV) && shared > 0 && i >= g->blocks - shared;
}

static int find_gguf(const sg_cut *cut, sg_layer_info *layers, sg_error *err)
{
    sg_gguf_cut g;
    int rc = sg_gguf_cut_make(&g, cut, &cut->model->ckpt->ggufs[0], err);
    if (rc < 0)
        return rc == SG_ERR_NOMEM ? rc : SG_OK;
    for (int i = 0; i < cut->plan->layers; i++) {
        const char *word = is_vague(&layers[i]) ? block_word(&g, i) : NULL;
        if (word)
            layers[i].kind = sg_kind_said(layers[i].kind, word);
        if (shares_kv(&g, i))
            layers[i].kind = sg_kind_shared(layers[i].kind);
    }
    sg_gguf_cut_dispose(&g);
    return SG_OK;
}

/* ---- all --------------------------------------------------------------------------------------------- */

int sg_kinds_find(const sg_model *model, sg_layer_info *layers, sg_error *err)
{
    size_t n = (size_t)model->info.layers;
    sg_plan nothing = {.layers = model->info.layers};
    sg_cut cut = {.model = model, .word = sg_cut_word(model), .plan = &nothing};
    if (model->family)
        return SG_OK;
    if (!(cut.to = sg_alloc(n, sizeof *cut.to)))
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the kinds of %zu layers", n);
    for (size_t i = 0; i < n; i++)
        cut.to[i] = (int)i;
    int rc = model->ckpt->format == SG_FORMAT_HF ? find_hf(&cut, layers, err) : find_gguf(&cut, layers, err);
    sg_cut_dispose(&cut);
    return rc;
}
