/* Why layers cannot go, below a table. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/parts.h"

/* Words behind `at` columns already there, onto lines of at most `width`, the later ones indented. */
static void put_wrapped(sg_strbuf *b, const char *text, size_t at, size_t width, int indent)
{
    for (size_t n; *text; text += n + strspn(text + n, " ")) {
        char word[1100]; /* longer than any reason */
        n = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, text);
        size_t columns = sg_utf8_columns(word) + 1;
        if (at + columns > width) {
            sg_strbuf_puts(b, "\n");
            sg_strbuf_pad(b, "", indent - 1);
            at = (size_t)indent - 1;
        }
        sg_strbuf_puts(b, " ");
        sg_put_clean(b, word);
        at += columns;
    }
    sg_strbuf_puts(b, "\n");
}

/* The layers that a cause keeps, and what is said of the first. */
static void put_cause(sg_strbuf *b, const sg_removable *r, int cause, int *layers, size_t width)
{
    size_t n = 0, before = b->n;
    for (int i = 0; i < r->layers; i++)
        if (r->cause[i] == cause)
            layers[n++] = i;
    if (!n)
        return;
    sg_strbuf_printf(b, "  [%d] ", cause + 1);
    sg_put_layers(b, layers, n);
    if (n > 1)
        sg_strbuf_printf(b, " (as of %d)", layers[0]);
    sg_strbuf_puts(b, ":");
    put_wrapped(b, r->why[layers[0]], b->n - before, width, 6);
}

void sg_put_causes(sg_strbuf *b, const sg_removable *removable, const sg_style *style)
{
    int causes = 0;
    for (int i = 0; i < removable->layers; i++)
        causes = removable->cause[i] + 1 > causes ? removable->cause[i] + 1 : causes;
    int *layers = sg_alloc((size_t)removable->layers, sizeof *layers);
    b->failed = b->failed || !layers;
    if (causes)
        sg_strbuf_puts(b, "\n  why layers cannot go:\n");
    for (int cause = 0; layers && cause < causes; cause++)
        put_cause(b, removable, cause, layers, (size_t)sg_style_width(style));
    sg_free(layers);
}
