/* The path of a text: UTF-8 check, added tokens, normalizing, added tokens again, words, ids. */
#include "tokenizer/internal.h"

#include "core/mem.h"
#include "core/utf8.h"

int sg_tokenizer_create(sg_tokenizer **out, sg_error *err)
{
    *out = sg_alloc_zero(1, sizeof **out);
    if (!*out)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a tokenizer");
    (*out)->bos = (*out)->eos = -1;
    return SG_OK;
}

int sg_tokenizer_finish(sg_tokenizer *tok, const char *what, sg_error *err)
{
    int rc = sg_added_finish(&tok->added[0], &tok->vocab, NULL, what, err);
    if (rc == SG_OK)
        rc = sg_added_finish(&tok->added[1], &tok->vocab, &tok->norm, what, err);
    if (rc == SG_OK && !tok->is_unigram)
        rc = sg_bpe_find_cuts(&tok->bpe, &tok->vocab, err);
    return rc;
}

void sg_tokenizer_free(sg_tokenizer *tok)
{
    if (!tok)
        return;
    for (size_t i = 0; i < SG_ARRAY_LEN(tok->added); i++)
        sg_added_dispose(&tok->added[i]);
    sg_normalizer_dispose(&tok->norm);
    sg_pretokenizer_dispose(&tok->pre);
    sg_bpe_dispose(&tok->bpe);
    sg_unigram_dispose(&tok->unigram);
    sg_decoding_dispose(&tok->decoding);
    sg_vocab_dispose(&tok->vocab);
    sg_free(tok);
}

/* ---- encoding ------------------------------------------------------------------------------------------ */

typedef struct session { /* one call of encode */
    const sg_tokenizer *tok;
    const char *text;
    sg_matcher *matcher;
    sg_bpe_scratch *bpe;
    sg_unigram_scratch unigram;
    bool after_added;       /* what comes next is the text's beginning or behind an added token */
    const char *normalized; /* the piece in work */
    size_t head;            /* see sg_normalize; 0 in a piece that is not the text's first */
    sg_ids ids;
} session;

static int take_word(void *user, const char *word, size_t bytes, sg_error *err)
{
    session *s = user;
    const sg_tokenizer *tok = s->tok;
    return tok->is_unigram ? sg_unigram_encode(&tok->unigram, &tok->vocab, &s->unigram, word, bytes, &s->ids, err)
                           : sg_bpe_encode(&tok->bpe, &tok->vocab, s->bpe, word, bytes, &s->ids, err);
}

static int take_normalized(void *user, const char *text, size_t bytes, int32_t id, sg_error *err)
{
    session *s = user;
    size_t at = (size_t)(text - s->normalized), head = s->head > at ? s->head - at : 0;
    return id >= 0 ? sg_ids_push(&s->ids, id, err)
                   : sg_pretokenize(&s->tok->pre, s->matcher, text, bytes, head, take_word, s, err);
}

static int normalize_piece(session *s, const char *text, size_t bytes, bool after, sg_error *err)
{
    sg_strbuf out = {0};
    int rc = sg_normalize(&s->tok->norm, s->matcher, text, bytes, after, &out, &s->head, err);
    if (text != s->text)
        s->head = 0;
    s->normalized = out.data;
    if (rc == SG_OK && out.n)
        rc = sg_added_split(&s->tok->added[1], s->matcher, out.data, out.n, take_normalized, s, err);
    sg_strbuf_free(&out);
    return rc;
}

static int take_raw(void *user, const char *text, size_t bytes, int32_t id, sg_error *err)
{
    session *s = user;
    bool after = s->after_added;
    s->after_added = id >= 0;
    if (id >= 0)
        return sg_ids_push(&s->ids, id, err);
    if (s->tok->norm.n)
        return normalize_piece(s, text, bytes, after, err);
    s->normalized = text;
    s->head = text == s->text ? sg_utf8_length(*text) : 0;
    return sg_added_split(&s->tok->added[1], s->matcher, text, bytes, take_normalized, s, err);
}

int sg_tokenizer_encode(const sg_tokenizer *tok, const char *text, size_t bytes, int32_t **ids, size_t *n,
                        sg_error *err)
{
    session s = {.tok = tok, .text = text, .after_added = true};
    size_t bad = 0;
    int rc;
    if (!sg_utf8_valid(text, bytes, &bad))
        return sg_fail(err, SG_ERR_FORMAT, "the text is not UTF-8 at byte %zu", bad);
    if ((rc = sg_matcher_create(&s.matcher, err)) < 0 || (rc = sg_bpe_scratch_create(&s.bpe, err)) < 0 ||
        (rc = sg_added_split(&tok->added[0], s.matcher, text, bytes, take_raw, &s, err)) < 0)
        goto out;
    if (!s.ids.data && !(s.ids.data = sg_alloc(1, sizeof *s.ids.data))) { /* no tokens: still a list */
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory to tokenize");
        goto out;
    }
    *ids = s.ids.data;
    *n = s.ids.n;
    s.ids.data = NULL; /* now the caller's */
out:
    sg_free(s.ids.data);
    sg_bpe_scratch_free(s.bpe);
    sg_unigram_scratch_dispose(&s.unigram);
    sg_matcher_free(s.matcher);
    return rc;
}

/* ---- where a text ends ---------------------------------------------------------------------------------- */

void sg_tokenizer_set_end(sg_tokenizer *tok, int64_t id)
{
    if (id >= 0 && (uint64_t)id < tok->vocab.n && tok->vocab.entries[id].used)
        tok->vocab.entries[id].ends = true;
}

bool sg_tokenizer_ends(const sg_tokenizer *tok, int32_t id)
{
    return id >= 0 && (size_t)id < tok->vocab.n && tok->vocab.entries[id].ends;
}

/* ---- getters ------------------------------------------------------------------------------------------- */

int32_t sg_tokenizer_bos(const sg_tokenizer *tok)
{
    return tok->bos;
}

int32_t sg_tokenizer_eos(const sg_tokenizer *tok)
{
    return tok->eos;
}

bool sg_tokenizer_adds_bos(const sg_tokenizer *tok)
{
    return tok->adds_bos;
}

size_t sg_tokenizer_vocab(const sg_tokenizer *tok)
{
    return tok->vocab.n;
}

const char *sg_tokenizer_spelling(const sg_tokenizer *tok, int32_t id, size_t *bytes)
{
    return sg_vocab_spelling(&tok->vocab, id, bytes);
}
