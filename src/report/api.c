/* The reports of shortgpt.h that look into a model. */
#include "core/mem.h"
#include "engine/weights.h"
#include "report/report.h"
#include "surgery/kinds.h"

/* What sg_model_get_layer says of each, and what surgery's rules know of its kind; sg_free. */
static sg_layer_info *all_layers(const sg_model *model, sg_error *err)
{
    int n = sg_model_get_info(model)->layers;
    sg_layer_info *layers = sg_alloc((size_t)n, sizeof *layers);
    if (!layers)
        sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d layers", n);
    for (int i = 0; layers && i < n; i++)
        layers[i] = sg_model_get_layer(model, i);
    if (layers && sg_kinds_find(model, layers, err)) {
        sg_free(layers);
        return NULL;
    }
    return layers;
}

/* The model's description; refusal also says what only a run would meet: a tensor without numbers or without a role. */
static int describe(sg_model_info *info, sg_error *why, const sg_model *model, sg_error *err)
{
    *info = *sg_model_get_info(model);
    int rc = info->refusal ? SG_OK : sg_model_runnable(model, why);
    if (rc == SG_ERR_REFUSED)
        info->refusal = why->message;
    else if (rc && err)
        *err = *why;
    return rc == SG_ERR_REFUSED ? SG_OK : rc;
}

/* style NULL: JSON */
static int inspect(const sg_model *model, const sg_style *style, char **out, sg_error *err)
{
    sg_model_info info;
    sg_error why = {0};
    sg_removable *removable = NULL;
    int rc = describe(&info, &why, model, err);
    rc = rc ? rc : sg_removable_find(&removable, model, false, err);
    sg_layer_info *layers = rc ? NULL : all_layers(model, err);
    if (!rc)
        rc = !layers ? SG_ERR_NOMEM
             : style ? sg_report_inspect_table(&info, layers, removable, style, out, err)
                     : sg_report_inspect_json(&info, layers, removable, out, err);
    sg_free(layers);
    sg_removable_free(removable);
    return rc;
}

int sg_inspect_json(const sg_model *model, char **out, sg_error *err)
{
    return inspect(model, NULL, out, err);
}

int sg_inspect_table(const sg_model *model, const sg_style *style, char **out, sg_error *err)
{
    static const sg_style plain = {0};
    return inspect(model, style ? style : &plain, out, err);
}

int sg_score_json(const sg_model *model, const sg_score *score, char **out, sg_error *err)
{
    return sg_report_score_json(sg_model_get_info(model), score, out, err);
}

int sg_score_table(const sg_model *model, const sg_score *score, const sg_plan *plan, const sg_style *style, char **out,
                   sg_error *err)
{
    sg_removable *removable = NULL;
    int rc = plan ? SG_OK : sg_removable_find(&removable, model, false, err);
    if (!rc)
        rc = sg_report_score_table(sg_model_get_info(model), score, plan ? plan->remove : NULL,
                                   plan ? plan->n_remove : 0, removable, style, out, err);
    sg_removable_free(removable);
    return rc;
}

int sg_choice_table(const sg_model *model, const sg_choice *choice, const sg_style *style, char **out, sg_error *err)
{
    return sg_report_choice_table(sg_model_get_info(model), choice, style, out, err);
}

int sg_compare_json(const sg_model *model, const sg_compare *compare, char **out, sg_error *err)
{
    return sg_report_compare_json(sg_model_get_info(model), compare, out, err);
}

int sg_compare_table(const sg_model *model, const sg_compare *compare, const sg_style *style, char **out, sg_error *err)
{
    return sg_report_compare_table(sg_model_get_info(model), compare, style, out, err);
}
