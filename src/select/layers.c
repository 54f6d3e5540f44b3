/* Layer lists as people write them: "3,21-25" and "25%". */
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/strbuf.h"

/* A number at *s, which moves behind it; false when there is no digit. Numbers too large for any model come out as
 * INT32_MAX. */
static bool parse_number(const char **s, int *out)
{
    int64_t value = 0;
    const char *at = *s;
    for (; *at >= '0' && *at <= '9'; at++)
        if (value < INT32_MAX)
            value = value * 10 + (*at - '0');
    if (at == *s)
        return false;
    *s = at;
    *out = value < INT32_MAX ? (int)value : INT32_MAX;
    return true;
}

/* One part, "7" or "3-5", between commas. */
static int parse_part(const char *part, size_t length, int n_layers, bool *named, sg_error *err)
{
    int first, last, show = length < 40 ? (int)length : 40;
    const char *at = part;
    bool good = parse_number(&at, &first);
    last = first;
    if (good && *at == '-') {
        at++;
        good = parse_number(&at, &last);
    }
    if (!length)
        return sg_fail(err, SG_ERR_USAGE, "layer list: a number is missing beside a comma");
    if (!good || at != part + length)
        return sg_fail(err, SG_ERR_USAGE, "layer list: \"%.*s\" is neither a number nor a range such as 3-5", show,
                       part);
    if (last < first)
        return sg_fail(err, SG_ERR_USAGE, "layer list: the range \"%.*s\" descends", show, part);
    if (last >= n_layers)
        return sg_fail(err, SG_ERR_USAGE, "layer list: \"%.*s\" is out of range, the model has layers 0 to %d", show,
                       part, n_layers - 1);
    for (int i = first; i <= last; i++) {
        if (named[i])
            return sg_fail(err, SG_ERR_USAGE, "layer list: \"%.*s\" names layer %d a second time", show, part, i);
        named[i] = true;
    }
    return SG_OK;
}

int sg_layers_parse(const char *list, int n_layers, int **out, size_t *n, sg_error *err)
{
    if (n_layers < 1)
        return sg_fail(err, SG_ERR_USAGE, "layer list: the model has no layers");
    if (!*list)
        return sg_fail(err, SG_ERR_USAGE, "layer list: it is empty");
    bool *named = sg_alloc_zero((size_t)n_layers, sizeof *named);
    int *layers = sg_alloc((size_t)n_layers, sizeof *layers);
    int rc = named && layers ? SG_OK : sg_fail(err, SG_ERR_NOMEM, "no memory for a list of %d layers", n_layers);

    for (const char *part = list; rc == SG_OK;) {
        size_t length = strcspn(part, ",");
        rc = parse_part(part, length, n_layers, named, err);
        if (!part[length])
            break;
        part += length + 1;
    }
    size_t count = 0;
    for (int i = 0; rc == SG_OK && i < n_layers; i++)
        if (named[i])
            layers[count++] = i;
    if (rc == SG_OK && count == (size_t)n_layers)
        rc = sg_fail(err, SG_ERR_REFUSED, "layer list: \"%.40s\" is all %d layers, no model would be left", list,
                     n_layers);
    sg_free(named);
    if (rc < 0) {
        sg_free(layers);
        return rc;
    }
    *out = layers;
    *n = count;
    return SG_OK;
}

void sg_layers_free(int *layers)
{
    sg_free(layers);
}

char *sg_layers_format(const int *layers, size_t n)
{
    sg_strbuf text = {0};
    for (size_t i = 0; i < n;) {
        size_t last = i;
        while (last + 1 < n && layers[last + 1] == layers[last] + 1)
            last++;
        sg_strbuf_printf(&text, "%s%d", i ? "," : "", layers[i]);
        if (last > i)
            sg_strbuf_printf(&text, "-%d", layers[last]);
        i = last + 1;
    }
    char *out = NULL;
    return sg_strbuf_finish(&text, &out, NULL) == SG_OK ? out : NULL;
}

int sg_ratio_parse(const char *ratio, int n_layers, int *out, sg_error *err)
{
    enum { DECIMALS = 6 };
    int64_t millionths = 0; /* of a percent */
    int whole = 0, decimals = 0;
    const char *at = ratio;
    bool good = parse_number(&at, &whole);
    if (good && *at == '.') {
        at++;
        good = *at >= '0' && *at <= '9';
        for (; *at >= '0' && *at <= '9' && decimals <= DECIMALS; at++, decimals++)
            millionths = millionths * 10 + (*at - '0');
        good = good && decimals <= DECIMALS;
    }
    if (!good || strcmp(at, "%") != 0 || whole > 100)
        return sg_fail(err, SG_ERR_USAGE, "ratio: \"%.40s\" is no percentage from 0%% to 100%% such as 25%% or 12.5%%",
                       ratio);
    for (; decimals < DECIMALS; decimals++)
        millionths *= 10;
    millionths += (int64_t)whole * 1000000;
    if (millionths > 100000000)
        return sg_fail(err, SG_ERR_USAGE, "ratio: \"%.40s\" is more than all layers", ratio);

    int64_t n = millionths * n_layers / 100000000; /* below 2^58: no overflow */
    if (n < 1)
        return sg_fail(err, SG_ERR_USAGE, "ratio: %.40s of %d layers is less than one layer", ratio, n_layers);
    if (n >= n_layers)
        return sg_fail(err, SG_ERR_REFUSED, "ratio: %.40s is all %d layers, no model would be left", ratio, n_layers);
    *out = (int)n;
    return SG_OK;
}
