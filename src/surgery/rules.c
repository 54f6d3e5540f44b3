/* The rule table, and what it refuses. A family of another shape is more rows here. */
#include "surgery/rule.h"

#include <string.h>

#include "core/mem.h"

/* Families of which the rows below say all that hangs on a layer's number. Read in the loaders' own sources:
 * transformers' models/NAME/{configuration,modeling}_NAME.py, llama.cpp's src/models/NAME.cpp. */
static const char known[] = "llama mistral qwen2 qwen3 gemma gemma2 gemma3_text phi3 olmo2 granite stablelm gpt2 "
                            "gpt_neox starcoder2 mixtral qwen2_moe qwen3_moe olmoe";

#define ROW(in, who, what, how, ...)                                                                                   \
    {                                                                                                                  \
        .format = in, .families = who, .key = what, .op = SG_RULE_##how, __VA_ARGS__                                   \
    }
#define HF(...) ROW(SG_FORMAT_HF, __VA_ARGS__, )
#define GGUF(...) ROW(SG_FORMAT_GGUF, __VA_ARGS__, )
#define EVERY NULL

static const sg_rule rules[] = {
    HF(EVERY, "num_hidden_layers", COUNT), HF("gpt2", "n_layer", COUNT),
    /* transformers refuses such lists of another length, whatever the family does with them */
    HF(EVERY, "layer_types", GATHER), HF(EVERY, "mlp_layer_types", GATHER), HF(EVERY, "per_layer_config", REMAP_KEYS),
    HF("qwen2 qwen3 qwen2_moe gemma2 gemma3_text", "layer_types", WINDOWS),
    HF("qwen2 qwen3 qwen2_moe", "max_window_layers", COUNT_BELOW), /* for readers older than layer_types */
    HF("qwen2_moe qwen3_moe", "mlp_only_layers", REMAP, .with = "decoder_sparse_step"),
    HF("gpt2", "scale_attn_by_inverse_layer_idx", TAIL_IF_TRUE),

    GGUF(EVERY, "%s.block_count", COUNT), GGUF(EVERY, "%s.attention.head_count", GATHER),
    GGUF(EVERY, "%s.attention.head_count_kv", GATHER), GGUF(EVERY, "%s.feed_forward_length", GATHER),
    GGUF(EVERY, "%s.expert_feed_forward_length", GATHER), GGUF(EVERY, "%s.expert_used_count", GATHER),
    GGUF("granite", "%s.deepstack_mapping", GATHER),
    GGUF("gemma2 gemma3_text", "%s.attention.sliding_window_pattern", WINDOWS),
    /* llama.cpp stops at a window that no layer has; Gemma 3 switches it off with 0, Gemma 2 cannot */
    GGUF("gemma3_text", "%s.attention.sliding_window", WINDOW_SIZE),
    GGUF("gemma2", "%s.attention.sliding_window_pattern", KEEP_A_WINDOW),
    GGUF("gemma2", "%s.block_count", SCALE_AT_DEPTH, .depth = 46),
    GGUF("gemma3_text", "%s.block_count", SCALE_AT_DEPTH, .depth = 62),

    GGUF(EVERY, "general.size_label", SIZE_LABEL), GGUF(EVERY, "general.parameter_count", PARAMETERS),
    GGUF(EVERY, "split.*", DROP),    /* one file is written, also from a split set */
    GGUF(EVERY, "shortgpt.*", DROP), /* the composed plan is written behind */
};

/* Is the word one of the list's? */
static bool lists(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

const sg_rule *sg_rule_next(const sg_cut *cut, const sg_rule *last)
{
    for (const sg_rule *r = last ? last + 1 : rules; r < rules + SG_ARRAY_LEN(rules); r++)
        if (r->format == cut->model->ckpt->format && (!r->families || lists(r->families, cut->model->family->name)))
            return r;
    return NULL;
}

bool sg_cut_slides(const sg_cut *cut)
{
    for (int i = 0; i < cut->plan->layers; i++)
        if (cut->model->spec.layers[i].window)
            return true;
    return false;
}

bool sg_cut_still_slides(const sg_cut *cut)
{
    for (size_t i = 0; i < cut->plan->n_keep; i++)
        if (cut->model->spec.layers[cut->plan->keep[i]].window)
            return true;
    return false;
}

int sg_cut_removed_below(const sg_cut *cut, int64_t n)
{
    int below = 0;
    for (size_t i = 0; i < cut->plan->n_remove; i++)
        below += cut->plan->remove[i] < n;
    return below;
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

static int check_tail(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    const sg_plan *plan = cut->plan;
    bool on = false, found;
    int rc = sg_json_get_bool(cut->model->ckpt->config, cut->model->config_path, rule->key, &on, &found, err);
    int last = plan->keep[plan->n_keep - 1], n = sg_cut_removed_below(cut, last);
    if (rc < 0 || !on || n == 0)
        return rc;
    char *inner = sg_layers_format(plan->remove, (size_t)n);
    rc = inner ? sg_fail(err, SG_ERR_REFUSED,
                         "%s: \"%s\" is true, so a layer computes by its number and only the last layers can go; %s of "
                         "the plan lie before layer %d, which stays. As many could go as %d-%d",
                         cut->model->config_path, rule->key, inner, last, plan->layers - (int)plan->n_remove,
                         plan->layers - 1)
               : sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
    sg_free(inner);
    return rc;
}

static int check_depth(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    const sg_model *model = cut->model;
    const sg_layer_spec *first = &model->spec.layers[0], *next = &model->spec.layers[cut->plan->keep[0]];
    int left = (int)cut->plan->n_keep;
    bool arrives = left == rule->depth && model->spec.hidden / next->n_heads != next->head_dim;
    bool leaves = cut->plan->layers == rule->depth && model->spec.hidden / first->n_heads != first->head_dim;
    if (leaves)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: llama.cpp knows family %s's attention scale of 1/sqrt(%d) by its %d layers, and no key "
                       "says it, so no layer of this file can go",
                       model->info.path, model->family->name, model->spec.hidden / first->n_heads, rule->depth);
    if (arrives)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: with %d layers left llama.cpp would scale the attention of family %s by 1/sqrt(%d) instead "
                       "of 1/sqrt(%d), and no key says otherwise; remove one layer more, or one less",
                       model->info.path, left, model->family->name, model->spec.hidden / next->n_heads, next->head_dim);
    return SG_OK;
}

static int check_window(const sg_cut *cut, sg_error *err)
{
    int slides = -1; /* the last such layer, which goes */
    for (size_t i = 0; i < cut->plan->n_remove; i++)
        if (cut->model->spec.layers[cut->plan->remove[i]].window)
            slides = cut->plan->remove[i];
    if (slides < 0 || sg_cut_still_slides(cut))
        return SG_OK;
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: llama.cpp cannot load family %s without a layer of sliding attention, and the plan leaves "
                   "none; keep one, such as %d",
                   cut->model->info.path, cut->model->family->name, slides);
}

int sg_rules_check(const sg_cut *cut, sg_error *err)
{
    const sg_model *model = cut->model;
    if (!lists(known, model->family->name))
        return sg_fail(err, SG_ERR_REFUSED, "%s: what surgery means for family %s in %s is not known here",
                       model->info.path, model->info.family, model->info.format_name);
    int rc = SG_OK;
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));) {
        if (r->op == SG_RULE_TAIL_IF_TRUE)
            rc = check_tail(cut, r, err);
        else if (r->op == SG_RULE_SCALE_AT_DEPTH)
            rc = check_depth(cut, r, err);
        else if (r->op == SG_RULE_KEEP_A_WINDOW)
            rc = check_window(cut, err);
    }
    return rc;
}
