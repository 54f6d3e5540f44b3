/* Reading quantization_config. */
#include "checkpoint/quantization.h"

#include <string.h>

#define NEXT_STEP "use the original weights (BF16, F16 or F32) or a GGUF"

/* [rows, cols] of the block that a scale is for. */
static int read_block(sg_quantization *out, json_object *holder, const char *key, const char *what, sg_error *err)
{
    json_object *list = sg_json_get(holder, key);
    uint64_t size[2] = {0};
    bool ok = json_object_is_type(list, json_type_array) && json_object_array_length(list) == 2;
    for (size_t i = 0; ok && i < 2; i++) {
        json_object *n = json_object_array_get_idx(list, i);
        int64_t value = json_object_is_type(n, json_type_int) ? json_object_get_int64(n) : 0;
        ok = value > 0 && value <= INT32_MAX;
        size[i] = (uint64_t)value;
    }
    if (!ok)
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"%s\" is not a list of two positive integers", what, key);
    if (out->block_rows && (out->block_rows != size[0] || out->block_cols != size[1]))
        return sg_fail(err, SG_ERR_REFUSED, "%s: \"%s\" differs between groups; " NEXT_STEP, what, key);
    out->block_rows = size[0];
    out->block_cols = size[1];
    return SG_OK;
}

static int read_fp8(sg_quantization *out, json_object *q, const char *what, sg_error *err)
{
    json_object *block;
    out->scaled = true;
    if (!json_object_object_get_ex(q, "weight_block_size", &block)) {
        out->block_rows = out->block_cols = 128; /* transformers' default; null means a scale per tensor */
        return SG_OK;
    }
    return block ? read_block(out, q, "weight_block_size", what, err) : SG_OK;
}

static int read_fbgemm(sg_quantization *out, json_object *q, const char *what, sg_error *err)
{
    (void)q, (void)what, (void)err;
    out->scaled = true;
    return SG_OK;
}

/* ---- compressed-tensors ------------------------------------------------------------------------------- */

static const char *const formats[] = {"float-quantized", "naive-quantized", NULL};

/* Is the field absent or one of these? */
static bool is_string(json_object *holder, const char *key, const char *const *allowed)
{
    json_object *value = sg_json_get(holder, key);
    if (!value)
        return true;
    if (!json_object_is_type(value, json_type_string))
        return false;
    while (*allowed && strcmp(*allowed, json_object_get_string(value)))
        allowed++;
    return *allowed;
}

static int refuse_group(const char *what, const char *field, const char *of, sg_error *err)
{
    return sg_fail(
        err, SG_ERR_REFUSED,
        "%s: \"quantization_config\": quant_method is compressed-tensors, of which shortgpt reads 8-bit float "
        "weights only, and \"%s\" of \"%.40s\" says something else; " NEXT_STEP,
        what, field, of);
}

/* One of config_groups: which modules, and how their weights are stored. */
static int read_group(sg_quantization *out, json_object *group, const char *name, const char *what, sg_error *err)
{
    static const char *const types[] = {"float", NULL}, *const strategies[] = {"tensor", "channel", "block", NULL};
    json_object *weights = sg_json_get(group, "weights");
    int64_t bits = 8;
    bool symmetric = true;
    int rc;
    if (!weights)
        return SG_OK;
    if ((rc = sg_json_get_int(weights, what, "num_bits", 1, 64, &bits, NULL, err)) ||
        (rc = sg_json_get_bool(weights, what, "symmetric", &symmetric, NULL, err)))
        return rc;
    const char *unread = NULL;
    if (!is_string(group, "format", formats))
        unread = "format";
    else if (bits != 8)
        unread = "num_bits";
    else if (!sg_json_get(weights, "type") || !is_string(weights, "type", types))
        unread = "type";
    else if (!is_string(weights, "strategy", strategies))
        unread = "strategy";
    else if (!symmetric)
        unread = "symmetric";
    if (unread)
        return refuse_group(what, unread, name, err);
    out->scaled = true;
    return sg_json_get(weights, "block_structure") ? read_block(out, weights, "block_structure", what, err) : SG_OK;
}

static int read_compressed_tensors(sg_quantization *out, json_object *q, const char *what, sg_error *err)
{
    static const char *const dense[] = {"dense", NULL};
    json_object *groups = sg_json_get(q, "config_groups"), *transform = sg_json_get(q, "transform_config");
    const char *unread = NULL;
    if (!is_string(q, "format", formats))
        unread = "format";
    else if (!json_object_is_type(groups, json_type_object))
        unread = "config_groups";
    else if (!is_string(sg_json_get(q, "sparsity_config"), "format", dense))
        unread = "sparsity_config";
    else if (transform && (!json_object_is_type(transform, json_type_object) || json_object_object_length(transform)))
        unread = "transform_config"; /* rotations */
    if (unread)
        return refuse_group(what, unread, "quantization_config", err);
    out->rounds = true;
    json_object_object_foreach(groups, name, group)
    {
        int rc = read_group(out, group, name, what, err);
        if (rc)
            return rc;
    }
    return SG_OK;
}

/* ------------------------------------------------------------------------------------------------------- */

static int read_method(sg_quantization *out, json_object *q, const char *what, sg_error *err)
{
    static const struct {
        const char *name;
        int (*read)(sg_quantization *out, json_object *q, const char *what, sg_error *err);
    } methods[] = {{"fp8", read_fp8}, {"fbgemm_fp8", read_fbgemm}, {"compressed-tensors", read_compressed_tensors}};

    json_object *method = sg_json_get(q, "quant_method");
    const char *name = json_object_is_type(method, json_type_string) ? json_object_get_string(method)
                       : sg_json_get(q, "load_in_8bit") || sg_json_get(q, "load_in_4bit") ? "bitsandbytes"
                                                                                          : "not named";
    for (size_t i = 0; i < SG_ARRAY_LEN(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].read(out, q, what, err);
    return sg_fail(err, SG_ERR_REFUSED,
                   "%s: \"quantization_config\": quant_method is %.40s, which shortgpt does not read; " NEXT_STEP, what,
                   name);
}

int sg_quantization_read(sg_quantization *out, json_object *config, const char *what, sg_error *err)
{
    json_object *holders[] = {config, sg_json_get(config, "text_config")};
    *out = (sg_quantization){0};
    for (size_t i = 0; i < SG_ARRAY_LEN(holders); i++) {
        json_object *q = sg_json_get(holders[i], "quantization_config");
        if (!q)
            q = sg_json_get(holders[i], "compression_config"); /* its older name in compressed-tensors */
        int rc = q ? read_method(out, q, what, err) : SG_OK;
        if (rc)
            return rc;
    }
    return SG_OK;
}
