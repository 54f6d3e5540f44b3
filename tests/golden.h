/* Reads the recorded numbers of tests/golden: NAME.txt says "array type dims... byte_offset" a line, NAME.bin holds the bytes. */
#ifndef SG_GOLDEN_H
#define SG_GOLDEN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "sg_test.h"

typedef struct golden {
    char *bin;
    char text[4096];
} golden;

static inline void *read_whole(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *data = malloc((size_t)n + 1);
    if (!data || fread(data, 1, (size_t)n, f) != (size_t)n)
        fail_msg("cannot read %s", path);
    data[n] = 0;
    fclose(f);
    if (bytes)
        *bytes = (size_t)n;
    return data;
}

static inline golden golden_open(const char *name)
{
    golden g;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", SG_GOLDEN, name);
    char *text = read_whole(path, NULL);
    snprintf(g.text, sizeof g.text, "%s", text);
    free(text);
    snprintf(path, sizeof path, "%s/%s.bin", SG_GOLDEN, name);
    g.bin = read_whole(path, NULL);
    return g;
}

static inline bool golden_has(const golden *g, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = g->text; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] != 0))
        if (strncmp(p, name, n) == 0 && p[n] == ' ')
            return true;
    return false;
}

/* The array's bytes; *count: its elements. */
static inline const void *golden_array(const golden *g, const char *name, size_t *count)
{
    char line[256];
    for (const char *p = g->text; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] != 0)) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(p, "\n"), p);
        size_t n = strlen(name);
        if (strncmp(line, name, n) != 0 || line[n] != ' ')
            continue;
        unsigned long values[8], total = 1;
        int k = 0;
        char *rest = strchr(line + n + 1, ' ');
        while (rest && *rest && k < 8)
            values[k++] = strtoul(rest, &rest, 10);
        for (int i = 0; i + 1 < k; i++)
            total *= values[i];
        *count = total;
        return g->bin + values[k - 1];
    }
    *count = 0;
    fail_msg("no array %s", name);
    return NULL;
}

static inline void golden_close(golden *g)
{
    free(g->bin);
}

#endif
