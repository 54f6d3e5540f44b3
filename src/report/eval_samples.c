/* Texts that models continued: their part of `eval`'s JSON and table. */
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "report/eval.h"

/* ---- JSON --------------------------------------------------------------------------------------------- */

bool sg_put_json_samples(json_object *obj, const sg_eval_entry *e, sg_error *err)
{
    if (!e->n_samples)
        return true;
    json_object *list = json_object_new_array();
    bool ok = true;
    for (size_t i = 0; i < e->n_samples && ok; i++) {
        json_object *sample = json_object_new_object();
        ok = sg_put_json_string(sample, "prompt", e->samples[i].prompt, err) &&
             sg_put_json_string(sample, "text", e->samples[i].text, err);
        if (ok)
            ok = sg_json_append(list, sample, err) == SG_OK;
        else
            json_object_put(sample);
    }
    if (ok)
        return sg_json_put(obj, "samples", list, err) == SG_OK;
    json_object_put(list);
    return false;
}

/* ---- the table ---------------------------------------------------------------------------------------- */

/* Of a character that begins so: East Asian ones and emoji (from U+3000 on, nearly) take two. */
static int columns_of(char first)
{
    unsigned char c = (unsigned char)first;
    return (c >= 0xe3 && c < 0xee) || c >= 0xf0 ? 2 : 1;
}

/* The text in words with one blank between them, to be broken anywhere. */
static void put_words(sg_strbuf *b, const char *text)
{
    static const char blanks[] = " \t\n\v\f\r";
    sg_strbuf words = {0};
    for (const char *s = text + strspn(text, blanks); *s; s += strspn(s, blanks)) {
        size_t n = strcspn(s, blanks);
        if (words.n)
            sg_strbuf_puts(&words, " ");
        sg_strbuf_add(&words, s, n);
        s += n;
    }
    sg_strbuf_puts(&words, "");
    b->failed |= words.failed;
    if (!words.failed)
        sg_put_clean(b, words.data);
    sg_strbuf_free(&words);
}

/* A line of at most `columns` from *words, which goes on to the next: whole words, one that is longer cut. Returns the
 * columns that it took. */
static int put_line(sg_strbuf *b, const char **words, int columns)
{
    const char *s = *words;
    size_t at = 0, end = 0;
    int n = 0, taken = 0;
    while (s[at] && n + columns_of(s[at]) <= columns) {
        n += columns_of(s[at]);
        at += sg_utf8_length(s[at]);
        if (!s[at] || s[at] == ' ') {
            end = at;
            taken = n;
        }
    }
    if (!end) {
        end = at;
        taken = n;
    }
    sg_strbuf_add(b, s, end);
    *words = s + end + (s[end] == ' ');
    return taken;
}

/* Texts in columns side by side: one or two. */
static void put_columns(sg_strbuf *b, const char *const *texts, size_t n, int columns)
{
    sg_strbuf words[2] = {{0}};
    const char *left[2] = {"", ""};
    for (size_t i = 0; i < n; i++) {
        put_words(&words[i], texts[i]);
        sg_strbuf_puts(&words[i], "");
        b->failed |= words[i].failed;
        left[i] = words[i].failed ? "" : words[i].data;
    }
    while (!b->failed && (*left[0] || *left[1])) {
        sg_strbuf_puts(b, "    ");
        int taken = put_line(b, &left[0], columns);
        if (*left[1]) {
            sg_strbuf_repeat(b, " ", (size_t)(columns + 2 - taken));
            put_line(b, &left[1], columns);
        }
        sg_strbuf_puts(b, "\n");
    }
    for (size_t i = 0; i < n; i++)
        sg_strbuf_free(&words[i]);
}

static const char *text_of(const sg_eval_entry *e, size_t sample)
{
    return sample < e->n_samples ? e->samples[sample].text : "";
}

void sg_put_samples(sg_strbuf *b, const sg_eval *eval, const char *const *names, const sg_style *style)
{
    const sg_eval_entry *e = eval->entries;
    const sg_ink *ink = sg_ink_of(style);
    bool pair = eval->n_entries == 2;
    int width = sg_style_width(style) - 4, columns = pair ? (width - 2) / 2 : width;
    sg_strbuf_puts(b, "\n  Does it still talk? Three beginnings, the most likely token each time\n");
    for (size_t s = 0; s < e[0].n_samples; s++) {
        sg_strbuf_printf(b, "\n  %s%s%s\n", ink->heading, e[0].samples[s].prompt, ink->end);
        if (pair) {
            put_columns(b, names, 2, columns);
            put_columns(b, (const char *const[]){text_of(&e[0], s), text_of(&e[1], s)}, 2, columns);
            continue;
        }
        for (size_t i = 0; i < eval->n_entries; i++) {
            if (eval->n_entries > 1)
                put_columns(b, &names[i], 1, columns);
            put_columns(b, &(const char *){text_of(&e[i], s)}, 1, columns);
        }
    }
}
