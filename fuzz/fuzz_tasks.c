/* A task's name, a newline, and its raw file; mmlu's and cmmlu's is the one subject of a folder, of test/ and dev/ alike. Reading
 * takes paths, so the file goes into a folder in memory. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shortgpt.h"

static char folder[64];
static const char *const folders[] = {"", "/mmlu", "/mmlu/test", "/mmlu/dev", "/cmmlu", "/cmmlu/test", "/cmmlu/dev"};
static const char *const files[] = {"/file",
                                    "/file-labels.lst",
                                    "/mmlu/test/anatomy_test.csv",
                                    "/mmlu/dev/anatomy_dev.csv",
                                    "/cmmlu/test/anatomy.csv",
                                    "/cmmlu/dev/anatomy.csv"};
enum { N_FOLDERS = sizeof folders / sizeof *folders, N_FILES = sizeof files / sizeof *files };

static void remove_folder(void)
{
    char path[128];
    for (int i = 0; i < N_FILES; i++) {
        snprintf(path, sizeof path, "%s%s", folder, files[i]);
        remove(path);
    }
    for (int i = N_FOLDERS - 1; i >= 0; i--) {
        snprintf(path, sizeof path, "%s%s", folder, folders[i]);
        rmdir(path);
    }
}

static void make_folder(void)
{
    char path[128];
    struct stat st;
    snprintf(folder, sizeof folder, "%s/sg_fuzz_XXXXXX", stat("/dev/shm", &st) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(folder))
        abort();
    for (int i = 1; i < N_FOLDERS; i++) {
        snprintf(path, sizeof path, "%s%s", folder, folders[i]);
        mkdir(path, 0700);
    }
    atexit(remove_folder);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort(); /* no space: nothing was tested */
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t length = end ? (size_t)(end - data) : size, step = end ? length + 1 : length;
    char name[64] = "", path[128];
    if (!*folder)
        make_folder();
    memcpy(name, data, length < sizeof name ? length : sizeof name - 1);
    bool mmlu = !strcmp(name, "mmlu"), cmmlu = !strcmp(name, "cmmlu");
    for (int i = 0; i < N_FILES; i++)
        if (i == 1)
            put(files[i], (const uint8_t *)"0\n1\n", 4);
        else if (i == 0 ? !mmlu && !cmmlu : strncmp(files[i], "/mmlu", 5) ? cmmlu : mmlu)
            put(files[i], data + step, size - step);
    snprintf(path, sizeof path, "%s%s", folder, mmlu ? "/mmlu" : cmmlu ? "/cmmlu" : "/file");
    sg_task *task;
    sg_error err = {0};
    if (sg_task_read(&task, name, path, mmlu || cmmlu ? 1 : 0, 0, &err) == SG_OK)
        sg_task_free(task);
    return 0;
}
