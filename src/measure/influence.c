/* Block Influence and its relatives, position by position in parallel, summed in order by one thread. */
#include "measure/influence.h"

#include <math.h>

#include "core/mem.h"
#include "core/stats.h"
#include "engine/kernels.h"

int sg_influence_init(sg_influence *inf, const sg_window *windows, int n_windows, int n_layers, int subset,
                      sg_error *err)
{
    *inf = (sg_influence){.windows = windows, .n_windows = n_windows, .subset = subset};
    inf->sums = sg_alloc_zero((size_t)n_layers * (size_t)n_windows, sizeof *inf->sums);
    return inf->sums
               ? SG_OK
               : sg_fail(err, SG_ERR_NOMEM, "no memory for the scores of %d layers in %d windows", n_layers, n_windows);
}

void sg_influence_dispose(sg_influence *inf)
{
    sg_free(inf->sums);
    *inf = (sg_influence){0};
}

static bool observes(const sg_influence *inf, const sg_layer_event *event)
{
    for (int i = 0; i < event->n_subsets; i++)
        if (event->subsets[i] == inf->subset)
            return true;
    return false;
}

/* 1 - cos; a zero vector has no direction: NaN */
static double turn(double dot, double aa, double bb)
{
    return aa > 0 && bb > 0 ? 1 - dot / (sqrt(aa) * sqrt(bb)) : (double)NAN;
}

/* ||b - a|| / ||b|| by f64 sums of f32 products */
static double change(double dot, double aa, double bb)
{
    double moved = bb + aa - 2 * dot;
    return sqrt((moved > 0 ? moved : 0) / bb);
}

/* One position of a half or of the whole; false: a zero vector is among the two. */
static bool add(double dot, double aa, double bb, double *bi, double *magnitude, int *n)
{
    double value = turn(dot, aa, bb);
    if (isnan(value))
        return false;
    *bi += value;
    *magnitude += change(dot, aa, bb);
    ++*n;
    return true;
}

/* A row's products: before, mid, after; and the feed-forward's own, which in a sequential layer are among them. */
typedef struct row_dots {
    sg_dots layer;
    double ffn_dot, ffn_bb, ffn_aa;
} row_dots;

static row_dots measure_row(const sg_layer_event *e, size_t at)
{
    row_dots d = {.layer = sg_row_dots(e->before + at, e->mid + at, e->after + at, e->hidden)};
    if (e->ffn_before == e->mid) {
        d.ffn_dot = d.layer.ma;
        d.ffn_bb = d.layer.mm;
        d.ffn_aa = d.layer.aa;
    } else {
        sg_dots half = sg_row_dots(e->ffn_before + at, e->ffn_after + at, e->ffn_after + at, e->hidden);
        d.ffn_dot = half.ba;
        d.ffn_bb = half.bb;
        d.ffn_aa = half.aa;
    }
    return d;
}

static void add_position(sg_influence_sums *s, const row_dots *row)
{
    const sg_dots *d = &row->layer;
    add(d->bm, d->bb, d->mm, &s->mixer, &s->mixer_magnitude, &s->n_mixer);
    add(row->ffn_dot, row->ffn_bb, row->ffn_aa, &s->ffn, &s->ffn_magnitude, &s->n_ffn);
    s->skipped += !add(d->ba, d->bb, d->aa, &s->bi, &s->magnitude, &s->n);
}

int sg_influence_layer(void *self, const sg_layer_event *event, sg_error *err)
{
    sg_influence *inf = self;
    if (!observes(inf, event))
        return SG_OK;
    row_dots *dots = sg_alloc((size_t)event->n, sizeof *dots);
    if (!dots)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the scores of %d positions", event->n);
#pragma omp parallel for schedule(static)
    for (int i = 0; i < event->n; i++)
        dots[i] = measure_row(event, (size_t)i * (size_t)event->hidden);
    for (int i = 0; i < event->n; i++) {
        sg_position p = event->at[i];
        int window = inf->first + p.window;
        if (p.pos > 0 || !inf->windows[window].bos)
            add_position(&inf->sums[(size_t)event->layer * (size_t)inf->n_windows + (size_t)window], &dots[i]);
    }
    sg_free(dots);
    return SG_OK;
}

double sg_influence_sum(const sg_influence *inf, int layer, int window, sg_part part, bool magnitude, int *n)
{
    const sg_influence_sums *s = &inf->sums[(size_t)layer * (size_t)inf->n_windows + (size_t)window];
    const double of[][2] = {{s->bi, s->magnitude}, {s->mixer, s->mixer_magnitude}, {s->ffn, s->ffn_magnitude}};
    const int counts[] = {s->n, s->n_mixer, s->n_ffn};
    *n = counts[part];
    return of[part][magnitude];
}

static double ratio(double sum, int64_t n)
{
    return n ? sum / (double)n : (double)NAN;
}

sg_layer_score sg_influence_score(const sg_influence *inf, int layer, int64_t *n_skipped, double *window_means)
{
    const sg_influence_sums *of = inf->sums + (size_t)layer * (size_t)inf->n_windows;
    double bi = 0, mixer = 0, ffn = 0, magnitude = 0, mean, low, high;
    int64_t n = 0, n_mixer = 0, n_ffn = 0;
    size_t n_means = 0;
    for (int w = 0; w < inf->n_windows; w++) {
        bi += of[w].bi;
        mixer += of[w].mixer;
        ffn += of[w].ffn;
        magnitude += of[w].magnitude;
        n += of[w].n;
        n_mixer += of[w].n_mixer;
        n_ffn += of[w].n_ffn;
        *n_skipped += of[w].skipped;
        if (of[w].n)
            window_means[n_means++] = of[w].bi / of[w].n;
    }
    sg_interval(window_means, n_means, &mean, &low, &high);
    double value = ratio(bi, n);
    return (sg_layer_score){.index = layer,
                            .bi = value,
                            .value = value,
                            .bi_low = value - (mean - low),
                            .bi_high = value + (high - mean),
                            .relative_magnitude = ratio(magnitude, n),
                            .mixer_bi = ratio(mixer, n_mixer),
                            .ffn_bi = ratio(ffn, n_ffn)};
}
