/* Keeps the files of --json, --report and --items off each other and what the command reads or writes otherwise. */
#ifndef SG_CLI_GUARD_H
#define SG_CLI_GUARD_H

#include "options.h"

/* SG_ERR_USAGE when one of them is, or lies inside, a MODEL, a --text, the --plan, --imatrix or OUT, or is another. */
int guard_outputs(const options *o, sg_error *err);
/* The same for one more file or folder that the command reads; what: "the task". */
int guard_input(const options *o, const char *what, const char *path, sg_error *err);

#endif
