/* Composing this plan with the one that made MODEL. */
#include "surgery/lineage.h"

#include <string.h>

#include "core/mem.h"
#include "select/plan.h"

/* ---- the earlier plan -------------------------------------------------------------------------------- */

static int read_hf(sg_plan **out, const sg_model *model, sg_error *err)
{
    json_object *json = NULL;
    char *path = sg_path_join(model->info.path, SG_PLAN_FILE);
    if (!path)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for the path of %s", SG_PLAN_FILE);
    int rc = SG_OK;
    if (sg_path_exists(path) && (rc = sg_json_read_file(&json, path, err)) == SG_OK)
        rc = sg_plan_from_json(out, json, path, err);
    json_object_put(json);
    sg_free(path);
    return rc;
}

static bool gguf_size(const sg_gguf *g, const char *key, int *out)
{
    int64_t value;
    const sg_gguf_kv *kv = sg_gguf_find(g, key);
    if (!kv || kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &value) || value < 1 || value > INT32_MAX)
        return false;
    *out = (int)value;
    return true;
}

/* sg_free; NULL: absent, no string, or no memory */
static char *gguf_string(const sg_gguf *g, const char *key)
{
    sg_str s;
    const sg_gguf_kv *kv = sg_gguf_find(g, key);
    return kv && sg_gguf_get_str(kv, &s) && s.bytes ? sg_strndup(s.data, s.bytes) : NULL;
}

static int read_gguf(sg_plan **out, const sg_model *model, sg_error *err)
{
    const sg_gguf *g = &model->ckpt->ggufs[0];
    const sg_gguf_kv *list = sg_gguf_find(g, "shortgpt.remove");
    if (!list)
        return SG_OK;
    sg_plan_model m = {0};
    char *fingerprint = gguf_string(g, "shortgpt.fingerprint"), *method = gguf_string(g, "shortgpt.method");
    int *remove = NULL, rc = SG_OK;
    bool good = list->type == SG_GGUF_ARRAY && gguf_size(g, "shortgpt.layers", &m.layers) &&
                gguf_size(g, "shortgpt.hidden", &m.hidden) && gguf_size(g, "shortgpt.vocab", &m.vocab) && fingerprint &&
                strlen(fingerprint) == 32 && method && list->count < (uint64_t)m.layers &&
                (uint64_t)m.layers - list->count == (uint64_t)model->info.layers;
    if (good && !(remove = sg_alloc((size_t)list->count, sizeof *remove))) {
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", m.layers);
        goto out;
    }
    for (uint64_t i = 0; good && i < list->count; i++) {
        int64_t value;
        good = sg_gguf_get_int(list, i, &value) && value >= 0 && value < m.layers && (i == 0 || value > remove[i - 1]);
        remove[i] = good ? (int)value : 0;
    }
    m.fingerprint = fingerprint;
    if (good)
        rc = sg_plan_new(out, &m, method, NULL, remove, (size_t)list->count, err);
    else
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: its keys shortgpt.* are not a plan that left %d layers", model->info.path,
                     model->info.layers);
out:
    sg_free(remove);
    sg_free(fingerprint);
    sg_free(method);
    return rc;
}

static int check_earlier(const sg_plan *earlier, const sg_model_info *info, sg_error *err)
{
    if (earlier->n_keep == (size_t)info->layers && earlier->hidden == info->hidden && earlier->vocab == info->vocab)
        return SG_OK;
    return sg_fail(
        err, SG_ERR_FORMAT, "%s: carries a plan that left %zu layers of width %d, vocabulary %d, but it has %d, %d, %d",
        info->path, earlier->n_keep, earlier->hidden, earlier->vocab, info->layers, info->hidden, info->vocab);
}

/* ---- composing --------------------------------------------------------------------------------------- */

static int compose(sg_plan **out, const sg_plan *earlier, const sg_plan *plan, sg_error *err)
{
    size_t n = earlier->n_remove + plan->n_remove;
    int *remove = sg_alloc(n, sizeof *remove);
    bool same = strcmp(earlier->method, plan->method) == 0;
    char *method = same ? sg_strdup(plan->method) : sg_asprintf("%s+%s", earlier->method, plan->method);
    int rc = SG_OK;
    if (!remove || !method)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a plan of %zu layers", n);
    if (rc == SG_OK) {
        memcpy(remove, earlier->remove, earlier->n_remove * sizeof *remove);
        for (size_t i = 0; i < plan->n_remove; i++) /* keep[i]: the first original's number of MODEL's layer i */
            remove[earlier->n_remove + i] = earlier->keep[plan->remove[i]];
        const sg_plan_model m = {earlier->layers, earlier->hidden, earlier->vocab, earlier->fingerprint};
        rc = sg_plan_new(out, &m, method, NULL, remove, n, err);
    }
    sg_free(method);
    sg_free(remove);
    return rc;
}

int sg_lineage(sg_plan **out, const sg_cut *cut, sg_error *err)
{
    const sg_model_info *info = &cut->model->info;
    const sg_plan *plan = cut->plan;
    sg_plan *earlier = NULL;
    int rc = info->format == SG_FORMAT_HF ? read_hf(&earlier, cut->model, err) : read_gguf(&earlier, cut->model, err);
    if (rc == SG_OK && earlier && (rc = check_earlier(earlier, info, err)) == SG_OK)
        rc = compose(out, earlier, plan, err);
    else if (rc == SG_OK) { /* MODEL is the original: its fingerprint, wherever the plan was made */
        const sg_plan_model m = {info->layers, info->hidden, info->vocab, info->fingerprint};
        rc = sg_plan_new(out, &m, plan->method, plan->why, plan->remove, plan->n_remove, err);
    }
    sg_plan_free(earlier);
    return rc;
}
