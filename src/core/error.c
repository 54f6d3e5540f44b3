/* Formatting of the one error sentence. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void replace_control(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

int sg_fail(sg_error *err, sg_code code, const char *format, ...)
{
    if (!err)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    replace_control(err->message);
    err->code = code;
    return code;
}

int sg_fail_in(sg_error *err, int code, const char *where)
{
    if (!err)
        return code;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    return sg_fail(err, (sg_code)code, "%s: %s", where, old);
}

int sg_exit_status(sg_code code)
{
    switch (code) {
    case SG_OK:
        return 0;
    case SG_ERR_USAGE:
        return 2;
    case SG_ERR_REFUSED:
        return 3;
    default:
        return 1;
    }
}
