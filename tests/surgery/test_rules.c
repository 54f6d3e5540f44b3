/* The rule table on small configurations: what is edited, what stays, what is refused. Whether a real loader agrees is conformance/'s
 * question. The size labels are gguf.utility.model_weight_count_rounded_notation's. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/gguf_write.h"
#include "core/mem.h"
#include "surgery/rules.h"

enum { MAX_LAYERS = 64 };

static long fault_countdown; /* the allocation that fails; 0: none */

int sg_test_fault(const char *operation)
{
    return fault_countdown && strcmp(operation, "alloc") == 0 && --fault_countdown == 0;
}

/* A model that has a configuration and specifications, but no tensors; and a plan for it. */
typedef struct patient {
    sg_model model;
    sg_checkpoint ckpt;
    sg_family family;
    sg_layer_spec specs[MAX_LAYERS];
    sg_plan plan;
    int remove[MAX_LAYERS], keep[MAX_LAYERS];
    sg_cut cut;
} patient;

/* kinds: a letter a layer, S slides, or "40F": so many that do not. list: what to remove. */
static void make_patient(patient *p, sg_format format, const char *family, const char *arch, const char *kinds, const char *list)
{
    char *rest;
    long many = strtol(kinds, &rest, 10);
    int layers = many ? (int)many : (int)strlen(kinds), *named;
    *p = (patient){0};
    p->family.name = family;
    p->ckpt.format = format;
    for (int i = 0; i < layers; i++)
        p->specs[i] = (sg_layer_spec){.n_heads = 4, .n_kv_heads = 4, .head_dim = 16, .window = (many ? rest[0] : kinds[i]) == 'S' ? 7 : 0};
    p->model.ckpt = &p->ckpt;
    p->model.family = &p->family;
    p->model.spec = (sg_model_spec){.n_layers = layers, .hidden = 32, .vocab = 10, .layers = p->specs};
    p->model.config_path = (char *)"config.json";
    p->model.info = (sg_model_info){.path = "M", .layers = layers, .hidden = 32, .vocab = 10, .family = family, .architecture = arch,
                                    .format_name = "a format", .parameters = 1234567};
    p->plan = (sg_plan){.layers = layers, .hidden = 32, .vocab = 10, .fingerprint = "", .method = "layers", .remove = p->remove, .keep = p->keep};
    assert_int_equal(sg_layers_parse(list, layers, &named, &p->plan.n_remove, NULL), SG_OK);
    memcpy(p->remove, named, p->plan.n_remove * sizeof *named);
    sg_layers_free(named);
    for (int i = 0, at = 0; i < layers; i++) {
        if ((size_t)at < p->plan.n_remove && p->remove[at] == i)
            at++;
        else
            p->keep[p->plan.n_keep++] = i;
    }
    assert_int_equal(sg_cut_make(&p->cut, &p->model, &p->plan, NULL), SG_OK);
}

/* ---- config.json ------------------------------------------------------------------------------------- */

static const struct { const char *name, *family, *kinds, *before, *list, *after; /* NULL: SG_ERR_FORMAT */ } configs[] = {
    {"count", "llama", "FFFF", "{'a':1.50,'num_hidden_layers':4,'b':null}", "1", "{'a':1.50,'num_hidden_layers':3,'b':null}"},
    {"another count", "llama", "FFFF", "{'num_hidden_layers':5}", "1", NULL},
    {"count of gpt2", "gpt2", "FFFF", "{'n_layer':4,'n_head':4}", "1-2", "{'n_layer':2,'n_head':4}"},
    {"both counts", "gpt2", "FFFF", "{'n_layer':4,'num_hidden_layers':4}", "0", "{'n_layer':3,'num_hidden_layers':3}"},
    {"lists of all families", "mistral", "FFFF", "{'layer_types':['a','b',null,'d'],'mlp_layer_types':['w','x','y','z']}", "1,3",
     "{'layer_types':['a',null],'mlp_layer_types':['w','y']}"},
    {"other lists stay", "phi3", "FFFF", "{'rope_scaling':{'short_factor':[1,2,3,4]}}", "1", "{'rope_scaling':{'short_factor':[1,2,3,4]}}"},
    {"short list", "llama", "FFFF", "{'layer_types':['a','b','c']}", "1", NULL},
    {"settings for layers", "llama", "FFFFFFFFFFF", "{'per_layer_config':{'00':{'x':1},'01':{'x':2},'10':{'x':3}}}", "1,4",
     "{'per_layer_config':{'00':{'x':1},'08':{'x':3}}}"},
    {"settings by name", "llama", "FFFF", "{'per_layer_config':{'first':{'x':1}}}", "1", NULL},

    {"qwen2 derived", "qwen2", "FFSS", "{'use_sliding_window':true,'max_window_layers':2,'z':0}", "1",
     "{'use_sliding_window':true,'max_window_layers':1,'z':0,'layer_types':['full_attention','sliding_attention','sliding_attention']}"},
    {"qwen2 null", "qwen2", "FFSS", "{'layer_types':null,'max_window_layers':2}", "3",
     "{'layer_types':['full_attention','full_attention','sliding_attention'],'max_window_layers':2}"},
    {"qwen2 listed", "qwen2", "SFFF", "{'layer_types':['sliding_attention','full_attention','full_attention','full_attention'],'max_window_layers':28}", "1,2",
     "{'layer_types':['sliding_attention','full_attention'],'max_window_layers':26}"},
    {"qwen2 without windows", "qwen2", "FFFF", "{'use_sliding_window':false,'max_window_layers':4}", "0,3", "{'use_sliding_window':false,'max_window_layers':2}"},
    {"qwen3", "qwen3", "FS", "{'max_window_layers':1}", "0", "{'max_window_layers':0,'layer_types':['sliding_attention']}"},
    {"gemma2", "gemma2", "SFSF", "{'a':1}", "0", "{'a':1,'layer_types':['full_attention','sliding_attention','full_attention']}"},
    {"gemma3", "gemma3_text", "SSFSSF", "{'sliding_window_pattern':3}", "2", "{'sliding_window_pattern':3,'layer_types':['sliding_attention','sliding_attention',"
     "'sliding_attention','sliding_attention','full_attention']}"},
    {"gemma has none", "gemma", "FF", "{'a':1}", "0", "{'a':1}"},

    {"dense layers", "qwen3_moe", "FFFF", "{'mlp_only_layers':[3,1,0],'decoder_sparse_step':1}", "1", "{'mlp_only_layers':[2,0],'decoder_sparse_step':1}"},
    {"none of them", "qwen3_moe", "FFFF", "{'mlp_only_layers':[],'z':0}", "1", "{'mlp_only_layers':[],'z':0}"},
    {"numbers of no layer go", "qwen3_moe", "FFFF", "{'mlp_only_layers':[-1,7,2]}", "1", "{'mlp_only_layers':[1]}"},
    {"a step", "qwen2_moe", "FFFFFF", "{'decoder_sparse_step':2,'mlp_only_layers':[1]}", "0,3", "{'decoder_sparse_step':1,'mlp_only_layers':[0,1,2]}"},
    {"a step alone", "qwen2_moe", "FFFFFF", "{'decoder_sparse_step':3,'z':0}", "1", "{'decoder_sparse_step':1,'z':0,'mlp_only_layers':[0,2,3]}"},
    {"not numbers", "qwen3_moe", "FFFF", "{'mlp_only_layers':['1']}", "1", NULL},
    {"no list", "qwen3_moe", "FFFF", "{'mlp_only_layers':1}", "1", NULL},
    {"no step", "qwen3_moe", "FFFF", "{'decoder_sparse_step':0}", "1", NULL},
    {"not of this family", "llama", "FFFF", "{'mlp_only_layers':[1],'max_window_layers':2,'n_layer':4}", "1", "{'mlp_only_layers':[1],'max_window_layers':2,'n_layer':4}"},
};

static json_object *parse(const char *text)
{
    char json[1024];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_object *out = NULL;
    assert_int_equal(sg_json_parse(&out, json, strlen(json), "table", NULL), SG_OK);
    return out;
}

/* Each allocation fails in turn. */
static void assert_config_faults(const char *name, const patient *p, const char *before)
{
    int rc = SG_ERR_NOMEM;
    for (long k = 1; rc != SG_OK; k++) {
        json_object *config = parse(before);
        fault_countdown = k;
        rc = sg_rules_config(&p->cut, config, "config.json", NULL);
        bool fired = !fault_countdown;
        fault_countdown = 0;
        json_object_put(config);
        if (rc != (fired ? SG_ERR_NOMEM : SG_OK))
            fail_msg("%s: allocation %ld: %d", name, k, rc);
    }
}

static void test_config(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(configs); i++) {
        static patient p;
        sg_error err = {0};
        make_patient(&p, SG_FORMAT_HF, configs[i].family, "", configs[i].kinds, configs[i].list);
        p.ckpt.config = parse(configs[i].before);
        json_object *config = parse(configs[i].before), *want = configs[i].after ? parse(configs[i].after) : NULL;
        int rc = sg_rules_check(&p.cut, &err);
        rc = rc == SG_OK ? sg_rules_config(&p.cut, config, "config.json", &err) : rc;
        if (rc != (want ? SG_OK : SG_ERR_FORMAT))
            fail_msg("%s: %d (%s)", configs[i].name, rc, err.message);
        const char *got = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN);
        if (want && strcmp(got, json_object_to_json_string_ext(want, JSON_C_TO_STRING_PLAIN)) != 0)
            fail_msg("%s: %s", configs[i].name, got);
        if (want)
            assert_config_faults(configs[i].name, &p, configs[i].before);
        json_object_put(want);
        json_object_put(config);
        json_object_put(p.ckpt.config);
        sg_cut_dispose(&p.cut);
    }
}

/* ---- GGUF metadata ----------------------------------------------------------------------------------- */

static const struct { const char *name, *family, *arch, *kinds, *before, *list, *after; } records[] = {
    {"count", "llama", "llama", "FFFF", "general.alignment=32 llama.block_count=4 llama.rope.dimension_count=4", "1",
     "general.alignment=32 llama.block_count=3 llama.rope.dimension_count=4"},
    {"another count", "llama", "llama", "FFFF", "llama.block_count=5", "1", NULL},
    {"lists", "qwen3_moe", "qwen3moe", "FFFF",
     "qwen3moe.attention.head_count=[1,2,3,4] qwen3moe.attention.head_count_kv=[5,6,7,8] qwen3moe.feed_forward_length=[1,2,3,4] "
     "qwen3moe.expert_feed_forward_length=[4,3,2,1] qwen3moe.expert_used_count=[2,1,2,1] qwen3moe.rope.dimension_sections=[1,2,3,4]", "0,2",
     "qwen3moe.attention.head_count=[2,4] qwen3moe.attention.head_count_kv=[6,8] qwen3moe.feed_forward_length=[2,4] "
     "qwen3moe.expert_feed_forward_length=[3,1] qwen3moe.expert_used_count=[1,1] qwen3moe.rope.dimension_sections=[1,2,3,4]"},
    {"numbers for all layers", "mixtral", "llama", "FF", "llama.expert_used_count=2 llama.expert_count=4", "0", "llama.expert_used_count=2 llama.expert_count=4"},
    {"short list", "llama", "llama", "FFFF", "llama.attention.head_count_kv=[1,2,3]", "1", NULL},
    {"another architecture's", "llama", "llama", "FF", "qwen2.block_count=7", "0", "qwen2.block_count=7"},
    {"gemma2 default", "gemma2", "gemma2", "SFSF", "gemma2.block_count=4 z=1", "0",
     "gemma2.block_count=3 z=1 gemma2.attention.sliding_window_pattern=[f,t,f]"},
    {"gemma2 period", "gemma2", "gemma2", "SSFS", "gemma2.attention.sliding_window_pattern=3 z=1", "1,2", "gemma2.attention.sliding_window_pattern=[t,t] z=1"},
    {"gemma2 list", "gemma2", "gemma2", "SFSF", "gemma2.attention.sliding_window_pattern=[t,f,t,f]", "1", "gemma2.attention.sliding_window_pattern=[t,t,f]"},
    {"gemma2 list of numbers", "gemma2", "gemma2", "SFSF", "gemma2.attention.sliding_window_pattern=[1,0,1,0]", "1", "gemma2.attention.sliding_window_pattern=[1,1,0]"},
    {"gemma2 short list", "gemma2", "gemma2", "SFSF", "gemma2.attention.sliding_window_pattern=[t,f]", "1", NULL},
    {"gemma3", "gemma3_text", "gemma3", "SSSSSFS", "gemma3.attention.sliding_window=7", "5", "gemma3.attention.sliding_window=7 "
     "gemma3.attention.sliding_window_pattern=[t,t,t,t,t,t]"},
    {"gemma3 full", "gemma3_text", "gemma3", "SF", "gemma3.attention.sliding_window=7", "0", "gemma3.attention.sliding_window=0 "
     "gemma3.attention.sliding_window_pattern=[f]"},
    {"gemma3 without windows", "gemma3_text", "gemma3", "FFF", "gemma3.attention.sliding_window=0", "0", "gemma3.attention.sliding_window=0"},
    {"not of this family", "qwen2", "qwen2", "FFF", "qwen2.attention.sliding_window_pattern=[t,f,t]", "0", "qwen2.attention.sliding_window_pattern=[t,f,t]"},
    {"what surgery itself writes", "llama", "llama", "FF", "split.no=0 shortgpt.layers=3 general.parameter_count=9", "0", "general.parameter_count=1234567"},
};

/* Reads "key=4 key=[1,2] key=[t,f]". */
static void put_records(sg_gguf_draft *d, const char *text)
{
    char line[1024], *save = NULL;
    snprintf(line, sizeof line, "%s", text);
    for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = 0;
        if (*value != '[') {
            sg_gguf_put_u32(d, word, (uint32_t)strtoul(value, NULL, 10));
            continue;
        }
        int numbers[MAX_LAYERS];
        bool flags[MAX_LAYERS], are_flags = value[1] == 't' || value[1] == 'f';
        size_t n = 0;
        for (value++; *value && *value != ']'; value += strcspn(value, ",]"), value += *value == ',') {
            flags[n] = *value == 't';
            numbers[n++] = atoi(value);
        }
        if (are_flags)
            sg_gguf_put_bools(d, word, flags, n);
        else
            sg_gguf_put_u32s(d, word, numbers, n);
    }
}

/* The inverse. */
static void records_text(const sg_gguf *g, char *text, size_t room)
{
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < g->n_kvs; i++) {
        const sg_gguf_kv *kv = &g->kvs[i];
        bool list = kv->type == SG_GGUF_ARRAY;
        n += (size_t)snprintf(text + n, room - n, "%s%s=%s", i ? " " : "", kv->key, list ? "[" : "");
        for (uint64_t k = 0; k < kv->count; k++) {
            int64_t value;
            assert_true(sg_gguf_get_int(kv, k, &value));
            n += (size_t)snprintf(text + n, room - n, k ? "," : "");
            if (kv->element == SG_GGUF_BOOL && list)
                n += (size_t)snprintf(text + n, room - n, value ? "t" : "f");
            else
                n += (size_t)snprintf(text + n, room - n, "%lld", (long long)value);
        }
        n += (size_t)snprintf(text + n, room - n, list ? "]" : "");
    }
}

static void parse_draft(sg_gguf *g, sg_gguf_draft *d, sg_strbuf *head)
{
    assert_int_equal(sg_gguf_draft_header(d, head, NULL), SG_OK);
    assert_int_equal(sg_gguf_parse(g, (const uint8_t *)head->data, head->n, "table", NULL), SG_OK);
}

/* Each allocation fails in turn, at once or remembered until the header is made. */
static void assert_metadata_faults(const char *name, const patient *p, const sg_gguf *from)
{
    int rc = SG_ERR_NOMEM;
    for (long k = 1; rc != SG_OK; k++) {
        sg_gguf_draft to = {.version = 3, .alignment = 32};
        sg_strbuf head = {0};
        fault_countdown = k;
        rc = sg_rules_metadata(&p->cut, from, &to, NULL);
        rc = rc == SG_OK ? sg_gguf_draft_header(&to, &head, NULL) : rc;
        bool fired = !fault_countdown;
        fault_countdown = 0;
        sg_strbuf_free(&head);
        sg_gguf_draft_dispose(&to);
        if (rc != (fired ? SG_ERR_NOMEM : SG_OK))
            fail_msg("%s: allocation %ld: %d", name, k, rc);
    }
}

static void test_metadata(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(records); i++) {
        static patient p;
        sg_error err = {0};
        sg_gguf from, got;
        sg_strbuf from_head = {0}, got_head = {0};
        sg_gguf_draft draft = {.version = 3, .alignment = 32}, to = draft;
        char text[1024];
        make_patient(&p, SG_FORMAT_GGUF, records[i].family, records[i].arch, records[i].kinds, records[i].list);
        put_records(&draft, records[i].before);
        parse_draft(&from, &draft, &from_head);
        int rc = sg_rules_check(&p.cut, &err);
        rc = rc == SG_OK ? sg_rules_metadata(&p.cut, &from, &to, &err) : rc;
        if (rc != (records[i].after ? SG_OK : SG_ERR_FORMAT))
            fail_msg("%s: %d (%s)", records[i].name, rc, err.message);
        if (rc == SG_OK) {
            parse_draft(&got, &to, &got_head);
            records_text(&got, text, sizeof text);
            if (strcmp(text, records[i].after) != 0)
                fail_msg("%s: %s", records[i].name, text);
            assert_metadata_faults(records[i].name, &p, &from);
            sg_gguf_dispose(&got);
        }
        sg_gguf_dispose(&from);
        sg_gguf_draft_dispose(&draft);
        sg_gguf_draft_dispose(&to);
        sg_strbuf_free(&from_head);
        sg_strbuf_free(&got_head);
        sg_cut_dispose(&p.cut);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

#define BY_INDEX "{'scale_attn_by_inverse_layer_idx':true}"

static const struct { const char *name, *family, *kinds, *config, *list, *says; /* NULL: no refusal */ } limits[] = {
    {"unknown family", "quux", "FFF", NULL, "1", "not known"},
    {"a word inside another", "qwen", "FFF", NULL, "1", "not known"},
    {"scaled by index, from the end", "gpt2", "FFFFFF", BY_INDEX, "4-5", NULL},
    {"scaled by index, inside", "gpt2", "FFFFFF", BY_INDEX, "1,3,5", "1,3 of the plan lie before layer 4, which stays. As many could go as 3-5"},
    {"not scaled by index", "gpt2", "FFFFFF", "{'scale_attn_by_inverse_layer_idx':false}", "1", NULL},
    {"another family", "llama", "FFFFFF", BY_INDEX, "1", NULL},
    {"gemma2 at its depth", "gemma2", "46S", NULL, "1", "no layer of this file can go"},
    {"gemma2 to its depth", "gemma2", "48S", NULL, "1-2", "one layer more"},
    {"gemma2 past it", "gemma2", "48S", NULL, "1-3", NULL},
    {"gemma3 at its depth", "gemma3", "62S", NULL, "1", "no layer of this file can go"},
    {"gemma3 at the other's", "gemma3", "46S", NULL, "1", NULL},
    {"gemma2's last window", "gemma2", "SFSF", NULL, "0-2", "keep one, such as 2"},
    {"gemma2 without windows", "gemma2", "FFFF", NULL, "0-2", NULL},
    {"gemma3's last window", "gemma3", "SFSF", NULL, "0-2", NULL},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(limits); i++) {
        static patient p;
        sg_error err = {0};
        make_patient(&p, limits[i].config ? SG_FORMAT_HF : SG_FORMAT_GGUF, limits[i].family, limits[i].family, limits[i].kinds, limits[i].list);
        p.ckpt.config = limits[i].config ? parse(limits[i].config) : NULL;
        int rc = sg_rules_check(&p.cut, &err);
        if (rc != (limits[i].says ? SG_ERR_REFUSED : SG_OK) || (limits[i].says && !strstr(err.message, limits[i].says)))
            fail_msg("%s: %d (%s)", limits[i].name, rc, err.message);
        json_object_put(p.ckpt.config);
        sg_cut_dispose(&p.cut);
    }
}

/* hidden / heads equal to the head's size: the depth says nothing. */
static void test_depth_that_does_not_matter(void **state)
{
    (void)state;
    static patient p;
    make_patient(&p, SG_FORMAT_GGUF, "gemma2", "gemma2", "46S", "1");
    p.model.spec.hidden = 64;
    assert_int_equal(sg_rules_check(&p.cut, NULL), SG_OK);
    sg_cut_dispose(&p.cut);
}

/* ---- size labels ------------------------------------------------------------------------------------- */

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config), cmocka_unit_test(test_metadata), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_depth_that_does_not_matter), cmocka_unit_test(test_size_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
