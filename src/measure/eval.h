/* Perplexity from a window's likelihoods. */
#ifndef SG_MEASURE_EVAL_H
#define SG_MEASURE_EVAL_H

#include "measure/windows.h"

extern const sg_window_defaults sg_eval_windows; /* of an evaluation text */

/* exp of the mean over a text's predictions, and of its interval over window means. nll: [all windows], sums; means:
 * [windows] scratch. source is a copy for sg_free, NULL: no memory. */
sg_perplexity sg_perplexity_of(const sg_windows *w, const sg_text_windows *text, const double *nll, double *means);

#endif
