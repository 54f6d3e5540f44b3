/* Whether what was written is what was meant. A difference here is our own mistake. */
#include "surgery/verify.h"

#include "engine/weights.h"

#include <string.h>

#include "core/mem.h"
#include "measure/check.h"

static int check_tensor(const sg_model *written, const sg_draft *draft, const sg_placed *p, sg_error *err)
{
    const sg_tensor *t = sg_checkpoint_find(written->ckpt, p->name), *f = p->from;
    if (!t)
        return sg_fail(err, SG_ERR_LIBRARY, "the written model lacks tensor %s", p->name);
    const char *in = draft->files[p->file].name;
    bool placed = t->offset == p->offset && (!in || strcmp(in, written->ckpt->file_names[t->file]) == 0);
    if (!placed || t->type != f->type || t->n_dims != f->n_dims || t->bytes != f->bytes ||
        memcmp(t->shape, f->shape, (size_t)f->n_dims * sizeof *f->shape) != 0)
        return sg_fail(err, SG_ERR_LIBRARY, "tensor %s of the written model is not %s of the original", p->name,
                       f->name);
    return SG_OK;
}

static int check_model_spec(const sg_model_spec *a, const sg_model_spec *b, sg_error *err)
{
    const char *field;
    return sg_model_spec_equal(a, b, &field)
               ? SG_OK
               : sg_fail(err, SG_ERR_LIBRARY, "the written model's %s is not the original's", field);
}

static int check_specs(const sg_cut *cut, const sg_model *written, sg_error *err)
{
    const sg_plan *plan = cut->plan;
    if ((size_t)written->spec.n_layers != plan->n_keep)
        return sg_fail(err, SG_ERR_LIBRARY, "the written model has %d layers, expected %zu", written->spec.n_layers,
                       plan->n_keep);
    if (!cut->model->family) /* only described: its layers are carried as bytes */
        return SG_OK;
    int rc = sg_model_runs(written, err);
    rc = rc ? rc : check_model_spec(&cut->model->spec, &written->spec, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < plan->n_keep; i++) {
        const char *field;
        if (!sg_layer_spec_equal(&cut->model->spec.layers[plan->keep[i]], &written->spec.layers[i], &field))
            return sg_fail(err, SG_ERR_LIBRARY,
                           "layer %zu of the written model differs from layer %d of the original in %s", i,
                           plan->keep[i], field);
    }
    return SG_OK;
}

/* The forward check. Types without a conversion to numbers are carried as bytes; then there is nothing to run, and the
 * other checks have to do. */
static int check_forward(const sg_cut *cut, const sg_model *written, const sg_prune_opts *opts, bool *forward,
                         sg_error *err)
{
    int rc = cut->model->family ? sg_model_runnable(cut->model, err) : SG_ERR_REFUSED;
    *forward = rc == SG_OK;
    if (rc == SG_ERR_REFUSED)
        return SG_OK;
    return rc ? rc : sg_check_likelihoods(cut->model, cut->plan->remove, cut->plan->n_remove, written, opts, err);
}

int sg_verify(const sg_cut *cut, const sg_draft *draft, const char *temp, const sg_prune_opts *opts, bool *forward,
              sg_error *err)
{
    sg_model *written = NULL;
    *forward = false;
    char *path = draft->set ? sg_path_join(temp, draft->files[0].name) : sg_strdup(temp);
    int rc = path ? sg_model_open(&written, path, err) : sg_fail(err, SG_ERR_NOMEM, "no memory to reopen %s", temp);
    sg_free(path);
    if (rc == SG_OK && written->ckpt->n_tensors != draft->n_placed)
        rc = sg_fail(err, SG_ERR_LIBRARY, "the written model has %zu tensors, expected %zu", written->ckpt->n_tensors,
                     draft->n_placed);
    for (size_t i = 0; rc == SG_OK && i < draft->n_placed; i++)
        rc = check_tensor(written, draft, &draft->placed[i], err);
    if (rc == SG_OK)
        rc = check_specs(cut, written, err);
    if (rc == SG_OK)
        rc = check_forward(cut, written, opts, forward, err);
    sg_model_free(written);
    return rc;
}
