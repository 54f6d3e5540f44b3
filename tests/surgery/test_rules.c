/* The rule table on small configurations: what is edited, what stays, what is refused (GGUF: test_rules_gguf.c). Whether a real loader agrees
 * is conformance/'s question. */
#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

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
    {"qwen2 null", "qwen2", "FFSS", "{'use_sliding_window':true,'layer_types':null,'max_window_layers':2}", "3",
     "{'use_sliding_window':true,'layer_types':['full_attention','full_attention','sliding_attention'],'max_window_layers':2}"},
    {"qwen2 listed", "qwen2", "SFFF", "{'layer_types':['sliding_attention','full_attention','full_attention','full_attention'],'max_window_layers':28}", "1,2",
     "{'layer_types':['sliding_attention','full_attention'],'max_window_layers':26}"},
    {"qwen2 without windows", "qwen2", "FFFF", "{'use_sliding_window':false,'max_window_layers':4}", "0,3", "{'use_sliding_window':false,'max_window_layers':2}"},
    {"qwen3", "qwen3", "FS", "{'use_sliding_window':true,'max_window_layers':1}", "0", "{'use_sliding_window':true,'max_window_layers':0,'layer_types':['sliding_attention']}"},
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

/* ---- refusals ---------------------------------------------------------------------------------------- */

#define BY_INDEX "{'scale_attn_by_inverse_layer_idx':true}"

static const struct { const char *name, *family, *kinds, *config, *list, *says; /* NULL: no refusal */ } limits[] = {
    {"unknown family", "quux", "FFF", NULL, "1", "not known"},
    {"a word inside another", "qwen", "FFF", NULL, "1", "not known"},
    {"scaled by index, from the end", "gpt2", "FFFFFF", BY_INDEX, "4-5", NULL},
    {"scaled by index, inside", "gpt2", "FFFFFF", BY_INDEX, "1,3,5", "1,3 of the plan lie before layer 4, which stays. As many could go as 3-5"},
    {"not scaled by index", "gpt2", "FFFFFF", "{'scale_attn_by_inverse_layer_idx':false}", "1", NULL},
    {"another family", "llama", "FFFFFF", BY_INDEX, "1", NULL},
};

static void test_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < SG_ARRAY_LEN(limits); i++) {
        static patient p;
        sg_error err = {0};
        make_patient(&p, SG_FORMAT_HF, limits[i].family, limits[i].family, limits[i].kinds, limits[i].list);
        p.ckpt.config = limits[i].config ? parse(limits[i].config) : NULL;
        int rc = sg_rules_check(&p.cut, &err);
        if (rc != (limits[i].says ? SG_ERR_REFUSED : SG_OK) || (limits[i].says && !strstr(err.message, limits[i].says)))
            fail_msg("%s: %d (%s)", limits[i].name, rc, err.message);
        json_object_put(p.ckpt.config);
        sg_cut_dispose(&p.cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
