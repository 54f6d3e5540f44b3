/* What GGUF's metadata says of each block of a file: how many there are, and of what kind. */
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"
#include "surgery/rule_gguf.h"

const sg_gguf_kv *sg_gguf_cut_find(const sg_gguf_cut *g, const char *key)
{
    const char *word = g->cut->word, *rest = key[0] == '%' ? key + 2 : key;
    size_t n = rest == key ? 0 : strlen(word);
    for (size_t i = 0; i < g->meta->n_kvs; i++) {
        const char *is = g->meta->kvs[i].key;
        if (strncmp(is, word, n) == 0 && strcmp(is + n, rest) == 0)
            return &g->meta->kvs[i];
    }
    return NULL;
}

int64_t sg_gguf_cut_int(const sg_gguf_cut *g, const char *key, int i, int64_t absent)
{
    const sg_gguf_kv *kv = sg_gguf_cut_find(g, key);
    int64_t value;
    bool list = kv && kv->type == SG_GGUF_ARRAY;
    return sg_gguf_get_int(kv, list ? (uint64_t)i : 0, &value) ? value : absent;
}

/* The plan's layers and the MTP blocks behind them. */
static int keep_blocks(sg_gguf_cut *g)
{
    const sg_cut *cut = g->cut;
    g->keep = g->own = sg_alloc((size_t)g->blocks, sizeof *g->own);
    if (!g->own)
        return SG_ERR_NOMEM;
    for (int i = 0; i < g->blocks; i++) {
        if (i < cut->plan->layers && cut->to[i] < 0)
            continue;
        g->own[g->n_keep++] = i;
        g->trunk_left += i < g->trunk;
    }
    return SG_OK;
}

int sg_gguf_cut_make(sg_gguf_cut *g, const sg_cut *cut, const sg_gguf *meta, sg_error *err)
{
    const char *path = cut->model->info.path;
    int layers = cut->plan->layers;
    *g = (sg_gguf_cut){.cut = cut, .meta = meta};
    int64_t blocks = sg_gguf_cut_int(g, "%s.block_count", 0, layers);
    int64_t mtp = sg_gguf_cut_int(g, "%s.nextn_predict_layers", 0, 0);
    if (mtp < 0 || mtp >= blocks)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s.nextn_predict_layers is %lld of %lld blocks", path, cut->word,
                       (long long)mtp, (long long)blocks);
    /* a file made without its MTP blocks may still count them */
    if ((blocks != layers && blocks - mtp != layers) || mtp > layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: %s.block_count is not the number of layers, expected %d, found %lld",
                       path, cut->word, layers, (long long)blocks);
    g->blocks = (int)blocks;
    g->trunk = (int)(blocks - mtp);
    if (blocks == layers) { /* the plan's own list */
        g->keep = cut->plan->keep;
        g->n_keep = (int)cut->plan->n_keep;
        g->trunk_left = g->trunk - sg_cut_removed_below(cut, g->trunk);
    } else if (keep_blocks(g) < 0) {
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", g->blocks);
    }
    if (g->trunk_left)
        return SG_OK;
    sg_gguf_cut_dispose(g);
    return sg_fail(err, SG_ERR_REFUSED, "%s: the plan leaves nothing but the blocks that predict further tokens (MTP)",
                   path);
}

void sg_gguf_cut_dispose(sg_gguf_cut *g)
{
    sg_free(g->own);
    g->own = NULL;
}

/* ---- kinds ------------------------------------------------------------------------------------------- */

/* Is i none of the special ones, which are the last (or first) of each period? A period of 0 has none. */
static bool is_common(int i, int64_t period, bool first)
{
    return period <= 0 || i % period != (first ? 0 : period - 1);
}

/* The entry i of a list, or what a period says, if that applies to i. */
static bool listed_or(const sg_gguf_cut *g, const sg_gguf_kv *kv, int i, bool otherwise)
{
    int64_t value = 0;
    if (!kv || kv->type != SG_GGUF_ARRAY)
        return otherwise && i < g->trunk;
    return sg_gguf_get_int(kv, (uint64_t)i, &value) && value != 0;
}

bool sg_gguf_slides(const sg_gguf_cut *g, int i)
{
    static const char key[] = "%s.attention.sliding_window_pattern";
    const sg_gguf_rule *r = sg_gguf_rule_of(g, SG_GGUF_WINDOWS);
    return listed_or(g, sg_gguf_cut_find(g, key), i, r && is_common(i, sg_gguf_cut_int(g, key, 0, r->n), r->first));
}

/* nemotron_h has layers that are nothing but a feed-forward */
static bool is_feed_forward(const sg_gguf_cut *g, int i)
{
    return sg_word_listed("nemotron_h nemotron_h_moe", g->cut->word) &&
           sg_gguf_cut_int(g, "%s.feed_forward_length", i, 0) != 0;
}

bool sg_gguf_is_recurrent(const sg_gguf_cut *g, int i)
{
    const sg_gguf_rule *r = sg_gguf_rule_of(g, SG_GGUF_RECURRENT);
    if (r)
        return listed_or(g, sg_gguf_cut_find(g, r->key), i, is_common(i, sg_gguf_cut_int(g, r->with, 0, r->n), false));
    return i < g->trunk && sg_gguf_cut_int(g, "%s.attention.head_count_kv", i, 1) == 0 && !is_feed_forward(g, i);
}

bool sg_gguf_has_attention(const sg_gguf_cut *g, int i)
{
    return i < g->trunk && !sg_gguf_is_recurrent(g, i) && !is_feed_forward(g, i);
}

bool sg_gguf_has_indexer(const sg_gguf_cut *g, int i)
{
    const sg_gguf_rule *r = sg_gguf_rule_of(g, SG_GGUF_INDEXERS);
    return listed_or(g, sg_gguf_cut_find(g, "%s.attention.indexer.types"), i,
                     !r || i < 2 || !is_common(i - 2, r->n, true));
}

int sg_gguf_kept_of(const sg_gguf_cut *g, sg_gguf_kind *kind)
{
    int n = 0;
    for (int i = 0; i < g->n_keep; i++)
        n += kind(g, g->keep[i]);
    return n;
}

int sg_gguf_all_of(const sg_gguf_cut *g, sg_gguf_kind *kind)
{
    int n = 0;
    for (int i = 0; i < g->blocks; i++)
        n += kind(g, i);
    return n;
}

/* ---- deepseek2's depths ------------------------------------------------------------------------------ */

static int64_t vocabulary(const sg_gguf_cut *g)
{
    const sg_gguf_kv *tokens = sg_gguf_find(g->meta, "tokenizer.ggml.tokens");
    return sg_gguf_cut_int(g, "%s.vocab_size", 0, tokens ? (int64_t)tokens->count : 0);
}

bool sg_gguf_lite_depth(const sg_gguf_cut *g, int depth)
{
    return depth == 26 || depth == 27 || (depth == 48 && vocabulary(g) == 128256);
}

bool sg_gguf_sigmoid_depth(const sg_gguf_cut *g, int depth)
{
    return (depth == 47 || depth == 48) && vocabulary(g) == 154880;
}
