/* --report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

int page_open(sink *page, const options *o, sg_error *err)
{
    *page = (sink){.fd = -1};
    if (o->report && !strcmp(o->report, "-"))
        return usage_error(err, "--report needs a file: stdout is for the table or for --json -");
    return o->report ? sink_open(page, o->report, err) : SG_OK;
}

/* An argument as a shell reads it back. */
static void put_argument(FILE *to, const char *argument)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:%+@";
    if (*argument && !argument[strspn(argument, plain)]) {
        fprintf(to, " %s", argument);
        return;
    }
    fputs(" '", to);
    for (; *argument; argument++)
        if (*argument == '\'')
            fputs("'\\''", to);
        else
            fputc(*argument, to);
    fputc('\'', to);
}

/* "shortgpt score model.gguf ...", malloc-ed; NULL: no memory */
static char *command_line(const options *o)
{
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return NULL;
    fprintf(to, "shortgpt %s", o->command);
    for (int i = 0; i < o->n_arguments; i++)
        put_argument(to, o->arguments[i]);
    if (!fclose(to))
        return text;
    free(text);
    return NULL;
}

int page_write(sink *page, const options *o, const char *json, sg_error *err)
{
    if (!page->json)
        return SG_OK;
    char *command = command_line(o), *html = NULL;
    int rc = SG_OK;
    if (!command) {
        snprintf(err->message, sizeof err->message, "no memory for the report");
        rc = err->code = SG_ERR_NOMEM;
    }
    if (!rc && !(rc = sg_html_report(json, command, &html, err)))
        rc = sink_write(page, html, err);
    sg_string_free(html);
    free(command);
    return rc;
}
