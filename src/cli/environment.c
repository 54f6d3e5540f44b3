/* The environment. */
#include "environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "values.h"

const environment_row environment_rows[] = {
    {"SHORTGPT_THREADS", "the default of --threads; a value that is no whole number\nfrom 1 is ignored with a warning"},
    {"NO_COLOR", "not empty: no colour"},
    {"FORCE_COLOR", "not empty: colour also where there is no terminal"},
    {"CLICOLOR_FORCE", "not empty and not 0: the same"},
    {"TERM", "\"dumb\": no colour"},
    {NULL, NULL},
};

static bool takes_threads(enum command command)
{
    for (size_t i = 0; options_row(command, i); i++)
        if (!strcmp(options_row(command, i)->name, "threads"))
            return true;
    return false;
}

void environment_defaults(options *o, enum command command)
{
    const char *threads = getenv("SHORTGPT_THREADS");
    if (!threads || !*threads || o->threads || !takes_threads(command))
        return;
    if (!parse_count(threads, &o->threads))
        print_warning(o, "SHORTGPT_THREADS is %s, expected a whole number from 1: ignored", threads);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool color_wanted(int choice, int fd)
{
    if (choice != COLOR_AUTO)
        return choice == COLOR_ALWAYS;
    if (is_set("NO_COLOR"))
        return false;
    if (is_set("FORCE_COLOR") || (is_set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0")))
        return true;
    return isatty(fd) && is_set("TERM") && strcmp(getenv("TERM"), "dumb");
}
