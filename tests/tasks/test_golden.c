/* Every task's prompts, answers and likelihoods against lm-evaluation-harness and OpenCompass's rule (make_tasks.py), on files of each
 * published shape, with and without BOS, shared beginnings and texts longer than the model's positions among them. Tolerance: 5e-5 of
 * a likelihood's size, and at least 1e-4. */
#include <math.h>

#include "core/json.h"
#include "golden.h"
#include "tasks/encode.h"
#include "tasks/task.h"
#include "tokenizer/internal.h"

static sg_model *open_model(const char *name)
{
    char path[512];
    sg_error err = {0};
    sg_model *model;
    snprintf(path, sizeof path, "%s/%s", SG_GOLDEN, name);
    if (sg_model_open(&model, path, &err))
        fail_msg("%s", err.message);
    return model;
}

static const char *string_of(json_object *obj, const char *key)
{
    return json_object_get_string(sg_json_get(obj, key));
}

static json_object *at(json_object *list, size_t i)
{
    return json_object_array_get_idx(list, i);
}

/* The first of the largest, as numpy's argmax. */
static int best_of(json_object *lls, json_object *requests, bool norm, size_t prefix)
{
    int best = 0;
    double top = -INFINITY;
    for (size_t i = 0; i < json_object_array_length(lls); i++) {
        const char *continuation = json_object_get_string(at(at(requests, i), 1));
        double characters = 0, ll = json_object_get_double(at(lls, i));
        for (const char *c = continuation + prefix; *c; c++)
            characters += ((unsigned char)*c & 0xc0) != 0x80;
        double value = norm ? ll / characters : ll;
        if (value > top) {
            top = value;
            best = (int)i;
        }
    }
    return best;
}

static void check_item(const char *name, size_t k, const sg_task *task, const sg_item_score *got, json_object *want)
{
    json_object *requests = sg_json_get(want, "requests"), *lls = sg_json_get(want, "lls");
    const sg_item *item = &task->items[k];
    if (got->gold != json_object_get_int(sg_json_get(want, "gold")) || (size_t)got->n != json_object_array_length(requests))
        fail_msg("%s: item %zu: gold %d of %d", name, k, got->gold, got->n);
    for (int i = 0; i < got->n; i++) {
        const sg_request *r = &task->requests[item->first + (size_t)i];
        json_object *pair = at(requests, (size_t)i);
        if (strcmp(r->context, json_object_get_string(at(pair, 0))) || strcmp(r->continuation, json_object_get_string(at(pair, 1))))
            fail_msg("%s: item %zu, option %d: \"%s\" + \"%s\", expected %s", name, k, i, r->context, r->continuation,
                     json_object_to_json_string(pair));
        double ll = json_object_get_double(at(lls, (size_t)i)), bound = fabs(ll) * 5e-5 > 1e-4 ? fabs(ll) * 5e-5 : 1e-4;
        if (!(fabs(got->lls[i] - ll) <= bound))
            fail_msg("%s: item %zu, option %d: %.6f, expected %.6f", name, k, i, got->lls[i], ll);
    }
    if (task->row->rule == SG_RULE_WORD)
        assert_int_equal(got->pred == 0, json_object_get_boolean(at(sg_json_get(want, "greedy"), 0)));
    else
        assert_int_equal(got->pred, best_of(lls, requests, false, 0));
    if (task->row->acc_norm && strcmp(task->name, "generic")) /* whose delimiters differ */
        assert_int_equal(got->pred_norm, best_of(lls, requests, true, 1));
}

enum { MOST = 64 };

/* All cases of one model, with or without BOS, in one pass. */
static void check_model(json_object *cases, const char *model_name, const char *bos)
{
    sg_error err = {0};
    sg_model *model = open_model(model_name);
    sg_task *tasks[MOST];
    json_object *of[MOST];
    sg_eval *eval = NULL;
    size_t n = 0;
    for (size_t i = 0; i < json_object_array_length(cases); i++) {
        json_object *c = at(cases, i);
        char path[512];
        if (strcmp(string_of(c, "model"), model_name) || strcmp(string_of(c, "bos"), bos))
            continue;
        snprintf(path, sizeof path, "%s/%s", SG_GOLDEN, string_of(c, "file"));
        assert_true(n < MOST);
        of[n] = c;
        if (sg_task_read(&tasks[n++], string_of(c, "task"), path, json_object_get_int(sg_json_get(c, "shots")), 0, &err))
            fail_msg("%s", err.message);
    }
    assert_true(n > 8);
    sg_run_opts opts = {.bos = strcmp(bos, "always") ? SG_BOS_NEVER : SG_BOS_ALWAYS, .precision = SG_PRECISION_F32, .threads = 1};
    if (sg_eval_tasks(&eval, model, NULL, 0, (const sg_task *const *)tasks, n, &opts, &err))
        fail_msg("%s, BOS %s: %s", model_name, bos, err.message);
    for (size_t i = 0; i < n; i++) {
        const sg_task_score *score = &eval->entries[0].tasks[i];
        json_object *items = sg_json_get(of[i], "items");
        char name[128];
        snprintf(name, sizeof name, "%s, %s, %d shots, BOS %s", tasks[i]->name, model_name, tasks[i]->shots, bos);
        assert_int_equal(score->n, json_object_array_length(items));
        assert_int_equal(score->bos, !strcmp(bos, "always"));
        for (size_t k = 0; k < tasks[i]->n_items; k++)
            check_item(name, k, tasks[i], &score->items[k], at(items, k));
        sg_task_free(tasks[i]);
    }
    sg_eval_free(eval);
    sg_model_free(model);
}

static void test_all_tasks(void **state)
{
    (void)state;
    static const char *const models[] = {"tiny_llama", "tiny_llama_tied"}, *const bos[] = {"always", "never"};
    json_object *cases;
    sg_error err = {0};
    if (sg_json_read_file(&cases, SG_GOLDEN "/tasks.json", &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < sg_n_task_rows; i++) { /* none is left out */
        bool found = false;
        for (size_t j = 0; j < json_object_array_length(cases) && !found; j++)
            found = !strcmp(string_of(at(cases, j), "task"), sg_task_rows[i].name);
        if (!found)
            fail_msg("%s has no case", sg_task_rows[i].name);
    }
    for (int i = 0; i < 4; i++)
        check_model(cases, models[i / 2], bos[i % 2]);
    json_object_put(cases);
}

/* Behind an empty context stands the BOS, of a tokenizer without one the EOS, and without both there is no likelihood. */
static void test_empty_context(void **state)
{
    (void)state;
    static const struct { int32_t bos, eos, first; } rows[] = {{5, 6, 5}, {-1, 6, 6}, {-1, -1, -1}, {-1, INT32_MAX, -1}};
    sg_error err = {0};
    sg_task *task;
    assert_int_equal(sg_task_read(&task, "generic", SG_GOLDEN "/tasks/generic.jsonl", 0, 0, &err), SG_OK);
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_model *model = open_model("tiny_llama");
        sg_encoded e;
        int32_t id;
        assert_int_equal(sg_model_bos(model, SG_BOS_NEVER, &id, &err), SG_OK); /* reads the tokenizer */
        model->tokenizer->bos = rows[i].bos;
        model->tokenizer->eos = rows[i].eos;
        int rc = sg_encode(&e, model, (const sg_task *const[]){task}, 1, SG_BOS_NEVER, &err);
        if (rows[i].first < 0) {
            assert_int_equal(rc, SG_ERR_REFUSED);
            assert_non_null(strstr(err.message, "item g2: an empty context needs a BOS or EOS token"));
        } else {
            assert_int_equal(rc, SG_OK);
            const sg_sequence *s = &e.sequences[task->items[1].first];
            assert_int_equal(s->ids[0], rows[i].first);
            assert_int_equal(s->first, 1);
        }
        sg_encoded_dispose(&e);
        sg_model_free(model);
    }
    sg_task_free(task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_tasks), cmocka_unit_test(test_empty_context)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
