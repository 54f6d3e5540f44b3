/* The loops from stored numbers to f32, for dtype.c's table. Each takes n elements, a multiple of its block. */
#ifndef SG_CHECKPOINT_DEQUANT_H
#define SG_CHECKPOINT_DEQUANT_H

#include <stddef.h>

void sg_f32_to_f32(const void *src, float *dst, size_t n);
void sg_f16_to_f32(const void *src, float *dst, size_t n);
void sg_bf16_to_f32(const void *src, float *dst, size_t n);
void sg_q4_0_to_f32(const void *src, float *dst, size_t n);
void sg_q4_1_to_f32(const void *src, float *dst, size_t n);
void sg_q5_0_to_f32(const void *src, float *dst, size_t n);
void sg_q5_1_to_f32(const void *src, float *dst, size_t n);
void sg_q8_0_to_f32(const void *src, float *dst, size_t n);
void sg_q4_k_to_f32(const void *src, float *dst, size_t n);
void sg_q5_k_to_f32(const void *src, float *dst, size_t n);
void sg_q6_k_to_f32(const void *src, float *dst, size_t n);

#endif
