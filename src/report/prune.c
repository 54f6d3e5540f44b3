/* What pruning did, or would do: the JSON object and the table of `prune`. */
#include <string.h>

#include "core/mem.h"
#include "report/parts.h"

static bool put_side(json_object *obj, const char *key, int layers, uint64_t parameters, uint64_t bytes,
                     uint64_t file_bytes, sg_error *err)
{
    json_object *side = json_object_new_object();
    if (sg_put_json_int(side, "layers", (uint64_t)layers, err) &&
        sg_put_json_int(side, "parameters", parameters, err) && sg_put_json_int(side, "bytes", bytes, err) &&
        sg_put_json_int(side, "file_bytes", file_bytes, err))
        return sg_json_put(obj, key, side, err) == SG_OK;
    json_object_put(side);
    return false;
}

static bool put_left_out(json_object *obj, const sg_prune_result *r, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < r->n_left_out; i++)
        if (sg_json_append(list, sg_report_string(r->left_out[i], strlen(r->left_out[i])), err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "left_out", list, err) == SG_OK;
}

int sg_prune_json(const sg_plan *plan, const sg_prune_result *r, char **out, sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok =
        sg_put_json_string(obj, "schema", "shortgpt/prune/1", err) && sg_put_json_string(obj, "out", r->out, err) &&
        sg_put_json_string(obj, "method", plan->method, err) &&
        sg_put_json_layers(obj, "remove", plan->remove, plan->n_remove, err) &&
        sg_put_json_layers(obj, "keep", plan->keep, plan->n_keep, err) &&
        put_side(obj, "before", r->layers_before, r->parameters_before, r->bytes_before, r->file_bytes_before, err) &&
        put_side(obj, "after", r->layers_after, r->parameters_after, r->bytes_after, r->file_bytes_after, err) &&
        sg_put_json_int(obj, "tensors_removed", r->tensors_removed, err) &&
        sg_put_json_int(obj, "tensors_kept", r->tensors_kept, err) && put_left_out(obj, r, err) &&
        sg_put_json_string(obj, "assumed", r->assumed, err) &&
        (!r->imatrix || sg_put_json_string(obj, "imatrix", r->imatrix, err)) &&
        sg_put_json_bool(obj, "forward_checked", r->forward_checked, err) &&
        sg_put_json_number(obj, "seconds", r->seconds, err);
    return sg_report_json_text(obj, ok, out, err);
}

static void put_row(sg_strbuf *b, const char *label, sg_put_u64 *put, uint64_t before, uint64_t after)
{
    sg_strbuf_puts(b, "  ");
    sg_strbuf_pad(b, label, 20);
    sg_put_padded(b, put, before, -19);
    sg_put_padded(b, put, after, -19);
    sg_put_padded_change(b, (double)before, (double)after, -12);
    sg_strbuf_puts(b, "\n");
}

int sg_prune_table(const sg_plan *plan, const sg_prune_result *r, bool dry_run, const sg_style *style, char **out,
                   sg_error *err)
{
    const sg_ink *ink = sg_ink_of(style);
    sg_strbuf b = {0};
    sg_strbuf_puts(&b, ink->heading);
    sg_strbuf_printf(&b, "%s %zu of %d layers: ", dry_run ? "Would remove" : "Removed", plan->n_remove,
                     r->layers_before);
    sg_put_layers(&b, plan->remove, plan->n_remove);
    sg_strbuf_printf(&b, "%s\n\n  ", ink->end);
    sg_strbuf_pad(&b, "", 20);
    sg_strbuf_pad(&b, "before", -19);
    sg_strbuf_pad(&b, "after", -19);
    sg_strbuf_pad(&b, "change", -12);
    sg_strbuf_puts(&b, "\n");
    put_row(&b, "layers", sg_put_count, (uint64_t)r->layers_before, (uint64_t)r->layers_after);
    put_row(&b, "parameters", sg_put_count, r->parameters_before, r->parameters_after);
    put_row(&b, "tensors", sg_put_count, r->tensors_kept + r->tensors_removed, r->tensors_kept);
    put_row(&b, "tensor data", sg_put_bytes, r->bytes_before, r->bytes_after);
    if (!dry_run)
        put_row(&b, "files on disk", sg_put_bytes, r->file_bytes_before, r->file_bytes_after);
    sg_strbuf_puts(&b, "\n");
    for (size_t i = 0; i < r->n_left_out; i++) {
        sg_put_key(&b, i ? "" : "left out");
        sg_put_clean(&b, r->left_out[i]);
        sg_strbuf_puts(&b, "\n");
    }
    if (r->assumed) {
        sg_put_key(&b, "note");
        sg_put_clean(&b, r->assumed);
        sg_strbuf_puts(&b, "\n");
    }
    sg_put_key(&b, dry_run ? "would write" : "written");
    sg_put_clean(&b, r->out);
    sg_strbuf_puts(&b, "\n");
    if (r->imatrix) {
        sg_put_key(&b, "imatrix");
        sg_put_clean(&b, r->imatrix);
        sg_strbuf_puts(&b, "\n");
    }
    if (dry_run) {
        sg_put_key(&b, "space");
        sg_put_bytes(&b, r->bytes_needed);
        sg_strbuf_puts(&b, " of disk needed; nothing was written\n");
    } else {
        sg_put_key(&b, "checked");
        sg_strbuf_puts(&b, "read back, every kept tensor equal byte for byte\n");
        sg_put_key(&b, "");
        sg_strbuf_puts(&b, r->forward_checked
                               ? "likelihoods equal to the original's without those layers, bit for bit\n"
                               : "likelihoods not compared: this model does not run here\n");
        sg_put_key(&b, "took");
        sg_put_seconds(&b, r->seconds);
        sg_strbuf_puts(&b, "\n");
    }
    return sg_strbuf_finish(&b, out, err);
}
