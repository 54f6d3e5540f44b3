/* GGUF: what metadata says by a layer's number, read in llama.cpp's own sources: src/models/NAME.cpp,
 * src/llama-model.cpp and the caches that it makes. Families are general.architecture. */
#include "surgery/rule_gguf.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"

/* Architectures of which the rows below say all that hangs on a layer's number. */
static const char known[] =
    "afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bitnet bloom chameleon chatglm "
    "codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek2-ocr deepseek32 "
    "deepseek4 dots1 dots3note dream ernie4_5 ernie4_5-moe exaone exaone-moe exaone4 falcon falcon-h1 gemma "
    "gemma2 gemma3 gemma3n gemma4 glm-dsa glm4 glm4moe glm5-next gpt-oss gpt2 gptneox granite granite_swa "
    "granitehybrid granitemoe graniteswitch grok grovemoe hrm_text hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 "
    "hy_v4 internlm2 jais jais2 jamba kimi-k3 kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama-embed "
    "llama4 maincoder mamba mamba2 maple mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2 minimax-m3 mistral3 "
    "mistral4 mpt muse-glimmer nanbeige nemotron nemotron_h nemotron_h_moe olmo olmo2 olmoe openelm orion "
    "paddleocr pangu-embedded phi2 phi3 phimoe plamo plamo2 plamo3 plm qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 "
    "qwen35moe qwen3moe qwen3next qwen3vl qwen3vlmoe qwen4exp refact rnd1 rwkv6 rwkv6qwen2 rwkv7 seed_oss "
    "smallthinker smollm3 spark2_5 stablelm starcoder starcoder2 step35 talkie xverse bert clef clip dflash "
    "eagle3 eurobert gemma-embedding gemma4-assistant jina-bert-v2 jina-bert-v3 modern-bert neo-bert nomic-bert "
    "nomic-bert-moe pockettts qwen3tts t5 t5encoder wavtokenizer-dec";

#define GGUF(who, what, how, ...)                                                                                      \
    {                                                                                                                  \
        .archs = who, .key = what, .op = SG_GGUF_##how, __VA_ARGS__                                                    \
    }
#define EVERY NULL
#define WINDOW "%s.attention.sliding_window"
#define PATTERN "%s.attention.sliding_window_pattern"
#define INDEXERS "%s.attention.indexer.types"

static const char by_router[] = "which layers have experts", no_rope[] = "which layers have no rotary embedding",
                  projector[] = "an image projector feeds it by its number";

static const sg_gguf_rule rows[] = {
    GGUF(EVERY, "%s.block_count", COUNT), GGUF(EVERY, "%s.leading_dense_block_count", COUNT_BELOW),
    GGUF("deepseek4", "%s.hash_layer_count", COUNT_BELOW), GGUF(EVERY, "%s.nextn_predict_layers", COUNT_ABOVE),
    GGUF("gemma3n gemma4", "%s.attention.shared_kv_layers", COUNT_ABOVE),

    /* lists with an entry for each layer */
    GGUF(EVERY, "%s.attention.head_count", GATHER), GGUF(EVERY, "%s.attention.head_count_kv", GATHER),
    GGUF(EVERY, "%s.feed_forward_length", GATHER), GGUF(EVERY, "%s.expert_feed_forward_length", GATHER),
    GGUF(EVERY, "%s.expert_used_count", GATHER), GGUF(EVERY, "%s.swiglu_clamp_exp", GATHER),
    GGUF(EVERY, "%s.swiglu_clamp_shexp", GATHER), GGUF("apertus", "xielu.alpha_n", GATHER),
    GGUF("apertus", "xielu.alpha_p", GATHER), GGUF("apertus", "xielu.beta", GATHER),
    GGUF("apertus", "xielu.eps", GATHER), GGUF("qwen4exp", "%s.attention.compress_ratios", GATHER),
    GGUF(EVERY, "%s.attention.compress_ratios", GATHER_ANY), GGUF(EVERY, "%s.attention.rope_pattern", GATHER_ANY),
    GGUF(EVERY, "%s.deepstack_mapping", GATHER_ANY), GGUF("gemma3n", "%s.activation_sparsity_scale", GATHER_ANY),
    GGUF("qwen4exp", "%s.ple.layers", REMAP),

    /* which layers slide */
    GGUF("gemma2 gpt-oss", PATTERN, WINDOWS, .n = 2), GGUF("gemma3n", PATTERN, WINDOWS, .n = 5),
    GGUF("gemma3", PATTERN, WINDOWS, .n = 6, .when = SG_GGUF_IF_WINDOW),
    GGUF("cohere2 exaone-moe muse-glimmer", PATTERN, WINDOWS, .n = 4),
    GGUF("olmo2 afmoe mellum", PATTERN, WINDOWS, .n = 4, .when = SG_GGUF_IF_WINDOW),
    GGUF("llama4", PATTERN, WINDOWS, .n = 4, .when = SG_GGUF_UNLESS_NO_WINDOW),
    GGUF("plamo3", PATTERN, WINDOWS, .n = 8, .when = SG_GGUF_IF_WINDOW),
    GGUF("cohere2moe", PATTERN, WINDOWS, .n = 4, .first = true),
    GGUF("laguna smallthinker", PATTERN, WINDOWS, .n = 4, .first = true, .when = SG_GGUF_IF_WINDOW),
    GGUF("exaone4", PATTERN, WINDOWS, .n = 4, .when = SG_GGUF_IF_64_DEEP), GGUF(EVERY, PATTERN, GATHER_ANY),
    /* llama.cpp stops at a window that no layer has; some can switch it off */
    GGUF("gemma3 olmo2 plamo3 mellum laguna", WINDOW, WINDOW_SIZE),
    GGUF("gemma2 gemma3n gemma4 gpt-oss cohere2 cohere2moe exaone-moe muse-glimmer dots3note granite_swa maple mimo2 "
         "spark2_5 step35",
         NULL, KEEP_A_WINDOW),
    GGUF("afmoe smallthinker", NULL, KEEP_A_WINDOW, .when = SG_GGUF_IF_WINDOW),
    GGUF("llama4", NULL, KEEP_A_WINDOW, .when = SG_GGUF_UNLESS_NO_WINDOW),

    GGUF("lfm2", NULL, ALL_SLIDE, .when = SG_GGUF_IF_WINDOW),

    /* which layers are recurrent, or have an indexer */
    GGUF("qwen3next qwen35 qwen35moe qwen4exp", "%s.attention.recurrent_layers", RECURRENT, .n = 4,
         .with = "%s.full_attention_interval"),
    GGUF("minimax-01", "%s.attention.recurrent_layers", RECURRENT, .n = 8, .with = "%s.full_attention_interval"),
    GGUF(EVERY, "%s.attention.recurrent_layers", GATHER),
    GGUF("jamba granitehybrid lfm2 lfm2moe nemotron_h nemotron_h_moe plamo2 kimi-linear kimi-k3 bailingmoe3 glm5-next "
         "qwen3next qwen35 qwen35moe qwen4exp",
         NULL, KEEP_BOTH),
    GGUF("deepseek4", "%s.attention.compress_ratios", KEEP_EACH),
    GGUF("glm-dsa", INDEXERS, INDEXERS, .n = 4, .when = SG_GGUF_IF_MILLION),
    GGUF("glm-dsa glm5-next hy_v4", INDEXERS, GATHER), GGUF(EVERY, INDEXERS, GATHER_ANY),
    GGUF("glm-dsa glm5-next hy_v4", INDEXERS, KEEP_SERVED),

    /* patterns that no key says */
    GGUF("smollm3 afmoe", NULL, FITS, .n = 4, .why = no_rope),
    GGUF("llama4", NULL, FITS, .n = 4, .when = SG_GGUF_UNLESS_NO_WINDOW, .why = no_rope),
    GGUF("llama4", NULL, PROTECT, .n = -1, .when = SG_GGUF_IF_NO_WINDOW,
         .why = "without windows llama.cpp gives the last layer no rotary embedding"),
    GGUF("smallthinker", NULL, FITS, .n = 4, .first = true, .when = SG_GGUF_IF_WINDOW, .why = no_rope),
    GGUF("llama4", "%s.interleave_moe_layer_step", FITS, .why = by_router),
    GGUF("ernie4_5-moe", "%s.interleave_moe_layer_step", FITS, .with = "%s.leading_dense_block_count",
         .why = by_router),
    GGUF("kimi-k3", "%s.attn_res.block_size", FITS, .first = true, .why = "which layers bank the residual stream"),
    GGUF("rwkv6", "%s.rescale_every_n_layers", FITS_GROUP, .why = "by which power of two its weights are divided"),

    /* depths that stand for a model */
    GGUF("minicpm", "%s.residual_scale", DEPTH_SCALE),
    GGUF("deepseek2 mistral4", "%s.attention.q_lora_rank", NO_Q_LORA),
    GGUF("deepseek2 mistral4", "%s.expert_gating_func", GATING), GGUF("deepseek2 mistral4", NULL, LITE_DEPTHS),
    GGUF("baichuan", NULL, AT_DEPTH, .n = 32, .why = "that its positions are rotary"),
    GGUF("baichuan", NULL, AT_DEPTH, .n = 40, .why = "that its positions are ALiBi's"),
    GGUF("exaone4", NULL, AT_DEPTH, .n = 64, .why = "that it has sliding windows, and layers without rotary embedding"),
    GGUF("command-r", NULL, FROM_DEPTH, .n = 64, .why = "that its queries and keys are normed"),
    GGUF("gemma2", NULL, SCALE_AT_DEPTH, .n = 46), GGUF("gemma3", NULL, SCALE_AT_DEPTH, .n = 62),
    GGUF("minicpm3", NULL, REFUSE, .why = "llama.cpp scales its residuals by 1.4 / sqrt(number of layers)"),
    GGUF("minimax-01", NULL, REFUSE, .why = "a layer's decay is scaled by its number over the number of layers"),
    GGUF("hrm_text", NULL, REFUSE, .why = "its layers run several times, counted by their numbers"),

    /* layers that others need */
    GGUF("rwkv7 arwkv7", NULL, PROTECT, .why = "its values go to all other layers"),
    GGUF("gemma4", "%s.attention.shared_kv_layers", PROTECT_KV),
    GGUF("gemma3n", NULL, PROTECT_BELOW, .n = 20,
         .why =
             "llama.cpp counts 20 layers with keys and values of their own, and 10 that are sparse, by their numbers"),
    GGUF("qwen3vl qwen3vlmoe", "%s.n_deepstack_layers", PROTECT_BELOW, .why = projector),
    GGUF("granite granite_swa", "%s.deepstack_mapping", PROTECT_MAPPED, .why = projector),
    GGUF("qwen4exp", "%s.ple.layers", PROTECT_LISTED, .why = "it alone takes the n-gram embeddings"),
    GGUF(EVERY, "%s.attention.head_count", SAME_FIRST),

    GGUF("t5 t5encoder", NULL, REFUSE, .why = "an encoder and a decoder share the numbers, and one position bias"),
    GGUF("dflash eagle3 gemma4-assistant", NULL, REFUSE, .why = "it drafts for another model, whose layers it names"),
    GGUF("bert clef clip eurobert gemma-embedding jina-bert-v2 jina-bert-v3 modern-bert neo-bert nomic-bert "
         "nomic-bert-moe pockettts qwen3tts wavtokenizer-dec",
         NULL, REFUSE, .why = "it is no language model of decoder layers"),

    GGUF(EVERY, "general.size_label", SIZE_LABEL), GGUF(EVERY, "general.parameter_count", PARAMETERS),
    GGUF(EVERY, "general.tensor_extra.*", OF_TENSORS), /* how precise activations have to be */
    GGUF(EVERY, "split.*", DROP),                      /* written anew where OUT is split */
    GGUF(EVERY, "shortgpt.*", DROP),                   /* the composed plan is written behind */
};

/* ---- walking it -------------------------------------------------------------------------------------- */

static bool holds(const sg_gguf_cut *g, sg_gguf_when when)
{
    bool there = sg_gguf_cut_find(g, WINDOW) != NULL;
    int64_t window = sg_gguf_cut_int(g, WINDOW, 0, 0);
    switch (when) {
    case SG_GGUF_IF_WINDOW:
        return window != 0;
    case SG_GGUF_UNLESS_NO_WINDOW:
        return !there || window != 0;
    case SG_GGUF_IF_NO_WINDOW:
        return there && window == 0;
    case SG_GGUF_IF_64_DEEP:
        return g->trunk == 64;
    case SG_GGUF_IF_MILLION:
        return sg_gguf_cut_int(g, "%s.context_length", 0, 0) >= 1048576;
    case SG_GGUF_ALWAYS:
        break;
    }
    return true;
}

static bool applies(const sg_gguf_cut *g, const sg_gguf_rule *r)
{
    return (!r->archs || sg_word_listed(r->archs, g->cut->word)) && holds(g, r->when);
}

const sg_gguf_rule *sg_gguf_rule_next(const sg_gguf_cut *g, const sg_gguf_rule *last)
{
    for (const sg_gguf_rule *r = last ? last + 1 : rows; r < rows + SG_ARRAY_LEN(rows); r++)
        if (applies(g, r))
            return r;
    return NULL;
}

const sg_gguf_rule *sg_gguf_rule_of(const sg_gguf_cut *g, sg_gguf_operation op)
{
    for (const sg_gguf_rule *r = rows; r < rows + SG_ARRAY_LEN(rows); r++)
        if (r->op == op && applies(g, r))
            return r;
    return NULL;
}

static sg_hold hold_of(const sg_gguf_cut *g, const sg_gguf_rule *rule)
{
    switch (rule->op) {
    case SG_GGUF_FITS:
    case SG_GGUF_FITS_GROUP:
    case SG_GGUF_LITE_DEPTHS:
        return SG_HOLD_SET;
    case SG_GGUF_AT_DEPTH:
    case SG_GGUF_FROM_DEPTH:
    case SG_GGUF_SCALE_AT_DEPTH:
        return g->trunk == rule->n ? SG_HOLD_STAYS : SG_HOLD_SET;
    case SG_GGUF_SAME_FIRST:
        return SG_HOLD_EDGE;
    default:
        return SG_HOLD_STAYS;
    }
}

static int check(const sg_cut *cut, sg_refusal *by, sg_error *err)
{
    sg_gguf_cut g;
    int rc = sg_gguf_cut_make(&g, cut, &cut->model->ckpt->ggufs[0], err);
    for (const sg_gguf_rule *r = rows; rc == SG_OK && r < rows + SG_ARRAY_LEN(rows); r++)
        if (!sg_gguf_rule_edits(r) && applies(&g, r)) {
            *by = (sg_refusal){r, hold_of(&g, r)};
            rc = sg_gguf_refuse(&g, r, err);
        }
    sg_gguf_cut_dispose(&g);
    return rc;
}

/* ---- architectures that are not known ---------------------------------------------------------------- */

/* Does a rule for every architecture edit the key? */
static bool is_edited(const sg_gguf_cut *g, const char *key)
{
    const char *rest = key + strlen(g->cut->word);
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++)
        if (!rows[i].archs && rows[i].key && sg_gguf_rule_edits(&rows[i]) && rows[i].key[0] == '%' &&
            strcmp(rows[i].key + strlen("%s"), rest) == 0)
            return true;
    return false;
}

/* A list with an entry for each layer, or a number whose key speaks of layers. */
static bool is_suspicious(const sg_gguf_cut *g, const sg_gguf_kv *kv)
{
    static const char *const words[] = {"layers", "pattern", "interval", "every", "_step", "period", "depth", "block"};
    size_t n = strlen(g->cut->word);
    int64_t value = 1;
    if (strncmp(kv->key, g->cut->word, n) != 0 || kv->key[n] != '.' || is_edited(g, kv->key))
        return false;
    if (kv->type == SG_GGUF_ARRAY)
        return kv->count == (uint64_t)g->blocks || kv->count == (uint64_t)g->trunk;
    for (size_t i = 0; i < SG_ARRAY_LEN(words); i++)
        if (strstr(kv->key + n, words[i]))
            return !sg_gguf_get_int(kv, 0, &value) || value != 0;
    return false;
}

static int suspect(const sg_cut *cut, sg_strbuf *keys, sg_error *err)
{
    sg_gguf_cut g;
    int rc = sg_gguf_cut_make(&g, cut, &cut->model->ckpt->ggufs[0], err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < g.meta->n_kvs; i++)
        if (is_suspicious(&g, &g.meta->kvs[i]))
            sg_strbuf_printf(keys, "%s%.80s", keys->n ? ", " : "", g.meta->kvs[i].key);
    if (strcmp(cut->model->layer_prefix, "blk.") != 0)
        sg_strbuf_printf(keys, "%stensors %.40sN", keys->n ? ", " : "", cut->model->layer_prefix);
    sg_gguf_cut_dispose(&g);
    return SG_OK;
}

/* What the other half of surgery walks: tensors that hold a part for each layer. */
static const sg_rule slices[] = {
    {.families = "gemma3n gemma4", .key = "per_layer_token_embd.weight", .op = SG_RULE_SLICE, .n = 1},
    {.families = "gemma3n gemma4", .key = "per_layer_model_proj.weight", .op = SG_RULE_SLICE, .n = 0},
};

const sg_rule_table sg_rules_gguf = {
    .rows = slices, .n = SG_ARRAY_LEN(slices), .known = known, .check = check, .suspect = suspect};
