/* One look-up over both kinds of configuration: config.json's keys and GGUF's metadata keys. */
#ifndef SG_MODEL_CONFIG_H
#define SG_MODEL_CONFIG_H

#include "checkpoint/checkpoint.h"

typedef struct sg_config {
    json_object *hf;     /* config.json, or NULL */
    const sg_gguf *gguf; /* or NULL */
    const char *arch;    /* GGUF's general.architecture, which prefixes its keys */
    const char *file;    /* for errors */
} sg_config;

/* A quantity's two spellings; NULL: that format does not have it. "%s" in a GGUF key is the architecture. */
typedef struct sg_config_key {
    const char *hf, *gguf;
} sg_config_key;

#define SG_REQUIRED ((int64_t)INT64_MIN) /* as the default: absent is an error */

/* Reads an integer in [min, max], or the default when absent. */
int sg_config_int(const sg_config *c, sg_config_key key, int64_t min, int64_t max, int64_t absent, int *out,
                  sg_error *err);
/* The same for layer i, where the value may be one number or a list of n_layers. */
int sg_config_layer_int(const sg_config *c, sg_config_key key, int i, int n_layers, int64_t min, int64_t max,
                        int64_t absent, int *out, sg_error *err);
/* A finite number > 0; absent: NaN is an error, else the default. */
int sg_config_positive(const sg_config *c, sg_config_key key, double absent, double *out, sg_error *err);
/* Any finite number; absent or null: the default. */
int sg_config_number(const sg_config *c, sg_config_key key, double absent, double *out, sg_error *err);
/* HF: is the key there, be it with null? GGUF: is it there? */
bool sg_config_has(const sg_config *c, sg_config_key key);
bool sg_config_is_list(const sg_config *c, sg_config_key key);
int sg_config_bool(const sg_config *c, sg_config_key key, bool absent, bool *out, sg_error *err);
/* absent: *out = NULL. The string is sg_free'd by the caller. */
int sg_config_string(const sg_config *c, sg_config_key key, char **out, sg_error *err);

#endif
