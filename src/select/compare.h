/* What an sg_compare stands on, for the files that fill it. */
#ifndef SG_SELECT_COMPARE_H
#define SG_SELECT_COMPARE_H

#include "select/chooser.h"

/* P = points of all methods. choose and counts are only there while sg_compare_run works. */
typedef struct sg_comparison {
    sg_compare compare; /* first: an sg_compare * is one of these */
    sg_model *model;
    const sg_choose_opts *choose;
    const int *counts;
    size_t n_counts, n_points, n_units;
    sg_calibration calibration;
    sg_trial trial;
    char *source;
    sg_compare_method *methods;
    sg_compare_point *points;  /* [methods][counts] */
    bool *keep;                /* [P][n_units] what is left at each point; then [subsets] the different ones */
    int *subset_of;            /* [P], into the different ones */
    sg_perplexity *perplexity; /* [subsets][texts] */
    size_t n_perplexity;
    sg_task_score *tasks; /* [whole model, then subsets][tasks] */
    size_t n_tasks;       /* of all of them */
    sg_compare_speeds *speeds;
} sg_comparison;

#endif
