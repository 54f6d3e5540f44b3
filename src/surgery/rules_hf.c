/* Hugging Face: what a configuration says by a layer's number, read in transformers' own sources,
 * models/NAME/{configuration,modeling}_NAME.py. Families are config.json's model_type (the inner one of text_config).
 */
#include "surgery/rule.h"

#include "core/mem.h"

/* Families of which the rows below say all that hangs on a layer's number. */
static const char known[] = "llama mistral qwen2 qwen3 gemma gemma2 gemma3_text phi3 olmo2 granite stablelm gpt2 "
                            "gpt_neox starcoder2 mixtral qwen2_moe qwen3_moe olmoe";

#define ROW(who, what, how, ...)                                                                                       \
    {                                                                                                                  \
        .families = who, .key = what, .op = SG_RULE_##how, __VA_ARGS__                                                 \
    }
#define HF(...) ROW(__VA_ARGS__, )
#define EVERY NULL

static const sg_rule rows[] = {
    HF(EVERY, "num_hidden_layers", COUNT),
    HF("gpt2", "n_layer", COUNT),
    /* transformers refuses such lists of another length, whatever the family does with them */
    HF(EVERY, "layer_types", GATHER),
    HF(EVERY, "mlp_layer_types", GATHER),
    HF(EVERY, "per_layer_config", REMAP_KEYS),
    HF("qwen2 qwen3 qwen2_moe gemma2 gemma3_text", "layer_types", WINDOWS),
    HF("qwen2 qwen3 qwen2_moe", "max_window_layers", COUNT_BELOW), /* for readers older than layer_types */
    HF("qwen2_moe qwen3_moe", "mlp_only_layers", REMAP, .with = "decoder_sparse_step"),
    HF("gpt2", "scale_attn_by_inverse_layer_idx", TAIL_IF_TRUE),
};

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

static int refuse(const sg_cut *cut, const sg_rule *rule, sg_error *err)
{
    return rule->op == SG_RULE_TAIL_IF_TRUE ? check_tail(cut, rule, err) : SG_OK;
}

const sg_rule_table sg_rules_hf = {.rows = rows, .n = SG_ARRAY_LEN(rows), .known = known, .refuse = refuse};
