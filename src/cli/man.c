/* Manual pages in roff (man(7) macros), from the two tables. */
#include <string.h>

#include "commands.h"
#include "environment.h"

/* Text with roff's own characters escaped: a backslash, a dash that is to stay one, and a control character at the
 * start. */
static void put_text(FILE *to, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i == 0 && (s[i] == '.' || s[i] == '\''))
            fputs("\\&", to);
        if (s[i] == '\\')
            fputs("\\e", to);
        else if (s[i] == '-')
            fputs("\\-", to);
        else if (s[i] == '\'')
            fputs("\\(aq", to);
        else
            fputc(s[i], to);
    }
}

static void puts_text(FILE *to, const char *s)
{
    put_text(to, s, strlen(s));
}

/* Lines of one paragraph, filled. */
static void put_filled(FILE *to, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "\n");
        put_text(to, s, n);
        fputc('\n', to);
        s += n + (s[n] == '\n');
    }
}

/* A paragraph for each line. */
static void put_paragraphs(FILE *to, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "\n");
        fputs(".PP\n", to);
        put_text(to, s, n);
        fputc('\n', to);
        s += n + (s[n] == '\n');
    }
}

/* Lines as they are. */
static void put_literal(FILE *to, const char *s)
{
    fputs(".PP\n.nf\n", to);
    put_filled(to, s);
    fputs(".fi\n", to);
}

static void put_options(FILE *to, enum command command)
{
    const option_row *row;
    fputs(".SH OPTIONS\n", to);
    for (size_t i = 0; (row = options_row(command, i)); i++) {
        fputs(".TP\n", to);
        if (row->key)
            fprintf(to, "\\fB\\-%c\\fR, ", row->key);
        fputs("\\fB\\-\\-", to);
        puts_text(to, row->name);
        fputs("\\fR", to);
        if (row->argument) {
            fputs(" \\fI", to);
            puts_text(to, row->argument);
            fputs("\\fR", to);
        }
        fputs("\n", to);
        put_filled(to, row->help);
    }
}

static void put_environment(FILE *to)
{
    fputs(".SH ENVIRONMENT\nAn option beats the environment.\n", to);
    for (const environment_row *e = environment_rows; e->name; e++) {
        fprintf(to, ".TP\n.B %s\n", e->name);
        put_filled(to, e->help);
    }
}

static void put_exit_status(FILE *to)
{
    fputs(".SH EXIT STATUS\n", to);
    for (size_t i = 0; i < N_EXIT_ROWS; i++) {
        fprintf(to, ".TP\n.B %d\n", exit_rows[i].status);
        put_filled(to, exit_rows[i].meaning);
    }
}

static void put_files(FILE *to)
{
    fputs(".SH FILES\n.TP\n.I MODEL\n"
          "A Hugging Face directory (config.json, *.safetensors, tokenizer.json), or a .gguf file, also the first of a "
          "split set. "
          "Which of them it is, is found out.\n",
          to);
}

static void put_see_also(FILE *to, const command_row *but)
{
    const command_row *c;
    fprintf(to, ".SH SEE ALSO\n.BR %s (1)", but ? "shortgpt" : "man");
    for (size_t i = 0; (c = commands_row(i)); i++)
        if (c != but)
            fprintf(to, ",\n.BR shortgpt\\-%s (1)", c->name);
    fputs("\n", to);
}

static void put_overview(FILE *to)
{
    const command_row *c;
    fputs(".TH SHORTGPT 1 \"\" \"shortgpt " SG_VERSION "\" \"shortgpt manual\"\n"
          ".SH NAME\nshortgpt \\- find and remove the layers that a language model can do without\n"
          ".SH SYNOPSIS\n.B shortgpt\n.I COMMAND\n[\\fIargument\\fR ...]\n.br\n"
          ".B shortgpt help\n[\\fICOMMAND\\fR]\n.br\n"
          ".B shortgpt \\-\\-version\n[\\fB\\-\\-json\\fR]\n.SH DESCRIPTION\n",
          to);
    put_filled(to, program_purpose);
    fputs(".PP\nThe method is ShortGPT (arXiv 2403.03853). Results go to the standard output, everything else to the "
          "standard error. "
          "Numbers are written alike in every locale.\n.SH COMMANDS\n",
          to);
    for (size_t i = 0; (c = commands_row(i)); i++) {
        fprintf(to, ".TP\n.BR shortgpt\\-%s (1)\n", c->name);
        puts_text(to, c->purpose);
        fputs(".\n", to);
    }
    fputs(".SH EXAMPLES\n", to);
    put_literal(to, program_examples);
}

static void put_command(FILE *to, const command_row *c)
{
    fputs(".TH SHORTGPT\\-", to);
    for (const char *s = c->name; *s; s++)
        fputc(*s - 'a' + 'A', to);
    fputs(" 1 \"\" \"shortgpt " SG_VERSION "\" \"shortgpt manual\"\n.SH NAME\n", to);
    fprintf(to, "shortgpt\\-%s \\- %c%s\n.SH SYNOPSIS\n.B shortgpt %s\n", c->name, c->purpose[0] - 'A' + 'a',
            c->purpose + 1, c->name);
    puts_text(to, c->synopsis);
    fputs("\n.SH DESCRIPTION\n", to);
    put_paragraphs(to, c->description);
    put_options(to, c->id);
    if (c->json) {
        fputs(".SH JSON\nThe object that \\fB\\-\\-json\\fR writes. Keys are added in later versions, never renamed; a "
              "number that is not finite is null.\n",
              to);
        put_literal(to, c->json);
    }
    fputs(".SH EXAMPLES\n", to);
    put_literal(to, c->examples);
}

void man_page(FILE *to, const command_row *c)
{
    if (c)
        put_command(to, c);
    else
        put_overview(to);
    put_exit_status(to);
    put_environment(to);
    put_files(to);
    put_see_also(to, c);
}
