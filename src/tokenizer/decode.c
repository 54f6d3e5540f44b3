/* Text of ids. */
#include "tokenizer/decode.h"

#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "tokenizer/bytelevel.h"
#include "tokenizer/internal.h"

static const char MARK[] = "\xe2\x96\x81"; /* U+2581, SentencePiece's blank */

int sg_decoding_replace(sg_decoding *d, const char *from, const char *to, sg_error *err)
{
    if (d->n_replaces == SG_MAX_REPLACES)
        return sg_fail(err, SG_ERR_REFUSED, "the tokenizer's decoder has more than %d steps", SG_MAX_REPLACES);
    char *a = sg_strdup(from), *b = sg_strdup(to);
    d->replaces[d->n_replaces].from = a;
    d->replaces[d->n_replaces++].to = b;
    return a && b ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the tokenizer's decoder");
}

void sg_decoding_dispose(sg_decoding *d)
{
    for (int i = 0; i < d->n_replaces; i++) {
        sg_free(d->replaces[i].from);
        sg_free(d->replaces[i].to);
    }
    *d = (sg_decoding){0};
}

/* ---- one spelling --------------------------------------------------------------------------------------- */

/* The bytes that the alphabet spells so; false: not in the alphabet. */
static bool add_byte_level(sg_strbuf *out, const char *s, size_t n)
{
    size_t start = out->n;
    for (size_t i = 0, length; i < n; i += length) {
        length = sg_utf8_length(s[i]);
        int byte = length <= n - i ? sg_bytelevel_byte(s + i, length) : -1; /* a GGUF's entry may be cut */
        if (byte < 0) {
            out->n = start;
            return false;
        }
        sg_strbuf_add(out, &(char){(char)byte}, 1);
    }
    return true;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* The byte of "<0xE2>", or -1 */
static int byte_token(const char *s, size_t n)
{
    if (n != 6 || memcmp(s, "<0x", 3) || s[5] != '>' || hex(s[3]) < 0 || hex(s[4]) < 0)
        return -1;
    return hex(s[3]) * 16 + hex(s[4]);
}

static void add_replaced(sg_strbuf *out, const sg_decoding *d, const char *s, size_t n, bool first)
{
    size_t mark = sizeof MARK - 1;
    for (size_t i = 0; i < n;) {
        int r = 0;
        size_t from = 0;
        for (; r < d->n_replaces; r++) {
            from = strlen(d->replaces[r].from);
            if (from && n - i >= from && !memcmp(s + i, d->replaces[r].from, from))
                break;
        }
        if (first && d->drop_marks && n - i >= mark && !memcmp(s + i, MARK, mark)) {
            i += mark;
        } else if (r < d->n_replaces) {
            sg_strbuf_puts(out, d->replaces[r].to);
            i += from;
        } else {
            sg_strbuf_add(out, s + i++, 1);
        }
    }
}

/* The bytes of one token; first: of the text. */
static void add_token(sg_strbuf *out, const sg_tokenizer *tok, const sg_vocab_entry *e, bool first)
{
    const sg_decoding *d = &tok->decoding;
    const char *s = tok->vocab.text + e->offset;
    size_t start = out->n;
    int byte;
    if (d->blanks && !first)
        sg_strbuf_puts(out, " ");
    if (e->literal)
        sg_strbuf_add(out, s, e->bytes);
    else if (d->byte_tokens && (byte = byte_token(s, e->bytes)) >= 0)
        sg_strbuf_add(out, &(char){(char)byte}, 1);
    else if (!d->byte_level || !add_byte_level(out, s, e->bytes))
        add_replaced(out, d, s, e->bytes, first);
    for (int i = 0; first && i < d->drop_blanks && out->n > start && out->data[start] == ' '; i++) {
        memmove(out->data + start, out->data + start + 1, out->n - start); /* the terminator too */
        out->n--;
    }
}

/* ---- a text ---------------------------------------------------------------------------------------------- */

int sg_detok_init(sg_detok *d, const sg_tokenizer *tok, sg_error *err)
{
    *d = (sg_detok){.tok = tok, .whole_bytes = tok->decoding.byte_tokens};
    if (*tok->decoding.refusal)
        return sg_fail(
            err, SG_ERR_REFUSED,
            "tokenizer.json: decoder is \"%s\", supported: ByteLevel, Metaspace, Replace, ByteFallback, Fuse, "
            "Strip and a Sequence of them",
            tok->decoding.refusal);
    return SG_OK;
}

/* Moves the whole characters of pending to out, and with `all` the rest. */
static void move_characters(sg_detok *d, sg_strbuf *out, bool all)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */
    sg_strbuf *p = &d->pending;
    size_t at = 0;
    while (at < p->n) {
        size_t bad = p->n - at, broken;
        bool valid = sg_utf8_valid(p->data + at, p->n - at, &bad);
        sg_strbuf_add(out, p->data + at, bad);
        at += bad;
        if (valid || (!all && sg_utf8_begins(p->data + at, p->n - at)))
            break;
        for (broken = 1; !d->whole_bytes && broken < p->n - at && sg_utf8_begins(p->data + at, broken + 1);)
            broken++;
        sg_strbuf_puts(out, REPLACEMENT);
        at += broken;
    }
    if (at && p->data)
        memmove(p->data, p->data + at, p->n - at + 1);
    p->n -= at;
}

int sg_detok_add(sg_detok *d, int32_t id, sg_strbuf *out, sg_error *err)
{
    const sg_vocab *v = &d->tok->vocab;
    if (id < 0 || (size_t)id >= v->n || !v->entries[id].used || v->entries[id].special)
        return SG_OK;
    add_token(&d->pending, d->tok, &v->entries[id], !d->begun);
    d->begun = true;
    if (d->pending.failed)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the text of a token");
    move_characters(d, out, false);
    return out->failed ? sg_fail(err, SG_ERR_NOMEM, "no memory for the text") : SG_OK;
}

void sg_detok_end(sg_detok *d, sg_strbuf *out)
{
    move_characters(d, out, true);
}

void sg_detok_dispose(sg_detok *d)
{
    sg_strbuf_free(&d->pending);
}
