/* The reports of shortgpt.h that look into a model. */
#include "core/mem.h"
#include "report/report.h"

/* What sg_model_get_layer says of each; sg_free. */
static sg_layer_info *all_layers(const sg_model *model, sg_error *err)
{
    int n = sg_model_get_info(model)->layers;
    sg_layer_info *layers = sg_alloc((size_t)n, sizeof *layers);
    if (!layers)
        sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d layers", n);
    for (int i = 0; layers && i < n; i++)
        layers[i] = sg_model_get_layer(model, i);
    return layers;
}

int sg_inspect_json(const sg_model *model, char **out, sg_error *err)
{
    sg_layer_info *layers = all_layers(model, err);
    int rc = layers ? sg_report_inspect_json(sg_model_get_info(model), layers, out, err) : SG_ERR_NOMEM;
    sg_free(layers);
    return rc;
}

int sg_inspect_table(const sg_model *model, const sg_style *style, char **out, sg_error *err)
{
    sg_layer_info *layers = all_layers(model, err);
    int rc = layers ? sg_report_inspect_table(sg_model_get_info(model), layers, style, out, err) : SG_ERR_NOMEM;
    sg_free(layers);
    return rc;
}

int sg_score_json(const sg_model *model, const sg_score *score, char **out, sg_error *err)
{
    return sg_report_score_json(sg_model_get_info(model), score, out, err);
}

int sg_score_table(const sg_model *model, const sg_score *score, const sg_plan *plan, const sg_style *style, char **out,
                   sg_error *err)
{
    return sg_report_score_table(sg_model_get_info(model), score, plan ? plan->remove : NULL, plan ? plan->n_remove : 0,
                                 style, out, err);
}
