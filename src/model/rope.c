/* Rotary frequencies by formula. */
#include "model/rope.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

void sg_rope_default(float *out, int dim, double theta)
{
    for (int i = 0; i < dim / 2; i++)
        out[i] = 1.0f / powf((float)theta, (float)(2 * i) / (float)dim);
}

/* Long waves are divided by factor, short ones kept, those between blended (Llama 3.1 model card; transformers,
 * modeling_rope_utils, "llama3"). */
void sg_rope_scale_llama3(float *inv_freq, int n, const sg_rope_llama3 *scale)
{
    float factor = (float)scale->factor, low = (float)scale->low_freq_factor, high = (float)scale->high_freq_factor;
    float positions = (float)scale->original_positions;
    for (int i = 0; i < n; i++) {
        float wavelength = 2 * (float)M_PI / inv_freq[i];
        if (wavelength < positions / high)
            continue;
        if (wavelength > positions / low) {
            inv_freq[i] /= factor;
            continue;
        }
        float smooth = (positions / wavelength - low) / (high - low);
        inv_freq[i] = (1 - smooth) * inv_freq[i] / factor + smooth * inv_freq[i];
    }
}

/* Frequencies that turn less than beta_slow times over the original positions are divided by factor, those that turn
 * more than beta_fast times are kept, those between are blended along a ramp. */
void sg_rope_scale_yarn(float *inv_freq, int n, const sg_rope_yarn *s)
{
    double dim = 2.0 * n;
    double low = dim * log(s->original_positions / (s->beta_fast * 2 * M_PI)) / (2 * log(s->theta));
    double high = dim * log(s->original_positions / (s->beta_slow * 2 * M_PI)) / (2 * log(s->theta));
    if (s->truncate) {
        low = floor(low);
        high = ceil(high);
    }
    low = low > 0 ? low : 0;
    high = high < dim - 1 ? high : dim - 1;
    if (low == high)
        high += 0.001;
    for (int i = 0; i < n; i++) {
        float ramp = (float)((i - low) / (high - low));
        ramp = ramp < 0 ? 0 : ramp > 1 ? 1 : ramp;
        inv_freq[i] = inv_freq[i] / (float)s->factor * ramp + inv_freq[i] * (1 - ramp);
    }
}

int sg_rope_variant(const sg_rope *rope, int T)
{
    if (rope->kind == SG_ROPE_FIXED || T <= rope->original)
        return 0;
    return rope->kind == SG_ROPE_LONG ? 1 : T;
}

void sg_rope_at(const sg_rope *rope, int T, float *out)
{
    int variant = sg_rope_variant(rope, T);
    const float *from = variant && rope->kind == SG_ROPE_LONG ? rope->inv_freq_long : rope->inv_freq;
    if (variant &&
        rope->kind == SG_ROPE_DYNAMIC) { /* transformers, "dynamic": theta as if the window had been trained */
        double grow = rope->factor * T / rope->original - (rope->factor - 1);
        sg_rope_default(out, rope->dim, rope->theta * pow(grow, (double)rope->dim / (rope->dim - 2)));
    } else {
        memcpy(out, from, (size_t)(rope->dim / 2) * sizeof *out);
    }
}

sg_rope *sg_rope_add(sg_model_spec *spec, int dim, double theta)
{
    if (spec->n_ropes == SG_MAX_ROPES)
        return NULL;
    sg_rope *rope = &spec->ropes[spec->n_ropes];
    *rope = (sg_rope){.dim = dim, .theta = theta, .magnitude = 1, .inv_freq = sg_alloc((size_t)dim / 2, sizeof(float))};
    if (!rope->inv_freq)
        return NULL;
    sg_rope_default(rope->inv_freq, dim, theta);
    spec->n_ropes++;
    return rope;
}
