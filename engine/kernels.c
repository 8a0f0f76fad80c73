/*
 * kernels.c - which set of kernels this processor runs, and the packed layout that all sets share.
 */
#include "engine/kernels.h"

#include "common/arith.h"

const struct kernels *kernels_at(size_t i)
{
	const struct kernels *found[3];
	size_t n = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
		found[n++] = &kernels_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		found[n++] = &kernels_avx2;
#endif
	found[n++] = &kernels_baseline;
	return i < n ? found[i] : NULL;
}

const struct kernels *kernels_best(void)
{
	return kernels_at(0);
}

/*
 * Packed b: panels of 2 * lanes columns, each panel k rows of 2 * lanes floats one after the other, so that the
 * inner loop of a product reads memory strictly forwards.
 */
bool gemm_packed_count(const struct kernels *kn, size_t k, size_t n, size_t *ret)
{
	size_t width = 2 * kn->lanes;
	size_t padded;

	return size_add(&padded, n, width - 1) && size_mul(ret, padded / width * width, k);
}

void gemm_pack(const struct kernels *kn, size_t k, size_t n, const float *b, size_t row, size_t col, float *packed)
{
	size_t width = 2 * kn->lanes;

	for (size_t j0 = 0; j0 < n; j0 += width) {
		size_t columns = n - j0 < width ? n - j0 : width;
		for (size_t p = 0; p < k; p++) {
			const float *from = b + p * row + j0 * col;
			for (size_t j = 0; j < columns; j++)
				packed[j] = from[j * col];
			for (size_t j = columns; j < width; j++)
				packed[j] = 0.0f;
			packed += width;
		}
	}
}
