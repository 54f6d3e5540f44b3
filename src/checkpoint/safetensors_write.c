/* Building a safetensors header. */
#include "checkpoint/safetensors_write.h"

#include "core/mem.h"

/* obj[key] = [values] */
static int put_numbers(json_object *obj, const char *key, const uint64_t *values, int n, sg_error *err)
{
    json_object *array = json_object_new_array();
    int rc = sg_json_put(obj, key, array, err);
    for (int i = 0; rc == SG_OK && i < n; i++)
        rc = sg_json_append(array, json_object_new_uint64(values[i]), err);
    return rc;
}

int sg_safetensors_put_tensor(json_object *header, const char *name, const sg_tensor *t, uint64_t *end, sg_error *err)
{
    const uint64_t span[2] = {*end, *end + t->bytes};
    json_object *entry = json_object_new_object();
    int rc = sg_json_put(header, name, entry, err);
    if (rc < 0 ||
        (rc = sg_json_put(entry, "dtype", json_object_new_string(t->type->name), err)) < 0 ||
        (rc = put_numbers(entry, "shape", t->shape, t->n_dims, err)) < 0 ||
        (rc = put_numbers(entry, "data_offsets", span, 2, err)) < 0)
        return rc;
    *end = span[1];
    return SG_OK;
}

int sg_safetensors_header(json_object *header, sg_strbuf *out, sg_error *err)
{
    size_t bytes = 0;
    const char *json =
        json_object_to_json_string_length(header, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &bytes);
    uint64_t padded = (bytes + 7) & ~(uint64_t)7;
    sg_strbuf_add(out, (const char *)&padded, sizeof padded);
    if (json)
        sg_strbuf_add(out, json, bytes);
    sg_strbuf_repeat(out, " ", (size_t)padded - bytes);
    return json && !out->failed ? SG_OK
                                : sg_fail(err, SG_ERR_NOMEM, "no memory for a safetensors header of %zu bytes", bytes);
}
