/*
 * Convolutions, pools and normalisation of TensorFlow graphs against plain loops: every window, both layouts, alone and
 * fused.
 */
#include "tests/engine/window_check.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/arith.h"

#define ROUNDS 60
/* Set in the process that repeats the tests with the layouts of older processors. */
#define REPEATED "AIBENCH_TEST_CONVOLUTION_REPEATED"

/* False where the window does not fit the image. */
static bool random_window(struct window_case *w, struct rng *rng, const int64_t *size, bool dilated)
{
	w->nchw = rng_below(rng, 2) == 0;
	w->kind = (enum kind)rng_below(rng, 3);
	for (unsigned d = 0; d < 2; d++) {
		w->kernel[d] = 1 + (int64_t)rng_below(rng, 5);
		w->strides[d] = 1 + (int64_t)rng_below(rng, 3);
		w->dilations[d] = dilated ? 1 + (int64_t)rng_below(rng, 3) : 1;
		w->pads[d] = w->pads[d + 2] = 0;
		const int64_t reach = (w->kernel[d] - 1) * w->dilations[d] + 1;
		if (w->kind == EXPLICIT) {
			w->pads[d] = (int64_t)rng_below(rng, (uint64_t)w->kernel[d] + 1);
			w->pads[d + 2] = (int64_t)rng_below(rng, (uint64_t)w->kernel[d] + 1);
		}
		if (w->kind == SAME) {
			w->out[d] = (size[d] + w->strides[d] - 1) / w->strides[d];
			int64_t missing = (w->out[d] - 1) * w->strides[d] + reach - size[d];
			missing = missing < 0 ? 0 : missing;
			w->pads[d] = missing / 2;
			w->pads[d + 2] = missing - missing / 2;
			continue;
		}
		const int64_t room = size[d] + w->pads[d] + w->pads[d + 2] - reach;
		if (room < 0)
			return false;
		w->out[d] = room / w->strides[d] + 1;
	}
	return true;
}

/* The pixel that tap (i, j) of a window sees, in the image of one sample and channel; NULL: padding. */
static const double *tap(const struct ref *x, const struct window_case *w, const int64_t *at, int64_t i, int64_t j,
			 int64_t channel)
{
	const int64_t h = at[1] * w->strides[0] - w->pads[0] + i * w->dilations[0];
	const int64_t v = at[2] * w->strides[1] - w->pads[1] + j * w->dilations[1];

	if (h < 0 || v < 0 || h >= x->dims[1] || v >= x->dims[2])
		return NULL;
	return ref_at(x, (int64_t[]){at[0], h, v, channel});
}

/* weights: HWIO, or HWCM where depthwise. */
static void ref_conv(struct ref *y, const struct ref *x, const struct ref *weights, bool depthwise,
		     const struct window_case *w)
{
	const int64_t channels = x->dims[3], multiplier = weights->dims[3];
	int64_t at[REF_RANK] = {0};

	ref_init(y, (int64_t[]){x->dims[0], w->out[0], w->out[1], depthwise ? channels * multiplier : multiplier}, 4);
	if (y->count == 0)
		return;
	do {
		double sum = 0.0;
		for (int64_t k = 0; k < w->kernel[0] * w->kernel[1] * channels; k++) {
			const int64_t c = k % channels, j = k / channels % w->kernel[1];
			const int64_t i = k / channels / w->kernel[1];
			const double *pixel = tap(x, w, at, i, j, c);
			if (pixel == NULL || (depthwise && c != at[3] / multiplier))
				continue;
			sum += *pixel * *ref_at(weights, (int64_t[]){i, j, c, depthwise ? at[3] % multiplier : at[3]});
		}
		*ref_at(y, at) = sum;
	} while (ref_next(y, at));
}

static void ref_pool(struct ref *y, const struct ref *x, bool maximum, const struct window_case *w)
{
	int64_t at[REF_RANK] = {0};

	ref_init(y, (int64_t[]){x->dims[0], w->out[0], w->out[1], x->dims[3]}, 4);
	do {
		double sum = 0.0, most = -HUGE_VAL, n = 0.0;
		for (int64_t k = 0; k < w->kernel[0] * w->kernel[1]; k++) {
			const double *pixel = tap(x, w, at, k / w->kernel[1], k % w->kernel[1], at[3]);
			if (pixel == NULL)
				continue;
			sum += *pixel;
			most = fmax(most, *pixel);
			n += 1.0;
		}
		*ref_at(y, at) = n == 0.0 ? 0.0 : maximum ? most : sum / n;
	} while (ref_next(y, at));
}

/* NHWC to the graph's order; r is replaced. */
static void to_layout(struct ref *r, bool nchw)
{
	struct ref transposed;

	if (!nchw)
		return;
	ref_transpose(&transposed, r, (int64_t[]){0, 3, 1, 2});
	ref_release(r);
	*r = transposed;
}

static int64_t random_channels(struct rng *rng)
{
	static const int64_t some[] = {1, 2, 3, 5, 8, 16, 17, 32, 40};

	return some[rng_below(rng, ARRAY_LEN(some))];
}

static void random_images(struct ref *x, struct rng *rng)
{
	const int64_t dims[] = {1 + (int64_t)rng_below(rng, 3), 1 + (int64_t)rng_below(rng, 14),
				1 + (int64_t)rng_below(rng, 14), random_channels(rng)};

	random_ref(x, rng, dims, 4);
}

static void convolutions_match_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 41);
	for (int round = 0; round < ROUNDS; round++) {
		struct check c = {.rng = &rng};
		const bool depthwise = rng_below(&rng, 3) == 0;
		struct window_case w = {0};
		struct ref x, weights, y;

		random_images(&x, &rng);
		if (!random_window(&w, &rng, x.dims + 1, true)) {
			ref_release(&x);
			continue;
		}
		const int64_t outputs = depthwise ? 1 + (int64_t)rng_below(&rng, 3) : random_channels(&rng);
		random_ref(&weights, &rng, (int64_t[]){w.kernel[0], w.kernel[1], x.dims[3], outputs}, 4);
		ref_conv(&y, &x, &weights, depthwise, &w);
		to_layout(&x, w.nchw);
		to_layout(&y, w.nchw);
		check_placeholder(&c, "x", &x, DTYPE_FLOAT);
		check_input(&c, "w", &weights, DTYPE_FLOAT);
		node_begin(&c.b, "y", depthwise ? "DepthwiseConv2dNative" : "Conv2D");
		node_input(&c.b, "x");
		node_input(&c.b, "w");
		write_window(&c.b, &w);
		node_end(&c.b);
		check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-5);
		ref_release(&x);
		ref_release(&weights);
	}
}

/* Windows that oneDNN is not asked to compute. */
static void unusual_windows_match_reference(void **state)
{
	const struct window_case cases[] = {
		{.kind = VALID, .kernel = {40, 1}, .strides = {1, 1}, .dilations = {1, 1}, .out = {3, 4}},
		{.kind = EXPLICIT,
		 .kernel = {1, 2},
		 .strides = {2, 1},
		 .dilations = {1, 1},
		 .pads = {3, 4, 2, 5},
		 .out = {24, 12}},
	};
	struct rng rng;

	(void)state;
	rng_init(&rng, 42);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct check c = {.rng = &rng};
		struct ref x, weights, y;

		random_ref(&x, &rng, (int64_t[]){2, 42, 4, 3}, 4);
		random_ref(&weights, &rng, (int64_t[]){cases[i].kernel[0], cases[i].kernel[1], 3, 5}, 4);
		ref_conv(&y, &x, &weights, false, &cases[i]);
		check_placeholder(&c, "x", &x, DTYPE_FLOAT);
		check_constant(&c, "w", &weights, DTYPE_FLOAT);
		node_begin(&c.b, "y", "Conv2D");
		node_input(&c.b, "x");
		node_input(&c.b, "w");
		write_window(&c.b, &cases[i]);
		node_end(&c.b);
		check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-5);
		ref_release(&x);
		ref_release(&weights);
	}
}

static void pools_match_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 43);
	for (int round = 0; round < ROUNDS; round++) {
		struct check c = {.rng = &rng};
		const bool maximum = rng_below(&rng, 2) == 0;
		struct window_case w = {0};
		struct ref x, y;

		random_images(&x, &rng);
		if (!random_window(&w, &rng, x.dims + 1, false)) {
			ref_release(&x);
			continue;
		}
		ref_pool(&y, &x, maximum, &w);
		to_layout(&x, w.nchw);
		to_layout(&y, w.nchw);
		check_placeholder(&c, "x", &x, DTYPE_FLOAT);
		node_begin(&c.b, "y", maximum ? "MaxPool" : "AvgPool");
		node_input(&c.b, "x");
		write_window(&c.b, &w);
		spatial_attr(&c.b, "ksize", w.nchw, w.kernel);
		node_end(&c.b);
		check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
	}
}

/* --- chains of operators, which are fused where nobody else reads what lies between --- */

struct chain {
	struct check c;
	struct ref now; /* NHWC */
	bool nchw;
	unsigned n;
	char names[16][8];
};

static const char *chain_top(const struct chain *ch)
{
	return ch->names[ch->n];
}

/* Opens the next node, whose first input is the last one made. */
static void chain_node(struct chain *ch, const char *op)
{
	const char *input = chain_top(ch);

	ch->n++;
	assert_true(ch->n < ARRAY_LEN(ch->names));
	snprintf(ch->names[ch->n], sizeof(ch->names[0]), "t%u", ch->n);
	node_begin(&ch->c.b, chain_top(ch), op);
	node_input(&ch->c.b, input);
}

static void chain_replace(struct chain *ch, struct ref *next)
{
	ref_release(&ch->now);
	ch->now = *next;
}

/* A constant of the current number of channels, written before the node that reads it is opened. */
static void channel_constant(struct chain *ch, const char *name, struct ref *r, double low, double high)
{
	ref_init(r, &ch->now.dims[3], 1);
	ref_random(r, ch->c.rng, low, high, false);
	check_constant(&ch->c, name, r, DTYPE_FLOAT);
}

static void chain_conv(struct chain *ch, int64_t kernel, int64_t stride, int64_t outputs, bool depthwise, bool padded)
{
	struct window_case w = {.nchw = ch->nchw,
				.kind = padded ? VALID : SAME,
				.kernel = {kernel, kernel},
				.strides = {stride, stride},
				.dilations = {1, 1}};
	struct ref weights, next;
	char name[32], pads[32];

	for (unsigned d = 0; d < 2; d++) {
		w.out[d] = (ch->now.dims[d + 1] + stride - 1) / stride;
		int64_t missing = (w.out[d] - 1) * stride + kernel - ch->now.dims[d + 1];
		missing = missing < 0 ? 0 : missing;
		w.pads[d] = missing / 2;
		w.pads[d + 2] = missing - missing / 2;
	}
	snprintf(name, sizeof(name), "w%u", ch->n);
	snprintf(pads, sizeof(pads), "p%u", ch->n);
	ref_init(&weights, (int64_t[]){kernel, kernel, ch->now.dims[3], outputs}, 4);
	ref_random(&weights, ch->c.rng, -0.125, 0.125, false);
	ref_conv(&next, &ch->now, &weights, depthwise, &w);
	check_constant(&ch->c, name, &weights, DTYPE_FLOAT);
	if (padded) {
		/* The same padding as a node of its own. */
		int32_t pairs[8] = {0};
		const unsigned h = ch->nchw ? 2 : 1;
		for (unsigned d = 0; d < 2; d++) {
			pairs[2 * (h + d)] = (int32_t)w.pads[d];
			pairs[2 * (h + d) + 1] = (int32_t)w.pads[d + 2];
		}
		add_const(&ch->c.b, pads, DT_INT32, (int64_t[]){4, 2}, 2, pairs, sizeof(pairs));
		chain_node(ch, "Pad");
		node_input(&ch->c.b, pads);
		node_end(&ch->c.b);
	}
	chain_node(ch, depthwise ? "DepthwiseConv2dNative" : "Conv2D");
	node_input(&ch->c.b, name);
	write_window(&ch->c.b, &w);
	node_end(&ch->c.b);
	ref_release(&weights);
	chain_replace(ch, &next);
}

static void chain_batch_norm(struct chain *ch)
{
	static const char *const versions[] = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"};
	const float epsilon = 0.001f;
	struct ref p[4];
	char names[4][32];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(names[i], sizeof(names[i]), "bn%u_%u", ch->n, i);
		channel_constant(ch, names[i], &p[i], i == 3 || i == 0 ? 0.25 : -1.0, 1.5);
	}
	chain_node(ch, versions[rng_below(ch->c.rng, 3)]);
	for (unsigned i = 0; i < 4; i++)
		node_input(&ch->c.b, names[i]);
	attr_float(&ch->c.b, "epsilon", epsilon);
	attr_bool(&ch->c.b, "is_training", false);
	attr_string(&ch->c.b, "data_format", layout_name(ch->nchw));
	node_end(&ch->c.b);
	for (size_t i = 0; i < ch->now.count; i++) {
		const size_t k = i % p[0].count;
		ch->now.v[i] = (ch->now.v[i] - p[2].v[k]) * p[0].v[k] / sqrt(p[3].v[k] + (double)epsilon) + p[1].v[k];
	}
	for (unsigned i = 0; i < 4; i++)
		ref_release(&p[i]);
}

static void chain_bias(struct chain *ch)
{
	struct ref bias;
	char name[32];

	snprintf(name, sizeof(name), "b%u", ch->n);
	channel_constant(ch, name, &bias, -1.0, 1.0);
	chain_node(ch, "BiasAdd");
	node_input(&ch->c.b, name);
	attr_string(&ch->c.b, "data_format", layout_name(ch->nchw));
	node_end(&ch->c.b);
	for (size_t i = 0; i < ch->now.count; i++)
		ch->now.v[i] += bias.v[i % bias.count];
	ref_release(&bias);
}

/* Mul or Add of one number a channel, as graphs whose batch norm was taken apart have them. */
static void chain_affine(struct chain *ch, const char *op)
{
	const int64_t channels = ch->now.dims[3];
	const bool multiply = strcmp(op, "Mul") == 0;
	struct ref v;
	char name[32];

	snprintf(name, sizeof(name), "a%u", ch->n);
	ref_init(&v, ch->nchw ? (int64_t[]){channels, 1, 1} : (int64_t[]){channels}, ch->nchw ? 3 : 1);
	ref_random(&v, ch->c.rng, -1.0, 1.0, false);
	check_constant(&ch->c, name, &v, DTYPE_FLOAT);
	chain_node(ch, op);
	node_input(&ch->c.b, name);
	node_end(&ch->c.b);
	for (size_t i = 0; i < ch->now.count; i++) {
		const double k = v.v[i % v.count];
		ch->now.v[i] = multiply ? ch->now.v[i] * k : ch->now.v[i] + k;
	}
	ref_release(&v);
}

static const struct {
	const char *op;
	double (*f)(double);
} activations[] = {
	{"Relu", ref_relu}, {"Relu6", ref_relu6},     {"LeakyRelu", ref_leaky_relu},
	{"Elu", ref_elu},   {"Sigmoid", ref_sigmoid}, {"Tanh", tanh},
};

static void chain_activation(struct chain *ch, size_t which)
{
	chain_node(ch, activations[which].op);
	if (activations[which].f == ref_leaky_relu)
		attr_float(&ch->c.b, "alpha", 0.25f);
	node_end(&ch->c.b);
	for (size_t i = 0; i < ch->now.count; i++)
		ch->now.v[i] = activations[which].f(ch->now.v[i]);
}

/* Adds what node `from` made, of the same shape. */
static void chain_residual(struct chain *ch, const char *from, const struct ref *value)
{
	chain_node(ch, "AddV2");
	node_input(&ch->c.b, from);
	node_end(&ch->c.b);
	for (size_t i = 0; i < ch->now.count; i++)
		ch->now.v[i] += value->v[i];
}

/* Joins it with what node `from` made, of the same shape, along an axis of NHWC. */
static void chain_concat(struct chain *ch, const char *from, const struct ref *value, unsigned axis)
{
	static const int64_t nchw[] = {0, 2, 3, 1};
	int64_t dims[4], at[4] = {0};
	struct ref joined;
	char name[32];

	snprintf(name, sizeof(name), "axis%u", ch->n);
	add_int(&ch->c.b, name, ch->nchw ? nchw[axis] : (int64_t)axis);
	chain_node(ch, "ConcatV2");
	node_input(&ch->c.b, from);
	node_input(&ch->c.b, name);
	attr_int(&ch->c.b, "N", 2);
	node_end(&ch->c.b);
	memcpy(dims, ch->now.dims, sizeof(dims));
	dims[axis] *= 2;
	ref_init(&joined, dims, 4);
	ref_place(&joined, &ch->now, at);
	at[axis] = ch->now.dims[axis];
	ref_place(&joined, value, at);
	chain_replace(ch, &joined);
}

static void chain_begin(struct chain *ch, struct rng *rng, const int64_t *dims)
{
	struct ref x;

	*ch = (struct chain){.c = {.rng = rng}, .nchw = rng_below(rng, 2) == 0};
	random_ref(&ch->now, rng, dims, 4);
	ref_init(&x, dims, 4);
	memcpy(x.v, ch->now.v, x.count * sizeof(*x.v));
	to_layout(&x, ch->nchw);
	snprintf(ch->names[0], sizeof(ch->names[0]), "x");
	check_placeholder(&ch->c, "x", &x, DTYPE_FLOAT);
	ref_release(&x);
}

/* All that is made in between may be asked for too: then nothing can be fused. */
static void chain_end(struct chain *ch, bool expose)
{
	const char *outputs[ARRAY_LEN(ch->names)];
	struct tensor *out[ARRAY_LEN(ch->names)];
	const size_t n = expose ? ch->n : 1;

	for (size_t i = 0; i < n; i++)
		outputs[i] = ch->names[ch->n - i];
	check_run(&ch->c, outputs, n, out);
	to_layout(&ch->now, ch->nchw);
	assert_close(out[0], &ch->now, 1e-4, 1e-4);
	for (size_t i = 0; i < n; i++)
		tensor_unref(out[i]);
	ref_release(&ch->now);
}

static void random_block(struct chain *ch)
{
	struct rng *rng = ch->c.rng;
	const int64_t kernel = 1 + 2 * (int64_t)rng_below(rng, 2), stride = 1 + (int64_t)rng_below(rng, 2);
	const bool depthwise = rng_below(rng, 2) == 0;

	chain_conv(ch, kernel, stride, depthwise ? 1 : random_channels(rng), depthwise, rng_below(rng, 3) == 0);
	switch (rng_below(rng, 5)) {
	case 0:
		chain_batch_norm(ch);
		break;
	case 1:
		chain_bias(ch);
		break;
	case 2:
		chain_affine(ch, "Mul");
		chain_affine(ch, "Add");
		break;
	case 3:
		chain_bias(ch);
		chain_batch_norm(ch);
		break;
	default:
		break;
	}
	if (rng_below(rng, 4) != 0)
		chain_activation(ch, rng_below(rng, ARRAY_LEN(activations)));
}

static void fused_and_unfused_chains_match_reference(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct rng rng;
		struct chain ch;

		rng_init(&rng, 1000 + round / 2);
		chain_begin(&ch, &rng, (int64_t[]){1 + (int64_t)(round % 6 / 2), 9, 7, random_channels(&rng)});
		random_block(&ch);
		random_block(&ch);
		chain_end(&ch, round % 2 != 0);
	}
}

static void residual_and_joined_blocks_match_reference(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct rng rng;
		struct chain ch;
		struct ref kept;
		char from[8];

		rng_init(&rng, 2000 + round / 2);
		const int64_t channels = random_channels(&rng);
		chain_begin(&ch, &rng, (int64_t[]){2, 6, 5, channels});
		chain_conv(&ch, 3, 1, channels, false, false);
		chain_bias(&ch);
		if (rng_below(&rng, 2) == 0)
			chain_activation(&ch, 0);
		memcpy(from, chain_top(&ch), sizeof(from));
		ref_init(&kept, ch.now.dims, 4);
		memcpy(kept.v, ch.now.v, kept.count * sizeof(*kept.v));
		for (int i = 0; i < 2; i++) {
			chain_conv(&ch, 1 + 2 * i, 1, channels, false, false);
			if (rng_below(&rng, 2) == 0)
				chain_batch_norm(&ch);
		}
		chain_residual(&ch, from, &kept);
		if (rng_below(&rng, 2) == 0)
			chain_activation(&ch, rng_below(&rng, 2));
		if (rng_below(&rng, 2) == 0)
			chain_concat(&ch, from, &kept, (unsigned)rng_below(&rng, 4));
		if (rng_below(&rng, 2) == 0)
			chain_conv(&ch, 1, 1, 16, false, false);
		ref_release(&kept);
		chain_end(&ch, round % 2 != 0);
	}
}

/* A result of another shape than the convolution's: not every addition is a residual. */
static void added_images_may_broadcast(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 8; round++) {
		struct check c = {0};
		struct window_case w = {.kind = SAME, .kernel = {1, 1}, .strides = {1, 1}, .dilations = {1, 1}};
		struct ref x, other, weights, y, sum;
		struct rng rng;

		rng_init(&rng, 50 + round);
		c.rng = &rng;
		const bool smaller = round % 2 == 0;
		random_ref(&x, &rng, smaller ? (int64_t[]){2, 4, 3, 8} : (int64_t[]){2, 1, 1, 8}, 4);
		random_ref(&other, &rng, smaller ? (int64_t[]){2, 1, 1, 8} : (int64_t[]){2, 4, 3, 8}, 4);
		random_ref(&weights, &rng, (int64_t[]){1, 1, 8, 8}, 4);
		w.out[0] = x.dims[1];
		w.out[1] = x.dims[2];
		ref_conv(&y, &x, &weights, false, &w);
		ref_init(&sum, (int64_t[]){2, 4, 3, 8}, 4);
		for (size_t i = 0; i < sum.count; i++) {
			const size_t small = i / 96 * 8 + i % 8;
			sum.v[i] = smaller ? y.v[i] + other.v[small] : y.v[small] + other.v[i];
		}
		check_placeholder(&c, "x", &x, DTYPE_FLOAT);
		check_placeholder(&c, "other", &other, DTYPE_FLOAT);
		check_constant(&c, "w", &weights, DTYPE_FLOAT);
		node_begin(&c.b, "conv", "Conv2D");
		node_input(&c.b, "x");
		node_input(&c.b, "w");
		write_window(&c.b, &w);
		node_end(&c.b);
		add_node(&c.b, "y", "Add", (const char *const[]){"other", "conv", NULL});
		check_result(&c, &sum, DTYPE_FLOAT, 1e-5, 1e-5);
		ref_release(&x);
		ref_release(&other);
		ref_release(&weights);
		ref_release(&y);
	}
}

static void local_response_is_normalised_over_channels(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 44);
	for (int round = 0; round < 20; round++) {
		struct check c = {.rng = &rng};
		const int64_t radius = (int64_t)rng_below(&rng, 4);
		struct ref x, y;
		int64_t at[REF_RANK] = {0};

		random_images(&x, &rng);
		ref_init(&y, x.dims, 4);
		do {
			double sum = 0.0;
			for (int64_t k = at[3] - radius; k <= at[3] + radius; k++) {
				if (k >= 0 && k < x.dims[3])
					sum += pow(*ref_at(&x, (int64_t[]){at[0], at[1], at[2], k}), 2.0);
			}
			*ref_at(&y, at) = *ref_at(&x, at) / pow(2.0 + 0.5 * sum, 0.75);
		} while (ref_next(&y, at));
		check_placeholder(&c, "x", &x, DTYPE_FLOAT);
		node_begin(&c.b, "y", "LRN");
		node_input(&c.b, "x");
		attr_int(&c.b, "depth_radius", radius);
		attr_float(&c.b, "bias", 2.0f);
		attr_float(&c.b, "alpha", 0.5f);
		attr_float(&c.b, "beta", 0.75f);
		node_end(&c.b);
		check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
	}
}

/* Everything above once more as on a processor with AVX2 only: oneDNN then chooses blocked layouts. */
static void other_layouts_give_the_same(void **state)
{
	int status;

	(void)state;
	if (getenv(REPEATED) != NULL)
		skip();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv(REPEATED, "1", 1);
		setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
		execl("/proc/self/exe", "test_convolution", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convolutions_match_reference),
		cmocka_unit_test(unusual_windows_match_reference),
		cmocka_unit_test(pools_match_reference),
		cmocka_unit_test(fused_and_unfused_chains_match_reference),
		cmocka_unit_test(residual_and_joined_blocks_match_reference),
		cmocka_unit_test(added_images_may_broadcast),
		cmocka_unit_test(local_response_is_normalised_over_channels),
		cmocka_unit_test(other_layouts_give_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
