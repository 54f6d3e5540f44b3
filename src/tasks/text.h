/* Text as Python's str methods see it: the harnesses are written in Python, and a blank more or less changes the
 * tokens. All text is valid UTF-8. */
#ifndef SG_TASKS_TEXT_H
#define SG_TASKS_TEXT_H

#include "core/strbuf.h"

typedef struct sg_view { /* part of a string, not terminated */
    const char *data;
    size_t n;
} sg_view;

sg_view sg_view_of(const char *s);
sg_view sg_lstrip(sg_view s); /* str.lstrip(), rstrip(), strip(): Unicode's blanks and the separators 0x1c to 0x1f */
sg_view sg_rstrip(sg_view s);
sg_view sg_strip(sg_view s);
/* The next word of str.split(), and *rest behind it; n is 0 behind the last. */
sg_view sg_next_word(sg_view *rest);
size_t sg_code_points(sg_view s);
/* Bytes before code point i; all bytes when there are fewer. */
size_t sg_code_point_offset(sg_view s, size_t i);

void sg_put_view(sg_strbuf *b, sg_view s);
/* str.replace(): all of b, left to right, not looking again at what was put in. */
void sg_replace(sg_strbuf *b, const char *from, const char *to);
/* str.capitalize(): the first character to title case, all others to lower case, also where that is more than one
 * character, or a sigma that ends a word. */
void sg_put_capitalized(sg_strbuf *b, sg_view s);

#endif
