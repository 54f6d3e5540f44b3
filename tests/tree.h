/* Temporary folders for tests: made, filled with edited copies of the fixtures, removed. */
#ifndef SG_TEST_TREE_H
#define SG_TEST_TREE_H

#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "golden.h"

/* A new folder; the caller removes it with tree_remove. */
static inline void tree_make(char path[64])
{
    snprintf(path, 64, "/tmp/sg_test_XXXXXX");
    if (!mkdtemp(path))
        fail_msg("mkdtemp failed");
}

static inline void tree_remove(const char *path)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (strncmp(path, "/tmp/sg_test_", 13) != 0 || system(command) != 0)
        fail_msg("cannot remove %s", path);
}

static inline void tree_write(const char *dir, const char *name, const void *data, size_t bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

/* A fixture's files as symbolic links, config.json apart. */
static inline void tree_link(const char *dir, const char *fixture, const char *const *files, size_t n)
{
    char from[512], to[512];
    for (size_t i = 0; i < n; i++) {
        snprintf(from, sizeof from, "%s/%s/%s", SG_GOLDEN, fixture, files[i]);
        snprintf(to, sizeof to, "%s/%s", dir, files[i]);
        if (symlink(from, to) != 0)
            fail_msg("cannot link %s", to);
    }
}

#endif
