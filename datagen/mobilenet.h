/*
 * mobilenet.h - MobileNet V1 with seeded weights, without any file format.
 *
 * The net of Howard et al. (2017): a 3 x 3 convolution of stride 2, 13 pairs of a 3 x 3 convolution of each channel and
 * a 1 x 1 convolution over all of them, each followed by ReLU6; the mean over space, and 1001 classes with softmax.
 * Padding is SAME. The width multiplier scales the channels of every layer, to no fewer than 8. Batch norms are folded
 * into weights and biases.
 *
 * The weights are random, from a seed: they classify nothing. Each channel's sums were measured on seeded pictures and
 * its weights scaled by what was found, as batch norm does, so that activations neither vanish nor overflow anywhere
 * and answers differ from picture to picture. Pictures are expected as AIBench's, N x H x W x 3 from 0 to 1.
 */
#ifndef DATAGEN_MOBILENET_H
#define DATAGEN_MOBILENET_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"

#define MOBILENET_LAYERS 28 /* convolutions, the last one that of the classes */
#define MOBILENET_CLASSES 1001
#define MOBILENET_WIDTH_MAX 4.0
#define MOBILENET_RESOLUTION_MAX 4096

#define MOBILENET_INPUT "input"
#define MOBILENET_OUTPUT "MobilenetV1/Predictions/Reshape_1"
#define MOBILENET_NAME_MAX 64

enum mobilenet_kind { MOBILENET_FULL, MOBILENET_DEPTHWISE };

/* Weights are [kernel, kernel, inputs, outputs], DEPTHWISE [kernel, kernel, channels]; row major. */
struct mobilenet_layer {
	enum mobilenet_kind kind;
	char scope[MOBILENET_NAME_MAX]; /* of TensorFlow's names: "MobilenetV1/MobilenetV1/Conv2d_0" */
	unsigned kernel, stride, inputs, outputs;
	unsigned in_size, out_size; /* height and width */
	float *weights, *bias;
};

struct mobilenet {
	unsigned resolution;
	int64_t batch; /* -1: free */
	struct mobilenet_layer layers[MOBILENET_LAYERS];
	float *values; /* all weights and biases */
};

struct mobilenet_config {
	double width;        /* multiplier: above 0, up to MOBILENET_WIDTH_MAX */
	unsigned resolution; /* 1 to MOBILENET_RESOLUTION_MAX; the weights do not depend on it */
	int64_t batch;       /* -1: free */
	uint64_t seed;
};

/* ERR_INVALID, ERR_RANGE, ERR_NOMEM. The same seed and width make the same weights. */
int mobilenet_new(struct mobilenet **ret, const struct mobilenet_config *cfg, struct error *err) MUST_CHECK;
void mobilenet_free(struct mobilenet *net); /* NULL is a no-op */

/* The name of a layer's part, "scope/name"; returns buf. */
#define MOBILENET_PART_MAX (MOBILENET_NAME_MAX + 24)
const char *mobilenet_part(char buf[MOBILENET_PART_MAX], const char *scope, const char *name);

size_t mobilenet_weight_count(const struct mobilenet_layer *l);
/* Padding before and after that SAME means for this layer. */
void mobilenet_padding(const struct mobilenet_layer *l, unsigned *ret_before, unsigned *ret_after);

/* Appends a layer's weights as a format orders them, 4 bytes each, little endian. */
enum mobilenet_order {
	MOBILENET_HWIO, /* as they are; DEPTHWISE: [kernel, kernel, channels] */
	MOBILENET_OHWI, /* DEPTHWISE: the same as HWIO */
	MOBILENET_OIHW, /* DEPTHWISE: [channels, 1, kernel, kernel] */
};
void mobilenet_append_weights(struct buf *to, const struct mobilenet_layer *l, enum mobilenet_order order);
void mobilenet_append_floats(struct buf *to, const float *from, size_t n);

/* The buffer becomes the result, or, if it failed, is released. */
int mobilenet_finish(unsigned char **ret, size_t *ret_len, struct buf *b, struct error *err) MUST_CHECK;

/* mobilenet_calibrate.c: fills in weights and biases of a net whose layers are laid out. */
int mobilenet_calibrate(struct mobilenet *net, uint64_t seed) MUST_CHECK;

/* The file formats; *ret is malloc'd, the caller frees it. */
int mobilenet_write_tensorflow(unsigned char **ret, size_t *ret_len, const struct mobilenet *net,
			       struct error *err) MUST_CHECK;
int mobilenet_write_tflite(unsigned char **ret, size_t *ret_len, const struct mobilenet *net,
			   struct error *err) MUST_CHECK;
int mobilenet_write_onnx(unsigned char **ret, size_t *ret_len, const struct mobilenet *net,
			 struct error *err) MUST_CHECK;

#endif
