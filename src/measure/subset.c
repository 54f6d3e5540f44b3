/* See subset.h. */
#include "measure/subset.h"

#include <string.h>

#include "core/mem.h"

int sg_subset_keep(bool **keep, const sg_model *model, const int *removed, size_t n, sg_error *err)
{
    int L = model->spec.n_layers;
    *keep = NULL;
    for (size_t i = 0; i < n; i++)
        if (removed[i] < 0 || removed[i] >= L || (i > 0 && removed[i] <= removed[i - 1]))
            return sg_fail(err, SG_ERR_USAGE, "layer %d is out of range, out of order or given twice", removed[i]);
    if (n >= (size_t)L)
        return sg_fail(err, SG_ERR_REFUSED, "%s: no layer would be left", model->info.path);
    *keep = sg_alloc((size_t)L, sizeof **keep);
    if (!*keep)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d layers", L);
    memset(*keep, true, (size_t)L);
    for (size_t i = 0; i < n; i++)
        (*keep)[removed[i]] = false;
    return SG_OK;
}
