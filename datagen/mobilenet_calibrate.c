/*
 * mobilenet_calibrate.c - weights of MobileNet V1 that keep every channel alive.
 *
 * Layer by layer: weights are drawn uniformly, a few seeded pictures are sent through, and each channel is scaled and
 * shifted so that its sums have the mean and deviation that batch norm would give them. Without that, the channels of
 * a random net of ReLUs grow ever more alike, and its answer hardly depends on the picture.
 *
 * Sums are plain loops in a fixed order, the only function of libm used is sqrt: the bits are the same wherever the
 * compiler may not fuse a multiplication with an addition, which on x86-64 it may not unless told to.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/rng.h"
#include "datagen/mobilenet.h"

#define PICTURES 8
#define PICTURE_SIZE 64
#define VARIANCE_MIN 1e-3 /* the epsilon of MobileNet's batch norm */
#define OFFSET 0.25       /* mean of a channel before ReLU6, in deviations: a little more than half of it is on */
#define LOGIT_DEVIATION 1.0

/* N x H x W x C */
struct maps {
	unsigned size, channels;
	float *v;
};

static size_t pixels(const struct maps *m)
{
	return (size_t)PICTURES * m->size * m->size;
}

static int maps_new(struct maps *m, unsigned size, unsigned channels)
{
	*m = (struct maps){.size = size, .channels = channels};
	m->v = calloc(pixels(m) * channels, sizeof(*m->v));
	return m->v != NULL ? 0 : ERR_NOMEM;
}

/* A coarse grid of colours, each cell shaded, under fine noise: structure of every size, as photos have. */
static void draw_pictures(struct maps *m, struct rng *rng)
{
	for (unsigned n = 0; n < PICTURES; n++) {
		const unsigned cell = 4u << n % 3;
		float colour[256][6];
		for (unsigned i = 0; i < 256; i++)
			rng_floats(rng, colour[i], 6);
		for (unsigned y = 0; y < m->size; y++) {
			for (unsigned x = 0; x < m->size; x++) {
				const float *c = colour[y / cell * (m->size / cell) + x / cell];
				float *to = m->v + ((size_t)n * m->size * m->size + y * m->size + x) * 3;
				float shade = (float)(x % cell + y % cell) / (float)(2 * cell);
				for (unsigned k = 0; k < 3; k++)
					to[k] = 0.7f * c[k] + 0.2f * c[3 + k] * shade + 0.1f * rng_float(rng);
			}
		}
	}
}

static void add_tap(const struct mobilenet_layer *l, const float *x, const float *weights, float *y)
{
	if (l->kind == MOBILENET_DEPTHWISE) {
		for (unsigned c = 0; c < l->inputs; c++)
			y[c] += x[c] * weights[c];
		return;
	}
	for (unsigned i = 0; i < l->inputs; i++) {
		for (unsigned o = 0; o < l->outputs; o++)
			y[o] += x[i] * weights[(size_t)i * l->outputs + o];
	}
}

/* l as it is for pictures of this size, without bias. */
static void convolve(const struct mobilenet_layer *l, const struct maps *in, struct maps *out)
{
	const size_t tap = mobilenet_weight_count(l) / l->kernel / l->kernel;
	unsigned before, after;

	mobilenet_padding(l, &before, &after);
	for (size_t p = 0; p < pixels(out); p++) {
		const size_t n = p / out->size / out->size;
		const unsigned row = (unsigned)(p / out->size % out->size), column = (unsigned)(p % out->size);
		for (unsigned k = 0; k < l->kernel * l->kernel; k++) {
			/* Beyond the edge before wraps around to far beyond the edge after. */
			const unsigned y = row * l->stride + k / l->kernel - before;
			const unsigned x = column * l->stride + k % l->kernel - before;
			if (y < in->size && x < in->size)
				add_tap(l, in->v + ((n * in->size + y) * in->size + x) * in->channels,
					l->weights + k * tap, out->v + p * out->channels);
		}
	}
}

static void measure(const struct maps *m, unsigned channel, double *ret_mean, double *ret_variance)
{
	const size_t n = pixels(m);
	double sum = 0.0, squares = 0.0;

	for (size_t p = 0; p < n; p++)
		sum += (double)m->v[p * m->channels + channel];
	*ret_mean = sum / (double)n;
	for (size_t p = 0; p < n; p++) {
		double difference = (double)m->v[p * m->channels + channel] - *ret_mean;
		squares += difference * difference;
	}
	*ret_variance = squares / (double)n;
}

static void scale_channel(struct mobilenet_layer *l, unsigned channel, double factor, double offset)
{
	const size_t stride = l->kind == MOBILENET_FULL ? l->outputs : l->inputs;

	for (size_t i = channel; i < mobilenet_weight_count(l); i += stride)
		l->weights[i] = (float)((double)l->weights[i] * factor);
	l->bias[channel] = (float)offset;
}

/* Batch norm folded in: each channel on its own. */
static void normalise(struct mobilenet_layer *l, struct maps *out)
{
	for (unsigned c = 0; c < l->outputs; c++) {
		double mean, variance;
		measure(out, c, &mean, &variance);
		const double factor = 1.0 / sqrt(variance + VARIANCE_MIN), offset = OFFSET - mean * factor;
		scale_channel(l, c, factor, offset);
		for (size_t p = c; p < pixels(out) * out->channels; p += out->channels) {
			double y = (double)out->v[p] * factor + offset;
			out->v[p] = (float)(y < 0.0 ? 0.0 : y > 6.0 ? 6.0 : y);
		}
	}
}

/* Logits have one scale for all classes, so that some may be likelier than others. */
static void normalise_logits(struct mobilenet_layer *l, const struct maps *out)
{
	double means[MOBILENET_CLASSES] = {0}, total = 0.0;

	for (unsigned c = 0; c < MOBILENET_CLASSES; c++) {
		double variance;
		measure(out, c, &means[c], &variance);
		total += variance;
	}
	const double factor = LOGIT_DEVIATION / sqrt(total / MOBILENET_CLASSES + VARIANCE_MIN * VARIANCE_MIN);
	for (unsigned c = 0; c < MOBILENET_CLASSES; c++)
		scale_channel(l, c, factor, -means[c] * factor);
}

static int mean_over_space(struct maps *m)
{
	const size_t area = (size_t)m->size * m->size;
	struct maps mean;
	int r = maps_new(&mean, 1, m->channels);

	if (r < 0)
		return r;
	for (size_t p = 0; p < pixels(m); p++) {
		for (unsigned c = 0; c < m->channels; c++)
			mean.v[p / area * m->channels + c] += m->v[p * m->channels + c] / (float)area;
	}
	free(m->v);
	*m = mean;
	return 0;
}

/* Uniform; its scale does not matter but for being measured well above VARIANCE_MIN. */
static void draw_weights(struct mobilenet_layer *l, struct rng *rng)
{
	const unsigned fan_in = l->kernel * l->kernel * (l->kind == MOBILENET_FULL ? l->inputs : 1);
	const double scale = sqrt(6.0 / fan_in);

	for (size_t i = 0; i < mobilenet_weight_count(l); i++)
		l->weights[i] = (float)(((double)rng_float(rng) * 2.0 - 1.0) * scale);
}

static int calibrate_layer(struct mobilenet_layer *l, bool last, struct maps *x, struct rng *rng)
{
	struct mobilenet_layer at = *l;
	struct maps y;

	at.in_size = x->size;
	at.out_size = (x->size + l->stride - 1) / l->stride;
	int r = maps_new(&y, at.out_size, l->outputs);
	if (r < 0)
		return r;
	draw_weights(l, rng);
	convolve(&at, x, &y);
	if (last)
		normalise_logits(l, &y);
	else
		normalise(l, &y);
	free(x->v);
	*x = y;
	return 0;
}

int mobilenet_calibrate(struct mobilenet *net, uint64_t seed)
{
	struct maps x;
	struct rng rng;
	int r = maps_new(&x, PICTURE_SIZE, 3);

	rng_init_at(&rng, seed, 0);
	if (r == 0)
		draw_pictures(&x, &rng);
	for (unsigned i = 0; i < MOBILENET_LAYERS && r == 0; i++) {
		const bool last = i == MOBILENET_LAYERS - 1;
		if (last)
			r = mean_over_space(&x);
		if (r == 0)
			r = calibrate_layer(&net->layers[i], last, &x, &rng);
	}
	free(x.v);
	return r;
}
