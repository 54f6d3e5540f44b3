/* The tables and JSON objects of shortgpt.h, from plain structs, so that tests need no model. Strings are for sg_free.
 */
#ifndef SG_REPORT_REPORT_H
#define SG_REPORT_REPORT_H

#include "core/error.h"

int sg_report_inspect_json(const sg_model_info *info, const sg_layer_info *layers, const sg_removable *removable,
                           char **out, sg_error *err);
int sg_report_inspect_table(const sg_model_info *info, const sg_layer_info *layers, const sg_removable *removable,
                            const sg_style *style, char **out, sg_error *err);
int sg_report_score_json(const sg_model_info *info, const sg_score *score, char **out, sg_error *err);
/* removed (NULL, 0: none chosen yet): these layers are marked; else the lowest of those that can go (NULL: all can) */
int sg_report_score_table(const sg_model_info *info, const sg_score *score, const int *removed, size_t n_removed,
                          const sg_removable *removable, const sg_style *style, char **out, sg_error *err);
int sg_report_compare_json(const sg_model_info *info, const sg_compare *compare, char **out, sg_error *err);
int sg_report_compare_table(const sg_model_info *info, const sg_compare *compare, const sg_style *style, char **out,
                            sg_error *err);
int sg_report_choice_table(const sg_model_info *info, const sg_choice *choice, const sg_style *style, char **out,
                           sg_error *err);

#endif
