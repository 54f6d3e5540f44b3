/* Describing a checkpoint of a family that does not run here: what its tensors' names and its configuration tell. */
#ifndef SG_MODEL_DESCRIBE_H
#define SG_MODEL_DESCRIBE_H

#include "model/model.h"

/* The object of a HF configuration that describes the decoder: text_config or the like where there is one, else the
 * whole. Borrowed; NULL for NULL. */
json_object *sg_config_text(json_object *config);

/* Fills m->layer_prefix and m->spec's n_layers, hidden, vocab and max_positions (0 where nothing tells). */
int sg_describe(sg_model *m, const sg_config *config, sg_error *err);

/* A numbered list of tensors beside the layers', and no tower's, that is as long: its first tensor's name, of which
 * *prefix bytes are the list's. NULL: there is none. */
const char *sg_describe_twin(const sg_model *m, size_t *prefix);

/* Fills the kinds of m->layers (static strings; "unknown" where nothing tells), for a model that is only described:
 * from the configuration's lists and, where they say nothing, from the names of the layer's tensors. */
int sg_describe_kinds(sg_model *m, const sg_config *config, sg_error *err);

/* The kind (one of those strings, as the results are) of a layer so far called `kind`, of which a configuration says
 * `word`: "attention, experts" and "sliding_attention" give "sliding attention, experts". NULL: the word
 * is of no mixer. */
const char *sg_kind_said(const char *kind, const char *word);
/* The same kind where the layer takes keys and values from an earlier one. */
const char *sg_kind_shared(const char *kind);

#endif
