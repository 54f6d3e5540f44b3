/* One hash of (node, byte), so that its size follows the spellings' and not the alphabet's. */
#include "tokenizer/trie.h"

#include "core/mem.h"

#define MAX_NODES (1u << 24) /* node << 8 | byte is 32 bits wide */

static size_t slot_of(const sg_trie *t, uint32_t from)
{
    size_t mask = t->n_slots - 1, slot = (size_t)((from * 0x9e3779b97f4a7c15u) >> 24) & mask;
    while (t->edges[slot].to && t->edges[slot].from != from)
        slot = (slot + 1) & mask;
    return slot;
}

static int no_memory(sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "no memory for the spellings of the vocabulary");
}

static int grow_edges(sg_trie *t, sg_error *err)
{
    sg_trie_edge *old = t->edges;
    size_t n_old = t->n_slots, n_slots = n_old ? n_old * 2 : 1024;
    sg_trie_edge *edges = sg_alloc_zero(n_slots, sizeof *edges);
    if (!edges)
        return no_memory(err);
    t->edges = edges;
    t->n_slots = n_slots;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].to)
            edges[slot_of(t, old[i].from)] = old[i];
    sg_free(old);
    return SG_OK;
}

static int new_node(sg_trie *t, sg_error *err)
{
    if (t->n_nodes == MAX_NODES)
        return sg_fail(err, SG_ERR_REFUSED, "the vocabulary's spellings have more than %u different beginnings",
                       MAX_NODES);
    if (t->n_nodes == t->room) {
        size_t room = t->room ? t->room * 2 : 1024;
        int32_t *ids = sg_resize(t->ids, room, sizeof *ids);
        if (!ids)
            return no_memory(err);
        t->ids = ids;
        t->room = room;
    }
    t->ids[t->n_nodes++] = -1;
    return SG_OK;
}

int sg_trie_add(sg_trie *t, const char *spelling, size_t bytes, int32_t id, sg_error *err)
{
    uint32_t node = 0;
    int rc;
    if (bytes && !t->n_nodes && (rc = new_node(t, err)) < 0)
        return rc;
    for (size_t i = 0; i < bytes; i++) {
        if ((t->n_edges + 1) * 2 > t->n_slots && (rc = grow_edges(t, err)) < 0)
            return rc;
        uint32_t from = node << 8 | (uint8_t)spelling[i];
        sg_trie_edge *edge = &t->edges[slot_of(t, from)];
        if (!edge->to) {
            if ((rc = new_node(t, err)) < 0)
                return rc;
            *edge = (sg_trie_edge){from, (uint32_t)t->n_nodes - 1};
            t->n_edges++;
        }
        node = edge->to;
    }
    if (bytes)
        t->ids[node] = id;
    return SG_OK;
}

void sg_trie_dispose(sg_trie *t)
{
    sg_free(t->edges);
    sg_free(t->ids);
    *t = (sg_trie){0};
}

uint32_t sg_trie_step(const sg_trie *t, uint32_t node, char byte)
{
    return t->n_slots ? t->edges[slot_of(t, node << 8 | (uint8_t)byte)].to : 0;
}
