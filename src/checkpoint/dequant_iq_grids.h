/* The grids of the IQ formats: each entry stands for 8 elements in codes of 2 bits (IQ2: 0, 1, 2 for 8, 25, 43; IQ1:
 * for -1, 0, 1) or for 4 in codes of 4 bits (IQ3: 0 .. 7), the first element lowest. The numbers are ggml's, part of
 * the formats; tests/golden/make_grids.py printed them. IQ1_S and IQ1_M share one. */
#ifndef SG_CHECKPOINT_DEQUANT_IQ_GRIDS_H
#define SG_CHECKPOINT_DEQUANT_IQ_GRIDS_H

#include <stdint.h>

extern const uint16_t sg_iq2_xxs_grid[256];
extern const uint16_t sg_iq2_xs_grid[512];
extern const uint16_t sg_iq2_s_grid[1024];
extern const uint16_t sg_iq3_xxs_grid[256];
extern const uint16_t sg_iq3_s_grid[512];
extern const uint16_t sg_iq1_grid[2048];

#endif
