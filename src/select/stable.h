/* Has enough text been read? A bootstrap over windows. */
#ifndef SG_SELECT_STABLE_H
#define SG_SELECT_STABLE_H

#include "select/calibrate.h"

/* Draws 1,000 samples of as many windows as were read, with replacement, and chooses n units by each: *stable when at
 * least 950 choose what all windows choose; one window, whose samples are all alike, says nothing. method: bi,
 * relative-magnitude or an angular one. */
int sg_choice_stable(const sg_calibration *c, const sg_choose_opts *opts, int n, bool *stable, sg_error *err);

#endif
