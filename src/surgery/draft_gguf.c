/* OUT as one GGUF file: records and tensors in MODEL's order, also of a split set. */
#include "core/mem.h"
#include "surgery/draft.h"
#include "surgery/rules.h"

static void put_lineage(sg_gguf_draft *to, const sg_plan *plan)
{
    sg_gguf_put_string(to, "shortgpt.version", SG_VERSION);
    sg_gguf_put_string(to, "shortgpt.method", plan->method);
    sg_gguf_put_string(to, "shortgpt.fingerprint", plan->fingerprint);
    sg_gguf_put_u32(to, "shortgpt.layers", (uint32_t)plan->layers);
    sg_gguf_put_u32(to, "shortgpt.hidden", (uint32_t)plan->hidden);
    sg_gguf_put_u32(to, "shortgpt.vocab", (uint32_t)plan->vocab);
    sg_gguf_put_u32s(to, "shortgpt.remove", plan->remove, plan->n_remove);
}

int sg_draft_gguf(sg_draft *draft, const sg_cut *cut, const sg_plan *lineage, sg_error *err)
{
    const sg_gguf *from = &cut->model->ckpt->ggufs[0];
    sg_gguf_draft to = {.version = from->version, .alignment = from->alignment};
    sg_draft_file *file = sg_draft_add(draft, NULL);
    int rc = file ? sg_rules_metadata(cut, from, &to, err) : sg_fail(err, SG_ERR_NOMEM, "no memory for a GGUF header");
    if (rc < 0)
        goto out;
    put_lineage(&to, lineage);
    for (size_t i = 0; i < draft->n_placed; i++)
        draft->placed[i].offset = sg_gguf_put_tensor(&to, draft->placed[i].name, draft->placed[i].from);
    if ((rc = sg_gguf_draft_header(&to, &file->head, err)) < 0)
        goto out;
    for (size_t i = 0; i < draft->n_placed; i++)
        draft->placed[i].offset += file->head.n;
    file->n = draft->n_placed;
    file->bytes = file->head.n + to.data_bytes;
    draft->alignment = from->alignment;
out:
    sg_gguf_draft_dispose(&to);
    return rc;
}
