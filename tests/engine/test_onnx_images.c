/*
 * ONNX operators over images against plain loops: every padding, stride, dilation and group.
 */
#include "tests/engine/onnx_check.h"

#define ROUNDS 150

/* What one random window is; pads as they come out of auto_pad. */
struct geometry {
	int64_t kernel[2], strides[2], dilations[2], pads[4], out[2];
	bool ceil_mode;
	const char *auto_pad;
};

static int64_t reach(const struct geometry *g, unsigned d)
{
	return (g->kernel[d] - 1) * g->dilations[d] + 1;
}

/* SAME: as many outputs as strides fit, what is missing is padded, an odd pixel after (UPPER) or before (LOWER). */
static void same_padding(struct geometry *g, unsigned d, int64_t size, bool upper)
{
	g->out[d] = (size + g->strides[d] - 1) / g->strides[d];
	int64_t missing = (g->out[d] - 1) * g->strides[d] + reach(g, d) - size;
	missing = missing < 0 ? 0 : missing;
	g->pads[d] = upper ? missing / 2 : (missing + 1) / 2;
	g->pads[d + 2] = missing - g->pads[d];
}

static void explicit_padding(struct geometry *g, unsigned d, int64_t size)
{
	int64_t room = size + g->pads[d] + g->pads[d + 2] - reach(g, d);

	g->out[d] = room / g->strides[d] + 1;
	if (g->ceil_mode && room % g->strides[d] != 0 && g->out[d] * g->strides[d] < size + g->pads[d])
		g->out[d]++;
}

/* False where the window does not fit. */
static bool random_geometry(struct geometry *g, struct rng *rng, const int64_t *size, bool pool)
{
	static const char *const kinds[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};

	*g = (struct geometry){.auto_pad = kinds[rng_below(rng, 4)]};
	g->ceil_mode = pool && rng_below(rng, 2) == 0;
	for (unsigned d = 0; d < 2; d++) {
		g->kernel[d] = 1 + (int64_t)rng_below(rng, 4);
		g->strides[d] = 1 + (int64_t)rng_below(rng, 3);
		g->dilations[d] = 1 + (int64_t)rng_below(rng, 2);
		/* A window may not lie in the padding alone. */
		for (unsigned side = 0; side < 2 && g->auto_pad == kinds[0]; side++)
			g->pads[d + 2 * side] = (int64_t)rng_below(rng, (uint64_t)g->kernel[d]);
		if (g->auto_pad == kinds[1] || g->auto_pad == kinds[2])
			same_padding(g, d, size[d], g->auto_pad == kinds[1]);
		else
			explicit_padding(g, d, size[d]);
		if (size[d] + g->pads[d] + g->pads[d + 2] < reach(g, d))
			return false;
	}
	return true;
}

/* Attributes at their defaults are left out half the time. */
static void write_geometry(struct onnx_check *c, struct rng *rng, const struct geometry *g, bool kernel)
{
	const bool defaults = rng_below(rng, 2) == 0;

	if (kernel)
		onnx_ints(&c->b, "kernel_shape", g->kernel, 2);
	if (!defaults || g->strides[0] != 1 || g->strides[1] != 1)
		onnx_ints(&c->b, "strides", g->strides, 2);
	if (!defaults || g->dilations[0] != 1 || g->dilations[1] != 1)
		onnx_ints(&c->b, "dilations", g->dilations, 2);
	if (!defaults || strcmp(g->auto_pad, "NOTSET") != 0)
		onnx_string(&c->b, "auto_pad", g->auto_pad);
	if (strcmp(g->auto_pad, "NOTSET") == 0)
		onnx_ints(&c->b, "pads", g->pads, 4);
}

/* The pixel that tap k of window `at` sees; false in the padding. */
static bool pixel(const struct geometry *g, const int64_t *size, const int64_t *at, const int64_t *k, int64_t *ret)
{
	for (unsigned d = 0; d < 2; d++) {
		ret[d] = at[d] * g->strides[d] - g->pads[d] + k[d] * g->dilations[d];
		if (ret[d] < 0 || ret[d] >= size[d])
			return false;
	}
	return true;
}

static void ref_conv(struct ref *y, const struct ref *x, const struct ref *w, const struct ref *bias, int64_t groups,
		     const struct geometry *g)
{
	const int64_t outputs = w->dims[0], per_group = outputs / groups, inputs = w->dims[1];
	int64_t at[REF_RANK] = {0};

	ref_init(y, (const int64_t[]){x->dims[0], outputs, g->out[0], g->out[1]}, 4);
	do {
		double sum = bias != NULL ? bias->v[at[1]] : 0.0;
		int64_t tap[4] = {0}, seen[2];
		for (int64_t i = 0; i < inputs * g->kernel[0] * g->kernel[1]; i++) {
			const int64_t k[] = {i / g->kernel[1] % g->kernel[0], i % g->kernel[1]};
			const int64_t channel = i / g->kernel[1] / g->kernel[0];
			tap[0] = at[1];
			tap[1] = channel;
			tap[2] = k[0];
			tap[3] = k[1];
			if (!pixel(g, x->dims + 2, at + 2, k, seen))
				continue;
			const int64_t from[] = {at[0], at[1] / per_group * inputs + channel, seen[0], seen[1]};
			sum += *ref_at(x, from) * *ref_at(w, tap);
		}
		*ref_at(y, at) = sum;
	} while (ref_next(y, at));
}

static void convolution_matches_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (int round = 0; round < ROUNDS; round++) {
		const int64_t groups = 1 + (int64_t)rng_below(&rng, 3), inputs = 1 + (int64_t)rng_below(&rng, 3);
		const int64_t outputs = groups * (1 + (int64_t)rng_below(&rng, 3));
		const int64_t size[] = {1 + (int64_t)rng_below(&rng, 9), 1 + (int64_t)rng_below(&rng, 9)};
		const bool biased = rng_below(&rng, 2) == 0;
		struct onnx_check c = {.version = 11};
		struct ref x, w, bias, y;
		struct geometry g;
		if (!random_geometry(&g, &rng, size, false))
			continue;
		ref_init(&x, (const int64_t[]){1 + (int64_t)rng_below(&rng, 2), groups * inputs, size[0], size[1]}, 4);
		ref_init(&w, (const int64_t[]){outputs, inputs, g.kernel[0], g.kernel[1]}, 4);
		ref_init(&bias, &outputs, 1);
		ref_random(&x, &rng, -2, 2, false);
		ref_random(&w, &rng, -2, 2, false);
		ref_random(&bias, &rng, -2, 2, false);
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_check_either(&c, "w", &w, DTYPE_FLOAT, &rng);
		if (biased)
			onnx_check_either(&c, "b", &bias, DTYPE_FLOAT, &rng);
		onnx_begin(&c.b, "n", "Conv", biased ? NAMES("x", "w", "b") : NAMES("x", "w"), NAMES("y"));
		write_geometry(&c, &rng, &g, rng_below(&rng, 2) == 0);
		if (groups > 1 || rng_below(&rng, 2) == 0)
			onnx_int(&c.b, "group", groups);
		onnx_end(&c.b);
		ref_conv(&y, &x, &w, biased ? &bias : NULL, groups, &g);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-4);
		ref_release(&x);
		ref_release(&w);
		ref_release(&bias);
	}
}

/* count_pad: taps in the padding count, those beyond it do not. */
static double ref_window(const struct ref *x, const int64_t *at, const struct geometry *g, bool maximum, bool count_pad)
{
	double sum = 0.0, best = -INFINITY, n = 0.0;

	for (int64_t i = 0; i < g->kernel[0]; i++) {
		for (int64_t j = 0; j < g->kernel[1]; j++) {
			const int64_t k[] = {i, j};
			int64_t seen[2];
			bool inside = pixel(g, x->dims + 2, at + 2, k, seen);
			for (unsigned d = 0; d < 2; d++)
				seen[d] = at[d + 2] * g->strides[d] - g->pads[d] + k[d] * g->dilations[d];
			if (inside ||
			    (count_pad && seen[0] < x->dims[2] + g->pads[2] && seen[1] < x->dims[3] + g->pads[3]))
				n += 1.0;
			if (!inside)
				continue;
			double v = *ref_at(x, (const int64_t[]){at[0], at[1], seen[0], seen[1]});
			sum += v;
			best = fmax(best, v);
		}
	}
	return maximum ? best : sum / n;
}

static void check_pool(struct rng *rng, bool maximum)
{
	const int64_t size[] = {1 + (int64_t)rng_below(rng, 9), 1 + (int64_t)rng_below(rng, 9)};
	const bool count_pad = !maximum && rng_below(rng, 2) == 0;
	struct onnx_check c = {.version = 19};
	int64_t at[REF_RANK] = {0};
	struct geometry g;
	struct ref x, y;

	if (!random_geometry(&g, rng, size, true))
		return;
	/* A window of dilated taps that all miss the image has no mean and no maximum. */
	if (g.dilations[0] > 1 || g.dilations[1] > 1)
		memset(g.pads, 0, sizeof(g.pads));
	if (strcmp(g.auto_pad, "NOTSET") == 0) {
		for (unsigned d = 0; d < 2; d++) {
			if (size[d] + g.pads[d] + g.pads[d + 2] < reach(&g, d))
				return;
			explicit_padding(&g, d, size[d]);
		}
	} else if (g.dilations[0] > 1 || g.dilations[1] > 1) {
		return;
	}
	ref_init(&x, (const int64_t[]){1 + (int64_t)rng_below(rng, 2), 3, size[0], size[1]}, 4);
	ref_random(&x, rng, -2, 2, false);
	onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
	onnx_begin(&c.b, "n", maximum ? "MaxPool" : "AveragePool", NAMES("x"), NAMES("y"));
	write_geometry(&c, rng, &g, true);
	if (g.ceil_mode)
		onnx_int(&c.b, "ceil_mode", 1);
	if (count_pad)
		onnx_int(&c.b, "count_include_pad", 1);
	onnx_end(&c.b);
	ref_init(&y, (const int64_t[]){x.dims[0], 3, g.out[0], g.out[1]}, 4);
	do {
		*ref_at(&y, at) = ref_window(&x, at, &g, maximum, count_pad);
	} while (ref_next(&y, at));
	onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-6, 1e-6);
	ref_release(&x);
}

static void pools_match_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 2);
	for (int round = 0; round < ROUNDS; round++)
		check_pool(&rng, round % 2 == 0);
}

static void global_pools_reduce_space(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int maximum = 0; maximum < 2; maximum++) {
		struct onnx_check c = {.version = 9};
		struct ref x, y;
		ref_init(&x, (const int64_t[]){2, 3, 4, 5}, 4);
		ref_random(&x, &rng, -2, 2, false);
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_node(&c.b, maximum ? "GlobalMaxPool" : "GlobalAveragePool", NAMES("x"), NAMES("y"));
		ref_reduce(&y, &x, (const bool[]){false, false, true, true}, maximum ? REF_MAX : REF_MEAN);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-6, 1e-6);
		ref_release(&x);
	}
}

/* Alone, and after a convolution, where it is folded into the weights. */
static void batch_normalization_scales_channels(void **state)
{
	static const char *const names[] = {"scale", "offset", "mean", "variance"};
	struct rng rng;

	(void)state;
	rng_init(&rng, 4);
	for (int convolved = 0; convolved < 2; convolved++) {
		struct onnx_check c = {.version = 9};
		struct ref x, y, p[4], identity;
		int64_t at[REF_RANK] = {0};
		ref_init(&x, (const int64_t[]){2, 3, 4, 5}, 4);
		ref_random(&x, &rng, -2, 2, false);
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		for (unsigned i = 0; i < 4; i++) {
			ref_init(&p[i], (const int64_t[]){3}, 1);
			ref_random(&p[i], &rng, i == 3 ? 0.5 : -2, 2, false);
			onnx_check_constant(&c, names[i], &p[i], DTYPE_FLOAT);
		}
		ref_init(&identity, (const int64_t[]){3, 3, 1, 1}, 4);
		for (int64_t i = 0; i < 3; i++)
			*ref_at(&identity, (const int64_t[]){i, i, 0, 0}) = 1.0;
		onnx_check_constant(&c, "w", &identity, DTYPE_FLOAT);
		if (convolved)
			onnx_node(&c.b, "Conv", NAMES("x", "w"), NAMES("t"));
		onnx_begin(&c.b, "n", "BatchNormalization",
			   NAMES(convolved ? "t" : "x", "scale", "offset", "mean", "variance"), NAMES("y"));
		onnx_float(&c.b, "epsilon", 0.25f);
		onnx_end(&c.b);
		ref_init(&y, x.dims, 4);
		do {
			const int64_t ch = at[1];
			*ref_at(&y, at) =
				(*ref_at(&x, at) - p[2].v[ch]) / sqrt(p[3].v[ch] + 0.25) * p[0].v[ch] + p[1].v[ch];
		} while (ref_next(&y, at));
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-5);
		for (unsigned i = 0; i < 4; i++)
			ref_release(&p[i]);
		ref_release(&x);
		ref_release(&identity);
	}
}

static void local_response_is_normalised_over_channels(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (int64_t size = 1; size <= 6; size++) {
		struct onnx_check c = {.version = 13};
		int64_t at[REF_RANK] = {0};
		struct ref x, y;
		ref_init(&x, (const int64_t[]){2, 7, 2, 3}, 4);
		ref_random(&x, &rng, -4, 4, false);
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_begin(&c.b, "n", "LRN", NAMES("x"), NAMES("y"));
		onnx_int(&c.b, "size", size);
		onnx_float(&c.b, "alpha", 0.5f);
		onnx_float(&c.b, "bias", 2.0f);
		onnx_end(&c.b);
		ref_init(&y, x.dims, 4);
		do {
			double sum = 0.0;
			for (int64_t k = at[1] - (size - 1) / 2; k <= at[1] + size / 2; k++) {
				double v =
					k >= 0 && k < 7 ? *ref_at(&x, (const int64_t[]){at[0], k, at[2], at[3]}) : 0.0;
				sum += v * v;
			}
			*ref_at(&y, at) = *ref_at(&x, at) / pow(2.0 + 0.5 / (double)size * sum, 0.75);
		} while (ref_next(&y, at));
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convolution_matches_reference),
		cmocka_unit_test(pools_match_reference),
		cmocka_unit_test(global_pools_reduce_space),
		cmocka_unit_test(batch_normalization_scales_channels),
		cmocka_unit_test(local_response_is_normalised_over_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
