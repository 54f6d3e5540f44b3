/* Help texts, from the two tables. */
#include "commands.h"
#include "environment.h"

#include <string.h>

enum { COLUMN = 24 }; /* where the second column begins */

/* Lines of text into the second column, the first of them behind the n columns that are written. */
static void print_column(FILE *to, int n, const char *text)
{
    for (const char *line = text; *line; n = 0) {
        int length = (int)strcspn(line, "\n");
        fprintf(to, "%*s%.*s\n", n < COLUMN ? COLUMN - n : 1, "", length, line);
        line += length + (line[length] == '\n');
    }
}

static void print_options(FILE *to, enum command command)
{
    const option_row *row;
    for (size_t i = 0; (row = options_row(command, i)); i++) {
        int n = row->key ? fprintf(to, "  -%c, --%s", row->key, row->name) : fprintf(to, "      --%s", row->name);
        if (row->argument)
            n += fprintf(to, " %s", row->argument);
        print_column(to, n, row->help);
    }
}

void help_program(FILE *to)
{
    const command_row *c;
    fprintf(to, "%s\n%s\nCommands\n", program_purpose, program_examples);
    for (size_t i = 0; (c = commands_row(i)); i++)
        fprintf(to, "  %-10s  %s\n", c->name, c->purpose);
    fputs("\nMODEL is a Hugging Face directory (config.json, *.safetensors, tokenizer.json) or a .gguf file.\n"
          "'shortgpt COMMAND --help' explains a command; 'shortgpt --version' tells what this build can do\n"
          "('--version --json' as JSON).\n\n"
          "Environment\n",
          to);
    for (const environment_row *e = environment_rows; e->name; e++)
        print_column(to, fprintf(to, "  %s", e->name), e->help);
    fputs("\nExit status\n", to);
    for (size_t i = 0; i < N_EXIT_ROWS; i++)
        fprintf(to, "  %-4d %s\n", exit_rows[i].status, exit_rows[i].meaning);
}

void help_command(FILE *to, const command_row *c)
{
    fprintf(to, "%s.\n\n  shortgpt %s %s\n\nExamples\n%s\nOptions\n", c->purpose, c->name, c->synopsis, c->examples);
    print_options(to, c->id);
    fputs("\n'shortgpt --help' has the environment and the exit statuses.\n", to);
}
