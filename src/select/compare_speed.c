/* sg_compare_speed: how fast the model is with fewer and fewer layers. */
#include "core/mem.h"
#include "select/compare.h"

/* The whole model, then the first method's sets that remove something, as entries that sg_eval_speed measures. They
 * borrow what they point to. */
static size_t name_sets(sg_eval_entry *entries, const sg_comparison *w)
{
    size_t n = 0;
    int layers = w->model->spec.n_layers;
    entries[n++] = (sg_eval_entry){.path = w->model->info.path, .layers = layers};
    for (size_t i = 0; i < w->methods[0].n_points; i++) {
        const sg_compare_point *p = &w->methods[0].points[i];
        if (p->n)
            entries[n++] = (sg_eval_entry){
                .path = w->model->info.path, .removed = p->removed, .n_removed = (size_t)p->n, .layers = layers - p->n};
    }
    return n;
}

int sg_compare_speed(sg_compare *compare, const sg_run_opts *opts, sg_error *err)
{
    sg_comparison *w = (sg_comparison *)compare;
    size_t most = 1 + w->methods[0].n_points;
    if (compare->halves || w->speeds)
        return sg_fail(err, SG_ERR_USAGE, "speed is measured once, and of whole layers");
    sg_eval_entry *entries = sg_alloc_zero(most, sizeof *entries);
    sg_compare_speeds *speeds = sg_alloc_zero(most, sizeof *speeds);
    sg_eval eval = {.entries = entries};
    int rc = entries && speeds ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for %zu speeds", most);
    if (!rc) {
        eval.n_entries = name_sets(entries, w);
        rc = sg_eval_speed(&eval, w->model, opts, err);
    }
    for (size_t i = 0; i < eval.n_entries && !rc; i++)
        speeds[i] = (sg_compare_speeds){(int)entries[i].n_removed, entries[i].removed, entries[i].speed};
    sg_free(entries);
    if (rc || !speeds[0].speed.tokens) { /* the weights do not fit */
        sg_free(speeds);
        return rc;
    }
    compare->speeds = w->speeds = speeds;
    compare->n_speeds = eval.n_entries;
    return SG_OK;
}
