/* ASCII passes through; what is between goes character by character through utf8proc, with the character before it,
 * which a mark may join. utf8proc's own loop is not used: it sorts marks in quadratic time and allocates by itself. */
#include "tokenizer/normalform.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "core/mem.h"
#include "core/utf8.h"

typedef struct point { /* of a run of marks */
    int32_t code;
    int32_t combining;
    size_t at; /* qsort keeps no order by itself */
} point;

typedef struct buffer {
    int32_t *codes;
    size_t n, room;
    point *marks;
    size_t mark_room;
} buffer;

static int by_class(const void *pa, const void *pb)
{
    const point *a = pa, *b = pb;
    int order = (a->combining > b->combining) - (a->combining < b->combining);
    return order ? order : (a->at > b->at) - (a->at < b->at);
}

static int combining(int32_t code)
{
    return utf8proc_get_property(code)->combining_class;
}

static int sort_run(buffer *b, size_t start, size_t n, sg_error *err)
{
    if (n > b->mark_room) {
        sg_free(b->marks);
        b->mark_room = 0;
        b->marks = sg_alloc(2 * n, sizeof *b->marks);
        if (!b->marks)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu marks", n);
        b->mark_room = 2 * n;
    }
    for (size_t i = 0; i < n; i++)
        b->marks[i] = (point){b->codes[start + i], combining(b->codes[start + i]), i};
    qsort(b->marks, n, sizeof *b->marks, by_class);
    for (size_t i = 0; i < n; i++)
        b->codes[start + i] = b->marks[i].code;
    return SG_OK;
}

/* The canonical order: each run of marks by combining class. */
static int sort_marks(buffer *b, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = 0, n; i < b->n && rc == SG_OK; i += n ? n : 1) {
        for (n = 0; i + n < b->n && combining(b->codes[i + n]); n++)
            ;
        if (n > 1)
            rc = sort_run(b, i, n, err);
    }
    return rc;
}

static int decompose(buffer *b, const char *text, size_t bytes, utf8proc_option_t options, sg_error *err)
{
    int boundary = 0;
    b->n = 0;
    for (size_t i = 0; i < bytes;) {
        utf8proc_int32_t code;
        if (b->room - b->n < 32) { /* no character decomposes into more than 18 */
            int32_t *codes = sg_resize(b->codes, b->room * 2 + 1024, sizeof *codes);
            if (!codes)
                return sg_fail(err, SG_ERR_NOMEM, "no memory for a text of %zu bytes", bytes);
            b->codes = codes;
            b->room = b->room * 2 + 1024;
        }
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(bytes - i), &code);
        if (n <= 0)
            return sg_fail(err, SG_ERR_FORMAT, "the text is not UTF-8");
        i += (size_t)n;
        n = utf8proc_decompose_char(code, b->codes + b->n, (utf8proc_ssize_t)(b->room - b->n), options, &boundary);
        if (n < 0)
            return sg_fail(err, SG_ERR_FORMAT, "U+%04X does not decompose: %s", (unsigned)code, utf8proc_errmsg(n));
        b->n += (size_t)n;
    }
    return SG_OK;
}

static void add_code(sg_strbuf *out, int32_t code)
{
    utf8proc_uint8_t c[4];
    sg_strbuf_add(out, (const char *)c, (size_t)utf8proc_encode_char(code, c));
}

int sg_normal_form(sg_form form, const char *text, size_t bytes, sg_strbuf *out, sg_error *err)
{
    int options = UTF8PROC_STABLE | (form == SG_NFC || form == SG_NFKC ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                  (form == SG_NFKC || form == SG_NFKD ? UTF8PROC_COMPAT : 0);
    buffer b = {0};
    int rc = SG_OK;
    for (size_t i = 0, start; i < bytes && rc == SG_OK;) {
        for (start = i; i < bytes && (unsigned char)text[i] < 0x80; i++)
            ;
        if (i < bytes && i > start)
            i--; /* a mark may follow */
        sg_strbuf_add(out, text + start, i - start);
        if (i == bytes)
            break;
        for (start = i++; i < bytes && (unsigned char)text[i] >= 0x80; i++)
            ;
        if ((rc = decompose(&b, text + start, i - start, (utf8proc_option_t)options, err)) < 0 ||
            (rc = sort_marks(&b, err)) < 0)
            break;
        if (options & UTF8PROC_COMPOSE) /* in place, shorter or as long */
            b.n = (size_t)utf8proc_normalize_utf32(b.codes, (utf8proc_ssize_t)b.n, (utf8proc_option_t)options);
        for (size_t k = 0; k < b.n; k++)
            add_code(out, b.codes[k]);
    }
    sg_free(b.codes);
    sg_free(b.marks);
    return rc;
}

/* ---- single characters --------------------------------------------------------------------------------- */

static int32_t next_code(const char *text, size_t bytes, size_t *i)
{
    utf8proc_int32_t code = 0;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + *i, (utf8proc_ssize_t)(bytes - *i), &code);
    *i += n > 0 ? (size_t)n : 1;
    return code;
}

void sg_lowercase(const char *text, size_t bytes, sg_strbuf *out)
{
    for (size_t i = 0; i < bytes;) {
        int32_t code = next_code(text, bytes, &i);
        if (code == 0x130) /* the one that becomes two characters */
            sg_strbuf_puts(out, "i\xcc\x87");
        else
            add_code(out, utf8proc_tolower(code));
    }
}

void sg_strip_accents(const char *text, size_t bytes, sg_strbuf *out)
{
    for (size_t i = 0; i < bytes;) {
        int32_t code = next_code(text, bytes, &i);
        utf8proc_category_t category = utf8proc_category(code);
        if (category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC && category != UTF8PROC_CATEGORY_ME)
            add_code(out, code);
    }
}

size_t sg_grapheme(const char *text, size_t bytes)
{
    size_t i = 0, end;
    utf8proc_int32_t state = 0;
    int32_t before = next_code(text, bytes, &i), code;
    for (end = i; i < bytes; end = i, before = code) {
        code = next_code(text, bytes, &i);
        if (utf8proc_grapheme_break_stateful(before, code, &state))
            return end;
    }
    return end;
}
