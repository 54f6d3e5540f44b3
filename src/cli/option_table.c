/* The table of options. Lines of a help text are at most 60 columns wide. */
#include <stddef.h>

#include "option_table.h"

#define CHOOSING (CMD_PLAN | CMD_PRUNE)
#define BY_METHOD (CHOOSING | CMD_SCORE | CMD_COMPARE)
#define MEASURING (BY_METHOD | CMD_EVAL)
#define RUNNING (MEASURING | CMD_GENERATE)
#define RESULTS (RUNNING | CMD_INSPECT | CMD_TOKENIZE)
#define EVERY (RESULTS | CMD_COMPLETION | CMD_MAN)
#define AT(field) offsetof(options, field)

static const char *const bos_words[] = {"auto", "always", "never", NULL};   /* as sg_bos */
static const char *const precision_words[] = {"auto", "bf16", "f32", NULL}; /* as sg_precision */
static const char *const shot_words[] = {"0", "1", "2", "3", "4", "5", NULL};
static const char *const color_words[] = {"auto", "always", "never", NULL}; /* as color_choice */
static const char *const granularity_words[] = {"layer", "half", NULL};
static const char *const method_words[] = {"bi",      "relative-magnitude", "reverse", "sequential", "random",
                                           "angular", "angular-all",        "greedy",  "greedy-kl",  "bi-greedy",
                                           NULL}; /* as sg_method */
_Static_assert(sizeof method_words / sizeof *method_words == SG_N_METHODS + 1, "a method has no word");

const option_row option_rows[] = {
    {'o', "out", "OUT", CMD_PRUNE, KIND_STRING, AT(out),
     "where to write: a new directory, or a .gguf file, as MODEL is", NULL},
    {'o', "out", "FILE", CMD_PLAN, KIND_STRING, AT(out), "the plan file to write; - is stdout, then without the table",
     NULL},
    {0, "methods", "LIST", CMD_COMPARE, KIND_STRING, AT(methods),
     "which, e.g. bi,greedy\n(bi,relative-magnitude,reverse,sequential)", NULL},
    {0, "remove", "LIST", CMD_COMPARE, KIND_STRING, AT(counts), "how many layers, e.g. 0..10 or 1,2,4..8 (0..10)",
     NULL},
    {0, "remove", "N", CHOOSING, KIND_COUNT, AT(remove), "remove N layers", NULL},
    {0, "ratio", "P%", CHOOSING, KIND_STRING, AT(ratio), "remove that part of the layers, rounded down, e.g. 25%",
     NULL},
    {0, "max-ppl-increase", "P%", CHOOSING, KIND_STRING, AT(max_ppl_increase),
     "remove as many as leave the calibration text's\nperplexity within P% of what it was", NULL},
    {0, "target-size", "SIZE", CHOOSING, KIND_SIZE, AT(target_bytes),
     "remove as few as bring the tensor data down to this,\ne.g. 5G, 512M, 1.5GiB", NULL},
    {0, "target-speedup", "X", CHOOSING, KIND_STRING, AT(target_speedup),
     "remove as few as make the forward pass X times as fast\nby measured layer times, e.g. 1.25", NULL},
    {0, "layers", "LIST", CMD_PRUNE, KIND_STRING, AT(layers), "remove these, e.g. 3,21-25 (MODEL's numbers, from 0)",
     NULL},
    {0, "prompt", "TEXT", CMD_GENERATE, KIND_STRING, AT(prompt), "the text to continue", NULL},
    {'n', "tokens", "N", CMD_GENERATE, KIND_COUNT, AT(tokens), "new tokens, at most (64)", NULL},
    {0, "temperature", "T", CMD_GENERATE, KIND_STRING, AT(temperature),
     "draw tokens from softmax(logits / T), e.g. 0.8\n(0: the most likely one each time)", NULL},
    {0, "seed", "N", CMD_GENERATE, KIND_COUNT, AT(seed), "of the draws; the same seed draws the same text (1)", NULL},
    {0, "without", "LIST", CMD_GENERATE, KIND_STRING, AT(without), "run without these layers, e.g. 14,17,25", NULL},
    {0, "plan", "FILE", CMD_PRUNE | CMD_EVAL | CMD_GENERATE, KIND_STRING, AT(plan), "the layers that a plan file names",
     NULL},
    {0, "without", "LIST", CMD_EVAL, KIND_STRING, AT(without),
     "also evaluate without these layers, e.g. 14,17,25;\nnothing is written", NULL},
    {0, "method", "M", CHOOSING | CMD_SCORE, KIND_CHOICE, AT(method),
     "bi (Block Influence), relative-magnitude, reverse,\nsequential, random, angular, angular-all, "
     "greedy,\ngreedy-kl, "
     "bi-greedy; 'shortgpt compare --help'\nexplains them",
     method_words},
    {0, "granularity", "G", BY_METHOD, KIND_CHOICE, AT(granularity),
     "layer, or half: mixers and feed-forwards apart, to\nmeasure, since most formats cannot store it",
     granularity_words},
    {0, "until-stable", NULL, CHOOSING, KIND_FLAG, AT(until_stable),
     "read text only until the choice is the same in 95% of\n1,000 bootstrap samples of its windows; --tokens is then\n"
     "the most that is read (all)",
     NULL},
    {0, "trial-tokens", "N", BY_METHOD, KIND_COUNT, AT(trial_tokens),
     "tokens of each text that greedy methods try layers on\n(4096)", NULL},
    {0, "candidates", "K", BY_METHOD, KIND_COUNT, AT(candidates),
     "bi-greedy tries the K of lowest influence (half of all)", NULL},
    {0, "seed", "N", BY_METHOD, KIND_COUNT, AT(seed), "of random, and of the bootstrap (1)", NULL},
    {0, "calibration", "FILE", CMD_COMPARE, KIND_STRING, AT(calibration),
     "UTF-8 text that methods choose by\n(without it: a text that is built in)", NULL},
    {0, "calibration-tokens", "N", CMD_COMPARE, KIND_COUNT, AT(calibration_tokens),
     "tokens of it, in whole windows (16384)", NULL},
    {0, "calibration-window", "T", CMD_COMPARE, KIND_COUNT, AT(calibration_window), "tokens per window of it (512)",
     NULL},
    {0, "text", "FILE", CMD_TOKENIZE, KIND_TEXT, 0, "UTF-8 text, - for stdin\n(without it: a text that is built in)",
     NULL},
    {0, "text", "FILE", CMD_COMPARE, KIND_TEXT, 0,
     "UTF-8 text to evaluate on, - for stdin; may be repeated\n(without it: another text that is built in)", NULL},
    {0, "text", "FILE", MEASURING & ~(unsigned)CMD_COMPARE, KIND_TEXT, 0,
     "UTF-8 text to run, - for stdin; may be repeated\n(without it: a text that is built in)", NULL},
    {0, "tokens", "N", MEASURING, KIND_COUNT, AT(tokens),
     "tokens of each text, in whole windows\n(score, plan, prune: 16384; eval, compare: all)", NULL},
    {0, "window", "T", MEASURING, KIND_COUNT, AT(window),
     "tokens per window\n(score, plan, prune: 512; eval, compare: 1024)", NULL},
    {0, "bos", "WHEN", RUNNING | CMD_TOKENIZE, KIND_CHOICE, AT(bos),
     "a BOS in front: auto (as the tokenizer says), always,\nnever", bos_words},
    {0, "precision", "P", RUNNING, KIND_CHOICE, AT(precision), "bf16, f32 or auto (bf16 where the processor has it)",
     precision_words},
    {0, "memory", "SIZE", RUNNING, KIND_SIZE, AT(memory),
     "memory to stay within, e.g. 5G, 512M, 1.5GiB\n(half of what is free)", NULL},
    {0, "threads", "N", RUNNING, KIND_COUNT, AT(threads),
     "threads, at most 256 (SHORTGPT_THREADS, else all\nprocessors)", NULL},
    {0, "tasks", "NAME=FILE", CMD_EVAL | CMD_COMPARE, KIND_STRING, AT(tasks),
     "tests to score, more behind commas: piqa=valid.jsonl,\nmmlu=FOLDER; 'shortgpt man eval' has the names", NULL},
    {0, "limit", "N", CMD_EVAL | CMD_COMPARE, KIND_COUNT, AT(limit), "the first N items of each task (of each subject)",
     NULL},
    {0, "shots", "N", CMD_EVAL | CMD_COMPARE, KIND_CHOICE, AT(shots),
     "0 to 5 solved examples in front, for mmlu and cmmlu (0)", shot_words},
    {0, "items", "FILE", CMD_EVAL, KIND_STRING, AT(items),
     "write a line of JSON for each item: task, id, lls, gold,\npred", NULL},
    {0, "sample", NULL, CMD_EVAL, KIND_FLAG, AT(sample),
     "also let each model continue three built-in beginnings,\nand show the texts side by side", NULL},
    {0, "no-speed", NULL, CMD_COMPARE, KIND_FLAG, AT(no_speed), "measure no speed and memory", NULL},
    {0, "dry-run", NULL, CMD_PRUNE, KIND_FLAG, AT(dry_run),
     "check everything, say what would be done, write nothing;\nwith --json: the plan", NULL},
    {0, "imatrix", "FILE", CMD_PRUNE, KIND_STRING, AT(imatrix),
     "also write this importance matrix (GGUF or .dat) for the\nlayers that stay, as NAME.imatrix.gguf or .dat beside "
     "OUT",
     NULL},
    {0, "overwrite", NULL, CMD_PRUNE, KIND_FLAG, AT(overwrite), "replace OUT if it is there", NULL},
    {0, "unknown-family", NULL, CMD_PRUNE, KIND_FLAG, AT(unknown_family),
     "prune a family that is not known here, even if something\nin its configuration could hang on a layer's number",
     NULL},
    {0, "ids", NULL, CMD_TOKENIZE, KIND_FLAG, AT(ids), "the ids alone", NULL},
    {0, "json", "FILE", RESULTS, KIND_STRING, AT(json),
     "the result as JSON into FILE; - is stdout, then\nwithout the table", NULL},
    {0, "report", "FILE", CMD_SCORE | CMD_EVAL | CMD_COMPARE, KIND_STRING, AT(report),
     "the result as an HTML page with charts, into FILE", NULL},
    {'q', "quiet", NULL, CMD_INSPECT, KIND_FLAG, AT(quiet), "say nothing but errors, print only the number of layers",
     NULL},
    {'q', "quiet", NULL, CMD_SCORE, KIND_FLAG, AT(quiet),
     "say nothing but errors, print only the layers' numbers,\nlowest influence first, one a line", NULL},
    {'q', "quiet", NULL, CMD_PRUNE, KIND_FLAG, AT(quiet),
     "say nothing but errors, print only OUT; with --dry-run\nonly the layers to remove, as --layers takes them", NULL},
    {'q', "quiet", NULL, CMD_EVAL, KIND_FLAG, AT(quiet),
     "say nothing but errors, print only, one a line, of each\nmodel in turn the perplexity of each text and "
     "the\naccuracy in each task",
     NULL},
    {'q', "quiet", NULL, CMD_GENERATE, KIND_FLAG, AT(quiet), "say nothing but errors, print only the new text", NULL},
    {'q', "quiet", NULL, CMD_PLAN, KIND_FLAG, AT(quiet),
     "say nothing but errors, print only the layers to remove,\nas --layers takes them", NULL},
    {'q', "quiet", NULL, CMD_COMPARE, KIND_FLAG, AT(quiet),
     "say nothing but errors, print only lines of method,\nnumber removed, perplexities and accuracies", NULL},
    {'q', "quiet", NULL, CMD_TOKENIZE, KIND_FLAG, AT(quiet), "say nothing but errors, print only the ids", NULL},
    {'q', "quiet", NULL, CMD_MAN, KIND_FLAG, AT(quiet), "print only the names of all pages, one a line", NULL},
    {0, "color", "WHEN", RESULTS, KIND_CHOICE, AT(color), "auto (on a terminal, see Environment), always, never",
     color_words},
    {'h', "help", NULL, EVERY, KIND_FLAG, AT(help), "show the help", NULL},
};
const size_t n_option_rows = sizeof option_rows / sizeof *option_rows;
_Static_assert(sizeof option_rows / sizeof *option_rows <= MAX_OPTION_ROWS, "options.given has too few places");

const option_row *options_row(enum command command, size_t i)
{
    for (size_t j = 0; j < n_option_rows; j++)
        if (option_rows[j].commands & command && option_rows[j].help && i-- == 0)
            return &option_rows[j];
    return NULL;
}
