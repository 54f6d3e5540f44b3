/* Texts from files and from stdin. */
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/utf8.h"

#define MAX_TEXT (64ull << 30) /* a text is held in memory; this only bounds a device that never ends */

int sg_text_read(sg_text *out, const char *path, sg_error *err)
{
    *out = (sg_text){0};
    const char *source = strcmp(path, "-") ? path : "stdin";
    char *data = NULL;
    size_t bytes = 0, bad = 0;
    int rc = sg_file_read(path, MAX_TEXT, &data, &bytes, err);
    if (rc)
        return rc;
    char *name = sg_strdup(source);
    if (!name)
        rc = sg_fail(err, SG_ERR_NOMEM, "%s: no memory for its name", source);
    else if (!sg_utf8_valid(data, bytes, &bad))
        rc = sg_fail(err, SG_ERR_FORMAT,
                     "%s: byte %zu (0x%02x) is not UTF-8; convert the text first, e.g. with iconv -t UTF-8", source,
                     bad, (unsigned char)data[bad]);
    if (rc) {
        sg_free(name);
        sg_free(data);
        return rc;
    }
    *out = (sg_text){.source = name, .data = data, .bytes = bytes};
    return SG_OK;
}

void sg_text_free(sg_text *text)
{
    sg_free((void *)(uintptr_t)text->source);
    sg_free((void *)(uintptr_t)text->data);
    *text = (sg_text){0};
}
