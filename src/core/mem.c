/* Allocation with overflow checks and a place for tests to make it fail. */
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

__attribute__((weak)) int sg_test_fault(const char *operation)
{
    (void)operation;
    return 0;
}

/* The byte count of n elements, at least 1; 0 when it cannot be had. */
static size_t checked_bytes(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX || sg_test_fault("alloc"))
        return 0;
    return bytes ? bytes : 1;
}

void *sg_alloc(size_t n, size_t size)
{
    size_t bytes = checked_bytes(n, size);
    return bytes ? malloc(bytes) : NULL;
}

void *sg_alloc_zero(size_t n, size_t size)
{
    size_t bytes = checked_bytes(n, size);
    return bytes ? calloc(1, bytes) : NULL;
}

void *sg_alloc_aligned(size_t n, size_t size)
{
    void *p = NULL;
    size_t bytes = checked_bytes(n, size);
    return bytes && posix_memalign(&p, 64, bytes) == 0 ? p : NULL;
}

void *sg_alloc_huge(size_t n, size_t size)
{
    enum { HUGE_PAGE = 2 << 20 };
    void *p = NULL;
    size_t bytes = checked_bytes(n, size);
    if (!bytes || posix_memalign(&p, bytes < HUGE_PAGE ? 64 : HUGE_PAGE, bytes))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE_PAGE)
        madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* advice: it may be refused */
#endif
    return p;
}

void *sg_resize(void *old, size_t n, size_t size)
{
    size_t bytes = checked_bytes(n, size);
    return bytes ? realloc(old, bytes) : NULL;
}

char *sg_strndup(const char *s, size_t n)
{
    char *copy = sg_alloc(n + 1, 1);
    if (!copy)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *sg_strdup(const char *s)
{
    return sg_strndup(s, strlen(s));
}

char *sg_asprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return NULL;
    char *s = sg_alloc((size_t)n + 1, 1);
    if (!s)
        return NULL;
    va_start(args, format);
    vsnprintf(s, (size_t)n + 1, format, args);
    va_end(args);
    return s;
}

void sg_free(void *p)
{
    free(p);
}
