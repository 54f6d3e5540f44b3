/* Tables and JSON of results that are made by hand: what SmolLM2-135M's look like, and the odd cases. SG_SHOW=1 prints them. */
#include "sg_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/strbuf.h"
#include "report/put.h"
#include "report/report.h"

/* Makes the n-th allocation fail; 0: none. */
static int fail_at;

int sg_test_fault(const char *operation);
int sg_test_fault(const char *operation)
{
    return !strcmp(operation, "alloc") && fail_at && --fail_at == 0;
}

/* BI of SmolLM2-135M-Instruct on Middlemarch, and their order. */
static const double influence[30] = {0.9898, 0.1833, 0.0403, 0.0329, 0.0342, 0.0360, 0.0373, 0.0406, 0.0520, 0.0397,
                                     0.0494, 0.0406, 0.0302, 0.0271, 0.0243, 0.0291, 0.0327, 0.0262, 0.0407, 0.0469,
                                     0.0642, 0.0520, 0.0474, 0.0557, 0.1444, 0.0266, 0.0308, 0.0457, 0.0510, 0.2771};
static const int order[30] = {14, 17, 25, 13, 15, 12, 26, 16, 3,  4, 5, 6,  9,  2,  7,
                              11, 18, 27, 19, 22, 10, 28, 8,  21, 23, 20, 24, 1, 29, 0};

static const sg_model_info info = {
    .path = "smollm2.gguf", .format = SG_FORMAT_GGUF, .format_name = "gguf", .family = "llama", .architecture = "llama",
    .name = "SmolLM2 135M Instruct", .weight_types = "Q4_1, Q6_K, F32", .layers = 30, .hidden = 576, .vocab = 49152, .n_heads = 9,
    .n_kv_heads = 3, .head_dim = 64, .intermediate = 1536, .max_positions = 8192, .rope_theta = 100000, .tied = true,
    .parameters = 134515008, .bytes = 96609024, .fingerprint = "0123456789abcdef0123456789abcdef",
};

static sg_layer_score layers[30];

/* The first stays, 14 and 17 go in a set only. */
static const char *why[30];
static bool alone[30], allowed[30];
static int cause[30];
static const sg_removable removable = {.layers = 30, .n_allowed = 29, .alone = alone, .allowed = allowed, .why = why, .cause = cause};

static void fill_removable(void)
{
    for (int i = 0; i < 30; i++) {
        bool set = i == 14 || i == 17;
        why[i] = i == 0 ? "layer 0 has to stay: it alone has the norm behind the embedding" : set ? "not alone: \033[31many 4 in a row can go, such as 12-15, since which layers have "
                 "no rotary embedding is said by a layer's number alone" : NULL;
        alone[i] = !why[i];
        allowed[i] = i != 0;
        cause[i] = i == 0 ? 0 : set ? 1 : -1;
    }
}

static sg_score make_score(void)
{
    for (int i = 0; i < 30; i++)
        layers[i] = (sg_layer_score){.index = i, .bi = influence[i], .value = influence[i], .bi_low = influence[i] * 0.97, .bi_high = influence[i] * 1.03,
                                     .relative_magnitude = 0.3, .mixer_bi = 0.01, .ffn_bi = NAN};
    return (sg_score){.method = "bi", .source = "embedded", .tokens = 12288, .windows = 24, .window = 512, .precision = SG_PRECISION_BF16, .n_layers = 30,
                      .layers = layers, .order = order, .chunks = 1, .seconds = 9.25, .tokens_per_second = 12288 / 9.25};
}

/* Every line fits, and ASCII is ASCII. */
static void check_table(const char *name, const char *table, const sg_style *style)
{
    if (getenv("SG_SHOW"))
        printf("%s\n%s\n", name, table);
    size_t width = style->width ? (size_t)style->width : 80;
    sg_strbuf line = {0};
    for (const char *at = table; *at;) {
        size_t n = strcspn(at, "\n");
        line.n = 0;
        sg_strbuf_add(&line, at, n);
        if (sg_utf8_columns(line.data) > width)
            fail_msg("%s: %zu columns, not %zu: %s", name, sg_utf8_columns(line.data), width, line.data);
        if (n && line.data[n - 1] == ' ')
            fail_msg("%s: blanks at the end of: %s", name, line.data);
        for (size_t i = 0; i < n; i++)
            if (!style->utf8 && (line.data[i] & 0x80))
                fail_msg("%s: not ASCII: %s", name, line.data);
        at += n + (at[n] == '\n');
    }
    sg_strbuf_free(&line);
}

static const sg_style styles[] = {{.utf8 = true}, {.utf8 = false}, {.utf8 = true, .width = 120}, {.utf8 = true, .width = 80}};

static void test_score_table(void **state)
{
    (void)state;
    sg_score score = make_score();
    static const int removed[] = {14, 17, 25};
    for (size_t i = 0; i < SG_ARRAY_LEN(styles); i++) {
        char *table = NULL;
        assert_int_equal(sg_report_score_table(&info, &score, NULL, 0, NULL, &styles[i], &table, NULL), SG_OK);
        check_table("score", table, &styles[i]);
        assert_non_null(strstr(table, "lowest first: 14 17 25 13 15 12 26 16 3 4"));
        assert_non_null(strstr(table, "12,288 tokens in 24 windows of 512"));
        assert_non_null(strstr(table, "0.9898"));
        sg_free(table);
        assert_int_equal(sg_report_score_table(&info, &score, removed, 3, NULL, &styles[i], &table, NULL), SG_OK);
        check_table("score, removed", table, &styles[i]);
        assert_non_null(strstr(table, "remove\n"));
        sg_free(table);
        static const int upwards[30] = {0, 17, 25, 14, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 18, 19, 20, 21, 22, 23, 24, 26, 27, 28, 29};
        sg_score from_first = score;
        from_first.order = upwards;
        fill_removable();
        assert_int_equal(sg_report_score_table(&info, &from_first, NULL, 0, &removable, &styles[i], &table, NULL), SG_OK);
        check_table("score, some stay", table, &styles[i]);
        int marked = 0;
        for (const char *mark = table; (mark = strstr(mark, "lowest\n")); mark++)
            marked++;
        assert_int_equal(marked, 3);
        assert_non_null(strstr(table, "--remove 3"));
        assert_non_null(strstr(table, "  [1] 0: layer 0 has to stay"));
        assert_non_null(strstr(table, "  [2] 14,17 (as of 14): not alone"));
        sg_free(table);
    }
}

/* One layer, one window, influence 0: nothing divides by it. */
static void test_score_table_degenerate(void **state)
{
    (void)state;
    static const sg_layer_score one = {.bi = 0, .bi_low = NAN, .bi_high = NAN, .mixer_bi = NAN, .ffn_bi = NAN};
    static const int first = 0;
    sg_model_info tiny = info;
    tiny.layers = 1;
    sg_score score = {.method = "bi", .source = "a\033[2Jb", .tokens = 2, .windows = 1, .window = 2, .bos = true, .skipped = 3, .precision = SG_PRECISION_F32,
                      .n_layers = 1, .layers = &one, .order = &first, .chunks = 2};
    char *text = NULL;
    assert_int_equal(sg_report_score_table(&tiny, &score, NULL, 0, NULL, &styles[0], &text, NULL), SG_OK);
    check_table("degenerate", text, &styles[0]);
    assert_null(strchr(text, '\033'));
    sg_free(text);

    assert_int_equal(sg_report_score_json(&tiny, &score, &text, NULL), SG_OK);
    json_object *obj;
    assert_int_equal(sg_json_parse(&obj, text, strlen(text), "score", NULL), SG_OK);
    json_object *layer = json_object_array_get_idx(sg_json_get(obj, "layers"), 0), *value;
    assert_true(json_object_object_get_ex(layer, "bi_low", &value) && !value);
    assert_true(json_object_object_get_ex(layer, "ffn_bi", &value) && !value);
    json_object_put(obj);
    sg_free(text);
}

static void check_keys(json_object *obj, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!json_object_object_get_ex(obj, keys[i], NULL))
            fail_msg("key %s is missing", keys[i]);
}

static void test_score_json(void **state)
{
    (void)state;
    static const char *const keys[] = {"schema", "model", "calibration", "precision", "layers", "order", "chunks", "seconds", "tokens_per_second"};
    static const char *const model_keys[] = {"path", "format", "family", "architecture", "layers", "hidden", "parameters", "bytes"};
    static const char *const calibration_keys[] = {"source", "tokens", "windows", "window", "bos", "skipped"};
    static const char *const layer_keys[] = {"index", "bi", "bi_low", "bi_high", "relative_magnitude", "mixer_bi", "ffn_bi"};
    sg_score score = make_score();
    char *text = NULL;
    assert_int_equal(sg_report_score_json(&info, &score, &text, NULL), SG_OK);
    json_object *obj;
    assert_int_equal(sg_json_parse(&obj, text, strlen(text), "score", NULL), SG_OK);
    check_keys(obj, keys, SG_ARRAY_LEN(keys));
    check_keys(sg_json_get(obj, "model"), model_keys, SG_ARRAY_LEN(model_keys));
    check_keys(sg_json_get(obj, "calibration"), calibration_keys, SG_ARRAY_LEN(calibration_keys));
    check_keys(json_object_array_get_idx(sg_json_get(obj, "layers"), 29), layer_keys, SG_ARRAY_LEN(layer_keys));
    assert_string_equal(json_object_get_string(sg_json_get(obj, "schema")), "shortgpt/score/1");
    assert_string_equal(json_object_get_string(sg_json_get(obj, "precision")), "bf16");
    assert_int_equal(json_object_get_int(json_object_array_get_idx(sg_json_get(obj, "order"), 2)), 25);
    json_object_put(obj);
    sg_free(text);
}

static void test_inspect(void **state)
{
    (void)state;
    sg_layer_info each[30];
    fill_removable();
    for (int i = 0; i < 30; i++)
        each[i] = (sg_layer_info){.index = i, .kind = "full attention", .parameters = i == 3 ? 7 : 3540096, .bytes = 2212560};
    for (size_t i = 0; i < SG_ARRAY_LEN(styles); i++) {
        char *table = NULL;
        assert_int_equal(sg_report_inspect_table(&info, each, &removable, &styles[i], &table, NULL), SG_OK);
        check_table("inspect", table, &styles[i]);
        assert_null(strchr(table, '\033'));
        assert_non_null(strstr(table, "MB  no [1]\n"));
        assert_non_null(strstr(table, "  [1] 0: layer 0 has to stay"));
        assert_non_null(strstr(table, "  1-2 "));
        assert_non_null(strstr(table, "  18-29 "));
        sg_free(table);
    }
    sg_model_info odd = info;
    odd.path = "caf\xe9.gguf"; /* not UTF-8, as a path may be */
    char *text = NULL;
    assert_int_equal(sg_report_inspect_json(&odd, each, &removable, &text, NULL), SG_OK);
    json_object *obj;
    assert_int_equal(sg_json_parse(&obj, text, strlen(text), "inspect", NULL), SG_OK);
    assert_string_equal(json_object_get_string(sg_json_get(sg_json_get(obj, "model"), "path")), "caf\xef\xbf\xbd.gguf");
    assert_int_equal(json_object_array_length(sg_json_get(obj, "layers")), 30);
    json_object *first = json_object_array_get_idx(sg_json_get(obj, "layers"), 0), *second = json_object_array_get_idx(sg_json_get(obj, "layers"), 1), *reason;
    assert_false(json_object_get_boolean(sg_json_get(first, "removable")));
    assert_string_equal(json_object_get_string(sg_json_get(first, "reason")), why[0]);
    assert_true(json_object_get_boolean(sg_json_get(second, "removable")));
    assert_true(json_object_object_get_ex(second, "reason", &reason) && !reason);
    json_object_put(obj);
    sg_free(text);
}

static void test_eval(void **state)
{
    (void)state;
    static const int removed[] = {14, 17, 25};
    static const sg_perplexity before[] = {
        {.source = "embedded", .window = 1024, .tokens = 11264, .windows = 11, .ppl = 22.746, .ppl_low = 20.01, .ppl_high = 25.86, .kl = NAN},
        {.source = "b.txt", .window = 1024, .bos = true, .tokens = 1024, .windows = 1, .ppl = 1234.5, .ppl_low = NAN, .ppl_high = NAN, .kl = NAN}};
    static const sg_perplexity after[] = {
        {.source = "embedded", .window = 1024, .tokens = 11264, .windows = 11, .ppl = 38.68, .ppl_low = 33.9, .ppl_high = 44.1, .kl = 0.5312, .kl_p99 = 3.25, .top1 = 0.815},
        {.source = "b.txt", .window = 1024, .bos = true, .tokens = 1024, .windows = 1, .ppl = INFINITY, .ppl_low = NAN, .ppl_high = NAN}};
    const sg_eval_entry entries[] = {
        {.path = "smollm2.gguf", .layers = 30, .parameters = 134515008, .bytes = 96609024, .perplexity = before, .n_perplexity = 2},
        {.path = "smollm2.gguf", .removed = removed, .n_removed = 3, .layers = 27, .parameters = 123894720, .bytes = 89971344,
         .perplexity = after, .n_perplexity = 2},
        {.path = "other.gguf", .layers = 30, .parameters = 134515008, .bytes = 96609024, .perplexity = before, .n_perplexity = 2},
    };
    for (size_t n = 1; n <= 3; n++) {
        sg_eval eval = {.precision = SG_PRECISION_F32, .seconds = 12.5, .entries = entries, .n_entries = n};
        for (size_t i = 0; i < SG_ARRAY_LEN(styles); i++) {
            char *table = NULL;
            assert_int_equal(sg_eval_table(&eval, &styles[i], &table, NULL), SG_OK);
            check_table("eval", table, &styles[i]);
            assert_true(n < 2 || strstr(table, "+70.1%"));
            assert_true(n < 2 || strstr(table, "without layers 14,17,25"));
            assert_true(n != 2 || (strstr(table, "0.5312") && strstr(table, "3.2500") && strstr(table, "81.5%")));
            sg_free(table);
        }
        char *text = NULL;
        assert_int_equal(sg_eval_json(&eval, &text, NULL), SG_OK);
        json_object *obj;
        assert_int_equal(sg_json_parse(&obj, text, strlen(text), "eval", NULL), SG_OK);
        static const char *const keys[] = {"path", "fingerprint", "removed", "layers", "parameters", "bytes", "perplexity", "tasks"};
        static const char *const text_keys[] = {"source", "window", "bos", "tokens", "ppl", "ppl_low", "ppl_high", "kl", "kl_p99", "top1"};
        json_object *models = sg_json_get(obj, "models");
        assert_int_equal(json_object_array_length(models), n);
        json_object *last = json_object_array_get_idx(models, n - 1);
        check_keys(last, keys, SG_ARRAY_LEN(keys));
        check_keys(json_object_array_get_idx(sg_json_get(last, "perplexity"), 1), text_keys, SG_ARRAY_LEN(text_keys));
        json_object_put(obj);
        sg_free(text);
    }
}

static void test_choice(void **state)
{
    (void)state;
    static const int chosen[] = {14, 17};
    static const sg_choice_step steps[] = {
        {.n = 1, .unit = 14, .value = 3.0511, .ppl = 24.9, .bytes = 94396000, .speedup = NAN},
        {.n = 2, .unit = 17, .value = 3.2511, .ppl = 1313.6, .bytes = 92183000, .speedup = 1.05},
        {.n = 3, .unit = -1, .value = NAN, .ppl = INFINITY, .bytes = 89971000, .speedup = NAN}};
    const sg_choice choice = {.method = SG_METHOD_GREEDY, .removed = chosen, .n_removed = 2, .steps = steps, .n_steps = 3,
                              .base_ppl = 22.7, .why = "2 layers, as asked", .source = "a\033[2Jb", .tokens = 4096, .windows = 8,
                              .window = 512};
    for (size_t i = 0; i < SG_ARRAY_LEN(styles); i++) {
        char *table = NULL;
        assert_int_equal(sg_report_choice_table(&info, &choice, &styles[i], &table, NULL), SG_OK);
        check_table("choice", table, &styles[i]);
        assert_non_null(strstr(table, "remove      14,17\n"));
        assert_non_null(strstr(table, "2 layers, as asked"));
        assert_null(strstr(table, "\033[2J"));
        sg_free(table);
    }
}

/* Three methods: the best is marked where they differ and not near chance; a long number stays in its column. */
static void test_compare_tasks(void **state)
{
    (void)state;
    static const sg_item_score items[] = {{.id = "0", .gold = 1, .pred = 1}, {.id = "1", .gold = 0, .pred = 0}};
    static const int removed[] = {14};
    sg_task_score whole = {.name = "piqa", .n = 2, .acc = {.value = 1, .error = 0.1}, .acc_norm = {.value = 0.9, .error = 0.2}, .perplexity = 3.5,
                           .chance = 0.5, .items = items}, best = whole, worse = whole, near = whole;
    best.acc.value = 0.75;
    worse.acc.value = 0.625;
    near.acc = (sg_accuracy){.value = 0.5, .near_chance = true};
    worse.perplexity = 11339520426;
    const sg_perplexity ppl = {.source = "b.txt", .window = 1024, .tokens = 1023, .windows = 1, .ppl = 22.7};
    const sg_compare_point points[] = {{.n = 1, .removed = removed, .perplexity = &ppl, .n_perplexity = 1, .tasks = &best, .n_tasks = 1},
                                       {.n = 1, .removed = removed, .perplexity = &ppl, .n_perplexity = 1, .tasks = &worse, .n_tasks = 1},
                                       {.n = 1, .removed = removed, .perplexity = &ppl, .n_perplexity = 1, .tasks = &near, .n_tasks = 1}};
    const sg_compare_method methods[] = {{SG_METHOD_BI, &points[0], 1}, {SG_METHOD_REVERSE, &points[1], 1}, {SG_METHOD_RANDOM, &points[2], 1}};
    const sg_compare_speeds speeds[] = {{0, NULL, {256, 8, 3, 1000, 40, 300000000}}, {1, removed, {256, 8, 3, 1100, 50, 290000000}}};
    const sg_compare compare = {.source = "a.txt", .methods = methods, .n_methods = 3, .tasks = &whole, .n_tasks = 1, .speeds = speeds, .n_speeds = 2};
    static const char *const words[] = {"1      75.0*      62.5       50.0~\n", "1      3.50*    11.3 B       3.50*\n",
                                        "1     22.70      22.70      22.70\n", "right (acc), in %; of the whole model 100.0, standard error 10.0", "right (acc_norm), in %; of the whole model 90.0, standard error 20.0",
                                        "1              1100   +10.0%              50.0   +25.0%    290.0 MB\n"};
    char *text = NULL;
    for (size_t i = 0; i < SG_ARRAY_LEN(styles); i++) {
        if (styles[i].color)
            continue;
        assert_int_equal(sg_report_compare_table(&info, &compare, &styles[i], &text, NULL), SG_OK);
        check_table("compare, tasks", text, &styles[i]);
        for (size_t j = 0; j < SG_ARRAY_LEN(words); j++)
            if (!strstr(text, words[j]))
                fail_msg("no \"%s\" in:\n%s", words[j], text);
        sg_free(text);
    }
}

/* Two methods at two counts; of halves unit 29 is layer 14's feed-forward. */
static void test_compare(void **state)
{
    (void)state;
    static const int one[] = {14}, halves[] = {28, 29, 31};
    static const sg_perplexity whole = {.source = "b.txt", .window = 1024, .tokens = 1023, .windows = 1, .ppl = 22.7},
                               worse = {.source = "b.txt", .window = 1024, .tokens = 1023, .windows = 1, .ppl = 38.71},
                               worst = {.source = "b.txt", .window = 1024, .tokens = 1023, .windows = 1, .ppl = INFINITY};
    const sg_compare_point bi[] = {{.n = 0, .removed = one, .perplexity = &whole, .n_perplexity = 1},
                                   {.n = 1, .removed = one, .perplexity = &worse, .n_perplexity = 1}},
                           other[] = {{.n = 0, .removed = one, .perplexity = &whole, .n_perplexity = 1},
                                      {.n = 1, .removed = one, .perplexity = &worst, .n_perplexity = 1}},
                           half[] = {{.n = 3, .removed = halves, .perplexity = &whole, .n_perplexity = 1}};
    const sg_compare_method methods[] = {{SG_METHOD_BI, bi, 2}, {SG_METHOD_RELATIVE_MAGNITUDE, other, 2}};
    const sg_compare_method of_halves = {SG_METHOD_GREEDY, half, 1};
    const sg_compare layers_ = {.source = "a.txt", .tokens = 16384, .windows = 32, .window = 512, .methods = methods, .n_methods = 2},
                     halves_ = {.halves = true, .methods = &of_halves, .n_methods = 1};
    char *text = NULL;
    for (size_t i = 0; i < SG_ARRAY_LEN(styles); i++) {
        assert_int_equal(sg_report_compare_table(&info, &layers_, &styles[i], &text, NULL), SG_OK);
        check_table("compare", text, &styles[i]);
        assert_non_null(strstr(text, "38.71*"));
        sg_free(text);
    }
    json_object *obj;
    assert_int_equal(sg_report_compare_json(&info, &layers_, &text, NULL), SG_OK);
    assert_int_equal(sg_json_parse(&obj, text, strlen(text), "compare", NULL), SG_OK);
    static const char *const keys[] = {"schema", "model", "calibration", "precision", "granularity", "methods", "subsets", "tasks", "speeds", "seconds"};
    static const char *const point_keys[] = {"n", "removed", "parameters", "bytes", "perplexity", "tasks"};
    check_keys(obj, keys, SG_ARRAY_LEN(keys));
    json_object *points = sg_json_get(json_object_array_get_idx(sg_json_get(obj, "methods"), 1), "points");
    check_keys(json_object_array_get_idx(points, 1), point_keys, SG_ARRAY_LEN(point_keys));
    json_object_put(obj);
    sg_free(text);

    assert_int_equal(sg_report_compare_json(&info, &halves_, &text, NULL), SG_OK);
    assert_int_equal(sg_json_parse(&obj, text, strlen(text), "compare", NULL), SG_OK);
    json_object *value, *point = json_object_array_get_idx(sg_json_get(json_object_array_get_idx(sg_json_get(obj, "methods"), 0), "points"), 0);
    assert_true(json_object_object_get_ex(obj, "calibration", &value) && !value);
    assert_int_equal(json_object_array_length(sg_json_get(point, "removed_mixers")), 1);
    assert_int_equal(json_object_get_int(json_object_array_get_idx(sg_json_get(point, "removed_ffns"), 1)), 15);
    json_object_put(obj);
    sg_free(text);
}

static void test_prune(void **state)
{
    (void)state;
    static const int remove_[] = {14, 17, 25}, keep[27] = {0};
    static char *left_out[] = {"pytorch_model.bin", ".git"};
    const sg_plan plan = {.layers = 30, .method = "bi", .remove = remove_, .n_remove = 3, .keep = keep, .n_keep = 27};
    const sg_prune_result result = {.out = "build/demo/smaller.gguf", .layers_before = 30, .layers_after = 27, .parameters_before = 134515008,
                                    .parameters_after = 123894720, .bytes_before = 96609024, .bytes_after = 89971344,
                                    .file_bytes_before = 98362432, .file_bytes_after = 91722336, .bytes_needed = 91722336,
                                    .tensors_removed = 27, .tensors_kept = 245, .left_out = left_out, .n_left_out = 2, .seconds = 1.5};
    for (int dry = 0; dry < 2; dry++) {
        char *table = NULL;
        assert_int_equal(sg_prune_table(&plan, &result, dry, &styles[0], &table, NULL), SG_OK);
        check_table("prune", table, &styles[1]);
        assert_non_null(strstr(table, dry ? "Would remove 3 of 30 layers: 14,17,25" : "Removed 3 of 30 layers: 14,17,25"));
        sg_free(table);
    }
    char *text = NULL;
    assert_int_equal(sg_prune_json(&plan, &result, &text, NULL), SG_OK);
    assert_non_null(strstr(text, "shortgpt/prune/1"));
    sg_free(text);
}

/* Each allocation of each report fails in turn: an error, no string, nothing leaked (the sanitizers look). */
static void test_no_memory(void **state)
{
    (void)state;
    enum { REPORTS = 8 };
    static const int removed[] = {14, 17, 25};
    static char *left_out[] = {"x.bin"};
    const sg_perplexity perplexity = {.source = "embedded", .ppl = 2, .ppl_low = 1, .ppl_high = 3};
    const sg_eval_entry entry = {.path = "m", .removed = removed, .n_removed = 3, .perplexity = &perplexity, .n_perplexity = 1};
    const sg_eval eval = {.precision = SG_PRECISION_F32, .entries = &entry, .n_entries = 1};
    const sg_plan plan = {.layers = 30, .method = "bi", .remove = removed, .n_remove = 3};
    const sg_prune_result result = {.out = "o", .left_out = left_out, .n_left_out = 1};
    sg_score score = make_score();
    sg_layer_info each[30];
    fill_removable();
    for (int i = 0; i < 30; i++)
        each[i] = (sg_layer_info){.index = i, .kind = "full attention"};
    for (int report = 0; report < REPORTS; report++) {
        int rc = SG_ERR_NOMEM;
        for (int n = 1; rc; n++) {
            char *text = NULL;
            sg_error err = {0};
            fail_at = n;
            switch (report) {
            case 0: rc = sg_report_inspect_json(&info, each, &removable, &text, &err); break;
            case 1: rc = sg_report_inspect_table(&info, each, &removable, &styles[0], &text, &err); break;
            case 2: rc = sg_report_score_json(&info, &score, &text, &err); break;
            case 3: rc = sg_report_score_table(&info, &score, removed, 3, NULL, &styles[0], &text, &err); break;
            case 4: rc = sg_eval_json(&eval, &text, &err); break;
            case 5: rc = sg_eval_table(&eval, &styles[0], &text, &err); break;
            case 6: rc = sg_prune_json(&plan, &result, &text, &err); break;
            default: rc = sg_prune_table(&plan, &result, false, &styles[0], &text, &err); break;
            }
            fail_at = 0;
            if (rc && (rc != SG_ERR_NOMEM || err.code != SG_ERR_NOMEM || text))
                fail_msg("report %d, allocation %d: code %d, %s", report, n, rc, err.message);
            sg_free(text);
        }
    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct { double value; int decimals; const char *text; } fixed[] = {
        {0, 2, "0.00"}, {1.005, 0, "1"}, {-0.001, 2, "0.00"}, {-1.25, 1, "-1.3"}, {0.05, 1, "0.1"}, {99.999, 2, "100.00"},
        {NAN, 2, "-"}, {INFINITY, 2, "-"}, {1e300, 0, NULL}, {123456789.5, 4, "123456789.5000"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(fixed); i++) {
        sg_strbuf b = {0};
        sg_strbuf_fixed(&b, fixed[i].value, fixed[i].decimals);
        if (fixed[i].text)
            assert_string_equal(b.data, fixed[i].text);
        sg_strbuf_free(&b);
    }
    static const struct { sg_put_u64 *put; uint64_t n; const char *text; } counts[] = {
        {sg_put_count, 0, "0"}, {sg_put_count, 1234567, "1,234,567"}, {sg_put_count, 1000, "1,000"}, {sg_put_bytes, 999, "999 B"},
        {sg_put_bytes, 1000, "1.00 kB"}, {sg_put_bytes, 98362432, "98.4 MB"}, {sg_put_bytes, 999999, "1.00 MB"},
        {sg_put_short, 134515008, "134.5 M"}, {sg_put_count, UINT64_MAX, "18,446,744,073,709,551,615"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(counts); i++) {
        sg_strbuf b = {0};
        counts[i].put(&b, counts[i].n);
        assert_string_equal(b.data, counts[i].text);
        sg_strbuf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score_table), cmocka_unit_test(test_score_table_degenerate), cmocka_unit_test(test_score_json),
        cmocka_unit_test(test_inspect), cmocka_unit_test(test_eval), cmocka_unit_test(test_prune), cmocka_unit_test(test_choice), cmocka_unit_test(test_compare), cmocka_unit_test(test_compare_tasks), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
