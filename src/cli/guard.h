/* Keeps --json FILE and --report FILE off what the command reads or writes otherwise. */
#ifndef SG_CLI_GUARD_H
#define SG_CLI_GUARD_H

#include "options.h"

/* SG_ERR_USAGE when --json's file is, or lies inside, a MODEL, a --text, the --plan or OUT. */
int guard_json(const options *o, sg_error *err);

#endif
