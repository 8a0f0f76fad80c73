/*
 * rpc_tensorflow.c - tensorflow.serving.PredictionService/Predict.
 *
 * PredictRequest {model_spec 1, map inputs 2, output_filter 3}; PredictResponse {map outputs 1, model_spec 2}.
 */

#include "common/text.h"
#include "servers/model_server/rpc.h"
#include "servers/model_server/wire_tensor.h"

bool model_spec_read(struct model_spec *ret, struct wire message)
{
	struct model_spec spec = {0};
	struct wire_field f, v;
	int r;

	while ((r = wire_next(&message, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES))
			spec.name = f.bytes;
		else if (wire_is(&f, 3, WIRE_BYTES))
			spec.signature = f.bytes;
		else if (wire_is(&f, 4, WIRE_BYTES))
			spec.label = f.bytes;
		else if (wire_is(&f, 2, WIRE_BYTES))
			while ((r = wire_next(&f.bytes, &v)) == 1)
				if (wire_is(&v, 1, WIRE_VARINT))
					spec.version = (int64_t)v.value;
		if (r < 0)
			return false;
	}
	*ret = spec;
	return r == 0;
}

bool model_spec_find(struct rpc *c, struct model_spec *ret)
{
	struct wire rest = c->request;
	struct model_spec spec = {0};
	struct wire_field f;
	int r;

	while ((r = wire_next(&rest, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES) && !model_spec_read(&spec, f.bytes))
			break;
	}
	if (r != 0) {
		rpc_malformed(c);
		return false;
	}
	*ret = spec;
	return true;
}

void model_spec_write(struct buf *b, uint32_t number, const struct model_spec *spec, int64_t version)
{
	size_t message = wire_begin(b, number), value;

	wire_put_bytes(b, 1, spec->name.data, spec->name.len);
	value = wire_begin(b, 2);
	wire_put_varint(b, 1, (uint64_t)version);
	wire_end(b, value);
	wire_put_string(b, 3, SIGNATURE_NAME);
	wire_end(b, message);
}

bool model_spec_version(struct rpc *c, const struct model_spec *spec, int64_t *ret)
{
	struct error err;
	int r;

	if (spec->name.len == 0) {
		rpc_fail(c, RPC_INVALID_ARGUMENT, "Missing ModelSpec: the model's name is not given");
		return false;
	}
	*ret = spec->version;
	if (spec->label.len == 0)
		return true;
	r = repository_label(ret, c->repository, (const char *)spec->name.data, spec->name.len,
			     (const char *)spec->label.data, spec->label.len, &err);
	return r == 0 || !rpc_fail_code(c, r, &err);
}

static bool is_served_signature(struct wire name)
{
	return name.len == 0 || bytes_equal(name.data, name.len, SIGNATURE_NAME);
}

/* The inference for the request's model; false: the call has failed. */
static bool begin(struct rpc *c, const struct model_spec *spec)
{
	struct served_model *m;
	struct error err;
	int64_t version;
	int r;

	if (!model_spec_version(c, spec, &version))
		return false;
	r = repository_acquire(&m, c->repository, (const char *)spec->name.data, spec->name.len, version,
			       DIALECT_TENSORFLOW, &err);
	if (r < 0)
		return !rpc_fail_code(c, r, &err);
	if (!is_served_signature(spec->signature)) {
		served_model_unref(m);
		return !rpc_fail(
			c, RPC_FAILED_PRECONDITION, "Serving signature name: \"%.*s\" not found in signature def",
			spec->signature.len < 256 ? (int)spec->signature.len : 255, (const char *)spec->signature.data);
	}
	r = inference_new(&c->inference, m, DIALECT_TENSORFLOW);
	if (r < 0) {
		served_model_unref(m);
		return !rpc_fail_code(c, r, NULL);
	}
	return true;
}

/* What is wrong with an input that has been found. */
static int bad_input(struct inference *inf, int r, const struct wire *name, const struct wire_tensor *t)
{
	const char *what = "the tensor is malformed";
	int len = name->len < 256 ? (int)name->len : 255;

	if (r == ERR_UNSUPPORTED)
		what = "tensors of this type are not supported";
	else if (r == ERR_RANGE)
		what = "the tensor has too many dimensions or is larger than a message may be";
	else if (r == ERR_INVALID)
		what = "the tensor's shape does not suit its content";
	else if (r == ERR_NOMEM)
		what = error_message(r);
	if (t && !t->typed)
		error_set(&inf->error, ERR_INVALID, "input '%.*s': data type %d is not supported", len, name->data,
			  t->dt);
	else
		error_set(&inf->error, ERR_INVALID, "input '%.*s': %s", len, name->data, what);
	return inf->result = r == ERR_NOMEM ? r : ERR_INVALID;
}

static int add_input(struct rpc *c, struct wire entry)
{
	struct inference *inf = c->inference;
	struct wire name = {(const unsigned char *)"", 0}, value = {0};
	struct wire_tensor t = {0};
	struct wire_field f;
	struct tensor *tensor;
	int r, i;

	while ((r = wire_next(&entry, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES))
			name = f.bytes;
		else if (wire_is(&f, 2, WIRE_BYTES))
			value = f.bytes;
	}
	if (r == 0)
		r = wire_tensor_read_tensorflow(&t, value);
	if (r < 0)
		return bad_input(inf, r, &name, NULL);
	if (!t.typed)
		return bad_input(inf, ERR_UNSUPPORTED, &name, &t);
	i = inference_find(inf, (const char *)name.data, name.len, t.dtype, t.dims, t.rank);
	if (i < 0)
		return i;
	r = wire_tensor_make_tensorflow(&tensor, &t, c->tensor_max);
	if (r < 0)
		return bad_input(inf, r, &name, &t);
	inference_set(inf, (size_t)i, tensor);
	return 0;
}

static int add_filter(struct rpc *c, struct wire name)
{
	struct inference *inf = c->inference;
	int i = served_model_output(inf->model, (const char *)name.data, name.len);

	if (i >= 0 && c->noutputs < RPC_TENSORS_MAX) {
		c->outputs[c->noutputs++] = (uint16_t)i;
		return 0;
	}
	error_set(&inf->error, ERR_INVALID, "output tensor alias not found in signature: %.*s",
		  name.len < 256 ? (int)name.len : 255, (const char *)name.data);
	return inf->result = ERR_INVALID;
}

static void encode_output(struct rpc *c, size_t i)
{
	const struct inference *inf = c->inference;
	size_t entry = wire_begin(&c->reply, 1);

	wire_put_string(&c->reply, 1, inf->model->outputs[i].name);
	wire_tensor_write_tensorflow(&c->reply, 2, inf->out[i]);
	wire_end(&c->reply, entry);
}

static void encode(struct rpc *c)
{
	const struct served_model *m = c->inference->model;
	const struct model_spec spec = {.name = c->name};

	for (size_t i = 0; i < c->noutputs; i++)
		encode_output(c, c->outputs[i]);
	for (size_t i = 0; c->noutputs == 0 && i < m->noutputs; i++)
		encode_output(c, i);
	model_spec_write(&c->reply, 2, &spec, m->version);
}

/* The model must be known before the inputs are: a first pass finds its specification and that all is well-formed. */
bool rpc_predict(struct rpc *c)
{
	struct wire rest = c->request;
	struct model_spec spec;
	struct wire_field f;
	int r = 0;

	if (!model_spec_find(c, &spec) || !begin(c, &spec))
		return true;
	c->name = spec.name;
	c->noutputs = 0;
	while (r == 0 && wire_next(&rest, &f) == 1) {
		if (wire_is(&f, 2, WIRE_BYTES))
			r = add_input(c, f.bytes);
		else if (wire_is(&f, 3, WIRE_BYTES))
			r = add_filter(c, f.bytes);
	}
	return rpc_run(c, encode);
}
