/* The bar on stderr while something long runs: only on a terminal, at most six times a second, cleared at the end. */
#ifndef SG_CLI_PROGRESS_H
#define SG_CLI_PROGRESS_H

#include <time.h>

#include "shortgpt.h"

typedef struct progress {
    bool terminal; /* stderr is one */
    bool shown;    /* a bar stands on the line */
    bool utf8;
    char stage[32]; /* the one that `start` belongs to */
    uint64_t done;  /* at the last report */
    struct timespec start, drawn;
} progress;

void progress_init(progress *p, bool utf8, bool quiet); /* quiet: no bar */
/* For the options of a call; also stops the call once a signal was caught. */
sg_progress progress_callback(progress *p);
void progress_clear(progress *p);

#endif
