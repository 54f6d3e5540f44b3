/* Finding tensors by name. */
#include "checkpoint/names.h"

#include <string.h>
#include <xxhash.h>

#include "core/mem.h"

#define TAG_SHIFT 48
#define INDEX ((UINT64_C(1) << TAG_SHIFT) - 1)

/* The slot that has name, or the free one where it belongs. */
static uint64_t *find_slot(const sg_names *names, const sg_tensor *tensors, const char *name, uint64_t hash)
{
    for (size_t i = (size_t)hash & names->mask;; i = (i + 1) & names->mask) {
        uint64_t slot = names->slots[i];
        if (!slot || (slot >> TAG_SHIFT == hash >> TAG_SHIFT && !strcmp(tensors[(slot & INDEX) - 1].name, name)))
            return &names->slots[i];
    }
}

bool sg_names_make(sg_names *names, const sg_tensor *tensors, size_t n, const sg_tensor **twice)
{
    size_t slots = 4;
    while (slots / 2 < n)
        slots *= 2;
    *twice = NULL;
    *names = (sg_names){.slots = sg_alloc_zero(slots, sizeof *names->slots), .mask = slots - 1};
    if (!names->slots)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = XXH3_64bits(tensors[i].name, strlen(tensors[i].name));
        uint64_t *slot = find_slot(names, tensors, tensors[i].name, hash);
        if (!*slot)
            *slot = hash >> TAG_SHIFT << TAG_SHIFT | (i + 1);
        else if (!*twice)
            *twice = &tensors[i];
    }
    return true;
}

void sg_names_dispose(sg_names *names)
{
    sg_free(names->slots);
    *names = (sg_names){0};
}

const sg_tensor *sg_names_find(const sg_names *names, const sg_tensor *tensors, const char *name)
{
    if (!names->slots)
        return NULL;
    uint64_t slot = *find_slot(names, tensors, name, XXH3_64bits(name, strlen(name)));
    return slot ? &tensors[(slot & INDEX) - 1] : NULL;
}
