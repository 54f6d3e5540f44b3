/* Files of tasks that are not what they should be, CSV, Python's string methods, and the numbers made of scores. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "sg_test.h"
#include "tasks/csv.h"
#include "tasks/python.h"
#include "tasks/score.h"
#include "tasks/text.h"

static char path[64];

static void put_file(const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_rejects(void **state)
{
    (void)state;
    static const struct {
        const char *name, *task, *text;
        int code;
        const char *says;
    } bad[] = {
        {"empty", "boolq", "", SG_ERR_FORMAT, "has no items"},
        {"not UTF-8", "boolq", "{\"a\": \"\xff\"}", SG_ERR_FORMAT, "byte 7 is not UTF-8"},
        {"half a line", "boolq", "{\"passage\": \"a\"", SG_ERR_FORMAT, "line 1"},
        {"second line", "lambada_openai", "{\"text\": \"a b\"}\n\n[1]x\n", SG_ERR_FORMAT, "line 3"},
        {"a key is missing", "boolq", "{\"passage\": \"a\", \"label\": true}", SG_ERR_FORMAT, "\"question\" is missing"},
        {"another type", "boolq", "{\"passage\": 3, \"question\": \"b\", \"label\": true}", SG_ERR_FORMAT, "\"passage\" must be a string"},
        {"no answer", "boolq", "{\"passage\": \"a\", \"question\": \"b\"}", SG_ERR_FORMAT, "the right answer, is missing"},
        {"an answer of another task", "boolq", "{\"passage\": \"a\", \"question\": \"b\", \"label\": 2}", SG_ERR_FORMAT, "none of the 2"},
        {"a 0 character", "lambada_openai", "{\"text\": \"a \\u0000b\"}", SG_ERR_FORMAT, "0 character"},
        {"one word", "lambada_openai", "{\"text\": \"word\"}", SG_ERR_FORMAT, "one word"},
        {"no blank", "winogrande", "{\"sentence\": \"s\", \"option1\": \"a\", \"option2\": \"b\", \"answer\": \"1\"}", SG_ERR_FORMAT, "no blank"},
        {"answer key", "arc_easy", "{\"question\": \"q\", \"choices\": {\"text\": [\"a\", \"b\"], \"label\": [\"A\", \"B\"]}, \"answerKey\": \"C\"}",
         SG_ERR_FORMAT, "no option's label"},
        {"labels and texts", "arc_easy", "{\"question\": \"q\", \"choices\": {\"text\": [\"a\", \"b\"], \"label\": [\"A\"]}, \"answerKey\": \"A\"}",
         SG_ERR_FORMAT, "2 texts and 1 labels"},
        {"pronoun behind the end", "wsc273", "{\"text\": \"a b\", \"pronoun\": \"b\", \"pronoun_loc\": 9, \"options\": [\"a\", \"c\"], \"label\": 0}",
         SG_ERR_FORMAT, "a place of the pronoun"},
        {"no pronoun", "wsc273", "<c><schema><text><txt1>a</txt1></text><answers></answers><correctAnswer>A</correctAnswer></schema></c>",
         SG_ERR_FORMAT, "schema 1: has no <pron>"},
        {"one answer", "wsc273",
         "<schema><text><pron>a</pron></text><answers><answer>b</answer></answers><correctAnswer>A</correctAnswer></schema>", SG_ERR_FORMAT,
         "fewer than two <answer>"},
        {"no letter", "wsc273", "<schema><text></text><answers></answers><correctAnswer> C. </correctAnswer></schema>", SG_ERR_FORMAT, "A or B"},
        {"no schema", "wsc273", "<html><schema></html>", SG_ERR_FORMAT, "has no items"},
        {"no idiom", "chid", "{\"content\": \"a\", \"candidates\": [\"b\", \"c\"], \"answer\": 0}", SG_ERR_FORMAT, "no #idiom#"},
        {"c3 is no list", "c3", "[{\"a\": 1}]", SG_ERR_FORMAT, "must be a list"},
        {"c3's answer", "c3", "[[[\"a\"], [{\"question\": \"q\", \"choice\": [\"x\", \"y\"], \"answer\": \"z\"}], \"1\"]]", SG_ERR_FORMAT,
         "none of the choices"},
        {"race's letters", "race", "{\"example_id\": \"1\", \"article\": \"a\", \"question\": \"q\", \"options\": [\"a\", \"b\", \"c\", \"d\"], \"answer\": \"E\"}",
         SG_ERR_FORMAT, "not A to D"},
        {"null in a line", "boolq", "{\"passage\": \"a\", \"question\": \"b\", \"label\": 1}\nnull\n", SG_ERR_FORMAT, "line 2: is null"},
        {"null in a list", "boolq", "[null]", SG_ERR_FORMAT, "item 0: \"passage\" is missing"},
        {"race's row is no object", "race", "[\"x\"]", SG_ERR_FORMAT, "row 1: must be an object"},
        {"race's problems are no list", "race", "[{\"article\": \"a\", \"problems\": 3}]", SG_ERR_FORMAT, "\"problems\" must be a list"},
        {"race's problems are no literal", "race", "[{\"article\": \"a\", \"problems\": \"[p]\"}]", SG_ERR_FORMAT, "malformed JSON at byte 1"},
        {"race's problems end early", "race", "[{\"article\": \"a\", \"problems\": \"['p\"}]", SG_ERR_FORMAT, "string at byte 1"},
        {"race's question with problems", "race", "[{\"question\": \"q\", \"example_id\": \"1\", \"article\": \"a\", \"answer\": \"A\", \"problems\": \"p\"}]",
         SG_ERR_FORMAT, "\"options\" must be a list"},
        {"race without an article", "race", "[{\"question\": \"q\", \"example_id\": \"1\"}]", SG_ERR_FORMAT, "row 1: \"article\" is missing"},
        {"race's null question", "race", "[{\"article\": \"a\", \"questions\": [null], \"options\": [1], \"answers\": [1]}]", SG_ERR_FORMAT,
         "\"question\" is missing"},
        {"c3 without an id", "c3", "[[[\"a\"], [{\"question\": \"q\"}], null]]", SG_ERR_FORMAT, "\"id\" is missing"},
        {"one option", "mine", "{\"context\": \"a\", \"choices\": [\"b\"], \"answer\": 0}", SG_ERR_FORMAT, "fewer than two"},
        {"a name that is nearly one", "hellaswg", "{\"ctx_a\": \"a\"}", SG_ERR_FORMAT, "did you mean hellaswag?"},
        {"a folder is wanted", "mmlu", "x", SG_ERR_IO, "folder"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(bad); i++) {
        sg_error err = {0};
        sg_task *task;
        put_file(bad[i].text);
        int rc = sg_task_read(&task, bad[i].task, path, 0, 0, &err);
        if (rc != bad[i].code || !strstr(err.message, bad[i].says))
            fail_msg("%s: got %d: %s", bad[i].name, rc, err.message);
        assert_null(task);
    }
    sg_error err = {0};
    sg_task *task;
    assert_int_equal(sg_task_read(&task, "piqa", "missing.jsonl", 0, 0, &err), SG_ERR_IO);
    assert_int_equal(sg_task_read(&task, "mmlu", "/", 6, 0, &err), SG_ERR_USAGE);
}

static void test_piqa_labels(void **state)
{
    (void)state;
    static const struct {
        const char *labels;
        int code;
    } rows[] = {{"0\n1\n", SG_OK}, {"0\r\n1", SG_OK}, {"0\n", SG_ERR_FORMAT}, {"0\n1\n1\n", SG_ERR_FORMAT}, {"0\n2\n", SG_ERR_FORMAT}};
    char labels[96];
    snprintf(labels, sizeof labels, "%s-labels.lst", path);
    put_file("{\"goal\": \"g\", \"sol1\": \"a\", \"sol2\": \"b\"}\n{\"goal\": \"h\", \"sol1\": \"a\", \"sol2\": \"b\"}\n");
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_task *task;
        FILE *f = fopen(labels, "wb");
        assert_non_null(f);
        fputs(rows[i].labels, f);
        fclose(f);
        int rc = sg_task_read(&task, "piqa", path, 0, 0, NULL);
        if (rc != rows[i].code)
            fail_msg("labels %zu: got %d", i, rc);
        sg_task_free(task);
    }
    sg_error err = {0};
    sg_task *task;
    put_file("[1, {}]");
    assert_int_equal(sg_task_read(&task, "piqa", path, 0, 0, &err), SG_ERR_FORMAT);
    assert_non_null(strstr(err.message, "item 0: must be an object"));
    remove(labels);
}

static void test_csv(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json; /* NULL: malformed */
    } rows[] = {
        {"a,b\nc,d\n", "[[\"a\",\"b\"],[\"c\",\"d\"]]"},
        {"a,\"b, \"\"c\"\"\nd\"\r\n\r\n,x", "[[\"a\",\"b, \\\"c\\\"\\nd\"],[\"\",\"x\"]]"},
        {"5\" disk,\n", "[[\"5\\\" disk\",\"\"]]"},
        {"", "[]"},
        {"a,b\nc\n", NULL},
        {"a,\"b\n", NULL},
        {"a,\"b\"c\n", NULL},
        {"a\rb\n", NULL},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        json_object *got = NULL;
        int rc = sg_csv_parse(&got, rows[i].text, strlen(rows[i].text), "f", NULL);
        const char *json = got ? json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN) : NULL;
        if ((rc == SG_OK) != (rows[i].json != NULL) || (json && strcmp(json, rows[i].json)))
            fail_msg("row %zu: %d, %s", i, rc, json ? json : "nothing");
        json_object_put(got);
    }
}

/* What Python's repr() writes, and what it does not. */
static void test_python(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json; /* NULL: malformed */
    } rows[] = {
        {"[{'a': 'b'}, 3]", "[{\"a\":\"b\"},3]"},
        {"[\"it's\", 'x\"y\\'\\n']", "[\"it's\",\"x\\\"y'\\n\"]"},
        {"['\\xa0\\u3000\\U0001f642', 'é', '\\\\']", "[\"\u00a0\u3000\U0001f642\",\"é\",\"\\\\\"]"},
        {"['a', None]", NULL},
        {"['a]", NULL},
        {"['a\\", NULL},
        {"['\\xg0']", NULL},
        {"['\\U00110000']", NULL},
        {"['\\q']", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        json_object *got = NULL;
        int rc = sg_python_parse(&got, rows[i].text, "f", NULL);
        const char *json = got ? json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN) : NULL;
        if ((rc == SG_OK) != (rows[i].json != NULL) || (json && strcmp(json, rows[i].json)))
            fail_msg("row %zu: %d, %s", i, rc, json ? json : "nothing");
        json_object_put(got);
    }
}

static void test_text(void **state)
{
    (void)state;
    sg_view s = sg_strip(sg_view_of(" \t\u3000a b\u00a0\x1f"));
    assert_int_equal(s.n, 3);
    assert_int_equal(sg_code_points(sg_view_of("層の é")), 4);
    assert_int_equal(sg_code_point_offset(sg_view_of("層の é"), 2), 6);
    sg_strbuf b = {0};
    sg_put_capitalized(&b, sg_view_of("éa BÇ"));
    assert_string_equal(b.data, "Éa bç");
    sg_replace(&b, "a", "aa");
    assert_string_equal(b.data, "Éaa bç");
    sg_strbuf_free(&b);
}

/* As Python's str.capitalize() has it. */
static void test_capitalized(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\u00e9a B\u00c7", "\u00c9a b\u00e7"},
        {"\u00dfA", "Ssa"},
        {"\u0149X", "\u02bcNx"},
        {"\u01f0B", "J\u030cb"},
        {"\ufb01sh", "Fish"},
        {"\u01c6", "\u01c5"},
        {"a\u0130I", "Ai\u0307i"},
        {"\u039f\u0394\u039f\u03a3 \u03a3\u039f\u03a6\u039f\u03a3", "\u039f\u03b4\u03bf\u03c2 \u03c3\u03bf\u03c6\u03bf\u03c2"},
        {"\u0391\u03a3'\u0391 \u0391\u03a3. \u03a3", "\u0391\u03c3'\u03b1 \u03b1\u03c2. \u03c3"},
        {"\u03a3", "\u03a3"},
        {"a\u03a3\u0308", "A\u03c2\u0308"},
        {"\u0391\u03a3\u00ad\u0392", "\u0391\u03c3\u00ad\u03b2"},
        {"", ""},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_strbuf b = {0};
        sg_strbuf_add(&b, "", 0);
        sg_put_capitalized(&b, sg_view_of(rows[i][0]));
        if (strcmp(b.data, rows[i][1]))
            fail_msg("%s: got %s, expected %s", rows[i][0], b.data, rows[i][1]);
        sg_strbuf_free(&b);
    }
}

/* The published XML gives the requests of Hugging Face's rows. */
static void test_schemas(void **state)
{
    (void)state;
    static const char xml[] =
        "<?xml version=\"1.0\"?>\n<collection>\n<schema>\n<text>\n<txt1>\nAnn &amp; Bo  told Zo\u00eb that </txt1>\n<pron> her  </pron>\n"
        "<txt2> stone\nwas wet. \n</txt2></text><quote><pron>her</pron></quote><answers>\n<answer>Ann </answer><answer> Zo\u00eb</answer></answers>"
        "<correctAnswer> B. </correctAnswer></schema>\n<schema><text><pron>It</pron><txt2>fell</txt2></text>"
        "<answers><answer>The wall</answer><answer>the roof</answer></answers><correctAnswer>A</correctAnswer></schema></collection>\n";
    static const char rows[] =
        "{\"text\": \"Ann & Bo told Zo\u00eb that her stone was wet.\", \"pronoun\": \"her\", \"pronoun_loc\": 23, \"options\": [\"Ann\", \"Zo\u00eb\"], \"label\": 1}\n"
        "{\"text\": \"It fell\", \"pronoun\": \"It\", \"pronoun_loc\": 0, \"options\": [\"The wall\", \"the roof\"], \"label\": 0}\n";
    sg_error err = {0};
    sg_task *a, *b;
    put_file(xml);
    if (sg_task_read(&a, "wsc273", path, 0, 0, &err))
        fail_msg("%s", err.message);
    put_file(rows);
    if (sg_task_read(&b, "wsc273", path, 0, 0, &err))
        fail_msg("%s", err.message);
    assert_int_equal(a->n_requests, b->n_requests);
    for (size_t i = 0; i < a->n_requests; i++) {
        assert_string_equal(a->requests[i].context, b->requests[i].context);
        assert_string_equal(a->requests[i].continuation, b->requests[i].continuation);
    }
    assert_int_equal(a->items[0].gold, 1);
    assert_int_equal(a->items[1].gold, 0);
    sg_task_free(a);
    sg_task_free(b);
}

/* A text of brackets that do not close takes no longer than another of its length. */
static void test_brackets(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    char *text = sg_alloc(N + 200, 1);
    assert_non_null(text);
    int n = sprintf(text, "{\"activity_label\": \"a\", \"ctx_a\": \"");
    memset(text + n, '[', N);
    strcpy(text + n + N, "x\", \"ctx_b\": \"\", \"endings\": [\"y [z] w\", \"[z\"], \"label\": 0}");
    put_file(text);
    sg_free(text);
    sg_task *task;
    assert_int_equal(sg_task_read(&task, "hellaswag", path, 0, 0, NULL), SG_OK);
    assert_int_equal(strlen(task->requests[0].context), strlen("a: ") + N + 1);
    assert_string_equal(task->requests[0].continuation, " y w"); /* two blanks are one */
    assert_string_equal(task->requests[1].continuation, " [z");
    sg_task_free(task);
}

/* Ten items of two options: what a harness makes of zeros and ones, and what two models have in common. */
static void test_scores(void **state)
{
    (void)state;
    sg_error err = {0};
    sg_task *task;
    char text[4096] = "";
    for (int i = 0; i < 10; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "{\"context\": \"c%d\", \"choices\": [\"a\", \"bbbb\"], \"answer\": %d}\n", i, i < 6);
    put_file(text);
    assert_int_equal(sg_task_read(&task, "mine", path, 0, 0, &err), SG_OK);
    sg_request_score before[20], after[20];
    for (int i = 0; i < 10; i++) { /* before: right in the first nine; after: always the second option, so six */
        bool second = i < 6 ? i < 9 : i == 9;
        before[2 * i] = (sg_request_score){.ll = second ? -3 : -1};
        before[2 * i + 1] = (sg_request_score){.ll = -2};
        after[2 * i] = (sg_request_score){.ll = -5};
        after[2 * i + 1] = (sg_request_score){.ll = -2};
    }
    sg_task_score a, b;
    assert_int_equal(sg_task_fill(&a, task, before, true, &err), SG_OK);
    assert_int_equal(sg_task_fill(&b, task, after, true, &err), SG_OK);
    assert_true(a.acc.value == 0.9 && fabs(a.acc.error - 0.1) < 1e-12); /* sqrt(0.9 * 0.1 / 9) */
    assert_true(a.chance == 0.5 && a.best_constant == 0.6 && !a.acc.near_chance);
    assert_true(b.acc.value == 0.6 && b.acc.most_frequent == 1 && b.acc.near_chance);
    assert_true(a.acc_norm.value == 0.6); /* per character the second always wins: -0.5 against -1 or -3 */
    sg_task_change c;
    assert_true(sg_task_compare(&a, &b, false, &c));
    assert_int_equal(c.lost, 3);
    assert_int_equal(c.gained, 0);
    assert_true(fabs(c.difference + 0.3) < 1e-12 && fabs(c.p - 0.25) < 1e-12 && fabs(c.retained - 0.25) < 1e-12);
    /* s = sqrt(0.3 * 0.7 * 10 / 9), t(0.975, 9) = 2.262157 */
    assert_true(fabs(c.low - (-0.3 - 2.262157 * sqrt(0.21 / 9))) < 1e-6 && fabs(c.high - (-0.3 + 2.262157 * sqrt(0.21 / 9))) < 1e-6);
    sg_eval *eval = sg_alloc_zero(1, sizeof *eval); /* frees both */
    sg_eval_entry *entry = sg_alloc_zero(1, sizeof *entry);
    sg_task_score *list = sg_alloc(2, sizeof *list);
    list[0] = a;
    list[1] = b;
    *entry = (sg_eval_entry){.tasks = list, .n_tasks = 2};
    *eval = (sg_eval){.entries = entry, .n_entries = 1};
    sg_eval_free(eval);
    sg_task_free(task);
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/sg_tasks_%ld", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rejects), cmocka_unit_test(test_piqa_labels), cmocka_unit_test(test_csv),
        cmocka_unit_test(test_brackets),  cmocka_unit_test(test_python), cmocka_unit_test(test_schemas), cmocka_unit_test(test_capitalized),
        cmocka_unit_test(test_text),    cmocka_unit_test(test_scores),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    remove(path);
    return rc;
}
