/* The layers' influence: the JSON object and the table of `score`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "report/parts.h"
#include "report/report.h"

/* ---- JSON --------------------------------------------------------------------------------------------- */

static bool put_calibration(json_object *obj, const sg_score *score, sg_error *err)
{
    json_object *c = json_object_new_object();
    if (sg_put_json_string(c, "source", score->source, err) &&
        sg_put_json_int(c, "tokens", (uint64_t)score->tokens, err) &&
        sg_put_json_int(c, "windows", (uint64_t)score->windows, err) &&
        sg_put_json_int(c, "window", (uint64_t)score->window, err) && sg_put_json_bool(c, "bos", score->bos, err) &&
        sg_put_json_int(c, "skipped", (uint64_t)score->skipped, err))
        return sg_json_put(obj, "calibration", c, err) == SG_OK;
    json_object_put(c);
    return false;
}

static bool put_layer(json_object *list, const sg_layer_score *s, sg_error *err)
{
    json_object *layer = json_object_new_object();
    if (sg_put_json_int(layer, "index", (uint64_t)s->index, err) && sg_put_json_number(layer, "bi", s->bi, err) &&
        sg_put_json_number(layer, "bi_low", s->bi_low, err) && sg_put_json_number(layer, "bi_high", s->bi_high, err) &&
        sg_put_json_number(layer, "relative_magnitude", s->relative_magnitude, err) &&
        sg_put_json_number(layer, "mixer_bi", s->mixer_bi, err) &&
        sg_put_json_number(layer, "ffn_bi", s->ffn_bi, err) && sg_put_json_number(layer, "value", s->value, err))
        return sg_json_append(list, layer, err) == SG_OK;
    json_object_put(layer);
    return false;
}

static bool put_layers(json_object *obj, const sg_score *score, sg_error *err)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < score->n_layers; i++)
        if (!put_layer(list, &score->layers[i], err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "layers", list, err) == SG_OK;
}

static bool put_half(json_object *list, const sg_half_score *s, sg_error *err)
{
    json_object *half = json_object_new_object();
    if (sg_put_json_int(half, "layer", (uint64_t)s->layer, err) &&
        sg_put_json_string(half, "half", s->ffn ? "ffn" : "mixer", err) &&
        sg_put_json_number(half, "value", s->value, err))
        return sg_json_append(list, half, err) == SG_OK;
    json_object_put(half);
    return false;
}

static bool put_halves(json_object *obj, const sg_score *score, sg_error *err)
{
    if (!score->halves)
        return true;
    json_object *list = json_object_new_array();
    for (int i = 0; i < score->n_halves; i++)
        if (!put_half(list, &score->halves[i], err)) {
            json_object_put(list);
            return false;
        }
    return sg_json_put(obj, "halves", list, err) == SG_OK;
}

static bool put_similarity(json_object *obj, const sg_score *score, sg_error *err)
{
    size_t n = (size_t)score->n_layers + 1;
    if (!score->similarity)
        return true;
    json_object *rows = json_object_new_array();
    for (size_t i = 0; i < n; i++) {
        json_object *row = json_object_new_array();
        bool ok = true;
        for (size_t j = 0; j < n && ok; j++)
            ok = sg_json_append(row, sg_json_number(score->similarity[i * n + j]), err) == SG_OK;
        if (!ok)
            json_object_put(row);
        if (!ok || sg_json_append(rows, row, err)) {
            json_object_put(rows);
            return false;
        }
    }
    return sg_json_put(obj, "similarity", rows, err) == SG_OK &&
           sg_put_json_int(obj, "similarity_positions", (uint64_t)score->similarity_positions, err);
}

int sg_report_score_json(const sg_model_info *info, const sg_score *score, char **out, sg_error *err)
{
    json_object *obj = json_object_new_object();
    bool ok = sg_put_json_string(obj, "schema", "shortgpt/score/1", err) && sg_put_json_model(obj, info, err) &&
              put_calibration(obj, score, err) &&
              sg_put_json_string(obj, "precision", sg_precision_name(score->precision), err) &&
              put_layers(obj, score, err) && sg_put_json_string(obj, "method", score->method, err) &&
              put_halves(obj, score, err) &&
              sg_put_json_layers(obj, "order", score->order, (size_t)score->n_layers, err) &&
              sg_put_json_int(obj, "chunks", (uint64_t)score->chunks, err) && put_similarity(obj, score, err) &&
              sg_put_json_number(obj, "seconds", score->seconds, err) &&
              sg_put_json_number(obj, "tokens_per_second", score->tokens_per_second, err);
    return sg_report_json_text(obj, ok, out, err);
}

/* ---- the table ---------------------------------------------------------------------------------------- */

/* Columns before the bar, and behind it room for " < remove". */
enum { BEFORE_BAR = 35, BEHIND_BAR = 9 };

static bool by_influence(const sg_score *score)
{
    return score->halves || !strcmp(score->method, sg_method_name(SG_METHOD_BI)); /* halves are listed apart */
}

static void put_head(sg_strbuf *b, const sg_model_info *info, const sg_score *score, const sg_glyphs *g,
                     const sg_style *style)
{
    sg_put_heading(b, by_influence(score) ? "Influence of each layer" : "The layers as a method orders them", style);
    sg_put_model(b, info, g);
    sg_put_key(b, "text");
    sg_put_clean(b, score->source);
    sg_strbuf_printf(b, " %s ", g->dot);
    sg_put_count(b, (uint64_t)score->tokens);
    sg_strbuf_printf(b, " tokens in %lld window%s of %d%s\n", (long long)score->windows, score->windows == 1 ? "" : "s",
                     score->window, score->bos ? ", each behind a BOS" : "");
    sg_put_key(b, "computed");
    sg_strbuf_printf(b, "in %s %s ", sg_precision_name(score->precision), g->dot);
    sg_put_seconds(b, score->seconds);
    sg_strbuf_printf(b, " %s ", g->dot);
    sg_put_count(b, score->tokens_per_second > 0 ? (uint64_t)(score->tokens_per_second + 0.5) : 0);
    sg_strbuf_printf(b, " tokens/s %s weights read ", g->dot);
    sg_strbuf_printf(b, score->chunks == 1 ? "once\n" : "%d times\n", score->chunks);
    if (score->skipped) {
        sg_put_key(b, "left out");
        sg_put_count(b, (uint64_t)score->skipped);
        sg_strbuf_puts(b, " positions where a vector was zero and has no direction\n");
    }
    if (by_influence(score)) {
        sg_strbuf_puts(b, "\n  Block Influence says how much a layer turns the stream of numbers that passes\n"
                          "  through it: 0 is not at all. The layer with rank 1 is the first to remove.\n");
        sg_strbuf_printf(b, "  %s is the interval over windows; a bar with %s is longer than the scale.\n\n",
                         g->interval, g->past);
    } else {
        sg_strbuf_printf(b, "\n  value: what %s goes by. The layer with rank 1 is the first to remove.\n\n",
                         score->method);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value at the end of the bars. A first or last layer often has ten times the influence of the rest, which must not
 * flatten them: the scale ends at the next round number behind four times the median, and longer bars say so. 0: no
 * memory. */
static double scale_of(const sg_score *score)
{
    size_t n = 0;
    double *sorted = sg_alloc((size_t)score->n_layers, sizeof *sorted);
    for (int i = 0; sorted && i < score->n_layers; i++)
        if (!isnan(score->layers[i].value))
            sorted[n++] = score->layers[i].value;
    if (!sorted || !n) {
        bool failed = !sorted;
        sg_free(sorted);
        return failed ? 0 : 1;
    }
    qsort(sorted, n, sizeof *sorted, ascending);
    double highest = sorted[n - 1], wanted = fmin(highest, 4 * sorted[n / 2]);
    sg_free(sorted);
    if (!(wanted > 0))
        return highest > 0 ? highest : 1;

    static const double round_numbers[] = {1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10};
    double power = pow(10, floor(log10(wanted)));
    for (size_t i = 0; i < SG_ARRAY_LEN(round_numbers); i++)
        if (round_numbers[i] * power >= wanted * (1 - 1e-12))
            return round_numbers[i] * power;
    return wanted;
}

/* "0 ... half ... end" above the bars, each number's last digit over its point of the scale. */
static void put_scale(sg_strbuf *b, double scale, int columns, bool influence, const sg_glyphs *g)
{
    int decimals = scale < 0.0095 ? 4 : scale < 0.095 ? 3 : 2;
    sg_strbuf_puts(b, influence ? "  layer  influence" : "  layer      value");
    sg_strbuf_pad(b, influence ? g->interval : "", -9);
    sg_strbuf_puts(b, "  rank  0");
    sg_put_padded_fixed(b, scale / 2, decimals, -(columns / 2 - 1));
    sg_put_padded_fixed(b, scale, decimals, -(columns - columns / 2));
    sg_strbuf_puts(b, "\n");
}

/* rank[layer] = 1 for the lowest influence ... */
static int *make_ranks(const sg_score *score)
{
    int *rank = sg_alloc_zero((size_t)score->n_layers, sizeof *rank);
    for (int i = 0; rank && i < score->n_layers; i++)
        rank[score->order[i]] = i + 1;
    return rank;
}

static bool contains(const int *list, size_t n, int value)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == value)
            return true;
    return false;
}

static void put_row(sg_strbuf *b, const sg_layer_score *s, int rank, const char *mark, double scale, int columns,
                    bool influence, const sg_glyphs *g)
{
    sg_strbuf_printf(b, "  %5d  ", s->index);
    sg_put_padded_fixed(b, s->value, 4, -9);
    if (influence)
        sg_put_padded_fixed(b, (s->bi_high - s->bi_low) / 2, 4, -9);
    else
        sg_strbuf_pad(b, "", 9);
    sg_strbuf_printf(b, "  %4d  ", rank);
    sg_put_bar(b, isnan(s->value) ? 0 : s->value, scale, columns, g);
    if (mark)
        sg_strbuf_printf(b, " %s %s", g->arrow, mark);
}

static void put_order(sg_strbuf *b, const sg_score *score)
{
    enum { SHOWN = 12 };
    sg_strbuf_puts(b, "\n  lowest first: ");
    int n = score->n_layers < SHOWN ? score->n_layers : SHOWN;
    for (int i = 0; i < n; i++)
        sg_strbuf_printf(b, "%s%d", i ? " " : "", score->order[i]);
    sg_strbuf_puts(b, n < score->n_layers ? " ...\n" : "\n");
}

/* The halves, in the order that removes them. */
static void put_halves_order(sg_strbuf *b, const sg_score *score)
{
    enum { SHOWN = 12 };
    sg_strbuf_puts(b, "\n  halves by ");
    sg_strbuf_printf(b, "%s, lowest first (m: mixer, f: feed-forward):\n ", score->method);
    for (int i = 0; i < score->n_halves && i < SHOWN; i++) {
        sg_strbuf_printf(b, " %d%c ", score->halves[i].layer, score->halves[i].ffn ? 'f' : 'm');
        sg_strbuf_fixed(b, score->halves[i].value, 4);
        sg_strbuf_puts(b, i == SHOWN / 2 - 1 ? "\n " : "");
    }
    sg_strbuf_puts(b, score->n_halves > SHOWN ? " ...\n" : "\n");
}

static void put_next(sg_strbuf *b, const sg_score *score, int lowest)
{
    sg_strbuf_printf(b, "  next:         shortgpt prune MODEL --remove %d%s%s -o OUT\n", lowest,
                     by_influence(score) ? "" : " --method ", by_influence(score) ? "" : score->method);
}

/* The rank up to which layers that can go are marked; `wanted` of them. *found: as many as there are */
static int last_marked(const sg_score *score, const sg_removable *removable, int wanted, int *found)
{
    int rank = 0;
    *found = 0;
    for (int i = 0; i < score->n_layers && *found < wanted; i++)
        if (!removable || removable->allowed[score->order[i]]) {
            rank = i + 1;
            ++*found;
        }
    return rank;
}

int sg_report_score_table(const sg_model_info *info, const sg_score *score, const int *removed, size_t n_removed,
                          const sg_removable *removable, const sg_style *style, char **out, sg_error *err)
{
    const sg_glyphs *g = sg_glyphs_of(style);
    const sg_ink *ink = sg_ink_of(style);
    int columns = sg_style_width(style) - BEFORE_BAR - BEHIND_BAR;
    columns = columns > 80 ? 80 : columns;
    double scale = scale_of(score);
    int *rank = make_ranks(score);
    sg_strbuf b = {.failed = !rank || scale == 0};

    put_head(&b, info, score, g, style);
    put_scale(&b, scale, columns, by_influence(score), g);
    int lowest = score->n_layers / 10 > 1 ? score->n_layers / 10 : 1, found;
    int last = last_marked(score, removable, lowest, &found);
    for (int i = 0; rank && i < score->n_layers; i++) {
        bool marked =
            n_removed ? contains(removed, n_removed, i) : rank[i] <= last && (!removable || removable->allowed[i]);
        sg_strbuf_puts(&b, marked ? ink->mark : "");
        put_row(&b, &score->layers[i], rank[i], marked ? n_removed ? "remove" : "lowest" : NULL, scale, columns,
                by_influence(score), g);
        sg_strbuf_puts(&b, marked ? ink->end : "");
        sg_strbuf_puts(&b, "\n");
    }
    put_order(&b, score);
    if (score->halves)
        put_halves_order(&b, score);
    else if (!n_removed && found && found < score->n_layers)
        put_next(&b, score, found);
    if (removable && !n_removed)
        sg_put_causes(&b, removable, style);
    sg_free(rank);
    return sg_strbuf_finish(&b, out, err);
}
