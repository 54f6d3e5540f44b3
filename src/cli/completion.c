/* Completion scripts, from the two tables: commands, options, the words that an option or a command takes, and file
 * names. */
#include <string.h>

#include "commands.h"

static bool is_file(const option_row *row)
{
    return row->argument && (!strcmp(row->argument, "FILE") || !strcmp(row->argument, "OUT"));
}

static void put_words(FILE *to, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        fprintf(to, "%s%s", i ? " " : "", words[i]);
}

static void put_command_names(FILE *to)
{
    for (size_t i = 0; commands_row(i); i++)
        fprintf(to, "%s%s", i ? " " : "", commands_row(i)->name);
}

/* The words that stand for c's operand; nothing where it is a MODEL. */
static void put_operands(FILE *to, const command_row *c)
{
    if (c->operands)
        put_words(to, c->operands);
    else if (c->id == CMD_MAN)
        put_command_names(to);
}

static bool has_model(const command_row *c)
{
    return !c->operands && c->id != CMD_MAN;
}

/* A text inside single quotes; lines are joined, and each character of `escaped` gets a backslash. */
static void put_quoted(FILE *to, const char *s, const char *escaped, const char *quote)
{
    for (; *s; s++) {
        if (*s == '\'')
            fputs(quote, to);
        else if (*s == '\n')
            fputc(' ', to);
        else
            fprintf(to, "%s%c", strchr(escaped, *s) ? "\\" : "", *s);
    }
}

/* ---- bash: -o default completes file names where the function finds no word --------------------------- */

static void bash_options(FILE *to, const command_row *c)
{
    const option_row *row;
    for (size_t i = 0; (row = options_row(c->id, i)); i++) {
        if (row->key)
            fprintf(to, " -%c", row->key);
        fprintf(to, " --%s", row->name);
    }
}

static void bash_values(FILE *to, const command_row *c)
{
    const option_row *row;
    for (size_t i = 0; (row = options_row(c->id, i)); i++) {
        if (!row->argument)
            continue;
        fprintf(to, "    %s:--%s", c->name, row->name);
        if (row->key)
            fprintf(to, "|%s:-%c", c->name, row->key);
        fputs(") ", to);
        if (row->choices) {
            fputs("words='", to);
            put_words(to, row->choices);
            fputs("' ;;\n", to);
        } else {
            fputs("return ;;\n", to);
        }
    }
}

static void bash_script(FILE *to)
{
    const command_row *c;
    fputs("# bash completion of shortgpt: source it, or put it into bash-completion's folder as \"shortgpt\".\n"
          "_shortgpt() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words=''\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W '",
          to);
    put_command_names(to);
    fputs(" help --help --version' -- \"$cur\"))\n"
          "        return\n"
          "    fi\n"
          "    case $command:$prev in\n",
          to);
    for (size_t i = 0; (c = commands_row(i)); i++)
        bash_values(to, c);
    fputs("    *) case $command in\n", to);
    for (size_t i = 0; (c = commands_row(i)); i++) {
        fprintf(to, "       %s) words='", c->name);
        put_operands(to, c);
        fputs("'; [[ $cur == -* ]] && words='", to);
        bash_options(to, c);
        fputs("' ;;\n", to);
    }
    fputs("       help) words='", to);
    put_command_names(to);
    fputs("' ;;\n"
          "       esac ;;\n"
          "    esac\n"
          "    [ -z \"$words\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "}\n"
          "complete -o default -F _shortgpt shortgpt\n",
          to);
}

/* ---- zsh ---------------------------------------------------------------------------------------------- */

static void zsh_option(FILE *to, const option_row *row)
{
    const char *repeated = row->kind == KIND_TEXT ? "*" : "";
    for (int is_long = 0; is_long < 2; is_long++) {
        if (!is_long && !row->key)
            continue;
        fputs(" \\\n            '", to);
        if (is_long)
            fprintf(to, "%s--%s%s[", repeated, row->name, row->argument ? "=" : "");
        else
            fprintf(to, "%s-%c%s[", repeated, row->key, row->argument ? "+" : "");
        put_quoted(to, row->help, "[]\\:", "'\\''");
        fputs("]", to);
        if (row->argument) {
            fprintf(to, ":%s:", row->argument);
            if (row->choices) {
                fputs("(", to);
                put_words(to, row->choices);
                fputs(")", to);
            } else if (is_file(row)) {
                fputs("_files", to);
            }
        }
        fputs("'", to);
    }
}

static void zsh_command(FILE *to, const command_row *c)
{
    const option_row *row;
    fprintf(to, "    %s)\n        _arguments -s", c->name);
    for (size_t i = 0; (row = options_row(c->id, i)); i++)
        zsh_option(to, row);
    if (has_model(c)) {
        fputs(" \\\n            '*:MODEL:_files' ;;\n", to);
    } else {
        fputs(" \\\n            '1:word:(", to);
        put_operands(to, c);
        fputs(")' ;;\n", to);
    }
}

static void zsh_script(FILE *to)
{
    const command_row *c;
    fputs(
        "#compdef shortgpt\n"
        "# zsh completion of shortgpt: source it behind compinit, or put it into a folder of $fpath as \"_shortgpt\".\n"
        "_shortgpt() {\n"
        "    local -a commands\n"
        "    commands=(\n",
        to);
    for (size_t i = 0; (c = commands_row(i)); i++) {
        fprintf(to, "        '%s:", c->name);
        put_quoted(to, c->purpose, "\\:", "'\\''");
        fputs("'\n", to);
    }
    fputs("        'help:Explain a command'\n"
          "    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "        _arguments '--help[show help]' '--version[show the version]'\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    case $command in\n",
          to);
    for (size_t i = 0; (c = commands_row(i)); i++)
        zsh_command(to, c);
    fputs("    help) (( CURRENT == 2 )) && _describe command commands ;;\n"
          "    esac\n"
          "}\n"
          "if [ \"${funcstack[1]-}\" = _shortgpt ]; then\n"
          "    _shortgpt \"$@\"\n"
          "else\n"
          "    compdef _shortgpt shortgpt\n"
          "fi\n",
          to);
}

/* ---- fish --------------------------------------------------------------------------------------------- */

static void fish_command(FILE *to, const command_row *c)
{
    const option_row *row;
    for (size_t i = 0; (row = options_row(c->id, i)); i++) {
        fprintf(to, "complete -c shortgpt -n '__fish_seen_subcommand_from %s' -l %s", c->name, row->name);
        if (row->key)
            fprintf(to, " -s %c", row->key);
        if (row->choices) {
            fputs(" -x -a '", to);
            put_words(to, row->choices);
            fputs("'", to);
        } else if (row->argument) {
            fputs(is_file(row) ? " -r -F" : " -x", to);
        }
        fputs(" -d '", to);
        put_quoted(to, row->help, "\\", "\\'");
        fputs("'\n", to);
    }
    if (!has_model(c)) {
        fprintf(to, "complete -c shortgpt -n '__fish_seen_subcommand_from %s' -f -a '", c->name);
        put_operands(to, c);
        fputs("'\n", to);
    }
}

static void fish_script(FILE *to)
{
    const command_row *c;
    fputs("# fish completion of shortgpt: for ~/.config/fish/completions/shortgpt.fish\n", to);
    for (size_t i = 0; (c = commands_row(i)); i++) {
        fprintf(to, "complete -c shortgpt -n __fish_use_subcommand -f -a %s -d '", c->name);
        put_quoted(to, c->purpose, "\\", "\\'");
        fputs("'\n", to);
    }
    fputs("complete -c shortgpt -n __fish_use_subcommand -f -a help -d 'Explain a command'\n"
          "complete -c shortgpt -n __fish_use_subcommand -l help -d 'Show help'\n"
          "complete -c shortgpt -n __fish_use_subcommand -l version -d 'Show the version'\n"
          "complete -c shortgpt -n '__fish_seen_subcommand_from help' -f -a '",
          to);
    put_command_names(to);
    fputs("'\n", to);
    for (size_t i = 0; (c = commands_row(i)); i++)
        fish_command(to, c);
}

void completion_script(FILE *to, const char *shell)
{
    if (!strcmp(shell, "bash"))
        bash_script(to);
    else if (!strcmp(shell, "zsh"))
        zsh_script(to);
    else
        fish_script(to);
}
