/* Pre-tokenizing: text is cut into words by a sequence of steps, each of which sees one piece of the step before. The
 * steps are data, as HF's tokenizer.json spells them; a GGUF's pre-tokenizer name stands for such a sequence. */
#ifndef SG_TOKENIZER_PRETOKENIZE_H
#define SG_TOKENIZER_PRETOKENIZE_H

#include "tokenizer/regex.h"

/* What becomes of a match and of the text between matches. */
typedef enum sg_behavior {
    SG_REMOVED,              /* the match is dropped */
    SG_ISOLATED,             /* each match is a piece, each text between is one */
    SG_MERGED_WITH_PREVIOUS, /* a match joins the text before it */
    SG_MERGED_WITH_NEXT,     /* a match joins the text behind it */
    SG_CONTIGUOUS,           /* neighbouring matches are one piece */
} sg_behavior;

typedef struct sg_step {
    sg_regex *regex; /* NULL: put a blank in front of a piece that does not begin with one */
    sg_behavior behavior;
    bool invert; /* what does not match counts as the match */
} sg_step;

#define SG_MAX_STEPS 16

typedef struct sg_pretokenizer {
    sg_step steps[SG_MAX_STEPS];
    size_t n;
} sg_pretokenizer;

/* GPT-2's expression: what "ByteLevel" with use_regex means. */
extern const char sg_gpt2_regex[];

/* Each fails with SG_ERR_REFUSED beyond SG_MAX_STEPS; what: file and field. */
int sg_pretokenizer_split(sg_pretokenizer *pre, const char *pattern, size_t bytes, bool literal, sg_behavior behavior,
                          bool invert, const char *what, sg_error *err);
int sg_pretokenizer_prefix_blank(sg_pretokenizer *pre, const char *what, sg_error *err);
void sg_pretokenizer_dispose(sg_pretokenizer *pre);

/* Hands each word of text, in order, to take. A negative result of take stops the work and is returned. */
typedef int (*sg_take_word)(void *user, const char *word, size_t bytes, sg_error *err);
int sg_pretokenize(const sg_pretokenizer *pre, sg_matcher *matcher, const char *text, size_t bytes, sg_take_word take,
                   void *user, sg_error *err);

#endif
