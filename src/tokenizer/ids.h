/* A growing list of ids. */
#ifndef SG_TOKENIZER_IDS_H
#define SG_TOKENIZER_IDS_H

#include "core/error.h"
#include "core/mem.h"

typedef struct sg_ids {
    int32_t *data;
    size_t n, room;
} sg_ids;

static inline int sg_ids_push(sg_ids *ids, int32_t id, sg_error *err)
{
    if (ids->n == ids->room) {
        size_t room = ids->room ? ids->room * 2 : 256;
        int32_t *data = sg_resize(ids->data, room, sizeof *data);
        if (!data)
            return sg_fail(err, SG_ERR_NOMEM, "no memory for more than %zu tokens", ids->n);
        ids->data = data;
        ids->room = room;
    }
    ids->data[ids->n++] = id;
    return SG_OK;
}

#endif
