/* How weights and rows lie for the products of matmul_amx.c: see there. x86-64 alone. */
#ifndef SG_ENGINE_MATMUL_AMX_PACK_H
#define SG_ENGINE_MATMUL_AMX_PACK_H

#include <stdint.h>

enum {
    PANEL = 32, /* columns */
    UNIT = 32,  /* rows */
    DEPTH = 32, /* numbers along k of a step */
    TILE_BYTES = 1024,
    STEP_BYTES = 2 * TILE_BYTES,
};

static inline int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* A weight's panel [steps][2 tiles], of columns [first, first + PANEL) below n; w: [n, k]. */
void sg_amx_pack_panel(char *panel, const uint16_t *w, int first, int n, int k);
/* The same of a matrix [k, n]. */
void sg_amx_pack_panel_kn(char *panel, const uint16_t *b, int first, int n, int k);

/* Numbers [from, from + steps * DEPTH) of rows [m <= UNIT, k] as tiles [steps][2], filled up with zeros. */
void sg_amx_pack_unit(char *tiles, const uint16_t *x, int m, int k, int from, int steps);

#endif
