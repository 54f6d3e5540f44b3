/* Reading files: whole, or mapped. Writing is output.h. */
#ifndef SG_CORE_FILE_H
#define SG_CORE_FILE_H

#include "core/error.h"

typedef struct sg_map {
    const uint8_t *data; /* read-only; NULL for an empty file */
    uint64_t bytes;
    char *path; /* owned */
    int fd;     /* kept open: copies are made from it */
} sg_map;

/* Follows symbolic links; anything but a regular file is refused (SG_ERR_IO). */
int sg_map_open(sg_map *map, const char *path, sg_error *err);
void sg_map_close(sg_map *map); /* a zeroed map is fine */
/* Hints, which change nothing but the speed: this span is needed soon; bring it in and wait for it; it is no longer
 * needed (its whole pages leave the process, not the system's cache). */
void sg_map_prefetch(const sg_map *map, uint64_t offset, uint64_t bytes);
void sg_map_populate(const sg_map *map, uint64_t offset, uint64_t bytes);
void sg_map_release(const sg_map *map, uint64_t offset, uint64_t bytes);
/* true: a few bytes here and there are read next, so that the kernel reads no more than those pages (else it may read
 * megabytes around each); false: as usual again. */
void sg_map_scattered(const sg_map *map, bool scattered);

/* The whole file, with a 0 byte behind it that *bytes does not count; sg_free. "-" is stdin. At most max bytes, else
 * SG_ERR_FORMAT. */
int sg_file_read(const char *path, uint64_t max, char **data, size_t *bytes, sg_error *err);
bool sg_path_is_dir(const char *path);
bool sg_path_exists(const char *path);                 /* also a dangling link */
char *sg_path_join(const char *dir, const char *name); /* sg_free; NULL: no memory */

#endif
