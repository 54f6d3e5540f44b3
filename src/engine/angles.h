/* Tables of rotary angles for windows of a pass. */
#ifndef SG_ENGINE_ANGLES_H
#define SG_ENGINE_ANGLES_H

#include "model/spec.h"

typedef struct sg_angles { /* of each of the model's ropes */
    const sg_model_spec *spec;
    int positions;                                /* the longest window */
    int variant[SG_MAX_ROPES];                    /* that the tables hold; -1: none yet */
    float *cos[SG_MAX_ROPES], *sin[SG_MAX_ROPES]; /* [positions][dim / 2], times the rope's magnitude */
} sg_angles;

int sg_angles_init(sg_angles *a, const sg_model_spec *spec, int positions, sg_error *err);
void sg_angles_dispose(sg_angles *a);
/* Makes the tables fit windows of T positions. */
void sg_angles_set(sg_angles *a, int T);
/* Do windows of these two lengths use the same tables? */
bool sg_angles_alike(const sg_angles *a, int T, int other);

#endif
