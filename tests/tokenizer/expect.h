/* What a call that should fail must say. */
#ifndef SG_TEST_EXPECT_H
#define SG_TEST_EXPECT_H

#include "core/error.h"

static inline void expect(const char *name, int rc, const sg_error *err, int code, const char *words)
{
    if (rc != code || (rc && err->code != (sg_code)code))
        fail_msg("%s: got %d (%s), expected %d", name, rc, err->message, code);
    if (rc && (!strstr(err->message, words) ||
               (!strstr(err->message, "FILE") && !strstr(err->message, "tokenizer_config.json"))))
        fail_msg("%s: \"%s\" does not say FILE or \"%s\"", name, err->message, words);
}

#endif
