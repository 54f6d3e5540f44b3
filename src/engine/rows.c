/* Reading tensors row by row. */
#include "engine/rows.h"

#include <omp.h>
#include <string.h>

#include "core/mem.h"
#include "engine/kernels.h"
#include "engine/matmul.h"

int sg_source_open(sg_source *s, const sg_model *model, const sg_tensor *t, sg_error *err)
{
    *s = (sg_source){.tensor = t, .data = sg_tensor_data(model->ckpt, t)};
    return sg_tensor_scale(&s->scale, model->ckpt, t, err);
}

void sg_source_rows(const sg_source *s, float *out, uint64_t first, int n)
{
    const sg_tensor *t = s->tensor;
    uint64_t cols = t->shape[t->n_dims - 1],
             row_bytes = cols / (uint64_t)t->type->block * (uint64_t)t->type->block_bytes;
    t->type->to_f32(s->data + first * row_bytes, out, (size_t)n * cols);
    for (int r = 0; r < n && s->scale.data; r++)
        sg_scale_row(&s->scale, first + (uint64_t)r, out + (size_t)r * cols);
}

sg_row_layout sg_row_layout_of(const sg_model *model, int layer, sg_role role)
{
    const sg_role_row *row = sg_family_role(model->family, role);
    const sg_layer_spec *s = &model->spec.layers[layer < 0 ? 0 : layer];
    sg_row_layout layout = {.order = model->ckpt->format == SG_FORMAT_HF ? row->hf_order : row->gguf_order,
                            .head_dim = s->head_dim,
                            .q_rows = s->n_heads * s->head_dim,
                            .kv_rows = s->n_kv_heads * s->head_dim};
    layout.half = s->rope >= 0 ? model->spec.ropes[s->rope].dim / 2 : 0;
    return layout;
}

/* Where our row r lies in the file. */
static uint64_t stored_row(uint64_t r, const sg_row_layout *layout)
{
    uint64_t E = (uint64_t)layout->head_dim, half = (uint64_t)layout->half, q = (uint64_t)layout->q_rows,
             kv = (uint64_t)layout->kv_rows;
    uint64_t head = r / E, i = r % E;
    if (layout->order == SG_ROWS_BY_HEAD) { /* q_0 k_0 v_0 q_1 ...: as many key-value heads as heads */
        uint64_t part = r / q;
        head = (r - part * q) / E;
        return (3 * head + part) * E + i;
    }
    if (layout->order != SG_ROWS_INTERLEAVED || r >= q + kv)
        return r;
    if (i < half) /* our i and half + i are the file's 2i and 2i + 1 */
        i = 2 * i;
    else if (i < 2 * half)
        i = 2 * (i - half) + 1;
    return head * E + i;
}

/* Stored row `row` as elements of the precision; scratch: [cols], of a row that has a scale. */
static void put_row(char *out, const sg_source *s, uint64_t row, sg_precision precision, float *scratch)
{
    enum { PIECE = 2048 }; /* whole blocks of every type, in f32 a part of the first-level cache */
    const sg_tensor *t = s->tensor;
    uint64_t cols = t->shape[t->n_dims - 1], block = (uint64_t)t->type->block, bytes = (uint64_t)t->type->block_bytes;
    const uint8_t *data = s->data + row * (cols / block * bytes);
    if (precision == SG_PRECISION_F32) {
        sg_source_rows(s, (float *)(void *)out, row, 1);
    } else if (s->scale.data) {
        sg_source_rows(s, scratch, row, 1);
        sg_row_store(out, scratch, (int)cols, precision);
    } else if (sg_dtype_is_bf16(t->type)) {
        memcpy(out, data, cols * 2);
    } else {
        float piece[PIECE];
        for (uint64_t i = 0; i < cols; i += PIECE) {
            uint64_t n = cols - i < PIECE ? cols - i : PIECE;
            t->type->to_f32(data + i / block * bytes, piece, n);
            sg_row_store(out + i * 2, piece, (int)n, precision);
        }
    }
}

/* Stored rows that are turned at once: a cache line of bf16. */
enum { TURNED_ROWS = 32 };

/* Our rows are the file's columns: some of its rows at a time are read, and turned where they go. */
static void load_columns(char *out, const sg_source *source, uint64_t first, int n, float *rows, sg_precision precision)
{
    const sg_tensor *t = source->tensor;
    int stored = (int)t->shape[0], cols = (int)t->shape[1];
    size_t element = sg_element_bytes(precision);
#pragma omp parallel for schedule(static)
    for (int k = 0; k < stored; k += TURNED_ROWS) {
        int m = stored - k < TURNED_ROWS ? stored - k : TURNED_ROWS;
        float *some = rows + (size_t)omp_get_thread_num() * TURNED_ROWS * (size_t)cols, turned[TURNED_ROWS];
        sg_source_rows(source, some, (uint64_t)k, m);
        for (int r = 0; r < n; r++) {
            for (int i = 0; i < m; i++)
                turned[i] = some[(size_t)i * (size_t)cols + first + (uint64_t)r];
            sg_row_store(out + ((size_t)r * (size_t)stored + (size_t)k) * element, turned, m, precision);
        }
    }
}

/* Floats of one thread's scratch. */
static size_t scratch_floats(const sg_tensor *t, const sg_row_layout *layout)
{
    return t->shape[t->n_dims - 1] * (layout->order == SG_ROWS_AS_COLUMNS ? TURNED_ROWS : 1);
}

uint64_t sg_rows_scratch_bytes(const sg_tensor *t, const sg_row_layout *layout, int threads)
{
    return scratch_floats(t, layout) * sizeof(float) * (uint64_t)threads;
}

int sg_rows_load(void *out, const sg_model *model, const sg_tensor *t, const sg_row_layout *layout, uint64_t first,
                 int n, sg_precision precision, sg_error *err)
{
    size_t cols = t->shape[t->n_dims - 1], row_bytes = cols * sg_element_bytes(precision);
    sg_source source;
    int rc = sg_source_open(&source, model, t, err);
    if (rc)
        return rc;
    float *rows = sg_alloc((size_t)omp_get_max_threads() * scratch_floats(t, layout), sizeof *rows);
    if (!rows)
        return sg_fail(err, SG_ERR_NOMEM, "no memory to read tensor %s", t->name);
    if (layout->order == SG_ROWS_AS_COLUMNS) {
        load_columns(out, &source, first, n, rows, precision);
    } else {
#pragma omp parallel for schedule(static)
        for (int r = 0; r < n; r++)
            put_row((char *)out + (size_t)r * row_bytes, &source, stored_row(first + (uint64_t)r, layout), precision,
                    rows + (size_t)omp_get_thread_num() * cols);
    }
    sg_free(rows);
    return SG_OK;
}

int sg_vector_load(float **out, const sg_model *model, const sg_tensor *t, const sg_row_layout *layout, sg_error *err)
{
    sg_source source;
    uint64_t cols = t->shape[t->n_dims - 1];
    int rc = sg_source_open(&source, model, t, err);
    if (rc)
        return rc;
    float *stored = sg_alloc(t->n_elements, sizeof *stored), *ours = sg_alloc(t->n_elements, sizeof *ours);
    if (!stored || !ours) {
        sg_free(stored);
        sg_free(ours);
        return sg_fail(err, SG_ERR_NOMEM, "no memory for tensor %s", t->name);
    }
    sg_source_rows(&source, stored, 0, (int)(t->n_elements / cols));
    for (uint64_t r = 0; r < t->n_elements; r++)
        ours[r] = stored[stored_row(r, layout)];
    sg_free(stored);
    *out = ours;
    return SG_OK;
}

int sg_norm_load(float **out, const sg_model *model, const sg_tensor *t, sg_error *err)
{
    static const sg_row_layout plain = {.head_dim = 1};
    if (!t)
        return SG_OK;
    int rc = sg_vector_load(out, model, t, &plain, err);
    bool plus_one = model->ckpt->format == SG_FORMAT_HF && model->family->norm_plus_one;
    for (uint64_t i = 0; !rc && plus_one && i < t->n_elements; i++)
        (*out)[i] += 1;
    return rc;
}
