/* The size label, as the gguf package rounds it (gguf.utility.model_weight_count_rounded_notation gave the expected texts). */
#include "sg_test.h"

#include "surgery/rules.h"

static void test_size_label(void **state)
{
    (void)state;
    static const struct { uint64_t parameters; const char *label; } rows[] = {
        {0u, "0.00K"}, {1u, "0.00K"}, {499u, "0.50K"}, {500u, "0.50K"}, {999u, "1.0K"}, {1500u, "1.5K"},
        {9499u, "9.5K"}, {9500u, "10K"}, {9949u, "10K"}, {9950u, "10K"}, {10000u, "10K"}, {10500u, "10K"},
        {159360u, "159K"}, {999499u, "999K"}, {999999u, "1000K"}, {1000000u, "1000K"}, {1000001u, "1.0M"},
        {1234567u, "1.2M"}, {9500000u, "10M"}, {134515008u, "135M"}, {123895296u, "124M"},
        {999999999u, "1000M"}, {1000000000u, "1000M"}, {1000000001u, "1.0B"}, {1498000000u, "1.5B"},
        {2500000000u, "2.5B"}, {6738415616ull, "6.7B"}, {8030261248ull, "8.0B"}, {9499999999ull, "9.5B"},
        {9950000000ull, "10B"}, {70553706496ull, "71B"}, {405000000000ull, "405B"}, {1000000000001ull, "1.0T"},
        {1040000000000ull, "1.0T"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        char label[32];
        sg_size_label(rows[i].parameters, label);
        if (strcmp(label, rows[i].label) != 0)
            fail_msg("%llu: %s, expected %s", (unsigned long long)rows[i].parameters, label, rows[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_size_label)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
