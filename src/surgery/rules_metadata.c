/* The rules on GGUF's metadata records. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "surgery/rule_gguf.h"

/* Does a rule's pattern mean this key? */
static bool means(const sg_gguf_cut *g, const char *pattern, const char *key)
{
    const char *arch = g->cut->word;
    if (!pattern)
        return false;
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
static const sg_gguf_rule *find_edit(const sg_gguf_cut *g, const char *key)
{
    for (const sg_gguf_rule *r = NULL; (r = sg_gguf_rule_next(g, r));)
        if (sg_gguf_rule_edits(r) && means(g, r->key, key))
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

/* A number of layers, those from block `from` up to block `to`: the survivors'. */
static int count(const sg_gguf_cut *g, const sg_gguf_kv *kv, int64_t from, int64_t to, sg_gguf_draft *out,
                 sg_error *err)
{
    uint64_t left = 0;
    for (int i = 0; i < g->n_keep; i++)
        left += g->keep[i] >= from && g->keep[i] < to;
    return sg_gguf_put_like(out, kv, left, err);
}

static int count_part(const sg_gguf_cut *g, const sg_gguf_kv *kv, bool above, sg_gguf_draft *to, sg_error *err)
{
    int64_t n;
    if (kv->type == SG_GGUF_ARRAY || !sg_gguf_get_int(kv, 0, &n) || n < 0 || n > g->blocks)
        return sg_fail(err, SG_ERR_FORMAT, "%s: is no number of layers, expected at most %d", kv->key, g->blocks);
    return above ? count(g, kv, g->blocks - n, g->blocks, to, err) : count(g, kv, 0, n, to, err);
}

static int label(uint64_t parameters, const sg_gguf_kv *kv, sg_gguf_draft *to)
{
    sg_str old;
    char text[32];
    if (!sg_gguf_get_str(kv, &old) || !is_plain_label(old)) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    sg_size_label(parameters, text);
    sg_gguf_put_string(to, kv->key, text);
    return SG_OK;
}

/* ---- lists ------------------------------------------------------------------------------------------- */

/* any: of any length. Else an entry for each block, perhaps but for MTP blocks. */
static int gather(const sg_gguf_cut *g, const sg_gguf_kv *kv, bool any, sg_gguf_draft *to, sg_error *err)
{
    if (kv->type != SG_GGUF_ARRAY) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    uint64_t blocks = (uint64_t)g->blocks, behind = kv->count > blocks ? kv->count - blocks : 0, n = 0;
    if (!any && kv->count != blocks && kv->count != (uint64_t)g->trunk)
        return sg_fail(err, SG_ERR_FORMAT, "%s: has %llu entries, expected one for each of %d layers", kv->key,
                       (unsigned long long)kv->count, g->blocks);
    uint64_t *indices = sg_alloc((size_t)kv->count, sizeof *indices);
    if (!indices)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %s", kv->key);
    for (int i = 0; i < g->n_keep; i++)
        if ((uint64_t)g->keep[i] < kv->count)
            indices[n++] = (uint64_t)g->keep[i];
    for (uint64_t i = 0; i < behind; i++)
        indices[n++] = blocks + i;
    int rc = sg_gguf_put_gathered(to, kv, indices, n, err);
    sg_free(indices);
    return rc;
}

static int remap(const sg_gguf_cut *g, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    uint64_t n = 0;
    if (kv->type != SG_GGUF_ARRAY)
        return sg_fail(err, SG_ERR_FORMAT, "%s: is no list of layers", kv->key);
    int *numbers = sg_alloc((size_t)kv->count, sizeof *numbers), rc = SG_OK;
    if (!numbers)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %s", kv->key);
    for (uint64_t i = 0; i < kv->count; i++) {
        int64_t value;
        if (!sg_gguf_get_int(kv, i, &value))
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: entry %llu is no number", kv->key, (unsigned long long)i);
        for (int k = 0; rc == SG_OK && k < g->n_keep; k++)
            if (g->keep[k] == value)
                numbers[n++] = k;
    }
    if (rc == SG_OK)
        sg_gguf_put_u32s(to, kv->key, numbers, n);
    sg_free(numbers);
    return rc;
}

/* The survivors among names of tensors, under their new names, and where they stood. */
typedef struct named {
    char **names;
    uint64_t *indices;
    size_t n;
} named;

static void dispose_named(named *list)
{
    for (size_t i = 0; i < list->n; i++)
        sg_free(list->names[i]);
    sg_free(list->names);
    sg_free(list->indices);
}

static int find_named(const sg_gguf_cut *g, const sg_gguf_kv *kv, named *list, sg_error *err)
{
    sg_str *old = NULL;
    int rc = sg_gguf_get_strings(kv, &old, err);
    if (rc < 0)
        return rc;
    list->names = sg_alloc_zero((size_t)kv->count, sizeof *list->names);
    list->indices = sg_alloc((size_t)kv->count, sizeof *list->indices);
    bool failed = !list->names || !list->indices;
    for (uint64_t i = 0; !failed && i < kv->count; i++) {
        sg_tensor t = {.name = sg_strndup(old[i].data, old[i].bytes)};
        if (t.name && sg_cut_keeps(g->cut, &t)) {
            list->indices[list->n] = i;
            list->names[list->n] = sg_cut_name(g->cut, &t);
            failed = !list->names[list->n++];
        }
        failed = failed || !t.name;
        sg_free((char *)t.name);
    }
    sg_free(old);
    return failed ? sg_fail(err, SG_ERR_NOMEM, "no memory for %s", kv->key) : SG_OK;
}

/* Lists that would be empty go. */
static int of_tensors(const sg_gguf_cut *g, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    const sg_gguf_kv *of = sg_gguf_find(g->meta, SG_GGUF_TENSOR_NAMES);
    named list = {0};
    if (!of || kv->type != SG_GGUF_ARRAY) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    int rc = find_named(g, of, &list, err);
    if (rc == SG_OK && kv->count != of->count)
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: has %llu entries, expected one for each of %llu in %s", kv->key,
                     (unsigned long long)kv->count, (unsigned long long)of->count, of->key);
    if (rc == SG_OK && kv == of && list.n)
        sg_gguf_put_strings(to, kv->key, list.names, list.n);
    else if (rc == SG_OK && list.n)
        rc = sg_gguf_put_gathered(to, kv, list.indices, list.n, err);
    dispose_named(&list);
    return rc;
}

/* n survivors' kinds, as flags */
static int put_kinds(const sg_gguf_cut *g, const char *key, sg_gguf_kind *kind, int n, sg_gguf_draft *to, sg_error *err)
{
    bool *flags = sg_alloc((size_t)n, sizeof *flags);
    if (!flags)
        return sg_fail(err, SG_ERR_NOMEM, "no memory for %s", key);
    for (int i = 0; i < n; i++)
        flags[i] = kind(g, g->keep[i]);
    sg_gguf_put_bools(to, key, flags, (size_t)n);
    sg_free(flags);
    return SG_OK;
}

/* ---- records that some rules write when there are none ----------------------------------------------- */

static int put_gating(const sg_gguf_cut *g, const char *key, sg_gguf_draft *to)
{
    enum { SOFTMAX = 1, SIGMOID = 2 }; /* llama.cpp's numbers */
    bool was = sg_gguf_sigmoid_depth(g, g->trunk);
    if (was != sg_gguf_sigmoid_depth(g, g->trunk_left))
        sg_gguf_put_u32(to, key, was ? SIGMOID : SOFTMAX);
    return SG_OK;
}

static int put_rule(const sg_gguf_cut *g, const sg_gguf_rule *r, const char *key, sg_gguf_draft *to, sg_error *err)
{
    switch (r->op) {
    case SG_GGUF_WINDOWS:
        return put_kinds(g, key, sg_gguf_slides, g->n_keep, to, err);
    case SG_GGUF_RECURRENT:
        return put_kinds(g, key, sg_gguf_is_recurrent, g->n_keep, to, err);
    case SG_GGUF_INDEXERS:
        return put_kinds(g, key, sg_gguf_has_indexer, g->trunk_left, to, err);
    case SG_GGUF_DEPTH_SCALE:
        sg_gguf_put_f32(to, key, 1.4f / sqrtf((float)g->trunk));
        return SG_OK;
    case SG_GGUF_NO_Q_LORA:
        if (sg_gguf_lite_depth(g, g->trunk) && !sg_gguf_lite_depth(g, g->trunk_left))
            sg_gguf_put_u32(to, key, 0);
        return SG_OK;
    case SG_GGUF_GATING:
        return put_gating(g, key, to);
    default:
        return SG_OK;
    }
}

static int put_absent(const sg_gguf_cut *g, sg_gguf_draft *to, sg_error *err)
{
    int rc = SG_OK;
    for (const sg_gguf_rule *r = NULL; rc == SG_OK && (r = sg_gguf_rule_next(g, r));) {
        if (!sg_gguf_rule_edits(r) || sg_gguf_cut_find(g, r->key))
            continue;
        char *key = sg_asprintf("%s%s", g->cut->word, r->key + (r->key[0] == '%' ? strlen("%s") : 0));
        rc = key ? put_rule(g, r, key, to, err) : sg_fail(err, SG_ERR_NOMEM, "no memory for %s", r->key);
        sg_free(key);
    }
    return rc;
}

/* ---- all --------------------------------------------------------------------------------------------- */

static int edit(const sg_gguf_cut *g, const sg_gguf_kv *kv, sg_gguf_draft *to, sg_error *err)
{
    const sg_gguf_rule *r = find_edit(g, kv->key);
    if (!r) {
        sg_gguf_put_raw(to, kv);
        return SG_OK;
    }
    switch (r->op) {
    case SG_GGUF_COUNT:
        return count(g, kv, 0, g->blocks, to, err);
    case SG_GGUF_COUNT_BELOW:
    case SG_GGUF_COUNT_ABOVE:
        return count_part(g, kv, r->op == SG_GGUF_COUNT_ABOVE, to, err);
    case SG_GGUF_GATHER:
    case SG_GGUF_GATHER_ANY:
        return gather(g, kv, r->op == SG_GGUF_GATHER_ANY, to, err);
    case SG_GGUF_REMAP:
        return remap(g, kv, to, err);
    case SG_GGUF_WINDOWS:
    case SG_GGUF_RECURRENT:
    case SG_GGUF_INDEXERS:
        return kv->type == SG_GGUF_ARRAY ? gather(g, kv, r->op == SG_GGUF_WINDOWS, to, err)
                                         : put_rule(g, r, kv->key, to, err);
    case SG_GGUF_WINDOW_SIZE:
        if (sg_gguf_all_of(g, sg_gguf_slides) && !sg_gguf_kept_of(g, sg_gguf_slides))
            return sg_gguf_put_like(to, kv, 0, err);
        break;
    case SG_GGUF_PARAMETERS:
        return sg_gguf_put_like(to, kv, g->cut->parameters, err);
    case SG_GGUF_SIZE_LABEL:
        return label(g->cut->parameters, kv, to);
    case SG_GGUF_OF_TENSORS:
        return of_tensors(g, kv, to, err);
    case SG_GGUF_DROP:
        return SG_OK;
    default:
        break;
    }
    sg_gguf_put_raw(to, kv);
    return SG_OK;
}

int sg_rules_metadata(const sg_cut *cut, const sg_gguf *from, sg_gguf_draft *to, sg_error *err)
{
    sg_gguf_cut g;
    int rc = sg_gguf_cut_make(&g, cut, from, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == SG_OK && i < from->n_kvs; i++)
        rc = edit(&g, &from->kvs[i], to, err);
    if (rc == SG_OK)
        rc = put_absent(&g, to, err);
    sg_gguf_cut_dispose(&g);
    return rc < 0 ? sg_fail_in(err, rc, cut->model->info.path) : SG_OK;
}
