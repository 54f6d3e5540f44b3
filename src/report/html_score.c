/* The page of `score`. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "report/html.h"
#include "report/put.h"

static void put_model(sg_strbuf *b, json_object *model)
{
    sg_strbuf_puts(b, "<p class=\"soft\">");
    sg_html_text(b, sg_html_string(model, "path"));
    sg_strbuf_puts(b, " \xc2\xb7 ");
    sg_html_text(b, sg_html_string(model, "family"));
    sg_strbuf_printf(b, " \xc2\xb7 %.0f layers \xc2\xb7 ", sg_html_number(model, "layers"));
    sg_put_count(b, (uint64_t)sg_html_number(model, "parameters"));
    sg_strbuf_puts(b, " parameters \xc2\xb7 ");
    sg_put_bytes(b, (uint64_t)sg_html_number(model, "bytes"));
    sg_strbuf_puts(b, "</p>\n");
}

/* rank[layer], from 1 */
static void read_ranks(json_object *score, int *rank, size_t n)
{
    json_object *order = sg_json_get(score, "order");
    for (size_t i = 0; i < sg_html_length(order) && i < n; i++) {
        int layer = json_object_get_int(sg_html_item(order, i));
        if (layer >= 0 && (size_t)layer < n)
            rank[layer] = (int)i + 1;
    }
}

static void put_table(sg_strbuf *b, json_object *layers, const int *rank, int marked)
{
    static const char *const columns[] = {"Layer", "Rank",         "Influence",          "95% from", "95% to",
                                          "Mixer", "Feed-forward", "Relative magnitude", NULL};
    static const char *const keys[] = {"bi", "bi_low", "bi_high", "mixer_bi", "ffn_bi", "relative_magnitude"};
    sg_html_table(b, "Every layer; rank 1 is the first to remove", columns);
    for (size_t i = 0; i < sg_html_length(layers); i++) {
        json_object *layer = sg_html_item(layers, i);
        sg_strbuf_printf(b, "<tr%s><td>%zu</td><td>%d</td>", rank[i] <= marked ? " class=\"strong\"" : "", i, rank[i]);
        for (size_t k = 0; k < SG_ARRAY_LEN(keys); k++)
            sg_html_cell(b, sg_html_number(layer, keys[k]), 4);
        sg_strbuf_puts(b, "</tr>\n");
    }
    sg_html_table_end(b);
}

static void put_charts(sg_strbuf *b, json_object *layers, const int *rank, int marked)
{
    static const char *const whole[] = {"influence"}, *const halves[] = {"mixer", "feed-forward"};
    int n = (int)sg_html_length(layers);
    sg_mark *marks = sg_alloc((size_t)n * 2, sizeof *marks);
    char(*names)[16] = sg_alloc((size_t)n, sizeof *names);
    const char **labels = sg_alloc((size_t)n, sizeof *labels);
    bool *strong = sg_alloc((size_t)n, sizeof *strong);
    b->failed |= !marks || !names || !labels || !strong;
    for (int i = 0; !b->failed && i < n; i++) {
        json_object *layer = sg_html_item(layers, (size_t)i);
        snprintf(names[i], sizeof names[i], "%d", i);
        labels[i] = names[i];
        strong[i] = rank[i] <= marked;
        marks[i] =
            (sg_mark){sg_html_number(layer, "bi"), sg_html_number(layer, "bi_low"), sg_html_number(layer, "bi_high")};
    }
    if (!b->failed)
        sg_svg_dots(
            b, &(sg_dots_chart){"Influence by layer",
                                "Block Influence of each layer on a logarithmic scale: 0 would turn nothing. Bars are "
                                "95% intervals over windows; layers in bold are the tenth of lowest influence.",
                                whole, 1, n, labels, marks, strong, true, 4});
    for (int i = 0; !b->failed && i < n; i++) {
        json_object *layer = sg_html_item(layers, (size_t)i);
        marks[i] = (sg_mark){sg_html_number(layer, "mixer_bi"), (double)NAN, (double)NAN};
        marks[n + i] = (sg_mark){sg_html_number(layer, "ffn_bi"), (double)NAN, (double)NAN};
    }
    if (!b->failed)
        sg_svg_dots(
            b, &(sg_dots_chart){"Halves of each layer",
                                "How much the mixer (attention) and the feed-forward half turn the stream, each by "
                                "itself, on a logarithmic scale.",
                                halves, 2, n, labels, marks, strong, true, 4});
    sg_free(marks);
    sg_free(names);
    sg_free(labels);
    sg_free(strong);
}

void sg_html_score(sg_strbuf *b, json_object *score)
{
    json_object *layers = sg_json_get(score, "layers"), *similarity = sg_json_get(score, "similarity");
    size_t n = sg_html_length(layers);
    int *rank = sg_alloc_zero(n, sizeof *rank), marked = n >= 20 ? (int)n / 10 : 1;
    put_model(b, sg_json_get(score, "model"));
    sg_strbuf_puts(
        b, "<p>Block Influence is 1 minus the mean cosine of the vectors that enter a layer and leave it. A layer "
           "that hardly turns the stream has an influence near 0 and is the first to remove. It says nothing of "
           "layers that need each other: evaluate what you remove.</p>\n");
    b->failed |= !rank;
    if (rank) {
        read_ranks(score, rank, n);
        put_charts(b, layers, rank, marked);
    }
    if (similarity) {
        char text[256];
        snprintf(text, sizeof text,
                 "Mean cosine of the stream at every two layer boundaries, over %.0f positions. 0 is the input, i the "
                 "stream after i layers. A bright square is a run of layers that leaves the stream much as it was.",
                 sg_html_number(score, "similarity_positions"));
        sg_svg_heat(b, "Similarity of layer boundaries", text, similarity);
    }
    if (rank)
        put_table(b, layers, rank, marked);
    sg_free(rank);
}
