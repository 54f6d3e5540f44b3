/* The table of commands. */
#include "commands.h"

#include <string.h>

#include "command.h"
#include "core/nearest.h"

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static const command_row commands[] = {
    {"inspect", CMD_INSPECT, cmd_inspect, "MODEL [options]", "Show what a model is made of",
     "Reads the headers of a checkpoint, not its weights, and shows family, sizes, weight types, and its layers: a row "
     "for each run of equal ones, with what kind they are and whether prune can remove one. Below stands why not; "
     "\"not alone\" are layers that go in larger sets only.",
     "schema       \"shortgpt/inspect/1\"\n"
     "model        path, format, family, architecture, layers, hidden, parameters,\n"
     "             bytes, and the shape: heads, vocabulary, positions, fingerprint ...\n"
     "layers       a list of index, kind, parameters, bytes, removable (by itself),\n"
     "             reason (why not, else null)\n",
     "  shortgpt inspect model.gguf\n"
     "  shortgpt inspect ~/models/SmolLM2-135M --json - | jq .model.parameters\n",
     NULL},
    {"score", CMD_SCORE, cmd_score, "MODEL [options]", "Measure how much influence each layer has",
     "Runs a text through the model and measures the Block Influence of each layer: 1 minus the mean cosine of the "
     "vectors that enter it and leave it. "
     "0 is a layer that turns nothing; the layers of lowest influence are the first to remove.\n"
     "Weights are read layer by layer, so that a model larger than memory is scored as well; --memory bounds what the "
     "run allocates. "
     "The result depends on neither --memory nor --threads.",
     "schema       \"shortgpt/score/1\"\n"
     "model        path, format, family, architecture, layers, hidden, parameters, bytes\n"
     "calibration  source, tokens, windows, window, bos, skipped\n"
     "precision    \"bf16\" or \"f32\"\n"
     "layers       a list of index, bi, bi_low, bi_high (95% interval over windows),\n"
     "             relative_magnitude, mixer_bi, ffn_bi, value (what the method goes by)\n"
     "order        layer numbers, lowest value first\n"
     "method       \"bi\" ...\n"
     "halves       with --granularity half a list of layer, half (\"mixer\", \"ffn\"),\n"
     "             value, lowest first\n"
     "chunks       how many times the weights were read\n"
     "seconds, tokens_per_second\n",
     "  shortgpt score model.gguf\n"
     "  shortgpt score model.gguf --text my.txt --text more.txt --tokens 65536\n"
     "  shortgpt score ~/models/Llama-3-70B --memory 8G --json scores.json\n",
     NULL},
    {"plan", CMD_PLAN, cmd_plan, "MODEL (--remove N | --ratio P% | ...) [-o FILE] [options]", "Choose layers to remove",
     "Chooses layers by a method and says which, and why so many: a number (--remove, --ratio), or a bound on what is "
     "lost or gained (--max-ppl-increase, --target-size, --target-speedup). Layers that have to stay (see inspect) are "
     "never chosen. "
     "The plan file is for prune --plan and eval --plan, also of another format of the same model.\n"
     "With --until-stable the text is read only as far as the choice still changes: after each part of it 1,000 "
     "samples "
     "of its windows, drawn with replacement, choose again, and it is settled when 95% of them choose the same.",
     "schema       \"shortgpt/plan/1\"\n"
     "model        layers, hidden, vocab, fingerprint\n"
     "method, why\n"
     "remove, keep\n",
     "  shortgpt plan model.gguf --remove 3 -o plan.json\n"
     "  shortgpt plan model.gguf --method greedy --max-ppl-increase 20% -o plan.json\n"
     "  shortgpt plan model.gguf --target-speedup 1.25\n"
     "  shortgpt plan model.gguf --remove 6 --until-stable --text book.txt\n",
     NULL},
    {"prune", CMD_PRUNE, cmd_prune, "MODEL (--remove N | --ratio P% | --layers LIST | --plan FILE) -o OUT [options]",
     "Remove layers and write the smaller model",
     "Removes whole layers and writes what is left in MODEL's format, every kept tensor byte for byte. With --layers "
     "or --plan they are as told; with --remove, --ratio or a bound they are chosen first, as by plan.\n"
     "OUT is written beside its place under a temporary name, read back, compared, run against the original with those "
     "layers skipped, and only then "
     "renamed: on any exit status but 0, OUT is as it was.\n"
     "A split GGUF becomes one file; where OUT ends in -00001-of-0000N.gguf it becomes a split set again, of as many "
     "files as still hold tensors: the number in the names is put right.",
     "schema       \"shortgpt/prune/1\"\n"
     "out, method, remove, keep\n"
     "before       layers, parameters, bytes (tensor data), file_bytes\n"
     "after        the same\n"
     "tensors_removed, tensors_kept, seconds\n"
     "left_out     files of MODEL that OUT does not carry\n"
     "assumed      what was taken for granted of an unknown family, else null\n"
     "imatrix      with --imatrix: the path of the one for OUT\n"
     "With --dry-run it is the plan: schema \"shortgpt/plan/1\", model (layers,\n"
     "hidden, vocab, fingerprint), method, remove, keep.\n",
     "  shortgpt prune model.gguf --remove 3 -o smaller.gguf\n"
     "  shortgpt prune ~/models/Llama-3-8B --ratio 25% --text my.txt -o ~/models/Llama-3-6B\n"
     "  shortgpt prune model.gguf --layers 3,21-25 -o smaller.gguf --overwrite\n"
     "  shortgpt prune quantized.gguf --remove 3 -o x.gguf --dry-run --json plan.json\n"
     "  shortgpt prune ~/models/original --plan plan.json -o ~/models/smaller\n",
     NULL},
    {"eval", CMD_EVAL, cmd_eval, "MODEL... [options]", "Measure perplexity and tasks, also without some layers",
     "Measures perplexity, how surprised each model is by each next token of a text. Lower is better; values compare "
     "only between models with "
     "the same tokenizer, text and window.\n"
     "With --without or --plan one model is evaluated as it is and without those layers in one pass; nothing is "
     "written. Their speed is measured too, in turns of 128 tokens that are read and 4 one by one behind them; the "
     "fastest count, since what else runs on the machine only slows them.\n"
     "Tasks: --tasks NAME=FILE,... scores tests as lm-evaluation-harness 0.4.13 does: hellaswag, piqa (with its "
     "labels file beside it), arc_easy, arc_challenge, openbookqa, winogrande, wsc273 (WSCollection.xml, or Hugging "
     "Face's rows), boolq, wsc, commonsense_qa, "
     "race (a file, or the folder of the authors' .txt files), "
     "lambada_openai, and mmlu and cmmlu (FILE is the folder with test/ and dev/); by mean likelihood of the whole "
     "text, "
     "as OpenCompass's PPL mode does: c3, chid, cmnli, ocnli, cluewsc. Any other NAME is a file of JSON lines with "
     "context, choices (a list) and answer (its index). Without --text then no perplexity is measured.\n"
     "Several models, or one with and without layers, are compared item by item: the change with a 95% interval, "
     "McNemar's p, and how much of the accuracy above chance is retained. A ~ marks results that guessing or a "
     "constant "
     "answer reaches as well.",
     "schema       \"shortgpt/eval/1\"\n"
     "precision, seconds\n"
     "models       a list of path, fingerprint, removed, layers, parameters, bytes,\n"
     "             perplexity: a list of source, window, bos, tokens, windows, ppl,\n"
     "             ppl_low, ppl_high (95% interval over windows), and where there is\n"
     "             an original kl, kl_p99 (divergence from it in nats a token: mean and\n"
     "             99th percentile), top1 (part with the same likeliest token);\n"
     "             tasks: a list of name, n, acc, acc_stderr, acc_most_frequent,\n"
     "             acc_near_chance, the same of acc_norm, perplexity, chance,\n"
     "             best_constant, shots, bos, cut, subtasks, and behind the first\n"
     "             model change: acc, acc_norm: difference, low, high, lost,\n"
     "             gained, p, retained;\n"
     "             speed: prompt_tokens, tokens, turns, prompt_tokens_per_second,\n"
     "             tokens_per_second, memory, with --without or --plan, where the\n"
     "             weights fit in memory; else null;\n"
     "             samples: with --sample, a list of prompt, text\n",
     "  shortgpt eval model.gguf smaller.gguf --sample\n"
     "  shortgpt eval model.gguf --without 14,17,25 --text wiki.test.raw\n"
     "  shortgpt eval model.gguf --without 14,17,25 --tasks piqa=valid.jsonl,mmlu=mmlu/ --limit 200\n",
     NULL},
    {"generate", CMD_GENERATE, cmd_generate, "MODEL --prompt TEXT [options]",
     "Continue a text, also without some layers",
     "Continues a text token by token and prints it as it comes: the most likely token each time, or with "
     "--temperature "
     "one that is drawn. It ends after -n tokens, or where the model ends it.\n"
     "With --without or --plan those layers are skipped; nothing is written. Weights stay in memory, as bf16 or f32, "
     "as "
     "far as --memory allows; layers that do not fit are read again for each token.",
     "schema       \"shortgpt/generate/1\"\n"
     "model        as of score\n"
     "removed      layer numbers\n"
     "prompt, text, ids (of text), prompt_tokens, tokens\n"
     "stop         \"tokens\", \"end\" (the model ended the text) or \"positions\"\n"
     "temperature, seed, precision\n"
     "layers, layers_in_memory, memory (bytes held)\n"
     "prompt_seconds, seconds, prompt_tokens_per_second, tokens_per_second\n",
     "  shortgpt generate model.gguf --prompt 'Once upon a time'\n"
     "  shortgpt generate model.gguf --prompt 'Once upon a time' --without 13-14,17 -n 100\n"
     "  shortgpt generate model.gguf --prompt 'Dear' --temperature 0.8 --seed 7\n",
     NULL},
    {"compare", CMD_COMPARE, cmd_compare, "MODEL [options]", "Compare ways to choose layers",
     "Removes 0, 1, 2 ... layers by each of several methods and measures perplexity without them, nothing written. "
     "Sets "
     "that several methods choose are evaluated once, and all together in as few passes as memory allows. "
     "--tasks are scored with each of them, too, as by eval. "
     "Speed and memory are measured as by eval once for each number of layers, without those that the first method "
     "removes; not with --no-speed or --granularity half. "
     "Methods choose on one text, --calibration, and are compared on another, --text.\n"
     "bi: lowest Block Influence first, 1 minus the mean cosine of what enters a layer and what leaves it.\n"
     "relative-magnitude: lowest mean of |f(x)| / |x + f(x)| first, f(x) what a layer adds to the stream x.\n"
     "reverse, sequential, random: from the last layer, from the first, in an order drawn by --seed.\n"
     "angular, angular-all: the n layers in a row between whose ends the stream turns by the smallest angle, at the "
     "last "
     "token of each window or at all (Gromov et al. 2024).\n"
     "greedy: in each round the layer without which the text is likeliest, every candidate tried.\n"
     "greedy-kl: in each round the layer without which next-token distributions stay nearest to the original's.\n"
     "bi-greedy: greedy among the --candidates layers of lowest Block Influence.",
     "schema       \"shortgpt/compare/1\"\n"
     "model        path, format, family, architecture, layers, hidden, parameters, bytes\n"
     "calibration  source, tokens, windows, window, bos, trial_tokens (0: no method\n"
     "             tried layers); null where no method read it\n"
     "precision    \"bf16\" or \"f32\"\n"
     "granularity  \"layer\" or \"half\"\n"
     "methods      a list of method and points: a list of n, removed, parameters, bytes\n"
     "             (of halves: n, removed_mixers, removed_ffns) and perplexity, as in\n"
     "             the JSON of eval, and tasks, as in it, with change from the whole\n"
     "             model\n"
     "tasks        of the whole model\n"
     "speeds       a list of n, removed (0, then the first method's at each n), and\n"
     "             speed, as in the JSON of eval; empty: not measured\n"
     "subsets      different sets among them\n"
     "seconds\n",
     "  shortgpt compare model.gguf --methods bi,greedy --remove 0..8\n"
     "  shortgpt compare model.gguf --calibration book.txt --text wiki.test.raw --json c.json\n"
     "  shortgpt compare model.gguf --granularity half --remove 0,4,8\n"
     "  shortgpt compare model.gguf --remove 3,6 --tasks piqa=valid.jsonl --limit 200 --report c.html\n",
     NULL},
    {"tokenize", CMD_TOKENIZE, cmd_tokenize, "MODEL [options]", "Show a text's tokens",
     "Cuts a text into tokens by the model's own tokenizer and prints a line for each: its id, a tab, and its spelling "
     "in the vocabulary as a JSON string.",
     "schema       \"shortgpt/tokenize/1\"\n"
     "path, source, n\n"
     "ids, tokens  lists of n\n",
     "  shortgpt tokenize model.gguf --text my.txt\n"
     "  echo -n 'Hello world' | shortgpt tokenize model.gguf --text - --ids\n",
     NULL},
    {"completion", CMD_COMPLETION, cmd_completion, "bash|zsh|fish", "Print a script that completes the command line",
     "Prints the completion script of a shell. 'make install' puts all three where the shells look for them.", NULL,
     "  source <(shortgpt completion bash)\n"
     "  shortgpt completion fish > ~/.config/fish/completions/shortgpt.fish\n",
     shells},
    {"man", CMD_MAN, cmd_man, "[COMMAND] [-q]", "Print a manual page",
     "Prints the manual page of a command, or of the whole program, for man(1) to show.", NULL,
     "  shortgpt man score | man -l -\n", NULL},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const char program_purpose[] = "shortgpt finds the layers that a language model can do without, removes them from the\n"
                               "checkpoint, and measures what the smaller model lost.\n";

const char program_examples[] = "  shortgpt score model.gguf                              which layers matter least?\n"
                                "  shortgpt prune model.gguf --remove 3 -o smaller.gguf   take them out\n"
                                "  shortgpt eval model.gguf smaller.gguf                  what did it cost?\n";

const exit_row exit_rows[N_EXIT_ROWS] = {
    {0, "done"},
    {1, "it failed: unreadable, malformed, not UTF-8, no number, no memory, no space"},
    {2, "wrong usage: options, lists, OUT that is there, or is, holds or lies in MODEL"},
    {3, "refused: a family, type, tokenizer or plan with which no correct result exists"},
    {130, "interrupted by Ctrl-C: what was begun is removed, then SIGINT ends the program"},
};

const command_row *commands_row(size_t i)
{
    return i < N_COMMANDS ? &commands[i] : NULL;
}

const command_row *commands_find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

int commands_unknown(const char *name, sg_error *err)
{
    static const char *const global[] = {"help", "version"};
    const char *names[N_COMMANDS + 2] = {global[0], global[1]};
    char hint[160];
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[2 + i] = commands[i].name;
    if (*name != '-')
        return usage_error(err, "unknown command %s%s", name, sg_nearest_hint(hint, "", name, names, N_COMMANDS + 2));
    const char *word = name + strspn(name, "-");
    return usage_error(err, "unknown option %s%s", name, sg_nearest_hint(hint, "--", word, global, 2));
}
