/* The pages: well formed, with the numbers of the JSON, and nothing from a file stands in them as markup. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/strbuf.h"
#include "core/mem.h"

static const char nasty[] = "<script>alert('&')</script>\" onload=\"x";

/* ---- a small checker: tags nest, attributes are quoted, ampersands begin an entity ------------------------- */

enum { DEPTH = 64, NAME = 24 };

static bool is_void(const char *name)
{
    return !strcmp(name, "meta") || !strcmp(name, "!DOCTYPE");
}

/* Reads the tag at p (behind "<"); its end, or NULL with *why. */
static const char *tag_end(const char *p, const char **why)
{
    while (*p && *p != '>') {
        if (*p == '<') {
            *why = "< inside a tag";
            return NULL;
        }
        if (*p == '=' && p[1] != '"') {
            *why = "an attribute without quotes";
            return NULL;
        }
        if (*p == '=')
            p = strchr(p + 2, '"');
        if (!p) {
            *why = "a quote is open";
            return NULL;
        }
        p++;
    }
    return *p ? p : NULL;
}

static void check_page(const char *page)
{
    char open[DEPTH][NAME], name[NAME];
    int depth = 0;
    for (const char *p = page; *p; p++) {
        const char *why = "the page ends in a tag";
        if (*p == '&' && strncmp(p, "&amp;", 5) && strncmp(p, "&lt;", 4) && strncmp(p, "&gt;", 4) &&
            strncmp(p, "&quot;", 6) && strncmp(p, "&#39;", 5))
            fail_msg("an ampersand that begins no entity: %.40s", p);
        if (*p == '>')
            fail_msg("a > outside a tag: %.40s", p);
        if (*p != '<')
            continue;
        bool closes = p[1] == '/';
        const char *start = p + 1 + closes, *end = tag_end(start, &why);
        if (!end)
            fail_msg("%s: %.60s", why, p);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(start, " />"), start);
        if (closes) {
            if (!depth || strcmp(open[--depth], name) != 0)
                fail_msg("</%s> closes <%s>", name, depth >= 0 ? open[depth] : "nothing");
        } else if (end[-1] != '/' && !is_void(name)) {
            assert_true(depth < DEPTH);
            snprintf(open[depth++], NAME, "%s", name);
        }
        p = end;
        if (!closes && !strcmp(name, "style")) /* CSS is no markup */
            p = strstr(p, "</style>") - 1;
    }
    assert_int_equal(depth, 0);
}

/* ---- pages ---------------------------------------------------------------------------------------------- */

static char *page_of(const char *json, const char *command)
{
    char *page;
    sg_error err = {0};
    if (sg_html_report(json, command, &page, &err))
        fail_msg("%s", err.message);
    check_page(page);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "onload=\"x"));
    assert_null(strstr(page, "http"));
    return page;
}

static void expect_in(const char *page, const char *words)
{
    if (!strstr(page, words))
        fail_msg("the page lacks \"%s\"", words);
}

/* The page's JSON, unescaped, is the one that was given. */
static void check_json(const char *page, const char *json)
{
    static const char *const names[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    const char *p = strstr(page, "<pre id=\"json\">") + strlen("<pre id=\"json\">"), *end = strstr(p, "</pre>");
    sg_strbuf b = {0};
    while (p < end) {
        size_t i = 0;
        while (i < 5 && strncmp(p, names[i][0], strlen(names[i][0])) != 0)
            i++;
        if (i < 5)
            sg_strbuf_puts(&b, names[i][1]);
        else
            sg_strbuf_add(&b, p, 1);
        p += i < 5 ? strlen(names[i][0]) : 1;
    }
    assert_string_equal(b.data, json);
    sg_strbuf_free(&b);
}

/* text with each @ replaced by nasty, as JSON */
static char *with_nasty(const char *text)
{
    sg_strbuf b = {0};
    for (; *text; text++) {
        if (*text != '@') {
            sg_strbuf_add(&b, text, 1);
            continue;
        }
        for (const char *n = nasty; *n; n++) {
            if (*n == '"')
                sg_strbuf_puts(&b, "\\");
            sg_strbuf_add(&b, n, 1);
        }
    }
    char *out;
    assert_int_equal(sg_strbuf_finish(&b, &out, NULL), SG_OK);
    return out;
}

static void test_score(void **state)
{
    (void)state;
    char *json = with_nasty("{\"schema\": \"shortgpt/score/1\", \"model\": {\"path\": \"@\", \"family\": \"llama\", "
                            "\"layers\": 2, \"parameters\": 1234567, \"bytes\": "
                            "2500000, \"fingerprint\": \"00ff\"}, \"calibration\": {\"source\": \"@\", \"tokens\": 64, "
                            "\"window\": 32}, \"precision\": \"f32\", "
                            "\"layers\": [{\"index\": 0, \"bi\": 0.98041, \"bi_low\": 0.97, \"bi_high\": 0.99, "
                            "\"relative_magnitude\": 1.5, \"mixer_bi\": 0.31, "
                            "\"ffn_bi\": null}, {\"index\": 1, \"bi\": 0.02518, \"bi_low\": null, \"bi_high\": null, "
                            "\"relative_magnitude\": 0.25, \"mixer_bi\": 0.01, "
                            "\"ffn_bi\": 0.02}], \"order\": [1, 0], \"similarity\": [[1, 0.5, 0.25], [0.5, 1, 0.9371], "
                            "[0.25, 0.9371, null]], "
                            "\"similarity_positions\": 64, \"seconds\": 1.5}");
    char *page = page_of(json, nasty);
    static const char *const words[] = {"<tr><td>0</td><td>2</td><td>0.9804</td><td>0.9700</td><td>0.9900</"
                                        "td><td>0.3100</td><td>\xe2\x80\x93</td><td>1.5000</td>",
                                        "<tr class=\"strong\"><td>1</td><td>1</td><td>0.0252</td>",
                                        "after layer 0, after layer 1: 0.9371",
                                        "00ff",
                                        "1,234,567 parameters",
                                        "2.50 MB",
                                        "64 tokens in windows of 32",
                                        "&lt;script&gt;",
                                        "prefers-color-scheme:dark",
                                        "@media print"};
    for (size_t i = 0; i < SG_ARRAY_LEN(words); i++)
        expect_in(page, words[i]);
    check_json(page, json);
    sg_string_free(page);
    sg_free(json);
}

static void test_eval(void **state)
{
    (void)state;
    char *json = with_nasty(
        "{\"schema\": \"shortgpt/eval/1\", \"precision\": \"bf16\", \"seconds\": 9, \"models\": [{\"path\": \"a/@\", "
        "\"fingerprint\": \"00ff\", \"removed\": [], \"layers\": 30, "
        "\"parameters\": 1000, \"bytes\": 2000, \"perplexity\": [{\"source\": \"@\", \"ppl\": 29.294, \"ppl_low\": "
        "20.8, \"ppl_high\": 41.2, \"tokens\": "
        "13299}], \"tasks\": [{\"name\": \"@\", \"n\": 100, \"acc\": 0.4321, \"acc_stderr\": 0.05, \"acc_norm\": "
        "null}], \"samples\": [{\"prompt\": \"@\", "
        "\"text\": \"one @\"}]}, {\"path\": \"b\", \"removed\": [3, 4, 7], \"layers\": 27, \"parameters\": 900, "
        "\"bytes\": 1800, \"speed\": "
        "{\"prompt_tokens_per_second\": 3000.25, \"tokens_per_second\": 51.5, \"memory\": 4000000}, \"perplexity\": "
        "[{\"source\": \"@\", \"ppl\": 42.7, "
        "\"ppl_low\": null, \"ppl_high\": null, \"tokens\": 13299, \"kl\": 0.395, \"kl_p99\": 1.893, \"top1\": "
        "0.638}], \"tasks\": [{\"name\": \"@\", \"n\": 100, "
        "\"acc\": 0.41, \"acc_stderr\": 0.05, "
        "\"change\": {\"acc\": {\"difference\": -0.0221}}}], \"samples\": [{\"prompt\": \"@\", \"text\": \"two\"}]}]}");
    char *page = page_of(json, "shortgpt eval");
    static const char *const words[] = {"without 3\xe2\x80\x93"
                                        "4, 7",
                                        "<td>29.29</td><td>20.80</td><td>41.20</td><td>13299</td>",
                                        "<td>13299</td><td>0.3950</td><td>1.8930</td><td>0.6380</td>",
                                        "00ff",
                                        "<td>3000.3</td><td>51.5</td><td>4.00 MB</td>",
                                        "<td>0.4321</td>",
                                        "<td>-0.0221</td>",
                                        "one &lt;script&gt;"};
    for (size_t i = 0; i < SG_ARRAY_LEN(words); i++)
        expect_in(page, words[i]);
    check_json(page, json);
    sg_string_free(page);
    sg_free(json);
}

static void test_compare(void **state)
{
    (void)state;
    char *json = with_nasty(
        "{\"schema\": \"shortgpt/compare/1\", \"model\": {\"path\": \"@\", \"fingerprint\": "
        "\"ab\"}, \"calibration\": null, \"precision\": \"bf16\", "
        "\"granularity\": \"layer\", \"methods\": [{\"method\": \"bi\", \"points\": [{\"n\": 0, "
        "\"removed\": [], \"perplexity\": [{\"source\": \"@\", "
        "\"ppl\": 20.5, \"ppl_low\": 19, \"ppl_high\": 22}]}, {\"n\": 2, \"removed\": [13, 14], "
        "\"perplexity\": [{\"source\": \"@\", \"ppl\": 31.625, "
        "\"ppl_low\": 30, \"ppl_high\": 33}], \"tasks\": [{\"name\": \"@\", \"n\": 50, \"acc\": 0.6, "
        "\"acc_stderr\": 0.05, \"change\": {\"acc\": {\"difference\": -0.1, \"low\": -0.1875, "
        "\"high\": -0.0125, \"p\": 0.0312, \"retained\": 0.5}}}]}]}, {\"method\": \"@\", \"points\": [{\"n\": 2, "
        "\"removed_mixers\": [1], \"removed_ffns\": [], "
        "\"perplexity\": [{\"source\": \"@\", \"ppl\": null}]}]}], \"tasks\": [{\"name\": \"@\", \"n\": 50, \"acc\": "
        "0.7, "
        "\"acc_stderr\": 0.05}], \"seconds\": 12}");
    char *page = page_of(json, "shortgpt compare");
    static const char *const words[] = {
        "<td>bi</td><td>2</td><td>31.63</td><td>30.00</td><td>33.00</td><td>13\xe2\x80\x93"
        "14</td>",
        "mixers 1; feed-forwards none",
        "bi, 2.0: 31.63",
        ">2 removed<",
        "</td><td>the whole model</td><td>0</td><td>50</td><td>0.7000</td>",
        "</td><td>bi</td><td>2</td><td>50</td><td>0.6000</td><td>0.0500</td>",
        "<td>-0.1000</td><td>-0.1875</td><td>-0.0125</td><td>0.0312</td><td>0.500</td>"};
    for (size_t i = 0; i < SG_ARRAY_LEN(words); i++)
        expect_in(page, words[i]);
    check_json(page, json);
    sg_string_free(page);
    sg_free(json);
}

/* Objects that lack everything give a page all the same; other schemas are refused. */
static void test_sparse(void **state)
{
    (void)state;
    static const char *const schemas[] = {"score", "eval", "compare"};
    char json[128], *page;
    sg_error err = {0};
    for (size_t i = 0; i < SG_ARRAY_LEN(schemas); i++) {
        snprintf(json, sizeof json, "{\"schema\": \"shortgpt/%s/1\"}", schemas[i]);
        sg_string_free(page_of(json, ""));
        snprintf(json, sizeof json,
                 "{\"schema\": \"shortgpt/%s/1\", \"models\": [7], \"methods\": [[]], \"layers\": [\"x\"], \"order\": "
                 "[9, -1]}",
                 schemas[i]);
        sg_string_free(page_of(json, ""));
    }
    assert_int_equal(sg_html_report("{\"schema\": \"shortgpt/inspect/1\"}", "", &page, &err), SG_ERR_USAGE);
    assert_int_equal(sg_html_report("{", "", &page, &err), SG_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_score), cmocka_unit_test(test_eval),
                                       cmocka_unit_test(test_compare), cmocka_unit_test(test_sparse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
