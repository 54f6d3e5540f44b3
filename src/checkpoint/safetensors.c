/* The safetensors header: JSON to tensors, then one walk in data order that must meet every byte once. */
#include "checkpoint/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define MAX_HEADER 100000000u /* the reference implementation's limit */

#define ULL(x) ((unsigned long long)(x))

/* The header's length, held against the file. */
static int read_length(const uint8_t *data, uint64_t bytes, const char *path, uint64_t *length, sg_error *err)
{
    if (!bytes)
        return sg_fail(err, SG_ERR_FORMAT, "%s: is empty (0 bytes); download it again?", path);
    if (bytes < 8)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: has only %llu bytes, the header's length alone takes 8; download it again?", path,
                       ULL(bytes));
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n |= (uint64_t)data[i] << (8 * i);
    if (n > MAX_HEADER)
        return sg_fail(err, SG_ERR_FORMAT, "%s: header length is %llu, expected at most %u; is it a safetensors file?",
                       path, ULL(n), MAX_HEADER);
    if (n > bytes - 8)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: header length is %llu, but the file has only %llu bytes; download it again?", path, ULL(n),
                       ULL(bytes));
    *length = n;
    return SG_OK;
}

static int check_metadata(json_object *meta, const char *path, sg_error *err)
{
    if (!json_object_is_type(meta, json_type_object))
        return sg_fail(err, SG_ERR_FORMAT, "%s: \"__metadata__\" is not an object", path);
    json_object_object_foreach(meta, key, value) if (!json_object_is_type(value, json_type_string)) return sg_fail(
        err, SG_ERR_FORMAT, "%s: \"__metadata__\": the value of \"%.200s\" is not a string", path, key);
    return SG_OK;
}

/* Element i of an array of non-negative integers. */
static bool array_u64(json_object *array, size_t i, uint64_t *out)
{
    json_object *value = json_object_array_get_idx(array, i);
    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
        return false;
    *out = json_object_get_uint64(value);
    return true;
}

static int parse_shape(sg_tensor *t, json_object *shape, const char *path, sg_error *err)
{
    if (!json_object_is_type(shape, json_type_array))
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": \"shape\" is not an array", path, t->name);
    size_t n = json_object_array_length(shape);
    if (n > SG_MAX_DIMS)
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: tensor \"%.200s\": %zu dimensions, this version of shortgpt knows at most %d", path,
                       t->name, n, SG_MAX_DIMS);
    t->n_dims = (int)n;
    for (size_t i = 0; i < n; i++)
        if (!array_u64(shape, i, &t->shape[i]))
            return sg_fail(err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": \"shape\"[%zu] is not a non-negative integer",
                           path, t->name, i);
    return sg_tensor_measure(t, path, err);
}

/* One entry of the header; data: where data starts in the file of `bytes`. */
static int parse_tensor(sg_tensor *t, const char *name, json_object *entry, uint64_t data, uint64_t bytes,
                        const char *path, sg_error *err)
{
    int rc;
    t->name = sg_strdup(name);
    if (!t->name)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the header", path);
    json_object *dtype = sg_json_get(entry, "dtype"), *offsets = sg_json_get(entry, "data_offsets");
    if (!json_object_is_type(dtype, json_type_string))
        return sg_fail(err, SG_ERR_FORMAT, "%s: tensor \"%.200s\": \"dtype\" is not a string", path, name);
    if (!(t->type = sg_dtype_by_safetensors(json_object_get_string(dtype))))
        return sg_fail(err, SG_ERR_REFUSED,
                       "%s: tensor \"%.200s\": dtype \"%.40s\" is unknown to this version of shortgpt", path, name,
                       json_object_get_string(dtype));
    if ((rc = parse_shape(t, sg_json_get(entry, "shape"), path, err)))
        return rc;

    uint64_t begin = 0, end = 0;
    if (!json_object_is_type(offsets, json_type_array) || json_object_array_length(offsets) != 2 ||
        !array_u64(offsets, 0, &begin) || !array_u64(offsets, 1, &end) || begin > end)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: tensor \"%.200s\": \"data_offsets\" is not [begin, end] of two non-negative integers in "
                       "order",
                       path, name);
    if (end - begin != t->bytes)
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: tensor \"%.200s\": \"data_offsets\" span %llu bytes, but its shape and dtype %s take %llu",
                       path, name, ULL(end - begin), t->type->name, ULL(t->bytes));
    if (end > bytes - data) {
        uint64_t absolute = end > UINT64_MAX - data ? UINT64_MAX : data + end;
        return sg_fail(err, SG_ERR_FORMAT,
                       "%s: tensor \"%.200s\" ends at byte %llu, but the file has only %llu bytes; download it again?",
                       path, name, ULL(absolute), ULL(bytes));
    }
    t->offset = data + begin;
    return SG_OK;
}

/* Puts the tensors in data order; there they must follow each other from the first byte of the data to the last. */
static int order_tensors(sg_safetensors *st, uint64_t data, uint64_t bytes, const char *path, sg_error *err)
{
    int rc = SG_OK;
    uint64_t at = data;
    sg_tensor *sorted = sg_alloc(st->n_tensors, sizeof *sorted);
    size_t *order = sorted ? sg_tensors_sort(st->tensors, st->n_tensors, sg_tensor_by_offset) : NULL;
    if (!order) {
        sg_free(sorted);
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the header", path);
    }
    for (size_t i = 0; i < st->n_tensors; i++) {
        const sg_tensor *t = &st->tensors[order[i]];
        if (t->offset != at && !rc)
            rc = sg_fail(err, SG_ERR_FORMAT, "%s: tensor \"%.200s\" begins at byte %llu of the data, expected %llu: %s",
                         path, t->name, ULL(t->offset - data), ULL(at - data),
                         t->offset < at ? "it overlaps the one before (or a name is there twice)"
                                        : "nothing covers the bytes between (or a name is there twice)");
        at = t->offset + t->bytes;
        sorted[i] = *t;
    }
    if (at != bytes && !rc)
        rc = sg_fail(err, SG_ERR_FORMAT,
                     "%s: the last tensor ends at byte %llu, but the file has %llu bytes (or a name is there twice)",
                     path, ULL(at), ULL(bytes));
    sg_free(order);
    sg_free(st->tensors);
    st->tensors = sorted;
    return rc;
}

/* How many names the header's object has in the text. JSON keeps one of a name given twice, and if both say the same bytes no gap shows it.
 * The text has been parsed: strings end, brackets match. */
static size_t count_names(const char *text, size_t bytes)
{
    size_t names = 0;
    int depth = 0;
    bool name = true; /* at depth 1: the next string is a name, not a value */
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c == '"' || c == '\'') {
            names += depth == 1 && name;
            for (i++; i < bytes && text[i] != c; i++)
                i += text[i] == '\\';
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (depth == 1 && (c == ':' || c == ',')) {
            name = c == ',';
        }
    }
    return names;
}

static int parse_header(sg_safetensors *st, json_object *header, uint64_t data, uint64_t bytes, const char *path,
                        sg_error *err)
{
    int rc;
    if (!json_object_is_type(header, json_type_object))
        return sg_fail(err, SG_ERR_FORMAT, "%s: the header is not a JSON object", path);
    st->tensors = sg_alloc_zero((size_t)json_object_object_length(header), sizeof *st->tensors);
    if (!st->tensors)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the header", path);
    json_object_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) {
            if ((rc = check_metadata(entry, path, err)))
                return rc;
            st->metadata = json_object_get(entry);
        } else if ((rc = parse_tensor(&st->tensors[st->n_tensors++], name, entry, data, bytes, path, err))) {
            return rc;
        }
    }
    return order_tensors(st, data, bytes, path, err);
}

int sg_safetensors_parse(sg_safetensors *out, const uint8_t *data, uint64_t bytes, const char *path, sg_error *err)
{
    *out = (sg_safetensors){0};
    uint64_t length = 0;
    json_object *header = NULL;
    char *what;
    int rc = read_length(data, bytes, path, &length, err);
    if (rc)
        return rc;
    what = sg_asprintf("%s: header", path);
    if (!what)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the header", path);
    rc = sg_json_parse(&header, (const char *)data + 8, (size_t)length, what, err);
    if (!rc && json_object_is_type(header, json_type_object) &&
        count_names((const char *)data + 8, (size_t)length) != (size_t)json_object_object_length(header))
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: the header gives a tensor's name twice", path);
    if (!rc)
        rc = parse_header(out, header, 8 + length, bytes, path, err);
    if (rc)
        sg_safetensors_dispose(out);
    json_object_put(header);
    sg_free(what);
    return rc;
}

void sg_safetensors_dispose(sg_safetensors *st)
{
    sg_tensors_free(st->tensors, st->n_tensors);
    json_object_put(st->metadata);
    *st = (sg_safetensors){0};
}
