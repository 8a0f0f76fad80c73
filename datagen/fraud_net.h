/*
 * fraud_net.h - the weights of the generated fraud nets, without any file format.
 *
 * Four dense layers, 18, 27, 40 and 2 wide, as AIBench's own nets have: sigmoid after the first three, softmax after the
 * last. The net with reference data reads the 30 transaction values followed by the 256 reference values, so its answer
 * depends on the reference row; AIBench's ignored it. The weights are random, from a seed: they classify nothing, but
 * answers are spread over (0, 1) and differ from row to row.
 */
#ifndef DATAGEN_FRAUD_NET_H
#define DATAGEN_FRAUD_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/fraud.h"

#define FRAUD_NET_LAYERS 4
#define FRAUD_NET_VALUES_MAX 6881 /* weights and biases of all layers, with reference data */

/* y = x · weights + bias; weights are [inputs, outputs], row major. */
struct fraud_layer {
	unsigned inputs, outputs;
	const float *weights, *bias;
};

/* Holds pointers into itself: initialise it where it stays. */
struct fraud_net {
	bool reference;
	struct fraud_layer layers[FRAUD_NET_LAYERS];
	float values[FRAUD_NET_VALUES_MAX];
};

/* The same seed makes the same weights on every machine. */
void fraud_net_init(struct fraud_net *net, bool reference, uint64_t seed);

#endif
