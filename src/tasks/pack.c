/* Packing of sequences that begin alike. */
#include "tasks/pack.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* A beginning that is shorter is put in again: a window of its own costs attention more than that saves. */
enum { WORTH_SHARING = 16 };

typedef struct step { /* positions [begin, end) of the sequence at hand are in this window */
    int window, begin, end;
} step;

typedef struct packer {
    sg_packed *out;
    step *path; /* from a root to the sequence at hand */
    int depth;
    int64_t group_rows;
    size_t capacity; /* of out->windows, and of path */
} packer;

typedef struct owned_probe { /* while sorting */
    sg_probe probe;
    size_t owner;
} owned_probe;

static int by_tokens(const void *a, const void *b, void *sequences)
{
    const sg_sequence *x = (const sg_sequence *)sequences + *(const size_t *)a,
                      *y = (const sg_sequence *)sequences + *(const size_t *)b;
    int n = (x->n < y->n ? x->n : y->n) - 1;
    for (int i = 0; i < n; i++)
        if (x->ids[i] != y->ids[i])
            return x->ids[i] < y->ids[i] ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return *(const size_t *)a < *(const size_t *)b ? -1 : 1; /* in order, so that results do not depend on the sort */
}

static int by_place(const void *a, const void *b)
{
    const owned_probe *x = a, *y = b;
    if (x->probe.at.window != y->probe.at.window)
        return x->probe.at.window < y->probe.at.window ? -1 : 1;
    if (x->probe.at.pos != y->probe.at.pos)
        return x->probe.at.pos < y->probe.at.pos ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static int common(const sg_sequence *a, const sg_sequence *b)
{
    int n = (a->n < b->n ? a->n : b->n) - 1, i = 0;
    while (i < n && a->ids[i] == b->ids[i])
        i++;
    return i;
}

/* Takes the path back to the first `shared` positions, and puts what is behind them in a new window. */
static void place(packer *p, const sg_sequence *s, int shared)
{
    int rows = s->n - 1 - shared;
    if (shared < WORTH_SHARING || p->group_rows + rows > SG_GROUP_ROWS) {
        shared = 0;
        rows = s->n - 1;
        p->group_rows = 0;
    }
    while (p->depth && p->path[p->depth - 1].begin >= shared)
        p->depth--;
    if (p->depth)
        p->path[p->depth - 1].end = shared;
    if (!rows)
        return;
    int w = p->out->n_windows++;
    p->out->windows[w] = (sg_window){.ids = s->ids + shared,
                                     .n = rows,
                                     .targets = p->out->targets + p->out->rows,
                                     .shared = shared,
                                     .back = shared ? w - p->path[p->depth - 1].window : 0};
    p->path[p->depth++] = (step){w, shared, s->n - 1};
    p->out->rows += rows;
    p->group_rows += rows;
}

/* The rows on the path that predict the sequence's scored tokens. */
static size_t add_probes(const packer *p, const sg_sequence *s, size_t owner, owned_probe *probes)
{
    size_t n = 0;
    int d = 0;
    for (int j = s->first; j < s->n; j++) {
        while (p->path[d].end <= j - 1)
            d++;
        sg_position at = {p->path[d].window, j - 1 - p->path[d].begin};
        probes[n++] = (owned_probe){{at, s->ids[j]}, owner};
    }
    return n;
}

static int allocate(sg_packed *out, packer *p, const sg_encoded *e, size_t **order, owned_probe **probes, sg_error *err)
{
    size_t scored = 0, rows = 0;
    for (size_t i = 0; i < e->n; i++) {
        scored += (size_t)(e->sequences[i].n - e->sequences[i].first);
        rows += (size_t)(e->sequences[i].n - 1);
    }
    if (e->n > INT32_MAX / 2)
        return sg_fail(err, SG_ERR_USAGE, "%zu texts are too many; use --limit", e->n);
    out->windows = sg_alloc(e->n, sizeof *out->windows);
    out->targets = sg_alloc(rows, sizeof *out->targets);
    out->probes = sg_alloc(scored, sizeof *out->probes);
    out->owner = sg_alloc(scored, sizeof *out->owner);
    p->path = sg_alloc(e->n, sizeof *p->path);
    *order = sg_alloc(e->n, sizeof **order);
    *probes = sg_alloc(scored, sizeof **probes);
    if (!out->windows || !out->targets || !out->probes || !out->owner || !p->path || !*order || !*probes)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %zu texts of %zu tokens", e->n, rows);
    for (size_t i = 0; i < rows; i++)
        out->targets[i] = -1;
    out->rows_alone = (int64_t)rows;
    return SG_OK;
}

int sg_pack(sg_packed *out, const sg_encoded *e, bool share, sg_error *err)
{
    packer p = {.out = out};
    size_t *order = NULL, n = 0;
    owned_probe *probes = NULL;
    *out = (sg_packed){0};
    int rc = allocate(out, &p, e, &order, &probes, err);
    if (rc)
        goto out;
    for (size_t i = 0; i < e->n; i++)
        order[i] = i;
    qsort_r(order, e->n, sizeof *order, by_tokens, e->sequences);
    for (size_t i = 0; i < e->n; i++) {
        const sg_sequence *s = &e->sequences[order[i]];
        int shared = i ? common(s, &e->sequences[order[i - 1]]) : 0;
        bool same = i && shared == s->n - 1 && s->n == e->sequences[order[i - 1]].n;
        if (!same) /* else the path holds it as it is */
            place(&p, s, share ? shared : 0);
        n += add_probes(&p, s, order[i], probes + n);
    }
    qsort(probes, n, sizeof *probes, by_place);
    for (size_t i = 0; i < n; i++) {
        const sg_window *w = &out->windows[probes[i].probe.at.window];
        out->targets[(w->targets - out->targets) + probes[i].probe.at.pos] = probes[i].probe.token;
        out->probes[i] = probes[i].probe;
        out->owner[i] = probes[i].owner;
    }
    out->n_probes = n;
out:
    sg_free(p.path);
    sg_free(order);
    sg_free(probes);
    return rc;
}

void sg_packed_dispose(sg_packed *p)
{
    sg_free(p->windows);
    sg_free(p->targets);
    sg_free(p->probes);
    sg_free(p->owner);
    *p = (sg_packed){0};
}
