/* A row of the rule tables (rules_hf.c, rules_gguf.c) and what the two formats' editors share. */
#ifndef SG_SURGERY_RULE_H
#define SG_SURGERY_RULE_H

#include "surgery/rules.h"

typedef enum sg_operation {
    /* Edits. A key that is absent, or holds another kind of value than said, stays as it is. */
    SG_RULE_COUNT,       /* the number of layers: becomes that of the survivors */
    SG_RULE_COUNT_BELOW, /* a number of layers from the front: the removed ones below it are taken off */
    SG_RULE_GATHER,      /* a list with an entry for each layer: the survivors' stay, in order */
    SG_RULE_REMAP,       /* a list of layer numbers: the removed go, the others follow. `with`: a step n, absent 1:
                          * all layers but each n-th belong to the list, too. The list becomes whole, the step 1 */
    SG_RULE_REMAP_KEYS,  /* an object whose keys are layer numbers, perhaps with zeros in front: the same */
    SG_RULE_WINDOWS,     /* which layers slide: gathered when it is a list; absent or a period, the survivors' own
                          * kinds are written, since the default hangs on the layer's number */
    SG_RULE_WINDOW_SIZE, /* the sliding window: 0 when the last sliding layer goes */
    SG_RULE_PARAMETERS,  /* an integer: the number of parameters */
    SG_RULE_SIZE_LABEL,  /* a string such as "135M": the same, rounded; other forms ("8x7B", a name) stay */
    SG_RULE_DROP,        /* the record goes */

    /* Refusals, decided before anything is edited: what no configuration can express. */
    SG_RULE_TAIL_IF_TRUE,   /* the key is true: layers can only go from the end */
    SG_RULE_SCALE_AT_DEPTH, /* at `depth` layers the loader scales attention by 1/sqrt(hidden / heads), else by
                             * 1/sqrt(head size): where these differ, a cut may not come to that depth or from it */
    SG_RULE_KEEP_A_WINDOW,  /* one sliding layer must be left */
} sg_operation;

typedef struct sg_rule {
    const char *families; /* the file's words (sg_cut's word) with blanks between them; NULL: every family */
    const char *key;      /* HF: a path with dots; GGUF: %s is the architecture, a * at the end stands for any rest */
    sg_operation op;
    const char *with; /* another key, for some operations */
    int depth;
} sg_rule;

/* A format's table. */
typedef struct sg_rule_table {
    const sg_rule *rows;
    size_t n;
    const char *known; /* families of which the rows say all, whether or not they run here */
    /* The check behind a row that refuses. */
    int (*refuse)(const sg_cut *cut, const sg_rule *rule, sg_error *err);
    /* A format's own table of another kind (rule_gguf.h), which then has no rows here; NULL: none. */
    int (*check)(const sg_cut *cut, sg_error *err);
} sg_rule_table;

extern const sg_rule_table sg_rules_hf, sg_rules_gguf;

/* Is the word one of the list's, which has blanks between them? */
bool sg_word_listed(const char *words, const char *word);

/* The rule behind `last` (NULL: the first) that applies to the cut's model; NULL: none. */
const sg_rule *sg_rule_next(const sg_cut *cut, const sg_rule *last);

static inline bool sg_rule_edits(const sg_rule *rule)
{
    return rule->op < SG_RULE_TAIL_IF_TRUE;
}

/* Has the model a layer that slides? */
bool sg_cut_slides(const sg_cut *cut);
/* How many of the removed layers have a number below n? */
int sg_cut_removed_below(const sg_cut *cut, int64_t n);

#endif
