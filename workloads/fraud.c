/*
 * fraud.c - the credit-card-fraud workload: one transaction in, the probabilities of two classes out.
 */
#include <math.h>
#include <stdlib.h>

#include "common/arith.h"
#include "workloads/fraud.h"
#include "workloads/workload.h"

/* How far a probability may lie outside of [0, 1], and their sum from 1: float32 softmax and then some. */
#define FRAUD_TOLERANCE 1e-3F

struct workload {
	struct workload_spec spec;
	struct workload_config config;
	size_t answer_size; /* bytes of a whole answer */
};

static void describe(struct workload_spec *spec, const struct workload_config *cfg)
{
	*spec = (struct workload_spec){
		.name = workload_fraud.name,
		.row_size = FRAUD_ROW_SIZE,
		.ninputs = cfg->reference ? 2 : 1,
		.inputs =
			{
				{
					.name = "transaction",
					.type = ELEMENT_FLOAT32,
					.ndims = 2,
					.dims = {1, FRAUD_FEATURES},
					.offset = FRAUD_TRANSACTION_OFFSET,
					.size = FRAUD_TRANSACTION_SIZE,
				},
				{
					.name = "reference",
					.type = ELEMENT_FLOAT32,
					.ndims = 2,
					.dims = {1, FRAUD_REFERENCES},
					.offset = FRAUD_REFERENCE_OFFSET,
					.size = FRAUD_REFERENCE_SIZE,
					.reference = true,
				},
			},
		/* AIBench's two nets name their output differently. */
		.output = cfg->reference ? "output" : "out",
		.output_values = FRAUD_CLASSES,
		.reference_tensor_prefix = "referenceTensor:",
		.reference_blob_prefix = "referenceBLOB:",
		.reference_offset = FRAUD_REFERENCE_OFFSET,
		.reference_size = FRAUD_REFERENCE_SIZE,
	};
}

static int fraud_open(struct workload **ret, const struct workload_config *cfg, struct error *err)
{
	struct workload *w;
	size_t size;

	if (cfg->batch == 0 || !size_mul(&size, cfg->batch, FRAUD_CLASSES * sizeof(float)))
		return error_set(err, ERR_RANGE, "a batch of %u rows is out of range", cfg->batch);
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_set(err, ERR_NOMEM, "out of memory");
	w->config = *cfg;
	w->answer_size = size;
	describe(&w->spec, cfg);
	*ret = w;
	return 0;
}

static const struct workload_spec *fraud_spec(const struct workload *w)
{
	return &w->spec;
}

static void fraud_fill(const struct workload *w, const void *rows, struct request *req)
{
	req->id = fraud_row_id(rows);
	req->inferences = w->config.batch;
	req->rows = rows;
	for (unsigned i = 0; i < w->spec.ninputs; i++) {
		req->inputs[i] = (struct view){
			.data = (const char *)rows + w->spec.inputs[i].offset,
			.size = w->spec.inputs[i].size,
			.stride = FRAUD_ROW_SIZE,
		};
	}
}

static int check_form(const struct workload *w, const struct answer *a, struct error *err)
{
	if (a->type != ELEMENT_FLOAT32)
		return error_set(err, ERR_WRONG, "the answer is not of float32 values");
	if (a->size != w->answer_size)
		return error_set(err, ERR_WRONG, "the answer has %zu bytes, not the %zu of %u x %d float32 values",
				 a->size, w->answer_size, w->config.batch, FRAUD_CLASSES);
	if (a->ndims == 0 || (a->ndims == 1 && w->config.batch == 1 && a->dims[0] == FRAUD_CLASSES))
		return 0;
	if (a->ndims != 2 || a->dims[0] != (int64_t)w->config.batch || a->dims[1] != FRAUD_CLASSES)
		return error_set(err, ERR_WRONG, "the answer's shape is not %u x %d", w->config.batch, FRAUD_CLASSES);
	return 0;
}

static int check_row(uint64_t id, const float p[FRAUD_CLASSES], struct error *err)
{
	float sum = 0;

	for (unsigned i = 0; i < FRAUD_CLASSES; i++) {
		/* Written so that a NaN fails. */
		if (!(p[i] >= -FRAUD_TOLERANCE && p[i] <= 1 + FRAUD_TOLERANCE))
			return error_set(err, ERR_WRONG, "row %llu: value %u is %g, not a probability",
					 (unsigned long long)id, i, (double)p[i]);
		sum += p[i];
	}
	if (!(fabsf(sum - 1) <= FRAUD_TOLERANCE))
		return error_set(err, ERR_WRONG, "row %llu: the probabilities sum to %g, not 1", (unsigned long long)id,
				 (double)sum);
	return 0;
}

static uint64_t fraud_request_row_id(const struct workload *w, const struct request *req, unsigned b)
{
	(void)w;
	return b == 0 ? req->id : fraud_row_id((const char *)req->rows + (size_t)b * FRAUD_ROW_SIZE);
}

static int fraud_check(const struct workload *w, const struct request *req, const struct answer *a, struct error *err)
{
	int r = check_form(w, a, err);

	for (unsigned b = 0; r == 0 && b < w->config.batch; b++) {
		float p[FRAUD_CLASSES];

		memcpy(p, (const char *)a->data + b * sizeof(p), sizeof(p));
		r = check_row(fraud_request_row_id(w, req, b), p, err);
	}
	return r;
}

static void fraud_close(struct workload *w)
{
	free(w);
}

const struct workload_ops workload_fraud = {
	.name = "creditcard-fraud",
	.open = fraud_open,
	.spec = fraud_spec,
	.fill = fraud_fill,
	.row_id = fraud_request_row_id,
	.check = fraud_check,
	.close = fraud_close,
};
