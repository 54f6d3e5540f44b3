/* PCRE2, with our allocations and our errors; nothing else matches with it. */
#include "tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "core/mem.h"
#include "core/utf8.h"

#define MAX_PATTERN 65536     /* bytes; the longest in use has about 2,000 */
#define JIT_STACK (32u << 20) /* bytes, taken as needed; the interpreter goes on where it does not do */
#define HEAP_KIB (1u << 20)   /* the interpreter's bound */

struct sg_regex {
    pcre2_code *code;
};

struct sg_matcher {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    pcre2_jit_stack *stack; /* NULL: PCRE2 was built without its compiler */
};

static void *take(PCRE2_SIZE bytes, void *unused)
{
    (void)unused;
    return sg_alloc(bytes, 1);
}

static void give_back(void *p, void *unused)
{
    (void)unused;
    sg_free(p);
}

static int no_memory(sg_error *err)
{
    return sg_fail(err, SG_ERR_NOMEM, "no memory for a regular expression");
}

/* The syntax fixed, whatever PCRE2 was built with: a line ends in LF. */
static int compile(pcre2_code **out, const char *pattern, size_t bytes, uint32_t options, const char *what,
                   sg_error *err)
{
    int code = 0, rc = SG_OK;
    PCRE2_SIZE at = 0;
    pcre2_compile_context *context = NULL;
    pcre2_general_context *memory = pcre2_general_context_create(take, give_back, NULL);
    if (memory)
        context = pcre2_compile_context_create(memory);
    if (!context) {
        rc = no_memory(err);
        goto out;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    *out = pcre2_compile((PCRE2_SPTR)pattern, bytes, options, &code, &at, context);
    if (*out) {
        pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* faster where it works; the interpreter matches the same */
    } else if (code == PCRE2_ERROR_NOMEMORY || code == 121) { /* 121: its own number for memory while compiling */
        rc = no_memory(err);
    } else {
        PCRE2_UCHAR message[128];
        pcre2_get_error_message(code, message, sizeof message);
        rc = sg_fail(err, SG_ERR_FORMAT, "%s: the regular expression does not compile: %s (at byte %zu of \"%.200s\")",
                     what, (const char *)message, (size_t)at, pattern);
    }
out:
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    return rc;
}

int sg_regex_compile(sg_regex **out, const char *pattern, size_t bytes, bool literal, const char *what, sg_error *err)
{
    char *translated = NULL;
    sg_regex *regex = NULL;
    int rc = SG_OK;
    if (bytes > MAX_PATTERN)
        return sg_fail(err, SG_ERR_REFUSED, "%s: a regular expression of %zu bytes, supported are %d", what, bytes,
                       MAX_PATTERN);
    if (!sg_utf8_valid(pattern, bytes, NULL))
        return sg_fail(err, SG_ERR_FORMAT, "%s: the regular expression is not UTF-8", what);
    if (!literal && (rc = sg_regex_translate(&translated, pattern, bytes, what, err)) < 0)
        return rc;

    regex = sg_alloc_zero(1, sizeof *regex);
    if (!regex)
        rc = no_memory(err);
    else if (literal)
        rc = compile(&regex->code, pattern, bytes, PCRE2_UTF | PCRE2_LITERAL, what, err);
    else
        rc = compile(&regex->code, translated, strlen(translated),
                     PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, what, err);
    sg_free(translated);
    if (rc < 0) {
        sg_regex_free(regex);
        return rc;
    }
    *out = regex;
    return SG_OK;
}

void sg_regex_free(sg_regex *regex)
{
    if (regex)
        pcre2_code_free(regex->code);
    sg_free(regex);
}

int sg_matcher_create(sg_matcher **out, sg_error *err)
{
    sg_matcher *m = sg_alloc_zero(1, sizeof *m);
    if (!m)
        return no_memory(err);
    m->memory = pcre2_general_context_create(take, give_back, NULL);
    if (m->memory) {
        m->limits = pcre2_match_context_create(m->memory);
        m->data = pcre2_match_data_create(1, m->memory); /* one pair of offsets: the whole match */
    }
    if (!m->limits || !m->data) {
        sg_matcher_free(m);
        return no_memory(err);
    }
    pcre2_set_match_limit(m->limits, UINT32_MAX);
    pcre2_set_depth_limit(m->limits, UINT32_MAX);
    pcre2_set_heap_limit(m->limits, HEAP_KIB);
    m->stack = pcre2_jit_stack_create(32u << 10, JIT_STACK, m->memory);
    pcre2_jit_stack_assign(m->limits, NULL, m->stack);
    *out = m;
    return SG_OK;
}

void sg_matcher_free(sg_matcher *m)
{
    if (!m)
        return;
    pcre2_jit_stack_free(m->stack);
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
    pcre2_general_context_free(m->memory);
    sg_free(m);
}

int sg_regex_find(const sg_regex *regex, sg_matcher *m, const char *text, size_t bytes, size_t from, size_t *start,
                  size_t *end, sg_error *err)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)text;
    int n = pcre2_match(regex->code, subject, bytes, from, PCRE2_NO_UTF_CHECK, m->data, m->limits);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT)
        n = pcre2_match(regex->code, subject, bytes, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, m->data, m->limits);
    if (n == PCRE2_ERROR_NOMATCH)
        return 0;
    if (n == PCRE2_ERROR_NOMEMORY)
        return no_memory(err);
    if (n < 0) {
        PCRE2_UCHAR message[128];
        pcre2_get_error_message(n, message, sizeof message);
        return sg_fail(err, SG_ERR_FORMAT, "the tokenizer's regular expression fails at byte %zu of a text of %zu: %s",
                       from, bytes, (const char *)message);
    }
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(m->data);
    *start = span[0];
    *end = span[1] > span[0] ? span[1] : span[0]; /* \K, which could turn them round, is refused */
    return 1;
}
