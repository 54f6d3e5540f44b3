/* shortgpt: the command line. Finds the command, prints help and errors, turns codes into exit statuses. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "signals.h"

typedef struct command_row {
    const char *name;
    enum command id;
    int (*run)(const options *o, sg_error *err);
    const char *synopsis, *purpose, *examples;
} command_row;

static const command_row commands[] = {
    {"inspect", CMD_INSPECT, cmd_inspect, "MODEL [options]", "Show what a model is made of",
     "  shortgpt inspect model.gguf\n"
     "  shortgpt inspect ~/models/SmolLM2-135M --json - | jq .model.parameters\n"},
    {"score", CMD_SCORE, cmd_score, "MODEL [options]", "Measure how much influence each layer has",
     "  shortgpt score model.gguf\n"
     "  shortgpt score model.gguf --text my.txt --text more.txt --tokens 65536\n"
     "  shortgpt score ~/models/Llama-3-70B --memory 8G --json scores.json\n"},
    {"prune", CMD_PRUNE, cmd_prune, "MODEL (--remove N | --ratio P% | --layers LIST | --plan FILE) -o OUT [options]",
     "Remove layers and write the smaller model",
     "  shortgpt prune model.gguf --remove 3 -o smaller.gguf\n"
     "  shortgpt prune ~/models/Llama-3-8B --ratio 25% --text my.txt -o ~/models/Llama-3-6B\n"
     "  shortgpt prune model.gguf --layers 3,21-25 -o smaller.gguf --overwrite\n"
     "  shortgpt prune quantized.gguf --remove 3 -o x.gguf --dry-run --json plan.json\n"
     "  shortgpt prune ~/models/original --plan plan.json -o ~/models/smaller\n"},
    {"eval", CMD_EVAL, cmd_eval, "MODEL... [options]", "Measure perplexity, also without some layers",
     "  shortgpt eval model.gguf smaller.gguf\n"
     "  shortgpt eval model.gguf --without 14,17,25 --text wiki.test.raw\n"},
    {"tokenize", CMD_TOKENIZE, cmd_tokenize, "MODEL [options]", "Show a text's tokens",
     "  shortgpt tokenize model.gguf --text my.txt\n"
     "  echo -n 'Hello world' | shortgpt tokenize model.gguf --text - --ids\n"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *to)
{
    fputs("shortgpt finds the layers that a language model can do without, removes them from the\n"
          "checkpoint, and measures what the smaller model lost.\n\n"
          "  shortgpt score model.gguf                              which layers matter least?\n"
          "  shortgpt prune model.gguf --remove 3 -o smaller.gguf   take them out\n"
          "  shortgpt eval model.gguf smaller.gguf                  what did it cost?\n\n"
          "Commands\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].purpose);
    fputs("\nMODEL is a Hugging Face directory (config.json, *.safetensors, tokenizer.json) or a .gguf file.\n"
          "'shortgpt COMMAND --help' explains a command; 'shortgpt --version' tells what this build can do.\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused (no correct result exists).\n", to);
}

static void print_command_help(FILE *to, const command_row *c)
{
    fprintf(to, "%s.\n\n  shortgpt %s %s\n\nExamples\n%s\nOptions\n", c->purpose, c->name, c->synopsis, c->examples);
    options_help(to, c->id);
}

static void print_version(void)
{
    sg_features f = sg_get_features();
    printf("shortgpt %s\n"
           "  compiler   %s\n"
           "  oneDNN     %s, running as %s\n"
           "  precision  auto is %s here\n"
           "  json-c     %s\n"
           "  PCRE2      %s\n",
           f.version, f.compiler, f.onednn, f.isa, f.native_bf16 ? "bf16 (the processor has it)" : "f32 (the processor has no bf16)",
           f.json_c, f.pcre2);
}

/* Asked for, hence to stdout; a full disk is an error here, too. */
static int finish_stdout(void)
{
    sg_error err = {0};
    if (!sink_print("", &err))
        return 0;
    fprintf(stderr, "shortgpt: %s\n", err.message);
    return sg_exit_status(err.code);
}

static const command_row *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_word(name, names, N_COMMANDS);
    sg_error err = {0};
    const char *what = *name == '-' ? "option" : "command";
    if (nearest)
        usage_error(&err, "unknown %s %s; did you mean %s?", what, name, nearest);
    else
        usage_error(&err, "unknown %s %s", what, name);
    fprintf(stderr, "shortgpt: %s\nTry 'shortgpt --help'.\n", err.message);
    return sg_exit_status(err.code);
}

/* OpenMP's threads spin while they wait, and as soon as anything else runs on the machine they keep the processor from the
 * thread that they wait for: beside one busy process, scoring took seven times as long. The runtime reads how to wait from the
 * environment before main, so the program starts itself once more. Where that cannot be, it is only slower. */
static void wait_without_spinning(char **argv)
{
    char self[4096];
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || setenv("OMP_WAIT_POLICY", "passive", 1))
        return;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return;
    self[n] = 0;
    execv(self, argv);
}

static int run(const command_row *c, int argc, char **argv)
{
    options o;
    sg_error err = {0};
    int rc = options_parse(&o, c->id, c->name, argc, argv, &err);
    if (!rc && o.help) {
        print_command_help(stdout, c);
        options_free(&o);
        return finish_stdout();
    }
    if (!rc)
        rc = c->run(&o, &err);
    options_free(&o);
    if (!rc)
        return 0;
    if (rc == SG_ERR_CANCELLED && signals_caught()) {
        fputs("shortgpt: interrupted; nothing was written\n", stderr);
        signals_reraise();
        return 128 + signals_caught(); /* the signal is blocked */
    }
    fprintf(stderr, "shortgpt: %s\n", err.message);
    if (rc == SG_ERR_USAGE)
        fprintf(stderr, "Try 'shortgpt %s --help'.\n", c->name);
    return sg_exit_status((sg_code)rc);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, ""); /* for the terminal's character set; numbers stay as in C */
    if (argc < 2) {
        print_help(stderr);
        return sg_exit_status(SG_ERR_USAGE);
    }
    const char *name = argv[1];
    if (!strcmp(name, "--version") || !strcmp(name, "version")) {
        print_version();
        return finish_stdout();
    }
    bool help = !strcmp(name, "help");
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || (help && argc == 2)) {
        print_help(stdout);
        return finish_stdout();
    }
    const command_row *c = find_command(help ? argv[2] : name);
    if (!c)
        return unknown_command(help ? argv[2] : name);
    if (help) {
        print_command_help(stdout, c);
        return finish_stdout();
    }
    if (c->id & (CMD_SCORE | CMD_PRUNE | CMD_EVAL))
        wait_without_spinning(argv);
    return run(c, argc - 2, argv + 2);
}
