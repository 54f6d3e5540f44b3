/* A plan file, and --layers and --ratio, which are read from the command line. */
#include "fuzz.h"

#include <string.h>

#include "core/mem.h"
#include "select/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_object *json = NULL;
    sg_plan *plan = NULL;
    sg_error err = {0};
    char *text = NULL, *word = sg_strndup((const char *)data, size);
    if (sg_json_parse(&json, (const char *)data, size, "plan.json", &err) == SG_OK &&
        sg_plan_from_json(&plan, json, "plan.json", &err) == SG_OK && sg_plan_json(plan, &text, &err) == SG_OK)
        sg_string_free(text);
    sg_plan_free(plan);
    json_object_put(json);

    int *layers = NULL, count;
    size_t n = 0;
    if (word && sg_layers_parse(word, 40, &layers, &n, &err) == SG_OK) {
        char *list = sg_layers_format(layers, n);
        sg_string_free(list);
        sg_layers_free(layers);
    }
    if (word)
        sg_ratio_parse(word, 40, &count, &err);
    sg_free(word);
    return 0;
}
