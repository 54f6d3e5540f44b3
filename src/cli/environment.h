/* What the environment sets: defaults of options, and whether there is colour. An option always wins. */
#ifndef SG_CLI_ENVIRONMENT_H
#define SG_CLI_ENVIRONMENT_H

#include "options.h"

/* SHORTGPT_THREADS for --threads, where the command takes it and it was not given. A value that is no count is said on
 * stderr and has no effect. */
void environment_defaults(options *o, enum command command);

typedef enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color_choice;
/* Is what goes to fd (1, 2) coloured? auto: not with a non-empty NO_COLOR; with a non-empty FORCE_COLOR, or a
 * CLICOLOR_FORCE that is not "0"; else on a terminal, unless TERM is unset, empty or "dumb". */
bool color_wanted(int choice, int fd);

/* What helps and manual pages say of all this; lines "NAME  text" as in the help of options. */
typedef struct environment_row {
    const char *name, *help;
} environment_row;
extern const environment_row environment_rows[]; /* ends with a NULL name */

#endif
