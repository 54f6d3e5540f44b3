/* The rule table and its few operations. A family of another shape is more rows here. */
#include "surgery/rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

typedef enum operation {
    COUNT,      /* the number of layers: becomes that of the survivors */
    GATHER,     /* if it is a list, it has an entry for each layer: the survivors' stay, in order */
    PARAMETERS, /* an integer: the number of parameters */
    SIZE_LABEL, /* a string such as "135M": the same, rounded; other forms ("8x7B", a name) stay */
    DROP,       /* the record goes */
} operation;

typedef struct rule {
    sg_format format;
    const char *family; /* sg_family's name; NULL: every one */
    const char *key;    /* HF: a path with dots; GGUF: %s is the architecture, a * at the end stands for any rest */
    operation op;
} rule;

static const rule rules[] = {
    {SG_FORMAT_HF, "llama", "num_hidden_layers", COUNT},
    {SG_FORMAT_HF, "llama", "layer_types", GATHER},

    {SG_FORMAT_GGUF, "llama", "%s.block_count", COUNT},
    {SG_FORMAT_GGUF, "llama", "%s.attention.head_count", GATHER},
    {SG_FORMAT_GGUF, "llama", "%s.attention.head_count_kv", GATHER},
    {SG_FORMAT_GGUF, "llama", "%s.feed_forward_length", GATHER},

    {SG_FORMAT_GGUF, NULL, "general.size_label", SIZE_LABEL},
    {SG_FORMAT_GGUF, NULL, "general.parameter_count", PARAMETERS},
    {SG_FORMAT_GGUF, NULL, "split.*", DROP},    /* one file is written, also from a split set */
    {SG_FORMAT_GGUF, NULL, "shortgpt.*", DROP}, /* the composed plan is written behind */
};

static bool applies(const rule *r, const sg_cut *cut)
{
    return r->format == cut->model->ckpt->format && (!r->family || strcmp(r->family, cut->model->family->name) == 0);
}

int sg_rules_check(const sg_cut *cut, sg_error *err)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(rules); i++)
        if (rules[i].family && applies(&rules[i], cut))
            return SG_OK;
    return sg_fail(err, SG_ERR_REFUSED, "%s: what surgery means for family %s in %s is not known here",
                   cut->model->info.path, cut->model->info.family, cut->model->info.format_name);
}

/* ---- config.json ------------------------------------------------------------------------------------- */

/* The object that holds the path's last key; NULL: absent. */
static json_object *find_holder(json_object *config, const char *path, const char **last)
{
    json_object *holder = config;
    for (const char *dot; holder && (dot = strchr(path, '.')); path = dot + 1) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
        holder = sg_json_get(holder, key);
    }
    *last = path;
    return holder;
}

static int config_count(const sg_cut *cut, json_object *holder, const char *key, const char *what, sg_error *err)
{
    int64_t n = 0;
    bool found = false;
    int rc = sg_json_get_int(holder, what, key, 0, INT32_MAX, &n, &found, err);
    if (rc < 0 || !found)
        return rc;
    if (n != cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is %lld, expected %d", what, key, (long long)n,
                       cut->plan->layers);
    return sg_json_put(holder, key, json_object_new_int64((int64_t)cut->plan->n_keep), err);
}

static int config_gather(const sg_cut *cut, json_object *holder, const char *key, const char *what, sg_error *err)
{
    json_object *list = sg_json_get(holder, key);
    if (!json_object_is_type(list, json_type_array))
        return SG_OK;
    if (json_object_array_length(list) != (size_t)cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" has %zu entries, expected one for each of %d layers", what, key,
                       json_object_array_length(list), cut->plan->layers);
    json_object *kept = json_object_new_array();
    for (size_t i = 0; kept && i < cut->plan->n_keep; i++) {
        json_object *entry = json_object_array_get_idx(list, (size_t)cut->plan->keep[i]); /* NULL: JSON null */
        if (json_object_array_add(kept, json_object_get(entry)) < 0) {
            json_object_put(entry);
            json_object_put(kept);
            kept = NULL;
        }
    }
    return sg_json_put(holder, key, kept, err);
}

int sg_rules_config(const sg_cut *cut, json_object *config, const char *what, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < SG_ARRAY_LEN(rules); i++) {
        if (!applies(&rules[i], cut))
            continue;
        const char *key;
        json_object *holder = find_holder(config, rules[i].key, &key);
        if (rules[i].op == COUNT)
            rc = config_count(cut, holder, key, what, err);
        else if (rules[i].op == GATHER)
            rc = config_gather(cut, holder, key, what, err);
    }
    return rc;
}

/* ---- GGUF metadata ----------------------------------------------------------------------------------- */

/* The rule for a key; NULL: it is copied. */
static const rule *find_rule(const sg_cut *cut, const char *key)
{
    for (size_t i = 0; i < SG_ARRAY_LEN(rules); i++) {
        const char *pattern = rules[i].key, *arch = cut->model->info.architecture, *at = key;
        if (!applies(&rules[i], cut))
            continue;
        if (strncmp(pattern, "%s", 2) == 0) {
            if (strncmp(at, arch, strlen(arch)) != 0)
                continue;
            pattern += 2;
            at += strlen(arch);
        }
        size_t n = strcspn(pattern, "*");
        if (strncmp(at, pattern, n) == 0 && (pattern[n] == '*' || !at[n]))
            return &rules[i];
    }
    return NULL;
}

void sg_size_label(uint64_t parameters, char text[static 32])
{
    static const struct { double above, scale; char suffix; } units[] = {
        {1e12, 1e-12, 'T'}, {1e9, 1e-9, 'B'}, {1e6, 1e-6, 'M'}, {-1, 1e-3, 'K'},
    };
    size_t u = 0;
    while ((double)parameters <= units[u].above)
        u++;
    double scaled = (double)parameters * units[u].scale;
    double whole = nearbyint(scaled);
    int decimals = whole >= 10 ? 0 : whole >= 1 ? 1 : 2; /* two digits at least */
    snprintf(text, 32, "%.*f%c", decimals, scaled, units[u].suffix);
    char *comma = strchr(text, ','); /* some locales' radix */
    if (comma)
        *comma = '.';
}

/* Is it digits, perhaps with decimals, and one of K, M, B, T? */
static bool is_plain_label(sg_str s)
{
    size_t i = 0, digits = 0;
    for (; i < s.bytes && ((s.data[i] >= '0' && s.data[i] <= '9') || (s.data[i] == '.' && digits)); i++)
        digits++;
    return digits && i + 1 == s.bytes && memchr("KMBT", s.data[i], 4);
}

static int metadata_count(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    int64_t n;
    if (kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &n) || n != cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: is not the number of layers, expected %d", kv->key, cut->plan->layers);
    return sg_gguf_put_like(to, kv, cut->plan->n_keep, err);
}

static int metadata_gather(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    if (kv->type == SG_GGUF_ARRAY && kv->count != (uint64_t)cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: has %llu entries, expected one for each of %d layers", kv->key,
                       (unsigned long long)kv->count, cut->plan->layers);
    if (kv->type == SG_GGUF_ARRAY)
        return sg_gguf_put_gathered(to, kv, cut->plan->keep, cut->plan->n_keep, err);
    sg_gguf_put_raw(to, kv);
    return SG_OK;
}

static void metadata_label(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to)
{
    sg_str old;
    char label[32];
    if (!sg_gguf_get_str(kv, &old) || !is_plain_label(old)) {
        sg_gguf_put_raw(to, kv);
        return;
    }
    sg_size_label(cut->parameters, label);
    sg_gguf_put_string(to, kv->key, label);
}

static int apply_record(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    const rule *r = find_rule(cut, kv->key);
    if (!r) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    switch (r->op) {
    case COUNT:
        return metadata_count(cut, kv, to, err);
    case GATHER:
        return metadata_gather(cut, kv, to, err);
    case PARAMETERS:
        return sg_gguf_put_like(to, kv, cut->parameters, err);
    case SIZE_LABEL:
        metadata_label(cut, kv, to);
        return SG_OK;
    case DROP:
        break;
    }
    return SG_OK;
}

int sg_rules_metadata(const sg_cut *cut, const sg_gguf *from, sg_gguf_draft *to, sg_error *err)
{
    for (size_t i = 0; i < from->n_kvs; i++) {
        int rc = apply_record(cut, &from->kvs[i], to, err);
        if (rc < 0)
            return sg_fail_in(err, rc, cut->model->info.path);
    }
    return SG_OK;
}
