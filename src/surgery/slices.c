/* Tensors that hold something of every layer side by side (Gemma 3n's embedding for each layer): of them the survivors'
 * parts stay. */
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static int make_slice(sg_slice *s, const sg_cut *cut, const sg_tensor *t, int dim, sg_error *err)
{
    uint64_t rows = 1, layers = (uint64_t)cut->plan->layers, left = cut->plan->n_keep;
    for (int i = 0; i < dim && i < t->n_dims; i++)
        rows *= t->shape[i]; /* a divisor of n_elements */
    /* within a row a part has to begin with a block of quantized numbers */
    uint64_t unit = dim + 1 == t->n_dims ? (uint64_t)t->type->block : 1;
    if (dim >= t->n_dims || !rows || t->shape[dim] / layers % unit || t->shape[dim] % layers ||
        t->bytes % (rows * layers))
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s cannot be cut into equal parts for %d layers",
                       cut->model->info.path, t->name, cut->plan->layers);
    *s = (sg_slice){.whole = t, .part = *t, .rows = rows, .chunk = t->bytes / rows / layers};
    s->part.shape[dim] = t->shape[dim] / layers * left;
    s->part.n_elements = t->n_elements / layers * left;
    s->part.bytes = rows * s->chunk * left;
    return SG_OK;
}

int sg_cut_slices(sg_cut *cut, sg_error *err)
{
    int rc = SG_OK;
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));) {
        if (r->op != SG_RULE_SLICE)
            continue;
        for (size_t i = 0; rc == SG_OK && i < cut->model->ckpt->n_tensors; i++) {
            const sg_tensor *t = &cut->model->ckpt->tensors[i];
            if (!ends_with(t->name, r->key))
                continue;
            sg_slice *grown = sg_resize(cut->slices, cut->n_slices + 1, sizeof *grown);
            if (!grown)
                return sg_fail(err, SG_ERR_NOMEM, "no memory for tensor %s", t->name);
            cut->slices = grown;
            if ((rc = make_slice(&grown[cut->n_slices], cut, t, r->n, err)) < 0)
                break;
            const sg_slice *s = &grown[cut->n_slices++];
            cut->parameters -= t->n_elements - s->part.n_elements;
            cut->bytes -= t->bytes - s->part.bytes;
        }
    }
    return rc;
}

const sg_slice *sg_cut_slice(const sg_cut *cut, const sg_tensor *t)
{
    for (size_t i = 0; i < cut->n_slices; i++)
        if (cut->slices[i].whole == t)
            return &cut->slices[i];
    return NULL;
}
