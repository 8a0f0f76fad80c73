/*
 * rpc_triton_model.c - health, metadata and statistics of the Open Inference Protocol and of Triton.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "common/version.h"
#include "servers/model_server/dtypes.h"
#include "servers/model_server/rpc.h"
#include "servers/model_server/rpc_triton.h"

bool triton_read_question(struct rpc *c, struct wire *ret_name, struct wire *ret_version)
{
	struct wire rest = c->request;
	struct wire_field f;
	int r;

	*ret_name = *ret_version = (struct wire){NULL, 0};
	while ((r = wire_next(&rest, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES))
			*ret_name = f.bytes;
		else if (wire_is(&f, 2, WIRE_BYTES))
			*ret_version = f.bytes;
	}
	return r == 0 || !rpc_malformed(c);
}

bool rpc_server_live(struct rpc *c)
{
	wire_put_varint(&c->reply, 1, 1);
	return true;
}

bool rpc_server_ready(struct rpc *c)
{
	wire_put_varint(&c->reply, 1, repository_ready(c->repository));
	return true;
}

bool rpc_model_ready(struct rpc *c)
{
	struct wire name, version;
	struct served_model *m;

	if (!triton_read_question(c, &name, &version))
		return true;
	if (!triton_acquire(c, name, version, &m)) {
		if (c->status != RPC_NOT_FOUND)
			return true;
		c->status = RPC_OK;
		wire_put_varint(&c->reply, 1, 0);
		return true;
	}
	served_model_unref(m);
	wire_put_varint(&c->reply, 1, 1);
	return true;
}

bool rpc_server_metadata(struct rpc *c)
{
	static const char *const extensions[] = {"binary_tensor_data", "model_configuration", "statistics"};

	wire_put_string(&c->reply, 1, "aibench_model_server");
	wire_put_string(&c->reply, 2, AIBENCH_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
		wire_put_string(&c->reply, 3, extensions[i]);
	return true;
}

static void write_tensors(struct buf *b, uint32_t number, const struct model_tensor_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t tensor = wire_begin(b, number), shape;

		wire_put_string(b, 1, infos[i].name);
		wire_put_string(b, 2, dtype_triton_name(infos[i].dtype));
		shape = wire_begin(b, 3);
		/* The protocol knows no shape of unknown rank: one free dimension stands for it. */
		if (infos[i].rank < 0)
			wire_put_packed(b, (uint64_t)-1);
		for (int k = 0; k < infos[i].rank; k++)
			wire_put_packed(b, (uint64_t)infos[i].dims[k]);
		wire_end(b, shape);
		wire_end(b, tensor);
	}
}

void triton_put_version(struct buf *b, uint32_t number, int64_t version)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, version);
	wire_put_string(b, number, text);
}

bool rpc_model_metadata(struct rpc *c)
{
	struct repository_entry *entries;
	struct wire name, version;
	struct served_model *m;
	size_t n;
	int r;

	if (!triton_read_question(c, &name, &version) || !triton_acquire(c, name, version, &m))
		return true;
	r = repository_list(&entries, &n, c->repository, m->name, strlen(m->name));
	if (r < 0) {
		served_model_unref(m);
		return rpc_fail_code(c, r, NULL);
	}
	wire_put_bytes(&c->reply, 1, name.data, name.len);
	for (size_t i = 0; i < n; i++) {
		if (entries[i].model)
			triton_put_version(&c->reply, 2, entries[i].version);
	}
	wire_put_string(&c->reply, 3, m->platform);
	write_tensors(&c->reply, 4, m->inputs, m->ninputs);
	write_tensors(&c->reply, 5, m->outputs, m->noutputs);
	repository_list_free(entries, n);
	served_model_unref(m);
	return true;
}

static uint64_t load(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void write_duration(struct buf *b, uint32_t number, const struct duration_counter *d)
{
	size_t message = wire_begin(b, number);

	wire_put_varint(b, 1, load(&d->count));
	wire_put_varint(b, 2, load(&d->ns));
	wire_end(b, message);
}

/* name: as the request has it, which may be an alias; empty: the model's own. */
static void write_statistics(struct buf *b, const struct served_model *m, struct wire name)
{
	const struct model_counters *k = &m->counters;
	size_t model = wire_begin(b, 1), stats;

	if (name.len)
		wire_put_bytes(b, 1, name.data, name.len);
	else
		wire_put_string(b, 1, m->name);
	triton_put_version(b, 2, m->version);
	wire_put_varint(b, 3, load(&k->last_inference_ms));
	wire_put_varint(b, 4, load(&k->inference_count));
	wire_put_varint(b, 5, load(&k->execution_count));
	stats = wire_begin(b, 6);
	write_duration(b, 1, &k->success);
	write_duration(b, 2, &k->fail);
	write_duration(b, 3, &k->queue);
	write_duration(b, 4, &k->compute_input);
	write_duration(b, 5, &k->compute_infer);
	write_duration(b, 6, &k->compute_output);
	wire_end(b, stats);
	wire_end(b, model);
}

/* Without a name: of every model; without a version: of each of its versions. */
bool rpc_model_statistics(struct rpc *c)
{
	struct repository_entry *entries;
	struct wire name, version;
	struct served_model *m;
	size_t n;
	int r;

	if (!triton_read_question(c, &name, &version))
		return true;
	if (name.len) {
		if (!triton_acquire(c, name, version, &m))
			return true;
		if (version.len)
			write_statistics(&c->reply, m, name);
		served_model_unref(m);
		if (version.len)
			return true;
	}
	r = repository_list(&entries, &n, c->repository, name.len ? (const char *)name.data : NULL, name.len);
	if (r < 0)
		return rpc_fail_code(c, r, NULL);
	for (size_t i = 0; i < n; i++) {
		if (entries[i].model)
			write_statistics(&c->reply, entries[i].model, name);
	}
	repository_list_free(entries, n);
	return true;
}
