/* The tasks: one row says how a published file becomes prompts, and which numbers come out.
 *
 * A template's names in braces are, in this order: {option}, the option in turn; {A} to {Z}, the options; what the
 * reader has named; a path into the row of the file, {target.span1_text}. {name|strip} is Python's strip(). */
#ifndef SG_TASKS_TABLE_H
#define SG_TASKS_TABLE_H

#include "core/strbuf.h"
#include "tasks/rows.h"

enum { SG_MAX_OPTIONS = 64, SG_MAX_NAMED = 4 };

typedef struct sg_question { /* a row of the file, while it is read */
    json_object *row;
    const char *where;                   /* "FILE: item 3" */
    const char *options[SG_MAX_OPTIONS]; /* as the row has them */
    int n_options;
    const char *const *fixed; /* what stands for them in continuations: letters, words; NULL: they themselves */
    int n_fixed;
    int gold; /* -1: not known yet, or no option is right */
    struct {
        const char *name, *value;
    } named[SG_MAX_NAMED];
    int n_named;
    char *owned[SG_MAX_OPTIONS + SG_MAX_NAMED]; /* strings that were made, not borrowed from the row */
    int n_owned;
} sg_question;

typedef enum sg_rule {
    SG_RULE_SUM,  /* the continuation's log-likelihood behind the context, as lm-evaluation-harness scores */
    SG_RULE_MEAN, /* minus the mean cross-entropy of a whole text, as OpenCompass's PPL mode does: the sum over all
                     tokens but the first, over the number of all */
    SG_RULE_WORD, /* one continuation: right when each of its tokens is the model's first choice */
} sg_rule;

typedef struct sg_task_row {
    const char *name;
    bool folder;        /* of test/ and dev/ with a CSV file per subject, else rows of JSON */
    const char *suffix; /* of the subjects' files in test/ and in dev/: "_test.csv", "_dev.csv" */
    const char *dev_suffix;
    const char *description; /* template in front of all, with {subject} */
    /* the file's rows to rows of one question; NULL: they are */
    int (*arrange)(json_object **rows, const char *where, sg_error *err);
    int (*read)(sg_question *q, sg_error *err); /* what the templates do not say; NULL: nothing */
    const char *context;                        /* template; NULL: empty, for SG_RULE_MEAN */
    const char *continuation;                   /* template */
    const char *options[6];                     /* the same for all items; none: read says them */
    const char *answer;                         /* path of the right option; NULL: read says it */
    const char *labels[4];  /* what the answer is called, an option each, blanks between synonyms; none: its index */
    const char *unlabelled; /* an answer that says that annotators did not agree */
    bool drop_unlabelled;   /* such items are left out; else they count, and nothing is right */
    sg_rule rule;
    bool acc_norm; /* also by log-likelihood per code point of the option */
} sg_task_row;

extern const sg_task_row sg_task_rows[];
extern const size_t sg_n_task_rows;
/* Any other name: rows of {"context", "choices", "answer"}. */
extern const sg_task_row sg_task_generic;
const sg_task_row *sg_task_find(const char *name); /* NULL: none of the table */

/* A CMMLU file's subject as its prompts call it; NULL: no such. */
const char *sg_cmmlu_subject(const char *file);

/* readers.c, readers_rows.c */
int sg_read_arc(sg_question *q, sg_error *err);
int sg_read_boolq(sg_question *q, sg_error *err);
int sg_read_c3(sg_question *q, sg_error *err);
int sg_read_chid(sg_question *q, sg_error *err);
int sg_read_choices(sg_question *q, sg_error *err);
int sg_read_csv(sg_question *q, sg_error *err);
int sg_read_hellaswag(sg_question *q, sg_error *err);
int sg_read_lambada(sg_question *q, sg_error *err);
int sg_read_piqa(sg_question *q, sg_error *err);
int sg_read_race(sg_question *q, sg_error *err);
int sg_read_winogrande(sg_question *q, sg_error *err);
int sg_read_wsc(sg_question *q, sg_error *err);
int sg_read_wsc273(sg_question *q, sg_error *err);
int sg_arrange_c3(json_object **rows, const char *where, sg_error *err);
int sg_arrange_csv(json_object **rows, const char *where, sg_error *err);
int sg_arrange_piqa(json_object **rows, const char *where, sg_error *err);
int sg_arrange_race(json_object **rows, const char *where, sg_error *err);

/* ---- question.c: what readers use ---------------------------------------------------------------------- */

static inline int sg_question_choices(const sg_question *q) /* how many continuations it has */
{
    return q->fixed ? q->n_fixed : q->n_options;
}
int sg_question_string(const sg_question *q, const char *path, const char **out, sg_error *err);
/* The strings of the list at path become the options. */
int sg_question_options(sg_question *q, const char *path, sg_error *err);
int sg_question_option(sg_question *q, const char *option, sg_error *err);
void sg_question_name(sg_question *q, const char *name, const char *value); /* for templates */
/* Takes b's string, empties b, and returns it, for as long as q lives. NULL: no memory, with err filled. */
const char *sg_question_own(sg_question *q, sg_strbuf *b, sg_error *err);
/* gold by the row's answer and labels. *unlabelled: the answer is the row's word for none. */
int sg_question_gold(sg_question *q, const sg_task_row *row, bool *unlabelled, sg_error *err);
/* Appends the template's text; option: which one {option} is. */
int sg_question_expand(const sg_question *q, const char *template, int option, sg_strbuf *b, sg_error *err);
void sg_question_dispose(sg_question *q);

#endif
