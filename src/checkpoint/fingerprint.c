/* A short name for a checkpoint's contents, the same however its tensors are laid out in files. */
#include <string.h>
#include <xxhash.h>

#include "checkpoint/checkpoint.h"
#include "core/mem.h"

/* Bytes of a sample, and tensors that are sampled at most: of a model with more (experts) every second, third ... in
 * the order of their names, so that opening takes no longer however many there are. */
enum { SAMPLE = 4096, MAX_SAMPLED = 1024 };

static void hash_u64(XXH3_state_t *state, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    XXH3_128bits_update(state, bytes, sizeof bytes);
}

/* With its 0 byte, so that neighbours cannot run together. */
static void hash_string(XXH3_state_t *state, const char *s)
{
    XXH3_128bits_update(state, s, strlen(s) + 1);
}

static void hash_description(XXH3_state_t *state, const sg_tensor *t)
{
    hash_string(state, t->name);
    hash_string(state, t->type->name);
    hash_u64(state, (uint64_t)t->n_dims);
    for (int i = 0; i < t->n_dims; i++)
        hash_u64(state, t->shape[i]);
}

static void hash_sample(XXH3_state_t *state, const sg_tensor *t, const uint8_t *data)
{
    if (t->bytes <= 3 * SAMPLE) {
        if (t->bytes)
            XXH3_128bits_update(state, data, (size_t)t->bytes);
        return;
    }
    XXH3_128bits_update(state, data, SAMPLE);
    XXH3_128bits_update(state, data + t->bytes / 2 - SAMPLE / 2, SAMPLE);
    XXH3_128bits_update(state, data + t->bytes - SAMPLE, SAMPLE);
}

int sg_checkpoint_fingerprint(const sg_checkpoint *ckpt, char out[33], sg_error *err)
{
    XXH3_state_t *state = sg_test_fault("alloc") ? NULL : XXH3_createState();
    if (!state)
        return sg_fail(err, SG_ERR_NOMEM, "%s: no memory for the fingerprint", ckpt->path);
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < ckpt->n_files; i++)
        sg_map_scattered(&ckpt->files[i], true);
    size_t step = ckpt->n_tensors / MAX_SAMPLED + 1;
    for (size_t i = 0; i < ckpt->n_tensors; i++) {
        const sg_tensor *t = &ckpt->tensors[ckpt->by_name[i]];
        hash_description(state, t);
        if (i % step == 0)
            hash_sample(state, t, sg_tensor_data(ckpt, t));
    }
    for (size_t i = 0; i < ckpt->n_files; i++)
        sg_map_scattered(&ckpt->files[i], false);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    for (int i = 0; i < 16; i++) {
        static const char hex[] = "0123456789abcdef";
        out[2 * i] = hex[canonical.digest[i] >> 4];
        out[2 * i + 1] = hex[canonical.digest[i] & 15];
    }
    out[32] = 0;
    return SG_OK;
}
