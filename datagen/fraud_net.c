/*
 * fraud_net.c - seeded weights that keep every layer's sums where a sigmoid is neither flat nor linear.
 *
 * Weights are multiples of 2^-11 times a scale of few bits, means are integers or halves: every product and every sum
 * below is exact in double, so neither the order of the additions nor fused multiplication can change a bit.
 */
#include "datagen/fraud_net.h"

#include "common/rng.h"

#define TIME_SCALE 0x1p-16  /* Time's standard deviation is 47,488 */
#define AMOUNT_SCALE 0x1p-8 /* Amount's is 250 */
#define TIME_MEAN 94816.0
#define AMOUNT_MEAN 88.0
#define REFERENCE_MEAN 0.5
#define HIDDEN_MEAN 0.5 /* of a sigmoid */

#define WIDTH_MAX 40
static const unsigned widths[FRAUD_NET_LAYERS] = {18, 27, 40, FRAUD_CLASSES};

/* Where an input of a layer usually is, and how large its weights are at the most. */
struct input_form {
	double mean, scale;
};

static struct input_form input_form(unsigned layer, unsigned i)
{
	if (layer == FRAUD_NET_LAYERS - 1)
		return (struct input_form){HIDDEN_MEAN, 1.0};
	if (layer > 0)
		return (struct input_form){HIDDEN_MEAN, 2.0};
	if (i == 0)
		return (struct input_form){TIME_MEAN, TIME_SCALE};
	if (i == FRAUD_FEATURES - 1)
		return (struct input_form){AMOUNT_MEAN, AMOUNT_SCALE};
	if (i < FRAUD_FEATURES)
		return (struct input_form){0.0, 0.5};
	return (struct input_form){REFERENCE_MEAN, 0.375};
}

/* Uniform in [-1, 1), 12 bits. */
static double draw(struct rng *r)
{
	return (double)((int64_t)(rng_next(r) >> 52) - 2048) * 0x1p-11;
}

/* Weights around zero, and a bias that takes away what the inputs' means add up to: the sums lie around zero. */
static float *fill_layer(struct fraud_net *net, unsigned number, float *values, unsigned inputs, struct rng *rng)
{
	unsigned outputs = widths[number];
	float *weights = values, *bias = values + (size_t)inputs * outputs;
	double expected[WIDTH_MAX] = {0};

	for (unsigned i = 0; i < inputs; i++) {
		struct input_form form = input_form(number, i);

		for (unsigned o = 0; o < outputs; o++) {
			double weight = draw(rng) * form.scale;

			weights[(size_t)i * outputs + o] = (float)weight;
			expected[o] += weight * form.mean;
		}
	}
	for (unsigned o = 0; o < outputs; o++)
		bias[o] = (float)(draw(rng) * 0.25 - expected[o]);
	net->layers[number] = (struct fraud_layer){inputs, outputs, weights, bias};
	return bias + outputs;
}

void fraud_net_init(struct fraud_net *net, bool reference, uint64_t seed)
{
	unsigned inputs = FRAUD_FEATURES + (reference ? FRAUD_REFERENCES : 0);
	float *values = net->values;
	struct rng rng;

	rng_init_at(&rng, seed, reference);
	net->reference = reference;
	for (unsigned l = 0; l < FRAUD_NET_LAYERS; l++) {
		values = fill_layer(net, l, values, inputs, &rng);
		inputs = widths[l];
	}
}

_Static_assert(FRAUD_NET_VALUES_MAX == (FRAUD_FEATURES + FRAUD_REFERENCES + 1) * 18 + (18 + 1) * 27 + (27 + 1) * 40 +
					       (40 + 1) * FRAUD_CLASSES,
	       "room for every weight and bias");
