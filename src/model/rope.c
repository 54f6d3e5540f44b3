/* Rotary frequencies. In f32 on purpose: transformers computes them so, and positions multiply the difference. */
#include <math.h>

#include "model/family.h"

void sg_rope_default(float *out, int rotary_dim, double theta)
{
    for (int i = 0; i < rotary_dim / 2; i++)
        out[i] = 1.0f / powf((float)theta, (float)(2 * i) / (float)rotary_dim);
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
