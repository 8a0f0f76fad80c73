/*
 * kernels_baseline.c - the kernels for what every processor of the architecture has: vectors of four floats.
 */
#include <stddef.h>

#include "engine/kernels.h"

#define LANES 4
#define TILE_ROWS 4
#define KERNEL
#define KERNEL_SET kernels_baseline
#define KERNEL_NAME "baseline"

typedef float vfloat __attribute__((vector_size(LANES * 4)));

static inline __attribute__((always_inline)) vfloat load_part(const float *p, size_t n)
{
	vfloat v = {0};
	for (size_t l = 0; l < n; l++)
		v[l] = p[l];
	return v;
}

static inline __attribute__((always_inline)) void store_part(float *p, vfloat v, size_t n)
{
	for (size_t l = 0; l < n; l++)
		p[l] = v[l];
}

#include "engine/kernels_impl.h"
