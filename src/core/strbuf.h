/* A growing string. Running out of memory is remembered, so that a report is written straight down and checked once,
 * by sg_strbuf_finish. Numbers come out the same in every locale. */
#ifndef SG_CORE_STRBUF_H
#define SG_CORE_STRBUF_H

#include "core/error.h"

typedef struct sg_strbuf { /* all zero: empty */
    char *data;            /* terminated when not NULL */
    size_t n;              /* bytes before the terminator */
    size_t capacity;
    bool failed; /* an addition found no memory; later ones do nothing */
} sg_strbuf;

void sg_strbuf_add(sg_strbuf *b, const char *s, size_t n);
void sg_strbuf_puts(sg_strbuf *b, const char *s);
void sg_strbuf_repeat(sg_strbuf *b, const char *s, size_t times);
/* No %f, %e, %g: their radix is the locale's. */
void sg_strbuf_printf(sg_strbuf *b, const char *format, ...) SG_PRINTF(2, 3);
/* value with that many decimals (0 to 9) and a '.'; NaN and infinity as "-". */
void sg_strbuf_fixed(sg_strbuf *b, double value, int decimals);
/* s, then blanks up to `columns` on a terminal; negative: blanks first, so that s ends on the column. Never cut. */
void sg_strbuf_pad(sg_strbuf *b, const char *s, int columns);

/* Hands the string over (sg_free) and empties b, also on SG_ERR_NOMEM. */
int sg_strbuf_finish(sg_strbuf *b, char **out, sg_error *err);
void sg_strbuf_free(sg_strbuf *b);

/* Columns that UTF-8 text takes on a terminal, one per code point (right for all that our tables print). */
size_t sg_utf8_columns(const char *s);

#endif
