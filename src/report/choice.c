/* What was chosen and why: the table of `plan`. */
#include <math.h>
#include <stdio.h>

#include "core/mem.h"
#include "report/parts.h"
#include "report/report.h"

static void put_head(sg_strbuf *b, const sg_model_info *info, const sg_choice *c, const sg_glyphs *g)
{
    sg_put_model(b, info, g);
    sg_put_key(b, "method");
    sg_strbuf_puts(b, sg_method_name(c->method));
    sg_strbuf_puts(b, "\n");
    if (c->source) {
        sg_put_key(b, "text");
        sg_put_clean(b, c->source);
        sg_strbuf_printf(b, " %s ", g->dot);
        sg_put_count(b, (uint64_t)c->tokens);
        sg_strbuf_printf(b, " tokens in %lld window%s of %d\n", (long long)c->windows, c->windows == 1 ? "" : "s",
                         c->window);
        if (c->seconds > 0) {
            sg_put_key(b, "computed");
            sg_strbuf_puts(b, "in ");
            sg_put_seconds(b, c->seconds);
            sg_strbuf_puts(b, "\n");
        }
    }
    sg_put_key(b, "remove");
    sg_put_layers(b, c->removed, c->n_removed);
    sg_strbuf_puts(b, "\n");
    sg_put_key(b, "why");
    sg_put_clean(b, c->why);
    sg_strbuf_puts(b, "\n");
}

/* A number right-aligned, blank where it is not known. */
static void put_known(sg_strbuf *b, double value, int decimals, int columns)
{
    if (isfinite(value))
        sg_put_padded_fixed(b, value, decimals, -columns);
    else
        sg_strbuf_pad(b, "", columns);
}

static void put_step(sg_strbuf *b, const sg_choice *c, const sg_choice_step *s, const sg_ink *ink, const sg_glyphs *g)
{
    char n[16], unit[16] = "";
    bool last = s->n == (int)c->n_removed;
    snprintf(n, sizeof n, "%d", s->n);
    if (s->unit >= 0)
        snprintf(unit, sizeof unit, "%d", s->unit);
    sg_strbuf_puts(b, last ? ink->mark : "");
    sg_strbuf_pad(b, n, -9);
    sg_strbuf_pad(b, unit, -8);
    put_known(b, s->value, 4, 10);
    put_known(b, s->ppl, s->ppl < 1000 ? 2 : 0, 12);
    put_known(b, s->speedup, 2, 9);
    sg_put_padded(b, sg_put_bytes, s->bytes, -13);
    if (last)
        sg_strbuf_printf(b, " %s", g->arrow);
    sg_strbuf_puts(b, last ? ink->end : "");
    sg_strbuf_puts(b, "\n");
}

int sg_report_choice_table(const sg_model_info *info, const sg_choice *c, const sg_style *style, char **out,
                           sg_error *err)
{
    const sg_glyphs *g = sg_glyphs_of(style);
    sg_strbuf b = {0};
    sg_put_heading(&b, "Which layers to remove", style);
    put_head(&b, info, c, g);
    sg_strbuf_puts(&b, "\n  removed   layer     value  perplexity  speedup  tensor data\n");
    const sg_choice_step none = {.unit = -1,
                                 .value = NAN,
                                 .ppl = c->base_ppl,
                                 .bytes = info->bytes,
                                 .speedup = c->n_steps && isfinite(c->steps[0].speedup) ? 1 : NAN};
    put_step(&b, c, &none, sg_ink_of(style), g);
    for (size_t i = 0; i < c->n_steps; i++)
        put_step(&b, c, &c->steps[i], sg_ink_of(style), g);
    sg_strbuf_puts(&b, "\n  value: what the method goes by. perplexity: on the text above.\n");
    return sg_strbuf_finish(&b, out, err);
}
