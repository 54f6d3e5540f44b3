/* Requests to tokens. */
#include "tasks/encode.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "tasks/text.h"

typedef struct encoder {
    sg_model *model;
    int32_t bos;    /* -1: none in front */
    int32_t prefix; /* what stands for an empty context; -1: the model has none */
    int positions;  /* 0: no bound */
    const char *item;
    const char *context; /* whose length in tokens is known already; NULL: none */
    int context_tokens;
} encoder;

/* The text's ids behind a BOS, unless the text spells one itself. */
static int encode_text(const encoder *e, const char *text, size_t bytes, bool bos, sg_tokens *out, sg_error *err)
{
    sg_text t = {.source = e->item, .data = text, .bytes = bytes};
    int rc = sg_model_encode(e->model, &t, out, err);
    if (rc || !bos || e->bos < 0 || (out->n && out->ids[0] == e->bos))
        return rc;
    int32_t *grown = sg_resize(out->ids, out->n + 1, sizeof *grown);
    if (!grown) {
        sg_tokens_free(out);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the tokens of %s", e->item);
    }
    memmove(grown + 1, grown, out->n * sizeof *grown);
    grown[0] = e->bos;
    *out = (sg_tokens){grown, out->n + 1};
    return SG_OK;
}

static int put_prefix(const encoder *e, sg_tokens *t, sg_error *err)
{
    if (e->prefix < 0)
        return sg_fail(err, SG_ERR_REFUSED, "%s: an empty context needs a BOS or EOS token, and the tokenizer has none",
                       e->item);
    if (t->n && t->ids[0] == e->prefix)
        return SG_OK;
    int32_t *grown = sg_resize(t->ids, t->n + 1, sizeof *grown);
    if (!grown)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the tokens of %s", e->item);
    memmove(grown + 1, grown, t->n * sizeof *grown);
    grown[0] = e->prefix;
    *t = (sg_tokens){grown, t->n + 1};
    return SG_OK;
}

/* The context's tokens, once for all choices behind it. */
static int count_context(encoder *e, const char *context, size_t bytes, sg_error *err)
{
    sg_tokens tokens;
    if (e->context == context)
        return SG_OK;
    int rc = encode_text(e, context, bytes, true, &tokens, err);
    if (rc)
        return rc;
    e->context = context;
    e->context_tokens = (int)tokens.n;
    sg_tokens_free(&tokens);
    return SG_OK;
}

static int encode_pair(encoder *e, const sg_request *r, sg_tokens *out, int *first, sg_error *err)
{
    size_t bytes = sg_rstrip(sg_view_of(r->context)).n;
    char *whole = sg_asprintf("%s%s", r->context, r->continuation);
    int rc = whole ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the text of %s", e->item);
    if (!rc)
        rc = encode_text(e, whole, strlen(whole), bytes > 0, out, err);
    sg_free(whole);
    if (rc)
        return rc;
    *first = 1;
    if (!bytes)
        return put_prefix(e, out, err);
    rc = count_context(e, r->context, bytes, err);
    *first = e->context_tokens;
    return rc;
}

/* At most as many tokens as the model has positions, and the last, which is only predicted. */
static int cut_front(const encoder *e, sg_sequence *s, sg_error *err)
{
    int drop = e->positions && s->n - 1 > e->positions ? s->n - 1 - e->positions : 0;
    if (s->first - drop < 1)
        return sg_fail(err, SG_ERR_FORMAT, "%s: a continuation of %d tokens, the model has only %d positions", e->item,
                       s->n - s->first, e->positions);
    memmove(s->ids, s->ids + drop, (size_t)(s->n - drop) * sizeof *s->ids);
    s->n -= drop;
    s->first -= drop;
    s->cut = drop > 0;
    return SG_OK;
}

static int encode_request(encoder *e, sg_rule rule, const sg_request *r, sg_sequence *s, sg_error *err)
{
    sg_tokens tokens = {0};
    int first = 1;
    int rc = rule == SG_RULE_MEAN ? encode_text(e, r->continuation, strlen(r->continuation), true, &tokens, err)
                                  : encode_pair(e, r, &tokens, &first, err);
    if (!rc && tokens.n > INT32_MAX / 2)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: %zu tokens", e->item, tokens.n);
    *s = (sg_sequence){.ids = tokens.ids, .n = (int)tokens.n, .first = first, .length = (int)tokens.n};
    if (!rc && s->n <= first)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: a continuation has no tokens: \"%.80s\"", e->item, r->continuation);
    if (!rc && rule == SG_RULE_MEAN && e->positions && s->n > e->positions) {
        s->n = s->length = e->positions;
        s->cut = true;
    }
    return rc ? rc : cut_front(e, s, err);
}

static int encode_task(sg_encoded *out, encoder *e, const sg_task *task, sg_error *err)
{
    for (size_t i = 0; i < task->n_items; i++) {
        const sg_item *item = &task->items[i];
        char where[200];
        snprintf(where, sizeof where, "%.80s, item %.100s", task->name, item->id);
        e->item = where;
        for (int j = 0; j < item->n; j++) {
            sg_sequence *s = &out->sequences[out->n++];
            int rc = encode_request(e, task->row->rule, &task->requests[item->first + (size_t)j], s, err);
            if (rc)
                return rc;
        }
    }
    return SG_OK;
}

void sg_encoded_dispose(sg_encoded *e)
{
    for (size_t i = 0; i < e->n; i++)
        sg_free(e->sequences[i].ids);
    sg_free(e->sequences);
    *e = (sg_encoded){0};
}

int sg_encode(sg_encoded *out, sg_model *model, const sg_task *const *tasks, size_t n_tasks, sg_bos bos, sg_error *err)
{
    encoder e = {.model = model, .prefix = -1};
    size_t n = 0;
    *out = (sg_encoded){0};
    int rc = sg_model_bos(model, bos, &e.bos, err); /* reads the tokenizer */
    if (rc)
        return rc;
    e.prefix = sg_tokenizer_bos(model->tokenizer);
    if (e.prefix < 0)
        e.prefix = sg_tokenizer_eos(model->tokenizer);
    if (e.prefix >= model->spec.vocab)
        e.prefix = -1;
    e.positions = model->spec.max_positions;
    out->bos = e.bos >= 0;
    for (size_t i = 0; i < n_tasks; i++)
        n += tasks[i]->n_requests;
    if (!(out->sequences = sg_alloc_zero(n, sizeof *out->sequences)))
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu texts", n);
    for (size_t i = 0; i < n_tasks && !rc; i++)
        rc = encode_task(out, &e, tasks[i], err);
    return rc;
}
