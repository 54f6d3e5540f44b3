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

typedef enum sg_step_kind {
    SG_STEP_SPLIT,        /* cut at the matches of regex */
    SG_STEP_PREFIX_BLANK, /* put a blank in front of a piece that does not begin with one */
    SG_STEP_METASPACE,    /* blanks become `mark`; one more in front; cut before each */
    SG_STEP_SPELL,        /* write a piece in the byte-level alphabet */
} sg_step_kind;

typedef enum sg_prepend { SG_PREPEND_ALWAYS, SG_PREPEND_FIRST, SG_PREPEND_NEVER } sg_prepend;

typedef struct sg_step {
    sg_step_kind kind;
    sg_regex *regex;
    sg_behavior behavior;
    bool invert;        /* what does not match counts as the match */
    char mark[5];       /* one character */
    sg_prepend prepend; /* of the mark, to a piece that does not begin with it: always, or to the text's first */
    bool cuts;
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
int sg_pretokenizer_metaspace(sg_pretokenizer *pre, const char *mark, sg_prepend prepend, bool cuts, const char *what,
                              sg_error *err);
int sg_pretokenizer_spell(sg_pretokenizer *pre, const char *what, sg_error *err);
void sg_pretokenizer_dispose(sg_pretokenizer *pre);

/* Hands each word of text, in order, to take. A negative result of take stops the work and is returned. head: a piece
 * that begins in so many bytes of text is the whole text's first (0: none is). */
typedef int (*sg_take_word)(void *user, const char *word, size_t bytes, sg_error *err);
int sg_pretokenize(const sg_pretokenizer *pre, sg_matcher *matcher, const char *text, size_t bytes, size_t head,
                   sg_take_word take, void *user, sg_error *err);

#endif
