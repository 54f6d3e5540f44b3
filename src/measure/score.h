/* Scores from what observers summed. */
#ifndef SG_MEASURE_SCORE_H
#define SG_MEASURE_SCORE_H

#include "measure/influence.h"
#include "measure/similarity.h"
#include "measure/windows.h"

extern const sg_window_defaults sg_score_windows; /* of a calibration text */

/* The texts' names, joined by ", "; sg_free. */
int sg_windows_source(char **out, const sg_windows *w, sg_error *err);

/* Of an influence that has seen w's windows; by bi. */
int sg_score_new(sg_score **out, const sg_influence *inf, const sg_windows *w, int n_layers, const sg_pass_result *pass,
                 sg_error *err);
/* Orders by another method's values; values: [n_layers], NaN is the highest. method lives as long as the score. */
int sg_score_set(sg_score *score, const char *method, const double *values, sg_error *err);
/* The halves by values [2 n_layers], mixer and feed-forward of each layer in turn; NaN: left out. Once. The layers keep
 * their order by bi. */
int sg_score_set_halves(sg_score *score, const char *method, const double *values, sg_error *err);

/* Of a similarity that has seen the same windows. Once. */
int sg_score_set_similarity(sg_score *score, const sg_similarity *sim, sg_error *err);

#endif
