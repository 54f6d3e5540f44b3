/* shortgpt inspect: what a model is made of. */
#include "command.h"

int cmd_inspect(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    char *json = NULL, *table = NULL;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1};
    int rc = require_one_model(o, err);
    if (rc)
        return rc;
    if ((rc = sg_model_open(&model, o->models[0], err)) || (rc = sink_open(&s, o->json, err)) ||
        (s.json && (rc = sg_inspect_json(model, &json, err))) ||
        (s.table && (rc = o->quiet ? quiet_number(&table, sg_model_get_info(model)->layers, err)
                                   : sg_inspect_table(model, &style, &table, err))))
        goto out;
    rc = sink_finish(&s, table, json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sink_close(&s);
    sg_model_free(model);
    return rc;
}
