/* Walking the rule tables, and what both formats refuse. The tables: rules_hf.c, rules_gguf.c. */
#include "surgery/rule.h"

#include <string.h>

#include "core/mem.h"

static const sg_rule_table *table_of(const sg_cut *cut)
{
    return cut->model->ckpt->format == SG_FORMAT_HF ? &sg_rules_hf : &sg_rules_gguf;
}

bool sg_word_listed(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = n ? words : NULL; at && (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

const sg_rule *sg_rule_next(const sg_cut *cut, const sg_rule *last)
{
    const sg_rule_table *table = table_of(cut);
    for (const sg_rule *r = last ? last + 1 : table->rows; r < table->rows + table->n; r++)
        if (!r->families || sg_word_listed(r->families, cut->word) || (r->op == SG_RULE_COUNT && !sg_rules_know(cut)))
            return r;
    return NULL;
}

int sg_cut_removed_below(const sg_cut *cut, int64_t n)
{
    int below = 0;
    for (size_t i = 0; i < cut->plan->n_remove; i++)
        below += cut->plan->remove[i] < n;
    return below;
}

bool sg_rules_know(const sg_cut *cut)
{
    return sg_word_listed(table_of(cut)->known, cut->word);
}

static const char *family_of(const sg_cut *cut)
{
    return *cut->word ? cut->word : cut->model->info.architecture ? cut->model->info.architecture : "without a name";
}

static int check_unknown(const sg_cut *cut, sg_error *err)
{
    const sg_model *model = cut->model;
    const sg_rule_table *table = table_of(cut);
    sg_strbuf keys = {0};
    if (!table->suspect)
        return sg_fail(err, SG_ERR_REFUSED, "%s: what surgery means for family %s in %s is not known here",
                       model->info.path, family_of(cut), model->info.format_name);
    int rc = cut->unknown_ok ? SG_OK : table->suspect(cut, &keys, err);
    if (rc == SG_OK && keys.failed)
        rc = sg_fail(err, SG_ERR_NOMEM, "no memory for a list of keys");
    if (rc == SG_OK && keys.n)
        rc = sg_fail(err, SG_ERR_REFUSED,
                     "%s: what surgery means for family %s is not known here, and %s could hang on a layer's number; "
                     "--unknown-family prunes all the same",
                     model->config_path, family_of(cut), keys.data);
    sg_strbuf_free(&keys);
    return rc;
}

int sg_rules_assumed(const sg_cut *cut, char **out, sg_error *err)
{
    sg_strbuf keys = {0};
    const sg_rule_table *table = table_of(cut);
    *out = NULL;
    if (sg_rules_know(cut) || !table->suspect)
        return SG_OK;
    int rc = table->suspect(cut, &keys, err);
    if (rc == SG_OK && !keys.failed)
        *out = sg_asprintf("family %s is not known here: taken for granted that nothing but the number of layers%s%s "
                           "hangs on a layer's number",
                           family_of(cut), keys.n ? ", not even " : "", keys.n ? keys.data : "");
    sg_strbuf_free(&keys);
    return rc < 0 || *out ? rc : sg_fail(err, SG_ERR_NOMEM, "no memory for what is assumed");
}

static sg_hold hold_of(sg_operation op)
{
    return op == SG_RULE_KEEP_LAST                            ? SG_HOLD_EDGE
           : op == SG_RULE_TAIL || op == SG_RULE_TAIL_IF_TRUE ? SG_HOLD_SET
                                                              : SG_HOLD_STAYS;
}

int sg_rules_judge(const sg_cut *cut, sg_refusal *by, sg_error *err)
{
    const sg_rule_table *table = table_of(cut);
    *by = (sg_refusal){NULL, SG_HOLD_STAYS};
    int rc = table->suspect || table->check ? SG_OK : sg_model_runs(cut->model, err);
    if (rc == SG_OK && !sg_rules_know(cut))
        rc = check_unknown(cut, err);
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));)
        if (!sg_rule_edits(r)) {
            *by = (sg_refusal){r, hold_of(r->op)};
            rc = table->refuse(cut, r, err);
        }
    return rc == SG_OK && table->check ? table->check(cut, by, err) : rc;
}

int sg_rules_check(const sg_cut *cut, sg_error *err)
{
    sg_refusal by;
    return sg_rules_judge(cut, &by, err);
}
