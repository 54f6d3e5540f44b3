/* Plan files:
 *   {"schema": "shortgpt/plan/1", "model": {"layers", "hidden", "vocab", "fingerprint"},
 *    "method", "why" (may be missing), "remove": [..], "keep": [..]} */
#include <string.h>

#include "core/mem.h"
#include "model/model.h"
#include "select/plan.h"

#define SCHEMA "shortgpt/plan/1"

/* ---- reading ----------------------------------------------------------------------------------------- */

static int required_int(json_object *obj, const char *what, const char *key, int *out, sg_error *err)
{
    int64_t value = 0;
    bool found = false;
    int rc = sg_json_get_int(obj, what, key, 1, INT32_MAX, &value, &found, err);
    if (rc == SG_OK && !found)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is missing", what, key);
    *out = (int)value;
    return rc;
}

static int required_string(json_object *obj, const char *what, const char *key, const char **out, sg_error *err)
{
    bool found = false;
    int rc = sg_json_get_string(obj, what, key, out, &found, err);
    if (rc == SG_OK && (!found || !**out))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is missing", what, key);
    return rc;
}

/* A sorted list of layers, each once; *out: sg_free. */
static int read_list(json_object *obj, const char *what, const char *key, int layers, int **out, size_t *n,
                     sg_error *err)
{
    json_object *array = sg_json_get(obj, key);
    if (!json_object_is_type(array, json_type_array))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is missing, expected a list of layers", what, key);
    *n = json_object_array_length(array);
    if (*n == 0 || *n > (size_t)layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" has %zu layers, expected 1 to %d", what, key, *n, layers);
    int *list = sg_alloc(*n, sizeof *list);
    if (!list)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for %zu layers", what, *n);
    for (size_t i = 0; i < *n; i++) {
        json_object *entry = json_object_array_get_idx(array, i);
        int64_t value = json_object_is_type(entry, json_type_int) ? json_object_get_int64(entry) : -1;
        if (value < 0 || value >= layers || (i && value <= list[i - 1])) {
            sg_free(list);
            return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" entry %zu is wrong, expected layers 0 to %d, ascending",
                           what, key, i, layers - 1);
        }
        list[i] = (int)value;
    }
    *out = list;
    return SG_OK;
}

/* The parts of a plan that is being read. */
typedef struct parts {
    sg_plan_model model;
    const char *method, *why;
    int *remove, *keep;
    size_t n_remove, n_keep;
} parts;

static int read_parts(parts *p, json_object *json, const char *what, sg_error *err)
{
    const char *schema = NULL;
    json_object *model = sg_json_get(json, "model");
    int rc = required_string(json, what, "schema", &schema, err);
    if (rc < 0)
        return rc;
    if (strcmp(schema, SCHEMA) != 0)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"schema\" is \"%.60s\", expected \"" SCHEMA "\"", what, schema);
    if ((rc = required_int(model, what, "layers", &p->model.layers, err)) < 0 ||
        (rc = required_int(model, what, "hidden", &p->model.hidden, err)) < 0 ||
        (rc = required_int(model, what, "vocab", &p->model.vocab, err)) < 0 ||
        (rc = required_string(model, what, "fingerprint", &p->model.fingerprint, err)) < 0 ||
        (rc = required_string(json, what, "method", &p->method, err)) < 0 ||
        (rc = sg_json_get_string(json, what, "why", &p->why, NULL, err)) < 0 ||
        (rc = read_list(json, what, "remove", p->model.layers, &p->remove, &p->n_remove, err)) < 0)
        return rc;
    if (strlen(p->model.fingerprint) != 32 || strspn(p->model.fingerprint, "0123456789abcdef") != 32)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"fingerprint\" is \"%.40s\", expected 32 hexadecimal digits", what,
                       p->model.fingerprint);
    if (p->n_remove == (size_t)p->model.layers)
        return sg_fail(err, SG_ERR_REFUSED, "%s: it removes all %d layers, no model would be left", what,
                       p->model.layers);
    return read_list(json, what, "keep", p->model.layers, &p->keep, &p->n_keep, err);
}

/* The file's "keep" says nothing new, so it must agree. */
static int fail_keep(const parts *p, const char *what, sg_error *err)
{
    return sg_fail(err, SG_ERR_FORMAT, "%s: \"keep\" is not what \"remove\" leaves of %d layers", what,
                   p->model.layers);
}

int sg_plan_from_json(sg_plan **out, json_object *json, const char *what, sg_error *err)
{
    parts p = {0};
    sg_plan *plan = NULL;
    int rc = read_parts(&p, json, what, err);
    if (rc == SG_OK && p.n_remove + p.n_keep != (size_t)p.model.layers) /* also bounds what the next step allocates */
        rc = fail_keep(&p, what, err);
    if (rc == SG_OK)
        rc = sg_plan_new(&plan, &p.model, p.method, p.why, p.remove, p.n_remove, err);
    if (rc == SG_OK && memcmp(p.keep, plan->keep, p.n_keep * sizeof *p.keep) != 0)
        rc = fail_keep(&p, what, err);
    sg_free(p.remove);
    sg_free(p.keep);
    if (rc < 0) {
        sg_plan_free(plan);
        return rc;
    }
    *out = plan;
    return SG_OK;
}

static int hold_against(const sg_plan *plan, const char *path, const sg_model_info *info, sg_error *err)
{
    const struct {
        const char *name;
        int plan, model;
    } sizes[] = {
        {"layers", plan->layers, info->layers},
        {"hidden", plan->hidden, info->hidden},
        {"vocab", plan->vocab, info->vocab},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(sizes); i++)
        if (sizes[i].plan != sizes[i].model)
            return sg_fail(err, SG_ERR_REFUSED, "%s: made for a model with \"%s\" %d, %s has %d", path, sizes[i].name,
                           sizes[i].plan, info->path, sizes[i].model);
    return SG_OK;
}

int sg_plan_read(sg_plan **out, const char *path, const sg_model *model, bool *same, sg_error *err)
{
    json_object *json = NULL;
    sg_plan *plan = NULL;
    int rc = sg_json_read_file(&json, path, err);
    if (rc == SG_OK)
        rc = sg_plan_from_json(&plan, json, path, err);
    json_object_put(json);
    if (rc == SG_OK)
        rc = hold_against(plan, path, &model->info, err);
    if (rc < 0) {
        sg_plan_free(plan);
        return rc;
    }
    if (same)
        *same = strcmp(plan->fingerprint, model->info.fingerprint) == 0;
    *out = plan;
    return SG_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static int put_list(json_object *obj, const char *key, const int *list, size_t n, sg_error *err)
{
    json_object *array = json_object_new_array();
    int rc = sg_json_put(obj, key, array, err);
    for (size_t i = 0; rc == SG_OK && i < n; i++)
        rc = sg_json_append(array, json_object_new_int(list[i]), err);
    return rc;
}

int sg_plan_json(const sg_plan *plan, char **out, sg_error *err)
{
    json_object *root = json_object_new_object(), *model = json_object_new_object();
    int rc;
    if ((rc = sg_json_put(root, "schema", json_object_new_string(SCHEMA), err)) < 0) {
        json_object_put(model);
        goto out;
    }
    if ((rc = sg_json_put(root, "model", model, err)) < 0 ||
        (rc = sg_json_put(model, "layers", json_object_new_int(plan->layers), err)) < 0 ||
        (rc = sg_json_put(model, "hidden", json_object_new_int(plan->hidden), err)) < 0 ||
        (rc = sg_json_put(model, "vocab", json_object_new_int(plan->vocab), err)) < 0 ||
        (rc = sg_json_put(model, "fingerprint", json_object_new_string(plan->fingerprint), err)) < 0 ||
        (rc = sg_json_put(root, "method", json_object_new_string(plan->method), err)) < 0 ||
        (plan->why && (rc = sg_json_put(root, "why", json_object_new_string(plan->why), err)) < 0) ||
        (rc = put_list(root, "remove", plan->remove, plan->n_remove, err)) < 0 ||
        (rc = put_list(root, "keep", plan->keep, plan->n_keep, err)) < 0)
        goto out;
    rc = sg_json_text(root, out, err);
out:
    json_object_put(root);
    return rc;
}
