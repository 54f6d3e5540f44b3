/* What the commands have in common. */
#include "command.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int require_one_model(const options *o, sg_error *err)
{
    if (!o->n_models)
        return usage_error(err, "MODEL is missing: a Hugging Face directory or a .gguf file");
    if (o->n_models > 1)
        return usage_error(err, "one MODEL is expected, but there is a second argument: %s", o->models[1]);
    return SG_OK;
}

int texts_read(texts *t, const options *o, sg_error *err)
{
    *t = (texts){0};
    if (!o->n_texts)
        return SG_OK;
    size_t n_stdin = 0;
    for (size_t i = 0; i < o->n_texts; i++)
        n_stdin += !strcmp(o->texts[i], "-");
    if (n_stdin > 1)
        return usage_error(err, "--text - is given twice, but stdin can be read once");
    t->list = calloc(o->n_texts, sizeof *t->list);
    if (!t->list) {
        snprintf(err->message, sizeof err->message, "no memory for %zu texts", o->n_texts);
        return err->code = SG_ERR_NOMEM;
    }
    for (; t->n < o->n_texts; t->n++) {
        int rc = sg_text_read(&t->list[t->n], o->texts[t->n], err);
        if (rc)
            return rc;
    }
    return SG_OK;
}

void texts_free(texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        sg_text_free(&t->list[i]);
    free(t->list);
    *t = (texts){0};
}

sg_run_opts run_options(const options *o, const texts *t, progress *p)
{
    return (sg_run_opts){
        .texts = t->list,
        .n_texts = t->n,
        .tokens = o->tokens,
        .window = (int)o->window,
        .bos = (sg_bos)o->bos,
        .precision = (sg_precision)o->precision,
        .memory = o->memory,
        .threads = (int)o->threads,
        .progress = progress_callback(p),
    };
}

sg_style terminal_style(void)
{
    struct winsize size;
    int columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    return (sg_style){.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"), .width = columns > 120 ? 120 : columns};
}

void print_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("shortgpt: note: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}
