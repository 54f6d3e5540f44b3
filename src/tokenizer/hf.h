/* What the readers of HF's tokenizer.json share. */
#ifndef SG_TOKENIZER_HF_H
#define SG_TOKENIZER_HF_H

#include "tokenizer/internal.h"

typedef struct sg_hf {
    json_object *root, *config; /* config may be NULL */
    const char *file;
    sg_tokenizer *tok;
    sg_error *err;
    char what[1200]; /* "file: field", of sg_hf_field below */
} sg_hf;

/* "file: field" for errors; valid until the next call. */
const char *sg_hf_field(sg_hf *l, const char *name);
/* SG_ERR_REFUSED and SG_ERR_FORMAT. */
int sg_hf_refuse(sg_hf *l, const char *name, const char *value, const char *supported);
int sg_hf_wrong(sg_hf *l, const char *name, const char *expected);
/* obj.key, a boolean that must be there. */
int sg_hf_flag(sg_hf *l, json_object *obj, const char *name, const char *key, bool *out);
/* obj.type; *out is "" when it is absent. */
int sg_hf_type(sg_hf *l, json_object *obj, const char *name, const char **out);
/* A JSON string, which may hold NUL. */
sg_str sg_hf_text(json_object *string);
/* obj.key, a string that must be there and, unless that is allowed, not empty. */
int sg_hf_string(sg_hf *l, json_object *obj, const char *name, const char *key, bool empty, sg_str *out);

/* The model's vocabulary and merges; then, when the steps before it are known, what it does with what it lacks. */
int sg_hf_read_model(sg_hf *l);
int sg_hf_finish_model(sg_hf *l);
int sg_hf_read_normalizer(sg_hf *l);
/* Its last step, when that is ByteLevel, becomes the model's way to read a word. */
int sg_hf_read_pre_tokenizer(sg_hf *l);
int sg_hf_read_added(sg_hf *l);
/* The decoder. */
int sg_hf_read_decoder(sg_hf *l);
/* The post-processor and tokenizer_config.json. */
int sg_hf_read_bos(sg_hf *l);

#endif
