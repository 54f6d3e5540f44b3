/* config.json | 0 | model.safetensors, or a .gguf file: opened as a model, described, and a layer of it pruned as far as that
 * writes nothing. Opening takes paths, so the parts go into a folder in memory. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shortgpt.h"

static char folder[64];

static void remove_folder(void)
{
    static const char *const names[] = {"hf/config.json", "hf/model.safetensors", "hf", "model.gguf"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

static void make_folder(void)
{
    char path[128];
    struct stat st;
    snprintf(folder, sizeof folder, "%s/sg_fuzz_XXXXXX", stat("/dev/shm", &st) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/hf", folder);
    mkdir(path, 0700);
    atexit(remove_folder);
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort(); /* no space: nothing was tested */
    close(fd);
}

static void look_at(const char *name, const char *out)
{
    char path[128], target[128];
    sg_model *model = NULL;
    sg_error err = {0};
    char *json = NULL, *table = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(target, sizeof target, "%s/%s", folder, out);
    if (sg_model_open(&model, path, &err) != SG_OK)
        return;
    if (sg_inspect_json(model, &json, &err) == SG_OK)
        sg_string_free(json);
    if (sg_inspect_table(model, NULL, &table, &err) == SG_OK)
        sg_string_free(table);
    sg_plan *plan = NULL;
    sg_prune_result *result = NULL;
    int layer = sg_model_get_info(model)->layers / 2;
    if (sg_plan_from_layers(&plan, model, &layer, 1, &err) == SG_OK)
        sg_prune_dry_run(&result, model, plan, target, NULL, &err);
    sg_prune_result_free(result);
    sg_plan_free(plan);
    sg_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*folder)
        make_folder();
    if (size >= 4 && !memcmp(data, "GGUF", 4)) {
        put("model.gguf", data, size);
        look_at("model.gguf", "out.gguf");
        return 0;
    }
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t config = end ? (size_t)(end - data) : size, step = end ? config + 1 : config;
    put("hf/config.json", data, config);
    put("hf/model.safetensors", data + step, size - step);
    look_at("hf", "out");
    return 0;
}
