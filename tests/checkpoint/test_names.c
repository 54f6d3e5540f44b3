/* Tensors are found by name, absent ones are not, and of a name given twice the second is named. */
#include <stdio.h>

#include "sg_test.h"

#include "checkpoint/names.h"

enum { MANY = 5000 };

static void test_find(void **state)
{
    (void)state;
    static char spelling[MANY][16];
    static sg_tensor tensors[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(spelling[i], sizeof spelling[i], "blk.%d", i);
        tensors[i].name = spelling[i];
    }
    for (size_t n = 0; n <= MANY; n = 3 * n + 1) {
        sg_names names;
        const sg_tensor *twice;
        assert_true(sg_names_make(&names, tensors, n, &twice));
        assert_null(twice);
        for (size_t i = 0; i < MANY; i++)
            if (sg_names_find(&names, tensors, spelling[i]) != (i < n ? &tensors[i] : NULL))
                fail_msg("%s of %zu is not what is found", spelling[i], n);
        assert_null(sg_names_find(&names, tensors, ""));
        sg_names_dispose(&names);
    }
}

static void test_twice(void **state)
{
    (void)state;
    sg_tensor tensors[] = {{.name = (char[]){"a"}}, {.name = (char[]){"b"}}, {.name = (char[]){"a"}}};
    sg_names names;
    const sg_tensor *twice;
    assert_true(sg_names_make(&names, tensors, 3, &twice));
    assert_ptr_equal(twice, &tensors[2]);
    assert_ptr_equal(sg_names_find(&names, tensors, "a"), &tensors[0]);
    sg_names_dispose(&names);
    assert_null(sg_names_find(&names, tensors, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
