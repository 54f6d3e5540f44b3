/* shortgpt generate: a text that goes on. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "signals.h"

typedef struct printed {
    progress *progress;
    const char *prompt; /* not printed yet; NULL: it is, or is not wanted */
    bool terminal;      /* stdout is one */
} printed;

/* A terminal obeys control characters, C1's among them, which UTF-8 writes as c2 80 to c2 9f: it gets '?' instead. A
 * pipe gets the bytes. */
static void print_text(const printed *p, const char *text, size_t bytes)
{
    if (!p->terminal) {
        fwrite(text, 1, bytes, stdout);
        return;
    }
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < bytes ? (unsigned char)text[i + 1] : 0;
        bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0;
        putchar(c1 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t') ? '?' : c);
        i += c1;
    }
}

/* Text as it comes, to stdout, the prompt in front. */
static int print_piece(const char *text, size_t bytes, void *user)
{
    printed *p = user;
    progress_clear(p->progress);
    if (p->prompt)
        print_text(p, p->prompt, strlen(p->prompt));
    p->prompt = NULL;
    print_text(p, text, bytes);
    return ferror(stdout) || fflush(stdout) || signals_caught();
}

static int check(const options *o, sg_error *err)
{
    int rc = require_one_model(o, err);
    if (!rc && !o->prompt)
        rc = usage_error(err, "--prompt is missing: the text to continue");
    if (!rc && o->plan && o->without)
        rc = usage_error(err, "--plan and --without say the same thing: give one of them");
    return rc;
}

static int generate(const options *o, sg_model *model, const sink *s, sg_generate_opts *opts, progress *p,
                    sg_generation **out, int **removed, size_t *n_removed, sg_error *err)
{
    sg_text prompt = {.source = "--prompt", .data = o->prompt, .bytes = strlen(o->prompt)};
    printed printing = {.progress = p, .prompt = o->quiet ? NULL : o->prompt, .terminal = isatty(STDOUT_FILENO)};
    int rc = removed_layers(o, model, removed, n_removed, err);
    if (s->table) {
        opts->piece = print_piece;
        opts->user = &printing;
    }
    if (!rc)
        rc = sg_generate_run(out, model, &prompt, *removed, *n_removed, opts, err);
    progress_clear(p);
    if (!rc && s->table && print_piece("", 0, &printing)) /* where there was no text */
        rc = sink_print("", err);
    return rc || !s->table ? rc : sink_print(o->quiet ? "\n" : "\n\n", err);
}

int cmd_generate(const options *o, sg_error *err)
{
    sg_model *model = NULL;
    sg_generation *g = NULL;
    char *json = NULL, *table = NULL;
    int *removed = NULL;
    size_t n_removed = 0;
    sg_style style = terminal_style(o);
    sink s = {.fd = -1};
    progress p;
    sg_generate_opts opts;
    int rc = check(o, err);
    if (rc || (rc = generate_options(&opts, o, &p, err)))
        return rc;
    progress_init(&p, style.utf8, o->quiet);
    if ((rc = sg_model_open(&model, o->models[0], err)) || (rc = sink_open(&s, o->json, err)))
        goto out;
    signals_install();
    if ((rc = generate(o, model, &s, &opts, &p, &g, &removed, &n_removed, err)))
        goto out;
    if ((s.json && (rc = sg_generation_json(model, removed, n_removed, &opts, g, &json, err))) ||
        (s.table && !o->quiet && (rc = sg_generation_table(model, removed, n_removed, g, &style, &table, err))))
        goto out;
    rc = sink_finish(&s, table ? table : "", json, err);
out:
    sg_string_free(json);
    sg_string_free(table);
    sg_layers_free(removed);
    sg_generation_free(g);
    sink_close(&s);
    sg_model_free(model);
    return rc;
}
