/* Normalizing: a text is rewritten by a sequence of steps before it is cut into words. The steps are data, as HF's
 * tokenizer.json spells them; what a GGUF's tokenizer does to a text first is one of them. */
#ifndef SG_TOKENIZER_NORMALIZE_H
#define SG_TOKENIZER_NORMALIZE_H

#include "core/strbuf.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/normalform.h"
#include "tokenizer/regex.h"
#include "tokenizer/trie.h"

typedef enum sg_rewrite_kind {
    SG_REWRITE_PREPEND,       /* `to` in front of a text that is not empty */
    SG_REWRITE_PREPEND_AFTER, /* the same, only at the text's beginning and behind an added token (llama.cpp's SPM) */
    SG_REWRITE_REPLACE,       /* `from`, or what the regex matches, by `to` */
    SG_REWRITE_FORM,
    SG_REWRITE_LOWERCASE,
    SG_REWRITE_STRIP, /* blanks at the ends */
    SG_REWRITE_STRIP_ACCENTS,
    SG_REWRITE_CHARSMAP, /* as HF does it: by grapheme, the shortest stretch that the map has */
    SG_REWRITE_UGM,      /* as llama.cpp does it: the longest stretch, then blanks to U+2581 */
} sg_rewrite_kind;

typedef struct sg_rewrite {
    sg_rewrite_kind kind;
    char *from, *to;
    size_t from_bytes, to_bytes;
    sg_regex *regex; /* NULL: from */
    sg_form form;
    bool left, right;   /* STRIP */
    bool prefix, merge; /* UGM: a blank in front; runs of blanks become one */
    sg_charsmap map;    /* may be empty for UGM */
    sg_trie kept;       /* UGM: user-defined tokens */
} sg_rewrite;

#define SG_MAX_REWRITES 16

typedef struct sg_normalizer {
    sg_rewrite steps[SG_MAX_REWRITES];
    size_t n;
} sg_normalizer;

/* A new step, all zero but its kind, or NULL with SG_ERR_REFUSED beyond SG_MAX_REWRITES; what: file and field. Its
 * strings are the normalizer's once they are set (sg_free). */
sg_rewrite *sg_normalizer_add(sg_normalizer *norm, sg_rewrite_kind kind, const char *what, sg_error *err);
int sg_rewrite_set(char **to, size_t *to_bytes, const char *text, size_t bytes, const char *what, sg_error *err);
void sg_normalizer_dispose(sg_normalizer *norm);

/* Rewrites text into *out (sg_strbuf_free, also on failure). after: it stands at the whole text's beginning or behind
 * an added token. *head (NULL ok): so many bytes of out come from text's first character or were put before it; 0: that
 * character is gone. */
int sg_normalize(const sg_normalizer *norm, sg_matcher *matcher, const char *text, size_t bytes, bool after,
                 sg_strbuf *out, size_t *head, sg_error *err);

#endif
