/* A pass: windows of tokens through the layers, layer by layer.
 *
 * Windows are cut into chunks whose residual streams fit the memory bound; all windows of a chunk go through layer 0,
 * then all through layer 1, and so on, so that a layer's weights are read and packed once per chunk. Several subsets of
 * the layers can go through together: those that agree so far share one stream, and a stream forks where two first
 * differ. */
#ifndef SG_ENGINE_PASS_H
#define SG_ENGINE_PASS_H

#include "engine/head.h"

typedef struct sg_window {
    const int32_t *ids;
    int n;
    bool bos; /* ids[0] was put in front */
    /* Texts that begin alike: this one takes over the first `shared` positions of the window that is `back` before it,
     * those it took over itself included; ids are what follows. 0: none. Windows that hang together so follow each
     * other, a group, and go through each layer together. Only where sg_rope_lengths_alike says so. */
    int shared, back;
    /* [n] the token that each row predicts, -1: none, and the head leaves the row out; NULL: the next of ids */
    const int32_t *targets;
} sg_window;

/* Do windows of up to `longest` positions use the same angles, so that what they share is the same? */
bool sg_rope_lengths_alike(const sg_model *model, int longest);
/* Behind the last window of the group that begins with window w. */
int sg_group_end(const sg_window *windows, int n_windows, int w);
/* Rows that a group should not pass: a group is in memory at once, at whatever bound. */
enum { SG_GROUP_ROWS = 2048 };

typedef struct sg_position { /* of a row */
    int window, pos;
} sg_position;

/* What observers are told. subsets: who shares the stream (indices into the pass's subsets). Positions come in order
 * within a window, pos counting its own rows; a window's are all in one chunk. The stream of a group's first subset
 * comes before the others. */
typedef struct sg_layer_event {
    int layer;
    const int *subsets;
    int n_subsets;
    const sg_position *at; /* [n] */
    int n;
    int hidden;
    /* [n, hidden]: the stream before, with the mixer's half added, and after; the feed-forward's part is ffn_before to
     * ffn_after (in a parallel layer before to before + its half, else mid to after) */
    const float *before, *mid, *after, *ffn_before, *ffn_after;
} sg_layer_event;

typedef struct sg_nll_event {
    const int *subsets;
    int n_subsets;
    const sg_position *at;
    int n;
    const sg_logit_sums *sums; /* [n]; of the rows that have a target */
} sg_nll_event;

typedef struct sg_logits_event {
    const int *subsets;
    int n_subsets;
    const sg_position *at;
    int n;
    int v0, nv;
    const float *logits; /* [n, nv] */
} sg_logits_event;

typedef struct sg_observer { /* a NULL function: not wanted; without nll and logits the head is not computed */
    int (*layer)(void *self, const sg_layer_event *event, sg_error *err);
    int (*nll)(void *self, const sg_nll_event *event, sg_error *err);
    int (*logits)(void *self, const sg_logits_event *event, sg_error *err);
    void *self;
    uint64_t position_bytes; /* what it keeps for each position of a chunk, for the memory bound */
    bool keeps_logits;       /* it keeps a copy of an event's logits */
} sg_observer;

typedef struct sg_pass {
    const sg_model *model;
    const sg_window *windows;
    int n_windows;
    const bool *keep; /* [n_subsets][n_layers]: which layers each subset has; no two alike */
    bool halves;      /* keep is [n_subsets][n_layers][2]: mixer and feed-forward apart */
    int n_subsets;
    bool reference; /* where subsets go in groups, subset 0 goes with each and observers see it again */
    const sg_observer *observers;
    int n_observers;
    sg_precision precision;
    uint64_t memory; /* bytes; 0: half of what is available */
    int threads;     /* 0: all that the process may use */
    sg_mm_kernel kernel;
    sg_progress progress;
    const char *stage;     /* for progress: "scoring" */
    double *layer_seconds; /* NULL, or [n_layers + 1]: added to, seconds of each layer's arithmetic and of the head */
} sg_pass;

typedef struct sg_pass_result {
    sg_precision precision; /* bf16 or f32 */
    int chunks;
    double seconds;
} sg_pass_result;

/* SG_ERR_NOMEM: the bound is too small, with the size that is needed. SG_ERR_NUMERIC: NaN or infinity, naming layer and
 * window. SG_ERR_REFUSED: a window longer than the model's positions, or a model that does not run. */
int sg_pass_run(const sg_pass *pass, sg_pass_result *result, sg_error *err);

/* auto resolved for this processor */
sg_precision sg_precision_effective(sg_precision wanted);

#endif
