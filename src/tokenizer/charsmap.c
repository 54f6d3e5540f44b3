/* See charsmap.h. */
#include "tokenizer/charsmap.h"

#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int sg_charsmap_read(sg_charsmap *map, const uint8_t *data, size_t bytes, const char *what, sg_error *err)
{
    uint32_t trie = bytes >= 4 ? u32_at(data) : 0;
    if (bytes < 4 || trie % 4 || !trie || trie > bytes - 4)
        return sg_fail(err, SG_ERR_FORMAT, "%s: a trie of %u bytes in a map of %zu", what, trie, bytes);
    const char *replacements = (const char *)data + 4 + trie;
    size_t n = bytes - 4 - trie;
    if (n && (replacements[n - 1] != 0 || !sg_utf8_valid(replacements, n, NULL)))
        return sg_fail(err, SG_ERR_FORMAT, "%s: the replacements are not UTF-8 that ends in NUL", what);
    map->units = sg_alloc(trie / 4, sizeof *map->units);
    map->replacements = sg_alloc(n, 1);
    if (!map->units || !map->replacements) {
        sg_charsmap_dispose(map);
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for %zu bytes", what, bytes);
    }
    map->n_units = trie / 4;
    map->bytes = n;
    for (size_t i = 0; i < map->n_units; i++)
        map->units[i] = u32_at(data + 4 + 4 * i);
    if (n)
        memcpy(map->replacements, replacements, n);
    return SG_OK;
}

void sg_charsmap_dispose(sg_charsmap *map)
{
    sg_free(map->units);
    sg_free(map->replacements);
    *map = (sg_charsmap){0};
}

static size_t children(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

size_t sg_charsmap_find(const sg_charsmap *map, const char *text, size_t bytes, bool longest, const char **out,
                        size_t *out_bytes)
{
    size_t found = 0, at = map->n_units ? children(map->units[0]) : 0;
    for (size_t i = 0; i < bytes && text[i] && (longest || !found); i++) {
        uint8_t c = (uint8_t)text[i];
        at ^= c;
        if (at >= map->n_units || (map->units[at] & (1u << 31 | 0xff)) != c)
            break;
        bool leaf = map->units[at] >> 8 & 1;
        at ^= children(map->units[at]);
        if (!leaf || at >= map->n_units)
            continue;
        size_t value = map->units[at] & ~(1u << 31);
        if (value >= map->bytes)
            continue;
        found = i + 1;
        *out = map->replacements + value;
        *out_bytes = strlen(*out);
    }
    return found;
}
