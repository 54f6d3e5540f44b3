/* Importance matrices: how much each column of a model's matrices counted for some texts. llama-imatrix writes them, as
 * GGUF or in the older form, and quantizers read them; either names tensors of a GGUF model ("blk.3.ffn_up.weight").
 *
 * The older form: i32 n | n x (i32 bytes, name, i32 calls, i32 values, f32 value[]) | perhaps i32 chunks | perhaps i32
 * bytes, name of the text. */
#ifndef SG_CHECKPOINT_IMATRIX_H
#define SG_CHECKPOINT_IMATRIX_H

#include "checkpoint/gguf.h"
#include "core/strbuf.h"

/* The file at path for a model of which layer i has become layer to[i], -1: is gone. Appends all of it to *out; *gguf
 * says in which form, which is that of path. SG_ERR_FORMAT: malformed, no importance matrix, or of a model with other
 * layers; SG_ERR_REFUSED: nothing is left of it. */
int sg_imatrix_renumber(sg_strbuf *out, bool *gguf, const char *path, const int *to, int layers, sg_error *err);

#endif
