/*
 * rpc_tensorflow_model.c - TensorFlow Serving's GetModelMetadata and GetModelStatus.
 */
#include <inttypes.h>

#include "common/text.h"
#include "servers/model_server/dtypes.h"
#include "servers/model_server/rpc.h"

/* A map of tensorflow.TensorInfo. */
static void write_infos(struct buf *b, uint32_t number, const struct model_tensor_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t entry = wire_begin(b, number), info, shape;

		wire_put_string(b, 1, infos[i].name);
		info = wire_begin(b, 2);
		wire_put_string(b, 1, infos[i].name);
		wire_put_varint(b, 2, (uint64_t)dtype_to_tensorflow(infos[i].dtype));
		shape = wire_begin(b, 3);
		for (int k = 0; k < infos[i].rank; k++) {
			size_t dim = wire_begin(b, 2);

			wire_put_varint(b, 1, (uint64_t)infos[i].dims[k]);
			wire_end(b, dim);
		}
		if (infos[i].rank < 0)
			wire_put_varint(b, 3, 1);
		wire_end(b, shape);
		wire_end(b, info);
		wire_end(b, entry);
	}
}

/* SignatureDefMap as google.protobuf.Any. */
static void write_signature(struct buf *b, uint32_t number, const struct served_model *m)
{
	size_t any = wire_begin(b, number), map, entry, signature;

	wire_put_string(b, 1, "type.googleapis.com/tensorflow.serving.SignatureDefMap");
	map = wire_begin(b, 2);
	entry = wire_begin(b, 1);
	wire_put_string(b, 1, SIGNATURE_NAME);
	signature = wire_begin(b, 2);
	write_infos(b, 1, m->inputs, m->ninputs);
	write_infos(b, 2, m->outputs, m->noutputs);
	wire_put_string(b, 3, "tensorflow/serving/predict");
	wire_end(b, signature);
	wire_end(b, entry);
	wire_end(b, map);
	wire_end(b, any);
}

/* GetModelMetadataRequest {model_spec 1, metadata_field 2}; …Response {model_spec 1, map metadata 2}. */
bool rpc_get_model_metadata(struct rpc *c)
{
	static const char field[] = "signature_def";
	struct wire rest = c->request;
	struct model_spec spec = {0};
	struct served_model *m;
	struct wire_field f;
	struct error err;
	bool asked = false;
	int64_t version;
	size_t entry;
	int r;

	while ((r = wire_next(&rest, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES) && !model_spec_read(&spec, f.bytes))
			return rpc_malformed(c);
		if (!wire_is(&f, 2, WIRE_BYTES))
			continue;
		if (!bytes_equal(f.bytes.data, f.bytes.len, field))
			return rpc_fail(c, RPC_INVALID_ARGUMENT, "Metadata field %.*s is not supported",
					f.bytes.len < 256 ? (int)f.bytes.len : 255, (const char *)f.bytes.data);
		asked = true;
	}
	if (r < 0)
		return rpc_malformed(c);
	if (!asked)
		return rpc_fail(c, RPC_INVALID_ARGUMENT,
				"GetModelMetadataRequest must specify at least one metadata_field");
	if (!model_spec_version(c, &spec, &version))
		return true;
	r = repository_acquire(&m, c->repository, (const char *)spec.name.data, spec.name.len, version,
			       DIALECT_TENSORFLOW, &err);
	if (r < 0)
		return rpc_fail_code(c, r, &err);
	model_spec_write(&c->reply, 1, &spec, m->version);
	entry = wire_begin(&c->reply, 2);
	wire_put_string(&c->reply, 1, field);
	write_signature(&c->reply, 2, m);
	wire_end(&c->reply, entry);
	served_model_unref(m);
	return true;
}

static void write_status(struct buf *b, const struct repository_entry *e)
{
	size_t entry = wire_begin(b, 1), status;

	wire_put_varint(b, 1, (uint64_t)e->version);
	wire_put_varint(b, 2, e->state);
	status = wire_begin(b, 3);
	if (e->error.text[0]) {
		wire_put_varint(b, 1, RPC_INTERNAL);
		wire_put_string(b, 2, e->error.text);
	}
	wire_end(b, status);
	wire_end(b, entry);
}

/* GetModelStatusRequest {model_spec 1}; the highest version comes first. */
bool rpc_get_model_status(struct rpc *c)
{
	struct repository_entry *entries;
	struct model_spec spec;
	int64_t version;
	size_t n;
	int r;

	if (!model_spec_find(c, &spec) || !model_spec_version(c, &spec, &version))
		return true;
	r = repository_list(&entries, &n, c->repository, (const char *)spec.name.data, spec.name.len);
	if (r < 0)
		return rpc_fail_code(c, r, NULL);
	for (size_t i = n; i-- > 0;) {
		if (version == 0 || entries[i].version == version)
			write_status(&c->reply, &entries[i]);
	}
	repository_list_free(entries, n);
	if (c->reply.len)
		return true;
	if (version)
		return rpc_fail(c, RPC_NOT_FOUND, "Could not find version %" PRId64 " of model %.*s", version,
				spec.name.len < 256 ? (int)spec.name.len : 255, (const char *)spec.name.data);
	return rpc_fail(c, RPC_NOT_FOUND, "Could not find any versions of model %.*s",
			spec.name.len < 256 ? (int)spec.name.len : 255, (const char *)spec.name.data);
}
