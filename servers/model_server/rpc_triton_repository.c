/*
 * rpc_triton_repository.c - what Triton's models are configured as, and which there are. Models are loaded and
 * unloaded by what is in the folders, not by calls.
 *
 * Field numbers are those of model_config.proto and grpc_service.proto (triton-inference-server/common).
 */
#include <string.h>

#include "servers/model_server/dtypes.h"
#include "servers/model_server/rpc.h"
#include "servers/model_server/rpc_triton.h"

#define KIND_CPU 2

/* ModelInput {name 1, data_type 2, dims 4}; ModelOutput has its dims under 3. As config.pbtxt has them: without the batch
 * where max_batch_size says that there is one in front. */
static void write_tensors(struct buf *b, uint32_t number, uint32_t dims_number, const struct served_model *m,
			  const struct model_tensor_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t tensor = wire_begin(b, number), dims;

		wire_put_string(b, 1, infos[i].name);
		wire_put_varint(b, 2, (uint64_t)dtype_triton_config(infos[i].dtype));
		dims = wire_begin(b, dims_number);
		if (infos[i].rank < 0)
			wire_put_packed(b, (uint64_t)-1);
		for (int k = m->max_batch_size && infos[i].rank > 0; k < infos[i].rank; k++)
			wire_put_packed(b, (uint64_t)infos[i].dims[k]);
		wire_end(b, dims);
		wire_end(b, tensor);
	}
}

/* ModelDynamicBatching {preferred_batch_size 1, max_queue_delay_microseconds 2}, as it is in force: -batch-size comes
 * before config.pbtxt, and a model that cannot be batched has none. */
static void write_batching(struct buf *b, uint32_t number, const struct batching *batching)
{
	size_t message, sizes;

	if (!batching->size)
		return;
	message = wire_begin(b, number);
	sizes = wire_begin(b, 1);
	if (batching->min_size && batching->min_size < batching->size)
		wire_put_packed(b, batching->min_size);
	wire_put_packed(b, batching->size);
	wire_end(b, sizes);
	wire_put_varint(b, 2, (uint64_t)(batching->min_timeout / NSEC_PER_USEC));
	wire_end(b, message);
}

/* ModelConfigResponse {config 1: ModelConfig {name 1, platform 2, max_batch_size 4, input 5, output 6,
 * instance_group 7 {count 2, kind 4}, dynamic_batching 11}}. */
bool rpc_model_config(struct rpc *c)
{
	struct wire name, version;
	struct served_model *m;
	size_t config, group;

	if (!triton_read_question(c, &name, &version) || !triton_acquire(c, name, version, &m))
		return true;
	config = wire_begin(&c->reply, 1);
	wire_put_bytes(&c->reply, 1, name.data, name.len);
	wire_put_string(&c->reply, 2, m->platform);
	wire_put_varint(&c->reply, 4, m->max_batch_size);
	write_tensors(&c->reply, 5, 4, m, m->inputs, m->ninputs);
	write_tensors(&c->reply, 6, 3, m, m->outputs, m->noutputs);
	group = wire_begin(&c->reply, 7);
	wire_put_varint(&c->reply, 2, queue_threads(m->queue));
	wire_put_varint(&c->reply, 4, KIND_CPU);
	wire_end(&c->reply, group);
	write_batching(&c->reply, 11, &m->batching);
	wire_end(&c->reply, config);
	served_model_unref(m);
	return true;
}

/* RepositoryIndexRequest {repository_name 1, ready 2}: there is one repository, and no name of it is asked for. */
static bool wants_ready_only(struct rpc *c, bool *ret)
{
	struct wire rest = c->request;
	struct wire_field f;
	int r;

	*ret = false;
	while ((r = wire_next(&rest, &f)) == 1) {
		if (wire_is(&f, 2, WIRE_VARINT))
			*ret = f.value != 0;
	}
	return r == 0 || !rpc_malformed(c);
}

/* RepositoryIndexResponse {models 1: {name 1, version 2, state 3, reason 4}}. */
bool rpc_repository_index(struct rpc *c)
{
	struct repository_entry *entries;
	bool ready_only;
	size_t n;
	int r;

	if (!wants_ready_only(c, &ready_only))
		return true;
	r = repository_list(&entries, &n, c->repository, NULL, 0);
	if (r < 0)
		return rpc_fail_code(c, r, NULL);
	for (size_t i = 0; i < n; i++) {
		const struct repository_entry *e = &entries[i];
		bool ready = e->state == SERVED_AVAILABLE;
		size_t model;

		if (ready_only && !ready)
			continue;
		model = wire_begin(&c->reply, 1);
		wire_put_string(&c->reply, 1, e->name);
		triton_put_version(&c->reply, 2, e->version);
		wire_put_string(&c->reply, 3, ready ? "READY" : "UNAVAILABLE");
		wire_put_string(&c->reply, 4, e->error.text);
		wire_end(&c->reply, model);
	}
	repository_list_free(entries, n);
	return true;
}
