/* Parsing of options, and their help. */
#include "options.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

enum kind {
    KIND_FLAG,
    KIND_STRING,
    KIND_TEXT,   /* may be repeated */
    KIND_COUNT,  /* a whole number from 1 */
    KIND_SIZE,
    KIND_BOS,
    KIND_PRECISION,
    KIND_LATER,  /* of the contract, but not in this version */
};

typedef struct option_row {
    char key;             /* the short form's letter, or 0 */
    const char *name;
    const char *argument; /* NULL: a flag */
    unsigned commands;
    enum kind kind;
    size_t offset;        /* of the field in options */
    const char *help;     /* lines */
} option_row;

#define MEASURING (CMD_SCORE | CMD_PRUNE | CMD_EVAL)
#define EVERY (CMD_INSPECT | CMD_SCORE | CMD_PRUNE | CMD_EVAL | CMD_TOKENIZE)
#define AT(field) offsetof(options, field)

static const option_row rows[] = {
    {'o', "out", "OUT", CMD_PRUNE, KIND_STRING, AT(out), "where to write: a new directory, or a .gguf file, as MODEL is"},
    {0, "remove", "N", CMD_PRUNE, KIND_COUNT, AT(remove), "remove the N layers of lowest influence"},
    {0, "ratio", "P%", CMD_PRUNE, KIND_STRING, AT(ratio), "remove that part of the layers, rounded down, e.g. 25%"},
    {0, "layers", "LIST", CMD_PRUNE, KIND_STRING, AT(layers), "remove these, e.g. 3,21-25 (MODEL's numbers, from 0)"},
    {0, "plan", "FILE", CMD_PRUNE | CMD_EVAL, KIND_STRING, AT(plan), "the layers that a plan file names"},
    {0, "without", "LIST", CMD_EVAL, KIND_STRING, AT(without), "also evaluate without these layers, e.g. 14,17,25;\nnothing is written"},
    {0, "method", "bi", CMD_PRUNE, KIND_STRING, AT(method), "how --remove and --ratio choose: bi, Block Influence"},
    {0, "text", "FILE", MEASURING | CMD_TOKENIZE, KIND_TEXT, 0, "UTF-8 text to run, - for stdin; may be repeated\n(without it: a text that is built in)"},
    {0, "tokens", "N", MEASURING, KIND_COUNT, AT(tokens), "tokens of each text, in whole windows\n(score, prune: 16384; eval: all)"},
    {0, "window", "T", MEASURING, KIND_COUNT, AT(window), "tokens per window (score, prune: 512; eval: 1024)"},
    {0, "bos", "WHEN", MEASURING | CMD_TOKENIZE, KIND_BOS, AT(bos), "a BOS in front: auto (as the tokenizer says), always,\nnever"},
    {0, "precision", "P", MEASURING, KIND_PRECISION, AT(precision), "bf16, f32 or auto (bf16 where the processor has it)"},
    {0, "memory", "SIZE", MEASURING, KIND_SIZE, AT(memory), "memory to work in, e.g. 5G, 512M, 1.5GiB\n(half of what is free)"},
    {0, "threads", "N", MEASURING, KIND_COUNT, AT(threads), "threads (all processors)"},
    {0, "tasks", "NAME=FILE", CMD_EVAL, KIND_LATER, 0, NULL},
    {0, "limit", "N", CMD_EVAL, KIND_LATER, 0, NULL},
    {0, "items", "FILE", CMD_EVAL, KIND_LATER, 0, NULL},
    {0, "dry-run", NULL, CMD_PRUNE, KIND_FLAG, AT(dry_run), "check everything, say what would be done, write nothing;\nwith --json: the plan"},
    {0, "overwrite", NULL, CMD_PRUNE, KIND_FLAG, AT(overwrite), "replace OUT if it is there"},
    {0, "ids", NULL, CMD_TOKENIZE, KIND_FLAG, AT(ids), "the ids alone"},
    {0, "json", "FILE", EVERY, KIND_STRING, AT(json), "the result as JSON into FILE; - is stdout, then\nwithout the table"},
    {'h', "help", NULL, EVERY, KIND_FLAG, AT(help), "this text"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

int usage_error(sg_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    for (char *c = err->message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    err->code = SG_ERR_USAGE;
    return SG_ERR_USAGE;
}

bool options_given(const options *o, const char *name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (!strcmp(rows[i].name, name))
            return o->given >> i & 1;
    return false;
}

/* ---- values ------------------------------------------------------------------------------------------- */

static int set_value(options *o, const option_row *row, const char *value, sg_error *err)
{
    static const char *const bos[] = {"auto", "always", "never"}, *const precision[] = {"auto", "bf16", "f32"};
    void *field = (char *)o + row->offset;
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return SG_OK;
    case KIND_STRING:
        if (!*value)
            return usage_error(err, "--%s has an empty value", row->name);
        *(const char **)field = value;
        return SG_OK;
    case KIND_TEXT:
        if (!*value)
            return usage_error(err, "--text has an empty value");
        o->texts[o->n_texts++] = value;
        return SG_OK;
    case KIND_COUNT:
        if (!parse_count(value, (int64_t *)field))
            return usage_error(err, "--%s %s: expected a whole number from 1 to %d", row->name, value, INT32_MAX);
        return SG_OK;
    case KIND_SIZE:
        if (!parse_size(value, (uint64_t *)field))
            return usage_error(err, "--%s %s: expected a size such as 5G, 512M, 1.5GiB or 4k", row->name, value);
        return SG_OK;
    case KIND_BOS:
        if (!parse_choice(value, bos, 3, (int *)field))
            return usage_error(err, "--bos %s: expected auto, always or never", value);
        return SG_OK;
    case KIND_PRECISION:
        if (!parse_choice(value, precision, 3, (int *)field))
            return usage_error(err, "--precision %s: expected auto, bf16 or f32", value);
        return SG_OK;
    case KIND_LATER:
        break;
    }
    return usage_error(err, "--%s is not available yet: this version evaluates perplexity only", row->name);
}

/* ---- finding ------------------------------------------------------------------------------------------ */

/* Edits (insert, delete, replace) from a to b, for words shorter than 32 bytes; else a large number. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    size_t n = strlen(a), m = strlen(b), row[MOST + 1];
    if (n > MOST || m > MOST)
        return 99;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[m];
}

const char *nearest_word(const char *typed, const char *const *words, size_t n)
{
    size_t best = strlen(typed) / 3 + 2; /* further away is no typing mistake */
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(typed, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

static int unknown_option(const char *arg, enum command command, const char *command_name, sg_error *err)
{
    char typed[64];
    snprintf(typed, sizeof typed, "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
    const char *names[N_ROWS];
    size_t n = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (!strcmp(rows[i].name, typed))
            return usage_error(err, "--%s is not an option of %s", typed, command_name);
        if (rows[i].commands & command && rows[i].kind != KIND_LATER)
            names[n++] = rows[i].name;
    }
    const char *nearest = nearest_word(typed, names, n);
    return nearest ? usage_error(err, "unknown option --%s; did you mean --%s?", typed, nearest)
                   : usage_error(err, "unknown option --%s", typed);
}

/* The row that arg ("--name", "--name=value", "-o", "-oVALUE") spells; *value is behind the = or the letter, or NULL. */
static const option_row *find_row(const char *arg, enum command command, const char **value)
{
    *value = NULL;
    bool is_long = arg[1] == '-';
    size_t n = is_long ? strcspn(arg + 2, "=") : 1;
    for (size_t i = 0; i < N_ROWS; i++) {
        const option_row *row = &rows[i];
        bool same = is_long ? strlen(row->name) == n && !strncmp(arg + 2, row->name, n) : row->key && arg[1] == row->key;
        if (!same || !(row->commands & command))
            continue;
        if (is_long && arg[2 + n] == '=')
            *value = arg + 3 + n;
        else if (!is_long && arg[2])
            *value = arg + 2;
        return row;
    }
    return NULL;
}

/* ---- the walk over argv ------------------------------------------------------------------------------- */

/* Reads the option at argv[*at] and moves *at to its last argument. */
static int parse_option(options *o, enum command command, const char *command_name, int argc, char **argv, int *at, sg_error *err)
{
    const char *arg = argv[*at], *value;
    const option_row *row = find_row(arg, command, &value);
    if (!row)
        return arg[1] == '-' ? unknown_option(arg, command, command_name, err) : usage_error(err, "unknown option %s", arg);
    if (row->kind == KIND_LATER)
        return set_value(o, row, "", err);
    if (!row->argument && value)
        return usage_error(err, "--%s takes no value", row->name);
    if (row->argument && !value) {
        /* "-5" is a value, if a wrong one; "--tokens" is the next option */
        if (*at + 1 >= argc || !strncmp(argv[*at + 1], "--", 2))
            return usage_error(err, "--%s needs a value: --%s %s", row->name, row->name, row->argument);
        value = argv[++*at];
    }
    uint64_t bit = 1ull << (row - rows);
    if (row->argument && row->kind != KIND_TEXT && o->given & bit)
        return usage_error(err, "--%s is given twice", row->name);
    o->given |= bit;
    return set_value(o, row, value, err);
}

int options_parse(options *o, enum command command, const char *command_name, int argc, char **argv, sg_error *err)
{
    *o = (options){0};
    o->models = calloc((size_t)argc + 1, sizeof *o->models);
    o->texts = calloc((size_t)argc + 1, sizeof *o->texts);
    if (!o->models || !o->texts) {
        snprintf(err->message, sizeof err->message, "no memory for the command line");
        return err->code = SG_ERR_NOMEM;
    }
    bool ended = false;
    for (int at = 0; at < argc; at++) {
        const char *arg = argv[at];
        if (ended || arg[0] != '-' || !arg[1]) {
            o->models[o->n_models++] = arg;
        } else if (!strcmp(arg, "--")) {
            ended = true;
        } else {
            int rc = parse_option(o, command, command_name, argc, argv, &at, err);
            if (rc)
                return rc;
            if (o->help)
                return SG_OK;
        }
    }
    return SG_OK;
}

void options_free(options *o)
{
    free(o->models);
    free(o->texts);
    *o = (options){0};
}

/* ---- help --------------------------------------------------------------------------------------------- */

void options_help(FILE *to, enum command command)
{
    enum { COLUMN = 24 };
    for (size_t i = 0; i < N_ROWS; i++) {
        const option_row *row = &rows[i];
        if (!(row->commands & command) || !row->help)
            continue;
        int n = row->key ? fprintf(to, "  -%c, --%s", row->key, row->name) : fprintf(to, "      --%s", row->name);
        if (row->argument)
            n += fprintf(to, " %s", row->argument);
        for (const char *line = row->help; *line; n = 0) {
            int length = (int)strcspn(line, "\n");
            fprintf(to, "%*s%.*s\n", n < COLUMN ? COLUMN - n : 1, "", length, line);
            line += length + (line[length] == '\n');
        }
    }
}
