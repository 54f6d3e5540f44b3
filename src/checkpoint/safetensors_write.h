/* Building a safetensors header. See safetensors.h for the layout. */
#ifndef SG_CHECKPOINT_SAFETENSORS_WRITE_H
#define SG_CHECKPOINT_SAFETENSORS_WRITE_H

#include "checkpoint/safetensors.h"
#include "core/strbuf.h"

/* Adds a tensor like t, under another name, to the header's object; its data begin at *end, which moves behind them. */
int sg_safetensors_put_tensor(json_object *header, const char *name, const sg_tensor *t, uint64_t *end, sg_error *err);
/* The length and the JSON, with blanks behind it up to a multiple of 8, as the format's own writer does. */
int sg_safetensors_header(json_object *header, sg_strbuf *out, sg_error *err);

#endif
