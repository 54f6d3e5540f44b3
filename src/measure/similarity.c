/* See similarity.h. */
#include "measure/similarity.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

enum { MOST_BYTES = 64 << 20, MOST_POSITIONS = 1024 };

/* Which of the window's positions are kept; behind them the next window goes on counting. */
static void place_window(sg_similarity *s, int w, int64_t *position)
{
    int n = s->windows[w].n - s->windows[w].bos, behind = (int)(*position % s->step);
    s->skip[w] = behind ? s->step - behind : 0;
    s->slots[w] = s->n;
    s->n += n > s->skip[w] ? (n - s->skip[w] + s->step - 1) / s->step : 0;
    *position += n;
}

int sg_similarity_init(sg_similarity *s, const sg_window *windows, int n_windows, int L, int D, sg_error *err)
{
    size_t boundaries = (size_t)L + 1, position = boundaries * (size_t)D * sizeof(float), most = MOST_BYTES / position;
    int64_t total = 0, counted = 0;
    most = most < 1 ? 1 : most > MOST_POSITIONS ? MOST_POSITIONS : most;
    for (int w = 0; w < n_windows; w++)
        total += windows[w].n;
    *s = (sg_similarity){.windows = windows, .L = L, .D = D, .step = (int)(total / (int64_t)most) + 1};
    s->slots = sg_alloc((size_t)n_windows, sizeof *s->slots);
    s->skip = sg_alloc((size_t)n_windows, sizeof *s->skip);
    for (int w = 0; s->slots && s->skip && w < n_windows; w++)
        place_window(s, w, &counted);
    s->streams = sg_alloc((size_t)s->n, position);
    if (s->streams) /* written at once: what is in memory already, the pass's bound leaves out */
        memset(s->streams, 0, (size_t)s->n * position);
    s->sums = sg_alloc_zero(boundaries * boundaries, sizeof *s->sums);
    s->counts = sg_alloc_zero(boundaries * boundaries, sizeof *s->counts);
    if (s->slots && s->skip && s->streams && s->sums && s->counts)
        return SG_OK;
    sg_similarity_dispose(s);
    return sg_fail(err, SG_ERR_NOMEM, "no memory for the stream at %zu layer boundaries", boundaries);
}

void sg_similarity_dispose(sg_similarity *s)
{
    sg_free(s->slots);
    sg_free(s->skip);
    sg_free(s->streams);
    sg_free(s->sums);
    sg_free(s->counts);
    *s = (sg_similarity){0};
}

static float *stream_at(const sg_similarity *s, int boundary, int slot)
{
    return s->streams + ((size_t)boundary * (size_t)s->n + (size_t)slot) * (size_t)s->D;
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Keeps a row and takes its cosines with the boundaries before. */
static void take(sg_similarity *s, const float *row, int boundary, int slot)
{
    float *x = stream_at(s, boundary, slot);
    double length = sqrt(dot(row, row, s->D));
    if (!(length > 0))
        return;
    for (int i = 0; i < s->D; i++)
        x[i] = (float)(row[i] / length);
    for (int j = 0; j <= boundary; j++) {
        size_t at = (size_t)boundary * (size_t)(s->L + 1) + (size_t)j;
        const float *y = stream_at(s, j, slot);
        double cosine = j == boundary ? 1 : dot(x, y, s->D);
        if (j < boundary && dot(y, y, s->D) == 0)
            continue;
        s->sums[at] += cosine;
        s->counts[at]++;
    }
}

int sg_similarity_layer(void *self, const sg_layer_event *e, sg_error *err)
{
    (void)err;
    sg_similarity *s = self;
    bool first = false;
    for (int i = 0; i < e->n_subsets; i++)
        first = first || e->subsets[i] == 0;
    for (int i = 0; first && i < e->n; i++) {
        int window = s->first + e->at[i].window;
        const sg_window *w = &s->windows[window];
        int pos = e->at[i].pos - w->bos - s->skip[window];
        if (pos < 0 || pos % s->step)
            continue;
        int slot = s->slots[window] + pos / s->step;
        if (e->layer == 0)
            take(s, e->before + (size_t)i * (size_t)s->D, 0, slot);
        take(s, e->after + (size_t)i * (size_t)s->D, e->layer + 1, slot);
    }
    return SG_OK;
}

void sg_similarity_result(const sg_similarity *s, double *out)
{
    size_t n = (size_t)s->L + 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            int count = s->counts[i * n + j];
            out[i * n + j] = out[j * n + i] = count ? s->sums[i * n + j] / count : (double)NAN;
        }
}
