/* The methods' names. */
#include <string.h>

#include "core/error.h"
#include "core/nearest.h"

static const char *const names[SG_N_METHODS + 1] = {
    [SG_METHOD_BI] = "bi",
    [SG_METHOD_RELATIVE_MAGNITUDE] = "relative-magnitude",
    [SG_METHOD_REVERSE] = "reverse",
    [SG_METHOD_SEQUENTIAL] = "sequential",
    [SG_METHOD_RANDOM] = "random",
    [SG_METHOD_ANGULAR] = "angular",
    [SG_METHOD_ANGULAR_ALL] = "angular-all",
    [SG_METHOD_GREEDY] = "greedy",
    [SG_METHOD_GREEDY_KL] = "greedy-kl",
    [SG_METHOD_BI_GREEDY] = "bi-greedy",
};

const char *sg_method_name(sg_method method)
{
    return (unsigned)method < SG_N_METHODS ? names[method] : NULL;
}

int sg_method_parse(const char *name, sg_method *out, sg_error *err)
{
    char hint[160];
    for (int i = 0; i < SG_N_METHODS; i++)
        if (!strcmp(names[i], name)) {
            *out = (sg_method)i;
            return SG_OK;
        }
    return sg_fail(err, SG_ERR_USAGE, "there is no method \"%.40s\"%s", name,
                   sg_nearest_hint(hint, "", name, names, SG_N_METHODS));
}
