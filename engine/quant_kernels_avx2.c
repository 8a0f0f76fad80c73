/*
 * quant_kernels_avx2.c - the integer kernels for AVX2.
 */
#include "engine/quant_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 8
#define TILE_ROWS 6
#define KERNEL __attribute__((target("avx2")))
#define KERNEL_SET quant_kernels_avx2
#define KERNEL_NAME "AVX2"
#define MULTIPLY_ADD(sum, a, b) ((vint)_mm256_add_epi32((__m256i)(sum), _mm256_madd_epi16((__m256i)(a), (__m256i)(b))))

typedef int32_t vint __attribute__((vector_size(LANES * 4)));

/* (a * b + 2^30) / 2^31, rounded down */
static inline __attribute__((always_inline)) KERNEL vint high_product(vint a, vint b)
{
	const __m256i half = _mm256_set1_epi64x(1 << 30);
	__m256i even = _mm256_mul_epi32((__m256i)a, (__m256i)b);
	__m256i odd = _mm256_mul_epi32(_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)b, 32));

	even = _mm256_srli_epi64(_mm256_add_epi64(even, half), 31);
	odd = _mm256_slli_epi64(_mm256_add_epi64(odd, half), 1);
	return (vint)_mm256_blend_epi32(even, odd, 0xaa);
}

#include "engine/quant_kernels_impl.h"
#endif
