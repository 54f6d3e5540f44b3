/* sg_score_by: every layer's, or half's, number by any method. */
#include "core/mem.h"
#include "select/chooser.h"

/* Values of one greedy round: likelihoods as what the absence costs. */
static int first_round(const sg_choose_opts *opts, const sg_calibration *c, double *values, sg_error *err)
{
    sg_trial trial;
    sg_chooser chooser = {0};
    double value, nll, base;
    int unit, rc = sg_trial_open(&trial, c->model, &opts->run, opts->trial_tokens, opts->halves, err);
    if (!rc)
        rc = sg_chooser_init(&chooser, opts->method, opts, c, &trial, 0, err);
    if (!rc)
        rc = sg_greedy_round(&chooser.greedy, &unit, &value, &nll, values, &base, err);
    for (int i = 0; i < chooser.n_units && !rc && opts->method != SG_METHOD_GREEDY_KL; i++)
        values[i] -= base;
    sg_chooser_dispose(&chooser);
    sg_trial_dispose(&trial);
    return rc;
}

int sg_score_by(sg_score **out, sg_model *model, const sg_choose_opts *opts, sg_error *err)
{
    unsigned needs = sg_method_needs(opts->method);
    size_t units = (size_t)model->spec.n_layers * (opts->halves ? 2 : 1);
    const char *name = sg_method_name(opts->method);
    sg_calibration c = {0};
    *out = NULL;
    if (opts->halves && needs & (SG_NEEDS_LAST_ANGLES | SG_NEEDS_ALL_ANGLES))
        return sg_fail(err, SG_ERR_USAGE, "%s is of whole layers, not of halves", name);
    double *values = sg_alloc(units, sizeof *values);
    int rc = values ? sg_calibration_open(&c, model, &opts->run, needs | SG_NEEDS_INFLUENCE, err)
                    : sg_fail(err, SG_ERR_NOMEM, "no memory for %zu scores", units);
    if (!rc && !(rc = sg_calibration_read(&c, c.windows.n, err)) && needs & SG_NEEDS_TRIALS)
        rc = first_round(opts, &c, values, err);
    else if (!rc)
        sg_unit_values(&c, opts->method, opts->halves, opts->seed, NULL, values);
    if (!rc)
        rc = sg_score_new(out, &c.influence, &c.windows, model->spec.n_layers, &c.pass, err);
    if (!rc)
        rc = opts->halves ? sg_score_set_halves(*out, name, values, err) : sg_score_set(*out, name, values, err);
    if (!rc && opts->run.similarity)
        rc = sg_score_set_similarity(*out, &c.similarity, err);
    if (rc) {
        sg_score_free(*out);
        *out = NULL;
    }
    sg_calibration_dispose(&c);
    sg_free(values);
    return rc;
}
