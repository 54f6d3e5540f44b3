/* The commands: one table for finding them, help texts, manual pages and completion. */
#ifndef SG_CLI_COMMANDS_H
#define SG_CLI_COMMANDS_H

#include <stdio.h>

#include "options.h"

typedef struct command_row {
    const char *name;
    enum command id;
    int (*run)(const options *o, sg_error *err);
    const char *synopsis;    /* behind the name */
    const char *purpose;     /* a line */
    const char *description; /* paragraphs; each line of the text is one */
    const char *json;        /* the keys of --json's object, lines; NULL: it has none */
    const char *examples;    /* lines */
    const char *const
        *operands; /* the words that an operand can be, ends with NULL; NULL: a MODEL, for man a command */
} command_row;

const command_row *commands_row(size_t i);          /* NULL behind the last */
const command_row *commands_find(const char *name); /* NULL: no such */
/* SG_ERR_USAGE with the nearest names. */
int commands_unknown(const char *name, sg_error *err);

extern const char program_purpose[];  /* a sentence of lines */
extern const char program_examples[]; /* lines */
typedef struct exit_row {
    int status;
    const char *meaning;
} exit_row;
extern const exit_row exit_rows[]; /* four, and 130 */
enum { N_EXIT_ROWS = 5 };

/* help.c */
void help_program(FILE *to);
void help_command(FILE *to, const command_row *c);
/* man.c: a page in roff; c NULL: the overview */
void man_page(FILE *to, const command_row *c);
/* completion.c; shell: "bash", "zsh", "fish" */
void completion_script(FILE *to, const char *shell);

#endif
