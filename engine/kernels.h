/*
 * kernels.h - the loops over float32 that decide the speed, compiled once per instruction set.
 *
 * The set is chosen when a model is loaded (kernels_best) and stays with it, since packed weights depend on the
 * vector width. Within one set, a result never depends on where its element stands in a row, nor on how many rows
 * are computed together: a batch of N equals N single runs bit for bit.
 */
#ifndef ENGINE_KERNELS_H
#define ENGINE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

/* y[i] = f(x[i]); x and y may be the same array. alpha: the slope of leaky_relu and elu, unused by the others. */
typedef void unary_kernel(size_t n, const float *x, float *y, float alpha);
/* y[i] = f(a[i * a_step], b[i * b_step]), steps 0 or 1; y may be a or b where the step of that one is 1. */
typedef void binary_kernel(size_t n, const float *a, size_t a_step, const float *b, size_t b_step, float *y);

/* c = activate(a * b + bias) */
struct gemm {
	size_t m, n, k;
	const float *a;
	size_t a_row, a_col; /* elements from one row, one column of a to the next */
	const float *b;      /* packed */
	const float *bias;   /* n, or NULL */
	float *c;
	size_t c_row;
	unary_kernel *activate; /* of the same set; never NULL (copy: none) */
	float alpha;
};

/* X(name) */
#define UNARY_KERNEL_LIST(X) \
	X(copy) X(neg) X(exp) X(square) X(tanh) X(sigmoid) X(relu) X(relu6) X(leaky_relu) X(elu) X(floor)
#define BINARY_KERNEL_LIST(X) X(add) X(sub) X(mul) X(div) X(maximum) X(minimum)

struct kernels {
	const char *name;
	size_t lanes; /* floats a vector; b is packed in panels of twice as many columns */
	void (*gemm)(const struct gemm *g);
	/* c[i][j] = activate(c[i][j] + bias[j]) in place: what follows a product that another library computed. */
	void (*finish)(const struct gemm *g);
	void (*softmax)(size_t rows, size_t n, const float *x, float *y, bool logarithm);
#define KERNEL_FIELD(name) unary_kernel *name;
	UNARY_KERNEL_LIST(KERNEL_FIELD)
#undef KERNEL_FIELD
#define KERNEL_FIELD(name) binary_kernel *name;
	BINARY_KERNEL_LIST(KERNEL_FIELD)
#undef KERNEL_FIELD
};

/* The fastest set that this processor runs. */
const struct kernels *kernels_best(void);
/* Every set that this processor runs, fastest first; NULL past the end. For tests. */
const struct kernels *kernels_at(size_t i);

/* Floats that b of k x n takes when packed; false if that overflows. */
bool gemm_packed_count(const struct kernels *kn, size_t k, size_t n, size_t *ret);
/* b[p * row + j * col] goes to packed, columns past n are 0. */
void gemm_pack(const struct kernels *kn, size_t k, size_t n, const float *b, size_t row, size_t col, float *packed);

#if defined(__x86_64__)
extern const struct kernels kernels_avx512;
extern const struct kernels kernels_avx2;
#endif
extern const struct kernels kernels_baseline;

#endif
