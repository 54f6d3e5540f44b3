/* Parsing of options. */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/nearest.h"
#include "environment.h"
#include "option_table.h"
#include "values.h"

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
    for (size_t i = 0; i < n_option_rows; i++)
        if (!strcmp(option_rows[i].name, name) && o->given[i])
            return true;
    return false;
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* "auto, always or never" */
static void list_words(char *out, size_t size, const char *const *words)
{
    size_t used = 0;
    *out = 0;
    for (size_t i = 0; words[i] && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
}

static int set_choice(const option_row *row, const char *value, int *field, sg_error *err)
{
    char list[256];
    if (parse_choice(value, row->choices, field))
        return SG_OK;
    list_words(list, sizeof list, row->choices);
    return usage_error(err, "--%s %s: expected %s", row->name, value, list);
}

static int set_value(options *o, const option_row *row, const char *value, sg_error *err)
{
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
    case KIND_CHOICE:
        return set_choice(row, value, field, err);
    }
    return SG_OK;
}

/* ---- finding ------------------------------------------------------------------------------------------ */

static int unknown_option(const char *arg, enum command command, const char *command_name, sg_error *err)
{
    char typed[64], hint[160];
    snprintf(typed, sizeof typed, "%.*s", (int)strcspn(arg + 2, "="), arg + 2);
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < n_option_rows; i++)
        if (!strcmp(option_rows[i].name, typed))
            return usage_error(err, "--%s is not an option of %s", typed, command_name);
    for (const option_row *row; (row = options_row(command, n)); n++)
        names[n] = row->name;
    return usage_error(err, "unknown option --%s%s", typed, sg_nearest_hint(hint, "--", typed, names, n));
}

/* The row that arg ("--name", "--name=value", "-o", "-oVALUE") spells; *value is behind the = or the letter, or NULL.
 */
static const option_row *find_row(const char *arg, enum command command, const char **value)
{
    *value = NULL;
    bool is_long = arg[1] == '-';
    size_t n = is_long ? strcspn(arg + 2, "=") : 1;
    for (size_t i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        bool same =
            is_long ? strlen(row->name) == n && !strncmp(arg + 2, row->name, n) : row->key && arg[1] == row->key;
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
static int parse_option(options *o, enum command command, const char *command_name, int argc, char **argv, int *at,
                        sg_error *err)
{
    const char *arg = argv[*at], *value;
    const option_row *row = find_row(arg, command, &value);
    if (!row)
        return arg[1] == '-' ? unknown_option(arg, command, command_name, err)
                             : usage_error(err, "unknown option %s", arg);
    if (!row->argument && value)
        return usage_error(err, "--%s takes no value", row->name);
    if (row->argument && !value) {
        /* "-5" is a value, if a wrong one; "--tokens" is the next option */
        if (*at + 1 >= argc || !strncmp(argv[*at + 1], "--", 2))
            return usage_error(err, "--%s needs a value: --%s %s", row->name, row->name, row->argument);
        value = argv[++*at];
    }
    bool *given = &o->given[row - option_rows];
    if (row->argument && row->kind != KIND_TEXT && *given)
        return usage_error(err, "--%s is given twice", row->name);
    *given = true;
    return set_value(o, row, value, err);
}

int options_parse(options *o, enum command command, const char *command_name, int argc, char **argv, sg_error *err)
{
    *o = (options){.command = command_name, .arguments = argv, .n_arguments = argc};
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
    environment_defaults(o, command);
    return SG_OK;
}

void options_free(options *o)
{
    free(o->models);
    free(o->texts);
    *o = (options){0};
}
