/*
 * fuzz_model.h - loads a model file of a format that names its own inputs and outputs: whatever loads also runs, and
 * every output is as large as it says. Memory is capped, so that the engine has to refuse what is too large.
 */
#ifndef FUZZ_ENGINE_FUZZ_MODEL_H
#define FUZZ_ENGINE_FUZZ_MODEL_H

#include <stdint.h>
#include <stdlib.h>

#include "engine/model.h"

#define SIZE_MAX_FUZZED 16384
#define INPUTS 4
#define OUTPUTS 4
#define MEMORY_MAX ((size_t)64 << 10)

static void require(int condition)
{
	if (!condition)
		abort();
}

static struct tensor *make_input(const struct model_tensor_info *info)
{
	int64_t dims[TENSOR_MAX_RANK] = {2, 3};
	unsigned rank = info->rank < 0 ? 2 : (unsigned)info->rank;
	struct tensor *t;

	if (rank > 4)
		rank = 4;
	for (unsigned i = 0; i < rank && info->rank >= 0; i++)
		dims[i] = info->dims[i] < 0 || info->dims[i] > 8 ? 2 : info->dims[i];
	if (tensor_new(&t, info->dtype, dims, rank, true, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < t->size && info->dtype != DTYPE_BOOL; i++)
		((uint8_t *)t->data)[i] = (uint8_t)(i % 4 == 3 ? 0x3f : i); /* floats near 1 */
	return t;
}

static size_t sum_bytes(const struct tensor *t)
{
	size_t sum = 0;

	for (size_t i = 0; i < t->size; i++)
		sum += ((const uint8_t *)t->data)[i];
	return sum;
}

static void run(struct model *m)
{
	struct tensor *in[INPUTS] = {NULL}, *out[OUTPUTS];
	struct model_context *c = NULL;
	size_t nin = model_ninputs(m), nout = model_noutputs(m);
	struct error err;

	if (nin > INPUTS || nout > OUTPUTS || model_context_new(&c, m, 1) < 0)
		return;
	for (size_t i = 0; i < nin; i++) {
		in[i] = make_input(model_input(m, i));
		if (in[i] == NULL)
			goto out;
	}
	for (int round = 0; round < 2; round++) {
		if (model_run(c, in, nin, out, nout, NULL, &err) < 0) {
			require(out[0] == NULL && err.text[0] != '\0');
			break;
		}
		for (size_t i = 0; i < nout; i++) {
			require(out[i]->dtype == model_output(m, i)->dtype);
			require(out[i]->size == out[i]->count * dtype_size(out[i]->dtype));
			require(sum_bytes(out[i]) < SIZE_MAX);
			tensor_unref(out[i]);
		}
	}
out:
	for (size_t i = 0; i < nin; i++)
		tensor_unref(in[i]);
	model_context_free(c);
}

static int fuzz_model(enum model_format format, const uint8_t *data, size_t size)
{
	const struct model_load_config cfg = {.format = format, .name = "fuzzed", .memory_max = MEMORY_MAX};
	struct model *m;
	struct error err;

	if (size > SIZE_MAX_FUZZED)
		return 0;
	if (model_load(&m, &cfg, data, size, NULL, NULL, &err) < 0) {
		require(err.text[0] != '\0');
		return 0;
	}
	run(m);
	model_free(m);
	return 0;
}

#endif
