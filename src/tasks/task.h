/* A task as it was read: items, and for each of them what is to be scored. Nothing here knows a model. */
#ifndef SG_TASKS_TASK_H
#define SG_TASKS_TASK_H

#include "tasks/table.h"

typedef struct sg_request { /* log p(continuation | context); under SG_RULE_MEAN context is "" */
    const char *context, *continuation;
    size_t characters; /* code points of the option, for acc_norm */
} sg_request;

typedef struct sg_item {
    const char *id;
    size_t first; /* of its requests */
    int n;
    int gold; /* -1: no option is right */
    int group;
} sg_item;

struct sg_task {
    const sg_task_row *row;
    char *name, *path;
    int shots;
    sg_item *items;
    size_t n_items, cap_items;
    sg_request *requests;
    size_t n_requests, cap_requests;
    char **groups; /* subjects; n_groups is 0 for a task without */
    size_t n_groups;
    bool same_options; /* all items have the same: letters or words, so that a constant answer means something */
    char **pool;       /* the strings that items and requests point to */
    size_t n_pool, cap_pool;
};

#endif
