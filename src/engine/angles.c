/* One angle per position and frequency, in f32 as transformers computes them. */
#include "engine/angles.h"

#include <math.h>

#include "core/mem.h"
#include "model/rope.h"

int sg_angles_init(sg_angles *a, const sg_model_spec *spec, int positions, sg_error *err)
{
    *a = (sg_angles){.spec = spec, .positions = positions};
    for (int r = 0; r < spec->n_ropes; r++) {
        size_t half = (size_t)spec->ropes[r].dim / 2;
        a->variant[r] = -1;
        a->cos[r] = sg_alloc((size_t)positions * half, sizeof(float));
        a->sin[r] = sg_alloc((size_t)positions * half, sizeof(float));
        if (!a->cos[r] || !a->sin[r])
            return sg_fail(err, SG_ERR_NOMEM, "no memory for rope's angles at %d positions", positions);
    }
    return SG_OK;
}

void sg_angles_dispose(sg_angles *a)
{
    for (int r = 0; r < SG_MAX_ROPES; r++) {
        sg_free(a->cos[r]);
        sg_free(a->sin[r]);
    }
    *a = (sg_angles){0};
}

bool sg_angles_alike(const sg_angles *a, int T, int other)
{
    for (int r = 0; r < a->spec->n_ropes; r++)
        if (sg_rope_variant(&a->spec->ropes[r], T) != sg_rope_variant(&a->spec->ropes[r], other))
            return false;
    return true;
}

static void fill(float *cos, float *sin, const sg_rope *rope, int positions, int T)
{
    size_t half = (size_t)rope->dim / 2;
    float *freq = cos; /* the frequencies stand in the first row until it is written, last */
    sg_rope_at(rope, T, freq);
    for (size_t t = (size_t)positions; t-- > 0;)
        for (size_t i = 0; i < half; i++) {
            float angle = (float)t * freq[i];
            sin[t * half + i] = sinf(angle) * rope->magnitude;
            cos[t * half + i] = cosf(angle) * rope->magnitude;
        }
}

void sg_angles_set(sg_angles *a, int T)
{
    for (int r = 0; r < a->spec->n_ropes; r++) {
        int variant = sg_rope_variant(&a->spec->ropes[r], T);
        if (variant != a->variant[r])
            fill(a->cos[r], a->sin[r], &a->spec->ropes[r], a->positions, T);
        a->variant[r] = variant;
    }
}
