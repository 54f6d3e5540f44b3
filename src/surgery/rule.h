/* A row of the HF rule table (rules_hf.c), and the two formats' tables. GGUF's rows: rule_gguf.h. */
#ifndef SG_SURGERY_RULE_H
#define SG_SURGERY_RULE_H

#include "core/strbuf.h"
#include "surgery/rules.h"

typedef enum sg_operation {
    /* Edits. A key that is absent, or holds another kind of value than said, stays as it is. */
    SG_RULE_COUNT,       /* the number of layers, or `n` times it: becomes that of the survivors */
    SG_RULE_COUNT_BELOW, /* a number of layers from the front (absent: n): the removed ones below it are taken off */
    SG_RULE_COUNT_ABOVE, /* a number of layers from the end: the removed ones among them are taken off */
    SG_RULE_GATHER,      /* a list with an entry for each layer, or a string with a letter: the survivors' stay, in
                          * order. Absent: `absent` says what that means; if the layers differ, it is written out */
    SG_RULE_CYCLE,       /* the same for a list that is repeated up to the number of layers (absent: `letters`) */
    SG_RULE_RUNS,        /* the same for a list of [[words], times]; becomes [[words, one a layer], 1] */
    SG_RULE_REMAP, /* a list of layer numbers (the first layer's: depth): the removed go, the others follow. `step`:
                    * a number s, absent 1: all layers but each s-th belong to the list, too. The list becomes
                    * whole, the number 1. Absent: `absent` says which layers are in it. Those are `yes`, the others
                    * `no` */
    SG_RULE_REMAP_KEYS, /* an object whose keys are layer numbers, perhaps with zeros in front: the same */
    SG_RULE_SCALE,      /* a number that is divided by the square root of the number of layers (absent: `with`) */
    SG_RULE_FIT_PERIOD, /* key and `with`: layer i is special when i % period == offset; a period and an offset that fit
                         * the survivors are looked for. Absent: depth, n. Refused when there are none */
    SG_RULE_FIT_RANGE,  /* the same for ernie4_5_moe's start, end and interval */
    SG_RULE_DROP,       /* the record goes */
    SG_RULE_SLICE,      /* key: the end of a tensor's name, of which dimension `n` has an equal part for each layer:
                         * the survivors' parts stay */

    SG_RULE_TELLS, /* nothing is edited: layers whose attention is not told are `yes` where the value at key, or of a
                    * list the layer's entry, is on (absent: n is not 0), else `no`; "": all are `yes` */

    /* Refusals, decided before anything is edited: what no configuration can express. `with` is the reason. */
    SG_RULE_TAIL,            /* layers can only go from the end */
    SG_RULE_TAIL_IF_TRUE,    /* the same where the key is true */
    SG_RULE_PROTECT,         /* layer n (negative: from the end) stays */
    SG_RULE_PROTECT_WORD,    /* layers whose entry of the list at key is `yes` stay */
    SG_RULE_PROTECT_BELOW,   /* as many of the first layers as key (a path from the file's root) has entries stay */
    SG_RULE_PROTECT_EARLIER, /* of the layers that the list at key numbers (the first layer's: depth), those before one
                              * that stays stay */
    SG_RULE_PROTECT_KV,      /* key: the number of layers at the end that take keys and values from the last layer of
                              * their kind before them; those providers stay */
    SG_RULE_KEEP_LAST,       /* the last survivor's entry of the list at key has to be `yes`: the loader makes it so */
    SG_RULE_KEEP_A_WORD,     /* one layer whose entry is `yes` has to be left */
    SG_RULE_KEEP_SERVED,     /* a layer whose entry is `no` uses what the last one with `yes` before it found */
    SG_RULE_NEEDS_TENSOR,    /* each layer whose entry of the list at key is `yes` must hold the tensor `letters` */
    SG_RULE_REFUSE,          /* no layer can go */
} sg_operation;

/* What it means that a list is absent, for layer i: `yes` when, else `no`. */
typedef enum sg_absent {
    SG_ABSENT_NOTHING,    /* nothing that hangs on i */
    SG_ABSENT_LAST_OF,    /* i is the last of each n. n: from here on the number at `with`, if that is there */
    SG_ABSENT_FIRST_OF,   /* i is the first of each n */
    SG_ABSENT_FROM,       /* i >= n, and i a multiple of the number at `step`, or on in the list there */
    SG_ABSENT_EVEN_BELOW, /* i is even and below n */
    SG_ABSENT_AS,         /* the entry of the list at `with` is neither 0 nor false */
    SG_ABSENT_AS_NOT,     /* it is */
    SG_ABSENT_RESTARTS,   /* cohere2_moe: the last of each period, counted anew behind the first layers */
    SG_ABSENT_INDEXER,    /* glm_moe_dsa: the letter of index_topk_pattern, or each index_topk_freq-th layer */
    SG_ABSENT_LETTERS,    /* letters: once up to a |, then again and again; y and n, or the first of a kind's word */
} sg_absent;

typedef struct sg_rule {
    const char *families; /* the file's words (sg_cut's word) with blanks between them; NULL: every family */
    const char *key;      /* a path with dots */
    sg_operation op;
    const char *with; /* another key, for some operations */
    int depth;
    int n;
    sg_absent absent;
    const char *step, *yes, *no, *letters;
    const char
        *when; /* keys, all of which have to be on (true, not null, not 0) for `yes`; "?key": on also if absent */
    const char *unless; /* a path: where that is there, it says what the list would, and a rule of its own edits it */
    int ends;           /* the last layer's entry is `yes`: 1 where the list is absent, 2 always */
} sg_rule;

/* A format's table. */
typedef struct sg_rule_table {
    const sg_rule *rows;
    size_t n;
    const char *known; /* families of which the rows say all, whether or not they run here */
    /* The check behind a row that refuses. */
    int (*refuse)(const sg_cut *cut, const sg_rule *rule, sg_error *err);
    /* A format's own table of another kind (rule_gguf.h), which then has no rows here; NULL: none. */
    int (*check)(const sg_cut *cut, sg_refusal *by, sg_error *err);
    /* For other families: adds the keys that could hang on a layer's number to a list of "key", "key". NULL: no other
     * family is taken. */
    int (*suspect)(const sg_cut *cut, sg_strbuf *keys, sg_error *err);
} sg_rule_table;

extern const sg_rule_table sg_rules_hf, sg_rules_gguf;

/* Is the word one of the list's, which has blanks between them? */
bool sg_word_listed(const char *words, const char *word);

/* Does the table say all of the cut's family? */
bool sg_rules_know(const sg_cut *cut);

/* The rule behind `last` (NULL: the first) that applies to the cut's model; NULL: none. */
const sg_rule *sg_rule_next(const sg_cut *cut, const sg_rule *last);

static inline bool sg_rule_edits(const sg_rule *rule)
{
    return rule->op < SG_RULE_TAIL;
}

/* How many of the removed layers have a number below n? */
int sg_cut_removed_below(const sg_cut *cut, int64_t n);

/* ---- HF: the configuration as it was ---- */

/* The object that holds the layers' keys: config.json's own, or its text_config and such. */
json_object *sg_cut_config(const sg_cut *cut);
/* The object that holds the path's last key, and that key; NULL: absent. */
json_object *sg_json_holder(json_object *config, const char *path, const char **last);
/* An integer, no further from 0 than INT32_MAX (no number of a layer is); absent where there is none. */
int64_t sg_rule_number(json_object *config, const char *path, int64_t absent);
/* A list's entries, one a layer (a string's letters are words), whether it is there or only meant, runs written out: a
 * new array of plan->layers entries or more. *out NULL: it is neither. json_object_put. */
int sg_rule_entries(const sg_cut *cut, const sg_rule *rule, json_object **out, sg_error *err);
/* Appends an array's element, which may be NULL, again. */
int sg_json_append_same(json_object *to, json_object *element, sg_error *err);
/* The family's GATHER row for the key, which says what its absence means; NULL: none. */
const sg_rule *sg_rule_for(const sg_cut *cut, const char *key);
/* Is entry i of a list that word? */
bool sg_entry_is(json_object *entries, int i, const char *word);

#endif
