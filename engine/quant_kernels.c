/*
 * quant_kernels.c - which set of integer kernels this processor runs, and scaling by a real number in integers.
 */
#include "engine/quant_kernels.h"

#include <math.h>

const struct quant_kernels *quant_kernels_at(size_t i)
{
	const struct quant_kernels *found[4];
	size_t n = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
		if (__builtin_cpu_supports("avx512vnni"))
			found[n++] = &quant_kernels_vnni;
		found[n++] = &quant_kernels_avx512;
	}
	if (__builtin_cpu_supports("avx2"))
		found[n++] = &quant_kernels_avx2;
#endif
	found[n++] = &quant_kernels_baseline;
	return i < n ? found[i] : NULL;
}

const struct quant_kernels *quant_kernels_best(void)
{
	return quant_kernels_at(0);
}

/* A mantissa of 31 bits in [2^30, 2^31) and a power of two; what is below 2^-32 becomes 0. */
struct scaling scaling_of(double real)
{
	int exponent;
	int64_t mantissa = llround(frexp(real, &exponent) * 2147483648.0);

	if (mantissa == (int64_t)1 << 31) {
		mantissa /= 2;
		exponent++;
	}
	if (exponent < -31)
		return (struct scaling){0};
	if (exponent > 30) /* no input but 0 would stay inside 32 bits: all the rest is clamped */
		return (struct scaling){.multiplier = INT32_MAX, .left = 30};
	return (struct scaling){.multiplier = (int32_t)mantissa,
				.left = exponent > 0 ? exponent : 0,
				.right = exponent < 0 ? -exponent : 0};
}

int32_t scale(int32_t x, const struct scaling *s)
{
	int32_t shifted = (int32_t)((uint32_t)x << s->left);
	int32_t high = (int32_t)(((int64_t)shifted * s->multiplier + ((int64_t)1 << 30)) >> 31);
	int32_t mask = (int32_t)(((int64_t)1 << s->right) - 1);
	int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);

	return (high >> s->right) + ((high & mask) > threshold ? 1 : 0);
}
