/* Where OUT may not be. After each refusal the folder is as it was. */
#include "work.h"

static const struct {
    const char *name, *setup, *model, *out;
    bool overwrite;
    int code;
    const char *says;
} rows[] = {
    {"free", "true", "hf", "out", false, SG_OK, ""},
    {"free, slashes", "true", "hf", "out//", false, SG_OK, ""},
    {"nothing to overwrite", "true", "hf", "out", true, SG_OK, ""},
    {"dotted way", "mkdir d", "hf", "d/../out", false, SG_OK, ""},
    {"no name", "true", "hf", "", false, SG_ERR_USAGE, "no name"},
    {"the folder itself", "true", "hf", "d/.", false, SG_ERR_USAGE, "no name"},
    {"above", "true", "hf", "..", true, SG_ERR_USAGE, "no name"},
    {"no parent", "true", "hf", "d/out", false, SG_ERR_USAGE, "no directory"},
    {"parent a file", "touch d", "hf", "d/out", false, SG_ERR_USAGE, "no directory"},
    {"exists, empty", "mkdir out", "hf", "out", false, SG_ERR_USAGE, "exists"},
    {"exists, a file", "touch out", "hf", "out", false, SG_ERR_USAGE, "exists"},
    {"exists, a file, slash", "touch out", "hf", "out/", false, SG_ERR_USAGE, "exists"},
    {"exists, a dead link", "ln -s nowhere out", "hf", "out", false, SG_ERR_USAGE, "exists"},
    {"overwrite an empty directory", "mkdir out", "hf", "out", true, SG_OK, ""},
    {"overwrite a model", "cp -r tied out", "hf", "out", true, SG_OK, ""},
    {"overwrite a link to a model", "cp -r tied other && ln -s other out", "hf", "out", true, SG_OK, ""},
    {"overwrite a file by a directory", "touch out", "hf", "out", true, SG_ERR_USAGE, "no directory"},
    {"overwrite no model", "mkdir out && touch out/thesis.tex", "hf", "out", true, SG_ERR_USAGE, "no model"},
    {"equal", "true", "hf", "hf", false, SG_ERR_USAGE, "MODEL itself"},
    {"equal, overwrite", "true", "hf", "hf/", true, SG_ERR_USAGE, "MODEL itself"},
    {"equal by a link", "ln -s hf out", "hf", "out", true, SG_ERR_USAGE, "MODEL itself"},
    {"model by a link", "ln -s hf link", "link", "hf", true, SG_ERR_USAGE, "MODEL itself"},
    {"inside", "true", "hf", "hf/out", false, SG_ERR_USAGE, "inside MODEL"},
    {"deep inside", "mkdir hf/sub", "hf", "hf/sub/out", false, SG_ERR_USAGE, "inside MODEL"},
    {"inside by a link", "mkdir hf/sub && ln -s hf/sub s", "hf", "s/out", false, SG_ERR_USAGE, "inside MODEL"},
    {"around", "mkdir out && mv hf out/hf && cp out/hf/config.json out", "out/hf", "out", true, SG_ERR_USAGE, "around MODEL"},
    {"around what MODEL links to", "mkdir out && mv hf/model.safetensors hf/config.json out && ln -s ../out/model.safetensors ../out/config.json hf", "hf",
     "out", true, SG_ERR_USAGE, "around MODEL"},
    {"around a carried file", "mkdir out && cp hf/config.json out && mv hf/tokenizer.json out && ln -s ../out/tokenizer.json hf", "hf", "out", true,
     SG_ERR_USAGE, "around MODEL"},
    {"a GGUF of a directory", "true", "hf", "out.gguf", false, SG_ERR_USAGE, "MODEL's format"},

    {"gguf, free", "true", "one.gguf", "out.gguf", false, SG_OK, ""},
    {"gguf, slash", "true", "one.gguf", "out/", false, SG_ERR_USAGE, "slash"},
    {"gguf, a directory", "mkdir out", "one.gguf", "out", true, SG_ERR_USAGE, "is a directory"},
    {"gguf, another kind of name", "true", "one.gguf", "out.safetensors", false, SG_ERR_USAGE, "MODEL's format"},
    {"gguf, exists", "touch out.gguf", "one.gguf", "out.gguf", false, SG_ERR_USAGE, "exists"},
    {"gguf, overwrite", "touch out.gguf", "one.gguf", "out.gguf", true, SG_OK, ""},
    {"gguf, overwrite a dead link", "ln -s nowhere out.gguf", "one.gguf", "out.gguf", true, SG_OK, ""},
    {"gguf, equal", "true", "one.gguf", "one.gguf", true, SG_ERR_USAGE, "MODEL itself"},
    {"gguf, a hard link", "ln one.gguf out.gguf", "one.gguf", "out.gguf", true, SG_ERR_USAGE, "MODEL itself"},
};

static void test_out(void **state)
{
    static const char list[] = "find . -name before -o -name after -o -printf '%p %y %s %l %i\\n' | LC_ALL=C sort";
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        sg_prune_result *r = NULL;
        if (!shell("%s", rows[i].setup))
            fail_msg("%s: set-up failed", rows[i].name);
        assert_true(shell("%s >before", list));
        int rc = prune(rows[i].model, "1", rows[i].out, &(sg_prune_opts){.overwrite = rows[i].overwrite}, &r, &err);
        if (rc != rows[i].code || (rc < 0 && !strstr(err.message, rows[i].says)))
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        if (rc < 0 && !shell("%s >after && cmp before after", list))
            fail_msg("%s: something changed", rows[i].name);
        if (rc == SG_OK) {
            sg_model *m = must_open(rows[i].out);
            assert_int_equal(m->info.layers, r->layers_after);
            sg_model_free(m);
        }
        if (!shell("! ls -A | grep shortgpt-"))
            fail_msg("%s: something is left", rows[i].name);
        sg_prune_result_free(r);
        remove_root(state);
        assert_int_equal(make_root(state), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_out, make_root, remove_root)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
