/* Angles between layer boundaries. A window's streams are kept while it is in the pass, so that each boundary meets
 * those before it; rows in parallel, sums in order by one thread. */
#include "measure/angular.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"

static size_t boundaries(const sg_angular *a)
{
    return (size_t)a->n_layers + 1;
}

int sg_angular_init(sg_angular *a, const sg_window *windows, int n_windows, const sg_model *model, bool all,
                    sg_error *err)
{
    *a = (sg_angular){.windows = windows,
                      .n_windows = n_windows,
                      .n_layers = model->spec.n_layers,
                      .hidden = model->spec.hidden,
                      .all = all};
    uint64_t pairs = 0;
    bool ok = sg_mul_ok(boundaries(a) * boundaries(a), (uint64_t)n_windows, &pairs);
    a->sums = ok ? sg_alloc_zero(pairs, sizeof *a->sums) : NULL;
    a->n = ok ? sg_alloc_zero(pairs, sizeof *a->n) : NULL;
    a->rows = sg_alloc_zero((size_t)n_windows, sizeof *a->rows);
    return a->sums && a->n && a->rows
               ? SG_OK
               : sg_fail(err, SG_ERR_NOMEM, "no memory for the angles between %zu layer boundaries in %d windows",
                         boundaries(a), n_windows);
}

uint64_t sg_angular_bytes(const sg_angular *a, int windows)
{
    return a->sums ? boundaries(a) * boundaries(a) * (uint64_t)windows * (sizeof *a->sums + sizeof *a->n) : 0;
}

void sg_angular_dispose(sg_angular *a)
{
    for (int w = 0; a->rows && w < a->n_windows; w++)
        sg_free(a->rows[w]);
    sg_free(a->rows);
    sg_free(a->sums);
    sg_free(a->n);
    *a = (sg_angular){0};
}

/* Which kept row a position is; -1: it is not looked at. */
static int kept_row(const sg_angular *a, int window, int pos)
{
    const sg_window *w = &a->windows[window];
    if (!a->all)
        return pos == w->n - 1 ? 0 : -1;
    return pos - (w->bos ? 1 : 0);
}

static float *boundary(const sg_angular *a, int window, int row, int i)
{
    return a->rows[window] + ((size_t)row * boundaries(a) + (size_t)i) * (size_t)a->hidden;
}

static int begin_window(sg_angular *a, int window, sg_error *err)
{
    size_t rows = a->all ? (size_t)a->windows[window].n : 1;
    if (!a->rows[window])
        a->rows[window] = sg_alloc(rows * boundaries(a), (size_t)a->hidden * sizeof(float));
    return a->rows[window] ? SG_OK
                           : sg_fail(err, SG_ERR_NOMEM, "no memory for the streams of %zu positions at %zu boundaries",
                                     rows, boundaries(a));
}

static double angle(const float *x, const float *y, int n)
{
    sg_dots d = sg_row_dots(x, x, y, n);
    if (!(d.bb > 0) || !(d.aa > 0))
        return (double)NAN;
    double cosine = d.ba / (sqrt(d.bb) * sqrt(d.aa));
    return acos(fmin(1, fmax(-1, cosine))) / M_PI;
}

/* Angles of boundary layer + 1 with those before it, for every row of the event; angles: [n][layer + 1] */
static void measure(const sg_angular *a, const sg_layer_event *e, double *angles)
{
    size_t D = (size_t)a->hidden, ends = (size_t)e->layer + 1;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < e->n; i++) {
        int window = a->first + e->at[i].window, row = kept_row(a, window, e->at[i].pos);
        if (row < 0)
            continue;
        if (e->layer == 0)
            memcpy(boundary(a, window, row, 0), e->before + (size_t)i * D, D * sizeof(float));
        float *after = boundary(a, window, row, e->layer + 1);
        memcpy(after, e->after + (size_t)i * D, D * sizeof(float));
        for (size_t j = 0; j < ends; j++)
            angles[(size_t)i * ends + j] = angle(boundary(a, window, row, (int)j), after, a->hidden);
    }
}

static void add_row(sg_angular *a, int window, int layer, const double *angles)
{
    size_t B = boundaries(a), to = (size_t)layer + 1;
    for (size_t j = 0; j < to; j++)
        if (!isnan(angles[j])) {
            size_t at = ((size_t)window * B + j) * B + to;
            a->sums[at] += angles[j];
            a->n[at]++;
        }
}

static int see_layer(void *self, const sg_layer_event *e, sg_error *err)
{
    sg_angular *a = self;
    size_t ends = (size_t)e->layer + 1;
    int rc = SG_OK;
    for (int i = 0; i < e->n && e->layer == 0 && !rc; i++)
        if (kept_row(a, a->first + e->at[i].window, e->at[i].pos) >= 0)
            rc = begin_window(a, a->first + e->at[i].window, err);
    if (rc)
        return rc;
    double *angles = sg_alloc((size_t)e->n * ends, sizeof *angles);
    if (!angles)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the angles of %d positions", e->n);
    measure(a, e, angles);
    for (int i = 0; i < e->n; i++) {
        int window = a->first + e->at[i].window;
        if (kept_row(a, window, e->at[i].pos) < 0)
            continue;
        add_row(a, window, e->layer, angles + (size_t)i * ends);
        if (e->layer == a->n_layers - 1 && e->at[i].pos == a->windows[window].n - 1) { /* done with */
            sg_free(a->rows[window]);
            a->rows[window] = NULL;
        }
    }
    sg_free(angles);
    return SG_OK;
}

sg_observer sg_angular_observer(sg_angular *a)
{
    uint64_t row = (uint64_t)boundaries(a) * (uint64_t)a->hidden * sizeof(float);
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < a->n_windows; i++)
        shortest = (uint64_t)a->windows[i].n < shortest ? (uint64_t)a->windows[i].n : shortest;
    return (sg_observer){.layer = see_layer, .self = a, .position_bytes = a->all ? row : row / shortest + 1};
}

double sg_angular_sum(const sg_angular *a, int window, int from, int to, int *n)
{
    size_t at = ((size_t)window * boundaries(a) + (size_t)from) * boundaries(a) + (size_t)to;
    *n = a->n[at];
    return a->sums[at];
}
