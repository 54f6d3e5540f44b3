/* Writing that leaves a whole file or nothing: a temporary sibling, hashed as it is written, synced, read back,
 * renamed. */
#ifndef SG_CORE_OUTPUT_H
#define SG_CORE_OUTPUT_H

#include "core/error.h"
#include "core/file.h"

/* Counts bytes towards a total and asks the caller, after each piece, whether to go on. */
typedef struct sg_ticker {
    const sg_progress *progress; /* NULL, or its report NULL: nobody listens */
    const char *stage;
    uint64_t done, total;
} sg_ticker;

/* Adds bytes to done and reports. SG_ERR_CANCELLED when told to stop. ticker: NULL ok. */
int sg_tick(sg_ticker *ticker, uint64_t bytes, sg_error *err);

/* One output file. Bytes are hashed (XXH3-128) as they are written. */
typedef struct sg_out sg_out;

int sg_out_create(sg_out **out, const char *path, sg_error *err); /* fails when path exists; mode follows the umask */
int sg_out_write(sg_out *out, const void *data, size_t bytes, sg_error *err);
/* Copies a span of a file, read (not through the mapping: a file that shrinks is an error, not a signal), ticking every
 * 4 MiB. The kernel copies where the file system offers it, fetches the next piece and writes out the last ones
 * meanwhile. */
int sg_out_copy(sg_out *out, const sg_map *from, uint64_t offset, uint64_t bytes, sg_ticker *ticker, sg_error *err);
int sg_out_pad(sg_out *out, uint64_t alignment, sg_error *err); /* zero bytes up to a multiple of a power of two */
uint64_t sg_out_position(const sg_out *out);
/* Nothing more is written: synced, out of the page cache where the system allows, closed. */
int sg_out_close(sg_out *out, sg_error *err);
/* Reads the closed file once and holds its length and hash against what was written. */
int sg_out_check(sg_out *out, sg_ticker *ticker, sg_error *err);
void sg_out_free(sg_out *out); /* closes; never removes */

/* path without its last component ("." for a bare name), and that component; slashes at the end do not count. sg_free;
 * NULL: no memory. */
char *sg_path_parent(const char *path);
char *sg_path_name(const char *path);

/* A new directory whose mode follows the umask. */
int sg_make_dir(const char *path, sg_error *err);
int sg_sync_dir(const char *path, sg_error *err);
/* The temporary sibling ".NAME.shortgpt-PID" of path; sg_free. Removes what dead processes, and an earlier one with our
 * number, left under that pattern for the same NAME; so one process writes one OUT once at a time. */
int sg_temp_sibling(char **out, const char *path, sg_error *err);
/* Removes a file or a directory; absent is fine; links are removed, not followed. */
int sg_remove_tree(const char *path, sg_error *err);
/* block: what files are rounded up to */
int sg_free_space(const char *dir, uint64_t *bytes, uint64_t *block, sg_error *err);
/* Renames temp to path and syncs the directory. replace: a file by rename; a directory by exchange, then the old one is
 * removed; where the file system cannot exchange, SG_ERR_REFUSED. Without replace an existing path is SG_ERR_USAGE (no
 * race: RENAME_NOREPLACE). On failure path is as it was and temp is still there. */
int sg_publish(const char *temp, const char *path, bool replace, sg_error *err);
/* The same for files of the directory temp, which go beside path under their names, all or none: the last file first,
 * the first one, by which the set is opened, last. Existing ones are exchanged, the old first one before all others;
 * temp and what is then in it is removed. */
int sg_publish_set(const char *temp, const char *path, const char *const *names, size_t n, bool replace, sg_error *err);

#endif
