/* What the commands have in common. */
#include "command.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "environment.h"
#include "values.h"

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

int plan_read(sg_plan **plan, const options *o, const sg_model *model, sg_error *err)
{
    bool same = true;
    int rc = sg_plan_read(plan, o->plan, model, &same, err);
    if (!rc && !same)
        print_note(o, "%s was made on other weights of the same shape, or on another format of this model", o->plan);
    return rc;
}

int removed_layers(const options *o, const sg_model *model, int **list, size_t *n, sg_error *err)
{
    sg_plan *plan = NULL;
    *list = NULL;
    *n = 0;
    if (o->without)
        return sg_layers_parse(o->without, sg_model_get_info(model)->layers, list, n, err);
    int rc = o->plan ? plan_read(&plan, o, model, err) : SG_OK;
    if (!rc && plan && plan->n_remove) {
        char *text = sg_layers_format(plan->remove, plan->n_remove); /* the one way to a list that we own */
        if (text) {
            rc = sg_layers_parse(text, plan->layers, list, n, err);
        } else {
            snprintf(err->message, sizeof err->message, "no memory for the list of layers");
            rc = err->code = SG_ERR_NOMEM;
        }
        sg_string_free(text);
    }
    sg_plan_free(plan);
    return rc;
}

int generate_options(sg_generate_opts *out, const options *o, progress *p, sg_error *err)
{
    *out = (sg_generate_opts){
        .tokens = (int)o->tokens,
        .seed = o->seed ? (uint64_t)o->seed : 1,
        .bos = (sg_bos)o->bos,
        .precision = (sg_precision)o->precision,
        .memory = o->memory,
        .threads = (int)o->threads,
        .progress = progress_callback(p),
    };
    if (o->temperature && (!parse_decimal(o->temperature, &out->temperature) || out->temperature > 100))
        return usage_error(err, "--temperature %s: expected a number from 0 to 100, such as 0.8", o->temperature);
    return SG_OK;
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

static int ways_to_say(const options *o)
{
    return (o->remove != 0) + (o->ratio != NULL) + (o->max_ppl_increase != NULL) + (o->target_bytes != 0) +
           (o->target_speedup != NULL);
}

bool chooses(const options *o)
{
    return ways_to_say(o) > 0;
}

int require_how_far(const options *o, sg_error *err)
{
    static const char list[] = "--remove N, --ratio P%, --max-ppl-increase P%, --target-size SIZE, --target-speedup X";
    int ways = ways_to_say(o);
    if (ways != 1)
        return usage_error(err, ways ? "give only one of %s" : "how far? give one of %s", list);
    if (o->until_stable && !o->remove && !o->ratio)
        return usage_error(err, "--until-stable goes with --remove or --ratio");
    if (o->granularity) {
        snprintf(err->message, sizeof err->message,
                 "--granularity half is for score and compare: no format keeps a layer without one of its halves");
        return err->code = SG_ERR_REFUSED;
    }
    return SG_OK;
}

/* "20%" as 0.2, "1.25" as itself: the number in front of `unit` */
static int read_number(const char *name, const char *value, const char *unit, double least, double *out, sg_error *err)
{
    size_t digits = strspn(value, "0123456789"), end = digits;
    if (value[end] == '.')
        end += 1 + strspn(value + end + 1, "0123456789");
    *out = digits && digits < 10 ? strtod(value, NULL) : -1; /* the program's numbers are the C locale's */
    if (!digits || strcmp(value + end, unit) || !(*out > least))
        return usage_error(err, "--%s %s: expected a number above %g%s", name, value, least, unit);
    return SG_OK;
}

static int how_far(sg_choose_opts *out, const options *o, int layers, sg_error *err)
{
    int rc = SG_OK;
    if (o->ratio)
        return sg_ratio_parse(o->ratio, layers, &out->remove, err);
    if (o->max_ppl_increase) {
        rc = read_number("max-ppl-increase", o->max_ppl_increase, "%", 0, &out->max_ppl_increase, err);
        out->max_ppl_increase /= 100;
    }
    if (o->target_speedup)
        rc = read_number("target-speedup", o->target_speedup, "", 1, &out->target_speedup, err);
    if (o->remove >= layers) {
        snprintf(err->message, sizeof err->message, "--remove %lld of %d layers leaves none: at least one has to stay",
                 (long long)o->remove, layers);
        return err->code = SG_ERR_REFUSED;
    }
    out->remove = (int)o->remove;
    out->target_bytes = o->target_bytes;
    return rc;
}

int choose_options(sg_choose_opts *out, const options *o, int layers, const texts *t, progress *p, sg_error *err)
{
    *out = (sg_choose_opts){
        .method = (sg_method)o->method,
        .halves = o->granularity == 1,
        .seed = o->seed ? (uint64_t)o->seed : 1,
        .candidates = (int)o->candidates,
        .trial_tokens = o->trial_tokens,
        .until_stable = o->until_stable,
        .run = run_options(o, t, p),
    };
    return how_far(out, o, layers, err);
}

int allow_removable(sg_choose_opts *out, sg_removable **removable, const sg_model *model, const options *o,
                    sg_error *err)
{
    int rc = out->halves ? SG_OK : sg_removable_find(removable, model, o->unknown_family, err);
    if (!rc && *removable) {
        out->allowed = (*removable)->allowed;
        out->why = (*removable)->why;
    }
    return rc;
}

sg_style terminal_style(const options *o)
{
    struct winsize size;
    int columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    return (sg_style){.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
                      .width = columns > 120 ? 120 : columns,
                      .color = color_wanted(o->color, STDOUT_FILENO)};
}

/* "shortgpt: ", coloured by ANSI's parameter. The words behind it say the same. */
static void print_name(const options *o, const char *color)
{
    if (color_wanted(o->color, STDERR_FILENO))
        fprintf(stderr, "\033[%smshortgpt:\033[0m ", color);
    else
        fputs("shortgpt: ", stderr);
}

static void print_remark(const options *o, const char *kind, const char *format, va_list args)
{
    if (o->quiet)
        return;
    print_name(o, "33");
    fprintf(stderr, "%s: ", kind);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void print_note(const options *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_remark(o, "note", format, args);
    va_end(args);
}

void print_warning(const options *o, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_remark(o, "warning", format, args);
    va_end(args);
}

void print_error(const options *o, const char *message)
{
    print_name(o, "1;31");
    fprintf(stderr, "%s\n", message);
}
