/* Reading ahead: what is wanted comes into memory without being touched, and the thread stops at any time. */
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "engine/fetch.h"
#include "tree.h"

static sg_model *open_model(const char *dir)
{
    sg_error err = {0};
    sg_model *model;
    if (sg_model_open(&model, dir, &err))
        fail_msg("%s", err.message);
    return model;
}

/* A copy of a fixture on disk, written to its end, so that the system can forget it. */
static void copy_model(const char *dir)
{
    char command[700];
    snprintf(command, sizeof command, "cp %s/tiny_llama/* '%s' && sync '%s'/*", SG_GOLDEN, dir, dir);
    if (system(command) != 0)
        fail_msg("cannot copy the fixture");
}

static bool resident(const sg_model *model, const sg_tensor *t)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)sg_tensor_data(model->ckpt, t) / page * page;
    unsigned char there = 0;
    assert_int_equal(mincore((void *)at, page, &there), 0);
    return there & 1;
}

static void forget(const sg_model *model)
{
    const sg_map *map = &model->ckpt->files[0];
    sg_map_release(map, 0, map->bytes);
    assert_int_equal(posix_fadvise(map->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

static void test_reads_ahead(void **state)
{
    (void)state;
    char dir[64];
    tree_make(dir);
    copy_model(dir);
    sg_model *model = open_model(dir);
    sg_fetch *f;
    sg_error err = {0};
    int last = model->spec.n_layers - 1;
    bool forgotten = false;
    for (int which = 0; which < 2; which++) {
        const sg_tensor *t = which ? sg_model_head(model) : sg_layer_role(model, last, SG_Q);
        forget(model);
        forgotten = !resident(model, t); /* not so in memory file systems */
        assert_int_equal(sg_fetch_create(&f, model, &err), SG_OK);
        sg_fetch_want(f, which ? model->spec.n_layers : last);
        for (int i = 0; i < 5000 && !resident(model, t); i++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (!resident(model, t))
            fail_msg("%s was not read in five seconds", t->name);
        sg_fetch_free(f);
    }
    sg_model_free(model);
    tree_remove(dir);
    if (!forgotten)
        skip();
}

/* Whatever was wanted, and however far it is; what is mapped stays the same. */
static void test_any_order(void **state)
{
    (void)state;
    sg_model *model = open_model(SG_GOLDEN "/families/mixtral");
    const sg_map *map = &model->ckpt->files[0];
    uint8_t *copy = malloc(map->bytes);
    assert_non_null(copy);
    memcpy(copy, map->data, map->bytes);
    for (int i = 0; i < 50; i++) {
        sg_fetch *f;
        sg_error err = {0};
        assert_int_equal(sg_fetch_create(&f, model, &err), SG_OK);
        for (int j = 0; j < i % 7; j++) {
            sg_fetch_want(f, (i * j) % (model->spec.n_layers + 2) - 1);
            sg_fetch_release(model, j % (model->spec.n_layers + 1));
        }
        sg_fetch_free(f);
    }
    sg_fetch_want(NULL, 0);
    sg_fetch_free(NULL);
    assert_memory_equal(map->data, copy, map->bytes);
    uint64_t bytes = 0;
    for (size_t i = 0; i < model->ckpt->n_tensors; i++)
        bytes += sg_tensor_layer(model, &model->ckpt->tensors[i]) == 0 ? model->ckpt->tensors[i].bytes : 0;
    assert_true(sg_fetch_bytes(model, false) == bytes); /* all layers are alike */
    uint64_t head = sg_model_head(model)->bytes;
    assert_true(sg_fetch_bytes(model, true) == (head > bytes ? head : bytes));
    free(copy);
    sg_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads_ahead), cmocka_unit_test(test_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
