/* sg_eval_tasks: tasks through a pass. */
#include <string.h>

#include "core/mem.h"
#include "measure/choices.h"
#include "measure/entries.h"
#include "measure/windows.h"
#include "tasks/pack.h"
#include "tasks/score.h"

void sg_tasks_result_dispose(sg_tasks_result *r)
{
    sg_free(r->scores);
    *r = (sg_tasks_result){0};
}

/* Tokens' log-probabilities to requests' scores, in the order of their tokens. */
static void gather(sg_tasks_result *out, const sg_choices *c, const sg_packed *packed, const sg_encoded *e,
                   int n_subsets)
{
    for (int s = 0; s < n_subsets; s++) {
        sg_request_score *scores = out->scores + (size_t)s * out->n_requests;
        const sg_token_score *tokens = c->scores + (size_t)s * c->n;
        for (size_t i = 0; i < out->n_requests; i++)
            scores[i] = (sg_request_score){.greedy = true, .cut = e->sequences[i].cut};
        for (size_t i = 0; i < packed->n_probes; i++) {
            sg_request_score *score = &scores[packed->owner[i]];
            score->ll += tokens[i].logp;
            score->greedy = score->greedy && tokens[i].best == packed->probes[i].token;
        }
    }
}

/* Under SG_RULE_MEAN the score is the mean over the text's tokens. */
static void take_means(sg_tasks_result *out, const sg_encoded *e, int n_subsets, const sg_task *const *tasks,
                       size_t n_tasks)
{
    size_t at = 0;
    for (size_t t = 0; t < n_tasks; at += tasks[t++]->n_requests)
        for (size_t i = at; tasks[t]->row->rule == SG_RULE_MEAN && i < at + tasks[t]->n_requests; i++)
            for (int s = 0; s < n_subsets; s++)
                out->scores[(size_t)s * out->n_requests + i].ll /= e->sequences[i].length;
}

static int longest_of(const sg_encoded *e)
{
    int longest = 1;
    for (size_t i = 0; i < e->n; i++)
        longest = e->sequences[i].n > longest ? e->sequences[i].n : longest;
    return longest;
}

int sg_tasks_run(sg_tasks_result *out, sg_model *model, const bool *keep, bool halves, int n_subsets,
                 const sg_task *const *tasks, size_t n_tasks, const sg_run_opts *opts, sg_error *err)
{
    sg_encoded e = {0};
    sg_packed packed = {0};
    sg_choices choices = {0};
    sg_pass_result result;
    *out = (sg_tasks_result){0};
    int rc = sg_model_runs(model, err);
    if (rc || (rc = sg_encode(&e, model, tasks, n_tasks, opts->bos, err)) ||
        (rc = sg_pack(&packed, &e, sg_rope_lengths_alike(model, longest_of(&e)), err)) ||
        (rc = sg_choices_init(&choices, packed.probes, packed.n_probes, packed.n_windows, n_subsets, err)))
        goto out;
    sg_observer observer = {.nll = sg_choices_nll, .logits = sg_choices_logits, .self = &choices};
    sg_pass pass = {.model = model,
                    .windows = packed.windows,
                    .n_windows = packed.n_windows,
                    .keep = keep,
                    .halves = halves,
                    .n_subsets = n_subsets,
                    .observers = &observer,
                    .n_observers = 1,
                    .precision = opts->precision,
                    .memory = sg_memory_left(opts->memory),
                    .threads = opts->threads,
                    .progress = opts->progress,
                    .stage = "running tasks"};
    if ((rc = sg_pass_run(&pass, &result, err)))
        goto out;
    *out = (sg_tasks_result){.n_requests = e.n,
                             .precision = result.precision,
                             .seconds = result.seconds,
                             .positions = packed.rows,
                             .positions_alone = packed.rows_alone,
                             .bos = e.bos};
    out->scores = sg_alloc((size_t)n_subsets * e.n, sizeof *out->scores);
    if (!out->scores) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for the scores of %zu texts", e.n);
        goto out;
    }
    gather(out, &choices, &packed, &e, n_subsets);
    take_means(out, &e, n_subsets, tasks, n_tasks);
out:
    sg_choices_dispose(&choices);
    sg_packed_dispose(&packed);
    sg_encoded_dispose(&e);
    return rc;
}

int sg_tasks_fill(sg_task_score *list, const sg_tasks_result *result, size_t subset, const sg_task *const *tasks,
                  size_t n_tasks, sg_error *err)
{
    const sg_request_score *scores = result->scores + subset * result->n_requests;
    int rc = SG_OK;
    for (size_t i = 0; i < n_tasks && !rc; i++) {
        rc = sg_task_fill(&list[i], tasks[i], scores, result->bos, err);
        scores += tasks[i]->n_requests;
    }
    return rc;
}

static int fill_entry(sg_eval_entry *entry, const sg_tasks_result *result, size_t subset, const sg_task *const *tasks,
                      size_t n_tasks, sg_error *err)
{
    sg_task_score *list = sg_alloc_zero(n_tasks, sizeof *list);
    if (!list)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu tasks", n_tasks);
    entry->tasks = list;
    entry->n_tasks = n_tasks;
    return sg_tasks_fill(list, result, subset, tasks, n_tasks, err);
}

int sg_eval_tasks(sg_eval **eval, sg_model *model, const int *removed, size_t n_removed, const sg_task *const *tasks,
                  size_t n_tasks, const sg_run_opts *opts, sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    sg_eval *made = NULL;
    sg_tasks_result result = {0};
    bool *keep = NULL;
    int S = n_removed ? 2 : 1;
    int rc = *eval ? SG_OK : sg_eval_start(&made, model, removed, n_removed, err);
    if (rc)
        return rc;
    sg_eval *to = *eval ? *eval : made;
    if (to->n_entries != (size_t)S || to->entries[0].n_tasks)
        rc = sg_fail(err, SG_ERR_USAGE, "%s: not the evaluation of these layers, or with tasks already",
                     model->info.path);
    else
        rc = sg_eval_keep(&keep, to, model, err);
    if (!rc && !(rc = sg_tasks_run(&result, model, keep, false, S, tasks, n_tasks, opts ? opts : &no_opts, err))) {
        to->precision = result.precision;
        to->seconds += result.seconds;
        to->scored += S * result.positions;
        for (int i = 0; i < S && !rc; i++)
            rc = fill_entry(&sg_eval_own(to)[i], &result, (size_t)i, tasks, n_tasks, err);
    }
    sg_tasks_result_dispose(&result);
    sg_free(keep);
    if (rc)
        sg_eval_free(made);
    else
        *eval = to;
    return rc;
}
