/*
 * mobilenet.c - the layers of MobileNet V1, and their weights in the orders of the file formats.
 */
#include "datagen/mobilenet.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS_MIN 8
#define PAIRS 13

/* Of the 13 pairs: the stride of the depthwise and the width of the 1 x 1 convolution. */
static const struct {
	unsigned stride, outputs;
} pairs[PAIRS] = {{1, 64},  {2, 128}, {1, 128}, {2, 256}, {1, 256},  {2, 512}, {1, 512},
		  {1, 512}, {1, 512}, {1, 512}, {1, 512}, {2, 1024}, {1, 1024}};

static unsigned scaled(unsigned channels, double width)
{
	unsigned n = (unsigned)((double)channels * width);

	return n > CHANNELS_MIN ? n : CHANNELS_MIN;
}

const char *mobilenet_part(char buf[MOBILENET_PART_MAX], const char *scope, const char *name)
{
	snprintf(buf, MOBILENET_PART_MAX, "%s/%s", scope, name);
	return buf;
}

size_t mobilenet_weight_count(const struct mobilenet_layer *l)
{
	return (size_t)l->kernel * l->kernel * l->inputs * (l->kind == MOBILENET_FULL ? l->outputs : 1);
}

void mobilenet_padding(const struct mobilenet_layer *l, unsigned *ret_before, unsigned *ret_after)
{
	unsigned reach = (l->out_size - 1) * l->stride + l->kernel;
	unsigned total = reach > l->in_size ? reach - l->in_size : 0;

	*ret_before = total / 2;
	*ret_after = total - total / 2;
}

/* Follows on the layer before it; returns the size of its output. */
static unsigned lay_out(struct mobilenet_layer *l, enum mobilenet_kind kind, unsigned kernel, unsigned stride,
			unsigned inputs, unsigned outputs, unsigned size)
{
	l->kind = kind;
	l->kernel = kernel;
	l->stride = stride;
	l->inputs = inputs;
	l->outputs = outputs;
	l->in_size = size;
	l->out_size = (size + stride - 1) / stride;
	return l->out_size;
}

static void lay_out_all(struct mobilenet *net, double width)
{
	struct mobilenet_layer *l = net->layers;
	unsigned channels = scaled(32, width);
	unsigned size = lay_out(l, MOBILENET_FULL, 3, 2, 3, channels, net->resolution);

	snprintf(l++->scope, MOBILENET_NAME_MAX, "MobilenetV1/MobilenetV1/Conv2d_0");
	for (unsigned i = 0; i < PAIRS; i++) {
		unsigned outputs = scaled(pairs[i].outputs, width);
		size = lay_out(l, MOBILENET_DEPTHWISE, 3, pairs[i].stride, channels, channels, size);
		snprintf(l++->scope, MOBILENET_NAME_MAX, "MobilenetV1/MobilenetV1/Conv2d_%u_depthwise", i + 1);
		size = lay_out(l, MOBILENET_FULL, 1, 1, channels, outputs, size);
		snprintf(l++->scope, MOBILENET_NAME_MAX, "MobilenetV1/MobilenetV1/Conv2d_%u_pointwise", i + 1);
		channels = outputs;
	}
	lay_out(l, MOBILENET_FULL, 1, 1, channels, MOBILENET_CLASSES, 1);
	snprintf(l->scope, MOBILENET_NAME_MAX, "MobilenetV1/Logits/Conv2d_1c_1x1");
}

static int allocate(struct mobilenet *net)
{
	size_t count = 0;

	for (unsigned i = 0; i < MOBILENET_LAYERS; i++)
		count += mobilenet_weight_count(&net->layers[i]) + net->layers[i].outputs;
	net->values = calloc(count, sizeof(*net->values));
	if (net->values == NULL)
		return ERR_NOMEM;
	float *next = net->values;
	for (unsigned i = 0; i < MOBILENET_LAYERS; i++) {
		struct mobilenet_layer *l = &net->layers[i];
		l->weights = next;
		l->bias = next + mobilenet_weight_count(l);
		next = l->bias + l->outputs;
	}
	return 0;
}

int mobilenet_new(struct mobilenet **ret, const struct mobilenet_config *cfg, struct error *err)
{
	if (!(cfg->width > 0.0 && cfg->width <= MOBILENET_WIDTH_MAX))
		return error_set(err, ERR_RANGE, "a width multiplier of %g: must be above 0 and at most %g", cfg->width,
				 MOBILENET_WIDTH_MAX);
	if (cfg->resolution < 1 || cfg->resolution > MOBILENET_RESOLUTION_MAX)
		return error_set(err, ERR_RANGE, "a resolution of %u: must be 1 to %d", cfg->resolution,
				 MOBILENET_RESOLUTION_MAX);
	if (cfg->batch != -1 && (cfg->batch < 1 || cfg->batch > INT32_MAX))
		return error_set(err, ERR_RANGE, "a batch of %lld: must be positive, or -1 where it is free",
				 (long long)cfg->batch);
	struct mobilenet *net = calloc(1, sizeof(*net));
	int r = ERR_NOMEM;
	if (net == NULL)
		goto out;
	net->resolution = cfg->resolution;
	net->batch = cfg->batch;
	lay_out_all(net, cfg->width);
	r = allocate(net);
	if (r == 0)
		r = mobilenet_calibrate(net, cfg->seed);
	if (r < 0)
		goto out;
	*ret = net;
	return 0;
out:
	mobilenet_free(net);
	return error_set(err, (enum error_code)r, "MobileNet V1: %s", error_message(r));
}

void mobilenet_free(struct mobilenet *net)
{
	if (net == NULL)
		return;
	free(net->values);
	free(net);
}

static void put_float(char *to, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	bits = htole32(bits);
	memcpy(to, &bits, sizeof(bits));
}

/* Room for n floats at the buffer's end; NULL out of memory, which the buffer remembers. */
static char *room_for(struct buf *to, size_t n)
{
	if (buf_reserve(to, 4 * n) < 0)
		return NULL;
	char *room = to->data + to->len;
	to->len += 4 * n;
	to->data[to->len] = '\0';
	return room;
}

void mobilenet_append_floats(struct buf *to, const float *from, size_t n)
{
	char *room = room_for(to, n);

	for (size_t i = 0; room != NULL && i < n; i++)
		put_float(room + 4 * i, from[i]);
}

void mobilenet_append_weights(struct buf *to, const struct mobilenet_layer *l, enum mobilenet_order order)
{
	const size_t area = (size_t)l->kernel * l->kernel, outputs = l->outputs;
	const size_t inputs = l->kind == MOBILENET_FULL ? l->inputs : 1;
	const size_t outer_count = order == MOBILENET_OHWI ? area : inputs;
	const size_t inner_count = order == MOBILENET_OHWI ? inputs : area;

	if (order == MOBILENET_HWIO || (order == MOBILENET_OHWI && l->kind == MOBILENET_DEPTHWISE)) {
		mobilenet_append_floats(to, l->weights, mobilenet_weight_count(l));
		return;
	}
	char *room = room_for(to, mobilenet_weight_count(l));
	for (size_t o = 0; o < outputs && room != NULL; o++) {
		for (size_t outer = 0; outer < outer_count; outer++) {
			for (size_t inner = 0; inner < inner_count; inner++, room += 4) {
				const size_t tap = order == MOBILENET_OHWI ? outer : inner;
				const size_t input = order == MOBILENET_OHWI ? inner : outer;
				put_float(room, l->weights[(tap * inputs + input) * outputs + o]);
			}
		}
	}
}

int mobilenet_finish(unsigned char **ret, size_t *ret_len, struct buf *b, struct error *err)
{
	if (b->failed) {
		buf_release(b);
		return error_set(err, ERR_NOMEM, "out of memory for the model");
	}
	*ret = (unsigned char *)b->data;
	*ret_len = b->len;
	return 0;
}
