/* "model" of tokenizer.json: BPE and Unigram. */
#include <math.h>
#include <string.h>

#include "tokenizer/hf.h"

/* ---- BPE ----------------------------------------------------------------------------------------------- */

static int read_vocab(sg_hf *l, json_object *model)
{
    json_object *vocab = sg_json_get(model, "vocab");
    if (!json_object_is_type(vocab, json_type_object) || json_object_object_length(vocab) == 0)
        return sg_hf_wrong(l, "model.vocab", "an object of spellings and ids, not empty");
    const char *what = sg_hf_field(l, "model.vocab");
    json_object_object_foreach(vocab, spelling, id)
    {
        if (!json_object_is_type(id, json_type_int))
            return sg_fail(l->err, SG_ERR_FORMAT, "%s: the id of \"%.60s\" is no integer", what, spelling);
        size_t bytes = *spelling ? strlen(spelling) : 1; /* json-c ends a key at its NUL: "" is that character's */
        int rc = sg_vocab_put(&l->tok->vocab, json_object_get_int64(id), spelling, bytes, true, what, l->err);
        if (rc < 0)
            return rc;
    }
    return SG_OK;
}

/* One merge: "left right" with exactly one blank, or ["left", "right"]. false: neither. */
static bool merge_parts(json_object *merge, sg_str *left, sg_str *right)
{
    if (json_object_is_type(merge, json_type_string)) {
        sg_str s = sg_hf_text(merge);
        const char *blank = memchr(s.data, ' ', s.bytes);
        if (!blank)
            return false;
        *left = (sg_str){s.data, (size_t)(blank - s.data)};
        *right = (sg_str){blank + 1, s.bytes - left->bytes - 1};
        return !memchr(right->data, ' ', right->bytes);
    }
    if (!json_object_is_type(merge, json_type_array) || json_object_array_length(merge) != 2)
        return false;
    json_object *a = json_object_array_get_idx(merge, 0), *b = json_object_array_get_idx(merge, 1);
    if (!json_object_is_type(a, json_type_string) || !json_object_is_type(b, json_type_string))
        return false;
    *left = sg_hf_text(a);
    *right = sg_hf_text(b);
    return true;
}

static int read_merges(sg_hf *l, json_object *model)
{
    json_object *merges = sg_json_get(model, "merges");
    if (!json_object_is_type(merges, json_type_array))
        return sg_hf_wrong(l, "model.merges", "a list of merges");
    size_t n = json_object_array_length(merges);
    const char *what = sg_hf_field(l, "model.merges");
    int rc = sg_bpe_reserve(&l->tok->bpe, n, l->err);
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        json_object *merge = json_object_array_get_idx(merges, i);
        sg_str left, right;
        if (!merge_parts(merge, &left, &right))
            rc = sg_fail(l->err, SG_ERR_FORMAT, "%s[%zu] is %.60s, expected \"left right\" or [\"left\", \"right\"]",
                         what, i, json_object_to_json_string_ext(merge, JSON_C_TO_STRING_PLAIN));
        else
            rc = sg_bpe_add(&l->tok->bpe, &l->tok->vocab, i, left.data, left.bytes, right.data, right.bytes, true, what,
                            l->err);
    }
    return rc;
}

static int read_bpe(sg_hf *l, json_object *model)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    sg_bpe *bpe = &l->tok->bpe;
    const char *affix;
    bool found;
    double dropout = 0;
    int rc = sg_json_get_double(model, sg_hf_field(l, "model"), "dropout", &dropout, &found, l->err);
    if (rc < 0)
        return rc;
    if (dropout != 0)
        return sg_hf_refuse(l, "model.dropout", "not zero", "null");
    for (size_t i = 0; i < SG_ARRAY_LEN(affixes); i++) {
        affix = "";
        if ((rc = sg_json_get_string(model, sg_hf_field(l, "model"), affixes[i], &affix, &found, l->err)) < 0)
            return rc;
        if (*affix)
            return sg_hf_refuse(l, affixes[i], affix, "null");
    }
    rc = sg_json_get_bool(model, sg_hf_field(l, "model"), "ignore_merges", &bpe->ignore_merges, &found, l->err);
    if (rc < 0 || (rc = read_vocab(l, model)) < 0)
        return rc;
    return read_merges(l, model);
}

/* What becomes of bytes or characters that the vocabulary lacks. */
static int finish_bpe(sg_hf *l, json_object *model)
{
    sg_bpe *bpe = &l->tok->bpe;
    sg_pretokenizer *pre = &l->tok->pre;
    const char *unk = "";
    bool complete = false, found;
    int rc;
    if ((rc = sg_json_get_string(model, sg_hf_field(l, "model"), "unk_token", &unk, &found, l->err)) < 0 ||
        (rc = sg_json_get_bool(model, sg_hf_field(l, "model"), "byte_fallback", &bpe->byte_fallback, &found, l->err)) <
            0 ||
        (rc = sg_json_get_bool(model, sg_hf_field(l, "model"), "fuse_unk", &bpe->fuse_unk, &found, l->err)) < 0)
        return rc;
    size_t spells = 0;
    for (size_t i = 0; i < pre->n; i++)
        spells += pre->steps[i].kind == SG_STEP_SPELL;
    bpe->characters = spells != 1 || pre->steps[pre->n - 1].kind != SG_STEP_SPELL;
    sg_bpe_find_bytes(bpe, &l->tok->vocab, &complete);
    if (!bpe->characters && !complete && bpe->byte_fallback) {
        bpe->characters = true;
        sg_bpe_find_bytes(bpe, &l->tok->vocab, NULL);
    }
    if (!bpe->characters) {
        pre->n--; /* the bytes of a word are looked up as what that step would have made of them */
        if (complete)
            return SG_OK;
    }
    if (!*unk)
        return SG_OK; /* SG_MISSING_JOIN */
    bpe->missing = SG_MISSING_UNK;
    bpe->unk = sg_vocab_find(&l->tok->vocab, unk, strlen(unk));
    return bpe->unk < 0
               ? sg_fail(l->err, SG_ERR_FORMAT, "%s: model.unk_token \"%.60s\" is not in the vocabulary", l->file, unk)
               : SG_OK;
}

/* ---- Unigram ------------------------------------------------------------------------------------------- */

static int read_piece(sg_hf *l, json_object *piece, size_t id, double *lowest)
{
    sg_unigram *u = &l->tok->unigram;
    json_object *text = json_object_array_get_idx(piece, 0), *score = json_object_array_get_idx(piece, 1);
    if (!json_object_is_type(text, json_type_string) ||
        (!json_object_is_type(score, json_type_double) && !json_object_is_type(score, json_type_int)))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: model.vocab[%zu]: expected [spelling, score]", l->file, id);
    sg_str s = sg_hf_text(text);
    int rc = sg_vocab_put(&l->tok->vocab, (int64_t)id, s.data, s.bytes, true, sg_hf_field(l, "model.vocab"), l->err);
    u->scores[id] = json_object_get_double(score);
    if (!isfinite(u->scores[id]))
        return sg_fail(l->err, SG_ERR_FORMAT, "%s: model.vocab[%zu]: the score is not finite", l->file, id);
    if (u->scores[id] < *lowest)
        *lowest = u->scores[id];
    return rc == SG_OK ? sg_trie_add(&u->trie, s.data, s.bytes, (int32_t)id, l->err) : rc;
}

static int read_unigram(sg_hf *l, json_object *model)
{
    sg_unigram *u = &l->tok->unigram;
    json_object *vocab = sg_json_get(model, "vocab");
    double lowest = INFINITY;
    int64_t unk = -1;
    bool found;
    if (!json_object_is_type(vocab, json_type_array) || !json_object_array_length(vocab))
        return sg_hf_wrong(l, "model.vocab", "a list of spellings and scores, not empty");
    size_t n = json_object_array_length(vocab);
    l->tok->is_unigram = true;
    u->scores = sg_alloc(n, sizeof *u->scores);
    if (!u->scores)
        return sg_fail(l->err, SG_ERR_NOMEM, "no memory for %zu scores", n);
    int rc = SG_OK;
    for (size_t i = 0; i < n && rc == SG_OK; i++) {
        json_object *piece = json_object_array_get_idx(vocab, i);
        rc = json_object_is_type(piece, json_type_array) && json_object_array_length(piece) == 2
                 ? read_piece(l, piece, i, &lowest)
                 : sg_fail(l->err, SG_ERR_FORMAT, "%s: model.vocab[%zu]: expected [spelling, score]", l->file, i);
    }
    if (rc < 0 ||
        (rc = sg_json_get_int(model, sg_hf_field(l, "model"), "unk_id", 0, (int64_t)n - 1, &unk, &found, l->err)) < 0 ||
        (rc = sg_json_get_bool(model, sg_hf_field(l, "model"), "byte_fallback", &u->byte_fallback, &found, l->err)) < 0)
        return rc;
    u->unk = (int32_t)unk;
    u->unk_score = lowest - SG_UNK_PENALTY;
    u->spelled_unk = true;
    sg_unigram_find_bytes(u, &l->tok->vocab);
    return SG_OK;
}

/* ---- either -------------------------------------------------------------------------------------------- */

int sg_hf_read_model(sg_hf *l)
{
    json_object *model = sg_json_get(l->root, "model");
    const char *type;
    int rc;
    if (!model)
        return sg_hf_wrong(l, "model", "an object");
    if ((rc = sg_hf_type(l, model, "model", &type)) < 0)
        return rc;
    if (strcmp(type, "BPE") == 0)
        return read_bpe(l, model);
    if (strcmp(type, "Unigram") == 0)
        return read_unigram(l, model);
    return sg_hf_refuse(l, "model.type", type, "BPE, Unigram");
}

int sg_hf_finish_model(sg_hf *l)
{
    return l->tok->is_unigram ? SG_OK : finish_bpe(l, sg_json_get(l->root, "model"));
}
