/* A row of GGUF's rule table (rules_gguf.c), and what its editor (rules_metadata.c) and its checks (refuse_gguf.c)
 * share. All is read from metadata alone, so that a family need not run here. */
#ifndef SG_SURGERY_RULE_GGUF_H
#define SG_SURGERY_RULE_GGUF_H

#include "surgery/rules.h"

typedef enum sg_gguf_operation {
    /* Edits of the record at key. Absent, it stays so, but for those that say what they write. */
    SG_GGUF_COUNT,       /* the number of blocks: becomes that of the survivors */
    SG_GGUF_COUNT_BELOW, /* a number of layers from the front: the removed ones below it are taken off */
    SG_GGUF_COUNT_ABOVE, /* a number of layers from the end: likewise */
    SG_GGUF_GATHER,      /* a list with an entry for each layer, checked by the loader: the survivors' stay, in order */
    SG_GGUF_GATHER_ANY,  /* the same where the loader takes any length: it fills with 0, and ignores what is behind */
    SG_GGUF_REMAP,       /* a list of layer numbers: the removed go, the others follow */
    SG_GGUF_WINDOWS, /* which layers slide: a list is gathered; a period, or nothing (a period of n), is written out */
    SG_GGUF_RECURRENT, /* which layers are recurrent, the others of each period being full: the same. with: the
                        * period's key, absent n */
    SG_GGUF_INDEXERS,  /* GLM 5.2's layers with an indexer: the same; the first 2 have one, then the first of each n */
    SG_GGUF_WINDOW_SIZE, /* the sliding window: 0 when the last sliding layer goes */
    SG_GGUF_DEPTH_SCALE, /* absent: 1.4 / sqrt(layers), written out */
    SG_GGUF_NO_Q_LORA,   /* absent, which the loader forgives at some depths only: 0 is written */
    SG_GGUF_GATING,      /* absent: softmax, or sigmoid at some depths; written out where that differs */
    SG_GGUF_PARAMETERS,  /* an integer: the number of parameters */
    SG_GGUF_SIZE_LABEL,  /* a string such as "135M": the same, rounded; other forms ("8x7B", a name) stay */
    SG_GGUF_OF_TENSORS,  /* names of tensors (the record TENSOR_NAMES), or a list with an entry for each of those names:
                          * the survivors stay, names follow their layers */
    SG_GGUF_DROP,        /* the record goes */

    /* Refusals, decided before anything is edited. why: what hangs on the layer's number. */
    SG_GGUF_REFUSE,         /* no layer can go. with: only in a file that has this tensor */
    SG_GGUF_PROTECT,        /* layer n (negative: from the end of those that are not MTP blocks) stays */
    SG_GGUF_PROTECT_BELOW,  /* the first layers stay, as many as key (NULL: n) says */
    SG_GGUF_PROTECT_LISTED, /* the layers that the list at key numbers stay */
    SG_GGUF_PROTECT_MAPPED, /* the layers whose entry of the list at key is not negative stay */
    SG_GGUF_PROTECT_KV,     /* key: the number of layers at the end that read the cache of the last two before them */
    SG_GGUF_FITS,       /* the last (first: the first) of each n layers, or of as many as key says, is special; with:
                         * only from that number of layers on, which is counted as COUNT_BELOW does */
    SG_GGUF_FITS_GROUP, /* a layer's weights say which of the groups of as many as key says it lies in */
    SG_GGUF_AT_DEPTH,   /* the depth n means something: a cut may not come to it or from it */
    SG_GGUF_FROM_DEPTH, /* depths from n on mean something: a cut may not cross n */
    SG_GGUF_SCALE_AT_DEPTH, /* at depth n attention is scaled by 1/sqrt(hidden / heads), else by 1/sqrt(head size) */
    SG_GGUF_LITE_DEPTHS,    /* deepseek2 reads no q_lora_rank at these depths */
    SG_GGUF_KEEP_A_WINDOW,  /* one sliding layer has to be left */
    SG_GGUF_KEEP_BOTH,      /* one recurrent layer and one with attention have to be left */
    SG_GGUF_KEEP_EACH,      /* one layer has to be left of each value that the list at key has */
    SG_GGUF_KEEP_SERVED, /* a layer whose entry of the list at key is 0 uses what the last other one before it found */
    SG_GGUF_SAME_FIRST,  /* the new layer 0 has to have the heads of the old one: the loader sizes some things by it */

    SG_GGUF_ALL_SLIDE, /* nothing changes, and nothing is refused: every layer with attention slides */
} sg_gguf_operation;

typedef enum sg_gguf_when {
    SG_GGUF_ALWAYS,
    SG_GGUF_IF_WINDOW,        /* attention.sliding_window is there and not 0 */
    SG_GGUF_UNLESS_NO_WINDOW, /* it is not there, or not 0 */
    SG_GGUF_IF_NO_WINDOW,     /* it is there and 0 */
    SG_GGUF_IF_64_DEEP,       /* there are 64 layers */
    SG_GGUF_IF_MILLION,       /* context_length is 1,048,576 or more */
} sg_gguf_when;

typedef struct sg_gguf_rule {
    const char *archs; /* general.architecture's words with blanks between them; NULL: every one */
    const char *key;   /* %s is the architecture, a * at the end stands for any rest; NULL: none */
    sg_gguf_operation op;
    int n;
    bool first;
    sg_gguf_when when;
    const char *with, *why;
} sg_gguf_rule;

/* Tensors that further lists describe. */
#define SG_GGUF_TENSOR_NAMES "general.tensor_extra.name"

/* A cut and the metadata it is made in. MTP blocks (nextn_predict_layers of them) count among the blocks, at the end.
 */
typedef struct sg_gguf_cut {
    const sg_cut *cut;
    const sg_gguf *meta;
    int blocks, trunk; /* with and without the MTP blocks */
    const int *keep;   /* [n_keep] the surviving blocks, also those that this file lacks the tensors of */
    int *own;          /* keep where it is not the plan's */
    int n_keep, trunk_left;
} sg_gguf_cut;

/* SG_ERR_FORMAT: block_count or nextn_predict_layers do not fit the tensors. */
int sg_gguf_cut_make(sg_gguf_cut *g, const sg_cut *cut, const sg_gguf *meta, sg_error *err);
void sg_gguf_cut_dispose(sg_gguf_cut *g);

/* The rule behind `last` (NULL: the first) that applies; NULL: none. */
const sg_gguf_rule *sg_gguf_rule_next(const sg_gguf_cut *g, const sg_gguf_rule *last);
/* The first rule of an operation; NULL: none. */
const sg_gguf_rule *sg_gguf_rule_of(const sg_gguf_cut *g, sg_gguf_operation op);
static inline bool sg_gguf_rule_edits(const sg_gguf_rule *rule)
{
    return rule->op < SG_GGUF_REFUSE;
}

/* The record of a key as rules spell it; NULL: absent. */
const sg_gguf_kv *sg_gguf_cut_find(const sg_gguf_cut *g, const char *key);
/* Its integer, of a list the entry i; absent: when there is none. */
int64_t sg_gguf_cut_int(const sg_gguf_cut *g, const char *key, int i, int64_t absent);

/* What kind of layer is block i of the file? */
bool sg_gguf_slides(const sg_gguf_cut *g, int i);
bool sg_gguf_is_recurrent(const sg_gguf_cut *g, int i);
bool sg_gguf_has_attention(const sg_gguf_cut *g, int i);
bool sg_gguf_has_indexer(const sg_gguf_cut *g, int i);
/* How many kept, or all, blocks of the trunk are of a kind? */
typedef bool sg_gguf_kind(const sg_gguf_cut *g, int i);
int sg_gguf_kept_of(const sg_gguf_cut *g, sg_gguf_kind *kind);
int sg_gguf_all_of(const sg_gguf_cut *g, sg_gguf_kind *kind);

/* Is a deepseek2 of this depth one of which llama.cpp knows that it has no low rank for queries, or that it has
 * sigmoid routers? */
bool sg_gguf_lite_depth(const sg_gguf_cut *g, int depth);
bool sg_gguf_sigmoid_depth(const sg_gguf_cut *g, int depth);

/* Does a rule keep block i from going? */
bool sg_gguf_protects(const sg_gguf_cut *g, const sg_gguf_rule *rule, int i);
/* The check behind a rule that refuses. */
int sg_gguf_refuse(const sg_gguf_cut *g, const sg_gguf_rule *rule, sg_error *err);

#endif
