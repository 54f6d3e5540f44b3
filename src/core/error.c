/* Formatting of the one error sentence. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

/* Untrusted strings are in there, and a precision may have cut one inside a character. */
static void replace_unprintable(char *s)
{
    size_t bytes = strlen(s), bad;
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            s[i] = '?';
    while (!sg_utf8_valid(s, bytes, &bad)) {
        s[bad] = '?';
        s += bad + 1;
        bytes -= bad + 1;
    }
}

int sg_fail(sg_error *err, sg_code code, const char *format, ...)
{
    if (!err)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    replace_unprintable(err->message);
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
