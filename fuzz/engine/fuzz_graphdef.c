/*
 * GraphDef: whatever loads also runs, on its own placeholders and with its last node as output, and every output is
 * as large as it says. Memory is capped, so that the engine has to refuse what is too large.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model.h"
#include "proto/tensorflow.pb-c.h"

#define SIZE_MAX_FUZZED 16384
#define INPUTS 4
#define MEMORY_MAX ((size_t)64 << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

	for (unsigned i = 0; i < rank && info->rank >= 0; i++)
		dims[i] = info->dims[i] < 0 || info->dims[i] > 8 ? 2 : info->dims[i];
	if (rank > 4)
		rank = 4;
	if (tensor_new(&t, info->dtype, dims, rank, true, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < t->size && info->dtype != DTYPE_BOOL; i++)
		((uint8_t *)t->data)[i] = (uint8_t)(i % 4 == 3 ? 0x3f : i); /* floats near 1 */
	return t;
}

static void run(struct model *m)
{
	struct tensor *in[INPUTS] = {NULL}, *out = NULL;
	struct model_context *c = NULL;
	size_t n = model_ninputs(m), bytes = 0;
	struct error err;

	if (model_context_new(&c, m, 1) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		in[i] = make_input(model_input(m, i));
		if (in[i] == NULL)
			goto out;
	}
	for (int round = 0; round < 2; round++) {
		if (model_run(c, in, n, &out, 1, NULL, &err) < 0) {
			require(out == NULL && err.text[0] != '\0');
			break;
		}
		require(out->dtype == model_output(m, 0)->dtype && out->size == out->count * dtype_size(out->dtype));
		for (size_t i = 0; i < out->size; i++)
			bytes += ((const uint8_t *)out->data)[i];
		tensor_unref(out);
	}
	require(bytes < SIZE_MAX);
out:
	for (size_t i = 0; i < n; i++)
		tensor_unref(in[i]);
	model_context_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *inputs[INPUTS], *output;
	size_t ninputs = 0;
	struct model *m;
	struct error err;

	if (size > SIZE_MAX_FUZZED)
		return 0;
	Tensorflow__GraphDef *def = tensorflow__graph_def__unpack(NULL, size, data);
	if (def == NULL || def->n_node == 0)
		goto out;
	for (size_t i = 0; i < def->n_node && ninputs < INPUTS; i++) {
		if (strcmp(def->node[i]->op, "Placeholder") == 0)
			inputs[ninputs++] = def->node[i]->name;
	}
	output = def->node[def->n_node - 1]->name;
	const struct model_load_config cfg = {.format = MODEL_TENSORFLOW,
					      .name = "fuzzed",
					      .io = {inputs, ninputs, &output, 1},
					      .memory_max = MEMORY_MAX};
	if (model_load(&m, &cfg, data, size, NULL, NULL, &err) < 0) {
		require(err.text[0] != '\0');
		goto out;
	}
	run(m);
	model_free(m);
out:
	if (def != NULL)
		tensorflow__graph_def__free_unpacked(def, NULL);
	return 0;
}
