/* The thread that reads ahead. A tensor is read in pieces: the kernel is told of the next one, then this one's pages
 * are mapped, which waits for them. All of it is a hint: where it fails, the pass reads when it computes. */
#include "engine/fetch.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "core/mem.h"

enum { NOTHING = -1, STOP = -2 };

struct sg_fetch {
    const sg_model *model;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int wanted, before; /* a layer, the output matrix, NOTHING, STOP; under the lock, but for a look without it */
};

/* Called with each tensor of a layer, or with the output matrix; false: enough. */
typedef bool tensor_seen(void *user, const sg_tensor *t);

/* Tensors of a role: 1, or as many as it has parts. */
static size_t count_of(const sg_model *model, int layer, int role)
{
    const sg_layer_spec *s = &model->spec.layers[layer];
    if (!model->roles[1 + layer][role].parts)
        return model->roles[1 + layer][role].tensor ? 1 : 0;
    return (size_t)(role == SG_Q_NORM ? s->n_heads : role == SG_K_NORM ? s->n_kv_heads : s->n_experts);
}

static void each_tensor(const sg_model *model, int layer, tensor_seen *seen, void *user)
{
    if (layer == model->spec.n_layers) {
        seen(user, sg_model_head(model));
        return;
    }
    for (int role = SG_ATTN_NORM; role < SG_N_ROLES; role++) {
        const sg_bound *b = &model->roles[1 + layer][role];
        for (size_t i = 0, n = count_of(model, layer, role); i < n; i++)
            if (!seen(user, b->parts ? b->parts[i] : b->tensor))
                return;
    }
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

typedef struct reading {
    sg_fetch *f;
    int layer;
} reading;

/* Is it still of use? The layer that was wanted before is read to its end while it is being loaded. */
static bool in_time(const reading *r)
{
    return __atomic_load_n(&r->f->wanted, __ATOMIC_RELAXED) == r->layer ||
           __atomic_load_n(&r->f->before, __ATOMIC_RELAXED) == r->layer;
}

static bool read_tensor(void *user, const sg_tensor *t)
{
    enum { PIECE = 8 << 20 };
    const reading *r = user;
    const sg_map *map = &r->f->model->ckpt->files[t->file];
    uint64_t end = t->offset + t->bytes;
    for (uint64_t at = t->offset; at < end; at += PIECE) {
        uint64_t n = end - at < PIECE ? end - at : PIECE, next = end - at - n < PIECE ? end - at - n : PIECE;
        if (!in_time(r))
            return false;
        sg_map_prefetch(map, at, n);
        sg_map_prefetch(map, at + n, next);
        sg_map_populate(map, at, n);
    }
    return true;
}

static void *run(void *user)
{
    sg_fetch *f = user;
    pthread_mutex_lock(&f->lock);
    for (int done = NOTHING; f->wanted != STOP;) {
        if (f->wanted == done || f->wanted == NOTHING) {
            pthread_cond_wait(&f->changed, &f->lock);
            continue;
        }
        reading r = {f, done = f->wanted};
        pthread_mutex_unlock(&f->lock);
        each_tensor(f->model, r.layer, read_tensor, &r);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

int sg_fetch_create(sg_fetch **out, const sg_model *model, sg_error *err)
{
    sigset_t all, old;
    sg_fetch *f = *out = sg_alloc_zero(1, sizeof *f);
    if (!f)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to read ahead");
    f->model = model;
    f->wanted = f->before = NOTHING;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    sigfillset(&all); /* signals are for the caller's threads */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int code = sg_test_fault("thread");
    if (!code)
        code = pthread_create(&f->thread, NULL, run, f);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!code)
        return SG_OK;
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    sg_free(f);
    *out = NULL;
    return sg_fail(err, SG_ERR_NOMEM, "cannot start a thread to read ahead: %s", strerror(code));
}

void sg_fetch_want(sg_fetch *f, int layer)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    __atomic_store_n(&f->before, layer == STOP ? NOTHING : f->wanted, __ATOMIC_RELAXED);
    __atomic_store_n(&f->wanted, layer, __ATOMIC_RELAXED);
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void sg_fetch_free(sg_fetch *f)
{
    if (!f)
        return;
    sg_fetch_want(f, STOP);
    pthread_join(f->thread, NULL);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    sg_free(f);
}

/* ---- without it ---------------------------------------------------------------------------------------- */

static bool release_tensor(void *user, const sg_tensor *t)
{
    const sg_model *model = user;
    sg_map_release(&model->ckpt->files[t->file], t->offset, t->bytes);
    return true;
}

void sg_fetch_release(const sg_model *model, int layer)
{
    each_tensor(model, layer, release_tensor, (void *)(uintptr_t)model);
}

static bool add_bytes(void *user, const sg_tensor *t)
{
    *(uint64_t *)user += t->bytes;
    return true;
}

uint64_t sg_fetch_bytes(const sg_model *model, bool head)
{
    uint64_t most = 0;
    for (int i = 0; i < model->spec.n_layers + (head ? 1 : 0); i++) {
        uint64_t bytes = 0;
        each_tensor(model, i, add_bytes, &bytes);
        most = bytes > most ? bytes : most;
    }
    return most;
}
