/*
 * The float kernels of every instruction set that this processor has: accuracy, row ends, independence of the batch.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "engine/kernels.h"

static double sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

static double elu(double x)
{
	return x < 0.0 ? expm1(x) : x;
}

/* Distance in units of the last place of the exact value. */
static double ulps(float got, double want)
{
	float magnitude = fabsf((float)want);
	double unit = (double)(nextafterf(magnitude, INFINITY) - magnitude);

	return fabs((double)got - want) / unit;
}

static double worst(unary_kernel *kernel, double (*exact)(double), float low, float high, size_t n)
{
	float *x = malloc(n * sizeof(*x)), *y = malloc(n * sizeof(*y));
	double most = 0.0;

	assert_true(x != NULL && y != NULL);
	for (size_t i = 0; i < n; i++)
		x[i] = low + (high - low) * (float)i / (float)n;
	kernel(n, x, y, 1.0f);
	for (size_t i = 0; i < n; i++)
		most = fmax(most, ulps(y[i], exact((double)x[i])));
	free(x);
	free(y);
	return most;
}

static void transcendental_functions_are_within_three_ulps(void **state)
{
	const struct kernels *kn;

	(void)state;
	for (size_t i = 0; (kn = kernels_at(i)) != NULL; i++) {
		assert_true(worst(kn->exp, exp, -87.0f, 88.7f, 100000) < 1.5);
		assert_true(worst(kn->sigmoid, sigmoid, -86.0f, 20.0f, 100000) < 3.0);
		assert_true(worst(kn->tanh, tanh, -10.0f, 10.0f, 100000) < 2.0);
		assert_true(worst(kn->tanh, tanh, -0.01f, 0.01f, 10000) < 2.0);
		assert_true(worst(kn->elu, elu, -20.0f, 1.0f, 100000) < 2.0);
		assert_true(worst(kn->elu, elu, -0.001f, 0.0f, 10000) < 2.0);
	}
}

static void special_values_go_through(void **state)
{
	const float x[] = {NAN, INFINITY, -INFINITY, 0.0f, 100.0f, -110.0f, -100.0f};
	const struct kernels *kn;
	float y[7];

	(void)state;
	for (size_t i = 0; (kn = kernels_at(i)) != NULL; i++) {
		kn->exp(7, x, y, 0.0f);
		assert_true(isnan(y[0]) && isinf(y[1]) && y[2] == 0.0f && y[3] == 1.0f && isinf(y[4]) && y[5] == 0.0f);
		assert_true(y[6] > 3e-44f && y[6] < 4.5e-44f); /* a denormal */
		kn->sigmoid(7, x, y, 0.0f);
		assert_true(isnan(y[0]) && y[1] == 1.0f && y[2] == 0.0f && y[3] == 0.5f && y[4] == 1.0f);
		kn->tanh(7, x, y, 0.0f);
		assert_true(isnan(y[0]) && y[1] == 1.0f && y[2] == -1.0f && y[3] == 0.0f && y[5] == -1.0f);
		kn->relu6(7, x, y, 0.0f);
		assert_true(isnan(y[0]) && y[1] == 6.0f && y[2] == 0.0f && y[3] == 0.0f);
		kn->floor(7, (const float[]){NAN, INFINITY, -0.5f, 1e20f, -3.0f, 2.75f, -8388609.0f}, y, 0.0f);
		assert_true(isnan(y[0]) && isinf(y[1]) && y[2] == -1.0f && y[3] == 1e20f && y[4] == -3.0f &&
			    y[5] == 2.0f && y[6] == -8388609.0f);
	}
}

/* The memory behind the row holds a pattern that must survive, at every length. */
static void row_ends_are_neither_read_nor_written_beyond(void **state)
{
	const struct kernels *kn;

	(void)state;
	for (size_t i = 0; (kn = kernels_at(i)) != NULL; i++) {
		for (size_t n = 0; n <= 40; n++) {
			/* Exactly n: a sanitizer sees any read past it. */
			float *x = malloc((n + !n) * sizeof(*x)), whole[64], part[64];
			for (size_t k = 0; k < n; k++)
				x[k] = (float)k / 7.0f - 2.0f;
			for (size_t k = 0; k < 64; k++)
				part[k] = whole[k] = 42.0f;
			kn->sigmoid(n, x, part, 0.0f);
			for (size_t k = 0; k < n; k++)
				kn->sigmoid(1, x + k, whole + k, 0.0f);
			assert_memory_equal(part, whole, sizeof(part));
			kn->sub(n, x, 1, x, n > 0, part);
			for (size_t k = 0; k < n; k++)
				assert_true(part[k] == 0.0f);
			assert_true(part[n] == 42.0f);
			if (n > 0) {
				kn->softmax(1, n, x, part, false);
				assert_true(part[n] == 42.0f);
			}
			free(x);
		}
	}
}

static void scalars_repeat_on_either_side(void **state)
{
	const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
	const float two = 2.0f;
	const struct kernels *kn;
	float y[19];

	(void)state;
	for (size_t i = 0; (kn = kernels_at(i)) != NULL; i++) {
		kn->div(19, x, 1, &two, 0, y);
		for (size_t k = 0; k < 19; k++)
			assert_true(y[k] == x[k] / two);
		kn->div(19, &two, 0, x, 1, y);
		for (size_t k = 0; k < 19; k++)
			assert_true(y[k] == two / x[k]);
	}
}

static float *random_floats(struct rng *rng, size_t n)
{
	float *x = malloc((n + 1) * sizeof(*x));

	assert_non_null(x);
	for (size_t i = 0; i < n; i++)
		x[i] = rng_float(rng) - 0.5f;
	return x;
}

static void check_gemm(const struct kernels *kn, struct rng *rng, size_t m, size_t k, size_t n)
{
	float *a = random_floats(rng, m * k), *b = random_floats(rng, k * n), *bias = random_floats(rng, n);
	float *c = random_floats(rng, m * n), *row = random_floats(rng, n);
	size_t count;

	assert_true(gemm_packed_count(kn, k, n, &count));
	float *packed = random_floats(rng, count);
	gemm_pack(kn, k, n, b, n, 1, packed);
	struct gemm g = {.m = m,
			 .n = n,
			 .k = k,
			 .a = a,
			 .a_row = k,
			 .a_col = 1,
			 .b = packed,
			 .bias = bias,
			 .c = c,
			 .c_row = n,
			 .activate = kn->relu};
	kn->gemm(&g);
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			double sum = (double)bias[j];
			for (size_t p = 0; p < k; p++)
				sum += (double)a[i * k + p] * (double)b[p * n + j];
			assert_true(fabs(fmax(sum, 0.0) - (double)c[i * n + j]) < 1e-5);
		}
		g.m = 1;
		g.a = a + i * k;
		g.c = row;
		kn->gemm(&g);
		assert_memory_equal(row, c + i * n, n * sizeof(*row));
	}
	free(a);
	free(b);
	free(bias);
	free(c);
	free(row);
	free(packed);
}

static void a_batch_equals_its_rows_bit_for_bit(void **state)
{
	const struct kernels *kn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (size_t i = 0; (kn = kernels_at(i)) != NULL; i++) {
		for (size_t m = 1; m <= 26; m++)
			check_gemm(kn, &rng, m, rng_below(&rng, 40), 1 + rng_below(&rng, 140));
	}
}

static void finish_adds_bias_and_activates(void **state)
{
	const struct kernels *kn;

	(void)state;
	for (size_t i = 0; (kn = kernels_at(i)) != NULL; i++) {
		float c[2][3] = {{1, -2, 3}, {-4, 5, -6}};
		const float bias[] = {1, 1, -5};
		const struct gemm g = {.m = 2, .n = 3, .c = &c[0][0], .c_row = 3, .bias = bias, .activate = kn->relu};
		kn->finish(&g);
		assert_memory_equal(c, ((const float[2][3]){{2, 0, 0}, {0, 6, 0}}), sizeof(c));
	}
}

static void packing_checks_sizes(void **state)
{
	size_t count;

	(void)state;
	assert_false(gemm_packed_count(kernels_best(), SIZE_MAX, 1, &count));
	assert_false(gemm_packed_count(kernels_best(), 1, SIZE_MAX, &count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transcendental_functions_are_within_three_ulps),
		cmocka_unit_test(special_values_go_through),
		cmocka_unit_test(row_ends_are_neither_read_nor_written_beyond),
		cmocka_unit_test(scalars_repeat_on_either_side),
		cmocka_unit_test(a_batch_equals_its_rows_bit_for_bit),
		cmocka_unit_test(finish_adds_bias_and_activates),
		cmocka_unit_test(packing_checks_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
