/*
 * kernels_avx512.c - the kernels for AVX-512 (F, DQ, BW, VL).
 */
#include "engine/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 16
#define TILE_ROWS 12
#define KERNEL __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define KERNEL_SET kernels_avx512
#define KERNEL_NAME "AVX-512"

typedef float vfloat __attribute__((vector_size(LANES * 4)));

static inline __attribute__((always_inline)) KERNEL vfloat load_part(const float *p, size_t n)
{
	return (vfloat)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline __attribute__((always_inline)) KERNEL void store_part(float *p, vfloat v, size_t n)
{
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}

#include "engine/kernels_impl.h"
#endif
