/*
 * vision.c - the image-classification workload: B images in as one tensor, B rows of class probabilities out.
 */
#include "workloads/vision.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

/* How far a probability may lie outside of [0, 1], and an image's sum from 1. */
#define TOLERANCE 1e-3F
/* Values summed side by side: a thousand additions one after the other would cost more than the request's syscalls. */
#define LANES 16

struct workload {
	struct workload_spec spec;
	struct workload_config config;
};

static void describe(struct workload_spec *spec)
{
	*spec = (struct workload_spec){
		.name = workload_vision.name,
		.row_size = VISION_ROW_SIZE,
		.anonymous = true,
		.ninputs = 1,
		.inputs = {{
			.name = "image",
			.type = ELEMENT_FLOAT32,
			.ndims = 4,
			.dims = {1, VISION_IMAGE_SIDE, VISION_IMAGE_SIDE, VISION_IMAGE_CHANNELS},
			.size = VISION_ROW_SIZE,
		}},
		.output = "MobilenetV1/Predictions/Reshape_1",
		.output_values = VISION_CLASSES,
	};
}

static int vision_open(struct workload **ret, const struct workload_config *cfg, struct error *err)
{
	struct workload *w;
	size_t size;

	if (cfg->reference)
		return error_set(err, ERR_UNSUPPORTED,
				 "the images have no reference data: leave -enable-reference-data-redis out");
	if (cfg->batch == 0 || !size_mul(&size, cfg->batch, VISION_ROW_SIZE))
		return error_set(err, ERR_RANGE, "a batch of %u images is out of range", cfg->batch);
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_set(err, ERR_NOMEM, "out of memory");
	w->config = *cfg;
	describe(&w->spec);
	*ret = w;
	return 0;
}

static const struct workload_spec *vision_spec(const struct workload *w)
{
	return &w->spec;
}

static void vision_fill(const struct workload *w, const void *rows, struct request *req)
{
	req->inferences = w->config.batch;
	req->rows = rows;
	req->inputs[0] = (struct view){.data = rows, .size = VISION_ROW_SIZE, .stride = VISION_ROW_SIZE};
}

/* B rows of how many classes? 0: it is no such answer. */
static size_t count_classes(const struct workload *w, const struct answer *a)
{
	size_t batch = w->config.batch, n = a->size / sizeof(float) / batch;
	uint64_t of_dims = 1;

	if (n < 2 || n * batch * sizeof(float) != a->size)
		return 0;
	for (unsigned i = 0; i < a->ndims; i++) {
		if (a->dims[i] <= 0 || __builtin_mul_overflow(of_dims, (uint64_t)a->dims[i], &of_dims))
			return 0;
	}
	if (a->ndims > 0 && (of_dims != n * batch || (batch > 1 && a->dims[0] != (int64_t)batch)))
		return 0;
	return n;
}

/* The sum of n values, or NaN if one of them is no probability. */
static float sum_of_probabilities(const char *data, size_t n)
{
	float sums[LANES] = {0}, block[LANES], sum = 0;
	int outside[LANES] = {0}, any = 0;

	for (size_t i = 0; i < n; i += LANES) {
		size_t take = n - i < LANES ? n - i : LANES;

		if (take < LANES)
			memset(block, 0, sizeof(block));
		memcpy(block, data + i * sizeof(float), take * sizeof(float)); /* a reply's bytes are not aligned */
		for (unsigned k = 0; k < LANES; k++) {
			/* Written so that a NaN is outside. */
			outside[k] |= !((block[k] >= -TOLERANCE) & (block[k] <= 1 + TOLERANCE));
			sums[k] += block[k];
		}
	}
	for (unsigned k = 0; k < LANES; k++) {
		any |= outside[k];
		sum += sums[k];
	}
	return any ? NAN : sum;
}

static int check_image(uint64_t id, const char *data, size_t n, struct error *err)
{
	float sum = sum_of_probabilities(data, n);

	if (fabsf(sum - 1) <= TOLERANCE)
		return 0;
	for (size_t i = 0; i < n; i++) {
		float p;

		memcpy(&p, data + i * sizeof(p), sizeof(p));
		if (!(p >= -TOLERANCE && p <= 1 + TOLERANCE))
			return error_set(err, ERR_WRONG, "image %llu: value %zu is %g, not a probability",
					 (unsigned long long)id, i, (double)p);
	}
	return error_set(err, ERR_WRONG, "image %llu: the probabilities sum to %g, not 1", (unsigned long long)id,
			 (double)sum);
}

static uint64_t vision_row_id(const struct workload *w, const struct request *req, unsigned b)
{
	(void)w;
	return req->id + b;
}

static int vision_check(const struct workload *w, const struct request *req, const struct answer *a, struct error *err)
{
	size_t n;
	int r = 0;

	if (a->type != ELEMENT_FLOAT32)
		return error_set(err, ERR_WRONG, "the answer is not of float32 values");
	n = count_classes(w, a);
	if (n == 0)
		return error_set(err, ERR_WRONG,
				 "the answer, %zu bytes, is not the float32 probabilities of 2 or more classes for %u "
				 "images",
				 a->size, w->config.batch);
	for (unsigned b = 0; r == 0 && b < w->config.batch; b++) {
		const char *data = (const char *)a->data + b * n * sizeof(float);

		r = check_image(vision_row_id(w, req, b), data, n, err);
	}
	return r;
}

static void vision_close(struct workload *w)
{
	free(w);
}

const struct workload_ops workload_vision = {
	.name = "vision-image-classification",
	.short_name = "vision",
	.open = vision_open,
	.spec = vision_spec,
	.fill = vision_fill,
	.row_id = vision_row_id,
	.check = vision_check,
	.close = vision_close,
};
