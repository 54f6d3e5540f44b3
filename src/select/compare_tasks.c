/* sg_compare_tasks: tasks with every set of a comparison, and with the whole model, in one pass. */
#include <string.h>

#include "core/mem.h"
#include "measure/entries.h"
#include "select/compare.h"
#include "tasks/score.h"

/* [1 + subsets][units]: all units, then the different sets. *first: that of the sets; they begin with the whole model
 * when that is one of them (select/compare.c sorts them), and then it is not run twice. */
static bool *subsets_of(const sg_comparison *w, size_t *first)
{
    size_t n = w->n_units, subsets = (size_t)w->compare.subsets;
    bool *keep = sg_alloc((1 + subsets) * n, sizeof *keep);
    if (!keep)
        return NULL;
    memset(keep, true, n * sizeof *keep);
    *first = memcmp(keep, w->keep, n * sizeof *keep) ? 1 : 0;
    memcpy(keep + *first * n, w->keep, subsets * n * sizeof *keep);
    return keep;
}

static int fill(sg_comparison *w, const sg_tasks_result *result, size_t subsets, const sg_task *const *tasks,
                size_t n_tasks, sg_error *err)
{
    size_t n = subsets * n_tasks;
    sg_task_score *scores = sg_alloc_zero(n, sizeof *scores);
    int rc = scores ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for %zu tasks of %zu sets", n_tasks, subsets);
    for (size_t i = 0; i < subsets && !rc; i++)
        rc = sg_tasks_fill(scores + i * n_tasks, result, i, tasks, n_tasks, err);
    if (rc) {
        sg_task_scores_free(scores, scores ? n : 0);
        return rc;
    }
    w->tasks = scores;
    w->n_tasks = n;
    return SG_OK;
}

/* first: the place of the first set among the scores */
static void point_at(sg_comparison *w, size_t n_tasks, size_t first)
{
    w->compare.tasks = w->tasks;
    w->compare.n_tasks = n_tasks;
    for (size_t i = 0; i < w->n_points; i++) {
        w->points[i].tasks = w->tasks + (first + (size_t)w->subset_of[i]) * n_tasks;
        w->points[i].n_tasks = n_tasks;
    }
}

int sg_compare_tasks(sg_compare *compare, const sg_task *const *tasks, size_t n_tasks, const sg_run_opts *opts,
                     sg_error *err)
{
    static const sg_run_opts no_opts = {0};
    sg_comparison *w = (sg_comparison *)compare;
    sg_tasks_result result = {0};
    if (compare->n_tasks)
        return sg_fail(err, SG_ERR_USAGE, "%s: this comparison has tasks already", w->model->info.path);
    size_t first = 0;
    bool *keep = subsets_of(w, &first);
    if (!keep)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d sets", compare->subsets);
    size_t subsets = first + (size_t)compare->subsets;
    int rc = sg_tasks_run(&result, w->model, keep, compare->halves, (int)subsets, tasks, n_tasks,
                          opts ? opts : &no_opts, err);
    if (!rc && !(rc = fill(w, &result, subsets, tasks, n_tasks, err))) {
        point_at(w, n_tasks, first);
        compare->seconds += result.seconds;
    }
    sg_tasks_result_dispose(&result);
    sg_free(keep);
    return rc;
}
