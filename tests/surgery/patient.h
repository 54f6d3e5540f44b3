/* What the tests of the rules share: models that have a configuration or metadata but no tensors, a plan for them, and allocations that fail. */
#ifndef SG_SURGERY_PATIENT_H
#define SG_SURGERY_PATIENT_H

#include "sg_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint/gguf_write.h"
#include "core/mem.h"
#include "surgery/rules.h"

enum { MAX_LAYERS = 128 };

static long fault_countdown; /* the allocation that fails; 0: none */

int sg_test_fault(const char *operation)
{
    return fault_countdown && strcmp(operation, "alloc") == 0 && --fault_countdown == 0;
}

typedef struct patient {
    sg_model model;
    sg_checkpoint ckpt;
    sg_family family;
    sg_gguf gguf;
    sg_strbuf head;
    sg_plan plan;
    int remove[MAX_LAYERS], keep[MAX_LAYERS];
    sg_cut cut;
} patient;

/* ---- configurations ---------------------------------------------------------------------------------- */

/* JSON with ' for " */
static inline json_object *parse(const char *text)
{
    char json[1024];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_object *out = NULL;
    assert_int_equal(sg_json_parse(&out, json, strlen(json), "table", NULL), SG_OK);
    return out;
}

/* ---- metadata ---------------------------------------------------------------------------------------- */

/* Reads "key=4 key=[1,2] key=[t,f]". */
static inline void put_records(sg_gguf_draft *d, const char *text)
{
    char line[2048], *save = NULL;
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

static inline void parse_draft(sg_gguf *g, sg_gguf_draft *d, sg_strbuf *head)
{
    assert_int_equal(sg_gguf_draft_header(d, head, NULL), SG_OK);
    sg_error err = {0};
    if (sg_gguf_parse(g, (const uint8_t *)head->data, head->n, "table", &err) != SG_OK)
        fail_msg("%s", err.message);
}

/* ~ is the architecture. */
static inline void expand(char *to, size_t room, const char *text, const char *arch)
{
    size_t n = 0;
    for (; *text; text++)
        n += (size_t)snprintf(to + n, room - n, "%.*s", *text == '~' ? 64 : 1, *text == '~' ? arch : text);
    to[n] = 0;
}

/* ---- both -------------------------------------------------------------------------------------------- */

/* The plan that removes a list of layers. */
static inline void lay_plan(patient *p, int layers, const char *list)
{
    int *named;
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
    sg_cut_count(&p->cut);
}

/* Of a family, unless config says another; list: what to remove. */
static inline void make_hf(patient *p, const char *family, int layers, const char *config, const char *list)
{
    *p = (patient){0};
    p->family.name = family;
    p->ckpt.format = SG_FORMAT_HF;
    p->ckpt.config = parse(config);
    p->model.ckpt = &p->ckpt;
    p->model.family = &p->family;
    p->model.config_path = (char *)"config.json";
    p->model.layer_prefix = (char *)"model.layers.";
    p->model.info = (sg_model_info){.path = "M", .layers = layers, .hidden = 32, .vocab = 10, .family = family, .architecture = family,
                                    .format_name = "a format", .parameters = 1234567};
    lay_plan(p, layers, list);
}

static inline void make_gguf(patient *p, const char *arch, int layers, const char *records, const char *list)
{
    char text[2048];
    sg_gguf_draft draft = {.version = 3, .alignment = 32};
    *p = (patient){0};
    expand(text, sizeof text, records, arch);
    put_records(&draft, text);
    parse_draft(&p->gguf, &draft, &p->head);
    sg_gguf_draft_dispose(&draft);
    p->ckpt.format = SG_FORMAT_GGUF;
    p->ckpt.ggufs = &p->gguf;
    p->model.ckpt = &p->ckpt;
    p->model.layer_prefix = (char *)"blk.";
    p->model.config_path = (char *)"M";
    p->model.info = (sg_model_info){.path = "M", .layers = layers, .hidden = 32, .vocab = 10, .architecture = arch,
                                    .format_name = "gguf", .parameters = 1234567};
    lay_plan(p, layers, list);
}

static inline void dispose_patient(patient *p)
{
    json_object_put(p->ckpt.config);
    sg_cut_dispose(&p->cut);
    sg_gguf_dispose(&p->gguf);
    sg_strbuf_free(&p->head);
}

#endif
