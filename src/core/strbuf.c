/* The growing string of the reports. */
#include "core/strbuf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* Room for n more bytes and the terminator. */
static bool reserve(sg_strbuf *b, size_t n)
{
    if (b->failed)
        return false;
    size_t need;
    b->failed = __builtin_add_overflow(b->n, n, &need) || need > PTRDIFF_MAX / 2 - 1;
    if (b->failed)
        return false;
    need++;
    if (need <= b->capacity)
        return true;
    size_t capacity = need < 128 ? 256 : need * 2;
    char *data = sg_resize(b->data, capacity, 1);
    b->failed = !data;
    if (b->failed)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

void sg_strbuf_add(sg_strbuf *b, const char *s, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->data + b->n, s, n);
    b->n += n;
    b->data[b->n] = 0;
}

void sg_strbuf_puts(sg_strbuf *b, const char *s)
{
    sg_strbuf_add(b, s, strlen(s));
}

void sg_strbuf_repeat(sg_strbuf *b, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++)
        sg_strbuf_puts(b, s);
}

void sg_strbuf_printf(sg_strbuf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if (!reserve(b, (size_t)n))
        return;
    va_start(args, format);
    vsnprintf(b->data + b->n, (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
}

void sg_strbuf_fixed(sg_strbuf *b, double value, int decimals)
{
    if (!isfinite(value)) {
        sg_strbuf_puts(b, "-");
        return;
    }
    double scale = pow(10, decimals), scaled = fabs(value) * scale;
    if (scaled >= 9e18) { /* past what a long long holds, decimals are noise; %.0f has no radix */
        sg_strbuf_printf(b, "%.0f", value);
        return;
    }
    long long units = llround(scaled), base = (long long)scale;
    if (value < 0 && units)
        sg_strbuf_puts(b, "-");
    sg_strbuf_printf(b, "%lld", units / base);
    if (decimals > 0)
        sg_strbuf_printf(b, ".%0*lld", decimals, units % base);
}

void sg_strbuf_pad(sg_strbuf *b, const char *s, int columns)
{
    size_t have = sg_utf8_columns(s), want = (size_t)abs(columns);
    size_t blanks = want > have ? want - have : 0;
    if (columns < 0)
        sg_strbuf_repeat(b, " ", blanks);
    sg_strbuf_puts(b, s);
    if (columns > 0)
        sg_strbuf_repeat(b, " ", blanks);
}

int sg_strbuf_finish(sg_strbuf *b, char **out, sg_error *err)
{
    sg_strbuf_add(b, "", 0); /* an empty string is a string, too */
    if (b->failed) {
        sg_strbuf_free(b);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", b->n);
    }
    *out = b->data;
    *b = (sg_strbuf){0};
    return SG_OK;
}

void sg_strbuf_free(sg_strbuf *b)
{
    sg_free(b->data);
    b->data = NULL;
    b->capacity = 0;
}

void sg_string_free(char *string)
{
    sg_free(string);
}

size_t sg_utf8_columns(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80; /* every byte but the continuing ones starts a code point */
    return n;
}
