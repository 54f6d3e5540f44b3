/* Unicode's normal forms, and two smaller changes of single characters; the tables are utf8proc's. */
#ifndef SG_TOKENIZER_NORMALFORM_H
#define SG_TOKENIZER_NORMALFORM_H

#include "core/strbuf.h"

typedef enum sg_form { SG_NFC, SG_NFD, SG_NFKC, SG_NFKD } sg_form;

/* Appends to out; text is valid UTF-8. Time is linear but for one long run of marks, whose sorting adds a logarithm. */
int sg_normal_form(sg_form form, const char *text, size_t bytes, sg_strbuf *out, sg_error *err);
void sg_lowercase(const char *text, size_t bytes, sg_strbuf *out);
/* Leaves marks out, also those that take space. */
void sg_strip_accents(const char *text, size_t bytes, sg_strbuf *out);

/* Bytes of the first grapheme cluster of text (n > 0). */
size_t sg_grapheme(const char *text, size_t bytes);

#endif
