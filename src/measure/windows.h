/* Texts to windows of tokens: T text tokens each, not overlapping, the tail dropped; no window spans two texts. */
#ifndef SG_MEASURE_WINDOWS_H
#define SG_MEASURE_WINDOWS_H

#include "engine/pass.h"

typedef struct sg_text_windows { /* one text's part */
    const char *source;
    int first, n;
} sg_text_windows;

typedef struct sg_windows {
    sg_window *windows;
    int n;
    sg_text_windows *texts;
    size_t n_texts;
    int window; /* T, BOS not counted */
    bool bos;
    int32_t *ids; /* what the windows point into */
} sg_windows;

typedef struct sg_window_defaults {
    sg_embedded text;
    int window;
    int64_t tokens; /* 0: all */
} sg_window_defaults;

/* opts' zeros are filled from defaults. SG_ERR_USAGE: window < 2 or tokens < window. SG_ERR_FORMAT: a text below one
 * window, with its token count. */
int sg_windows_make(sg_windows *out, sg_model *model, const sg_run_opts *opts, const sg_window_defaults *defaults,
                    sg_error *err);
/* What a bound on the process (0: none) leaves for a pass, now that texts and tokenizer are read: at least 1 byte, or 0
 * for none. */
uint64_t sg_memory_left(uint64_t bound);
void sg_windows_dispose(sg_windows *w);

#endif
