/* Charts as SVG. Coordinates are of a drawing 480 wide, which the page scales. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/html.h"

enum { WIDTH = 480, ROW = 20, SHIFT = 5 };

static const char *const inks[] = {"var(--a)", "var(--b)", "var(--c)", "var(--d)", "var(--e)", "var(--f)"};
enum { N_INKS = sizeof inks / sizeof *inks };

static void put(sg_strbuf *b, const char *before, double value)
{
    sg_strbuf_puts(b, before);
    sg_strbuf_fixed(b, value, 1);
}

static void begin(sg_strbuf *b, const char *title, const char *description, double height)
{
    put(b, "<figure><svg role=\"img\" viewBox=\"0 0 480 ", height);
    sg_strbuf_puts(b, "\">\n<title>");
    sg_html_text(b, title);
    sg_strbuf_puts(b, "</title>\n<desc>");
    sg_html_text(b, description);
    sg_strbuf_puts(b, "</desc>\n");
}

static void end(sg_strbuf *b, const char *title, const char *description)
{
    sg_strbuf_puts(b, "</svg>\n<figcaption><strong>");
    sg_html_text(b, title);
    sg_strbuf_puts(b, ".</strong> ");
    sg_html_text(b, description);
    sg_strbuf_puts(b, "</figcaption></figure>\n");
}

static void put_line(sg_strbuf *b, double x1, double y1, double x2, double y2, const char *stroke)
{
    put(b, "<path d=\"M", x1);
    put(b, " ", y1);
    put(b, "L", x2);
    put(b, " ", y2);
    sg_strbuf_printf(b, "\" %s/>\n", stroke);
}

static void open_text(sg_strbuf *b, double x, double y, const char *anchor, const char *more)
{
    put(b, "<text x=\"", x);
    put(b, "\" y=\"", y);
    sg_strbuf_printf(b, "\" text-anchor=\"%s\"%s>", anchor, more);
}

/* A series' mark: its shape tells it apart where colour does not. */
static void put_mark(sg_strbuf *b, double x, double y, int series)
{
    static const char *const shapes[] = {"M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
                                         "M-4 -4H4V4H-4Z",
                                         "M0 -5L5 4H-5Z",
                                         "M0 -5L5 0L0 5L-5 0Z",
                                         "M0 5L5 -4H-5Z",
                                         "M-5 -2H5V2H-5Z"};
    put(b, "<path transform=\"translate(", x);
    put(b, " ", y);
    sg_strbuf_printf(b, ")\" d=\"%s\" fill=\"%s\"/>\n", shapes[series % N_INKS], inks[series % N_INKS]);
}

static void put_legend(sg_strbuf *b, const char *const *series, int n, double x, double y)
{
    for (int i = 0; i < n; i++) {
        put_mark(b, x + 8, y - 4, i);
        open_text(b, x + 18, y, "start", "");
        sg_html_text(b, series[i]);
        sg_strbuf_puts(b, "</text>\n");
        y += 18;
    }
}

/* ---- scales ---------------------------------------------------------------------------------------------- */

typedef struct scale {
    double low, high, from, to; /* values, coordinates */
    bool log;
} scale;

static double at(const scale *s, double v)
{
    double part = s->log ? (log(v) - log(s->low)) / (log(s->high) - log(s->low)) : (v - s->low) / (s->high - s->low);
    return s->from + part * (s->to - s->from);
}

static bool has_place(const scale *s, double v)
{
    return isfinite(v) && (!s->log || v > 0);
}

/* Widens to what is there; then to round ends. */
static void take(scale *s, double v)
{
    if (!has_place(s, v))
        return;
    s->low = v < s->low ? v : s->low;
    s->high = v > s->high ? v : s->high;
}

/* Ticks: 1, 2, 5 times powers of ten within the scale, at most about six; even steps where those are too few. */
static size_t ticks(const scale *s, double *out, size_t room)
{
    size_t n = 0;
    if (s->log) {
        static const double digits[] = {1, 2, 5};
        double decades = log10(s->high / s->low);
        for (double power = pow(10, floor(log10(s->low))); power <= s->high * 1.001 && n < room; power *= 10)
            for (size_t i = 0; i < (decades > 2 ? 1 : 3) && n < room; i++)
                if (digits[i] * power >= s->low * 0.999 && digits[i] * power <= s->high * 1.001)
                    out[n++] = digits[i] * power;
        if (n > 2)
            return n;
        n = 0;
    }
    double span = s->high - s->low, step = pow(10, floor(log10(span / 4)));
    step *= span / step > 20 ? 5 : span / step > 8 ? 2 : 1;
    for (double v = ceil(s->low / step - 1e-9) * step; v <= s->high + step * 1e-9 && n < room; v += step)
        out[n++] = v;
    return n;
}

static void round_ends(scale *s)
{
    if (!(s->low <= s->high)) /* nothing was there */
        s->low = s->log ? 0.1 : 0, s->high = 1;
    if (s->log) {
        s->low *= 0.85;
        s->high *= 1.15;
    } else {
        double room = s->high > s->low ? (s->high - s->low) * 0.08 : fabs(s->low) * 0.1 + 0.1;
        s->low -= room;
        s->high += room;
    }
}

/* A tick: no zeros at the end. */
static void put_value(sg_strbuf *b, double v)
{
    size_t start = b->n;
    bool millions = fabs(v) >= 1e6, thousands = fabs(v) >= 1e4;
    sg_strbuf_fixed(b, millions ? v * 1e-6 : thousands ? v * 1e-3 : v, 6);
    while (!b->failed && b->n > start && b->data[b->n - 1] == '0')
        b->n--;
    if (!b->failed && b->n > start && b->data[b->n - 1] == '.')
        b->n--;
    sg_strbuf_puts(b, millions ? "M" : thousands ? "k" : "");
}

/* ---- dots -------------------------------------------------------------------------------------------------- */

static void put_interval(sg_strbuf *b, const scale *x, const sg_mark *m, double y, int series)
{
    if (!has_place(x, m->low) || !has_place(x, m->high))
        return;
    char stroke[80];
    snprintf(stroke, sizeof stroke, "stroke=\"%s\" stroke-width=\"2\" fill=\"none\"", inks[series % N_INKS]);
    put_line(b, at(x, m->low), y, at(x, m->high), y, stroke);
}

/* Room for the marks of all series, SHIFT apart. */
static double row_height(const sg_dots_chart *c)
{
    return c->n_series * SHIFT > ROW ? c->n_series * SHIFT + 4 : ROW;
}

static void put_row(sg_strbuf *b, const sg_dots_chart *c, const scale *x, int row, double top, double left)
{
    double y = top + (row + 0.5) * row_height(c);
    open_text(b, left - 8, y + 4, "end", c->strong && c->strong[row] ? " class=\"strong\"" : "");
    sg_html_label(b, c->labels[row], 22);
    sg_strbuf_puts(b, "</text>\n");
    put_line(b, left, y, WIDTH - 12, y, "class=\"grid\" stroke-dasharray=\"1 3\"");
    sg_strbuf_puts(b, "<g><title>");
    sg_html_text(b, c->labels[row]);
    for (int s = 0; s < c->n_series; s++) {
        sg_strbuf_puts(b, s ? "; " : ": ");
        sg_html_text(b, c->series[s]);
        sg_strbuf_puts(b, " ");
        sg_strbuf_fixed(b, c->marks[s * c->n_rows + row].value, c->decimals);
    }
    sg_strbuf_puts(b, "</title>\n");
    for (int s = 0; s < c->n_series; s++) {
        const sg_mark *m = &c->marks[s * c->n_rows + row];
        double shift = c->n_series > 1 ? (s - (c->n_series - 1) / 2.0) * SHIFT : 0;
        put_interval(b, x, m, y + shift, s);
        if (has_place(x, m->value))
            put_mark(b, at(x, m->value), y + shift, s);
    }
    sg_strbuf_puts(b, "</g>\n");
}

void sg_svg_dots(sg_strbuf *b, const sg_dots_chart *c)
{
    size_t longest = 0;
    for (int i = 0; i < c->n_rows; i++)
        longest = strlen(c->labels[i]) > longest ? strlen(c->labels[i]) : longest;
    longest = longest > 22 ? 22 : longest;
    double left = 16 + 7.5 * (double)longest, legend = c->n_series > 1 ? 18 * c->n_series + 4 : 0, top = legend + 4,
           bottom = top + c->n_rows * row_height(c), values[16];
    scale x = {.low = INFINITY, .high = -INFINITY, .from = left + 8, .to = WIDTH - 20, .log = c->log};
    for (int i = 0; i < c->n_series * c->n_rows; i++) {
        take(&x, c->marks[i].value);
        take(&x, c->marks[i].low);
        take(&x, c->marks[i].high);
    }
    round_ends(&x);
    begin(b, c->title, c->description, bottom + 24);
    if (c->n_series > 1)
        put_legend(b, c->series, c->n_series, left, 16);
    size_t n = ticks(&x, values, SG_ARRAY_LEN(values));
    for (size_t i = 0; i < n; i++) {
        double v = at(&x, values[i]);
        put_line(b, v, top, v, bottom + 4, "class=\"grid\"");
        open_text(b, v, bottom + 18, "middle", " class=\"soft\"");
        put_value(b, values[i]);
        sg_strbuf_puts(b, "</text>\n");
    }
    for (int i = 0; i < c->n_rows; i++)
        put_row(b, c, &x, i, top, left);
    end(b, c->title, c->description);
}

/* ---- lines ------------------------------------------------------------------------------------------------- */

static void put_series(sg_strbuf *b, const sg_lines_chart *c, int s, const scale *x, const scale *y)
{
    bool open = false;
    sg_strbuf_puts(b, "<path d=\"");
    for (int i = 0; i < c->counts[s]; i++) {
        if (!has_place(y, c->y[s][i]))
            continue;
        put(b, open ? "L" : "M", at(x, c->x[s][i]));
        put(b, " ", at(y, c->y[s][i]));
        open = true;
    }
    sg_strbuf_printf(b, "%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", open ? "" : "M0 0",
                     inks[s % N_INKS]);
    for (int i = 0; i < c->counts[s]; i++)
        if (has_place(y, c->y[s][i])) {
            sg_strbuf_puts(b, "<g><title>");
            sg_html_text(b, c->series[s]);
            put(b, ", ", c->x[s][i]);
            sg_strbuf_puts(b, ": ");
            sg_strbuf_fixed(b, c->y[s][i], c->decimals);
            sg_strbuf_puts(b, "</title>");
            put_mark(b, at(x, c->x[s][i]), at(y, c->y[s][i]), s);
            sg_strbuf_puts(b, "</g>\n");
        }
}

void sg_svg_lines(sg_strbuf *b, const sg_lines_chart *c)
{
    double top = 18 * c->n_series + 12, bottom = top + 260, values[16];
    scale x = {.low = INFINITY, .high = -INFINITY, .from = 56, .to = WIDTH - 16},
          y = {.low = INFINITY, .high = -INFINITY, .from = bottom, .to = top, .log = true};
    for (int s = 0; s < c->n_series; s++)
        for (int i = 0; i < c->counts[s]; i++) {
            take(&x, c->x[s][i]);
            take(&y, c->y[s][i]);
        }
    round_ends(&x);
    round_ends(&y);
    begin(b, c->title, c->description, bottom + 44);
    put_legend(b, c->series, c->n_series, 48, 16);
    size_t n = ticks(&y, values, SG_ARRAY_LEN(values));
    for (size_t i = 0; i < n; i++) {
        put_line(b, 48, at(&y, values[i]), WIDTH - 8, at(&y, values[i]), "class=\"grid\"");
        open_text(b, 42, at(&y, values[i]) + 4, "end", " class=\"soft\"");
        put_value(b, values[i]);
        sg_strbuf_puts(b, "</text>\n");
    }
    n = ticks(&x, values, SG_ARRAY_LEN(values));
    for (size_t i = 0; i < n; i++) {
        if (values[i] != floor(values[i]))
            continue;
        open_text(b, at(&x, values[i]), bottom + 18, "middle", " class=\"soft\"");
        sg_strbuf_fixed(b, values[i], 0);
        sg_strbuf_puts(b, "</text>\n");
    }
    open_text(b, WIDTH / 2.0, bottom + 38, "middle", " class=\"soft\"");
    sg_html_text(b, c->x_name);
    sg_strbuf_puts(b, "</text>\n");
    for (int s = 0; s < c->n_series; s++)
        put_series(b, c, s, &x, &y);
    end(b, c->title, c->description);
}

/* ---- heat -------------------------------------------------------------------------------------------------- */

/* part: 0 to 1, dark blue by green to yellow: its lightness rises all the way, so that it reads without colour, too */
static void put_heat_color(sg_strbuf *b, double part)
{
    static const double stops[][3] = {{48, 18, 92}, {52, 94, 141}, {33, 145, 140}, {105, 204, 92}, {253, 231, 76}};
    double at_stop = (part < 0 ? 0 : part > 1 ? 1 : part) * 4;
    int i = at_stop >= 4 ? 3 : (int)at_stop, rgb[3];
    for (int k = 0; k < 3; k++)
        rgb[k] = (int)lround(stops[i][k] + (at_stop - i) * (stops[i + 1][k] - stops[i][k]));
    sg_strbuf_printf(b, "#%02x%02x%02x", (unsigned)rgb[0], (unsigned)rgb[1], (unsigned)rgb[2]);
}

static double cell(json_object *matrix, size_t i, size_t j)
{
    json_object *value = sg_html_item(sg_html_item(matrix, i), j);
    return value ? json_object_get_double(value) : (double)NAN;
}

static void put_place(sg_strbuf *b, size_t i)
{
    if (i)
        sg_strbuf_printf(b, "after layer %zu", i - 1);
    else
        sg_strbuf_puts(b, "input");
}

static void put_heat_legend(sg_strbuf *b, double low, double y)
{
    for (int i = 0; i <= 40; i++) {
        put(b, "<rect x=\"", 40 + i * 8);
        put(b, "\" y=\"", y);
        sg_strbuf_puts(b, "\" width=\"8.5\" height=\"10\" fill=\"");
        put_heat_color(b, i / 40.0);
        sg_strbuf_puts(b, "\"/>\n");
    }
    for (int i = 0; i <= 2; i++) {
        open_text(b, 44 + i * 160, y + 26, "middle", " class=\"soft\"");
        sg_strbuf_fixed(b, low + (1 - low) * i / 2, 2);
        sg_strbuf_puts(b, "</text>\n");
    }
}

void sg_svg_heat(sg_strbuf *b, const char *title, const char *description, json_object *matrix)
{
    size_t n = sg_html_length(matrix);
    double size = (double)(WIDTH - 60) / (double)(n ? n : 1), low = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            low = cell(matrix, i, j) < low ? cell(matrix, i, j) : low;
    low = low >= 1 ? 0 : floor(low * 20) / 20;
    begin(b, title, description, WIDTH - 60 + 76);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double value = cell(matrix, i, j);
            if (!isfinite(value))
                continue;
            put(b, "<rect x=\"", 40 + (double)j * size);
            put(b, "\" y=\"", 4 + (double)i * size);
            put(b, "\" width=\"", size + 0.1);
            put(b, "\" height=\"", size + 0.1);
            sg_strbuf_puts(b, "\" fill=\"");
            put_heat_color(b, (value - low) / (1 - low));
            sg_strbuf_puts(b, "\"><title>");
            put_place(b, i);
            sg_strbuf_puts(b, ", ");
            put_place(b, j);
            sg_strbuf_puts(b, ": ");
            sg_strbuf_fixed(b, value, 4);
            sg_strbuf_puts(b, "</title></rect>\n");
        }
    size_t step = n > 60 ? 10 : n > 12 ? 5 : 1;
    for (size_t i = 0; i < n; i += step) {
        double middle = ((double)i + 0.5) * size;
        open_text(b, 34, 8 + middle, "end", " class=\"soft\"");
        sg_strbuf_printf(b, "%zu</text>\n", i);
        open_text(b, 40 + middle, WIDTH - 60 + 20, "middle", " class=\"soft\"");
        sg_strbuf_printf(b, "%zu</text>\n", i);
    }
    put_heat_legend(b, low, WIDTH - 60 + 34);
    end(b, title, description);
}
