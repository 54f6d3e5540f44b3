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
        if (!r->families || sg_word_listed(r->families, cut->word))
            return r;
    return NULL;
}

bool sg_cut_slides(const sg_cut *cut)
{
    for (int i = 0; i < cut->plan->layers; i++)
        if (cut->model->spec.layers[i].window)
            return true;
    return false;
}

int sg_cut_removed_below(const sg_cut *cut, int64_t n)
{
    int below = 0;
    for (size_t i = 0; i < cut->plan->n_remove; i++)
        below += cut->plan->remove[i] < n;
    return below;
}

int sg_rules_check(const sg_cut *cut, sg_error *err)
{
    const sg_model *model = cut->model;
    const sg_rule_table *table = table_of(cut);
    int rc = table->check ? SG_OK : sg_model_runs(model, err);
    if (rc == SG_OK && !sg_word_listed(table->known, cut->word))
        return sg_fail(err, SG_ERR_REFUSED, "%s: what surgery means for family %s in %s is not known here",
                       model->info.path, *cut->word ? cut->word : model->info.architecture, model->info.format_name);
    for (const sg_rule *r = NULL; rc == SG_OK && (r = sg_rule_next(cut, r));)
        if (!sg_rule_edits(r))
            rc = table->refuse(cut, r, err);
    return rc == SG_OK && table->check ? table->check(cut, err) : rc;
}
