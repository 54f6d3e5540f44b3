/* What the surgery tests share: a folder to work in, the fixtures copied into it, and pruning by a list. */
#ifndef SG_SURGERY_WORK_H
#define SG_SURGERY_WORK_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sg_test.h"

#include "core/mem.h"
#include "core/output.h"
#include "model/model.h"

static char root[32];

/* A path below root; eight live at a time. */
static inline char *at(const char *name)
{
    static char paths[8][512];
    static int next;
    next = (next + 1) % 8;
    snprintf(paths[next], sizeof paths[next], "%s/%.400s", root, name);
    return paths[next];
}

/* A shell command with root as the working directory; true when it exits with 0. */
static inline bool shell(const char *format, ...) SG_PRINTF(1, 2);
static inline bool shell(const char *format, ...)
{
    char line[2048];
    int n = snprintf(line, sizeof line, "cd %s && ", root);
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    return system(line) == 0;
}

static inline int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/sg_surgery_XXXXXX");
    if (!mkdtemp(root))
        return -1;
    if (access(SG_GOLDEN "/tiny_llama.gguf", R_OK) != 0) {
        print_message("skip: tests/golden/tiny_llama.gguf is not there; make_tiny_llama.py makes it\n");
        skip();
    }
    return shell("cp -r %s/tiny_llama hf && cp -r %s/tiny_llama_tied tied && cp %s/tiny_llama.gguf one.gguf && cp %s/tiny_llama_tied.gguf tied.gguf",
                 SG_GOLDEN, SG_GOLDEN, SG_GOLDEN, SG_GOLDEN) ? 0 : -1;
}

static inline int remove_root(void **state)
{
    (void)state;
    return sg_remove_tree(root, NULL);
}

/* Prunes root/in by a list to root/out ("" for an empty path). result: NULL ok. */
static inline int prune(const char *in, const char *list, const char *out, const sg_prune_opts *opts, sg_prune_result **result, sg_error *err)
{
    sg_prune_opts one = opts ? *opts : (sg_prune_opts){0};
    sg_model *model = NULL;
    sg_plan *plan = NULL;
    sg_prune_result *r = NULL;
    int *layers = NULL;
    size_t n = 0;
    int rc;
    one.threads = 1;
    if ((rc = sg_model_open(&model, at(in), err)) == SG_OK &&
        (rc = sg_layers_parse(list, model->info.layers, &layers, &n, err)) == SG_OK &&
        (rc = sg_plan_from_layers(&plan, model, layers, n, err)) == SG_OK)
        rc = sg_prune_run(&r, model, plan, *out ? at(out) : "", &one, err);
    if (result && rc == SG_OK)
        *result = r;
    else
        sg_prune_result_free(r);
    sg_layers_free(layers);
    sg_plan_free(plan);
    sg_model_free(model);
    return rc;
}

static inline void must_prune(const char *in, const char *list, const char *out)
{
    sg_error err = {0};
    int rc = prune(in, list, out, NULL, NULL, &err);
    if (rc != SG_OK)
        fail_msg("%s without %s: %d (%s)", in, list, rc, err.message);
}

static inline sg_model *must_open(const char *path)
{
    sg_error err = {0};
    sg_model *model = NULL;
    if (sg_model_open(&model, at(path), &err) != SG_OK)
        fail_msg("%s: %s", path, err.message);
    return model;
}

/* Every tensor of a kept layer, and those of none, has the same type, shape and bytes; there are no others. */
static inline void assert_survivors(const char *before, const char *after, const int *keep, size_t n_keep)
{
    sg_model *a = must_open(before), *b = must_open(after);
    size_t kept = 0;
    assert_int_equal(b->info.layers, n_keep);
    for (size_t i = 0; i < a->ckpt->n_tensors; i++) {
        const sg_tensor *t = &a->ckpt->tensors[i];
        char name[256];
        const char *rest = "";
        int layer = sg_name_layer(a->layer_prefix, t->name, &rest), to = -1;
        for (size_t k = 0; k < n_keep; k++)
            if (keep[k] == layer)
                to = (int)k;
        if (layer >= 0 && to < 0)
            continue;
        snprintf(name, sizeof name, "%s%d.%s", a->layer_prefix, to, rest);
        const sg_tensor *u = sg_checkpoint_find(b->ckpt, layer < 0 ? t->name : name);
        if (!u || u->type != t->type || u->bytes != t->bytes || u->n_dims != t->n_dims ||
            memcmp(u->shape, t->shape, (size_t)t->n_dims * sizeof *t->shape) != 0 ||
            memcmp(sg_tensor_data(a->ckpt, t), sg_tensor_data(b->ckpt, u), t->bytes) != 0)
            fail_msg("%s: %s is not what it was", after, t->name);
        kept++;
    }
    assert_int_equal(b->ckpt->n_tensors, kept);
    sg_model_free(a);
    sg_model_free(b);
}

#endif
