/* The regular expressions of pre-tokenizers, run by PCRE2 so that they match what Oniguruma (HF's `tokenizers`)
 * matches. Constructs that the two engines read differently are rewritten where that is exact, else refused by name. */
#ifndef SG_TOKENIZER_REGEX_H
#define SG_TOKENIZER_REGEX_H

#include "core/error.h"

typedef struct sg_regex sg_regex;     /* immutable: safe from several threads */
typedef struct sg_matcher sg_matcher; /* what one thread needs to match */

/* pattern: Oniguruma's syntax, or plain text to find when literal. what: file and field, for errors. SG_ERR_REFUSED for
 * a construct that we do not translate, SG_ERR_FORMAT for one that does not compile. */
int sg_regex_compile(sg_regex **out, const char *pattern, size_t bytes, bool literal, const char *what, sg_error *err);
void sg_regex_free(sg_regex *regex);

int sg_matcher_create(sg_matcher **out, sg_error *err);
void sg_matcher_free(sg_matcher *matcher);

/* The first match in text (valid UTF-8) at or after `from`: 1 with its span, 0 for none, or an error. Linear in the
 * text for the patterns in use; a pattern that backtracks without end fails with SG_ERR_FORMAT. */
int sg_regex_find(const sg_regex *regex, sg_matcher *matcher, const char *text, size_t bytes, size_t from,
                  size_t *start, size_t *end, sg_error *err);

/* Oniguruma's syntax in PCRE2's; sg_free. (For tests.) */
int sg_regex_translate(char **out, const char *pattern, size_t bytes, const char *what, sg_error *err);

#endif
