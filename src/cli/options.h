/* The command line's options: one table for parsing, help texts, manual pages and completion. */
#ifndef SG_CLI_OPTIONS_H
#define SG_CLI_OPTIONS_H

#include "shortgpt.h"

enum command {
    CMD_INSPECT = 1,
    CMD_SCORE = 2,
    CMD_PRUNE = 4,
    CMD_EVAL = 8,
    CMD_TOKENIZE = 16,
    CMD_COMPLETION = 32,
    CMD_MAN = 64,
    CMD_PLAN = 128,
    CMD_COMPARE = 256,
    CMD_GENERATE = 512
};

enum { MAX_OPTION_ROWS = 128 };

/* What a command was given. Strings are argv's own. */
typedef struct options {
    const char *tasks, *items;
    int64_t limit;
    int shots;
    const char **models; /* positional arguments */
    size_t n_models;
    const char **texts; /* --text, in order */
    size_t n_texts;
    int64_t tokens, window, threads, remove, calibration_tokens, calibration_window, trial_tokens, candidates, seed;
    uint64_t memory, target_bytes;
    int bos, precision, color; /* sg_bos, sg_precision, color_choice */
    const char *json, *out, *imatrix, *layers, *ratio, *plan, *without, *methods, *counts, *calibration,
        *max_ppl_increase, *target_speedup, *prompt, *temperature, *report;
    const char *command; /* its name */
    char **arguments;    /* behind it */
    int n_arguments;
    int method, granularity; /* sg_method; 1: halves */
    bool dry_run, overwrite, unknown_family, ids, quiet, help, until_stable, sample, no_speed;
    bool given[MAX_OPTION_ROWS]; /* which rows of the table were there */
} options;

enum kind {
    KIND_FLAG,
    KIND_STRING,
    KIND_TEXT,  /* may be repeated */
    KIND_COUNT, /* a whole number from 1 */
    KIND_SIZE,
    KIND_CHOICE, /* one of the row's words; the field is its place */
};

typedef struct option_row {
    char key;             /* the short form's letter, or 0 */
    const char *name;     /* without the dashes */
    const char *argument; /* NULL: a flag. "FILE" and "OUT" are completed as file names */
    unsigned commands;    /* those that take it; a name may have several rows, none of one command */
    enum kind kind;
    size_t offset;              /* of the field in options */
    const char *help;           /* lines; NULL: not shown */
    const char *const *choices; /* ends with NULL */
} option_row;

/* The table's row i that the command takes and shows, counting from 0; NULL behind the last. */
const option_row *options_row(enum command command, size_t i);

/* Parses what follows the command's name, then takes what the environment sets by default. Returns SG_OK or
 * SG_ERR_USAGE with a sentence in err. options_free in any case. */
int options_parse(options *o, enum command command, const char *command_name, int argc, char **argv, sg_error *err);
void options_free(options *o);
bool options_given(const options *o, const char *name); /* without the dashes */

/* err filled with SG_ERR_USAGE. */
int usage_error(sg_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
