/* Pieces of the JSON objects. */
#include "report/json.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/strbuf.h"
#include "core/utf8.h"

json_object *sg_report_string(const char *s, size_t bytes)
{
    sg_strbuf b = {0};
    size_t bad;
    while (!sg_utf8_valid(s, bytes, &bad)) {
        sg_strbuf_add(&b, s, bad);
        sg_strbuf_puts(&b, "\xef\xbf\xbd");
        s += bad + 1;
        bytes -= bad + 1;
    }
    sg_strbuf_add(&b, s, bytes);
    json_object *string = NULL;
    if (!b.failed && b.n <= INT_MAX && !sg_test_fault("alloc"))
        string = json_object_new_string_len(b.data, (int)b.n);
    sg_strbuf_free(&b);
    return string;
}

bool sg_put_json_string(json_object *obj, const char *key, const char *value, sg_error *err)
{
    return sg_json_put(obj, key, value ? sg_report_string(value, strlen(value)) : sg_json_number((double)NAN), err) ==
           SG_OK;
}

bool sg_put_json_int(json_object *obj, const char *key, uint64_t value, sg_error *err)
{
    return sg_json_put(obj, key, json_object_new_uint64(value), err) == SG_OK;
}

bool sg_put_json_bool(json_object *obj, const char *key, bool value, sg_error *err)
{
    return sg_json_put(obj, key, json_object_new_boolean(value), err) == SG_OK;
}

bool sg_put_json_number(json_object *obj, const char *key, double value, sg_error *err)
{
    return sg_json_put(obj, key, sg_json_number(value), err) == SG_OK;
}

bool sg_put_json_layers(json_object *obj, const char *key, const int *layers, size_t n, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < n; i++)
        if (sg_json_append(list, json_object_new_int(layers[i]), err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, key, list, err) == SG_OK;
}

int sg_report_json_text(json_object *obj, bool ok, char **out, sg_error *err)
{
    int rc = ok ? sg_json_text(obj, out, err) : SG_ERR_NOMEM;
    json_object_put(obj);
    return rc;
}
