/* Runs a target on files and on the files of directories: replay PATH... */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st)) {
        fprintf(stderr, "%s: cannot be read\n", path);
        if (f)
            fclose(f);
        return -1;
    }
    /* a block of its own size, so that AddressSanitizer sees a read behind it */
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    size_t n = data ? fread(data, 1, size, f) : 0;
    fclose(f);
    fprintf(stderr, "%s\n", path); /* the last line names the file of a crash */
    if (n == size)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return n == size ? 0 : -1;
}

static long replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return replay_file(path) ? -1 : 1;
    DIR *dir = opendir(path);
    long count = dir ? 0 : -1;
    for (struct dirent *entry; dir && (entry = readdir(dir)) && count >= 0;) {
        char file[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        count = replay_file(file) ? -1 : count + 1;
    }
    if (dir)
        closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    long total = 0;
    for (int i = 1; i < argc; i++) {
        long n = replay(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    fprintf(stderr, "%ld inputs\n", total);
    return total ? 0 : 1; /* an empty corpus tests nothing */
}
