/* The loops from stored numbers to f32, for dtype.c's table. Each takes n elements, a multiple of its block. */
#ifndef SG_CHECKPOINT_DEQUANT_H
#define SG_CHECKPOINT_DEQUANT_H

#include <stddef.h>

/* dequant_float.c */
void sg_f32_to_f32(const void *src, float *dst, size_t n);
void sg_f16_to_f32(const void *src, float *dst, size_t n);
void sg_bf16_to_f32(const void *src, float *dst, size_t n);
void sg_f8_e4m3_to_f32(const void *src, float *dst, size_t n);
void sg_f8_e5m2_to_f32(const void *src, float *dst, size_t n);
void sg_f8_e8m0_to_f32(const void *src, float *dst, size_t n);

/* dequant_legacy.c */
void sg_q4_0_to_f32(const void *src, float *dst, size_t n);
void sg_q4_1_to_f32(const void *src, float *dst, size_t n);
void sg_q5_0_to_f32(const void *src, float *dst, size_t n);
void sg_q5_1_to_f32(const void *src, float *dst, size_t n);
void sg_q8_0_to_f32(const void *src, float *dst, size_t n);

/* dequant_k.c */
void sg_q2_k_to_f32(const void *src, float *dst, size_t n);
void sg_q3_k_to_f32(const void *src, float *dst, size_t n);
void sg_q4_k_to_f32(const void *src, float *dst, size_t n);
void sg_q5_k_to_f32(const void *src, float *dst, size_t n);
void sg_q6_k_to_f32(const void *src, float *dst, size_t n);

/* dequant_table.c */
void sg_iq4_nl_to_f32(const void *src, float *dst, size_t n);
void sg_iq4_xs_to_f32(const void *src, float *dst, size_t n);
void sg_mxfp4_to_f32(const void *src, float *dst, size_t n);
void sg_nvfp4_to_f32(const void *src, float *dst, size_t n);

/* dequant_ternary.c */
void sg_tq1_0_to_f32(const void *src, float *dst, size_t n);
void sg_tq2_0_to_f32(const void *src, float *dst, size_t n);

/* dequant_iq.c */
void sg_iq2_xxs_to_f32(const void *src, float *dst, size_t n);
void sg_iq2_xs_to_f32(const void *src, float *dst, size_t n);
void sg_iq2_s_to_f32(const void *src, float *dst, size_t n);
void sg_iq3_xxs_to_f32(const void *src, float *dst, size_t n);
void sg_iq3_s_to_f32(const void *src, float *dst, size_t n);
void sg_iq1_s_to_f32(const void *src, float *dst, size_t n);
void sg_iq1_m_to_f32(const void *src, float *dst, size_t n);

#endif
