/* A set of spellings, read byte by byte. */
#ifndef SG_TOKENIZER_TRIE_H
#define SG_TOKENIZER_TRIE_H

#include "core/error.h"

typedef struct sg_trie_edge {
    uint32_t from; /* node << 8 | byte */
    uint32_t to;   /* node; 0, the root, which no edge leads to: an empty slot */
} sg_trie_edge;

typedef struct sg_trie { /* all zero: empty */
    sg_trie_edge *edges; /* hash with linear probing, at most half full */
    size_t n_slots, n_edges;
    int32_t *ids; /* [n_nodes]: what ends at a node, or -1 */
    size_t n_nodes, room;
} sg_trie;

/* An empty spelling is left out. */
int sg_trie_add(sg_trie *trie, const char *spelling, size_t bytes, int32_t id, sg_error *err);
void sg_trie_dispose(sg_trie *trie);
/* The node that a byte leads to from a node (0: the root, where spellings begin); 0: none. */
uint32_t sg_trie_step(const sg_trie *trie, uint32_t node, char byte);

#endif
