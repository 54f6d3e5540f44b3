/* One error struct, filled once, nearest the cause (see include/shortgpt.h). */
#ifndef SG_CORE_ERROR_H
#define SG_CORE_ERROR_H

#include "shortgpt.h"

#define SG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Formats the sentence into err (NULL: nothing) and returns code, so that failing reads as one line.
 * Control characters of untrusted strings come out as '?'. */
int sg_fail(sg_error *err, sg_code code, const char *format, ...) SG_PRINTF(3, 4);

/* "%s: " in front of a sentence that is already there; returns err's code (code when err is NULL). */
int sg_fail_in(sg_error *err, int code, const char *where);

#define SG_ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

#endif
