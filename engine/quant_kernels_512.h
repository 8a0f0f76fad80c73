/*
 * quant_kernels_512.h - what the two sets of integer kernels with 512-bit vectors share.
 */
#define LANES 16
#define TILE_ROWS 12

typedef int32_t vint __attribute__((vector_size(LANES * 4)));

/* (a * b + 2^30) / 2^31, rounded down */
static inline __attribute__((always_inline)) KERNEL vint high_product(vint a, vint b)
{
	const __m512i half = _mm512_set1_epi64(1 << 30);
	__m512i even = _mm512_mul_epi32((__m512i)a, (__m512i)b);
	__m512i odd = _mm512_mul_epi32(_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)b, 32));

	even = _mm512_srli_epi64(_mm512_add_epi64(even, half), 31);
	odd = _mm512_slli_epi64(_mm512_add_epi64(odd, half), 1);
	return (vint)_mm512_mask_blend_epi32(0xaaaa, even, odd);
}
