/* Opening a model and describing it. */
#include "model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "model/describe.h"
#include "model/roles.h"

/* general.name, or the path's last component */
static int model_name(sg_model *m, const sg_config *c, sg_error *err)
{
    int rc = sg_config_string(c, (sg_config_key){NULL, "general.name"}, &m->name, err);
    if (rc || m->name)
        return rc;
    char *real = realpath(m->ckpt->path, NULL);
    const char *base = real && strrchr(real, '/') ? strrchr(real, '/') + 1 : m->ckpt->path;
    m->name = sg_strdup(base);
    free(real);
    return m->name ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the model's name");
}

/* "Q4_1, Q6_K, F32": types by their bytes */
static int weight_types(sg_model *m, sg_error *err)
{
    const sg_checkpoint *ckpt = m->ckpt;
    struct {
        const sg_dtype *type;
        uint64_t bytes;
    } sums[64];
    size_t n = 0;
    for (size_t i = 0; i < ckpt->n_tensors; i++) {
        size_t j = 0;
        while (j < n && sums[j].type != ckpt->tensors[i].type)
            j++;
        if (j == SG_ARRAY_LEN(sums))
            continue; /* more kinds than any table of types has */
        if (j == n) {
            sums[n].type = ckpt->tensors[i].type;
            sums[n++].bytes = 0;
        }
        sums[j].bytes += ckpt->tensors[i].bytes;
    }
    char text[1024] = "";
    for (size_t left = n; left > 0; left--) {
        size_t best = 0, used = strlen(text);
        for (size_t j = 1; j < left; j++)
            if (sums[j].bytes > sums[best].bytes)
                best = j;
        snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", sums[best].type->name);
        memmove(&sums[best], &sums[best + 1], (left - best - 1) * sizeof *sums);
    }
    m->weight_types = sg_strdup(text);
    return m->weight_types ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for the list of types");
}

static const char *layer_kind(const sg_model *m, int i)
{
    const sg_layer_spec *s = &m->spec.layers[i];
    if (s->n_experts)
        return s->window ? "sliding attention, experts" : "full attention, experts";
    return s->window ? "sliding attention" : "full attention";
}

/* Parameters and bytes, of the whole and of each layer. */
static int count_tensors(sg_model *m, const sg_config *c, sg_error *err)
{
    int rc;
    m->layers = sg_alloc_zero((size_t)m->spec.n_layers, sizeof *m->layers);
    if (!m->layers)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %d layers", m->spec.n_layers);
    for (int i = 0; i < m->spec.n_layers; i++)
        m->layers[i] = (sg_layer_info){.index = i, .kind = m->family ? layer_kind(m, i) : NULL};
    if (!m->family && (rc = sg_describe_kinds(m, c, err)))
        return rc;
    const sg_tensor *copy_of_tied = m->family && m->spec.tied ? sg_model_role(m, SG_HEAD) : NULL;
    for (size_t i = 0; i < m->ckpt->n_tensors; i++) {
        const sg_tensor *t = &m->ckpt->tensors[i];
        int layer = sg_tensor_layer(m, t);
        if (layer >= m->spec.n_layers && m->family) /* only described: it may predict further tokens */
            return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s lies beyond the configuration's %d layers", m->ckpt->path,
                           t->name, m->spec.n_layers);
        if (t != copy_of_tied)
            m->info.parameters += t->n_elements;
        m->info.bytes += t->bytes;
        if (layer >= 0 && layer < m->spec.n_layers) {
            m->layers[layer].parameters += t->n_elements;
            m->layers[layer].bytes += t->bytes;
        }
    }
    return SG_OK;
}

static void fill_info(sg_model *m)
{
    static const sg_layer_spec nothing;
    const sg_layer_spec *first = m->family ? &m->spec.layers[0] : &nothing;
    sg_model_info *info = &m->info;
    info->path = m->ckpt->path;
    info->format = m->ckpt->format;
    info->format_name = info->format == SG_FORMAT_HF ? "safetensors" : "gguf";
    info->family = m->family ? m->family->name : NULL;
    info->refusal = m->refusal.code ? m->refusal.message : NULL;
    info->architecture = m->architecture;
    info->name = m->name;
    info->weight_types = m->weight_types;
    info->layers = m->spec.n_layers;
    info->hidden = m->spec.hidden;
    info->vocab = m->spec.vocab;
    info->n_heads = first->n_heads;
    info->n_kv_heads = first->n_kv_heads;
    info->head_dim = first->head_dim;
    info->intermediate = first->n_experts ? first->expert_intermediate : first->intermediate;
    info->max_positions = m->spec.max_positions;
    info->rope_theta = m->spec.rope_theta;
    info->tied = m->spec.tied;
}

/* Where the configuration is: config.json in the directory, or the GGUF file itself. */
static int config_of(sg_model *m, sg_config *c, sg_error *err)
{
    const sg_checkpoint *ckpt = m->ckpt;
    *c = (sg_config){.hf = ckpt->config, .gguf = ckpt->ggufs ? &ckpt->ggufs[0] : NULL, .arch = "", .file = ckpt->path};
    m->config_path = ckpt->config ? sg_path_join(ckpt->path, "config.json") : sg_strdup(ckpt->path);
    if (!m->config_path)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to open %s", ckpt->path);
    c->file = m->config_path;
    return SG_OK;
}

/* The family's reading of a checkpoint. Where it is refused, the reason is kept and the checkpoint only described. */
static int read_family(sg_model *m, sg_config *c, sg_error *err)
{
    int rc = sg_family_find(&m->family, c, &m->architecture, &m->refusal);
    c->arch = !c->hf && m->architecture ? m->architecture : "";
    if (!rc && m->ckpt->refusal.code) {
        m->refusal = m->ckpt->refusal;
        rc = SG_ERR_REFUSED;
    }
    if (!rc && !(rc = sg_spec_read(&m->spec, m->family, c, m->ckpt, &m->refusal)) &&
        !(rc = sg_roles_prefix(m, &m->refusal)))
        rc = sg_roles_bind(m, &m->refusal);
    if (rc == SG_ERR_REFUSED) {
        m->family = NULL;
        return sg_describe(m, c, err);
    }
    if (rc && err)
        *err = m->refusal;
    return rc;
}

int sg_model_open(sg_model **out, const char *path, sg_error *err)
{
    sg_config c;
    int rc = SG_OK;
    sg_model *m = sg_alloc_zero(1, sizeof *m);
    *out = NULL;
    if (!m)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to open %s", path);
    if ((rc = sg_checkpoint_open(&m->ckpt, path, err)) || (rc = config_of(m, &c, err)) ||
        (rc = read_family(m, &c, err)) || (rc = model_name(m, &c, err)) || (rc = weight_types(m, err)) ||
        (rc = count_tensors(m, &c, err)) || (rc = sg_checkpoint_fingerprint(m->ckpt, m->info.fingerprint, err)))
        goto out;
    fill_info(m);
    *out = m;
    m = NULL; /* now the caller's */
out:
    sg_model_free(m);
    return rc;
}

int sg_model_runs(const sg_model *model, sg_error *err)
{
    return model->family ? SG_OK : sg_fail(err, SG_ERR_REFUSED, "%s", model->refusal.message);
}

void sg_model_free(sg_model *m)
{
    if (!m)
        return;
    sg_tokenizer_free(m->tokenizer);
    sg_roles_free(m);
    sg_model_spec_dispose(&m->spec);
    sg_free(m->root);
    sg_free(m->layer_prefix);
    sg_free(m->layers);
    sg_free(m->architecture);
    sg_free(m->name);
    sg_free(m->weight_types);
    sg_free(m->config_path);
    sg_checkpoint_free(m->ckpt);
    sg_free(m);
}

const sg_model_info *sg_model_get_info(const sg_model *model)
{
    return &model->info;
}

sg_layer_info sg_model_get_layer(const sg_model *model, int layer)
{
    return model->layers[layer];
}
