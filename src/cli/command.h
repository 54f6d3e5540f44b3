/* What the commands have in common. A command returns an sg_code with err filled; main.c prints it and exits. */
#ifndef SG_CLI_COMMAND_H
#define SG_CLI_COMMAND_H

#include "options.h"
#include "progress.h"
#include "sink.h"

int cmd_inspect(const options *o, sg_error *err);
int cmd_score(const options *o, sg_error *err);

int cmd_plan(const options *o, sg_error *err);
int cmd_compare(const options *o, sg_error *err);
int cmd_prune(const options *o, sg_error *err);
int cmd_eval(const options *o, sg_error *err);
int cmd_generate(const options *o, sg_error *err);
int cmd_tokenize(const options *o, sg_error *err);
int cmd_completion(const options *o, sg_error *err);
int cmd_man(const options *o, sg_error *err);

/* Exactly one MODEL, and options that are wrong together, are checked before anything is opened. */
int require_one_model(const options *o, sg_error *err);

/* The --text files; texts_free in any case. */
typedef struct texts {
    sg_text *list;
    size_t n;
} texts;
int texts_read(texts *t, const options *o, sg_error *err);
void texts_free(texts *t);

/* SG_ERR_USAGE: --limit and such without --tasks. */
int require_tasks(const options *o, sg_error *err);
/* --tasks, read; tasks_free in any case. */
typedef struct task_list {
    sg_task **list;
    size_t n;
} task_list;
int tasks_read(task_list *t, const options *o, sg_error *err);
void tasks_free(task_list *t);

/* --plan, with a note when it was made on other weights. */
int plan_read(sg_plan **plan, const options *o, const sg_model *model, sg_error *err);

/* What --without or --plan leaves out; none: NULL, 0. sg_layers_free. */
int removed_layers(const options *o, const sg_model *model, int **list, size_t *n, sg_error *err);

/* SG_ERR_USAGE: --temperature is no number. */
int generate_options(sg_generate_opts *out, const options *o, progress *p, sg_error *err);

/* Is one of --remove, --ratio ... given, that need a choice? */
bool chooses(const options *o);
/* Exactly one of --remove, --ratio ..., and whole layers. */
int require_how_far(const options *o, sg_error *err);
/* What choosing takes: method and how far. SG_ERR_USAGE: a value that is none. layers: the model's. */
int choose_options(sg_choose_opts *out, const options *o, int layers, const texts *t, progress *p, sg_error *err);
/* Lets a choice of whole layers take those alone that prune can remove. *removable, which may be NULL, is for
 * sg_removable_free behind the choice. */
int allow_removable(sg_choose_opts *out, sg_removable **removable, const sg_model *model, const options *o,
                    sg_error *err);
sg_run_opts run_options(const options *o, const texts *t, progress *p);
sg_style terminal_style(const options *o); /* of stdout */

/* --report: page_open finds out before the work whether the page can be written; page_write makes it of the result's
 * JSON; sink_close in any case. */
int page_open(sink *page, const options *o, sg_error *err);
int page_write(sink *page, const options *o, const char *json, sg_error *err);

/* A line on stderr, unless --quiet: "shortgpt: note: ..." */
void print_note(const options *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_warning(const options *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The line of a failure: "shortgpt: ..." */
void print_error(const options *o, const char *message);

/* --quiet's lines, malloc-ed; "" where there is nothing to say. SG_ERR_NOMEM. */
int quiet_number(char **out, int number, sg_error *err);
int quiet_line(char **out, const char *line, sg_error *err);
int quiet_layers(char **out, const sg_plan *plan, sg_error *err); /* as --layers takes them */
int quiet_order(char **out, const sg_score *score, sg_error *err);
int quiet_compare(char **out, const sg_compare *compare, sg_error *err);
int quiet_eval(char **out, const sg_eval *eval, sg_error *err);

#endif
