/* Plans: made, written, read back, and refused. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "model/model.h"
#include "select/plan.h"

#define PRINT "0123456789abcdef0123456789abcdef"

/* As much of a model as plans look at. */
static sg_model model = {.info = {.path = "MODEL", .layers = 6, .hidden = 8, .vocab = 10, .fingerprint = PRINT}};

static char *write_file(const char *text)
{
    static char path[64];
    strcpy(path, "/tmp/sg_plan_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static void test_from_layers(void **state)
{
    (void)state;
    static const struct { const char *name; int layers[6]; size_t n; int code; } rows[] = {
        {"none", {0}, 0, SG_ERR_USAGE},           {"twice", {1, 2, 1}, 3, SG_ERR_USAGE}, {"too high", {6}, 1, SG_ERR_USAGE},
        {"negative", {-1}, 1, SG_ERR_USAGE},      {"all", {0, 1, 2, 3, 4, 5}, 6, SG_ERR_REFUSED},
        {"unsorted", {4, 0, 3}, 3, SG_OK},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_plan *plan = NULL;
        sg_error err = {0};
        int rc = sg_plan_from_layers(&plan, &model, rows[i].layers, rows[i].n, &err);
        if (rc != rows[i].code || (rc < 0) != !plan)
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        if (plan) {
            static const int remove[] = {0, 3, 4}, keep[] = {1, 2, 5};
            assert_int_equal(plan->n_remove, 3);
            assert_memory_equal(plan->remove, remove, sizeof remove);
            assert_int_equal(plan->n_keep, 3);
            assert_memory_equal(plan->keep, keep, sizeof keep);
            assert_string_equal(plan->method, "layers");
            assert_string_equal(plan->fingerprint, PRINT);
        }
        sg_plan_free(plan);
    }
}

static void test_from_score(void **state)
{
    (void)state;
    static const int order[] = {4, 1, 3, 2, 0, 5}, remove[] = {1, 3, 4};
    const sg_score score = {.method = "bi", .n_layers = 6, .order = order}, other = {.n_layers = 5, .order = order};
    sg_plan *plan = NULL;
    assert_int_equal(sg_plan_from_score(&plan, &model, &score, 3, NULL), SG_OK);
    assert_memory_equal(plan->remove, remove, sizeof remove);
    assert_string_equal(plan->method, "bi");
    sg_plan_free(plan);
    assert_int_equal(sg_plan_from_score(&plan, &model, &score, 0, NULL), SG_ERR_USAGE);
    assert_int_equal(sg_plan_from_score(&plan, &model, &score, 6, NULL), SG_ERR_REFUSED);
    assert_int_equal(sg_plan_from_score(&plan, &model, &other, 3, NULL), SG_ERR_USAGE);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const int layers[] = {2, 3};
    sg_plan *plan = NULL, *back = NULL;
    char *text = NULL, *again = NULL;
    bool same = false;
    assert_int_equal(sg_plan_from_layers(&plan, &model, layers, 2, NULL), SG_OK);
    assert_int_equal(sg_plan_json(plan, &text, NULL), SG_OK);
    char *path = write_file(text);
    assert_int_equal(sg_plan_read(&back, path, &model, &same, NULL), SG_OK);
    assert_true(same);
    assert_int_equal(sg_plan_json(back, &again, NULL), SG_OK);
    assert_string_equal(text, again);
    sg_plan_free(back);

    strcpy(model.info.fingerprint, "00000000000000000000000000000000"); /* other weights of the same shape: only a note */
    assert_int_equal(sg_plan_read(&back, path, &model, &same, NULL), SG_OK);
    assert_false(same);
    strcpy(model.info.fingerprint, PRINT);
    sg_plan_free(back);
    sg_plan_free(plan);
    sg_free(text);
    sg_free(again);
    unlink(path);
}

#define MODEL(layers, hidden, vocab) "\"model\":{\"layers\":" layers ",\"hidden\":" hidden ",\"vocab\":" vocab ",\"fingerprint\":\"" PRINT "\"}"
#define HEAD "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("6", "8", "10") ","

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *name, *json; int code; const char *says; } rows[] = {
        {"right", HEAD "\"remove\":[2,3],\"keep\":[0,1,4,5],\"later\":1}", SG_OK, ""},
        {"empty file", "", SG_ERR_FORMAT, ""},
        {"not JSON", "21-25", SG_ERR_FORMAT, ""},
        {"a list", "[]", SG_ERR_FORMAT, "schema"},
        {"no schema", "{}", SG_ERR_FORMAT, "schema"},
        {"other schema", "{\"schema\":\"shortgpt/score/1\"}", SG_ERR_FORMAT, "shortgpt/score/1"},
        {"no model", "{\"schema\":\"shortgpt/plan/1\"}", SG_ERR_FORMAT, "layers"},
        {"more layers", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("7", "8", "10") ",\"remove\":[2],\"keep\":[0,1,3,4,5,6]}",
         SG_ERR_REFUSED, "\"layers\" 7"},
        {"wider", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("6", "9", "10") ",\"remove\":[2],\"keep\":[0,1,3,4,5]}",
         SG_ERR_REFUSED, "\"hidden\" 9"},
        {"other words", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("6", "8", "11") ",\"remove\":[2],\"keep\":[0,1,3,4,5]}",
         SG_ERR_REFUSED, "\"vocab\" 11"},
        {"layers a string", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("\"6\"", "8", "10") "}", SG_ERR_FORMAT, "layers"},
        {"layers zero", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("0", "8", "10") "}", SG_ERR_FORMAT, "layers"},
        {"huge", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\"," MODEL("2147483647", "8", "10") ",\"remove\":[2],\"keep\":[0]}",
         SG_ERR_FORMAT, "keep"},
        {"no remove", HEAD "\"keep\":[0]}", SG_ERR_FORMAT, "remove"},
        {"remove nothing", HEAD "\"remove\":[],\"keep\":[0,1,2,3,4,5]}", SG_ERR_FORMAT, "remove"},
        {"remove all", HEAD "\"remove\":[0,1,2,3,4,5],\"keep\":[]}", SG_ERR_REFUSED, "all 6"},
        {"unsorted", HEAD "\"remove\":[3,2],\"keep\":[0,1,4,5]}", SG_ERR_FORMAT, "ascending"},
        {"twice", HEAD "\"remove\":[2,2],\"keep\":[0,1,3,4,5]}", SG_ERR_FORMAT, "ascending"},
        {"out of range", HEAD "\"remove\":[6],\"keep\":[0,1,2,3,4,5]}", SG_ERR_FORMAT, "\"remove\" entry 0"},
        {"negative", HEAD "\"remove\":[-1],\"keep\":[0,1,2,3,4,5]}", SG_ERR_FORMAT, "\"remove\" entry 0"},
        {"a fraction", HEAD "\"remove\":[2.0],\"keep\":[0,1,3,4,5]}", SG_ERR_FORMAT, "\"remove\" entry 0"},
        {"null", HEAD "\"remove\":[null],\"keep\":[0,1,3,4,5]}", SG_ERR_FORMAT, "\"remove\" entry 0"},
        {"no keep", HEAD "\"remove\":[2]}", SG_ERR_FORMAT, "keep"},
        {"keep too short", HEAD "\"remove\":[2],\"keep\":[0,1,3,4]}", SG_ERR_FORMAT, "keep"},
        {"keep the removed", HEAD "\"remove\":[2],\"keep\":[0,1,2,4,5]}", SG_ERR_FORMAT, "keep"},
        {"no method", "{\"schema\":\"shortgpt/plan/1\"," MODEL("6", "8", "10") ",\"remove\":[2],\"keep\":[0,1,3,4,5]}", SG_ERR_FORMAT, "method"},
        {"bad fingerprint", "{\"schema\":\"shortgpt/plan/1\",\"method\":\"bi\",\"model\":{\"layers\":6,\"hidden\":8,\"vocab\":10,"
                            "\"fingerprint\":\"xyz\"},\"remove\":[2],\"keep\":[0,1,3,4,5]}", SG_ERR_FORMAT, "fingerprint"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_plan *plan = NULL;
        sg_error err = {0};
        char *path = write_file(rows[i].json);
        int rc = sg_plan_read(&plan, path, &model, NULL, &err);
        if (rc != rows[i].code || (rc < 0) != !plan || (rc < 0 && (!strstr(err.message, path) || !strstr(err.message, rows[i].says))))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        sg_plan_free(plan);
        unlink(path);
    }
    sg_plan *plan = NULL;
    assert_int_equal(sg_plan_read(&plan, "/nonexistent/plan.json", &model, NULL, NULL), SG_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_layers), cmocka_unit_test(test_from_score), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
