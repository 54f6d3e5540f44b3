/* The command line's options: one table for parsing and for the help texts. */
#ifndef SG_CLI_OPTIONS_H
#define SG_CLI_OPTIONS_H

#include <stdio.h>

#include "shortgpt.h"

enum command { CMD_INSPECT = 1, CMD_SCORE = 2, CMD_PRUNE = 4, CMD_EVAL = 8, CMD_TOKENIZE = 16 };

/* What a command was given. Strings are argv's own. */
typedef struct options {
    const char **models; /* positional arguments */
    size_t n_models;
    const char **texts;  /* --text, in order */
    size_t n_texts;
    int64_t tokens, window, threads, remove;
    uint64_t memory;
    int bos, precision;  /* sg_bos, sg_precision */
    const char *json, *out, *layers, *ratio, *plan, *without, *method;
    bool dry_run, overwrite, ids, help;
    uint64_t given;      /* bit i: row i of the table was there */
} options;

/* Parses what follows the command's name. Returns SG_OK or SG_ERR_USAGE with a sentence in err. options_free in any case. */
int options_parse(options *o, enum command command, const char *command_name, int argc, char **argv, sg_error *err);
void options_free(options *o);
bool options_given(const options *o, const char *name); /* without the dashes */

/* The rows that the command takes, two columns. */
void options_help(FILE *to, enum command command);

/* The one of n words that is nearest to what was typed, or NULL when none is near. */
const char *nearest_word(const char *typed, const char *const *words, size_t n);

/* err filled with SG_ERR_USAGE. */
int usage_error(sg_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
