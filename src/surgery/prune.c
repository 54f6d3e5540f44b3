/* sg_prune_run, step by step: cut, rules, draft, target, space, write, verify, publish. */
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "surgery/draft.h"
#include "surgery/lineage.h"
#include "surgery/rules.h"
#include "surgery/target.h"
#include "surgery/verify.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Everything before the first write. */
typedef struct surgery {
    sg_cut cut;
    sg_plan *lineage;
    sg_draft draft;
    uint64_t needed;
    bool forward_checked;
} surgery;

static void surgery_dispose(surgery *s)
{
    sg_draft_dispose(&s->draft);
    sg_plan_free(s->lineage);
    sg_cut_dispose(&s->cut);
}

static int prepare(surgery *s, const sg_model *model, const sg_plan *plan, const char *path, const sg_prune_opts *opts,
                   sg_error *err)
{
    int rc = sg_cut_make(&s->cut, model, plan, err);
    s->cut.unknown_ok = opts->unknown_family;
    if (rc < 0 || (rc = sg_rules_check(&s->cut, err)) < 0)
        return rc;
    sg_cut_count(&s->cut);
    if ((rc = sg_cut_slices(&s->cut, err)) < 0 || (rc = sg_lineage(&s->lineage, &s->cut, err)) < 0 ||
        (rc = sg_draft_make(&s->draft, &s->cut, s->lineage, path, err)) < 0 ||
        (opts->imatrix && (rc = sg_draft_imatrix(&s->draft, &s->cut, path, opts->imatrix, err)) < 0))
        return rc;
    return sg_target_check(path, model, &s->draft, opts->overwrite, err);
}

static int publish(const surgery *s, const char *temp, const char *path, bool overwrite, sg_error *err)
{
    if (!s->draft.set)
        return sg_publish(temp, path, overwrite, err);
    const char **names = sg_alloc(s->draft.n_files, sizeof *names);
    if (!names)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory to rename it", temp);
    for (size_t i = 0; i < s->draft.n_files; i++)
        names[i] = s->draft.files[i].name;
    int rc = sg_publish_set(temp, path, names, s->draft.n_files, overwrite, err);
    sg_free(names);
    return rc;
}

/* Writes and verifies temp, then gives it its name. On failure temp is gone and path untouched. */
static int carry_out(surgery *s, const char *temp, const char *path, const sg_prune_opts *opts, sg_error *err)
{
    int rc;
    sg_ticker verifying = {.progress = &opts->progress, .stage = "verifying", .total = s->cut.bytes};
    if ((rc = sg_draft_write(&s->draft, &s->cut, temp, &opts->progress, err)) < 0 ||
        (rc = sg_tick(&verifying, 0, err)) < 0 ||
        (rc = sg_verify(&s->cut, &s->draft, temp, opts, &s->forward_checked, err)) < 0 ||
        (rc = sg_tick(&verifying, s->cut.bytes, err)) < 0 || (rc = publish(s, temp, path, opts->overwrite, err)) < 0)
        sg_remove_tree(temp, NULL); /* what stays if that fails, too, goes with the next run */
    return rc;
}

static int fill_result(sg_prune_result *r, surgery *s, const char *path, bool dry, double start, sg_error *err)
{
    const sg_cut *cut = &s->cut;
    r->layers_before = cut->plan->layers;
    r->layers_after = (int)cut->plan->n_keep;
    r->parameters_before = cut->model->info.parameters;
    r->parameters_after = cut->parameters;
    r->bytes_before = cut->model->info.bytes;
    r->bytes_after = cut->bytes;
    r->file_bytes_before = s->draft.source_bytes;
    r->file_bytes_after = dry ? 0 : sg_draft_bytes(&s->draft);
    if (!dry && s->draft.imatrix)
        r->file_bytes_after -= s->draft.files[s->draft.n_files - 1].bytes;
    r->bytes_needed = s->needed;
    r->tensors_removed = cut->tensors_removed;
    r->tensors_kept = cut->tensors_kept;
    r->left_out = s->draft.left_out; /* handed over */
    r->n_left_out = s->draft.n_left_out;
    s->draft.left_out = NULL;
    s->draft.n_left_out = 0;
    int rc = sg_rules_assumed(cut, &r->assumed, err);
    if (rc < 0)
        return rc;
    r->out = sg_draft_path(&s->draft, path, 0);
    if (s->draft.imatrix && !(r->imatrix = sg_draft_path(&s->draft, path, s->draft.n_files - 1)))
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the result");
    r->seconds = now() - start;
    return r->out ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the result");
}

static int prune(sg_prune_result **out, const sg_model *model, const sg_plan *plan, const char *path,
                 const sg_prune_opts *opts, bool dry, sg_error *err)
{
    static const sg_prune_opts defaults = {0};
    double start = now();
    surgery s = {0};
    char *temp = NULL;
    int rc;
    opts = opts ? opts : &defaults;
    sg_prune_result *r = sg_alloc_zero(1, sizeof *r);
    if (!r)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the result");
    if ((rc = prepare(&s, model, plan, path, opts, err)) < 0 ||
        (!dry && (rc = sg_temp_sibling(&temp, path, err)) < 0) ||
        (rc = sg_target_space(path, &s.draft, &s.needed, err)) < 0 ||
        (rc = fill_result(r, &s, path, dry, start, err)) <
            0 || /* now, since after the work nothing may fail any more */
        (!dry && (rc = carry_out(&s, temp, path, opts, err)) < 0))
        goto out;
    r->forward_checked = s.forward_checked;
    r->seconds = now() - start;
    *out = r;
    r = NULL; /* now the caller's */
out:
    sg_prune_result_free(r);
    sg_free(temp);
    surgery_dispose(&s);
    return rc;
}

int sg_prune_dry_run(sg_prune_result **out, const sg_model *model, const sg_plan *plan, const char *path,
                     const sg_prune_opts *opts, sg_error *err)
{
    return prune(out, model, plan, path, opts, true, err);
}

int sg_prune_run(sg_prune_result **out, const sg_model *model, const sg_plan *plan, const char *path,
                 const sg_prune_opts *opts, sg_error *err)
{
    return prune(out, model, plan, path, opts, false, err);
}

void sg_prune_result_free(sg_prune_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->n_left_out; i++)
        sg_free(result->left_out[i]);
    sg_free(result->left_out);
    sg_free(result->assumed);
    sg_free(result->out);
    sg_free(result->imatrix);
    sg_free(result);
}
