/* Expressions translated and run, added tokens, merges, and time that does not grow with the square. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "tokenizer/bytelevel.h"
#include "tokenizer/internal.h"

static void test_translate(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *words;
        int code;
    } rows[] = {
        /* words: the translation, or of the error */
        {"'s| ?\\p{L}+|\\p{N}{1,3}| ?[^\\r\\n\\p{L}\\p{Nd}]+", "'s| ?\\p{L}+|\\p{N}{1,3}| ?[^\\r\\n\\p{L}\\p{Nd}]+",
         SG_OK},
        {"(?i:a)(?:b)(?=c)(?!d)(?<=e)(?<!f)(?>g)(h)", "(?i:a)(?:b)(?=c)(?!d)(?<=e)(?<!f)(?>g)(h)", SG_OK},
        {"a*b+c?d*?e+?f??g*+h++i?+j{2}k{2,}l{2,3}?", "a*b+c?d*?e+?f??g*+h++i?+j{2}k{2,}l{2,3}?", SG_OK},
        {"\\v\\u00e9\\x{e9}", "\\x0b\\x{00e9}\\x{e9}", SG_OK},
        {"a{b}{", "a\\{b}\\{", SG_OK},
        {"[\\]\\[a-z\\-é-]", "[\\]\\[a-z\\-é-]", SG_OK},
        {"[-\\d]", "[-\\d]", SG_OK},
        {"\\^\\$ ^a$", "\\^\\$ ^a$", SG_OK},
        {"a{2}+b", "(?:a{2})+b", SG_OK},
        {"(ab){2,3}+", "(?:(ab){2,3})+", SG_OK},
        {"xa{2}?", "x(?:a{2})?", SG_OK},
        {"a{,2}", "a{0,2}", SG_OK},
        {"\\h[\\h]", "[0-9a-fA-F][0-9a-fA-F]", SG_OK},
        {"(?i)a|b", "(?i)a|b", SG_OK},
        {"[a[bc]d]", "(?:(?:[ad]|[bc]))", SG_OK},
        {"[[bc]]", "(?:(?:[bc]))", SG_OK},
        {"[a-z&&[^aeiou]]", "(?:(?=[a-z])(?:[^aeiou]))", SG_OK},
        {"[^a&&b]", "(?:(?!(?=[a])(?:[b]))[\\x00-\\x{10ffff}])", SG_OK},
        {"(a)\\1", "\"\\1\"", SG_ERR_REFUSED},
        {"\\pL", "\"\\pL\"", SG_ERR_REFUSED},
        {"\\p{Letter}", "\"\\p{Letter}\"", SG_ERR_REFUSED},
        {"\\p{L", "without braces", SG_ERR_REFUSED},
        {"\\x41", "raw byte", SG_ERR_REFUSED},
        {"\\x{110000000}", "code point", SG_ERR_REFUSED},
        {"\\u12", "code point", SG_ERR_REFUSED},
        {"[[:alpha:]]", "a POSIX class", SG_ERR_REFUSED},
        {"[\\s-a]", "a range from or to a set", SG_ERR_REFUSED},
        {"[a-\\s]", "a range from or to a set", SG_ERR_REFUSED},
        {"[a-[b]]", "a range from or to a set", SG_ERR_REFUSED},
        {"[a&&]", "nothing in it", SG_ERR_REFUSED},
        {"[&&a]", "nothing in it", SG_ERR_REFUSED},
        {"[a[b]", "without its ]", SG_ERR_FORMAT},
        {"[a&&", "without its ]", SG_ERR_FORMAT},
        {"[\\A]", "in a class", SG_ERR_REFUSED},
        {"[\\b]", "in a class", SG_ERR_REFUSED},
        {"{2}+", "a repeat of nothing", SG_ERR_REFUSED},
        {"(|{2}?)", "a repeat of nothing", SG_ERR_REFUSED},
        {"a(?i)b", "\"(?i)b\"", SG_ERR_REFUSED},
        {"a|(?i)b", "\"(?i)b\"", SG_ERR_REFUSED},
        {"(?<name>a)", "\"(?<na\"", SG_ERR_REFUSED},
        {"(?m:a)", "a group", SG_ERR_REFUSED},
        {"(*UTF)", "a repeat of nothing", SG_ERR_REFUSED},
        {"[a", "without its ]", SG_ERR_FORMAT},
        {"[", "without its ]", SG_ERR_FORMAT},
        {"[^", "without its ]", SG_ERR_FORMAT},
        {"[]", "without its ]", SG_ERR_FORMAT},
        {"[\\", "backslash", SG_ERR_FORMAT},
        {"\\", "backslash", SG_ERR_FORMAT},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char *out = NULL;
        sg_error err = {0};
        char *exact = malloc(strlen(rows[i].pattern)); /* no terminator: ASan sees a read past the end */
        memcpy(exact, rows[i].pattern, strlen(rows[i].pattern));
        int rc = sg_regex_translate(&out, exact, strlen(rows[i].pattern), "FILE", &err);
        if (rc != rows[i].code || !strstr(rc ? err.message : out, rows[i].words) ||
            (!rc && strcmp(out, rows[i].words) != 0))
            fail_msg("%s: got %d, %s", rows[i].pattern, rc, rc ? err.message : out);
        free(exact);
        sg_free(out);
    }
}

/* What the two engines would read differently, one character at a time. */
static void test_matches(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = {
        {"^\\s$", "\xc2\x85", true},
        {"^\\s$", "\u3000", true},
        {"^\\s$", "\u2028", true},
        {"^\\s$", "\u180e", false},
        {"^\\s$", "\u200b", false},
        {"^\\s$", "\ufeff", false},
        {"^\\s$", "\x1c", false},
        {"^\\s$", "\v", true},
        {"^\\S$", "\u180e", true},
        {"^\\S$", "\u00a0", false},
        {"^[\\S]$", "\xc2\x85", false},
        {"^[^\\S]$", "\xc2\x85", true},
        {"^[^\\s]$", "\u180e", true},
        {"^[\\S]$", "\u180e", true},
        {"^\\v$", "\n", false},
        {"^\\v$", "\v", true},
        {"^(?i:s)$", "\u017f", true},
        {"^(?i:k)$", "\u212a", true},
        {"^s$", "\u017f", false},
        {"^\\d$", "\u0663", true},
        {"^\\d$", "\u00b2", false},
        {"^\\p{N}$", "\u00b2", true},
        {"^\\p{N}$", "\u2167", true},
        {"^\\p{N}$", "\u4e09", false},
        {"^\\p{L}$", "\u01c5", true},
        {"^\\p{L}$", "\u0301", false},
        {"^.$", "\U0001f600", true},
        {"^.$", "\r", true},
        {"b$", "ab\ncd", true},
        {"^c", "ab\ncd", true},
        {".", "\n", false},
        {"^\\w$", "\u00b2", true},
        {"^[\\w]$", "\u00b2", false},
        {"^\\W$", "\u00bd", false},
        {"^\\w$", "\u2167", true},
        {"^\\w$", "\u200d", false},
        {"^\\p{Han}$", "\u6625", true},
        {"^\\p{Han}$", "\u3001", false},
        {"a\\b-", "a-", true},
        {"a\\B\u00b2", "a\u00b2", true},
        {"^\\h$", "f", true},
        {"^[^a[^b]]$", "b", true},
        {"^[^a[^b]]$", "c", false},
    };
    sg_matcher *matcher;
    assert_int_equal(sg_matcher_create(&matcher, NULL), SG_OK);
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_regex *regex;
        sg_error err = {0};
        size_t start, end;
        if (sg_regex_compile(&regex, rows[i].pattern, strlen(rows[i].pattern), false, "FILE", &err))
            fail_msg("%s", err.message);
        int found = sg_regex_find(regex, matcher, rows[i].text, strlen(rows[i].text), 0, &start, &end, &err);
        if (found != rows[i].match)
            fail_msg("%s on \"%s\": %d", rows[i].pattern, rows[i].text, found);
        sg_regex_free(regex);
    }
    sg_matcher_free(matcher);
}

static void test_bytelevel(void **state)
{
    (void)state;
    bool seen[512] = {false};
    for (int byte = 0; byte < 256; byte++) {
        char c[2];
        size_t n = sg_bytelevel_char((uint8_t)byte, c);
        unsigned code =
            n == 1 ? (unsigned char)c[0] : ((unsigned char)c[0] & 0x1fu) << 6 | ((unsigned char)c[1] & 0x3fu);
        bool itself = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
        assert_true(code < 512 && !seen[code] && (code == (unsigned)byte) == itself);
        seen[code] = true;
    }
    char out[16];
    assert_int_equal(sg_bytelevel_spell(" \n\xc2\xad", 4, out), 8);
    assert_memory_equal(out, "ĠĊÂŃ", 8);
}

/* ---- added tokens -------------------------------------------------------------------------------------- */

static int note_part(void *user, const char *text, size_t bytes, int32_t id, sg_error *err)
{
    (void)err;
    char *out = user;
    size_t n = strlen(out);
    if (id >= 0)
        sprintf(out + n, "<%d>", id);
    else
        sprintf(out + n, "%.*s", (int)bytes, text);
    return SG_OK;
}

static void test_added(void **state)
{
    (void)state;
    static const char *const spellings[] = {"ab", "abc", "bcdef", "cc", "xy", "xyz"};
    static const struct {
        sg_added_order order;
        const char *text, *parts;
    } rows[] = {
        {SG_LEFTMOST_LONGEST, "abcdef", "<1>def"},
        {SG_LONGEST_FIRST, "abcdef", "a<2>"},
        {SG_LEFTMOST_LONGEST, "ccc cccc", "<3>c <3><3>"},
        {SG_LONGEST_FIRST, "ccc cccc", "<3>c <3><3>"},
        {SG_LEFTMOST_LONGEST, "xyxyz", "<4><5>"},
        {SG_LONGEST_FIRST, "xyxyz", "<4><5>"},
        {SG_LEFTMOST_LONGEST, "x", "x"},
        {SG_LONGEST_FIRST, "xx", "xx"},
        {SG_LEFTMOST_LONGEST, "", ""},
        {SG_LONGEST_FIRST, "", ""},
        {SG_LEFTMOST_LONGEST, "abab", "<0><0>"},
        {SG_LONGEST_FIRST, "abab", "<0><0>"},
        {SG_LONGEST_FIRST, "abccdef", "<1>cdef"},
        {SG_LONGEST_FIRST, "-abccxyz", "-<1>c<5>"},
    };
    sg_vocab vocab = {0};
    sg_matcher *matcher;
    assert_int_equal(sg_matcher_create(&matcher, NULL), SG_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(sg_vocab_put(&vocab, i, spellings[i], strlen(spellings[i]), true, "FILE", NULL), SG_OK);
    for (size_t r = 0; r < SG_ARRAY_LEN(rows); r++) {
        sg_added added = {.order = rows[r].order};
        char out[100] = "";
        for (int i = 0; i < 6; i++)
            assert_int_equal(sg_added_add(&added, &(sg_added_token){.id = i}, NULL), SG_OK);
        assert_int_equal(sg_added_finish(&added, &vocab, NULL, "FILE", NULL), SG_OK);
        assert_int_equal(sg_added_split(&added, matcher, rows[r].text, strlen(rows[r].text), note_part, out, NULL),
                         SG_OK);
        if (strcmp(out, rows[r].parts) != 0)
            fail_msg("%s (%d): %s, expected %s", rows[r].text, rows[r].order, out, rows[r].parts);
        sg_added_dispose(&added);
    }
    sg_matcher_free(matcher);
    sg_vocab_dispose(&vocab);
}

/* ---- merges -------------------------------------------------------------------------------------------- */

/* Small sets of merges and what they make of a word. */
static void test_merges(void **state)
{
    (void)state;
    static const char *const spellings[] = {"a", "b", "c", "ab", "bc", "abc"};
    static const struct {
        const char *name;
        int merges[3][2]; /* indices of spellings */
        bool last_wins;
        const char *word;
        int ids[4]; /* up to -1 */
    } rows[] = {
        {"a pair given twice keeps its first rank (llama.cpp)", {{0, 1}, {1, 2}, {0, 1}}, false, "abc", {3, 2, -1}},
        {"a pair given twice takes its last rank (HF)", {{0, 1}, {1, 2}, {0, 1}}, true, "abc", {0, 4, -1}},
        /* a and b were a candidate; when it is looked at, abc stands where a stood, and another b behind it */
        {"a candidate whose left symbol has grown", {{1, 2}, {0, 4}, {0, 1}}, true, "abcb", {5, 1, -1}},
        {"a candidate whose right symbol has grown", {{1, 2}, {0, 1}, {0, 1}}, true, "abc", {0, 4, -1}},
        {"the leftmost of equals", {{0, 1}, {1, 2}, {3, 2}}, true, "ababc", {3, 5, -1}},
    };
    for (size_t r = 0; r < SG_ARRAY_LEN(rows); r++) {
        sg_vocab vocab = {0};
        sg_bpe bpe = {0};
        sg_bpe_scratch *scratch;
        sg_ids ids = {0};
        bool complete;
        for (int i = 0; i < 6; i++)
            assert_int_equal(sg_vocab_put(&vocab, i, spellings[i], strlen(spellings[i]), true, "FILE", NULL), SG_OK);
        assert_int_equal(sg_bpe_reserve(&bpe, 3, NULL), SG_OK);
        for (size_t m = 0; m < 3; m++) {
            const char *left = spellings[rows[r].merges[m][0]], *right = spellings[rows[r].merges[m][1]];
            assert_int_equal(
                sg_bpe_add(&bpe, &vocab, m, left, strlen(left), right, strlen(right), rows[r].last_wins, "FILE", NULL),
                SG_OK);
        }
        sg_bpe_find_bytes(&bpe, &vocab, &complete);
        assert_false(complete);
        assert_int_equal(sg_bpe_scratch_create(&scratch, NULL), SG_OK);
        for (int again = 0; again < 2; again++) { /* the second time from the cache */
            ids.n = 0;
            assert_int_equal(sg_bpe_encode(&bpe, &vocab, scratch, rows[r].word, strlen(rows[r].word), &ids, NULL),
                             SG_OK);
            for (size_t i = 0; i <= ids.n; i++)
                if ((i < ids.n ? ids.data[i] : -1) != rows[r].ids[i])
                    fail_msg("%s: id %zu", rows[r].name, i);
        }
        sg_free(ids.data);
        sg_bpe_scratch_free(scratch);
        sg_bpe_dispose(&bpe);
        sg_vocab_dispose(&vocab);
    }
}

/* HF's loader lets the last rank win (its ids of this: 0 4). */
static void test_repeated_merge_hf(void **state)
{
    (void)state;
    static const char text[] = "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"ab\":3,\"bc\":4},"
                               "\"merges\":[\"a b\",\"b c\",\"a b\"]},"
                               "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}}";
    json_object *json;
    sg_tokenizer *tok;
    int32_t *ids;
    size_t n;
    sg_error err = {0};
    if (sg_json_parse(&json, text, strlen(text), "FILE", &err) ||
        sg_tokenizer_from_hf(&tok, json, NULL, "FILE", &err) || sg_tokenizer_encode(tok, "abc", 3, &ids, &n, &err))
        fail_msg("%s", err.message);
    assert_int_equal(n, 2);
    assert_int_equal(ids[1], 4);
    sg_free(ids);
    sg_tokenizer_free(tok);
    json_object_put(json);
}

/* ---- time ---------------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A megabyte without a place to cut it. With the square of its length in steps each of these would take many minutes.
 */
static void test_long_words(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit;
    } rows[] = {
        {"letters", "a"}, {"blanks", " "},      {"newlines", "\n"},
        {"digits", "7"},  {"quotes", "'"},      {"ideographs", "\u6625\u5929"},
        {"angles", "<"},  {"marks", "a\u0301"}, {"blank and tab", " \t"},
    };
    static const char *const kinds[] = {"gpt2", "smollm", "llama3", "llama", "unigram"};
    size_t bytes = 1000000;
    char *text = malloc(bytes + 1);
    for (size_t k = 0; k < SG_ARRAY_LEN(kinds); k++) {
        char path[512];
        sg_error err = {0};
        json_object *json;
        sg_tokenizer *tok;
        snprintf(path, sizeof path, "%s/tokenizer_%s.json", SG_GOLDEN, kinds[k]);
        if (sg_json_read_file(&json, path, &err) || sg_tokenizer_from_hf(&tok, json, NULL, path, &err))
            fail_msg("%s", err.message);
        for (size_t r = 0; r < SG_ARRAY_LEN(rows); r++) {
            size_t unit = strlen(rows[r].unit), n = bytes / unit * unit, n_ids;
            int32_t *ids;
            for (size_t i = 0; i < n; i++)
                text[i] = rows[r].unit[i % unit];
            text[n] = 'x'; /* what makes \s+(?!\S) go back */
            double start = now();
            if (sg_tokenizer_encode(tok, text, n + 1, &ids, &n_ids, &err))
                fail_msg("%s, %s: %s", kinds[k], rows[r].name, err.message);
            if (now() - start > 30)
                fail_msg("%s, a megabyte of %s: %.1f s", kinds[k], rows[r].name, now() - start);
            assert_true(n_ids > 0);
            sg_free(ids);
        }
        sg_tokenizer_free(tok);
        json_object_put(json);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translate),  cmocka_unit_test(test_matches), cmocka_unit_test(test_bytelevel),
        cmocka_unit_test(test_added),      cmocka_unit_test(test_merges),  cmocka_unit_test(test_repeated_merge_hf),
        cmocka_unit_test(test_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
