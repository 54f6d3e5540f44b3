/* Writes a checkpoint of a known shape with random weights, as fast as the disk takes them. The weights' values change
 * no time, so they are no more than sane: |w| about 0.02, norms of 1, and of quantized types random blocks with such
 * scales. The tokenizer is one token a byte, with fillers up to the vocabulary. The same arguments give the same bytes.
 *
 *   make_model SHAPE hf|bf16|q4_k_m OUT [layers=N] [hidden=N] [ffn=N] [heads=N] [kv_heads=N] [vocab=N] [shards=N]
 * [sparse=1]
 *
 * hf: a directory of safetensors in bf16; else a GGUF file. sparse: the weights are a hole in the file, all zero. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/gguf_write.h"
#include "checkpoint/safetensors_write.h"
#include "core/mem.h"
#include "shapes.h"

static shape model;
static const char *format;
static int shards = 1, sparse;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "make_model: %s: %s\n", what, detail);
    exit(1);
}

static void must(int rc, const sg_error *err)
{
    if (rc < 0)
        die("failed", err->message);
}

/* ---- tensors ----------------------------------------------------------------------------------------- */

enum extent { ONE, D, F, Q, KV, E, V };

static int extent(enum extent which)
{
    switch (which) {
    case ONE:
        return 1;
    case D:
        return model.hidden;
    case F:
        return model.ffn;
    case Q:
        return model.heads * model.head_dim;
    case KV:
        return model.kv_heads * model.head_dim;
    case E:
        return model.head_dim;
    case V:
        return model.vocab;
    }
    return 0;
}

/* more: of the types that Q4_K_M gives more bits, where it gives them to every tensor or to every second layer's */
enum more { NEVER, EVERY_SECOND, ALWAYS };

static const struct row {
    const char *hf, *gguf; /* without the layer's prefix */
    enum extent out, in;   /* in ONE: a vector */
    int kinds;
    enum more more;
} model_rows[] =
    {
        {"model.embed_tokens.weight", "token_embd.weight", V, D, KIND_ALL, ALWAYS},
        {"model.norm.weight", "output_norm.weight", D, ONE, KIND_ALL, NEVER},
        {"lm_head.weight", "output.weight", V, D, KIND_ALL, ALWAYS}, /* unless tied */
},
  layer_rows[] = {
      {"input_layernorm.weight", "attn_norm.weight", D, ONE, KIND_ALL, NEVER},
      {"self_attn.q_proj.weight", "attn_q.weight", Q, D, KIND_ALL, NEVER},
      {"self_attn.k_proj.weight", "attn_k.weight", KV, D, KIND_ALL, NEVER},
      {"self_attn.v_proj.weight", "attn_v.weight", KV, D, KIND_ALL, EVERY_SECOND},
      {"self_attn.q_proj.bias", "attn_q.bias", Q, ONE, KIND_QWEN2, NEVER},
      {"self_attn.k_proj.bias", "attn_k.bias", KV, ONE, KIND_QWEN2, NEVER},
      {"self_attn.v_proj.bias", "attn_v.bias", KV, ONE, KIND_QWEN2, NEVER},
      {"self_attn.q_norm.weight", "attn_q_norm.weight", E, ONE, KIND_GEMMA3, NEVER},
      {"self_attn.k_norm.weight", "attn_k_norm.weight", E, ONE, KIND_GEMMA3, NEVER},
      {"self_attn.o_proj.weight", "attn_output.weight", D, Q, KIND_ALL, NEVER},
      {"post_attention_layernorm.weight", "ffn_norm.weight", D, ONE, KIND_LLAMA | KIND_QWEN2, NEVER},
      {"post_attention_layernorm.weight", "post_attention_norm.weight", D, ONE, KIND_GEMMA3, NEVER},
      {"pre_feedforward_layernorm.weight", "ffn_norm.weight", D, ONE, KIND_GEMMA3, NEVER},
      {"post_feedforward_layernorm.weight", "post_ffw_norm.weight", D, ONE, KIND_GEMMA3, NEVER},
      {"mlp.gate_proj.weight", "ffn_gate.weight", F, D, KIND_ALL, NEVER},
      {"mlp.up_proj.weight", "ffn_up.weight", F, D, KIND_ALL, NEVER},
      {"mlp.down_proj.weight", "ffn_down.weight", D, F, KIND_ALL, EVERY_SECOND},
};

/* A matrix's type: that of the format; rows that are no whole blocks of 256 get blocks of 32, as llama.cpp does. */
static const char *matrix_type(const struct row *row, int layer)
{
    bool more = row->more == ALWAYS || (row->more == EVERY_SECOND && layer % 2), k = extent(row->in) % 256 == 0;
    if (strcmp(format, "q4_k_m") != 0)
        return "BF16";
    return more ? (k ? "Q6_K" : "Q8_0") : (k ? "Q4_K" : "Q5_0");
}

static const sg_dtype *type_of(const char *name)
{
    for (uint32_t id = 0; id < 64; id++) {
        const sg_dtype *t = sg_dtype_by_gguf(id);
        if (t && strcmp(t->name, name) == 0)
            return t;
    }
    die("no such type", name);
    return NULL;
}

/* Calls each for every tensor of a shard, in the file's order; layers are spread evenly. */
typedef void visit(void *self, const char *name, const sg_tensor *t);

static void visit_row(const struct row *row, int layer, visit *each, void *self)
{
    bool gguf = strcmp(format, "hf") != 0;
    char name[128];
    sg_error err = {0};
    if (!(row->kinds & (int)model.kind) || (model.tied && strcmp(row->gguf, "output.weight") == 0))
        return;
    if (layer < 0)
        snprintf(name, sizeof name, "%s", gguf ? row->gguf : row->hf);
    else
        snprintf(name, sizeof name, gguf ? "blk.%d.%s" : "model.layers.%d.%s", layer, gguf ? row->gguf : row->hf);
    sg_tensor t = {.n_dims = row->in == ONE ? 1 : 2, .shape = {(uint64_t)extent(row->out), (uint64_t)extent(row->in)}};
    t.type = type_of(t.n_dims == 2 ? matrix_type(row, layer) : gguf ? "F32" : "BF16");
    must(sg_tensor_measure(&t, name, &err), &err);
    each(self, name, &t);
}

static void visit_shard(int shard, visit *each, void *self)
{
    for (size_t i = 0; shard == 0 && i < SG_ARRAY_LEN(model_rows); i++)
        visit_row(&model_rows[i], -1, each, self);
    for (int layer = 0; layer < model.layers; layer++)
        for (size_t i = 0; (int64_t)layer * shards / model.layers == shard && i < SG_ARRAY_LEN(layer_rows); i++)
            visit_row(&layer_rows[i], layer, each, self);
}

/* ---- weights ----------------------------------------------------------------------------------------- */

static uint64_t random_bits(void)
{
    static uint64_t s = 88172645463325252u;
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    return s;
}

/* Where a block's f16 scales lie, and sane ones: weights about 0.02. */
static const struct scale {
    const char *type;
    int at[2];
    uint16_t value[2];
} scales[] = {
    {"Q4_K", {0, 2}, {0x068e, 0x1225}},     /* 1.0e-4 and 7.5 times that: sums to about zero */
    {"Q6_K", {208, 208}, {0x00fc, 0x00fc}}, /* 1.5e-5 */
    {"Q5_0", {0, 0}, {0x1819, 0x1819}},     /* 2.0e-3 */
    {"Q8_0", {0, 0}, {0x0c6d, 0x0c6d}},     /* 2.7e-4 */
};

static void fill_quantized(uint8_t *to, const sg_tensor *t)
{
    const struct scale *s = scales;
    while (strcmp(s->type, t->type->name) != 0)
        s++;
    for (uint64_t i = 0; i + 8 <= t->bytes; i += 8) {
        uint64_t r = random_bits();
        memcpy(to + i, &r, 8);
    }
    for (uint8_t *block = to; block < to + t->bytes; block += t->type->block_bytes)
        for (int i = 0; i < 2; i++)
            memcpy(block + s->at[i], &s->value[i], 2);
}

static void fill(uint8_t *to, const char *name, const sg_tensor *t)
{
    bool bias = strstr(name, "bias"), zero = bias || (model.kind == KIND_GEMMA3 && strcmp(format, "hf") == 0);
    if (t->n_dims == 1) { /* Gemma's safetensors hold what is added to 1 */
        const uint16_t one = zero ? 0 : 0x3f80;
        for (uint64_t i = 0; i < t->n_elements; i++)
            memcpy(to + i * (uint64_t)t->type->block_bytes + (uint64_t)t->type->block_bytes - 2, &one, 2);
        return;
    }
    if (strcmp(t->type->name, "BF16") != 0) {
        fill_quantized(to, t);
        return;
    }
    for (uint64_t i = 0; i + 8 <= t->bytes; i += 8) { /* four of random sign, 2^-7 to 2^-5 */
        uint64_t r = (random_bits() & 0x80ff80ff80ff80ffu) | 0x3c003c003c003c00u;
        memcpy(to + i, &r, 8);
    }
}

static void write_all(int fd, const void *data, uint64_t bytes)
{
    for (const uint8_t *at = data; bytes;) {
        ssize_t n = write(fd, at, bytes < 1u << 30 ? bytes : 1u << 30);
        if (n <= 0)
            die("cannot write", strerror(errno));
        at += n;
        bytes -= (uint64_t)n;
    }
}

typedef struct writer {
    int fd;
    uint64_t alignment, at; /* at: from the data's start */
} writer;

static void write_tensor(void *self, const char *name, const sg_tensor *t)
{
    writer *w = self;
    uint64_t padded = (t->bytes + w->alignment - 1) / w->alignment * w->alignment;
    if (!sparse) {
        uint8_t *data = calloc(1, padded);
        if (!data)
            die("no memory for", name);
        fill(data, name, t);
        write_all(w->fd, data, padded);
        free(data);
    }
    w->at += padded;
}

static void write_file(const char *path, const sg_strbuf *head, uint64_t alignment, int shard)
{
    writer w = {.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666), .alignment = alignment};
    if (w.fd < 0)
        die(path, strerror(errno));
    write_all(w.fd, head->data, head->n);
    visit_shard(shard, write_tensor, &w);
    if ((sparse && ftruncate(w.fd, (off_t)(head->n + w.at)) < 0) || close(w.fd) < 0)
        die(path, strerror(errno));
}

/* ---- the tokenizer ----------------------------------------------------------------------------------- */

enum { MERGED = 258 }; /* of the one merge that there is, since llama.cpp wants one; no text meets it */

/* GPT-2's alphabet: printable bytes stand for themselves, the others for U+0100 and up, in order. */
static void spell(char out[32], int id)
{
    int code = id, next = 256;
    if (id >= 256) {
        snprintf(out, 32, id == MERGED ? "<filler_256><filler_257>" : "<filler_%d>", id);
        return;
    }
    for (int b = 0; b <= id; b++) {
        bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        code = printable ? b : next++;
    }
    if (code < 128)
        snprintf(out, 32, "%c", code);
    else
        snprintf(out, 32, "%c%c", 0xc0 | code >> 6, 0x80 | (code & 63));
}

/* ---- GGUF -------------------------------------------------------------------------------------------- */

static void put_raw(sg_gguf_draft *d, const char *key, uint32_t type, const void *value, size_t bytes)
{
    sg_strbuf b = {0};
    uint64_t n = strlen(key);
    sg_strbuf_add(&b, (const char *)&n, 8);
    sg_strbuf_puts(&b, key);
    sg_strbuf_add(&b, (const char *)&type, 4);
    sg_strbuf_add(&b, value, bytes);
    sg_gguf_put_raw(d, &(sg_gguf_kv){.raw = (const uint8_t *)b.data, .raw_bytes = b.n});
    sg_strbuf_free(&b);
}

static void put_strings(sg_gguf_draft *d, const char *key, int count, void (*spelling)(char out[32], int i))
{
    sg_strbuf b = {0};
    uint32_t type = SG_GGUF_STRING;
    uint64_t n = (uint64_t)count;
    sg_strbuf_add(&b, (const char *)&type, 4);
    sg_strbuf_add(&b, (const char *)&n, 8);
    for (int i = 0; i < count; i++) {
        char s[32];
        spelling(s, i);
        n = strlen(s);
        sg_strbuf_add(&b, (const char *)&n, 8);
        sg_strbuf_add(&b, s, n);
    }
    put_raw(d, key, SG_GGUF_ARRAY, b.data, b.n);
    sg_strbuf_free(&b);
}

static void spell_merge(char out[32], int i)
{
    (void)i;
    strcpy(out, "<filler_256> <filler_257>");
}

static void put_metadata(sg_gguf_draft *d)
{
    const char *arch = model.kind == KIND_LLAMA ? "llama" : model.kind == KIND_QWEN2 ? "qwen2" : "gemma3";
    const struct {
        const char *key;
        int value;
    } sizes[] = {
        {"block_count", model.layers},
        {"context_length", 131072},
        {"embedding_length", model.hidden},
        {"feed_forward_length", model.ffn},
        {"attention.head_count", model.heads},
        {"attention.head_count_kv", model.kv_heads},
        {"attention.key_length", model.head_dim},
        {"attention.value_length", model.head_dim},
        {"rope.dimension_count", model.head_dim},
        {"attention.sliding_window", model.window},
    };
    const float eps = 1e-6f, theta = 1e6f;
    char key[96];
    sg_gguf_put_string(d, "general.architecture", arch);
    sg_gguf_put_string(d, "general.name", model.name);
    for (size_t i = 0; i < SG_ARRAY_LEN(sizes); i++) {
        snprintf(key, sizeof key, "%s.%s", arch, sizes[i].key);
        if (sizes[i].value)
            sg_gguf_put_u32(d, key, (uint32_t)sizes[i].value);
    }
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", arch);
    put_raw(d, key, SG_GGUF_F32, &eps, 4);
    snprintf(key, sizeof key, "%s.rope.freq_base", arch);
    put_raw(d, key, SG_GGUF_F32, &theta, 4);
    sg_gguf_put_string(d, "tokenizer.ggml.model", "gpt2");
    sg_gguf_put_string(d, "tokenizer.ggml.pre", "gpt-2");
    put_strings(d, "tokenizer.ggml.tokens", model.vocab, spell);
    put_strings(d, "tokenizer.ggml.merges", 1, spell_merge);
}

static void describe_gguf(void *self, const char *name, const sg_tensor *t)
{
    sg_gguf_put_tensor(self, name, t);
}

static void write_gguf(const char *path)
{
    sg_error err = {0};
    sg_strbuf head = {0};
    sg_gguf_draft d = {.version = 3, .alignment = 32};
    put_metadata(&d);
    visit_shard(0, describe_gguf, &d);
    must(sg_gguf_draft_header(&d, &head, &err), &err);
    write_file(path, &head, d.alignment, 0);
    sg_strbuf_free(&head);
    sg_gguf_draft_dispose(&d);
}

/* ---- Hugging Face ------------------------------------------------------------------------------------ */

static FILE *create(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f)
        die(path, strerror(errno));
    return f;
}

static void finish(FILE *f)
{
    if (ferror(f) || fclose(f))
        die("cannot write", strerror(errno));
}

static void write_config(const char *dir)
{
    FILE *f = create(dir, "config.json");
    static const char *const types[][2] = {[KIND_LLAMA] = {"LlamaForCausalLM", "llama"},
                                           [KIND_QWEN2] = {"Qwen2ForCausalLM", "qwen2"},
                                           [KIND_GEMMA3] = {"Gemma3ForCausalLM", "gemma3_text"}};
    fprintf(f,
            "{\"architectures\": [\"%s\"], \"model_type\": \"%s\", \"num_hidden_layers\": %d, \"hidden_size\": %d,\n"
            " \"intermediate_size\": %d, \"num_attention_heads\": %d, \"num_key_value_heads\": %d, \"head_dim\": %d,\n"
            " \"vocab_size\": %d, \"tie_word_embeddings\": %s, \"max_position_embeddings\": 131072, \"rope_theta\": "
            "1000000.0,\n"
            " \"rms_norm_eps\": 1e-06, \"torch_dtype\": \"bfloat16\", \"%s\": \"%s\"",
            types[model.kind][0], types[model.kind][1], model.layers, model.hidden, model.ffn, model.heads,
            model.kv_heads, model.head_dim, model.vocab, model.tied ? "true" : "false",
            model.kind == KIND_GEMMA3 ? "hidden_activation" : "hidden_act",
            model.kind == KIND_GEMMA3 ? "gelu_pytorch_tanh" : "silu");
    if (model.window)
        fprintf(f,
                ",\n \"sliding_window\": %d, \"sliding_window_pattern\": 6, \"query_pre_attn_scalar\": %d, "
                "\"rope_local_base_freq\": 10000.0",
                model.window, model.head_dim);
    fprintf(f, "}\n");
    finish(f);
}

static void write_tokenizer(const char *dir)
{
    FILE *f = create(dir, "tokenizer.json");
    fprintf(f, "{\"version\": \"1.0\", \"added_tokens\": [], \"normalizer\": null, \"post_processor\": null,\n"
               " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, "
               "\"use_regex\": true},\n \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
               "\"trim_offsets\": true, \"use_regex\": true},\n \"model\": {\"type\": \"BPE\", \"dropout\": null, "
               "\"unk_token\": null, \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null,\n  "
               "\"fuse_unk\": false, \"byte_fallback\": false, \"merges\": [], \"vocab\": {");
    for (int i = 0; i < model.vocab; i++) {
        char s[32];
        spell(s, i);
        fprintf(f, "%s\"%s%s\": %d", i ? ", " : "", *s == '"' || *s == '\\' ? "\\" : "", s, i);
    }
    fprintf(f, "}}}\n");
    finish(f);
    f = create(dir, "tokenizer_config.json");
    fprintf(f, "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}\n");
    finish(f);
}

typedef struct description {
    json_object *header, *map;
    const char *file;
    uint64_t end;
} description;

static void describe_hf(void *self, const char *name, const sg_tensor *t)
{
    description *d = self;
    sg_error err = {0};
    must(sg_safetensors_put_tensor(d->header, name, t, &d->end, &err), &err);
    json_object_object_add(d->map, name, json_object_new_string(d->file));
}

static void write_hf(const char *dir)
{
    json_object *map = json_object_new_object();
    if (mkdir(dir, 0777) < 0 && errno != EEXIST)
        die(dir, strerror(errno));
    for (int shard = 0; shard < shards; shard++) {
        char name[64], path[4096];
        sg_error err = {0};
        sg_strbuf head = {0};
        snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard + 1, shards);
        description d = {
            .header = json_object_new_object(), .map = map, .file = shards > 1 ? name : "model.safetensors"};
        visit_shard(shard, describe_hf, &d);
        must(sg_safetensors_header(d.header, &head, &err), &err);
        snprintf(path, sizeof path, "%s/%s", dir, d.file);
        write_file(path, &head, 1, shard);
        sg_strbuf_free(&head);
        json_object_put(d.header);
    }
    if (shards > 1) {
        FILE *f = create(dir, "model.safetensors.index.json");
        fprintf(f, "{\"metadata\": {}, \"weight_map\": %s}\n", json_object_to_json_string(map));
        finish(f);
    }
    json_object_put(map);
    write_config(dir);
    write_tokenizer(dir);
}

/* ---- arguments --------------------------------------------------------------------------------------- */

static void take_option(const char *option)
{
    const struct {
        const char *name;
        int *value;
    } options[] = {
        {"layers", &model.layers},     {"hidden", &model.hidden}, {"ffn", &model.ffn}, {"heads", &model.heads},
        {"kv_heads", &model.kv_heads}, {"vocab", &model.vocab},   {"shards", &shards}, {"sparse", &sparse},
    };
    const char *equals = strchr(option, '=');
    for (size_t i = 0; equals && i < SG_ARRAY_LEN(options); i++)
        if (strlen(options[i].name) == (size_t)(equals - option) &&
            memcmp(options[i].name, option, (size_t)(equals - option)) == 0) {
            *options[i].value = atoi(equals + 1);
            if (*options[i].value > 0)
                return;
        }
    die("not NAME=NUMBER of a known name", option);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage", "make_model SHAPE hf|bf16|q4_k_m OUT [NAME=NUMBER ...]");
    for (size_t i = 0; i < SG_ARRAY_LEN(shapes); i++)
        if (strcmp(shapes[i].name, argv[1]) == 0)
            model = shapes[i];
    format = argv[2];
    if (!model.name)
        die("no such shape", argv[1]);
    for (int i = 4; i < argc; i++)
        take_option(argv[i]);
    if (strcmp(format, "hf") == 0)
        write_hf(argv[3]);
    else if (strcmp(format, "bf16") == 0 || strcmp(format, "q4_k_m") == 0)
        write_gguf(argv[3]);
    else
        die("no such format", format);
    return 0;
}
