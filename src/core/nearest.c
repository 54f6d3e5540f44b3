/* The distance of words: how many letters are inserted, deleted, replaced, or swapped with their neighbour. */
#include "core/nearest.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 48, FAR = LONGEST + 1 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* FAR for words longer than LONGEST. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b),
           row[3][LONGEST + 1]; /* row[i % 3][j]: from a's first i letters to b's first j */
    if (n > LONGEST || m > LONGEST)
        return FAR;
    for (size_t i = 0; i <= n; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        for (size_t j = 0; j <= m; j++) {
            if (!i || !j) {
                now[j] = i + j;
                continue;
            }
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            now[j] = least(last[j - 1] + (x != y), least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

size_t sg_nearest(const char *typed, const char *const *words, size_t n, const char *nearest[2])
{
    size_t limit = strlen(typed) / 3 + 1, best[2] = {FAR, FAR};
    nearest[0] = nearest[1] = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(typed, words[i]);
        if (d > limit || d >= best[1])
            continue;
        size_t place = d < best[0] ? 0 : 1;
        if (place == 0) {
            best[1] = best[0];
            nearest[1] = nearest[0];
        }
        best[place] = d;
        nearest[place] = words[i];
    }
    return (size_t)(nearest[0] != NULL) + (nearest[1] != NULL);
}

const char *sg_nearest_hint(char hint[160], const char *prefix, const char *typed, const char *const *words, size_t n)
{
    const char *near[2];
    hint[0] = 0;
    size_t found = sg_nearest(typed, words, n, near);
    if (found == 1)
        snprintf(hint, 160, "; did you mean %s%s?", prefix, near[0]);
    else if (found == 2)
        snprintf(hint, 160, "; did you mean %s%s or %s%s?", prefix, near[0], prefix, near[1]);
    return hint;
}
