/* Finding the scale of a weight, and multiplying rows by it. */
#include "checkpoint/scales.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint/quantization.h"
#include "core/clones.h"
#include "core/mem.h"

/* ---- finding ------------------------------------------------------------------------------------------ */

static int find_scale(const sg_tensor **out, const sg_checkpoint *ckpt, const sg_tensor *weight, sg_error *err)
{
    static const char *const suffixes[] = {"_scale_inv", "_scale"};
    *out = NULL;
    for (size_t i = 0; i < SG_ARRAY_LEN(suffixes); i++) {
        char *name = sg_asprintf("%s%s", weight->name, suffixes[i]);
        if (!name)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for the name of a scale");
        const sg_tensor *t = sg_checkpoint_find(ckpt, name);
        sg_free(name);
        if (t && *out)
            return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has two scales, %s and %s", ckpt->path, weight->name,
                           (*out)->name, t->name);
        if (t)
            *out = t;
    }
    return SG_OK;
}

static bool is_f8(const sg_dtype *type)
{
    return type->safetensors && strncmp(type->name, "F8_", 3) == 0;
}

/* Bytes are the exponents of powers of two, as transformers takes them. */
static const sg_dtype *scale_type(const sg_tensor *t)
{
    static const char *const names[] = {"F32", "F16", "BF16", "F8_E8M0"};
    const char *name = strcmp(t->type->name, "U8") ? t->type->name : "F8_E8M0";
    for (size_t i = 0; i < SG_ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return sg_dtype_by_safetensors(name);
    return NULL;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* Fills the grid from the scale's shape; false: it is none of those that scales.h lists. */
static bool match_shape(sg_scale *s, const sg_tensor *w, const sg_tensor *t, const sg_quantization *q)
{
    int n = w->n_dims, lead = n > 2 ? n - 2 : 0;
    s->cols = n ? w->shape[n - 1] : 1;
    s->rows = n > 1 ? w->shape[n - 2] : 1;
    s->block_rows = s->rows;
    s->block_cols = s->cols;
    s->grid_rows = s->grid_cols = 1;
    s->shared = t->n_elements == 1;
    if (s->shared)
        return true;
    if (n < 2 || t->n_dims < n - 1 || t->n_dims > n || memcmp(t->shape, w->shape, (size_t)lead * sizeof *w->shape) != 0)
        return false;
    s->grid_rows = t->shape[lead];
    s->grid_cols = t->n_dims == n ? t->shape[n - 1] : 1;
    if (s->grid_rows == s->rows && s->grid_cols == 1) {
        s->block_rows = 1;
        return true;
    }
    if (t->n_dims != n)
        return false;
    if (s->grid_rows == 1 && s->grid_cols == 1)
        return true;
    s->block_rows = q->block_rows;
    s->block_cols = q->block_cols;
    return q->block_rows && s->grid_rows == divide_up(s->rows, q->block_rows) &&
           s->grid_cols == divide_up(s->cols, q->block_cols);
}

static void shape_text(const sg_tensor *t, char text[static 192]) /* 8 numbers of 20 digits fit */
{
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; i < t->n_dims; i++)
        n += (size_t)snprintf(text + n, 192 - n, "%s%llu", i ? ", " : "", (unsigned long long)t->shape[i]);
}

static int fail_shape(const sg_checkpoint *ckpt, const sg_tensor *w, const sg_tensor *t, const sg_quantization *q,
                      sg_error *err)
{
    char scale[192], weight[192], block[64] = "";
    shape_text(t, scale);
    shape_text(w, weight);
    if (q->block_rows)
        snprintf(block, sizeof block, " in blocks of %llu x %llu", (unsigned long long)q->block_rows,
                 (unsigned long long)q->block_cols);
    return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has shape [%s], which does not fit %s [%s]%s", ckpt->path,
                   t->name, scale, w->name, weight, block);
}

int sg_tensor_scale(sg_scale *out, const sg_checkpoint *ckpt, const sg_tensor *weight, sg_error *err)
{
    sg_quantization q;
    const sg_tensor *t;
    *out = (sg_scale){0};
    if (ckpt->format != SG_FORMAT_HF)
        return SG_OK;
    int rc = sg_quantization_read(&q, ckpt->config, ckpt->path, err);
    if (rc || (rc = find_scale(&t, ckpt, weight, err)))
        return rc;
    if (!t && q.scaled && is_f8(weight->type))
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor %s has type %s, but there is no %s_scale_inv or %s_scale",
                       ckpt->path, weight->name, weight->type->name, weight->name, weight->name);
    if (!t)
        return SG_OK;
    if (!is_f8(weight->type))
        return sg_fail(err, SG_ERR_REFUSED, "%s: tensor %s is a scale, but %s has type %s, expected an 8-bit float",
                       ckpt->path, t->name, weight->name, weight->type->name);
    out->type = scale_type(t);
    if (!out->type)
        return sg_fail(err, SG_ERR_REFUSED, "%s: tensor %s is a scale of type %s, which shortgpt does not read",
                       ckpt->path, t->name, t->type->name);
    if (!match_shape(out, weight, t, &q))
        return fail_shape(ckpt, weight, t, &q, err);
    out->data = sg_tensor_data(ckpt, t);
    if (q.rounds && out->type->block_bytes == 2)
        out->round = out->type;
    return SG_OK;
}

/* ---- multiplying -------------------------------------------------------------------------------------- */

SG_CLONES static void multiply(float *values, float by, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        values[i] *= by;
}

/* The low bits go: to nearest, ties to even. */
static inline __attribute__((always_inline)) float round_off(float x, int bits)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    b = (b + (1u << (bits - 1)) - 1 + (b >> bits & 1)) >> bits << bits;
    memcpy(&x, &b, sizeof b);
    return x;
}

SG_CLONES static void round_bf16(float *values, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        values[i] = isnan(values[i]) ? values[i] : round_off(values[i], 16);
}

static void round_f16(float *values, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        float x = fabsf(values[i]);
        if (x < 0x1p-14f)
            x = x + 0.75f - 0.75f; /* next to 0.75 floats are 2^-24 apart, as f16 subnormals are */
        else if (!isnan(x))
            x = x < 65520 ? round_off(x, 13) : INFINITY;
        values[i] = copysignf(x, values[i]);
    }
}

void sg_scale_row(const sg_scale *s, uint64_t row, float *values)
{
    enum { AT_ONCE = 64 };
    float scales[AT_ONCE];
    if (!s->data)
        return;
    uint64_t matrix = s->shared ? 0 : row / s->rows;
    uint64_t first = (matrix * s->grid_rows + row % s->rows / s->block_rows) * s->grid_cols;
    const uint8_t *data = s->data + first * (uint64_t)s->type->block_bytes;
    for (uint64_t g = 0; g < s->grid_cols; g++) {
        uint64_t at = g * s->block_cols, n = s->cols - at < s->block_cols ? s->cols - at : s->block_cols;
        if (g % AT_ONCE == 0)
            s->type->to_f32(data + g * (uint64_t)s->type->block_bytes, scales,
                            s->grid_cols - g < AT_ONCE ? s->grid_cols - g : AT_ONCE);
        multiply(values + at, scales[g % AT_ONCE], n);
    }
    if (s->round && s->round->gguf_id == 1)
        round_f16(values, s->cols);
    else if (s->round)
        round_bf16(values, s->cols);
}
