/* What no metadata can express: the checks behind the refusing rows of rules_gguf.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"
#include "surgery/rule_gguf.h"

static const char *path_of(const sg_gguf_cut *g)
{
    return g->cut->model->info.path;
}

/* A list of layers for a message; sg_free. NULL: no memory. */
static char *format_marked(const bool *marked, int n)
{
    size_t count = 0;
    int *layers = sg_alloc((size_t)n, sizeof *layers);
    for (int i = 0; layers && i < n; i++)
        if (marked[i])
            layers[count++] = i;
    char *text = layers ? sg_layers_format(layers, count) : NULL;
    sg_free(layers);
    return text;
}

static int no_memory(sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of layers");
}

static bool is_removed(const sg_gguf_cut *g, int i)
{
    return i < g->cut->plan->layers && g->cut->to[i] < 0;
}

/* ---- layers that stay -------------------------------------------------------------------------------- */

static bool lists(const sg_gguf_kv *kv, int layer)
{
    int64_t value;
    for (uint64_t i = 0; kv && kv->type == SG_GGUF_ARRAY && i < kv->count; i++)
        if (sg_gguf_get_int(kv, i, &value) && value == layer)
            return true;
    return false;
}

/* How many layers at the end have none of their own. */
static int64_t sharing(const sg_gguf_cut *g, const char *key)
{
    int64_t n = sg_gguf_cut_int(g, key, 0, 0);
    return n > 0 ? n : 0;
}

/* Is i one of the last two layers that have keys and values of their own, where others read them? */
static bool provides_kv(const sg_gguf_cut *g, const char *key, int i)
{
    int64_t shared = sharing(g, key), own = g->blocks - shared, readers = 0;
    for (int k = 0; k < g->n_keep; k++)
        readers += g->keep[k] >= own;
    return shared > 0 && readers && (i == own - 1 || i == own - 2);
}

bool sg_gguf_protects(const sg_gguf_cut *g, const sg_gguf_rule *rule, int i)
{
    switch (rule->op) {
    case SG_GGUF_REFUSE:
        return !rule->with || sg_checkpoint_find(g->cut->model->ckpt, rule->with);
    case SG_GGUF_PROTECT:
        return i == (rule->n < 0 ? g->trunk + rule->n : rule->n);
    case SG_GGUF_PROTECT_BELOW:
        return i < (rule->key ? sg_gguf_cut_int(g, rule->key, 0, 0) : rule->n);
    case SG_GGUF_PROTECT_LISTED:
        return lists(sg_gguf_cut_find(g, rule->key), i);
    case SG_GGUF_PROTECT_MAPPED:
        return sg_gguf_cut_int(g, rule->key, i, -1) >= 0;
    case SG_GGUF_PROTECT_KV:
        return provides_kv(g, rule->key, i);
    default:
        return false;
    }
}

static int check_protected(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    static const char kv[] = "later layers read its keys and values";
    const sg_plan *plan = g->cut->plan;
    bool *stays = sg_alloc_zero((size_t)plan->layers, sizeof *stays);
    int first = -1, rc = SG_OK;
    if (!stays)
        return no_memory(err);
    for (int i = 0; i < plan->layers; i++) {
        stays[i] = sg_gguf_protects(g, rule, i);
        if (stays[i] && is_removed(g, i) && first < 0)
            first = i;
    }
    if (rule->op == SG_GGUF_REFUSE && first >= 0)
        rc = sg_fail(err, SG_ERR_REFUSED, "%s: no layer of family %s can go: %s", path_of(g), g->cut->word, rule->why);
    else if (first >= 0) {
        char *list = format_marked(stays, plan->layers);
        rc = list ? sg_fail(err, SG_ERR_REFUSED, "%s: layer %d of family %s has to stay: %s; all such layers: %s",
                            path_of(g), first, g->cut->word, rule->why ? rule->why : kv, list)
                  : no_memory(err);
        sg_free(list);
    }
    sg_free(stays);
    return rc;
}

/* gemma4: the loader stops below two layers with a cache of their own. */
static int check_kv(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    int64_t shared = sharing(g, rule->key);
    int own = 0, rc = check_protected(g, rule, err);
    for (int k = 0; k < g->n_keep; k++)
        own += g->keep[k] < g->blocks - shared;
    if (rc == SG_OK && own < 2)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: llama.cpp wants two layers of family %s with keys and values of their own, and the plan "
                       "leaves %d",
                       path_of(g), g->cut->word, own);
    return rc;
}

/* ---- patterns ---------------------------------------------------------------------------------------- */

/* The layers of every period that a removed one lies in: without all of them the rest keeps its places. */
static void mark_periods(const sg_gguf_cut *g, int period, bool *marked)
{
    for (int i = 0; i < g->trunk; i++)
        for (int k = i / period * period; k < g->trunk && k < (i / period + 1) * period; k++)
            marked[i] = marked[i] || is_removed(g, k);
}

/* The removed layers whose period does not go as a whole. */
static void mark_breaking(const sg_gguf_cut *g, int period, bool *marked)
{
    for (int i = 0; i < g->trunk; i++) {
        int end = (i / period + 1) * period;
        marked[i] = false;
        for (int k = i / period * period; is_removed(g, i) && k < end && k < g->trunk; k++)
            marked[i] = marked[i] || !is_removed(g, k);
    }
}

static int refuse_pattern(const sg_gguf_cut *g, const sg_gguf_rule *rule, int period, sg_error *err)
{
    size_t n = (size_t)g->trunk;
    bool *marked = sg_alloc_zero(n, sizeof *marked), whole = true;
    if (!marked)
        return no_memory(err);
    mark_breaking(g, period, marked);
    char *breaking = format_marked(marked, g->trunk);
    memset(marked, 0, n * sizeof *marked);
    mark_periods(g, period, marked);
    char *periods = format_marked(marked, g->trunk);
    for (size_t i = 0; i < n; i++)
        whole = whole && marked[i];
    int rc =
        breaking && periods
            ? sg_fail(err, SG_ERR_REFUSED,
                      "%s: %s in family %s is said by a layer's number alone, in groups of %d from 0, and without %s "
                      "others would come to such places; any %d in a row can go%s%s",
                      path_of(g), rule->why, g->cut->word, period, breaking, period, whole ? "" : ", such as ",
                      whole ? "" : periods)
            : no_memory(err);
    sg_free(periods);
    sg_free(breaking);
    sg_free(marked);
    return rc;
}

static int check_fits(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    int64_t period = rule->key ? sg_gguf_cut_int(g, rule->key, 0, 0) : rule->n;
    int64_t from = rule->with ? sg_gguf_cut_int(g, rule->with, 0, 0) : 0, now_from = from;
    if (period <= 0 || period > INT32_MAX) /* the loader then has no such layers */
        return SG_OK;
    for (int i = 0; i < g->trunk && i < from; i++)
        now_from -= is_removed(g, i);
    int64_t place = rule->first ? 0 : period - 1;
    for (int to = 0; to < g->trunk_left; to++) {
        bool was = g->keep[to] >= from && g->keep[to] % period == place;
        bool is = to >= now_from && to % period == place;
        if (was != is)
            return refuse_pattern(g, rule, (int)period, err);
    }
    return SG_OK;
}

static int check_group(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    int64_t group = sg_gguf_cut_int(g, rule->key, 0, 0);
    for (int to = 0; group > 0 && to < g->trunk_left; to++)
        if (g->keep[to] / group != to / group)
            return sg_fail(err, SG_ERR_REFUSED,
                           "%s: %s in family %s hangs on its number, by groups of %lld, and layer %d would become "
                           "layer %d of another group; any of layers %lld-%d can go",
                           path_of(g), rule->why, g->cut->word, (long long)group, g->keep[to], to,
                           (long long)((g->trunk - 1) / group * group), g->trunk - 1);
    return SG_OK;
}

/* ---- depths ------------------------------------------------------------------------------------------ */

static int check_at_depth(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    if (g->trunk == rule->n && g->trunk_left != rule->n)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: llama.cpp knows %s of family %s by its %d layers, and no key says it, so no layer of this "
                       "file can go",
                       path_of(g), rule->why, g->cut->word, rule->n);
    if (g->trunk != rule->n && g->trunk_left == rule->n)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: with %d layers left llama.cpp would take it for the model of family %s with %s; remove one "
                       "layer more, or one less",
                       path_of(g), rule->n, g->cut->word, rule->why + strlen("that "));
    return SG_OK;
}

static int check_from_depth(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    if (g->trunk < rule->n || g->trunk_left >= rule->n)
        return SG_OK;
    return sg_fail(
        err, SG_ERR_REFUSED,
        "%s: llama.cpp knows %s in family %s by its having %d layers or more, and no key says it; at most %d "
        "of %d can go",
        path_of(g), rule->why, g->cut->word, rule->n, g->trunk - rule->n, g->trunk);
}

static int check_scale_at_depth(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    static const char heads[] = "%s.attention.head_count", size[] = "%s.attention.key_length";
    int64_t hidden = sg_gguf_cut_int(g, "%s.embedding_length", 0, 0);
    int64_t old_heads = sg_gguf_cut_int(g, heads, 0, 0), new_heads = sg_gguf_cut_int(g, heads, g->keep[0], 0);
    if (old_heads < 1 || new_heads < 1 || g->trunk == g->trunk_left)
        return SG_OK;
    int64_t old_scale = hidden / old_heads, new_scale = hidden / new_heads;
    int64_t old_size = sg_gguf_cut_int(g, size, 0, old_scale), new_size = sg_gguf_cut_int(g, size, 0, new_scale);
    if (g->trunk == rule->n && old_scale != old_size)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: llama.cpp knows family %s's attention scale of 1/sqrt(%lld) by its %d layers, and no key "
                       "says it, so no layer of this file can go",
                       path_of(g), g->cut->word, (long long)old_scale, rule->n);
    if (g->trunk_left == rule->n && new_scale != new_size)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: with %d layers left llama.cpp would scale the attention of family %s by 1/sqrt(%lld) "
                       "instead of 1/sqrt(%lld), and no key says otherwise; remove one layer more, or one less",
                       path_of(g), rule->n, g->cut->word, (long long)new_scale, (long long)new_size);
    return SG_OK;
}

static int check_lite_depth(const sg_gguf_cut *g, sg_error *err)
{
    if (!sg_gguf_cut_int(g, "%s.attention.q_lora_rank", 0, 0) || sg_gguf_lite_depth(g, g->trunk) ||
        !sg_gguf_lite_depth(g, g->trunk_left))
        return SG_OK;
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: with %d layers left llama.cpp would take it for a model of family %s whose queries have no low "
                   "rank, and not load it; remove two layers more, or two less",
                   path_of(g), g->trunk_left, g->cut->word);
}

/* ---- kinds ------------------------------------------------------------------------------------------- */

static int need_one(const sg_gguf_cut *g, sg_gguf_kind *kind, const char *what, sg_error *err)
{
    if (!sg_gguf_all_of(g, kind) || sg_gguf_kept_of(g, kind))
        return SG_OK;
    int last = g->blocks - 1;
    while (last > 0 && !kind(g, last))
        last--;
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: llama.cpp cannot run family %s without a layer of %s, and the plan leaves none; keep one, such "
                   "as %d",
                   path_of(g), g->cut->word, what, last);
}

static int check_both(const sg_gguf_cut *g, sg_error *err)
{
    int rc = need_one(g, sg_gguf_is_recurrent, "the recurrent kind", err);
    return rc == SG_OK ? need_one(g, sg_gguf_has_attention, "attention", err) : rc;
}

static int check_each(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    for (int i = 0; i < g->trunk; i++) {
        int64_t value = sg_gguf_cut_int(g, rule->key, i, -1);
        int left = 0;
        for (int to = 0; to < g->trunk_left; to++)
            left += sg_gguf_cut_int(g, rule->key, g->keep[to], -1) == value;
        if (!left)
            return sg_fail(err, SG_ERR_REFUSED,
                           "%s: the caches of family %s are made for each ratio in attention.compress_ratios, and the "
                           "plan leaves no layer with %lld; keep one, such as %d",
                           path_of(g), g->cut->word, (long long)value, i);
    }
    return SG_OK;
}

/* Of layers that use what an earlier one found: that one, -1: none. */
static int server_of(const sg_gguf_cut *g, int i)
{
    while (--i >= 0 && !(sg_gguf_has_indexer(g, i) && sg_gguf_has_attention(g, i)))
        ;
    return i;
}

static int check_served(const sg_gguf_cut *g, sg_error *err)
{
    int server = -1; /* among the survivors */
    for (int to = 0; to < g->trunk_left; to++) {
        int i = g->keep[to];
        if (!sg_gguf_has_attention(g, i))
            continue;
        if (sg_gguf_has_indexer(g, i))
            server = i;
        else if (server_of(g, i) != server)
            return sg_fail(err, SG_ERR_REFUSED,
                           "%s: layer %d of family %s attends to what layer %d's indexer selects, so that one cannot "
                           "go without it",
                           path_of(g), i, g->cut->word, server_of(g, i));
    }
    return SG_OK;
}

/* llama.cpp sizes heads and rotary embedding by layer 0, where a key does not say them. */
static int check_first(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    static const char *const sizes[][2] = {
        /* absent, the first is the second's */
        {"%s.rope.dimension_count", "%s.rope.dimension_count_swa"},
        {"%s.attention.key_length", "%s.attention.key_length_swa"},
        {"%s.attention.value_length", "%s.attention.value_length_swa"},
    };
    int first = g->keep[0];
    int64_t was = sg_gguf_cut_int(g, rule->key, 0, 0), is = sg_gguf_cut_int(g, rule->key, first, 0);
    bool by_layer = sg_word_listed("gemma4 step35", g->cut->word); /* these ask for the layer's own */
    bool turns = !by_layer && sg_gguf_slides(g, 0) != sg_gguf_slides(g, first);
    bool bad = was != is && (was == 0 || is == 0);
    for (size_t i = 0; i < SG_ARRAY_LEN(sizes); i++) {
        int64_t full = sg_gguf_cut_int(g, sizes[i][0], 0, 0);
        bad = bad || (i && was != is && !full) || (turns && full != sg_gguf_cut_int(g, sizes[i][1], 0, full));
    }
    if (!bad)
        return SG_OK;
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: llama.cpp sizes the heads of family %s by layer 0, and layer %d, which would become it, is of "
                   "another kind; keep layer 0, or begin with one like it",
                   path_of(g), g->cut->word, first);
}

int sg_gguf_refuse(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err)
{
    switch (rule->op) {
    case SG_GGUF_PROTECT_KV:
        return check_kv(g, rule, err);
    case SG_GGUF_FITS:
        return check_fits(g, rule, err);
    case SG_GGUF_FITS_GROUP:
        return check_group(g, rule, err);
    case SG_GGUF_AT_DEPTH:
        return check_at_depth(g, rule, err);
    case SG_GGUF_FROM_DEPTH:
        return check_from_depth(g, rule, err);
    case SG_GGUF_SCALE_AT_DEPTH:
        return check_scale_at_depth(g, rule, err);
    case SG_GGUF_LITE_DEPTHS:
        return check_lite_depth(g, err);
    case SG_GGUF_KEEP_A_WINDOW:
        return need_one(g, sg_gguf_slides, "sliding attention", err);
    case SG_GGUF_KEEP_BOTH:
        return check_both(g, err);
    case SG_GGUF_KEEP_EACH:
        return check_each(g, rule, err);
    case SG_GGUF_KEEP_SERVED:
        return check_served(g, err);
    case SG_GGUF_SAME_FIRST:
        return check_first(g, rule, err);
    case SG_GGUF_ALL_SLIDE:
        return SG_OK;
    default:
        return check_protected(g, rule, err);
    }
}
