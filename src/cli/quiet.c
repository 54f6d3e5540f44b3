/* What --quiet prints: the essential value, one a line. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"

/* A stream into *text, for finish. */
static FILE *start(char **text, size_t *bytes)
{
    *text = NULL;
    *bytes = 0;
    return open_memstream(text, bytes);
}

static int finish(FILE *f, char **text, char **out, sg_error *err)
{
    bool failed = !f || ferror(f);
    if (f && fclose(f))
        failed = true;
    if (!failed && *text) {
        *out = *text;
        return SG_OK;
    }
    free(*text);
    snprintf(err->message, sizeof err->message, "no memory for the result");
    return err->code = SG_ERR_NOMEM;
}

int quiet_number(char **out, int number, sg_error *err)
{
    char line[16];
    snprintf(line, sizeof line, "%d", number);
    return quiet_line(out, line, err);
}

int quiet_line(char **out, const char *line, sg_error *err)
{
    char *text;
    size_t bytes;
    FILE *f = start(&text, &bytes);
    if (f)
        fprintf(f, "%s\n", line);
    return finish(f, &text, out, err);
}

int quiet_layers(char **out, const sg_plan *plan, sg_error *err)
{
    char *list = sg_layers_format(plan->remove, plan->n_remove);
    int rc = quiet_line(out, list ? list : "", err);
    if (!rc && !list) {
        snprintf(err->message, sizeof err->message, "no memory for the list of layers");
        rc = err->code = SG_ERR_NOMEM;
    }
    sg_string_free(list);
    return rc;
}

int quiet_order(char **out, const sg_score *score, sg_error *err)
{
    char *text;
    size_t bytes;
    FILE *f = start(&text, &bytes);
    for (int i = 0; f && i < score->n_layers; i++)
        fprintf(f, "%d\n", score->order[i]);
    return finish(f, &text, out, err);
}

static void put_entry(FILE *f, const sg_eval_entry *e)
{
    for (size_t i = 0; i < e->n_perplexity; i++)
        fprintf(f, "%.4f\n", e->perplexity[i].ppl);
    for (size_t i = 0; i < e->n_tasks; i++)
        fprintf(f, "%.4f\n", e->tasks[i].acc.value);
}

/* The process's numbers are those of the C locale (main.c), so the radix is a point. */
int quiet_eval(char **out, const sg_eval *eval, sg_error *err)
{
    char *text;
    size_t bytes;
    FILE *f = start(&text, &bytes);
    for (size_t i = 0; f && i < eval->n_entries; i++)
        put_entry(f, &eval->entries[i]);
    return finish(f, &text, out, err);
}

int quiet_compare(char **out, const sg_compare *compare, sg_error *err)
{
    char *text;
    size_t bytes;
    FILE *f = start(&text, &bytes);
    for (size_t m = 0; f && m < compare->n_methods; m++)
        for (size_t i = 0; i < compare->methods[m].n_points; i++) {
            const sg_compare_point *p = &compare->methods[m].points[i];
            fprintf(f, "%s\t%d", sg_method_name(compare->methods[m].method), p->n);
            for (size_t j = 0; j < p->n_perplexity; j++)
                fprintf(f, "\t%.4f", p->perplexity[j].ppl);
            for (size_t j = 0; j < p->n_tasks; j++)
                fprintf(f, "\t%.4f", p->tasks[j].acc.value);
            fputc('\n', f);
        }
    return finish(f, &text, out, err);
}
