/* Scores of tasks from the likelihoods of their requests. */
#ifndef SG_TASKS_SCORE_H
#define SG_TASKS_SCORE_H

#include "engine/pass.h"
#include "tasks/task.h"

typedef struct sg_request_score {
    double ll;   /* by the task's rule */
    bool greedy; /* every scored token is the model's first choice */
    bool cut;    /* it was longer than the model's positions */
} sg_request_score;

/* What all subsets score on all tasks in one pass. */
typedef struct sg_tasks_result {
    sg_request_score *scores; /* [n_subsets][n_requests], in the order of the tasks; owned */
    size_t n_requests;
    sg_precision precision;
    double seconds;
    int64_t positions, positions_alone; /* put in, and what they would be if nothing were shared */
    bool bos;
} sg_tasks_result;

/* keep, halves: as of sg_pass. */
int sg_tasks_run(sg_tasks_result *out, sg_model *model, const bool *keep, bool halves, int n_subsets,
                 const sg_task *const *tasks, size_t n_tasks, const sg_run_opts *opts, sg_error *err);
void sg_tasks_result_dispose(sg_tasks_result *r);
/* All tasks' scores of one subset: list has room for n_tasks, all zero. On an error what was filled is to be freed too.
 */
int sg_tasks_fill(sg_task_score *list, const sg_tasks_result *result, size_t subset, const sg_task *const *tasks,
                  size_t n_tasks, sg_error *err);

/* One task's score from its requests' scores; what it points to is owned (sg_eval_free). On an error *out is to be
 * freed too. */
int sg_task_fill(sg_task_score *out, const sg_task *task, const sg_request_score *scores, bool bos, sg_error *err);

#endif
