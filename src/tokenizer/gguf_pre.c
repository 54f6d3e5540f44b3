/* The metadata names a pre-tokenizer instead of spelling it, so what a name means is llama.cpp's source:
 * src/llama-vocab.cpp (names, expressions, defaults) and src/unicode.cpp (how it matches them). What that matching does
 * differently is in the expressions here: it has no caseless groups (its 's does not match U+017F), it takes any letter
 * for an upper-case and a lower-case one, and where an expression has no \p it knows only ASCII digits, and no blank
 * but as \s. Names of encoders (jina, bert, ...) and those whose cutting is no list of expressions are left out. */
#include "tokenizer/gguf_pre.h"

#include <string.h>

#include "tokenizer/pretokenize.h"

#define CONTRACTIONS "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
#define WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define SYMBOLS " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define BLANKS "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* No lower-case ASCII letter, and no upper-case one: the parts of a CamelCase word. */
#define UPPER "[^\\P{L}a-z]"
#define LOWER "[^\\P{L}A-Z]"
#define UPPER_M "(?:(?![a-z])[\\p{L}\\p{M}])"
#define LOWER_M "(?:(?![A-Z])[\\p{L}\\p{M}])"
#define CAMEL(upper, lower, end)                                                                                       \
    "[^\\r\\n\\p{L}\\p{N}]?" upper "*" lower "+" end "|[^\\r\\n\\p{L}\\p{N}]?" upper "+" lower "*" end

#define CJK "[一-龥぀-ゟ゠-ヿ]+"
/* U+0800 to U+9FA5 without its blanks, and Hangul */
#define CODER_CJK                                                                                                      \
    "[\\x{800}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"    \
    "\\x{2060}-\\x{2fff}\\x{3001}-\\x{9fa5}가-\\x{d7ff}]+"
#define ASCII_WORD "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
#define MARKED_WORD "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
/* Digits in groups of three from the right; llama.cpp leaves what is before them with the first group. */
#define DIGITS_FROM_RIGHT "(?<=\\p{N})\\p{N}{3}|\\P{N}*+(?:\\p{N}{1,3}(?=(?:\\p{N}{3})*+(?!\\p{N}))|\\z)"
#define HAN                                                                                                            \
    "\\x{4e00}-\\x{9fff}\\x{3400}-\\x{4dbf}\\x{20000}-\\x{2a6df}\\x{2a700}-\\x{2b73f}\\x{2b740}-\\x{2b81f}"            \
    "\\x{2b820}-\\x{2ebef}\\x{f900}-\\x{faff}\\x{2f800}-\\x{2fa1f}"
#define NOT_HAN "[^\\P{L}" HAN "]"

/* clang-format off */
static const char *const llama3[] = {CONTRACTIONS "|" WORD "|\\p{N}{1,3}|" SYMBOLS "|" BLANKS, NULL};
static const char *const gpt2[] = {sg_gpt2_regex, NULL};
static const char *const smollm[] = {"\\p{N}", sg_gpt2_regex, NULL};
static const char *const qwen2[] = {CONTRACTIONS "|" WORD "|\\p{N}|" SYMBOLS "|" BLANKS, NULL};
static const char *const qwen35[] = {
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" BLANKS, NULL};
static const char *const deepseek_llm[] = {
    "[\\r\\n]",
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛ"
    "ὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚ"
    "ａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+",
    "\\s?[!-/:-~！-／：-～‘-‟\\x{3001}-。]+",
    "\\s+\\z",
    CODER_CJK,
    "\\p{N}+", NULL};
static const char *const deepseek_coder[] = {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CODER_CJK, "\\p{N}", NULL};
static const char *const deepseek3[] = {
    "\\p{N}{1,3}", CJK, ASCII_WORD "|" MARKED_WORD "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" BLANKS, NULL};
static const char *const spark[] = {
    "\\p{N}{1,3}", CJK, ASCII_WORD "|" MARKED_WORD "| ?[\\p{P}\\p{S}]+|[\\r\\n]|\\s+(?!\\S)|\\s+", "\\p{N}", NULL};
static const char *const youtu[] = {
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" CJK,
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+(?:" CONTRACTIONS ")?|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BLANKS, NULL};
static const char *const falcon[] = {"[\\p{P}$+<=>^~|`]+", sg_gpt2_regex, "[0-9][0-9][0-9]", NULL};
static const char *const bloom[] = {" ?[^(\\s|.,!?…。，、।۔،)]+", NULL};
static const char *const viking[] = {" ?[^(\\s|.,!?…。，、।۔،)]+", "\\p{N}", NULL};
static const char *const tekken[] = {
    CAMEL(UPPER, LOWER, "") "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BLANKS, NULL};
static const char *const gpt4o[] = {
    CAMEL(UPPER, LOWER, "(?:" CONTRACTIONS ")?") "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BLANKS, NULL};
static const char *const granite_embed[] = {
    CAMEL(UPPER_M, LOWER_M, "(?:" CONTRACTIONS ")?") "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BLANKS, NULL};
static const char *const tiny_aya[] = {
    DIGITS_FROM_RIGHT,
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+(?:" CONTRACTIONS ")?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|"
    BLANKS, NULL};
static const char *const kimi[] = {
    "[" HAN "]+|[^\\r\\n\\p{L}\\p{N}]?" NOT_HAN "+(?:" CONTRACTIONS ")?|\\p{N}{1,3}|" SYMBOLS "|" BLANKS, NULL};
static const char *const superbpe[] = {"\\p{N}+", "(?=([0-9]{3})+(?![0-9]))", NULL};
static const char *const bailing[] = {
    "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|" WORD "|\\p{N}|" SYMBOLS "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+", NULL};
static const char *const seed_coder[] = {
    CONTRACTIONS "|" WORD "|\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" BLANKS, NULL};
static const char *const ufakzeka[] = {WORD "|\\p{N}|" SYMBOLS "|" BLANKS, NULL};
static const char *const afmoe[] = {
    DIGITS_FROM_RIGHT,
    "[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+",
    ASCII_WORD "|" MARKED_WORD "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" BLANKS, NULL};
static const char *const laguna[] = {"[^\\n]+|[\\n]+", CONTRACTIONS "|" WORD "|\\p{N}|" SYMBOLS "|" BLANKS, NULL};
static const char *const exaone_moe[] = {
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|"
    "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+", NULL};
static const char *const minicpm5[] = {
    "\\p{N}{1,3}", CONTRACTIONS "|" WORD "|\\p{N}+|" SYMBOLS "|" BLANKS, NULL};
static const char *const jais2[] = {
    CONTRACTIONS "|" WORD "|\\p{N}{1,3}|" SYMBOLS "|\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|"
    "\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}", NULL};
static const char *const fallback[] = {"[\\p{P}$+<=>^~|]+", sg_gpt2_regex, "\\p{N}+", "[0-9][0-9][0-9]", NULL};
static const char *const lines[] = {"[^\\n]+|[\\n]+", NULL};

static const sg_gguf_pre pre_types[] = {
    {.regexes = llama3, .ignore_merges = true, .adds_bos = true,
     .names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
               "jina-v5-nano"}},
    {.regexes = llama3, .names = {"dbrx", "smaug-bpe", "chatglm-bpe"}},
    {.regexes = llama3, .ignore_merges = true, .names = {"glm4", "glm5"}},
    {.regexes = gpt2,
     .names = {"gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "jina-es", "jina-de",
               "gigachat", "a.x-4.0", "mellum"}},
    {.regexes = smollm,
     .names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"}},
    {.regexes = qwen2,
     .names = {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open",
               "grok-2"}},
    {.regexes = qwen35, .names = {"qwen35"}},
    {.regexes = deepseek_llm, .names = {"deepseek-llm"}},
    {.regexes = deepseek_coder, .names = {"deepseek-coder"}},
    {.regexes = deepseek3, .names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"}},
    {.regexes = spark, .names = {"spark2_5"}},
    {.regexes = youtu, .ignore_merges = true, .names = {"youtu"}},
    {.regexes = falcon, .names = {"falcon"}},
    {.regexes = bloom, .names = {"bloom", "poro-chat", "gpt3-finnish"}},
    {.regexes = viking, .names = {"viking"}},
    {.regexes = tekken, .ignore_merges = true, .adds_bos = true, .names = {"tekken"}},
    {.regexes = gpt4o, .names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}},
    {.regexes = granite_embed, .ignore_merges = true, .names = {"granite-embed-multi-97m"}},
    {.regexes = tiny_aya, .names = {"tiny_aya", "cohere2moe"}},
    {.regexes = kimi, .names = {"kimi-k2"}},
    {.regexes = superbpe, .names = {"superbpe"}},
    {.regexes = bailing, .names = {"bailingmoe", "bailingmoe2", "llada-moe"}},
    {.regexes = seed_coder, .names = {"seed-coder"}},
    {.regexes = ufakzeka, .names = {"ufakzeka"}},
    {.regexes = afmoe, .names = {"afmoe"}},
    {.regexes = laguna, .names = {"laguna"}},
    {.regexes = exaone_moe, .names = {"exaone-moe"}},
    {.regexes = minicpm5, .ignore_merges = true, .names = {"minicpm5"}},
    {.regexes = jais2, .names = {"jais-2"}},
    {.regexes = fallback, .names = {"default"}},
    {.regexes = lines, .characters = true, .newlines_whole = true, .always_bos = true, .names = {"gemma4"}},
    {.regexes = lines, .characters = true, .names = {"sarvam-moe"}},
};
/* clang-format on */

const sg_gguf_pre *sg_gguf_pre_find(const char *name, size_t bytes)
{
    for (size_t i = 0; i < sizeof pre_types / sizeof pre_types[0]; i++)
        for (const char *const *known = pre_types[i].names; *known; known++)
            if (strlen(*known) == bytes && !memcmp(*known, name, bytes))
                return &pre_types[i];
    return NULL;
}
