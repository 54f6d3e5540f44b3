/* Every allocation of the library goes through here, so that a test can make each one fail in turn, and so that
 * sizes from files are multiplied safely. */
#ifndef SG_CORE_MEM_H
#define SG_CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n elements of size bytes. NULL when the product overflows or there is no memory; n = 0 gives a valid pointer. */
void *sg_alloc(size_t n, size_t size); /* not initialised */
void *sg_alloc_zero(size_t n, size_t size);
void *sg_alloc_aligned(size_t n, size_t size); /* 64-byte aligned, not initialised; for sg_free */
/* The same; large ones begin at a multiple of 2 MB and ask the kernel for pages of that size. */
void *sg_alloc_huge(size_t n, size_t size);
void *sg_resize(void *old, size_t n, size_t size);
char *sg_strdup(const char *s);
char *sg_strndup(const char *s, size_t n);
/* printf into a new string; NULL: no memory. */
char *sg_asprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sg_free(void *p);

/* false on overflow, *out untouched */
static inline bool sg_mul_ok(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return false;
    *out = r;
    return true;
}

/* Does [offset, offset + bytes) lie inside [0, size)? */
static inline bool sg_span_ok(uint64_t offset, uint64_t bytes, uint64_t size)
{
    return offset <= size && bytes <= size - offset;
}

/* Tests define this (it is weak here): called before each fallible operation with its name ("alloc", "open", "read",
 * "map", "write", "sync", "rename", "statvfs" ...). A non-zero return is the errno that the operation then fails with.
 */
int sg_test_fault(const char *operation);

#endif
