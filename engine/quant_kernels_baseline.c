/*
 * quant_kernels_baseline.c - the integer kernels for what every processor of the architecture has.
 */
#include "engine/quant_kernels.h"

#define LANES 4
#define TILE_ROWS 4
#define KERNEL
#define KERNEL_SET quant_kernels_baseline
#define KERNEL_NAME "baseline"

typedef int32_t vint __attribute__((vector_size(LANES * 4)));

#if defined(__SSE2__)
#include <emmintrin.h>
#define MULTIPLY_ADD(sum, a, b) ((vint)_mm_add_epi32((__m128i)(sum), _mm_madd_epi16((__m128i)(a), (__m128i)(b))))
#else
/* Both halves of each element as numbers of 16 bits; unsigned, so that what passes 32 bits wraps. */
static inline vint multiply_add(vint sum, vint a, vint b)
{
	typedef uint32_t vuint __attribute__((vector_size(LANES * 4)));
	vint low_a = (vint)((vuint)a << 16) >> 16, low_b = (vint)((vuint)b << 16) >> 16;

	return (vint)((vuint)sum + (vuint)low_a * (vuint)low_b + (vuint)(a >> 16) * (vuint)(b >> 16));
}
#define MULTIPLY_ADD(sum, a, b) multiply_add(sum, a, b)
#endif

/* (a * b + 2^30) / 2^31, rounded down */
static inline vint high_product(vint a, vint b)
{
	vint y;

	for (int l = 0; l < LANES; l++)
		y[l] = (int32_t)(((int64_t)a[l] * b[l] + (1 << 30)) >> 31);
	return y;
}

#include "engine/quant_kernels_impl.h"
