/*
 * Every set of integer kernels that this processor runs, against sums and scalings in plain C: the same to the bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/rng.h"
#include "engine/quant_kernels.h"

#define COLUMNS 70
#define PADDED 96
#define PIXELS 29
#define LENGTH 37 /* of a segment: odd, its last pair is half */
#define SEGMENTS 3
#define IMAGE (PIXELS * 5 + SEGMENTS * 50 + LENGTH + 64)

/* Half up after the product's high half, half away from zero after the shift: by division. */
static int32_t scaled(int32_t x, struct scaling s)
{
	const int64_t one = (int64_t)1 << 31;
	const int64_t sum = (int64_t)(int32_t)((uint32_t)x << s.left) * s.multiplier + one / 2;
	const int64_t high = sum / one - (sum % one < 0 ? 1 : 0);
	const int64_t divisor = (int64_t)1 << s.right;
	const int64_t magnitude = ((high < 0 ? -high : high) + divisor / 2) / divisor;

	return (int32_t)(high < 0 ? -magnitude : magnitude);
}

static uint8_t in_range(int64_t v, const struct quant_range *r)
{
	v += r->zero;
	v = v < r->low ? r->low : v;
	return (uint8_t)(v > r->high ? r->high : v);
}

static struct scaling random_scaling(struct rng *rng)
{
	return scaling_of(ldexp((double)(1 + rng_below(rng, 1000)) / 1000.0, (int)rng_below(rng, 24) - 20));
}

static struct quant_range random_range(struct rng *rng)
{
	const int32_t low = rng_below(rng, 2) ? -128 : 0;

	return (struct quant_range){low + (int32_t)rng_below(rng, 256), low + (int32_t)rng_below(rng, 30),
				    low + 255 - (int32_t)rng_below(rng, 30)};
}

struct setup {
	int16_t image[IMAGE];
	const int16_t *pixel[PIXELS];
	size_t segment[SEGMENTS];
	int32_t bias[PADDED], multiplier[PADDED], left[PADDED], right[PADDED];
	int16_t weights[COLUMNS][SEGMENTS * LENGTH];
	int16_t packed[PADDED * SEGMENTS * (LENGTH + 1)];
	int32_t depthwise[SEGMENTS * PADDED];
};

static void set_up(struct setup *s, struct rng *rng)
{
	memset(s, 0, sizeof(*s));
	const bool extreme = rng_below(rng, 2) != 0;
	for (size_t i = 0; i < IMAGE; i++)
		s->image[i] = (int16_t)(extreme ? 255 : (int)rng_below(rng, 511) - 255);
	for (size_t i = 0; i < PIXELS; i++)
		s->pixel[i] = s->image + 5 * i;
	for (size_t i = 0; i < SEGMENTS; i++)
		s->segment[i] = 50 * i;
	for (size_t j = 0; j < COLUMNS; j++) {
		struct scaling scaling = random_scaling(rng);
		s->bias[j] = (int32_t)rng_below(rng, 2000000) - 1000000;
		s->multiplier[j] = scaling.multiplier;
		s->left[j] = scaling.left;
		s->right[j] = scaling.right;
		for (size_t i = 0; i < SEGMENTS * LENGTH; i++)
			s->weights[j][i] = (int16_t)(extreme ? (j % 2 ? 255 : -255) : (int)rng_below(rng, 511) - 255);
	}
}

/* As op_quant_product.c packs them. */
static void pack(struct setup *s, size_t width)
{
	int16_t *to = s->packed;

	memset(s->packed, 0, sizeof(s->packed));
	for (size_t first = 0; first < COLUMNS; first += width) {
		for (size_t seg = 0; seg < SEGMENTS; seg++) {
			for (size_t i = 0; i < LENGTH; i += 2, to += 2 * width) {
				for (size_t j = 0; j < width && first + j < COLUMNS; j++) {
					to[2 * j] = s->weights[first + j][seg * LENGTH + i];
					if (i + 1 < LENGTH)
						to[2 * j + 1] = s->weights[first + j][seg * LENGTH + i + 1];
				}
			}
		}
	}
}

static void products_are_exact(void **state)
{
	static struct setup s;
	static uint8_t out[PIXELS * COLUMNS + 1];
	const struct quant_kernels *kn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (int round = 0; round < 6; round++) {
		const size_t columns = round < 3 ? COLUMNS : 1 + rng_below(&rng, COLUMNS);
		const size_t pixels = 1 + rng_below(&rng, PIXELS);
		set_up(&s, &rng);
		struct quant_product q = {.columns = columns,
					  .segments = SEGMENTS,
					  .pairs = (LENGTH + 1) / 2,
					  .segment = s.segment,
					  .weights = s.packed,
					  .bias = s.bias,
					  .scaling = {s.multiplier, s.left, s.right},
					  .range = random_range(&rng)};
		for (size_t set = 0; (kn = quant_kernels_at(set)) != NULL; set++) {
			pack(&s, 2 * kn->lanes);
			memset(out, 0x55, sizeof(out));
			kn->product(&q, pixels, s.pixel, out);
			for (size_t i = 0; i < pixels * columns; i++) {
				const size_t j = i % columns;
				int32_t sum = s.bias[j];
				for (size_t k = 0; k < SEGMENTS * LENGTH; k++)
					sum += s.pixel[i / columns][s.segment[k / LENGTH] + k % LENGTH] *
					       s.weights[j][k];
				struct scaling scaling = {s.multiplier[j], s.left[j], s.right[j]};
				if (out[i] != in_range(scaled(sum, scaling), &q.range))
					fail_msg("%s: output %zu", kn->name, i);
			}
			assert_int_equal(out[pixels * columns], 0x55); /* nothing is written past the end */
		}
	}
}

static void depthwise_products_are_exact(void **state)
{
	static struct setup s;
	static uint8_t out[PIXELS * COLUMNS + 1];
	const struct quant_kernels *kn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 2);
	for (int round = 0; round < 6; round++) {
		const size_t channels = 1 + rng_below(&rng, LENGTH);
		set_up(&s, &rng);
		struct quant_depthwise q = {.channels = channels,
					    .taps = SEGMENTS,
					    .tap = s.segment,
					    .weights = s.depthwise,
					    .bias = s.bias,
					    .scaling = {s.multiplier, s.left, s.right},
					    .range = random_range(&rng)};
		for (size_t set = 0; (kn = quant_kernels_at(set)) != NULL; set++) {
			const size_t padded = (channels + kn->lanes - 1) / kn->lanes * kn->lanes;
			memset(s.depthwise, 0, sizeof(s.depthwise));
			for (size_t i = 0; i < SEGMENTS * channels; i++)
				s.depthwise[i / channels * padded + i % channels] =
					(uint16_t)s.weights[i % channels][i / channels];
			memset(out, 0x55, sizeof(out));
			kn->depthwise(&q, PIXELS, s.pixel, out);
			for (size_t i = 0; i < PIXELS * channels; i++) {
				const size_t j = i % channels;
				int32_t sum = s.bias[j];
				for (size_t k = 0; k < SEGMENTS; k++)
					sum += s.pixel[i / channels][s.segment[k] + j] * s.weights[j][k];
				struct scaling scaling = {s.multiplier[j], s.left[j], s.right[j]};
				if (out[i] != in_range(scaled(sum, scaling), &q.range))
					fail_msg("%s: output %zu", kn->name, i);
			}
			assert_int_equal(out[PIXELS * channels], 0x55);
		}
	}
}

static int32_t operand(uint8_t byte, const struct quant_input *in)
{
	return (int8_t)(byte ^ in->flip) - in->zero;
}

static uint8_t expected(int op, const struct quant_elementwise *e, uint8_t a, uint8_t b)
{
	const int32_t x = operand(a, &e->a), y = operand(b, &e->b);
	int32_t p, q;

	if (op == 2)
		return in_range(scaled(x * y, e->scaling), &e->range);
	p = scaled((int32_t)((uint32_t)x << 20), e->a.scaling);
	q = scaled((int32_t)((uint32_t)y << 20), e->b.scaling);
	return in_range(scaled(op == 0 ? p + q : p - q, e->scaling), &e->range);
}

static void rows_of_every_length_are_exact(void **state)
{
	uint8_t a[80], b[80], y[81];
	const struct quant_kernels *kn;
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (size_t n = 0; n <= 80; n++) {
		struct quant_elementwise e = {.a = {rng_below(&rng, 2) ? 0x80 : 0, (int32_t)rng_below(&rng, 256) - 128,
						    scaling_of((double)rng_below(&rng, 512) / 1024.0)},
					      .b = {0, (int32_t)rng_below(&rng, 256) - 128,
						    scaling_of((double)rng_below(&rng, 512) / 1024.0)},
					      .range = random_range(&rng)};
		for (size_t i = 0; i < sizeof(a); i++) {
			a[i] = (uint8_t)rng_below(&rng, 256);
			b[i] = (uint8_t)rng_below(&rng, 256);
		}
		e.b.flip = e.a.flip;
		for (int op = 0; op < 3; op++) {
			const size_t a_step = rng_below(&rng, 4) != 0, b_step = rng_below(&rng, 4) != 0;
			e.scaling = op == 2 ? random_scaling(&rng)
					    : scaling_of((double)(1 + rng_below(&rng, 4096)) / 0x1p30);
			for (size_t set = 0; (kn = quant_kernels_at(set)) != NULL; set++) {
				quant_row *row = op == 0 ? kn->add : op == 1 ? kn->sub : kn->mul;
				memset(y, 0x55, sizeof(y));
				row(&e, n, a, a_step, b, b_step, y);
				for (size_t i = 0; i < n; i++) {
					if (y[i] != expected(op, &e, a[i * a_step], b[i * b_step]))
						fail_msg("%s: operation %d, element %zu of %zu", kn->name, op, i, n);
				}
				assert_int_equal(y[n], 0x55);
			}
		}
	}
}

static void bytes_are_widened_without_their_zero_point(void **state)
{
	const struct quant_kernels *kn;
	uint8_t x[256];
	int16_t y[257];

	(void)state;
	for (int i = 0; i < 256; i++)
		x[i] = (uint8_t)i;
	for (size_t set = 0; (kn = quant_kernels_at(set)) != NULL; set++) {
		for (size_t n = 0; n <= 256; n += 15) {
			y[n] = 0x5555;
			kn->widen(n, x, 0, -128, y);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(y[i], (int8_t)x[i] + 128);
			kn->widen(n, x, 0x80, 255 - 128, y);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(y[i], x[i] - 255);
			assert_int_equal(y[n], 0x5555);
		}
	}
}

static void scalings_are_nearest(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 4);
	for (int i = 0; i < 2000; i++) {
		const double real = ldexp((double)(1 + rng_below(&rng, 1 << 30)), -(int)rng_below(&rng, 50) - 5);
		const struct scaling s = scaling_of(real);
		const int32_t x = (int32_t)rng_below(&rng, 200001) - 100000;
		assert_int_equal(scale(x, &s), scaled(x, s));
		if (fabs(x * real) < 1e9 && real < 1e4)
			assert_true(fabs(scale(x, &s) - x * real) <= 1.0 + fabs(x * real) * 1e-9);
	}
	assert_int_equal(scaling_of(0.0).multiplier, 0);
	assert_int_equal(scaling_of(1e-30).multiplier, 0);
	assert_int_equal(scale(5, &(struct scaling){1 << 30, 1, 0}), 5);
	assert_int_equal(scale(-3, &(struct scaling){1 << 30, 0, 0}), -1); /* -1.5: half up */
	assert_int_equal(scale(-3, &(struct scaling){1 << 30, 1, 1}), -2); /* -1.5: half away from zero */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_are_exact),
		cmocka_unit_test(depthwise_products_are_exact),
		cmocka_unit_test(rows_of_every_length_are_exact),
		cmocka_unit_test(bytes_are_widened_without_their_zero_point),
		cmocka_unit_test(scalings_are_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
