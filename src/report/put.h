/* The small parts that every table is made of. */
#ifndef SG_REPORT_PUT_H
#define SG_REPORT_PUT_H

#include "core/strbuf.h"

/* The characters of a terminal that shows UTF-8, or their ASCII stand-ins. */
typedef struct sg_glyphs {
    const char *dot;       /* between facts of one line */
    const char *dash;      /* between the ends of an interval, or for "none" */
    const char *interval;  /* heading of half a 95% interval */
    const char *arrow;     /* points at a marked row */
    const char *past;      /* the bar goes on beyond the scale */
    const char *tick;      /* a point of the scale */
    const char *eighth[8]; /* bar ends: nothing, 1/8 ... 7/8 of a column */
    const char *full;      /* one column of bar */
} sg_glyphs;
const sg_glyphs *sg_glyphs_of(const sg_style *style);
/* Colours of a style, to put around whole words or lines; all "" without colour. */
typedef struct sg_ink {
    const char *heading, *mark, *end;
} sg_ink;
const sg_ink *sg_ink_of(const sg_style *style);
void sg_put_heading(sg_strbuf *b, const char *s, const sg_style *style); /* a table's first line, and an empty one */
int sg_style_width(const sg_style *style);                               /* 80 when not said, at least 60 */

void sg_put_clean(sg_strbuf *b, const char *s); /* words of a file: control characters, which terminals obey, as '?' */
void sg_put_count(sg_strbuf *b, uint64_t n);    /* 134,515,008 */
void sg_put_bytes(sg_strbuf *b, uint64_t n);    /* 98.4 MB: powers of ten, as disks are sold */
void sg_put_short(sg_strbuf *b, uint64_t n);    /* 134.5 M */
void sg_put_seconds(sg_strbuf *b, double s);    /* 0.42 s, 21.3 s, 3m20s, 2h05m */
void sg_put_change(sg_strbuf *b, double before, double after); /* -7.9%; "-" when there is no before */
void sg_put_layers(sg_strbuf *b, const int *layers, size_t n); /* 3,21-25 */
/* value out of [0, scale] as a bar of at most `columns`, to an eighth of a column where the terminal shows it. */
void sg_put_bar(sg_strbuf *b, double value, double scale, int columns, const sg_glyphs *g);

/* "  key           " in front of a line of facts */
void sg_put_key(sg_strbuf *b, const char *key);
/* The same, padded as by sg_strbuf_pad. */
typedef void sg_put_u64(sg_strbuf *b, uint64_t n);
void sg_put_padded(sg_strbuf *b, sg_put_u64 *put, uint64_t n, int columns);
void sg_put_padded_fixed(sg_strbuf *b, double value, int decimals, int columns);
void sg_put_padded_change(sg_strbuf *b, double before, double after, int columns);

#endif
