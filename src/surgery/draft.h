/* Everything that OUT will hold, laid out in memory before a byte is written: so a dry run knows what a run would do,
 * and a run knows how much room it needs. */
#ifndef SG_SURGERY_DRAFT_H
#define SG_SURGERY_DRAFT_H

#include "core/output.h"
#include "core/strbuf.h"
#include "surgery/cut.h"

#define SG_INDEX_FILE "model.safetensors.index.json"
/* Quantization configurations in files of their own, which name layers: AutoGPTQ's, ModelOpt's, AutoAWQ's, and that of
 * AutoRound and ExLlamaV3. */
#define SG_QUANTIZATION_FILES                                                                                          \
    "quantize_config.json", "hf_quant_config.json", "quant_config.json", "quantization_config.json"

/* A kept tensor's place. */
typedef struct sg_placed {
    const sg_tensor *from; /* MODEL's, or the part of it that stays */
    const sg_slice *slice; /* of that part; NULL: the whole stays */
    char *name;            /* OUT's */
    size_t file;           /* index into the draft's files */
    uint64_t offset;       /* from that file's start */
} sg_placed;

/* A file of OUT: its head, then tensors' data; or a copy of a file of MODEL. */
typedef struct sg_draft_file {
    char *name; /* inside OUT, of a set beside it; NULL: OUT itself */
    sg_strbuf head;
    size_t first, n; /* its tensors, in placed */
    char *copy_of;   /* NULL: none */
    uint64_t bytes;  /* of the whole file */
} sg_draft_file;

typedef struct sg_draft {
    bool directory;
    bool set;           /* OUT is the first of its files, which lie beside each other: a split GGUF, one with imatrix */
    uint64_t alignment; /* each tensor's data is padded to it */
    sg_placed *placed;  /* [cut's tensors_kept], file by file */
    size_t n_placed;
    sg_draft_file *files;
    size_t n_files;
    char **dirs; /* directories inside OUT, parents first */
    size_t n_dirs;
    char **left_out; /* what of MODEL is not carried */
    size_t n_left_out;
    const char *imatrix;   /* what the last file is made from; NULL: there is none */
    uint64_t source_bytes; /* of MODEL's files that OUT's come from */
} sg_draft;

/* Lays out OUT, at path, in MODEL's format. lineage: the plan to write into it. */
int sg_draft_make(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, const char *path, sg_error *err);
/* File i of a set, for OUT at path; of anything else path itself. sg_free; NULL: no memory. */
char *sg_draft_path(const sg_draft *draft, const char *path, size_t i);
/* Adds the importance matrix at `imatrix`, for the survivors, as a file beside OUT at path. */
int sg_draft_imatrix(sg_draft *draft, const sg_cut *cut, const char *path, const char *imatrix, sg_error *err);
void sg_draft_dispose(sg_draft *draft);
uint64_t sg_draft_bytes(const sg_draft *draft);

/* Writes all files at temp, a path that does not exist, then reads all back. */
int sg_draft_write(const sg_draft *draft, const sg_cut *cut, const char *temp, const sg_progress *progress,
                   sg_error *err);

/* ---- for the layouts ---- */

int sg_draft_gguf(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, const char *path, sg_error *err);
int sg_draft_hf(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, sg_error *err);
/* Adds MODEL's files that hold no weights, as copies, and names what is left out. */
int sg_draft_carry(sg_draft *draft, const sg_checkpoint *ckpt, sg_error *err);

/* A new file, zero but for its name (copied; NULL ok); NULL: no memory. */
sg_draft_file *sg_draft_add(sg_draft *draft, const char *name);
/* Appends to a list of owned strings; takes s, also on failure. SG_ERR_NOMEM when s is NULL. */
int sg_draft_note(char ***list, size_t *n, char *s, sg_error *err);

#endif
