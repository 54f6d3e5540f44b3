/* Results of sg_eval. */
#include "measure/entries.h"

#include <string.h>

#include "core/mem.h"
#include "measure/subset.h"

static void release(const void *p)
{
    sg_free((void *)(uintptr_t)p);
}

static void free_task(const sg_task_score *t)
{
    for (int64_t i = 0; t->items && i < t->n; i++) {
        release(t->items[i].id);
        release(t->items[i].lls);
    }
    for (size_t i = 0; i < t->n_subtasks; i++)
        release(t->subtasks[i].name);
    release(t->items);
    release(t->subtasks);
    release(t->name);
}

void sg_task_scores_free(sg_task_score *tasks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free_task(&tasks[i]);
    sg_free(tasks);
}

static void free_entry(const sg_eval_entry *e)
{
    for (size_t i = 0; i < e->n_perplexity; i++)
        release(e->perplexity[i].source);
    sg_task_scores_free((sg_task_score *)(uintptr_t)e->tasks, e->n_tasks);
    for (size_t i = 0; i < e->n_samples; i++)
        release(e->samples[i].text);
    release(e->perplexity);
    release(e->samples);
    release(e->removed);
    release(e->path);
}

void sg_eval_free(sg_eval *eval)
{
    if (!eval)
        return;
    for (size_t i = 0; i < eval->n_entries; i++)
        free_entry(&eval->entries[i]);
    release(eval->entries);
    sg_free(eval);
}

int sg_eval_append(sg_eval *a, sg_eval *b, sg_error *err)
{
    if (a->precision != b->precision)
        return sg_fail(err, SG_ERR_USAGE, "evaluations in %s and %s cannot stand in one table",
                       sg_precision_name(a->precision), sg_precision_name(b->precision));
    sg_eval_entry *all = sg_resize(sg_eval_own(a), a->n_entries + b->n_entries, sizeof *all);
    if (!all)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu results", a->n_entries + b->n_entries);
    if (b->n_entries)
        memcpy(all + a->n_entries, b->entries, b->n_entries * sizeof *all);
    a->entries = all;
    a->n_entries += b->n_entries;
    a->seconds += b->seconds;
    a->scored += b->scored;
    b->n_entries = 0;
    return SG_OK;
}

static bool fill_entry(sg_eval_entry *e, const sg_model *model, const int *removed, size_t n_removed)
{
    int *copy = sg_alloc(n_removed, sizeof *copy);
    *e = (sg_eval_entry){.path = sg_strdup(model->info.path),
                         .removed = copy,
                         .n_removed = n_removed,
                         .layers = model->spec.n_layers - (int)n_removed,
                         .parameters = model->info.parameters,
                         .bytes = model->info.bytes};
    memcpy(e->fingerprint, model->info.fingerprint, sizeof e->fingerprint);
    for (size_t i = 0; copy && i < n_removed; i++) {
        copy[i] = removed[i];
        e->parameters -= model->layers[removed[i]].parameters;
        e->bytes -= model->layers[removed[i]].bytes;
    }
    return copy && e->path;
}

int sg_eval_start(sg_eval **out, const sg_model *model, const int *removed, size_t n_removed, sg_error *err)
{
    size_t n = n_removed ? 2 : 1;
    bool *checked;
    int rc = sg_subset_keep(&checked, model, removed, n_removed, err);
    *out = NULL;
    if (rc)
        return rc;
    sg_free(checked);
    sg_eval *eval = sg_alloc_zero(1, sizeof *eval);
    sg_eval_entry *entries = sg_alloc_zero(n, sizeof *entries);
    bool ok = eval && entries;
    if (eval)
        eval->entries = entries;
    else
        sg_free(entries);
    for (size_t i = 0; i < n && ok; i++, eval->n_entries++)
        ok = fill_entry(&entries[i], model, removed, i ? n_removed : 0);
    if (!ok) {
        sg_eval_free(eval);
        return sg_fail(err, SG_ERR_NOMEM, "no memory to evaluate %s", model->info.path);
    }
    *out = eval;
    return SG_OK;
}

int sg_eval_keep(bool **keep, const sg_eval *eval, const sg_model *model, sg_error *err)
{
    size_t L = (size_t)model->spec.n_layers, n = eval->n_entries;
    *keep = NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(eval->entries[i].path, model->info.path) != 0 ||
            (size_t)eval->entries[i].layers + eval->entries[i].n_removed != L)
            return sg_fail(err, SG_ERR_USAGE, "results of %s, expected those of %s", eval->entries[i].path,
                           model->info.path);
    if (!(*keep = sg_alloc(n * L, sizeof **keep)))
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu lists of %zu layers", n, L);
    memset(*keep, true, n * L);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < eval->entries[i].n_removed; j++)
            (*keep)[i * L + (size_t)eval->entries[i].removed[j]] = false;
    return SG_OK;
}
