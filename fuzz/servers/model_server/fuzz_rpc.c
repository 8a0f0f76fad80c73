/*
 * fuzz_rpc.c - request messages of every gRPC method; the first byte chooses it. The repository is an empty one, so that
 * inferences end once the model is looked up; their tensors are read as well.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "servers/model_server/rpc.h"
#include "servers/model_server/wire_tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TENSOR_MAX ((size_t)1 << 16)

static void read_tensors(struct wire message)
{
	struct wire_tensor t;
	struct tensor *made = NULL;

	if (wire_tensor_read_tensorflow(&t, message) == 0 && t.typed &&
	    wire_tensor_make_tensorflow(&made, &t, TENSOR_MAX) == 0) {
		struct buf again = {0};

		if (made->size > TENSOR_MAX)
			abort();
		wire_tensor_write_tensorflow(&again, 1, made);
		buf_release(&again);
		tensor_unref(made);
	}
	made = NULL;
	if (wire_tensor_read_triton(&t, message) == 0 && t.typed && wire_tensor_make_triton(&made, &t, TENSOR_MAX) == 0)
		tensor_unref(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct repository *repository;
	const struct repository_config config = {.models = NULL};
	struct rpc c = {.tensor_max = TENSOR_MAX};

	if (!repository && repository_new(&repository, &config, NULL) < 0)
		abort();
	if (size == 0)
		return 0;
	c.repository = repository;
	c.request = (struct wire){data + 1, size - 1};
	/* Without models nothing waits for a queue. */
	if (!rpc_methods[data[0] % rpc_nmethods].handle(&c))
		abort();
	buf_release(&c.reply);
	read_tensors((struct wire){data + 1, size - 1});
	return 0;
}
