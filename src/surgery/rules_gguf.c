/* GGUF: what metadata says by a layer's number, read in llama.cpp's own sources, src/models/NAME.cpp and
 * src/llama-model.cpp. Families are general.architecture. */
#include "surgery/rule.h"

#include "core/mem.h"

/* Architectures of which the rows below say all that hangs on a layer's number. */
static const char known[] = "llama qwen2 qwen3 gemma gemma2 gemma3 phi3 olmo2 granite stablelm gpt2 gptneox starcoder2 "
                            "qwen2moe qwen3moe olmoe";

#define ROW(who, what, how, ...)                                                                                       \
    {                                                                                                                  \
        .families = who, .key = what, .op = SG_RULE_##how, __VA_ARGS__                                                 \
    }
#define GGUF(...) ROW(__VA_ARGS__, )
#define EVERY NULL

static const sg_rule rows[] = {
    GGUF(EVERY, "%s.block_count", COUNT), GGUF(EVERY, "%s.attention.head_count", GATHER),
    GGUF(EVERY, "%s.attention.head_count_kv", GATHER), GGUF(EVERY, "%s.feed_forward_length", GATHER),
    GGUF(EVERY, "%s.expert_feed_forward_length", GATHER), GGUF(EVERY, "%s.expert_used_count", GATHER),
    GGUF("granite", "%s.deepstack_mapping", GATHER),
    GGUF("gemma2 gemma3", "%s.attention.sliding_window_pattern", WINDOWS),
    /* llama.cpp stops at a window that no layer has; Gemma 3 switches it off with 0, Gemma 2 cannot */
    GGUF("gemma3", "%s.attention.sliding_window", WINDOW_SIZE),
    GGUF("gemma2", "%s.attention.sliding_window_pattern", KEEP_A_WINDOW),
    GGUF("gemma2", "%s.block_count", SCALE_AT_DEPTH, .depth = 46),
    GGUF("gemma3", "%s.block_count", SCALE_AT_DEPTH, .depth = 62),

    GGUF(EVERY, "general.size_label", SIZE_LABEL), GGUF(EVERY, "general.parameter_count", PARAMETERS),
    GGUF(EVERY, "split.*", DROP),    /* one file is written, also from a split set */
    GGUF(EVERY, "shortgpt.*", DROP), /* the composed plan is written behind */
};

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
                       model->info.path, cut->word, model->spec.hidden / first->n_heads, rule->depth);
    if (arrives)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: with %d layers left llama.cpp would scale the attention of family %s by 1/sqrt(%d) instead "
                       "of 1/sqrt(%d), and no key says otherwise; remove one layer more, or one less",
                       model->info.path, left, cut->word, model->spec.hidden / next->n_heads, next->head_dim);
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
                   cut->model->info.path, cut->word, slides);
}

static int refuse(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    if (rule->op == SG_RULE_SCALE_AT_DEPTH)
        return check_depth(cut, rule, err);
    return rule->op == SG_RULE_KEEP_A_WINDOW ? check_window(cut, err) : SG_OK;
}

const sg_rule_table sg_rules_gguf = {.rows = rows, .n = SG_ARRAY_LEN(rows), .known = known, .refuse = refuse};
