/* Whole checkpoints: directories, shards, split sets, and all that is not one of them. */
#include "bytes.h"

#include "checkpoint/checkpoint.h"
#include "core/mem.h"

static long allocation_to_fail = -1, allocations;
static const char *fault_name;

int sg_test_fault(const char *operation)
{
    if (strcmp(operation, "alloc") == 0)
        return allocations++ == allocation_to_fail ? 12 : 0;
    return fault_name && strcmp(operation, fault_name) == 0 ? 5 : 0;
}

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    temp_dir(dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_dir(dir);
    return 0;
}

static const char *in_dir(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void expect_open(const char *row, const char *path, int code, const char *text)
{
    sg_checkpoint *ckpt;
    sg_error err = {0};
    int rc = sg_checkpoint_open(&ckpt, path, &err);
    bool opened = ckpt != NULL;
    if (rc == SG_OK && ckpt->refusal.code) { /* opens, to be described */
        err = ckpt->refusal;
        rc = err.code;
    }
    sg_checkpoint_free(ckpt);
    check_error(row, rc, &err, code, strncmp(path, dir, strlen(dir)) ? path : dir,
                text); /* another shard may be to blame */
    assert_true(opened == (rc == SG_OK || strstr(err.message, "quant_method")));
}

/* ---- fixtures ----------------------------------------------------------------------------------------- */

#define CONFIG "{\"model_type\":\"llama\",\"quantization_config\":null}"

/* One or two tensors of 4,000 F32; bytes count up from `first`. */
static void write_safetensors(const char *name, const char *a, const char *b)
{
    char json[512];
    snprintf(json, sizeof json, "{\"%s\":{\"dtype\":\"F32\",\"shape\":[40,100],\"data_offsets\":[0,16000]}", a);
    if (b)
        snprintf(json + strlen(json), sizeof json - strlen(json),
                 ",\"%s\":{\"dtype\":\"F32\",\"shape\":[4000],\"data_offsets\":[16000,32000]}", b);
    strcat(json, "}");
    buffer f = safetensors_file(json, b ? 32000 : 16000);
    write_file(dir, name, f.p, f.n);
    free(f.p);
}

static void write_gguf(const char *name, int no, int count, int total, const char *tensor)
{
    buffer b = {0};
    put(&b, "GGUF\3\0\0\0", 8);
    put_u64(&b, tensor ? 1 : 0), put_u64(&b, count ? 4 : 1);
    put_string(&b, "general.architecture"), put_u32(&b, SG_GGUF_STRING), put_string(&b, "llama");
    if (count) {
        uint16_t u16 = (uint16_t)no;
        put_string(&b, "split.no"), put_u32(&b, SG_GGUF_U16), put(&b, &u16, 2);
        u16 = (uint16_t)count;
        put_string(&b, "split.count"), put_u32(&b, SG_GGUF_U16), put(&b, &u16, 2);
        put_string(&b, "split.tensors.count"), put_u32(&b, SG_GGUF_I32), put_u32(&b, (uint32_t)total);
    }
    if (tensor) {
        put_string(&b, tensor), put_u32(&b, 1), put_u64(&b, 8), put_u32(&b, 0), put_u64(&b, 0);
        put_pad(&b, 32);
        for (int i = 0; i < 8; i++)
            put_u32(&b, (uint32_t)i * 77);
    }
    write_file(dir, name, b.p, b.n);
    free(b.p);
}

/* ---- what opens --------------------------------------------------------------------------------------- */

static void test_single(void **state)
{
    (void)state;
    write_text(dir, "config.json", CONFIG);
    write_safetensors("real.bin", "w", "v");
    assert_int_equal(symlink("real.bin", in_dir("model.safetensors")), 0); /* as HF's cache does */
    write_text(dir, "model.safetensors.index.json", "stale"); /* not read beside a single file */
    sg_checkpoint *c;
    sg_error err = {0};
    int rc = sg_checkpoint_open(&c, dir, &err);
    if (rc)
        fail_msg("%s", err.message);
    assert_true(c->format == SG_FORMAT_HF && c->n_files == 1 && c->n_tensors == 2 && !c->index && c->config &&
                !c->metadata[0]);
    assert_string_equal(c->path, dir);
    assert_string_equal(c->file_names[0], "model.safetensors");
    assert_string_equal(c->tensors[0].name, "w"); /* data order */
    const sg_tensor *v = sg_checkpoint_find(c, "v");
    assert_true(v && v->n_elements == 4000 && sg_tensor_data(c, v)[1] == (uint8_t)16001);
    assert_null(sg_checkpoint_find(c, "x"));
    assert_null(sg_checkpoint_find(c, ""));
    sg_checkpoint_free(c);
    remove(in_dir("model.safetensors"));
    remove(in_dir("model.safetensors.index.json"));
    write_safetensors("odd.safetensors", "w", NULL);
    expect_open("the only file, under another name", dir, SG_OK, "");
}

static void write_sharded(void)
{
    write_text(dir, "config.json", CONFIG);
    write_safetensors("m-00001-of-00002.safetensors", "w", NULL);
    write_safetensors("m-00002-of-00002.safetensors", "a", "v");
    write_text(
        dir, "model.safetensors.index.json",
        "{\"metadata\":{\"total_size\":48000},\"weight_map\":{\"v\":\"m-00002-of-00002.safetensors\",\"w\":\"m-00001-of-00002.safetensors\","
        "\"a\":\"m-00002-of-00002.safetensors\"}}");
}

static void test_sharded(void **state)
{
    (void)state;
    write_sharded();
    sg_checkpoint *c;
    sg_error err = {0};
    int rc = sg_checkpoint_open(&c, dir, &err);
    if (rc)
        fail_msg("%s", err.message);
    assert_true(c->n_files == 2 && c->n_tensors == 3 && c->index);
    assert_string_equal(c->file_names[0], "m-00001-of-00002.safetensors");
    assert_string_equal(c->tensors[0].name, "w");
    assert_int_equal(sg_checkpoint_find(c, "a")->file, 1);
    sg_checkpoint_free(c);
}

static void test_gguf(void **state)
{
    (void)state;
    write_gguf("one.gguf", 0, 0, 0, "w");
    write_gguf("blob", 0, 1, 1, "w"); /* a name without .gguf, split into one */
    write_gguf("set-00001-of-00003.gguf", 0, 3, 2, NULL); /* metadata alone, as llama-gguf-split can do */
    write_gguf("set-00002-of-00003.gguf", 1, 3, 2, "w");
    write_gguf("set-00003-of-00003.gguf", 2, 3, 2, "v");
    expect_open("one file", in_dir("one.gguf"), SG_OK, "");
    expect_open("without suffix", in_dir("blob"), SG_OK, "");
    sg_checkpoint *c;
    sg_error err = {0};
    int rc = sg_checkpoint_open(&c, in_dir("set-00001-of-00003.gguf"), &err);
    if (rc)
        fail_msg("%s", err.message);
    assert_true(c->format == SG_FORMAT_GGUF && c->n_files == 3 && c->n_tensors == 2 && !c->config && !c->metadata);
    assert_string_equal(c->file_names[2], "set-00003-of-00003.gguf");
    const sg_tensor *v = sg_checkpoint_find(c, "v");
    assert_true(v && v->file == 2 && sg_tensor_data(c, v)[4] == 77);
    assert_non_null(sg_gguf_find(&c->ggufs[0], "general.architecture"));
    assert_int_equal(c->ggufs[1].n_tensors, 0); /* moved out */
    sg_checkpoint_free(c);
}

/* ---- what does not ------------------------------------------------------------------------------------ */

static void test_split_sets(void **state)
{
    (void)state;
    write_gguf("a-00001-of-00002.gguf", 0, 2, 2, "w");
    expect_open("absent shard", in_dir("a-00001-of-00002.gguf"), SG_ERR_FORMAT, "a-00002-of-00002.gguf, is absent");
    write_gguf("a-00002-of-00002.gguf", 1, 2, 2, "v");
    expect_open("whole", in_dir("a-00001-of-00002.gguf"), SG_OK, "");
    expect_open("the second shard", in_dir("a-00002-of-00002.gguf"), SG_ERR_REFUSED,
                "is shard 2 of 2; give the first,");
    write_gguf("a-00002-of-00002.gguf", 0, 2, 2, "v");
    expect_open("another split.no", in_dir("a-00001-of-00002.gguf"), SG_ERR_FORMAT,
                "a-00002-of-00002.gguf: split.no is 0 of split.count 2, expected 1 of 2");
    write_gguf("a-00002-of-00002.gguf", 1, 3, 2, "v");
    expect_open("another split.count", in_dir("a-00001-of-00002.gguf"), SG_ERR_FORMAT,
                "a-00002-of-00002.gguf: split.no is 1 of split.count 3, expected");
    write_gguf("a-00002-of-00002.gguf", 1, 2, 2, "w");
    expect_open("a name in two shards", in_dir("a-00001-of-00002.gguf"), SG_ERR_FORMAT,
                "tensor \"w\" is in two files, a-0000");
    write_gguf("a-00002-of-00002.gguf", 1, 2, 2, NULL);
    expect_open("a tensor too few", in_dir("a-00001-of-00002.gguf"), SG_ERR_FORMAT,
                "split.tensors.count is 2, but the 2 files hold 1");
    write_gguf("renamed.gguf", 0, 2, 2, "w");
    expect_open("renamed", in_dir("renamed.gguf"), SG_ERR_REFUSED, "does not end in -00001-of-00002.gguf");
    write_gguf("b.gguf", 5, 2, 2, "w");
    expect_open("split.no past split.count", in_dir("b.gguf"), SG_ERR_FORMAT, "\"split.no\" is 5");
    write_gguf(".gguf", 0, 60000, 2, "w");
    expect_open("a name too short", in_dir(".gguf"), SG_ERR_REFUSED, "does not end in");
}

static void test_bad_paths(void **state)
{
    (void)state;
    write_text(dir, "config.json", CONFIG);
    write_safetensors("model.safetensors", "w", NULL);
    write_text(dir, "empty.gguf", "");
    write_text(dir, "text", "just some text, longer than 24 bytes");
    write_text(dir, "pytorch_model.bin", "PK");
    write_text(dir, "lfs.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n");
    static const struct {
        const char *name, *path;
        int code;
        const char *text;
    } rows[] = {
        {"absent", "nothing", SG_ERR_IO, "no such file or directory"},
        {"weights instead of the directory", "model.safetensors", SG_ERR_REFUSED, "give the directory, /tmp"},
        {"configuration instead of the directory", "config.json", SG_ERR_REFUSED, "give the directory, /tmp"},
        {"pickle", "pytorch_model.bin", SG_ERR_REFUSED, "convert the model to safetensors"},
        {"empty file", "empty.gguf", SG_ERR_FORMAT, "is empty (0 bytes); download it again?"},
        {"text", "text", SG_ERR_FORMAT, "magic is 6a 75 73 74"},
        {"LFS pointer", "lfs.gguf", SG_ERR_REFUSED, "git lfs pull"},
        {"device", "/dev/null", SG_ERR_IO, "not a regular file"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++)
        expect_open(rows[i].name, *rows[i].path == '/' ? rows[i].path : in_dir(rows[i].path), rows[i].code,
                    rows[i].text);
    fault_name = "opendir";
    expect_open("unreadable directory", dir, SG_ERR_IO, "cannot list: Input/output error");
    fault_name = "map";
    expect_open("no map", dir, SG_ERR_IO, "cannot map: Input/output error");
    fault_name = NULL;
}

static void test_bad_directories(void **state)
{
    (void)state;
    static const struct {
        const char *name, *files[4];
        int code;
        const char *text;
    } rows[] = {
        {"empty directory", {NULL}, SG_ERR_REFUSED, "has no config.json; MODEL is"},
        {"no config", {"model.safetensors"}, SG_ERR_REFUSED, "has no config.json; MODEL is"},
        {"no weights", {"config.json"}, SG_ERR_REFUSED, "no *.safetensors; download the weights"},
        {"pickle only",
         {"config.json", "pytorch_model-00001-of-00002.bin", "training_args.bin"},
         SG_ERR_REFUSED,
         "(pytorch_model-00001-of-00002.bin), which shortgpt does not read; convert the model to safetensors"},
        {"original llama", {"params.json", "consolidated.00.pth"}, SG_ERR_REFUSED, "consolidated.00.pth"},
        {"GGUF in it", {"b.gguf", "a.gguf"}, SG_ERR_REFUSED, "give the file itself, e.g. /tmp/"},
        {"GGUF and config", {"config.json", "b.gguf"}, SG_ERR_REFUSED, "/b.gguf"},
        {"adapter",
         {"adapter_config.json", "adapter_model.safetensors"},
         SG_ERR_REFUSED,
         "merge it into its base model first"},
        {"adapter with config",
         {"config.json", "adapter_config.json", "adapter_model.safetensors"},
         SG_ERR_REFUSED,
         "merge it"},
        {"two files, no index",
         {"config.json", "x.safetensors", "w.safetensors"},
         SG_ERR_REFUSED,
         "has 2 .safetensors files (w.safetensors"},
        {"empty weights", {"config.json", "model.safetensors"}, SG_ERR_FORMAT, "model.safetensors: is empty (0 bytes)"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        for (size_t k = 0; k < 4 && rows[i].files[k]; k++)
            write_text(dir, rows[i].files[k], strcmp(rows[i].files[k], "config.json") ? "" : CONFIG);
        expect_open(rows[i].name, dir, rows[i].code, rows[i].text);
        for (size_t k = 0; k < 4 && rows[i].files[k]; k++)
            remove(in_dir(rows[i].files[k]));
    }
}

static void test_bad_configs(void **state)
{
    (void)state;
    write_safetensors("model.safetensors", "w", NULL);
    static const struct {
        const char *name, *config;
        int code;
        const char *text;
    } rows[] = {
        {"not JSON", "{", SG_ERR_FORMAT, "config.json: malformed JSON at byte"},
        {"empty", "", SG_ERR_FORMAT, "config.json: has no JSON"},
        {"not an object", "[]", SG_ERR_FORMAT, "config.json: is not a JSON object"},
        {"GPTQ", "{\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4}}", SG_ERR_REFUSED,
         "quant_method is gptq, which shortgpt does not read; use"},
        {"AWQ", "{\"quantization_config\":{\"quant_method\":\"awq\"}}", SG_ERR_REFUSED, "is awq,"},
        {"FP8", "{\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":1}}", SG_ERR_FORMAT,
         "\"weight_block_size\" is not a list"},
        {"bitsandbytes before it had a name", "{\"quantization_config\":{\"load_in_4bit\":true}}", SG_ERR_REFUSED,
         "is bitsandbytes,"},
        {"inside text_config", "{\"text_config\":{\"quantization_config\":{\"quant_method\":\"mxfp4\"}}}",
         SG_ERR_REFUSED, "is mxfp4,"},
        {"compressed-tensors", "{\"compression_config\":{\"quant_method\":\"compressed-tensors\"}}", SG_ERR_REFUSED,
         "is compressed-tensors,"},
        {"of another type", "{\"quantization_config\":4}", SG_ERR_REFUSED, "is not named"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        write_text(dir, "config.json", rows[i].config);
        expect_open(rows[i].name, dir, rows[i].code, rows[i].text);
    }
}

static void test_bad_indices(void **state)
{
    (void)state;
    write_sharded();
    static const struct {
        const char *name, *index;
        const char *text;
    } rows[] = {
        {"not JSON", "{]", "model.safetensors.index.json: malformed JSON"},
        {"no weight_map", "{}", "\"weight_map\" is not an object"},
        {"empty weight_map", "{\"weight_map\":{}}", "\"weight_map\" is not"},
        {"list", "{\"weight_map\":[]}", "\"weight_map\" is not"},
        {"number", "{\"weight_map\":{\"w\":1}}", "tensor \"w\" is in 1, expected"},
        {"path", "{\"weight_map\":{\"w\":\"../x.safetensors\"}}", "tensor \"w\" is in ../x.safetensors, expected"},
        {"pickle", "{\"weight_map\":{\"w\":\"x.bin\"}}", "is in x.bin, expected"},
        {"absent shard",
         "{\"weight_map\":{\"w\":\"m-00001-of-00002.safetensors\",\"v\":\"m-00007-of-00002.safetensors\"}}",
         "names m-00007-of-00002.safetensors, which is absent"},
        {"tensor that is not there",
         "{\"weight_map\":{\"w\":\"m-00001-of-00002.safetensors\",\"u\":\"m-00001-of-00002.safetensors\"}}",
         "says that tensor \"u\" is in m-00001-of-00002.safetensors, but it is not there"},
        {"tensor in another shard",
         "{\"weight_map\":{\"w\":\"m-00001-of-00002.safetensors\",\"a\":\"m-00002-of-00002.safetensors\","
         "\"v\":\"m-00001-of-00002.safetensors\"}}",
         "tensor \"v\" is in m-00001-of-00002.safetensors, but it is in m-00002"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        write_text(dir, "model.safetensors.index.json", rows[i].index);
        expect_open(rows[i].name, dir, SG_ERR_FORMAT, rows[i].text);
    }
    write_sharded();
    write_safetensors("m-00002-of-00002.safetensors", "w", "v");
    expect_open("a name in two shards", dir, SG_ERR_FORMAT, "tensor \"w\" is in two files, m-0000");
}

/* ---- fingerprint -------------------------------------------------------------------------------------- */

static void fingerprint(const char *path, char out[33])
{
    sg_checkpoint *c;
    sg_error err = {0};
    if (sg_checkpoint_open(&c, path, &err) || sg_checkpoint_fingerprint(c, out, &err))
        fail_msg("%s", err.message);
    sg_checkpoint_free(c);
    assert_int_equal(strspn(out, "0123456789abcdef"), 32);
}

/* The same two tensors, a and b, in any order and sharding; one byte of them at a time changed. */
static void test_fingerprint(void **state)
{
    (void)state;
    char first[33], other[33];
    buffer ab = safetensors_file(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2  ],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[40000],"
        "\"data_offsets\":[2,40002]}}",
        40002);
    size_t at = ab.n - 40002;
    buffer ba = safetensors_file(
        "{\"b\":{\"dtype\":\"U8\",\"shape\":[40000],\"data_offsets\":[0,40000]},\"a\":{\"dtype\":\"U8\",\"shape\":[2],"
        "\"data_offsets\":[40000,40002]}, \"__metadata__\":{}}",
        40002);
    memcpy(ba.p + ba.n - 40002, ab.p + at + 2, 40000);
    memcpy(ba.p + ba.n - 2, ab.p + at, 2);
    write_text(dir, "config.json", CONFIG);
    write_file(dir, "model.safetensors", ab.p, ab.n);
    fingerprint(dir, first);
    write_file(dir, "model.safetensors", ba.p, ba.n);
    fingerprint(dir, other);
    assert_string_equal(first, other);

    static const struct {
        const char *name;
        size_t at;
        bool same;
    } rows[] = {
        {"first byte of a", 0, false},    {"first byte of b", 2, false},   {"middle of b", 20002, false},
        {"last byte of b", 40001, false}, {"unsampled byte", 10000, true},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        ab.p[at + rows[i].at] ^= 1;
        write_file(dir, "model.safetensors", ab.p, ab.n);
        ab.p[at + rows[i].at] ^= 1;
        fingerprint(dir, other);
        if ((strcmp(first, other) == 0) != rows[i].same)
            fail_msg("%s: %s", rows[i].name, other);
    }
    static const struct {
        const char *name, *from, *to;
    } headers[] = {
        {"name", "{\"a\"", "{\"c\""},
        {"type", "\"U8\"", "\"I8\""},
        {"shape", "[2  ]", "[1,2]"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(headers); i++) {
        char *where = memmem(ab.p, ab.n, headers[i].from, strlen(headers[i].from));
        memcpy(where, headers[i].to, strlen(headers[i].to));
        write_file(dir, "model.safetensors", ab.p, ab.n);
        memcpy(where, headers[i].from, strlen(headers[i].from));
        fingerprint(dir, other);
        if (strcmp(first, other) == 0)
            fail_msg("another %s, the same fingerprint", headers[i].name);
    }
    free(ab.p);
    free(ba.p);
}

/* ---- no memory ---------------------------------------------------------------------------------------- */

/* Each allocation fails in turn, until the whole succeeds. */
static void test_no_memory(void **state)
{
    (void)state;
    write_sharded();
    write_gguf("set-00001-of-00002.gguf", 0, 2, 2, "w");
    write_gguf("set-00002-of-00002.gguf", 1, 2, 2, "v");
    char gguf[512];
    strcpy(gguf, in_dir("set-00001-of-00002.gguf"));
    const char *const paths[] = {dir, gguf};
    for (size_t i = 0; i < SG_ARRAY_LEN(paths); i++) {
        int rc = SG_ERR_NOMEM;
        for (allocation_to_fail = 0; rc; allocation_to_fail++) {
            char out[33];
            sg_checkpoint *c;
            sg_error err = {0};
            allocations = 0;
            rc = sg_checkpoint_open(&c, paths[i], &err);
            if (!rc)
                rc = sg_checkpoint_fingerprint(c, out, &err);
            sg_checkpoint_free(c);
            if (rc && rc != SG_ERR_NOMEM)
                fail_msg("allocation %ld: got %d (%s)", allocation_to_fail, rc, err.message);
            assert_true(allocation_to_fail < 1000);
        }
        assert_true(allocation_to_fail > 10);
        allocation_to_fail = -1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_single, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sharded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gguf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_split_sets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_paths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_configs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_indices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fingerprint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
