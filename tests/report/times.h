/* Reports of the same run differ in how long it took. */
#ifndef SG_TEST_TIMES_H
#define SG_TEST_TIMES_H

#include <stdbool.h>
#include <string.h>

/* Takes the lines with a time out of text. */
static inline void drop_times(char *text)
{
    static const char *const words[] = {"\"seconds\"", "tokens_per_second\"", "tokens/s  ", "  speed ", "\"turns\"", "  computed ", "  took "};
    char *to = text;
    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n") + (strchr(line, '\n') != NULL);
        bool time = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            const char *found = strstr(line, words[i]);
            time |= found && found < line + n;
        }
        if (!time) {
            memmove(to, line, n);
            to += n;
        }
        line += n;
    }
    *to = 0;
}

#endif
