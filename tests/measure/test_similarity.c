/* How many positions the similarity keeps, whatever the windows: never more than its bound, evenly from all of them,
 * and each of them counted once. */
#include "core/mem.h"
#include "measure/similarity.h"
#include "sg_test.h"

enum { MOST = 1024 };

static void test_positions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int windows, length;
        bool bos;
    } rows[] = {
        {"one window", 1, 2, false},     {"a BOS in front", 3, 5, true},  {"all kept", 4, 256, false},
        {"every second", 4, 300, false}, {"many windows", 5000, 3, true}, {"longer than a step", 700, 9, false},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        int W = rows[i].windows, T = rows[i].length;
        sg_window *windows = sg_alloc_zero((size_t)W, sizeof *windows);
        sg_error err = {0};
        sg_similarity s;
        float before[] = {1, 0}, after[] = {0, 1};
        double result[4];
        for (int w = 0; w < W; w++)
            windows[w] = (sg_window){.n = T, .bos = rows[i].bos};
        assert_int_equal(sg_similarity_init(&s, windows, W, 1, 2, &err), SG_OK);
        for (int w = 0; w < W; w++)
            for (int t = 0; t < T; t++) {
                sg_position at = {w, t};
                sg_layer_event e = {.subsets = &(int){0},
                                    .n_subsets = 1,
                                    .at = &at,
                                    .n = 1,
                                    .hidden = 2,
                                    .before = before,
                                    .mid = before,
                                    .after = after};
                assert_int_equal(sg_similarity_layer(&s, &e, &err), SG_OK);
            }
        int all = W * (T - rows[i].bos);
        if (s.n > MOST || s.n < (all + s.step - 1) / s.step || s.counts[2] != s.n)
            fail_msg("%s: %d of %d positions kept, %d seen, step %d", rows[i].name, s.n, all, s.counts[2], s.step);
        sg_similarity_result(&s, result);
        assert_true(result[0] == 1 && result[1] == 0 && result[2] == 0 && result[3] == 1);
        sg_similarity_dispose(&s);
        sg_free(windows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_positions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
