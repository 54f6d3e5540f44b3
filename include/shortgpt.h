/* shortgpt: find the layers that a language model can do without, remove them from its checkpoint,
 * and measure what the smaller model lost.
 *
 * The method is ShortGPT (arXiv 2403.03853). The Block Influence of layer i is
 *
 *     BI_i = 1 - mean over all tokens t of cos(x_i,t , x_{i+1},t)
 *
 * where x_i,t is the residual stream that enters layer i at token t and x_{i+1},t the one that leaves it
 * (of the last layer: before the final norm). Layers with the lowest BI are removed whole.
 *
 * How to read this header. Functions that can fail return SG_OK (0) or a negative sg_code and fill `err`
 * (NULL is allowed) with one sentence that names file, field and value. Nothing here prints, exits or reads
 * the environment. An object named sg_x is released by sg_x_free (NULL is fine). A `const char *` inside an
 * object lives as long as the object. Option structs: all zero means the defaults; fill them by name. One sg_model
 * may be read by several threads. Layer numbers are the model's own, from 0. Sizes are in bytes, times in seconds. */
#ifndef SHORTGPT_H
#define SHORTGPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SG_VERSION "0.1.0"

/* ---- errors ------------------------------------------------------------------------------------------ */

typedef enum sg_code {
    SG_OK = 0,
    SG_ERR_NOMEM = -1,     /* out of memory, or the memory limit is too small for this model */
    SG_ERR_IO = -2,        /* cannot read or write, no space left */
    SG_ERR_FORMAT = -3,    /* a file is malformed or truncated, or text is not UTF-8 */
    SG_ERR_NUMERIC = -4,   /* NaN or infinity where a number was needed */
    SG_ERR_USAGE = -5,     /* a wrong argument: option, layer list, output path */
    SG_ERR_REFUSED = -6,   /* understood, but no correct result exists: family, type, tokenizer, plan, rule */
    SG_ERR_CANCELLED = -7, /* the progress callback asked to stop */
    SG_ERR_LIBRARY = -8,   /* a library that we use failed; the message says which and how */
} sg_code;

typedef struct sg_error {
    sg_code code;
    char message[1024]; /* one sentence, UTF-8, no newline */
} sg_error;

/* The command line's exit status for a code: 0 done, 1 failed, 2 wrong usage, 3 refused. */
int sg_exit_status(sg_code code);

/* Called now and then from the thread that made the call. done and total count `unit`s (e.g. "layers",
 * "bytes"); stage is a word or two ("scoring", "copying"). A non-zero return stops the work: the call fails
 * with SG_ERR_CANCELLED and leaves nothing behind. */
typedef struct sg_progress {
    int (*report)(const char *stage, uint64_t done, uint64_t total, const char *unit, void *user);
    void *user;
} sg_progress;

/* ---- models ------------------------------------------------------------------------------------------ */

typedef struct sg_model sg_model;

typedef enum sg_format { SG_FORMAT_HF, SG_FORMAT_GGUF } sg_format;

typedef struct sg_model_info {
    const char *path; /* as given to sg_model_open */
    sg_format format;
    const char *format_name;  /* "safetensors" or "gguf" */
    const char *family;       /* our table's name: "llama"; NULL: it does not run here, see refusal */
    const char *refusal;      /* why not; NULL: it runs */
    const char *architecture; /* the file's word: "LlamaForCausalLM", "llama" */
    const char *name;         /* general.name, or the directory's last component; never NULL */
    const char *weight_types; /* tensor types by bytes, largest first: "Q4_1, Q6_K, F32" */
    int layers, hidden, vocab;
    int n_heads, n_kv_heads, head_dim, intermediate, max_positions; /* of layer 0; max_positions 0: not said */
    double rope_theta;
    bool tied;            /* the output matrix is the token embedding */
    uint64_t parameters;  /* elements of all tensors, tied weights once */
    uint64_t bytes;       /* of tensor data */
    char fingerprint[33]; /* of names, types, shapes and a sample of each tensor's bytes; hex, XXH3-128 */
} sg_model_info;

typedef struct sg_layer_info {
    int index;
    const char *kind; /* "full attention", "sliding attention, experts", "mamba" ... "unknown" */
    uint64_t parameters, bytes;
} sg_layer_info;

/* Opens a Hugging Face directory or a .gguf file (or the first of a split set). Files are mapped and headers
 * checked; weights are not read. The tokenizer is read at first use, since surgery needs none. A model of a family that
 * does not run opens too, to be described: see sg_model_runs. */
int sg_model_open(sg_model **out, const char *path, sg_error *err);
/* SG_OK, or SG_ERR_REFUSED with the reason why this model can be described but neither measured nor pruned. */
int sg_model_runs(const sg_model *model, sg_error *err);
void sg_model_free(sg_model *model);
const sg_model_info *sg_model_get_info(const sg_model *model);
/* layer: 0 .. layers-1 */
sg_layer_info sg_model_get_layer(const sg_model *model, int layer);

/* ---- texts and tokens -------------------------------------------------------------------------------- */

typedef struct sg_text {
    const char *source; /* what results call it: the path, "stdin", "embedded" */
    const char *data;   /* UTF-8, not terminated; CR, LF and BOM are kept */
    size_t bytes;
} sg_text;

/* Reads a file, or stdin for "-". The result owns source and data; sg_text_free releases them.
 * SG_ERR_FORMAT with the byte offset when it is not UTF-8. */
int sg_text_read(sg_text *out, const char *path, sg_error *err);
void sg_text_free(sg_text *text);

/* The texts compiled in, one to score with and one, disjoint, to evaluate with. Never free them. */
typedef enum sg_embedded { SG_EMBEDDED_SCORE, SG_EMBEDDED_EVAL } sg_embedded;
sg_text sg_text_embedded(sg_embedded which);

typedef enum sg_bos { SG_BOS_AUTO, SG_BOS_ALWAYS, SG_BOS_NEVER } sg_bos;

typedef struct sg_tokens {
    int32_t *ids;
    size_t n;
} sg_tokens;

/* The text's ids by the model's own tokenizer. Added and special tokens in the text are recognised. A BOS is
 * put in front once: auto when the tokenizer says so; always, or SG_ERR_REFUSED where the model has none; never. */
int sg_tokenize(sg_model *model, const sg_text *text, sg_bos bos, sg_tokens *out, sg_error *err);
void sg_tokens_free(sg_tokens *tokens);
/* The vocabulary's own spelling of an id, not terminated; NULL when id is not in the vocabulary.
 * Only after a successful sg_tokenize on this model. */
const char *sg_token_spelling(const sg_model *model, int32_t id, size_t *bytes);

/* ---- measuring --------------------------------------------------------------------------------------- */

typedef enum sg_precision { SG_PRECISION_AUTO, SG_PRECISION_BF16, SG_PRECISION_F32 } sg_precision;
const char *sg_precision_name(sg_precision precision); /* "bf16", "f32", "auto" */

/* What every measurement takes. All zero: the embedded text, all defaults of design. */
typedef struct sg_run_opts {
    const sg_text *texts; /* NULL: the embedded one */
    size_t n_texts;
    int64_t tokens; /* of each text, whole windows; 0: 16,384 for score, all for eval */
    int window;     /* text tokens per window; 0: 512 for score, 1,024 for eval */
    sg_bos bos;
    sg_precision precision;
    uint64_t memory; /* bound on the process's memory while it works; 0: the pass takes half of what is available now */
    int threads;     /* 0: all processors this process may use; at most 256 */
    bool similarity; /* score: also the similarity of layer boundaries */
    sg_progress progress;
} sg_run_opts;

typedef struct sg_layer_score { /* NaN: not measured (an interval of one window, a missing half) */
    int index;
    double bi, bi_low, bi_high; /* mean over positions; 95 % interval over window means */
    double relative_magnitude;  /* mean of ||x' - x|| / ||x'|| */
    double mixer_bi, ffn_bi;    /* the stream before against after each half's residual addition */
    double value;               /* what the method orders by; bi's is bi */
} sg_layer_score;

typedef struct sg_half_score {
    int layer;
    bool ffn; /* else the mixer */
    double value;
} sg_half_score;

typedef struct sg_score {
    const char *source; /* of the text; several joined by ", " */
    int64_t tokens;     /* text tokens measured, BOS not counted */
    int64_t windows;
    int window;
    bool bos;               /* a BOS stands before each window */
    int64_t skipped;        /* (layer, position) pairs left out since a zero vector has no direction */
    sg_precision precision; /* bf16 or f32 */
    int n_layers;
    const sg_layer_score *layers;
    const int *order;            /* layer numbers, lowest value first; ties: higher number first */
    const char *method;          /* "bi" ... */
    const sg_half_score *halves; /* with halves (sg_score_by): lowest value first, those that a layer lacks left out */
    int n_halves;
    int chunks;               /* how many times the weights were read */
    const double *similarity; /* [n_layers + 1][n_layers + 1] mean cosine of the stream at two boundaries (0: the input,
                               * i: after i layers), NaN where there is none; NULL: not asked for */
    int similarity_positions; /* that were taken for it, evenly from all windows */
    double seconds;           /* the pass alone */
    double tokens_per_second; /* tokens / seconds */
} sg_score;

/* Scores every layer. One layer-major pass; memory is bounded by opts->memory.
 * SG_ERR_USAGE: tokens < window, or window under 2. SG_ERR_FORMAT: a text below one window, with its token count;
 * NaN or infinity in the residual stream (SG_ERR_NUMERIC, naming layer and window). SG_ERR_REFUSED: a family or
 * tokenizer that does not run, a model with fewer positions than a window has. */
int sg_score_run(sg_score **out, sg_model *model, const sg_run_opts *opts, sg_error *err);
void sg_score_free(sg_score *score);

typedef struct sg_perplexity {
    const char *source;
    int window;
    bool bos;
    int64_t tokens; /* predictions */
    int64_t windows;
    double ppl, ppl_low, ppl_high; /* NaN bounds for one window */
    /* Against the original's next-token distributions, without labels; NaN where there is nothing to compare with. */
    double kl, kl_p99; /* KL(original || this) in nats per prediction: mean and 99th percentile */
    double top1;       /* part of the predictions with the original's most likely token */
} sg_perplexity;

typedef struct sg_item_score { /* one item of a task */
    const char *id;
    const double *lls; /* [n] of each option, as the task's rule scores it, in nats */
    int n;
    int gold, pred, pred_norm; /* options; gold -1: none is right; pred_norm: by lls per character. Last-word tasks:
                                  gold 0, pred -1 when some token of the word was not the model's first choice */
} sg_item_score;

typedef struct sg_accuracy { /* NaN: does not apply */
    double value, error;     /* the part of items that are right, and its standard error */
    double most_frequent;    /* the part of items in which the option most often chosen was: 1 is a constant answer */
    bool near_chance; /* guessing, or (where options are the same for all items) the best constant answer, lies within
                         value - 1.96 error or above */
} sg_accuracy;

typedef struct sg_subtask_score {
    const char *name;
    int64_t n;
    double acc, acc_error, acc_norm, acc_norm_error;
} sg_subtask_score;

typedef struct sg_task_score {
    const char *name;
    int64_t n; /* items */
    int shots;
    bool bos;
    sg_accuracy acc, acc_norm;
    double perplexity, perplexity_low, perplexity_high; /* of last words: exp of minus the mean ll, 95 % interval */
    double chance, best_constant; /* accuracy of guessing, and of the one option that is right most often */
    int64_t cut;                  /* texts longer than the model's positions, which lost a part */
    const sg_subtask_score *subtasks;
    size_t n_subtasks;
    const sg_item_score *items; /* [n] */
} sg_task_score;

typedef struct sg_speed {      /* measured on this machine, as busy as it was; all 0: not measured */
    int prompt_tokens, tokens; /* that each turn read, and then took one by one behind them */
    int turns;                 /* that all models had alternately */
    double prompt_tokens_per_second, tokens_per_second; /* of the fastest prompt and token */
    uint64_t memory;                                    /* bytes for it: weights, keys and values, buffers */
} sg_speed;

typedef struct sg_sample {
    const char *prompt; /* one of sg_sample_prompt's */
    const char *text;   /* what follows it: UTF-8, terminated */
} sg_sample;

typedef struct sg_eval_entry {
    const char *path;
    char fingerprint[33]; /* the whole model's, as in sg_model_info */
    const int *removed; /* of MODEL's own layers, sorted */
    size_t n_removed;
    int layers;                      /* that are left */
    uint64_t parameters, bytes;      /* of what is left */
    const sg_perplexity *perplexity; /* one per text */
    size_t n_perplexity;
    const sg_task_score *tasks;
    size_t n_tasks;
    sg_speed speed;           /* sg_eval_speed's */
    const sg_sample *samples; /* sg_eval_sample's */
    size_t n_samples;
} sg_eval_entry;

typedef struct sg_eval {
    sg_precision precision;
    double seconds;
    int64_t scored; /* positions run through layers, all entries */
    const sg_eval_entry *entries;
    size_t n_entries;
} sg_eval;

/* Perplexity of the model as it is and, when n_removed > 0, also without those layers, in one pass: two entries.
 * removed: sorted layer numbers, not all of them. Errors as sg_score_run. */
int sg_eval_run(sg_eval **out, sg_model *model, const int *removed, size_t n_removed, const sg_run_opts *opts,
                sg_error *err);
void sg_eval_free(sg_eval *eval);
/* Moves b's entries behind a's and adds the seconds; b is then empty and still to be freed. Both of one precision. */
int sg_eval_append(sg_eval *a, sg_eval *b, sg_error *err);

/* ---- tasks ------------------------------------------------------------------------------------------- */

typedef struct sg_task sg_task; /* items of a published test, read; knows no model */

/* Reads a task from its public raw file: name is one of sg_task_name's, as lm-evaluation-harness calls them, path its
 * file (mmlu, cmmlu: the folder that has test/ and dev/). Any other name: JSON lines of {"context", "choices",
 * "answer"}. shots: 0 to 5 solved examples in front, for mmlu and cmmlu. limit: the first N items (of each subject); 0:
 * all. SG_ERR_FORMAT: not that task's file, with the item that shows it. */
int sg_task_read(sg_task **out, const char *name, const char *path, int shots, int64_t limit, sg_error *err);
void sg_task_free(sg_task *task);
const char *sg_task_name(size_t i); /* of the known tasks; NULL behind the last */
size_t sg_task_items(const sg_task *task);

/* Scores tasks with the model as it is and, when n_removed > 0, also without those layers, in one pass. *eval NULL: a
 * new one; else sg_eval_run's of the same model and layers, whose entries get the tasks. opts: bos, precision, memory,
 * threads, progress. What items have in common (contexts, shots) is computed once. Errors as sg_score_run. */
int sg_eval_tasks(sg_eval **eval, sg_model *model, const int *removed, size_t n_removed, const sg_task *const *tasks,
                  size_t n_tasks, const sg_run_opts *opts, sg_error *err);

typedef struct sg_task_change {   /* of two models on the same items; NaN: not to be said */
    double difference, low, high; /* after - before, 95 % interval of the paired differences */
    int64_t lost, gained;         /* items right only before, only after */
    double p;                     /* McNemar's, two-sided */
    double retained;              /* accuracy above chance, after / before; NaN when before is near chance */
} sg_task_change;
/* norm: by acc_norm. false: not the same items, or that accuracy does not apply. */
bool sg_task_compare(const sg_task_score *before, const sg_task_score *after, bool norm, sg_task_change *out);

/* ---- does it still talk, and how fast ------------------------------------------------------------------ */

typedef struct sg_generate_opts { /* all zero: 64 tokens, the most likely one each time */
    int tokens;                   /* new ones, at most; 0: 64 */
    double temperature;           /* 0: the most likely token each time (of equals the lowest id); else drawn from
                                   * softmax(logits / temperature) */
    uint64_t seed;                /* of the draws: the same seed draws the same */
    sg_bos bos;
    sg_precision precision;
    uint64_t memory; /* bound on the process's memory; weights that do not fit are read again for every token; 0: half
                      * of what is available now */
    int threads;     /* 0: all processors this process may use; at most 256 */
    sg_progress progress; /* of loading; without `piece` also after every token */
    /* NULL, or called with each piece of new text: whole characters, not terminated. Non-zero stops the work. */
    int (*piece)(const char *text, size_t bytes, void *user);
    void *user;
} sg_generate_opts;

typedef enum sg_stop {
    SG_STOP_TOKENS,    /* as many as were wanted */
    SG_STOP_END,       /* the model ended the text */
    SG_STOP_POSITIONS, /* the model has no more positions */
} sg_stop;
const char *sg_stop_name(sg_stop stop); /* "tokens", "end", "positions" */

typedef struct sg_generation {
    char *prompt, *text; /* UTF-8, terminated; what is no UTF-8 is U+FFFD, special tokens have no text */
    int32_t *ids;        /* [n] of text, without the token that ended it */
    int n, n_prompt;     /* tokens; a BOS counts */
    sg_stop stop;
    sg_precision precision;         /* bf16 or f32 */
    int layers, layers_in_memory;   /* that were run; of these, that were read once and stayed */
    uint64_t memory;                /* bytes held: weights, keys and values, buffers */
    double prompt_seconds, seconds; /* the prompt; the tokens behind the first new one, which the prompt gives */
} sg_generation;

/* Continues a text without the layers of removed (sorted, not all of them; NULL, 0: with all). An empty prompt needs a
 * tokenizer with a BOS: SG_ERR_USAGE. SG_ERR_REFUSED: a prompt longer than the model's positions, a decoder of
 * tokenizer.json that is not known, a model that does not run. */
int sg_generate_run(sg_generation **out, sg_model *model, const sg_text *prompt, const int *removed, size_t n_removed,
                    const sg_generate_opts *opts, sg_error *err);
void sg_generation_free(sg_generation *generation);

/* Three short beginnings, the same in every version, to hear a model with. NULL behind the last. */
const char *sg_sample_prompt(size_t i);

/* Speed of reading a prompt and of going on, of all entries, which are of this model: weights in memory, the entries in
 * turns, so that a busy machine is so for all of them; a few seconds on a small model. Needs no tokenizer. Of opts:
 * precision, memory, threads, progress (NULL: the defaults). Where the weights do not fit the memory bound, all 0, and
 * that no error. */
int sg_eval_speed(sg_eval *eval, const sg_model *model, const sg_run_opts *opts, sg_error *err);

/* How all entries, which are of this model, continue the sample prompts: 32 tokens at most, the most likely one each
 * time, as sg_generate_run does. Of opts: bos, precision, memory, threads, progress. Once for each entry. Errors as
 * sg_generate_run. */
int sg_eval_sample(sg_eval *eval, sg_model *model, const sg_run_opts *opts, sg_error *err);

/* ---- methods ----------------------------------------------------------------------------------------- */

typedef enum sg_method {
    SG_METHOD_BI,                 /* lowest Block Influence first */
    SG_METHOD_RELATIVE_MAGNITUDE, /* lowest mean of ||f(x)|| / ||x + f(x)|| first */
    SG_METHOD_REVERSE,            /* the last layer first */
    SG_METHOD_SEQUENTIAL,         /* the first layer first */
    SG_METHOD_RANDOM,             /* an order drawn by seed */
    SG_METHOD_ANGULAR,     /* the block of n layers with the lowest mean of arccos(cos(x_i, x_{i+n})) / pi over the last
                              tokens of the windows (Gromov et al. 2024, arXiv 2403.17887) */
    SG_METHOD_ANGULAR_ALL, /* the same over all tokens */
    SG_METHOD_GREEDY,      /* in each round the layer whose absence leaves the text likeliest */
    SG_METHOD_GREEDY_KL,   /* in each round the layer whose absence leaves the next-token distribution nearest to the
                              original's (KL divergence) */
    SG_METHOD_BI_GREEDY,   /* greedy among the `candidates` layers of lowest Block Influence */
    SG_N_METHODS
} sg_method;
const char *sg_method_name(sg_method method); /* "bi", "relative-magnitude" ...; NULL behind the last */
int sg_method_parse(const char *name, sg_method *out, sg_error *err);

/* How layers are chosen and how far that goes. A unit is a layer, or with `halves` half of one: unit 2 i is layer i's
 * mixer, unit 2 i + 1 its feed-forward. All zero: bi. */
typedef struct sg_choose_opts {
    sg_method method;
    bool halves;            /* not with angular */
    uint64_t seed;          /* of random, and of the bootstrap */
    int candidates;         /* of bi-greedy; 0: half of the units, at least as many as go */
    int64_t trial_tokens;   /* greedy tries on the first ones of each text, in whole windows; 0: 4,096 */
    const bool *allowed;    /* [units]: those that may go; NULL: all */
    const char *const *why; /* [units]: why those that may not have to stay, for refusals; NULL: not said */
    /* how far: one of these */
    int remove;              /* so many units */
    double max_ppl_increase; /* as many as leave perplexity on the calibration text within 1 + this; 0.05 is 5 % */
    uint64_t target_bytes;   /* as few as bring the tensor data down to this */
    double target_speedup;   /* as few as make the forward pass, by measured layer times, so many times as fast */
    bool until_stable; /* reads text only until the choice is the same in 95 % of 1,000 bootstrap samples of windows;
                          with remove, and bi, relative-magnitude or angular. tokens is then a bound (0: all) */
    sg_run_opts run;   /* the calibration text, as for sg_score_run */
} sg_choose_opts;

typedef struct sg_choice_step { /* NaN: not known */
    int n;                      /* units that are gone */
    int unit;                   /* the one that went in this step; -1: the method makes each count's set anew */
    double value;               /* what the method went by: influence, distance, nats per token, divergence */
    double ppl;                 /* on the calibration text */
    uint64_t bytes;             /* of tensor data that are left; 0 with halves */
    double speedup;             /* of the forward pass */
} sg_choice_step;

typedef struct sg_choice {
    sg_method method;
    bool halves;
    const int *removed; /* units, sorted */
    size_t n_removed;
    const sg_choice_step *steps; /* of 1, 2 ... units; with a bound on perplexity also the one that broke it */
    size_t n_steps;
    double base_ppl;    /* of the whole model on the calibration text, where it was measured; else NaN */
    const char *why;    /* a sentence: what set the number of layers, and how it came out */
    const char *source; /* the calibration text; NULL: nothing was read */
    int64_t tokens, windows;
    int window;
    bool stable;           /* with until_stable: the choice had settled before the text ended */
    const sg_score *score; /* of bi and relative-magnitude; else NULL */
    double seconds;
} sg_choice;

/* SG_ERR_USAGE: options that contradict; SG_ERR_REFUSED: no number of allowed units reaches what was asked. Other
 * errors as sg_score_run. */
int sg_choose(sg_choice **out, sg_model *model, const sg_choose_opts *opts, sg_error *err);
void sg_choice_free(sg_choice *choice);

/* sg_score_run by another method: `value` and `order` are its own. Greedy ones: a first round. how far is not read. */
int sg_score_by(sg_score **out, sg_model *model, const sg_choose_opts *opts, sg_error *err);

/* ---- comparing methods ------------------------------------------------------------------------------- */

typedef struct sg_compare_point { /* one method at one number of units */
    int n;
    const int *removed;              /* [n] units, sorted */
    uint64_t parameters, bytes;      /* of what is left; 0 with halves */
    const sg_perplexity *perplexity; /* one per evaluation text */
    size_t n_perplexity;
    const sg_task_score *tasks; /* of sg_compare_tasks */
    size_t n_tasks;
} sg_compare_point;

typedef struct sg_compare_method {
    sg_method method;
    const sg_compare_point *points; /* ascending n */
    size_t n_points;
} sg_compare_method;

typedef struct sg_compare_speeds {
    int n;              /* layers removed */
    const int *removed; /* [n] the first method's */
    sg_speed speed;
} sg_compare_speeds;

typedef struct sg_compare {
    bool halves; /* units are halves of layers */
    sg_precision precision;
    const char *source;      /* of the calibration text; NULL: no method needed one */
    int64_t tokens, windows; /* of it */
    int window;
    bool bos;
    int64_t trial_tokens; /* that greedy methods tried on; 0: none did */
    const sg_compare_method *methods;
    size_t n_methods;
    int subsets;                /* different ones among the points */
    const sg_task_score *tasks; /* of the whole model, which points are compared with; of sg_compare_tasks */
    size_t n_tasks;
    const sg_compare_speeds *speeds; /* of the whole model and each number of layers; of sg_compare_speed */
    size_t n_speeds;                 /* 0: not measured */
    double seconds;                  /* all passes */
} sg_compare;

/* Perplexity of every method at every count on eval's texts; sets are chosen on choose->run's. counts: ascending, each
 * below the number of units. Equal sets are evaluated once, all in as few passes as memory allows.
 * choose: method and how far are not read. */
int sg_compare_run(sg_compare **out, sg_model *model, const sg_method *methods, size_t n_methods, const int *counts,
                   size_t n_counts, const sg_choose_opts *choose, const sg_run_opts *eval, sg_error *err);
/* Scores tasks at every point of a comparison, and with the whole model: equal sets once, in as few passes as memory
 * allows. The model that was compared must still be there. opts and errors as for sg_eval_tasks. */
int sg_compare_tasks(sg_compare *compare, const sg_task *const *tasks, size_t n_tasks, const sg_run_opts *opts,
                     sg_error *err);
/* Measures speed and memory as sg_eval_speed does, of the whole model and of the first method's set at each count,
 * since which layers are gone hardly matters. SG_ERR_USAGE: of halves, or twice. */
int sg_compare_speed(sg_compare *compare, const sg_run_opts *opts, sg_error *err);
void sg_compare_free(sg_compare *compare);

/* ---- plans ------------------------------------------------------------------------------------------- */

typedef struct sg_plan {
    int layers, hidden, vocab; /* of the model it was made for */
    char fingerprint[33];
    const char *method;       /* "layers" (a list by hand), or the method that chose */
    const int *remove, *keep; /* sorted */
    size_t n_remove, n_keep;
    const char *why; /* sg_choice's; NULL: not known */
} sg_plan;

/* "3,21-25" for a model of n_layers: *out is malloc-ed (sg_layers_free), sorted. SG_ERR_USAGE, naming the part, for an
 * empty list, blanks, a descending range, a number twice or out of range; SG_ERR_REFUSED for all layers. */
int sg_layers_parse(const char *list, int n_layers, int **out, size_t *n, sg_error *err);
void sg_layers_free(int *layers);
/* The same notation back, e.g. "3,21-25"; malloc-ed, sg_string_free. NULL: no memory. */
char *sg_layers_format(const int *layers, size_t n);

/* How many layers "25%" (or "25.5%") of n_layers is, rounded down. SG_ERR_USAGE when not a percentage or zero layers;
 * SG_ERR_REFUSED for all. */
int sg_ratio_parse(const char *ratio, int n_layers, int *out, sg_error *err);

int sg_plan_from_layers(sg_plan **out, const sg_model *model, const int *layers, size_t n, sg_error *err);
/* The n layers of lowest influence. SG_ERR_USAGE: n < 1. SG_ERR_REFUSED: n >= layers. */
int sg_plan_from_score(sg_plan **out, const sg_model *model, const sg_score *score, int n, sg_error *err);
/* Reads a plan file and holds it against the model: another number of layers, width or vocabulary is SG_ERR_REFUSED;
 * *same (NULL ok) is false when only the fingerprint differs (other weights, or another format, of the same shape). */
int sg_plan_read(sg_plan **out, const char *path, const sg_model *model, bool *same, sg_error *err);
/* The plan file's text; malloc-ed, sg_string_free. */
int sg_plan_json(const sg_plan *plan, char **out, sg_error *err);
int sg_plan_from_choice(sg_plan **out, const sg_model *model, const sg_choice *choice, sg_error *err);
void sg_plan_free(sg_plan *plan);

/* ---- surgery ----------------------------------------------------------------------------------------- */

/* Which layers can go, by the rules that prune goes by. Arrays are [layers]. */
typedef struct sg_removable {
    int layers, n_allowed;
    const bool *alone;   /* it can go by itself */
    const bool *allowed; /* it can go by itself, or in a set of a form that the rules ask for (a whole period, a tail):
                          * for sg_choose_opts */
    const char *const *why; /* why it cannot go by itself ("not alone: ..." where it is allowed or a neighbour holds
                             * it); NULL: it can */
    const int *cause;       /* equal numbers: by the same rule; -1: it can go */
} sg_removable;

/* unknown_family: as in sg_prune_opts. Only SG_ERR_NOMEM: anything else is a layer's reason. */
int sg_removable_find(sg_removable **out, const sg_model *model, bool unknown_family, sg_error *err);
void sg_removable_free(sg_removable *removable);

typedef struct sg_prune_opts {
    bool overwrite;      /* replace OUT: a file by rename, a directory by exchange */
    bool unknown_family; /* prune a family that the rules do not know, whatever its configuration holds */
    const char *imatrix; /* an importance matrix of a GGUF model, written beside OUT for the survivors; NULL: none */
    uint64_t memory;     /* as in sg_run_opts, for the forward check */
    int threads;         /* likewise */
    sg_progress progress;
} sg_prune_opts;

typedef struct sg_prune_result {
    char *out;     /* path; of a split set the first file's, with the number of files put right */
    char *imatrix; /* path of the written importance matrix; NULL: none was asked for */
    int layers_before, layers_after;
    uint64_t parameters_before, parameters_after;
    uint64_t bytes_before, bytes_after;           /* of tensor data */
    uint64_t file_bytes_before, file_bytes_after; /* of the model's files on disk; after: 0 for a dry run */
    uint64_t bytes_needed;                        /* free space that writing takes */
    size_t tensors_removed, tensors_kept;
    char **left_out; /* files of MODEL that OUT does not carry, e.g. weights in other formats */
    size_t n_left_out;
    char *assumed;        /* what was taken for granted of a family that the rules do not know; NULL: they know it */
    bool forward_checked; /* likelihoods were compared: not for a dry run, nor with a tensor type that does not run */
    double seconds;
} sg_prune_result;

/* Checks everything that sg_prune_run checks before it writes, and says what it would do. */
int sg_prune_dry_run(sg_prune_result **out, const sg_model *model, const sg_plan *plan, const char *path,
                     const sg_prune_opts *opts, sg_error *err);
/* Writes the model without the plan's layers to path (a new directory, or a .gguf file, as MODEL is; a split set
 * becomes one file, or a set where path ends in -00001-of-0000N.gguf). Written beside it under a temporary name, read
 * back and compared, reopened, specifications compared, likelihoods compared bit for bit with the original's run
 * without those layers (unless the model does not run here: see forward_checked), then renamed. On any error path is as
 * it was; opts can be NULL for the defaults; the result is for sg_prune_result_free. SG_ERR_USAGE: path exists, or lies
 * at, in or around the model. SG_ERR_REFUSED: no configuration says the result. SG_ERR_IO: no space, or writing failed.
 * SG_ERR_LIBRARY: what was written is not what was meant. */
int sg_prune_run(sg_prune_result **out, const sg_model *model, const sg_plan *plan, const char *path,
                 const sg_prune_opts *opts, sg_error *err);
void sg_prune_result_free(sg_prune_result *result);

/* ---- reports: strings, malloc-ed, sg_string_free ------------------------------------------------------ */

typedef struct sg_style {
    bool utf8;  /* block characters and dashes; else ASCII */
    int width;  /* columns; 0: 80 */
    bool color; /* ANSI colours; what they say, a word or a mark says too */
} sg_style;

int sg_inspect_json(const sg_model *model, char **out, sg_error *err);
int sg_inspect_table(const sg_model *model, const sg_style *style, char **out, sg_error *err);
int sg_score_json(const sg_model *model, const sg_score *score, char **out, sg_error *err);
/* plan: its layers are marked as the ones to remove; NULL: the lowest tenth is marked, of those that can go. */
int sg_score_table(const sg_model *model, const sg_score *score, const sg_plan *plan, const sg_style *style, char **out,
                   sg_error *err);
int sg_eval_json(const sg_eval *eval, char **out, sg_error *err);
/* A JSON object per item and entry, a line each: path, removed, task, id, lls, gold, pred, pred_norm. */
int sg_eval_items(const sg_eval *eval, char **out, sg_error *err);
int sg_eval_table(const sg_eval *eval, const sg_style *style, char **out, sg_error *err);
int sg_generation_json(const sg_model *model, const int *removed, size_t n_removed, const sg_generate_opts *opts,
                       const sg_generation *generation, char **out, sg_error *err);
/* What stands below the text. */
int sg_generation_table(const sg_model *model, const int *removed, size_t n_removed, const sg_generation *generation,
                        const sg_style *style, char **out, sg_error *err);
/* What a choice took and why. */
int sg_choice_table(const sg_model *model, const sg_choice *choice, const sg_style *style, char **out, sg_error *err);
int sg_compare_json(const sg_model *model, const sg_compare *compare, char **out, sg_error *err);
int sg_compare_table(const sg_model *model, const sg_compare *compare, const sg_style *style, char **out,
                     sg_error *err);
int sg_prune_json(const sg_plan *plan, const sg_prune_result *result, char **out, sg_error *err);
int sg_prune_table(const sg_plan *plan, const sg_prune_result *result, bool dry_run, const sg_style *style, char **out,
                   sg_error *err);
int sg_tokens_json(const sg_model *model, const sg_text *text, const sg_tokens *tokens, char **out, sg_error *err);
/* A line per token: the id, and unless ids_only a tab and the vocabulary's spelling as a JSON string. */
int sg_tokens_lines(const sg_model *model, const sg_tokens *tokens, bool ids_only, char **out, sg_error *err);
/* A self-contained HTML page of what sg_score_json, sg_eval_json or the comparison's JSON says, and that JSON itself.
 * command: how it came about, for the page. SG_ERR_USAGE: JSON of another schema. */
int sg_html_report(const char *json, const char *command, char **out, sg_error *err);
void sg_string_free(char *string);

/* What this build and this processor can do: oneDNN's version, the effective instruction set, what multiplies in
 * `auto` precision ("amx": the program's own kernel, "onednn"), bf16 or not. */
typedef struct sg_features {
    const char *version, *compiler, *onednn, *isa, *kernel, *json_c, *pcre2;
    bool native_bf16; /* --precision auto means bf16 */
} sg_features;
sg_features sg_get_features(void);
/* The same as JSON, schema "shortgpt/version/1"; malloc-ed, sg_string_free. */
int sg_features_json(char **out, sg_error *err);

#ifdef __cplusplus
}
#endif
#endif
