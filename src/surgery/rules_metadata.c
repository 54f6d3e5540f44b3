/* The rules on GGUF's metadata records. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "surgery/rule.h"

/* Does a rule's pattern mean this key? */
static bool means(const sg_cut *cut, const char *pattern, const char *key)
{
    const char *arch = cut->model->info.architecture;
    if (strncmp(pattern, "%s", 2) == 0) {
        if (strncmp(key, arch, strlen(arch)) != 0)
            return false;
        pattern += 2;
        key += strlen(arch);
    }
    size_t n = strcspn(pattern, "*");
    return strncmp(key, pattern, n) == 0 && (pattern[n] == '*' || !key[n]);
}

/* The edit for a key; NULL: it is copied. */
static const sg_rule *find_edit(const sg_cut *cut, const char *key)
{
    for (const sg_rule *r = NULL; (r = sg_rule_next(cut, r));)
        if (sg_rule_edits(r) && means(cut, r->key, key))
            return r;
    return NULL;
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

void sg_size_label(uint64_t parameters, char text[static 32])
{
    static const struct {
        double above, scale;
        char suffix;
    } units[] = {
        {1e12, 1e-12, 'T'},
        {1e9, 1e-9, 'B'},
        {1e6, 1e-6, 'M'},
        {-1, 1e-3, 'K'},
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

static int count(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    int64_t n;
    if (kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &n) || n != cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: is not the number of layers, expected %d", kv->key, cut->plan->layers);
    return sg_gguf_put_like(to, kv, cut->plan->n_keep, err);
}

static int label(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to)
{
    sg_str old;
    char text[32];
    if (!sg_gguf_get_str(kv, &old) || !is_plain_label(old)) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    sg_size_label(cut->parameters, text);
    sg_gguf_put_string(to, kv->key, text);
    return SG_OK;
}

/* ---- lists ------------------------------------------------------------------------------------------- */

static int gather(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    if (kv->type == SG_GGUF_ARRAY && kv->count != (uint64_t)cut->plan->layers)
        return sg_fail(err, SG_ERR_FORMAT, "%s: has %llu entries, expected one for each of %d layers", kv->key,
                       (unsigned long long)kv->count, cut->plan->layers);
    if (kv->type == SG_GGUF_ARRAY)
        return sg_gguf_put_gathered(to, kv, cut->plan->keep, cut->plan->n_keep, err);
    sg_gguf_put_raw(to, kv);
    return SG_OK;
}

static int put_windows(const sg_cut *cut, const char *key, sg_gguf_draft *to, sg_error *err)
{
    size_t n = cut->plan->n_keep;
    bool *slides = sg_alloc(n, sizeof *slides);
    if (!slides)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %s", key);
    for (size_t i = 0; i < n; i++)
        slides[i] = cut->model->spec.layers[cut->plan->keep[i]].window != 0;
    sg_gguf_put_bools(to, key, slides, n);
    sg_free(slides);
    return SG_OK;
}

static int windows(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    if (kv->type != SG_GGUF_ARRAY && sg_cut_slides(cut))
        return put_windows(cut, kv->key, to, err);
    return gather(cut, kv, to, err);
}

/* The records that some rules write when there are none. */
static int put_absent(const sg_cut *cut, const sg_gguf *from, sg_gguf_draft *to, sg_error *err)
{
    int rc = SG_OK;
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));) {
        if (r->op != SG_RULE_WINDOWS || !sg_cut_slides(cut))
            continue;
        char *key = sg_asprintf("%s%s", cut->model->info.architecture, r->key + strlen("%s"));
        if (!key)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for %s", r->key);
        if (!sg_gguf_find(from, key))
            rc = put_windows(cut, key, to, err);
        sg_free(key);
    }
    return rc;
}

/* ---- all --------------------------------------------------------------------------------------------- */

static int edit(const sg_cut *cut, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    const sg_rule *r = find_edit(cut, kv->key);
    if (!r) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    switch (r->op) {
    case SG_RULE_COUNT:
        return count(cut, kv, to, err);
    case SG_RULE_GATHER:
        return gather(cut, kv, to, err);
    case SG_RULE_WINDOWS:
        return windows(cut, kv, to, err);
    case SG_RULE_WINDOW_SIZE:
        if (sg_cut_slides(cut) && !sg_cut_still_slides(cut))
            return sg_gguf_put_like(to, kv, 0, err);
        break;
    case SG_RULE_PARAMETERS:
        return sg_gguf_put_like(to, kv, cut->parameters, err);
    case SG_RULE_SIZE_LABEL:
        return label(cut, kv, to);
    case SG_RULE_DROP:
        return SG_OK;
    default:
        break;
    }
    sg_gguf_put_raw(to, kv);
    return SG_OK;
}

int sg_rules_metadata(const sg_cut *cut, const sg_gguf *from, sg_gguf_draft *to, sg_error *err)
{
    int rc = SG_OK;
    for (size_t i = 0; rc == SG_OK && i < from->n_kvs; i++)
        rc = edit(cut, &from->kvs[i], to, err);
    if (rc == SG_OK)
        rc = put_absent(cut, from, to, err);
    return rc < 0 ? sg_fail_in(err, rc, cut->model->info.path) : SG_OK;
}
