/* Files built byte by byte, and a folder to put them in. Only for tests: out of memory aborts. */
#ifndef SG_TEST_BYTES_H
#define SG_TEST_BYTES_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sg_test.h"
#include "core/error.h"

typedef struct buffer {
    uint8_t *p;
    size_t n, room;
} buffer;

static inline void put(buffer *b, const void *data, size_t n)
{
    if (b->n + n > b->room) {
        b->room = (b->n + n) * 2;
        b->p = realloc(b->p, b->room);
        if (!b->p)
            abort();
    }
    if (data && n)
        memcpy(b->p + b->n, data, n);
    else if (n)
        memset(b->p + b->n, 0, n);
    b->n += n;
}

static inline void put_u32(buffer *b, uint32_t v)
{
    put(b, &v, 4);
}

static inline void put_u64(buffer *b, uint64_t v)
{
    put(b, &v, 8);
}

static inline void put_string(buffer *b, const char *s) /* GGUF's */
{
    put_u64(b, strlen(s));
    put(b, s, strlen(s));
}

static inline void put_pad(buffer *b, size_t alignment)
{
    put(b, NULL, (alignment - b->n % alignment) % alignment);
}

/* A whole safetensors file of that header, with data bytes counting up. */
static inline buffer safetensors_file(const char *json, size_t data_bytes)
{
    buffer b = {0};
    put_u64(&b, strlen(json));
    put(&b, json, strlen(json));
    for (size_t i = 0; i < data_bytes; i++)
        put(&b, &(uint8_t){(uint8_t)i}, 1);
    return b;
}

/* The first n bytes in a heap block of exactly that size, so that ASan sees each read behind it. */
static inline uint8_t *exact_copy(const buffer *b, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    memcpy(copy, b->p, n);
    return n ? copy : copy + 1; /* of nothing, not even one byte may be read */
}

static inline void exact_free(uint8_t *copy, size_t n)
{
    free(n ? copy : copy - 1);
}

/* Is the outcome the code whose sentence names path and has text in it? */
static inline void check_error(const char *row, int rc, const sg_error *err, int code, const char *path,
                               const char *text)
{
    if (rc != code)
        fail_msg("%s: got %d (%s), expected %d", row, rc, err->message, code);
    if (code && (rc != (int)err->code || !strstr(err->message, path) || !strstr(err->message, text)))
        fail_msg("%s: the message lacks \"%s\" or \"%s\": %s", row, path, text, err->message);
}

static inline void temp_dir(char dir[64])
{
    strcpy(dir, "/tmp/sg_test_XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static inline void remove_dir(const char *dir)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

static inline void write_file(const char *dir, const char *name, const void *data, size_t n)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(n ? fwrite(data, 1, n, f) : 0, n);
    assert_int_equal(fclose(f), 0);
}

static inline void write_text(const char *dir, const char *name, const char *text)
{
    write_file(dir, name, text, strlen(text));
}

#endif
