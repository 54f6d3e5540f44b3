/* Values of options. */
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool parse_count(const char *s, int64_t *out)
{
    int64_t value = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (!is_digit(*s) || value > INT32_MAX)
            return false;
        value = value * 10 + (*s - '0');
    }
    if (value < 1 || value > INT32_MAX)
        return false;
    *out = value;
    return true;
}

bool parse_size(const char *s, uint64_t *out)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = {
        {"", 1},     {"b", 1},    {"k", 1e3},   {"kb", 1e3},     {"m", 1e6},      {"mb", 1e6},     {"g", 1e9},
        {"gb", 1e9}, {"t", 1e12}, {"tb", 1e12}, {"kib", 0x1p10}, {"mib", 0x1p20}, {"gib", 0x1p30}, {"tib", 0x1p40},
    };
    double value = 0, place = 1;
    if (!is_digit(*s))
        return false;
    for (; is_digit(*s); s++)
        value = value * 10 + (*s - '0');
    if (*s == '.' && is_digit(s[1]))
        for (s++; is_digit(*s); s++)
            value += (*s - '0') * (place /= 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double bytes = value * units[i].factor;
        if (strcasecmp(s, units[i].name))
            continue;
        if (!(bytes >= 1 && bytes < 0x1p63))
            return false;
        *out = (uint64_t)bytes;
        return true;
    }
    return false;
}

/* The process's numbers are those of the C locale (main.c). */
bool parse_decimal(const char *s, double *out)
{
    char *end;
    if (!is_digit(*s) || s[strspn(s, "0123456789.eE+-")])
        return false;
    double value = strtod(s, &end);
    if (*end || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool parse_choice(const char *s, const char *const *words, int *out)
{
    for (size_t i = 0; words[i]; i++)
        if (!strcmp(s, words[i])) {
            *out = (int)i;
            return true;
        }
    return false;
}
