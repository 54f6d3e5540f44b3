/* A tokenizer.json that is wrong or not supported: the code, and a sentence that names file, field and value. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "expect.h"
#include "tokenizer/tokenizer.h"

#define VOCAB "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2}"
#define MODEL "\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":[\"a b\"]}"
#define PRE "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define STEPS(steps) "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" steps "]}}"
#define MERGES(merges) "{\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":" merges "}," PRE "}"
#define IN_MODEL(more) "{\"model\":{\"type\":\"BPE\"," VOCAB ",\"merges\":[\"a b\"]," more "}," PRE "}"
#define WITH_VOCAB(vocab) "{\"model\":{\"type\":\"BPE\",\"vocab\":" vocab ",\"merges\":[]}," PRE "}"
#define ADDED(added) "{" MODEL "," PRE ",\"added_tokens\":" added "}"
#define FLAGS "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true"
#define POST(post) "{" MODEL "," PRE ",\"post_processor\":" post "}"
#define NORMALIZER(normalizer) "{" MODEL "," PRE ",\"normalizer\":" normalizer "}"
#define NEST(inner) "{\"type\":\"Sequence\",\"normalizers\":[" inner "]}"
#define FOUR "{\"type\":\"NFC\"},{\"type\":\"NFD\"},{\"type\":\"NFKC\"},{\"type\":\"NFKD\"},"
#define UNIGRAM(vocab, more) "{\"model\":{\"type\":\"Unigram\",\"vocab\":" vocab "," more "}}"
#define SPLIT(pattern)                                                                                                 \
    STEPS("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" pattern "\"},\"behavior\":\"Isolated\",\"invert\":false},"   \
          "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}")

static const struct hf_row {
    const char *name, *json, *config;
    int code;
    const char *words;
} hf_rows[] = {
    {"good", "{" MODEL "," PRE "}", NULL, SG_OK, ""},
    {"good with all",
     "{" MODEL "," PRE ",\"normalizer\":null,\"added_tokens\":[{\"id\":5,\"content\":\"<s>\"," FLAGS
     "}],\"decoder\":7}",
     "{\"bos_token\":\"<s>\"}", SG_OK, ""},
    {"no object", "[]", NULL, SG_ERR_FORMAT, "JSON object"},
    {"no model", "{" PRE "}", NULL, SG_ERR_FORMAT, "model"},
    {"WordPiece", "{\"model\":{\"type\":\"WordPiece\"}," PRE "}", NULL, SG_ERR_REFUSED, "model.type is \"WordPiece\""},
    {"no type", "{\"model\":{" VOCAB "}," PRE "}", NULL, SG_ERR_REFUSED, "model.type"},
    {"type is a number", "{\"model\":{\"type\":1}}", NULL, SG_ERR_FORMAT, "\"type\" is 1"},
    {"normalizer", NORMALIZER("{\"type\":\"BertNormalizer\"}"), NULL, SG_ERR_REFUSED,
     "normalizer is \"BertNormalizer\", supported: NFC"},
    {"normalizers",
     NORMALIZER("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"},{\"type\":\"Lowercase\"},"
                "{\"type\":\"StripAccents\"},{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":false},"
                "{\"type\":\"Prepend\",\"prepend\":\"x\"},"
                "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" +\"},\"content\":\"\"}]}"),
     NULL, SG_OK, ""},
    {"normalizer in a Sequence", NORMALIZER("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmt\"}]}"), NULL,
     SG_ERR_REFUSED, "normalizer.normalizers[0] is \"Nmt\""},
    {"normalizers is an object", NORMALIZER("{\"type\":\"Sequence\",\"normalizers\":{}}"), NULL, SG_ERR_FORMAT,
     "normalizer.normalizers: expected a list"},
    {"Sequences without end",
     NORMALIZER("{\"type\":\"Sequence\",\"normalizers\":[" NEST(NEST(NEST(NEST("{\"type\":\"NFC\"}")))) "]}"), NULL,
     SG_ERR_REFUSED, "is \"Sequence\""},
    {"Strip without a flag", NORMALIZER("{\"type\":\"Strip\",\"strip_left\":true}"), NULL, SG_ERR_FORMAT,
     "normalizer.strip_right is absent"},
    {"Prepend without text", NORMALIZER("{\"type\":\"Prepend\"}"), NULL, SG_ERR_FORMAT,
     "normalizer.prepend: expected a string"},
    {"Replace without pattern", NORMALIZER("{\"type\":\"Replace\",\"content\":\"\"}"), NULL, SG_ERR_FORMAT,
     "normalizer.pattern"},
    {"Replace of nothing", NORMALIZER("{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"\"}"), NULL,
     SG_ERR_REFUSED, "empty text"},
    {"Replace without content", NORMALIZER("{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}"), NULL,
     SG_ERR_FORMAT, "normalizer.content"},
    {"Replace by a wrong expression",
     NORMALIZER("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}"), NULL, SG_ERR_FORMAT,
     "does not compile"},
    {"map", NORMALIZER("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAAA\"}"), NULL, SG_OK, ""},
    {"map is no base64", NORMALIZER("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"B?==\"}"), NULL,
     SG_ERR_FORMAT, "base64"},
    {"map is cut short", NORMALIZER("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAA=\"}"), NULL,
     SG_ERR_FORMAT, "a trie of 4 bytes in a map of 5"},
    {"map's texts do not end", NORMALIZER("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAABh\"}"), NULL,
     SG_ERR_FORMAT, "NUL"},
    {"map is empty", NORMALIZER("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}"), NULL, SG_ERR_REFUSED,
     "precompiled_charsmap is empty"},
    {"too many steps",
     NORMALIZER("{\"type\":\"Sequence\",\"normalizers\":[" FOUR FOUR FOUR FOUR "{\"type\":\"NFC\"}]}"), NULL,
     SG_ERR_REFUSED, "more than 16 steps"},
    {"added token that vanishes",
     "{" MODEL "," PRE ",\"normalizer\":{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true},\"added_tokens\":"
     "[{\"id\":5,\"content\":\"FILE\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":true,"
     "\"special\":true},{\"id\":6,\"content\":\" \",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
     "\"normalized\":true,\"special\":true}],\"FILE\":0}",
     NULL, SG_ERR_REFUSED, "is nothing when it is normalized"},

    {"Unigram", UNIGRAM("[[\"a\",-1],[\"b\",-2.5]]", "\"unk_id\":0"), NULL, SG_OK, ""},
    {"Unigram without unk", UNIGRAM("[[\"a\",-1]]", "\"unk_id\":null"), NULL, SG_OK, ""},
    {"Unigram, no vocab", "{\"model\":{\"type\":\"Unigram\"}}", NULL, SG_ERR_FORMAT, "model.vocab"},
    {"Unigram, empty vocab", UNIGRAM("[]", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "model.vocab"},
    {"Unigram, vocab is an object", UNIGRAM("{\"a\":0}", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "model.vocab"},
    {"Unigram, piece is a string", UNIGRAM("[\"a\"]", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "model.vocab[0]"},
    {"Unigram, piece of three", UNIGRAM("[[\"a\",1,2]]", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "model.vocab[0]"},
    {"Unigram, score is a string", UNIGRAM("[[\"a\",\"1\"]]", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "model.vocab[0]"},
    {"Unigram, score is infinite", UNIGRAM("[[\"a\",1e999]]", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "not finite"},
    {"Unigram, piece twice", UNIGRAM("[[\"a\",1],[\"a\",1]]", "\"unk_id\":0"), NULL, SG_ERR_FORMAT, "spelled twice"},
    {"Unigram, unk_id out of range", UNIGRAM("[[\"a\",1]]", "\"unk_id\":1"), NULL, SG_ERR_FORMAT, "\"unk_id\" is 1"},
    {"normalizer is a string", "{" MODEL "," PRE ",\"normalizer\":\"NFC\"}", NULL, SG_ERR_FORMAT, "normalizer"},

    {"no vocab", "{\"model\":{\"type\":\"BPE\",\"merges\":[]}," PRE "}", NULL, SG_ERR_FORMAT, "model.vocab"},
    {"empty vocab", WITH_VOCAB("{}"), NULL, SG_ERR_FORMAT, "model.vocab"},
    {"vocab is a list", WITH_VOCAB("[\"a\"]"), NULL, SG_ERR_FORMAT, "model.vocab"},
    {"id is a string", WITH_VOCAB("{\"a\":\"0\"}"), NULL, SG_ERR_FORMAT, "\"a\" is no integer"},
    {"id is negative", WITH_VOCAB("{\"a\":-1}"), NULL, SG_ERR_FORMAT, "\"a\" has id -1"},
    {"id is huge", WITH_VOCAB("{\"a\":4294967296}"), NULL, SG_ERR_FORMAT, "\"a\" has id 4294967296"},
    {"id past the limit", WITH_VOCAB("{\"a\":16777216}"), NULL, SG_ERR_FORMAT, "\"a\" has id 16777216"},
    {"id used twice", WITH_VOCAB("{\"a\":0,\"b\":0}"), NULL, SG_ERR_FORMAT, "id 0 is used twice, by \"a\" and \"b\""},

    {"no merges", "{\"model\":{\"type\":\"BPE\"," VOCAB "}," PRE "}", NULL, SG_ERR_FORMAT, "model.merges"},
    {"merges null", MERGES("null"), NULL, SG_ERR_FORMAT, "model.merges"},
    {"merges empty", MERGES("[]"), NULL, SG_OK, ""},
    {"merge as a pair", MERGES("[[\"a\",\"b\"]]"), NULL, SG_OK, ""},
    {"merge without a blank", MERGES("[\"ab\"]"), NULL, SG_ERR_FORMAT, "model.merges[0] is \"ab\""},
    {"merge with two blanks", MERGES("[\"a b\",\"a b a\"]"), NULL, SG_ERR_FORMAT, "model.merges[1] is \"a b a\""},
    {"merge of three", MERGES("[[\"a\",\"b\",\"a\"]]"), NULL, SG_ERR_FORMAT, "model.merges[0]"},
    {"merge of numbers", MERGES("[[1,2]]"), NULL, SG_ERR_FORMAT, "model.merges[0] is [1,2]"},
    {"merge null", MERGES("[null]"), NULL, SG_ERR_FORMAT, "model.merges[0]"},
    {"merge of nothing", MERGES("[\" \"]"), NULL, SG_ERR_FORMAT, "the first part"},
    {"first part missing", MERGES("[\"c b\"]"), NULL, SG_ERR_FORMAT,
     "\"c b\": the first part is not in the vocabulary"},
    {"second part missing", MERGES("[\"a c\"]"), NULL, SG_ERR_FORMAT, "\"a c\": the second part"},
    {"result missing", MERGES("[\"a b\",\"b a\"]"), NULL, SG_ERR_FORMAT, "model.merges[1]: \"b a\": the result"},

    {"dropout", IN_MODEL("\"dropout\":0.1"), NULL, SG_ERR_REFUSED, "model.dropout"},
    {"no dropout", IN_MODEL("\"dropout\":null,\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":null"), NULL,
     SG_OK, ""},
    {"prefix", IN_MODEL("\"continuing_subword_prefix\":\"##\""), NULL, SG_ERR_REFUSED,
     "continuing_subword_prefix is \"##\""},
    {"suffix", IN_MODEL("\"end_of_word_suffix\":\"</w>\""), NULL, SG_ERR_REFUSED, "end_of_word_suffix is \"</w>\""},
    {"byte fallback", IN_MODEL("\"byte_fallback\":true"), NULL, SG_OK, ""},
    {"unk", IN_MODEL("\"unk_token\":\"a\",\"fuse_unk\":true"), NULL, SG_OK, ""},
    {"unk missing", IN_MODEL("\"unk_token\":\"<unk>\""), NULL, SG_ERR_FORMAT,
     "unk_token \"<unk>\" is not in the vocabulary"},
    {"ignore_merges is a number", IN_MODEL("\"ignore_merges\":1"), NULL, SG_ERR_FORMAT, "\"ignore_merges\" is 1"},

    {"added is an object", ADDED("{}"), NULL, SG_ERR_FORMAT, "added_tokens"},
    {"added without content", ADDED("[{\"id\":3," FLAGS "}]"), NULL, SG_ERR_FORMAT, "added_tokens[0]"},
    {"added without id", ADDED("[{\"content\":\"<s>\"," FLAGS "}]"), NULL, SG_ERR_FORMAT, "added_tokens[0]"},
    {"added without a flag", ADDED("[{\"id\":3,\"content\":\"<s>\",\"single_word\":false}]"), NULL, SG_ERR_FORMAT,
     "added_tokens[0].lstrip"},
    {"added, empty", ADDED("[{\"id\":0,\"content\":\"\"," FLAGS "}]"), NULL, SG_OK, ""},
    {"added, in the vocabulary", ADDED("[{\"id\":2,\"content\":\"ab\"," FLAGS "}]"), NULL, SG_OK, ""},
    {"added, another id in the vocabulary", ADDED("[{\"id\":3,\"content\":\"ab\"," FLAGS "}]"), NULL, SG_ERR_FORMAT,
     "\"ab\" is spelled twice"},
    {"added, id taken", ADDED("[{\"id\":1,\"content\":\"<s>\"," FLAGS "}]"), NULL, SG_ERR_FORMAT,
     "id 1 is used twice, by \"b\" and \"<s>\""},
    {"added, id huge", ADDED("[{\"id\":99999999999,\"content\":\"<s>\"," FLAGS "}]"), NULL, SG_ERR_FORMAT,
     "\"id\" is 99999999999"},

    {"no pre_tokenizer", "{" MODEL "}", NULL, SG_OK, ""},
    {"pre_tokenizer", "{" MODEL ",\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}", NULL, SG_ERR_REFUSED,
     "pre_tokenizer is \"BertPreTokenizer\""},
    {"Metaspace", "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"}}", NULL, SG_OK, ""},
    {"Metaspace without replacement", "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\"}}", NULL, SG_ERR_FORMAT,
     "pre_tokenizer.replacement"},
    {"Metaspace of two", "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"__\"}}", NULL,
     SG_ERR_FORMAT, "one character"},
    {"Metaspace, scheme",
     "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"last\"}}", NULL,
     SG_ERR_FORMAT, "prepend_scheme is \"last\""},
    {"empty Sequence", STEPS(""), NULL, SG_OK, ""},
    {"Sequence without a list", "{" MODEL ",\"pre_tokenizer\":{\"type\":\"Sequence\"}}", NULL, SG_ERR_FORMAT,
     "pretokenizers"},
    {"Sequence without ByteLevel", STEPS("{\"type\":\"Digits\",\"individual_digits\":true}"), NULL, SG_OK, ""},
    {"ByteLevel not last",
     STEPS("{\"type\":\"ByteLevel\",\"add_prefix_space\":false},{\"type\":\"Digits\",\"individual_digits\":true}"),
     NULL, SG_OK, ""},
    {"ByteLevel without a flag", STEPS("{\"type\":\"ByteLevel\"}"), NULL, SG_ERR_FORMAT,
     "pretokenizers[0].add_prefix_space"},
    {"Digits without a flag", STEPS("{\"type\":\"Digits\"},{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"), NULL,
     SG_ERR_FORMAT, "pretokenizers[0].individual_digits"},
    {"step is a number", STEPS("1"), NULL, SG_ERR_FORMAT, "pretokenizers[0]"},
    {"pattern", SPLIT("a"), NULL, SG_OK, ""},
    {"pattern does not compile", SPLIT("(a"), NULL, SG_ERR_FORMAT, "does not compile"},
    {"pattern ends in a backslash", SPLIT("a\\\\"), NULL, SG_ERR_FORMAT, "backslash"},
    {"pattern with \\R", SPLIT("\\\\R+"), NULL, SG_ERR_REFUSED, "\"\\R\""},
    {"pattern with a script", SPLIT("\\\\p{Runic}"), NULL, SG_ERR_REFUSED, "\"\\p{Runic}\""},
    {"no pattern",
     STEPS("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false},"
           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"),
     NULL, SG_ERR_FORMAT, "pretokenizers[0].pattern"},
    {"behavior",
     STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Kept\",\"invert\":false},"
           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"),
     NULL, SG_ERR_FORMAT, "behavior is \"Kept\""},
    {"empty literal",
     STEPS("{\"type\":\"Split\",\"pattern\":{\"String\":\"\"},\"behavior\":\"Isolated\",\"invert\":false},"
           "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"),
     NULL, SG_ERR_REFUSED, "empty text"},

    {"post_processor", POST("{\"type\":\"BertProcessing\"}"), NULL, SG_ERR_REFUSED,
     "post_processor is \"BertProcessing\""},
    {"template",
     POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\",\"type_id\":0}}],"
          "\"special_tokens\":{\"a\":{\"id\":\"a\",\"ids\":[0],\"tokens\":[\"a\"]}}}"),
     NULL, SG_OK, ""},
    {"template without single", POST("{\"type\":\"TemplateProcessing\"}"), NULL, SG_ERR_FORMAT,
     "post_processor.single"},
    {"template, token unknown",
     POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\"}}],\"special_tokens\":{}}"),
     NULL, SG_ERR_FORMAT, "one id for \"a\""},
    {"template, id unknown",
     POST("{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\"}}],"
          "\"special_tokens\":{\"a\":{\"ids\":[9]}}}"),
     NULL, SG_ERR_FORMAT, "id 9 of \"a\""},
    {"Sequence in Sequence", POST("{\"type\":\"Sequence\",\"processors\":[{\"type\":\"Sequence\",\"processors\":[]}]}"),
     NULL, SG_ERR_REFUSED, "\"Sequence\""},

    {"bos is a number", "{" MODEL "," PRE "}", "{\"bos_token\":1}", SG_ERR_FORMAT, "bos_token"},
    {"bos without content", "{" MODEL "," PRE "}", "{\"bos_token\":{}}", SG_ERR_FORMAT, "bos_token"},
    {"bos to add is missing", "{" MODEL "," PRE "}", "{\"bos_token\":\"<s>\",\"add_bos_token\":true}", SG_ERR_FORMAT,
     "bos_token \"<s>\""},
    {"added_tokens_decoder", "{" MODEL "," PRE "}", "{\"added_tokens_decoder\":{\"5\":{\"content\":\"<s>\"}}}", SG_OK,
     ""},
    {"added_tokens_decoder is a list", "{" MODEL "," PRE "}", "{\"added_tokens_decoder\":[]}", SG_ERR_FORMAT,
     "added_tokens_decoder: expected an object"},
    {"added_tokens_decoder, id", "{" MODEL "," PRE "}", "{\"added_tokens_decoder\":{\"5x\":{\"content\":\"<s>\"}}}",
     SG_ERR_FORMAT, "\"5x\""},
    {"added_tokens_decoder, id is huge", "{" MODEL "," PRE "}",
     "{\"added_tokens_decoder\":{\"99999999999999999999\":{\"content\":\"<s>\"}}}", SG_ERR_FORMAT, "has id 9"},
    {"added_tokens_decoder, no content", "{" MODEL "," PRE "}", "{\"added_tokens_decoder\":{\"5\":{}}}", SG_ERR_FORMAT,
     "\"5\""},
    {"added_tokens_decoder, flag", "{" MODEL "," PRE "}",
     "{\"added_tokens_decoder\":{\"5\":{\"content\":\"<s>\",\"lstrip\":1}}}", SG_ERR_FORMAT, "\"lstrip\" is 1"},
    {"add_bos_token is a string", "{" MODEL "," PRE "}", "{\"add_bos_token\":\"yes\"}", SG_ERR_FORMAT,
     "\"add_bos_token\" is \"yes\""},
};

static int load_hf(sg_tokenizer **out, const char *text, const char *config_text, sg_error *err)
{
    json_object *json = NULL, *config = NULL;
    int rc = sg_json_parse(&json, text, strlen(text), "FILE", err);
    if (rc == SG_OK && config_text)
        rc = sg_json_parse(&config, config_text, strlen(config_text), "CONFIG", err);
    if (rc)
        fail_msg("%s", err->message);
    rc = sg_tokenizer_from_hf(out, json, config, "FILE", err);
    json_object_put(json);
    json_object_put(config);
    return rc;
}

static void test_hf(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(hf_rows); i++) {
        sg_tokenizer *tok = NULL;
        sg_error err = {0};
        int rc = load_hf(&tok, hf_rows[i].json, hf_rows[i].config, &err);
        expect(hf_rows[i].name, rc, &err, hf_rows[i].code, hf_rows[i].words);
        assert_true(rc == SG_OK || !tok);
        sg_tokenizer_free(tok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hf)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
