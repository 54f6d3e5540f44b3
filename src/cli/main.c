/* shortgpt: the command line. Finds the command, prints help and errors, turns codes into exit statuses. */
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "commands.h"
#include "guard.h"
#include "signals.h"

/* What was asked for went to stdout, where a full disk is an error, too. */
static int finish_stdout(void)
{
    sg_error err = {0};
    if (!sink_print("", &err))
        return 0;
    print_error(&(options){0}, err.message);
    return sg_exit_status(err.code);
}

/* ---- --version ---------------------------------------------------------------------------------------- */

static int print_version(void)
{
    sg_features f = sg_get_features();
    printf("shortgpt %s\n"
           "  compiler   %s\n"
           "  oneDNN     %s, running as %s\n"
           "  products   by %s\n"
           "  precision  auto is %s here\n"
           "  json-c     %s\n"
           "  PCRE2      %s\n",
           f.version, f.compiler, f.onednn, f.isa, strcmp(f.kernel, "amx") ? "oneDNN" : "our own kernel for AMX",
           f.native_bf16 ? "bf16 (the processor has it)" : "f32 (the processor has no bf16)", f.json_c, f.pcre2);
    return finish_stdout();
}

static int print_version_json(void)
{
    char *json = NULL;
    sg_error err = {0};
    if (sg_features_json(&json, &err) || sink_print(json, &err))
        print_error(&(options){0}, err.message);
    sg_string_free(json);
    return sg_exit_status(err.code);
}

/* --version [--json [-]] */
static int version(int argc, char **argv)
{
    if (argc == 0)
        return print_version();
    if (!strcmp(argv[0], "--json=-")
            ? argc == 1
            : !strcmp(argv[0], "--json") && (argc == 1 || (argc == 2 && !strcmp(argv[1], "-"))))
        return print_version_json();
    sg_error err = {0};
    usage_error(&err, "--version takes --json and nothing else, but there is %s", argv[argc - 1]);
    print_error(&(options){0}, err.message);
    fputs("Try 'shortgpt --help'.\n", stderr);
    return sg_exit_status(err.code);
}

/* Freed blocks of a layer's size go back to the system at once, else they pile up beside the next ones and --memory is
 * exceeded. */
static void return_large_blocks(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

/* ---- commands ----------------------------------------------------------------------------------------- */

/* OpenMP's threads spin while they wait, and as soon as anything else runs on the machine they keep the processor from
 * the thread that they wait for: beside one busy process, scoring took seven times as long. The runtime reads how to
 * wait from the environment before main, so the program starts itself once more. Where that cannot be, it is only
 * slower. */
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

static int explain(int rc, const options *o, const command_row *c, const sg_error *err)
{
    if (rc == SG_ERR_CANCELLED && signals_caught()) {
        print_error(o, "interrupted; nothing was written");
        signals_reraise();
        return 128 + signals_caught(); /* the signal is blocked */
    }
    print_error(o, err->message);
    if (rc == SG_ERR_USAGE)
        fprintf(stderr, "Try 'shortgpt %s --help'.\n", c->name);
    return sg_exit_status((sg_code)rc);
}

static int run(const command_row *c, int argc, char **argv)
{
    options o;
    sg_error err = {0};
    int status = 0, rc = options_parse(&o, c->id, c->name, argc, argv, &err);
    if (!rc && o.help) {
        help_command(stdout, c);
        status = finish_stdout();
    } else if (rc || (rc = guard_outputs(&o, &err)) || (rc = c->run(&o, &err))) {
        status = explain(rc, &o, c, &err);
    }
    options_free(&o);
    return status;
}

int main(int argc, char **argv)
{
    return_large_blocks();
    setlocale(LC_CTYPE, ""); /* for the terminal's character set; numbers stay as in C */
    if (argc < 2) {
        help_program(stderr);
        return sg_exit_status(SG_ERR_USAGE);
    }
    const char *name = argv[1];
    if (!strcmp(name, "--version") || !strcmp(name, "version"))
        return version(argc - 2, argv + 2);
    bool help = !strcmp(name, "help");
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || (help && argc == 2)) {
        help_program(stdout);
        return finish_stdout();
    }
    const command_row *c = commands_find(help ? argv[2] : name);
    if (!c) {
        sg_error err = {0};
        commands_unknown(help ? argv[2] : name, &err);
        print_error(&(options){0}, err.message);
        fputs("Try 'shortgpt --help'.\n", stderr);
        return sg_exit_status(err.code);
    }
    if (help) {
        help_command(stdout, c);
        return finish_stdout();
    }
    if (c->id & (CMD_SCORE | CMD_PLAN | CMD_PRUNE | CMD_EVAL | CMD_COMPARE))
        wait_without_spinning(argv);
    return run(c, argc - 2, argv + 2);
}
