/* Pruning the tiny models: what must be equal, what must follow. */
#include <errno.h>

#include "work.h"

#include "checkpoint/gguf_write.h"
#include "checkpoint/safetensors_write.h"
#include "surgery/rules.h"

static const struct { const char *model, *list; int keep[5]; size_t n_keep; } cases[] = {
    {"hf", "1,2", {0, 3}, 2},           {"hf", "0", {1, 2, 3}, 3},         {"hf", "1-3", {0}, 1},
    {"tied", "0,4", {1, 2, 3}, 3},      {"tied", "2", {0, 1, 3, 4}, 4},    {"one.gguf", "1,2", {0, 3}, 2},
    {"one.gguf", "3", {0, 1, 2}, 3},    {"tied.gguf", "0-2,4", {3}, 1},    {"tied.gguf", "0,4", {1, 2, 3}, 3},
};

static void test_kept_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(cases); i++) {
        must_prune(cases[i].model, cases[i].list, "out");
        assert_survivors(cases[i].model, "out", cases[i].keep, cases[i].n_keep);
        assert_true(shell("test \"$(ls -A | grep -c shortgpt)\" = 0 && rm -r out"));
    }
}

/* prune(a), then prune(b, renumbered) = prune(a and b), to the last byte: also the plan, in the first original's numbers. */
static void test_composition(void **state)
{
    (void)state;
    static const struct { const char *model, *first, *second, *both; } rows[] = {
        {"hf", "1", "1", "1,2"},       {"tied", "0,3", "1", "0,2-3"},   {"one.gguf", "0", "0,2", "0-1,3"},
        {"tied.gguf", "4", "0", "0,4"}, {"tied.gguf", "1", "1", "1-2"}, {"hf", "3", "0", "0,3"},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        must_prune(rows[i].model, rows[i].first, "a");
        must_prune("a", rows[i].second, "ab");
        must_prune(rows[i].model, rows[i].both, "both");
        if (!shell("diff -r ab both && rm -r a ab both"))
            fail_msg("%s without %s, then %s", rows[i].model, rows[i].first, rows[i].second);
    }
}

/* Of the text files only the named lines change; unknown keys, order and the text of numbers stay. */
static void test_hf_texts(void **state)
{
    (void)state;
    assert_true(shell("sed -i 's|\"pretraining_tp\": 1,|\"unknown\": {\\n    \"x\": 1.50,\\n    \"y\": 1e-05,\\n    \"a/b\": 12345678901234567890\\n  },|' "
                      "hf/config.json && grep -q 1.50 hf/config.json"));
    must_prune("hf", "1,2", "out");
    assert_true(shell("sed -e 's/\"num_hidden_layers\": 4/\"num_hidden_layers\": 2/' hf/config.json | head -c -1 >want && head -c \"$(wc -c <want)\" "
                      "out/config.json | cmp want -"));
    assert_true(shell("cmp hf/tokenizer.json out/tokenizer.json && cmp hf/generation_config.json out/generation_config.json"));
    assert_true(shell("grep -q '\"remove\"' out/shortgpt.json && grep -q '\"layers\": *4' out/shortgpt.json"));
}

static void test_layer_types(void **state)
{
    (void)state;
    assert_true(shell("sed -i 's/\"pretraining_tp\": 1,/\"layer_types\": [\"a\", \"b\", null, \"d\"],/' hf/config.json"));
    must_prune("hf", "1", "out");
    sg_model *m = must_open("out");
    json_object *list = sg_json_get(m->ckpt->config, "layer_types");
    assert_string_equal(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN), "[\"a\",null,\"d\"]");
    sg_model_free(m);

    sg_error err = {0};
    assert_true(shell("sed -i 's/null, \"d\"/\"d\"/' hf/config.json"));
    assert_int_equal(prune("hf", "1", "short", NULL, NULL, &err), SG_ERR_FORMAT);
    assert_non_null(strstr(err.message, "layer_types must be a list of 4 words"));
    assert_false(sg_path_exists(at("short")));
}

/* ---- shards ------------------------------------------------------------------------------------------ */

/* Writes root/hf again as root/shards: the tensors of no layer, then one shard for each layer. */
static void make_shards(void)
{
    sg_model *m = must_open("hf");
    json_object *index = json_object_new_object(), *map = json_object_new_object(), *metadata = json_object_new_object();
    json_object_object_add(metadata, "total_size", json_object_new_int(1));
    json_object_object_add(metadata, "total_parameters", json_object_new_int(2));
    json_object_object_add(metadata, "other", json_object_new_string("kept"));
    json_object_object_add(index, "metadata", metadata);
    json_object_object_add(index, "weight_map", map);
    assert_true(shell("mkdir shards && cp hf/*.json shards"));
    for (int shard = 0; shard <= m->info.layers; shard++) {
        char name[64], path[96];
        snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard + 1, m->info.layers + 1);
        snprintf(path, sizeof path, "shards/%s", name);
        json_object *header = json_object_new_object(), *own = json_object_new_object();
        json_object_object_add(own, "shard", json_object_new_string(name));
        json_object_object_add(header, "__metadata__", own);
        sg_strbuf head = {0};
        uint64_t end = 0;
        FILE *f = fopen(at(path), "w");
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < m->ckpt->n_tensors; i++) {
                const sg_tensor *t = &m->ckpt->tensors[i];
                if (sg_tensor_layer(m, t) != shard - 1)
                    continue;
                if (pass == 0) {
                    assert_int_equal(sg_safetensors_put_tensor(header, t->name, t, &end, NULL), SG_OK);
                    json_object_object_add(map, t->name, json_object_new_string(name));
                } else {
                    fwrite(sg_tensor_data(m->ckpt, t), 1, t->bytes, f);
                }
            }
            if (pass == 0) {
                assert_int_equal(sg_safetensors_header(header, &head, NULL), SG_OK);
                fwrite(head.data, 1, head.n, f);
            }
        }
        fclose(f);
        sg_strbuf_free(&head);
        json_object_put(header);
    }
    assert_int_equal(json_object_to_file(at("shards/model.safetensors.index.json"), index), 0);
    json_object_put(index);
    sg_model_free(m);
}

static void test_empty_shards_go(void **state)
{
    (void)state;
    make_shards();
    must_prune("shards", "0,2", "out");
    static const int keep[] = {1, 3};
    assert_survivors("shards", "out", keep, 2);
    assert_true(shell("ls out/*.safetensors >list && printf 'out/model-0000%%d-of-00003.safetensors\\n' 1 2 3 | cmp - list"));

    sg_model *m = must_open("out");
    uint64_t size = 0, parameters = 0;
    for (size_t i = 0; i < m->ckpt->n_tensors; i++) {
        size += m->ckpt->tensors[i].bytes;
        parameters += m->ckpt->tensors[i].n_elements;
    }
    json_object *metadata = sg_json_get(m->ckpt->index, "metadata"), *map = sg_json_get(m->ckpt->index, "weight_map");
    assert_int_equal(json_object_get_uint64(sg_json_get(metadata, "total_size")), size);
    assert_int_equal(json_object_get_uint64(sg_json_get(metadata, "total_parameters")), parameters);
    assert_string_equal(json_object_get_string(sg_json_get(metadata, "other")), "kept");
    assert_int_equal(json_object_object_length(map), m->ckpt->n_tensors);
    /* layer 1's shard, third of five, is the second of three, and kept its own metadata */
    assert_string_equal(json_object_get_string(sg_json_get(map, "model.layers.0.input_layernorm.weight")), "model-00002-of-00003.safetensors");
    assert_string_equal(json_object_get_string(sg_json_get(m->ckpt->metadata[1], "shard")), "model-00003-of-00005.safetensors");
    sg_model_free(m);

    must_prune("out", "0", "again");
    must_prune("shards", "0-2", "both");
    assert_true(shell("diff -r again both"));
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

/* Writes the draft's records and m's tensors [first, last). */
static void write_gguf(const char *path, sg_gguf_draft *d, const sg_model *m, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++)
        sg_gguf_put_tensor(d, m->ckpt->tensors[i].name, &m->ckpt->tensors[i]);
    sg_strbuf head = {0};
    assert_int_equal(sg_gguf_draft_header(d, &head, NULL), SG_OK);
    FILE *f = fopen(at(path), "w");
    fwrite(head.data, 1, head.n, f);
    for (size_t i = first; i < last; i++) {
        const sg_tensor *t = &m->ckpt->tensors[i];
        fwrite(sg_tensor_data(m->ckpt, t), 1, t->bytes, f);
        for (uint64_t pad = -t->bytes & (d->alignment - 1); pad; pad--)
            fputc(0, f);
    }
    fclose(f);
    sg_strbuf_free(&head);
    sg_gguf_draft_dispose(d);
}

static void put_record(sg_gguf_draft *d, const sg_gguf_kv *kv)
{
    static const int heads[] = {2, 2, 2, 2}, forward[] = {96, 96, 96, 96};
    if (strcmp(kv->key, "llama.attention.head_count_kv") == 0)
        sg_gguf_put_u32s(d, kv->key, heads, 4);
    else if (strcmp(kv->key, "llama.feed_forward_length") == 0)
        sg_gguf_put_u32s(d, kv->key, forward, 4);
    else
        sg_gguf_put_raw(d, kv);
}

/* Writes root/one.gguf again with lists for each layer, an odd alignment, parts [from, to) of its tensors, and split keys when n > 1. */
static void rewrite_gguf(const char *path, int no, int n, bool lists)
{
    sg_model *m = must_open("one.gguf");
    const sg_gguf *g = &m->ckpt->ggufs[0];
    sg_gguf_draft d = {.version = g->version, .alignment = lists ? 128 : g->alignment};
    for (size_t i = 0; no == 0 && i < g->n_kvs; i++)
        lists ? put_record(&d, &g->kvs[i]) : sg_gguf_put_raw(&d, &g->kvs[i]);
    if (lists) {
        sg_gguf_put_u32(&d, "general.alignment", 128);
        sg_gguf_put_u32(&d, "general.parameter_count", (uint32_t)m->info.parameters);
    }
    if (n > 1) {
        sg_gguf_put_u32(&d, "split.no", (uint32_t)no);
        sg_gguf_put_u32(&d, "split.count", (uint32_t)n);
        sg_gguf_put_u32(&d, "split.tensors.count", (uint32_t)m->ckpt->n_tensors);
    }
    size_t per = (m->ckpt->n_tensors + (size_t)n - 1) / (size_t)n, first = per * (size_t)no, last = first + per;
    last = last < m->ckpt->n_tensors ? last : m->ckpt->n_tensors;
    write_gguf(path, &d, m, first, last);
    sg_model_free(m);
}

static void test_gguf_records(void **state)
{
    (void)state;
    rewrite_gguf("lists.gguf", 0, 1, true);
    must_prune("lists.gguf", "0,2", "out.gguf");
    static const int keep[] = {1, 3};
    assert_survivors("lists.gguf", "out.gguf", keep, 2);
    sg_model *a = must_open("lists.gguf"), *b = must_open("out.gguf");
    const sg_gguf *g = &a->ckpt->ggufs[0], *h = &b->ckpt->ggufs[0];
    static const char *const edited[] = {"llama.block_count", "llama.attention.head_count_kv", "llama.feed_forward_length", "general.size_label",
                                         "general.parameter_count"};
    for (size_t i = 0; i < g->n_kvs; i++) {
        bool same = true;
        for (size_t k = 0; k < SG_ARRAY_LEN(edited); k++)
            same = same && strcmp(g->kvs[i].key, edited[k]) != 0;
        assert_string_equal(g->kvs[i].key, h->kvs[i].key); /* order kept */
        if (same && (g->kvs[i].raw_bytes != h->kvs[i].raw_bytes || memcmp(g->kvs[i].raw, h->kvs[i].raw, g->kvs[i].raw_bytes) != 0))
            fail_msg("record %s changed", g->kvs[i].key);
    }
    int64_t value;
    assert_true(sg_gguf_get_int(sg_gguf_find(h, "llama.block_count"), 0, &value) && value == 2);
    assert_int_equal(sg_gguf_find(h, "llama.attention.head_count_kv")->count, 2);
    assert_int_equal(sg_gguf_find(h, "llama.feed_forward_length")->count, 2);
    assert_true(sg_gguf_get_int(sg_gguf_find(h, "general.parameter_count"), 0, &value) && (uint64_t)value == b->info.parameters);
    char label[32];
    sg_str text;
    sg_size_label(b->info.parameters, label);
    assert_true(sg_gguf_get_str(sg_gguf_find(h, "general.size_label"), &text) && text.bytes == strlen(label));
    assert_memory_equal(text.data, label, text.bytes);
    assert_int_equal(h->alignment, 128);
    assert_int_equal(h->version, g->version);
    assert_int_equal(b->ckpt->files[0].bytes % 128, 0);
    assert_int_equal(sg_gguf_find(h, "shortgpt.remove")->count, 2);
    assert_true(sg_gguf_get_int(sg_gguf_find(h, "shortgpt.remove"), 1, &value) && value == 2);
    assert_true(sg_gguf_get_int(sg_gguf_find(h, "shortgpt.layers"), 0, &value) && value == 4);

    uint64_t at_byte = h->data_offset; /* nothing but zeros between the tensors */
    for (size_t i = 0; i < b->ckpt->n_tensors; at_byte = b->ckpt->tensors[i].offset + b->ckpt->tensors[i].bytes, i++)
        for (; at_byte < b->ckpt->tensors[i].offset; at_byte++)
            assert_int_equal(b->ckpt->files[0].data[at_byte], 0);
    sg_model_free(a);
    sg_model_free(b);
}

/* Keys shortgpt.* that are no plan which left this model: refused, not composed with. */
static void test_gguf_lineage(void **state)
{
    (void)state;
    static const struct { const char *name; int layers, width, n, remove[3]; const char *fingerprint; int code; } rows[] = {
        {"right", 6, 64, 2, {1, 4}, "0123456789abcdef0123456789abcdef", SG_OK},
        {"left another number", 6, 64, 1, {1}, "0123456789abcdef0123456789abcdef", SG_ERR_FORMAT},
        {"removes more than there is", 1, 64, 3, {0, 1, 2}, "0123456789abcdef0123456789abcdef", SG_ERR_FORMAT},
        {"another width", 6, 65, 2, {1, 4}, "0123456789abcdef0123456789abcdef", SG_ERR_FORMAT},
        {"unsorted", 6, 64, 2, {4, 1}, "0123456789abcdef0123456789abcdef", SG_ERR_FORMAT},
        {"out of range", 6, 64, 2, {1, 6}, "0123456789abcdef0123456789abcdef", SG_ERR_FORMAT},
        {"no fingerprint", 6, 64, 2, {1, 4}, "short", SG_ERR_FORMAT},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        sg_model *m = must_open("one.gguf");
        sg_gguf_draft d = {.version = 3, .alignment = m->ckpt->ggufs[0].alignment};
        for (size_t k = 0; k < m->ckpt->ggufs[0].n_kvs; k++)
            sg_gguf_put_raw(&d, &m->ckpt->ggufs[0].kvs[k]);
        sg_gguf_put_string(&d, "shortgpt.method", "bi");
        sg_gguf_put_string(&d, "shortgpt.fingerprint", rows[i].fingerprint);
        sg_gguf_put_u32(&d, "shortgpt.layers", (uint32_t)rows[i].layers);
        sg_gguf_put_u32(&d, "shortgpt.hidden", (uint32_t)rows[i].width);
        sg_gguf_put_u32(&d, "shortgpt.vocab", (uint32_t)m->info.vocab);
        sg_gguf_put_u32s(&d, "shortgpt.remove", rows[i].remove, (size_t)rows[i].n);
        write_gguf("pruned.gguf", &d, m, 0, m->ckpt->n_tensors);
        sg_model_free(m);
        int rc = prune("pruned.gguf", "1", "out.gguf", NULL, NULL, &err);
        if (rc != rows[i].code)
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        if (rc < 0)
            continue;
        m = must_open("out.gguf"); /* layers 1 and 4 of six were gone; layer 1 of the rest is 2 */
        static const int gone[] = {1, 2, 4};
        const sg_gguf_kv *kv = sg_gguf_find(&m->ckpt->ggufs[0], "shortgpt.remove");
        assert_int_equal(kv->count, 3);
        assert_memory_equal(kv->value, gone, sizeof gone);
        sg_str method;
        assert_true(sg_gguf_get_str(sg_gguf_find(&m->ckpt->ggufs[0], "shortgpt.method"), &method));
        assert_memory_equal(method.data, "bi+layers", method.bytes);
        sg_model_free(m);
    }
}

static void make_set(const char *stem, int n)
{
    for (int i = 0; i < n; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s-%05d-of-%05d.gguf", stem, i + 1, n);
        rewrite_gguf(name, i, n, false);
    }
}

static void test_split_set(void **state)
{
    (void)state;
    make_set("s", 3);
    must_prune("s-00001-of-00003.gguf", "1", "split.gguf");
    must_prune("one.gguf", "1", "whole.gguf");
    assert_true(shell("cmp split.gguf whole.gguf"));
}

static int64_t key_of(const sg_gguf *g, const char *key)
{
    int64_t value = -1;
    assert_true(sg_gguf_get_int(sg_gguf_find(g, key), 0, &value));
    return value;
}

/* A name like a set's: again a set, each tensor in its file; one that would hold no tensor is left out. */
static void test_split_to_set(void **state)
{
    (void)state;
    sg_prune_result *r = NULL;
    sg_error err = {0};
    make_set("s", 8);
    if (prune("s-00001-of-00008.gguf", "1", "t-00001-of-00002.gguf", NULL, &r, &err) != SG_OK)
        fail_msg("%s", err.message);
    assert_string_equal(r->out + strlen(r->out) - 22, "/t-00001-of-00007.gguf");
    sg_prune_result_free(r);
    sg_model *m = must_open("t-00001-of-00007.gguf"), *from = must_open("s-00001-of-00008.gguf");
    assert_int_equal(m->ckpt->n_files, 7);
    for (size_t i = 0; i < 7; i++) {
        const sg_gguf *g = &m->ckpt->ggufs[i];
        assert_int_equal(key_of(g, "split.no"), i);
        assert_int_equal(key_of(g, "split.count"), 7);
        assert_int_equal(key_of(g, "split.tensors.count"), m->ckpt->n_tensors);
        assert_int_equal(g->n_kvs > 3, i == 0); /* the records are the first's */
    }
    sg_model_free(m);
    assert_survivors("s-00001-of-00008.gguf", "t-00001-of-00007.gguf", (int[]){0, 2, 3}, (size_t)from->info.layers - 1);
    sg_model_free(from);
    must_prune("t-00001-of-00007.gguf", "0", "u.gguf");
    must_prune("one.gguf", "0-1", "v.gguf");
    assert_survivors("v.gguf", "u.gguf", (int[]){0, 1}, 2);
}

static const char *fault_operation = "";
static int fault_countdown; /* the call that fails; 0: none */

int sg_test_fault(const char *operation)
{
    return fault_countdown && !strcmp(operation, fault_operation) && --fault_countdown == 0 ? EIO : 0;
}

static void fail_at(const char *operation, int call)
{
    fault_operation = operation;
    fault_countdown = call;
}

/* All files of a set, or none; with --overwrite all of the new, or all of the old. */
static void test_set_is_whole(void **state)
{
    (void)state;
    make_set("s", 3);
    assert_true(shell("mkdir set && echo old > set/t-00002-of-00003.gguf"));
    assert_int_equal(prune("s-00001-of-00003.gguf", "1", "set/t-00001-of-00003.gguf", NULL, NULL, NULL), SG_ERR_USAGE);
    assert_true(shell("rm set/t-00002-of-00003.gguf"));
    for (int overwrite = 0; overwrite < 2; overwrite++) {
        const sg_prune_opts opts = {.overwrite = overwrite};
        int rc = SG_ERR_IO;
        for (int k = 1; rc != SG_OK; k++) {
            assert_true(shell("ls -A set | sort > before; cat set/* > content 2> /dev/null; true"));
            fail_at("rename", k);
            rc = prune("s-00001-of-00003.gguf", overwrite ? "2" : "1", "set/t-00001-of-00003.gguf", &opts, NULL, NULL);
            fail_at("", 0);
            if (rc != SG_OK)
                assert_true(shell("ls -A set | sort | cmp - before && cat set/* 2> /dev/null | cmp - content"));
            assert_true(k < 9);
        }
        assert_true(shell("test $(ls -A set | wc -l) = 3"));
    }
    must_prune("one.gguf", "2", "two.gguf");
    assert_survivors("two.gguf", "set/t-00001-of-00003.gguf", (int[]){0, 1, 2}, 3);
}

/* An importance matrix goes with OUT: beside it, both or none. */
static void test_imatrix(void **state)
{
    (void)state;
    /* one entry, "blk.2.q", of one value */
    assert_true(shell("printf '\\001\\000\\000\\000\\007\\000\\000\\000blk.2.q\\003\\000\\000\\000\\001\\000\\000\\000abcd' > im.dat && sed s/blk.2/blk.1/ im.dat > want.dat"));
    char source[64];
    sg_prune_opts opts = {.imatrix = source};
    sg_prune_result *r = NULL;
    snprintf(source, sizeof source, "%s/im.dat", root);
    int rc = SG_ERR_IO;
    assert_true(shell("mkdir im"));
    for (int k = 1; rc != SG_OK; k++) {
        fail_at("rename", k);
        rc = prune("one.gguf", "0", "im/out.gguf", &opts, &r, NULL);
        fail_at("", 0);
        assert_true(rc == SG_OK || shell("test -z \"$(ls -A im)\""));
        assert_true(k < 5);
    }
    assert_non_null(strstr(r->imatrix, "/im/out.imatrix.dat"));
    sg_prune_result_free(r);
    assert_true(shell("test $(ls -A im | wc -l) = 2 && cmp im/out.imatrix.dat want.dat"));
    must_prune("one.gguf", "0", "plain.gguf");
    assert_true(shell("cmp im/out.gguf plain.gguf"));
    assert_int_equal(prune("one.gguf", "0", "im/out.gguf", &opts, NULL, NULL), SG_ERR_USAGE);
    assert_true(shell("rm im/out.gguf"));
    assert_int_equal(prune("one.gguf", "0", "im/out.gguf", &opts, NULL, NULL), SG_ERR_USAGE);
    opts.overwrite = true;
    assert_int_equal(prune("one.gguf", "0", "im/out.gguf", &opts, NULL, NULL), SG_OK);
    assert_true(shell("echo old > im/replaced")); /* the name under which the old one would wait */
    assert_int_equal(prune("one.gguf", "0", "im/replaced", &opts, NULL, NULL), SG_OK);
    assert_true(shell("cmp im/replaced plain.gguf && cmp im/replaced.imatrix.dat want.dat"));
    make_set("s", 3);
    assert_int_equal(prune("s-00001-of-00003.gguf", "0", "im/t-00001-of-00003.gguf", &opts, NULL, NULL), SG_OK);
    assert_true(shell("cmp im/t.imatrix.dat want.dat"));
    assert_int_equal(prune("hf", "0", "im/hf", &opts, NULL, NULL), SG_ERR_USAGE);
    assert_int_equal(prune("one.gguf", "2", "im/two.gguf", &opts, NULL, NULL), SG_ERR_REFUSED);
    assert_true(shell("mv im.dat x.imatrix.dat")); /* it would be overwritten itself */
    snprintf(source, sizeof source, "%s/x.imatrix.dat", root);
    assert_int_equal(prune("one.gguf", "0", "x.gguf", &opts, NULL, NULL), SG_ERR_USAGE);
}

/* MODEL's own files, and names that look like a set's only nearly. */
static void test_names_of_sets(void **state)
{
    (void)state;
    const sg_prune_opts opts = {.overwrite = true};
    make_set("s", 3);
    assert_int_equal(prune("s-00001-of-00003.gguf", "1", "s-00001-of-00009.gguf", &opts, NULL, NULL), SG_ERR_USAGE);
    must_prune("s-00001-of-00003.gguf", "1", "x-00002-of-00003.gguf"); /* one file */
    assert_true(shell("test -f x-00002-of-00003.gguf && mv x-00002-of-00003.gguf x.gguf"));
    must_prune("one.gguf", "1", "y-00001-of-00003.gguf"); /* MODEL is none */
    assert_true(shell("cmp x.gguf y-00001-of-00003.gguf"));
}

/* ---- what else is in a directory --------------------------------------------------------------------- */

/* Quantization configurations beside config.json follow their layers, too. */
static void test_quantization_files(void **state)
{
    (void)state;
    assert_true(shell("printf '{\"quantization\": {\"exclude_modules\": [\"lm_head\", \"model.layers.1.mlp\", \"model.layers.3.mlp\"]}}' >hf/hf_quant_config.json &&"
                      "printf '{\"bits\": 4, \"dynamic\": {\"-:model.layers.1.mlp\": {}, \"+:model.layers.2.mlp\": {\"bits\": 8}}}' >hf/quantize_config.json &&"
                      "printf '{\"tensor_storage\": {\"model.layers.1.mlp\": {}, \"model.layers.3.mlp\": {}}}' >hf/quantization_config.json"));
    must_prune("hf", "1", "out");
    assert_true(shell("test $(tr -d ' \\n' <out/hf_quant_config.json) = '{\"quantization\":{\"exclude_modules\":[\"lm_head\",\"model.layers.2.mlp\"]}}'"));
    assert_true(shell("test $(tr -d ' \\n' <out/quantize_config.json) = '{\"bits\":4,\"dynamic\":{\"+:model.layers.1.mlp\":{\"bits\":8}}}'"));
    assert_true(shell("test $(tr -d ' \\n' <out/quantization_config.json) = '{\"tensor_storage\":{\"model.layers.2.mlp\":{}}}'"));
}

static void test_carried(void **state)
{
    (void)state;
    assert_true(shell("cd hf && echo m >README.md && echo l >LICENSE && echo p >modeling_x.py && echo t >merges.txt && echo c >chat_template.jinja &&"
                      " echo b >pytorch_model.bin && echo i >pytorch_model.bin.index.json && echo i >model.safetensors.index.json &&"
                      " echo s >consolidated.safetensors && echo g >Model.GGUF && ln -s nowhere flax_model.msgpack && mkfifo fifo &&"
                      " mkdir -p .git .cache original onnx/deep 1_Pooling/more && echo g >.git/HEAD && echo a >.gitattributes &&"
                      " echo w >original/consolidated.00.pth && echo p >original/params.json && echo o >onnx/deep/model.onnx &&"
                      " echo j >1_Pooling/config.json && echo k >1_Pooling/more/k.json && mkdir ../blobs && mv tokenizer.json ../blobs/b1 &&"
                      " ln -s ../blobs/b1 tokenizer.json && mv model.safetensors ../blobs/b2 && ln -s ../blobs/b2 model.safetensors"));
    sg_prune_result *r = NULL;
    sg_error err = {0};
    if (prune("hf", "1", "out", NULL, &r, &err) != SG_OK)
        fail_msg("%s", err.message);
    static const char *const left[] = {".cache", ".git", "Model.GGUF", "consolidated.safetensors", "fifo", "flax_model.msgpack",
                                       "model.safetensors.index.json", "onnx/", "original/", "pytorch_model.bin", "pytorch_model.bin.index.json"};
    for (size_t i = 0; i < r->n_left_out || i < SG_ARRAY_LEN(left); i++)
        assert_string_equal(i < r->n_left_out ? r->left_out[i] : "", i < SG_ARRAY_LEN(left) ? left[i] : "");
    assert_true(shell("cd out && find . -type f -printf '%%P\\n' | LC_ALL=C sort >../list && test -z \"$(find . -type l)\" && cd .. && printf '%%s\\n' .gitattributes"
                      " 1_Pooling/config.json 1_Pooling/more/k.json LICENSE README.md chat_template.jinja config.json generation_config.json"
                      " merges.txt model.safetensors modeling_x.py shortgpt.json tokenizer.json tokenizer_config.json | cmp - list"));
    assert_true(shell("cmp out/tokenizer.json blobs/b1 && cmp hf/README.md out/README.md && cmp hf/1_Pooling/more/k.json out/1_Pooling/more/k.json"));
    uint64_t bytes = 0;
    assert_true(shell("find out -type f -printf '%%s\\n' | awk '{n += $1} END {print n}' >sum"));
    FILE *p = fopen(at("sum"), "r");
    assert_int_equal(fscanf(p, "%lu", &bytes), 1);
    fclose(p);
    assert_int_equal(r->file_bytes_after, bytes);
    sg_prune_result_free(r);
}

static void test_link_circle(void **state)
{
    (void)state;
    sg_error err = {0};
    assert_true(shell("mkdir hf/sub && ln -s . hf/sub/self"));
    assert_int_equal(prune("hf", "1", "out", NULL, NULL, &err), SG_ERR_IO);
    assert_non_null(strstr(err.message, "circle"));
    assert_false(sg_path_exists(at("out")));
}

/* ---- results and plans ------------------------------------------------------------------------------- */

static void test_dry_run_tells_the_truth(void **state)
{
    (void)state;
    static const struct { const char *model; int remove[2]; } rows[] = {{"tied", {1, 3}}, {"tied.gguf", {1, 3}}, {"hf", {0, 2}}, {"one.gguf", {0, 3}}};
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_model *m = must_open(rows[i].model);
        sg_plan *plan = NULL;
        sg_prune_result *dry = NULL, *run = NULL;
        assert_int_equal(sg_plan_from_layers(&plan, m, rows[i].remove, 2, NULL), SG_OK);
        assert_int_equal(sg_prune_dry_run(&dry, m, plan, at("out"), NULL, NULL), SG_OK);
        assert_false(sg_path_exists(at("out")));
        assert_int_equal(sg_prune_run(&run, m, plan, at("out"), NULL, NULL), SG_OK);
        sg_model *after = must_open("out");
        assert_int_equal(dry->layers_after, after->info.layers);
        assert_int_equal(dry->parameters_before, m->info.parameters);
        assert_int_equal(dry->parameters_after, after->info.parameters);
        assert_int_equal(dry->bytes_before, m->info.bytes);
        assert_int_equal(dry->bytes_after, after->info.bytes);
        assert_int_equal(dry->tensors_kept, after->ckpt->n_tensors);
        assert_int_equal(dry->tensors_kept + dry->tensors_removed, m->ckpt->n_tensors);
        assert_int_equal(dry->file_bytes_after, 0);
        assert_false(dry->forward_checked);
        assert_true(run->forward_checked);
        assert_int_equal(dry->file_bytes_before, run->file_bytes_before);
        assert_true(dry->bytes_needed == run->bytes_needed && run->bytes_needed >= run->file_bytes_after);
        assert_string_equal(run->out, at("out"));
        sg_model_free(after);
        sg_prune_result_free(dry);
        sg_prune_result_free(run);
        sg_plan_free(plan);
        sg_model_free(m);
        assert_true(shell("rm -r out"));
    }
}

static void test_plans_refused(void **state)
{
    (void)state;
    sg_model *m = must_open("hf");
    static const int one[] = {1}, rest[] = {0, 2, 3}, all[] = {0, 1, 2, 3}, twice[] = {1, 1}, far[] = {4};
    const struct { const char *name; sg_plan plan; int code; } rows[] = {
        {"right", {4, 64, 320, "", "x", one, rest, 1, 3}, SG_OK},
        {"nothing", {4, 64, 320, "", "x", one, all, 0, 4}, SG_ERR_USAGE},
        {"everything", {4, 64, 320, "", "x", all, one, 4, 0}, SG_ERR_REFUSED},
        {"twice", {4, 64, 320, "", "x", twice, rest, 2, 3}, SG_ERR_USAGE},
        {"out of range", {4, 64, 320, "", "x", far, rest, 1, 3}, SG_ERR_USAGE},
        {"keep of another", {4, 64, 320, "", "x", one, all, 1, 4}, SG_ERR_USAGE},
        {"keep too short", {4, 64, 320, "", "x", one, rest, 1, 2}, SG_ERR_USAGE},
        {"more layers", {5, 64, 320, "", "x", one, rest, 1, 3}, SG_ERR_REFUSED},
        {"wider", {4, 65, 320, "", "x", one, rest, 1, 3}, SG_ERR_REFUSED},
        {"other vocabulary", {4, 64, 319, "", "x", one, rest, 1, 3}, SG_ERR_REFUSED},
    };
    for (size_t i = 0; i < SG_ARRAY_LEN(rows); i++) {
        sg_error err = {0};
        sg_prune_result *r = NULL;
        int rc = sg_prune_dry_run(&r, m, &rows[i].plan, at("out"), NULL, &err);
        if (rc != rows[i].code)
            fail_msg("%s: %d (%s)", rows[i].name, rc, err.message);
        sg_prune_result_free(r);
    }
    sg_model_free(m);
}

static void test_stale_lineage(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "[1", "{\"schema\":\"shortgpt/plan/1\"}"};
    for (size_t i = 0; i < SG_ARRAY_LEN(texts); i++) {
        assert_true(shell("printf '%s' >hf/shortgpt.json", texts[i]));
        assert_int_equal(prune("hf", "1", "out", NULL, NULL, NULL), SG_ERR_FORMAT);
    }
    assert_true(shell("rm hf/shortgpt.json"));
    must_prune("hf", "1", "out");
    assert_true(shell("cp out/shortgpt.json hf")); /* the plan of a model with 3 layers left, beside one with 4 */
    sg_error err = {0};
    assert_int_equal(prune("hf", "1", "out2", NULL, NULL, &err), SG_ERR_FORMAT);
    assert_non_null(strstr(err.message, "left 3 layers"));
    assert_false(sg_path_exists(at("out2")));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(test_kept_bytes), TEST(test_composition), TEST(test_hf_texts), TEST(test_layer_types), TEST(test_empty_shards_go),
        TEST(test_gguf_records), TEST(test_gguf_lineage), TEST(test_split_set), TEST(test_split_to_set), TEST(test_set_is_whole), TEST(test_names_of_sets), TEST(test_imatrix),
        TEST(test_carried), TEST(test_quantization_files), TEST(test_link_circle), TEST(test_dry_run_tells_the_truth),
        TEST(test_plans_refused), TEST(test_stale_lineage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
