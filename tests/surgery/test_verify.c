/* The last check before the rename finds what it is there to find: a written model that someone then damaged. */
#include "work.h"

#include "surgery/lineage.h"
#include "surgery/verify.h"

static const struct { const char *name, *damage; int code; const char *says; } rows[] = {
    {"untouched", "true", SG_OK, ""},
    {"rope", "sed -i 's/10000.0/20000.0/' out/config.json", SG_ERR_LIBRARY, "rope"},
    {"norm", "sed -i 's/1e-05/1e-06/' out/config.json", SG_ERR_LIBRARY, "eps"},
    {"positions", "sed -i 's/\"max_position_embeddings\": 128/\"max_position_embeddings\": 64/' out/config.json", SG_ERR_LIBRARY, "max_positions"},
    {"count", "sed -i 's/\"num_hidden_layers\": 3/\"num_hidden_layers\": 4/' out/config.json", SG_ERR_FORMAT, ""},
    {"a name", "sed -i '1s/model.layers.1.mlp.up_proj/model.layers.1.mlp.xx_proj/' out/model.safetensors", SG_ERR_FORMAT, ""},
    {"two layers exchanged", "sed -i '1s/layers.0.mlp.up/layers.9.mlp.up/; 1s/layers.1.mlp.up/layers.0.mlp.up/; 1s/layers.9.mlp.up/layers.1.mlp.up/' "
                             "out/model.safetensors", SG_ERR_LIBRARY, "mlp.up"},
    {"a weight", "head -c -20000 out/model.safetensors >x && head -c 20000 /dev/zero >>x && mv x out/model.safetensors", SG_ERR_LIBRARY,
     "log-likelihood"},
};

static void test_damage(void **state)
{
    (void)state;
    static const int remove[] = {1};
    sg_model *m = must_open("hf");
    sg_plan *plan = NULL, *lineage = NULL;
    sg_cut cut;
    sg_draft draft;
    sg_prune_opts opts = {.threads = 1};
    assert_int_equal(sg_plan_from_layers(&plan, m, remove, 1, NULL), SG_OK);
    assert_int_equal(sg_cut_make(&cut, m, plan, NULL), SG_OK);
    sg_cut_count(&cut);
    assert_int_equal(sg_lineage(&lineage, &cut, NULL), SG_OK);
    assert_int_equal(sg_draft_make(&draft, &cut, lineage, "out", NULL), SG_OK);
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        assert_int_equal(sg_draft_write(&draft, &cut, at("out"), NULL, NULL), SG_OK);
        if (!shell("cp -r out was && %s", rows[i].damage) || (i && !shell("! diff -r out was >/dev/null")))
            fail_msg("%s: no damage done", rows[i].name);
        int rc = sg_verify(&cut, &draft, at("out"), &opts, &(bool){false}, &err);
        if (rc != rows[i].code || (rc < 0 && !strstr(err.message, rows[i].says)))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        assert_true(shell("rm -r out was"));
    }
    sg_draft_dispose(&draft);
    sg_plan_free(lineage);
    sg_cut_dispose(&cut);
    sg_plan_free(plan);
    sg_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_damage, make_root, remove_root)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
