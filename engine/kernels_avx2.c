/*
 * kernels_avx2.c - the kernels for AVX2 with FMA.
 */
#include "engine/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 8
#define TILE_ROWS 6
#define KERNEL __attribute__((target("avx2,fma")))
#define KERNEL_SET kernels_avx2
#define KERNEL_NAME "AVX2"

typedef float vfloat __attribute__((vector_size(LANES * 4)));

static inline __attribute__((always_inline)) KERNEL __m256i part_mask(size_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline __attribute__((always_inline)) KERNEL vfloat load_part(const float *p, size_t n)
{
	return (vfloat)_mm256_maskload_ps(p, part_mask(n));
}

static inline __attribute__((always_inline)) KERNEL void store_part(float *p, vfloat v, size_t n)
{
	_mm256_maskstore_ps(p, part_mask(n), (__m256)v);
}

#include "engine/kernels_impl.h"
#endif
