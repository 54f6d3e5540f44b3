/* Prunes the last layer of MODEL to OUT and says how long each stage took: "writing 3.2", "reading back 1.1", ...
 *
 *   stages MODEL OUT */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shortgpt.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char stage[64] = "preparing";
static double since;

static int seen(const char *name, uint64_t done, uint64_t total, const char *unit, void *user)
{
    (void)done, (void)total, (void)unit, (void)user;
    if (strcmp(name, stage) == 0)
        return 0;
    double at = now();
    printf("%s %.3f\n", stage, at - since);
    snprintf(stage, sizeof stage, "%s", name);
    since = at;
    return 0;
}

int main(int argc, char **argv)
{
    sg_model *model = NULL;
    sg_plan *plan = NULL;
    sg_prune_result *result = NULL;
    sg_error err = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: stages MODEL OUT\n");
        return 2;
    }
    since = now();
    int rc = sg_model_open(&model, argv[1], &err);
    int last = rc ? 0 : sg_model_get_info(model)->layers - 1;
    if (rc || (rc = sg_plan_from_layers(&plan, model, &last, 1, &err)) ||
        (rc = sg_prune_run(&result, model, plan, argv[2], &(sg_prune_opts){.progress = {seen, NULL}}, &err)))
        fprintf(stderr, "stages: %s\n", err.message);
    else
        printf("%s %.3f\n", stage, now() - since);
    sg_prune_result_free(result);
    sg_plan_free(plan);
    sg_model_free(model);
    return rc ? 1 : 0;
}
