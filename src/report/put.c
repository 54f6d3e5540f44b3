/* Numbers for people, and bars. */
#include "report/put.h"

#include <math.h>

#include "core/mem.h"

static const sg_glyphs utf8_glyphs = {
    .dot = "·",
    .dash = "–",
    .interval = "±95%",
    .arrow = "◀",
    .past = "▶",
    .tick = "╵",
    .full = "█",
    .eighth = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"},
};

static const sg_glyphs ascii_glyphs = {
    .dot = "|",
    .dash = "-",
    .interval = "+-95%",
    .arrow = "<",
    .past = ">",
    .tick = "'",
    .full = "#",
    .eighth = {"", "", "", "", "#", "#", "#", "#"}, /* rounded to whole columns */
};

const sg_glyphs *sg_glyphs_of(const sg_style *style)
{
    return style && style->utf8 ? &utf8_glyphs : &ascii_glyphs;
}

const sg_ink *sg_ink_of(const sg_style *style)
{
    static const sg_ink none = {"", "", ""}, ansi = {"\033[1m", "\033[33m", "\033[0m"};
    return style && style->color ? &ansi : &none;
}

void sg_put_heading(sg_strbuf *b, const char *s, const sg_style *style)
{
    const sg_ink *ink = sg_ink_of(style);
    sg_strbuf_puts(b, ink->heading);
    sg_put_clean(b, s);
    sg_strbuf_puts(b, ink->end);
    sg_strbuf_puts(b, "\n\n");
}

int sg_style_width(const sg_style *style)
{
    int width = style && style->width > 0 ? style->width : 80;
    return width < 60 ? 60 : width;
}

void sg_put_clean(sg_strbuf *b, const char *s)
{
    for (; *s; s++)
        sg_strbuf_add(b, (unsigned char)*s < 0x20 || *s == 0x7f ? "?" : s, 1);
}

void sg_put_count(sg_strbuf *b, uint64_t n)
{
    if (n >= 1000) {
        sg_put_count(b, n / 1000);
        sg_strbuf_printf(b, ",%03u", (unsigned)(n % 1000));
    } else {
        sg_strbuf_printf(b, "%u", (unsigned)n);
    }
}

/* Three or four digits and the unit: 9.84, 98.4, 984.0 */
static void put_scaled(sg_strbuf *b, uint64_t n, const char *const units[], size_t n_units)
{
    double value = (double)n;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < n_units) {
        value /= 1000;
        unit++;
    }
    sg_strbuf_fixed(b, value, unit ? value < 9.995 ? 2 : 1 : 0);
    if (*units[unit])
        sg_strbuf_printf(b, " %s", units[unit]);
}

void sg_put_bytes(sg_strbuf *b, uint64_t n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    put_scaled(b, n, units, SG_ARRAY_LEN(units));
}

void sg_put_short(sg_strbuf *b, uint64_t n)
{
    static const char *const units[] = {"", "K", "M", "B", "T"}; /* B: billion, as models are named */
    put_scaled(b, n, units, SG_ARRAY_LEN(units));
}

void sg_put_seconds(sg_strbuf *b, double s)
{
    if (!(s < 1e9)) {
        sg_strbuf_puts(b, "-");
    } else if (s < 99.95) {
        sg_strbuf_fixed(b, s, s < 0.995 ? 2 : 1);
        sg_strbuf_puts(b, " s");
    } else {
        unsigned long whole = (unsigned long)(s + 0.5);
        if (whole < 3600)
            sg_strbuf_printf(b, "%lum%02lus", whole / 60, whole % 60);
        else
            sg_strbuf_printf(b, "%luh%02lum", whole / 3600, whole / 60 % 60);
    }
}

void sg_put_change(sg_strbuf *b, double before, double after)
{
    double percent = (after / before - 1) * 100;
    if (!(before > 0) || !isfinite(percent)) {
        sg_strbuf_puts(b, "-");
        return;
    }
    bool none = fabs(percent) < 0.05;
    if (percent > 0 && !none)
        sg_strbuf_puts(b, "+");
    sg_strbuf_fixed(b, none ? 0 : percent, fabs(percent) >= 1000 ? 0 : 1);
    sg_strbuf_puts(b, "%");
}

void sg_put_layers(sg_strbuf *b, const int *layers, size_t n)
{
    char *list = sg_layers_format(layers, n);
    if (list)
        sg_strbuf_puts(b, list);
    b->failed |= !list;
    sg_string_free(list);
}

void sg_put_bar(sg_strbuf *b, double value, double scale, int columns, const sg_glyphs *g)
{
    double eighths = scale > 0 && value > 0 ? value / scale * 8 * columns : 0;
    if (!(eighths <= 8.0 * columns)) {
        sg_strbuf_repeat(b, g->full, (size_t)columns - 1);
        sg_strbuf_puts(b, g->past);
        return;
    }
    size_t n = (size_t)lround(eighths);
    sg_strbuf_repeat(b, g->full, n / 8);
    sg_strbuf_puts(b, g->eighth[n % 8]);
}

void sg_put_key(sg_strbuf *b, const char *key)
{
    sg_strbuf_puts(b, "  ");
    sg_strbuf_pad(b, key, 11);
    sg_strbuf_puts(b, " ");
}

/* Moves what part holds into b with padding. */
static void pad_part(sg_strbuf *b, sg_strbuf *part, int columns)
{
    if (part->failed || !part->data)
        b->failed = true;
    else
        sg_strbuf_pad(b, part->data, columns);
    sg_strbuf_free(part);
}

void sg_put_padded(sg_strbuf *b, sg_put_u64 *put, uint64_t n, int columns)
{
    sg_strbuf part = {0};
    put(&part, n);
    pad_part(b, &part, columns);
}

void sg_put_padded_fixed(sg_strbuf *b, double value, int decimals, int columns)
{
    sg_strbuf part = {0};
    sg_strbuf_fixed(&part, value, decimals);
    pad_part(b, &part, columns);
}

void sg_put_padded_change(sg_strbuf *b, double before, double after, int columns)
{
    sg_strbuf part = {0};
    sg_put_change(&part, before, after);
    pad_part(b, &part, columns);
}
