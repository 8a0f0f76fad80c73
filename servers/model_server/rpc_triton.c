/*
 * rpc_triton.c - inference.GRPCInferenceService/ModelInfer.
 *
 * ModelInferRequest {model_name 1, model_version 2, id 3, parameters 4, inputs 5, outputs 6, raw_input_contents 7};
 * ModelInferResponse {model_name 1, model_version 2, id 3, parameters 4, outputs 5, raw_output_contents 6}.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "servers/model_server/dtypes.h"
#include "servers/model_server/rpc.h"
#include "servers/model_server/rpc_triton.h"
#include "servers/model_server/triton_parameter.h"
#include "servers/model_server/wire_tensor.h"

/* A request's repeated fields, found in one pass. */
struct request {
	struct wire name, version, id;
	struct wire inputs[RPC_TENSORS_MAX], raw[RPC_TENSORS_MAX], outputs[RPC_TENSORS_MAX];
	size_t ninputs, nraw, noutputs;
};

/* -1: no number that a version could have. */
static int64_t parse_version(struct wire text)
{
	int64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		int digit = text.data[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -1;
	}
	return text.len && value == 0 ? -1 : value;
}

bool triton_acquire(struct rpc *c, struct wire name, struct wire version, struct served_model **ret)
{
	int64_t number = parse_version(version);
	struct error err;
	int r;

	if (number < 0) {
		rpc_fail(c, RPC_INVALID_ARGUMENT,
			 "failed to get model version from specified version string '%.*s': an integral number is "
			 "expected",
			 version.len < 256 ? (int)version.len : 255, (const char *)version.data);
		return false;
	}
	r = repository_acquire(ret, c->repository, name.data ? (const char *)name.data : "", name.len, number,
			       DIALECT_TRITON, &err);
	if (r < 0)
		rpc_fail_code(c, r, &err);
	return r == 0;
}

static bool add(struct wire *list, size_t *n, struct wire part)
{
	if (*n == RPC_TENSORS_MAX)
		return false;
	list[(*n)++] = part;
	return true;
}

static bool read_request(struct request *q, struct wire message)
{
	struct wire_field f;
	bool room = true;
	int r;

	q->name = q->version = q->id = (struct wire){NULL, 0};
	q->ninputs = q->nraw = q->noutputs = 0;
	while (room && (r = wire_next(&message, &f)) == 1) {
		if (f.type != WIRE_BYTES)
			continue;
		if (f.number == 1)
			q->name = f.bytes;
		else if (f.number == 2)
			q->version = f.bytes;
		else if (f.number == 3)
			q->id = f.bytes;
		else if (f.number == 5)
			room = add(q->inputs, &q->ninputs, f.bytes);
		else if (f.number == 6)
			room = add(q->outputs, &q->noutputs, f.bytes);
		else if (f.number == 7)
			room = add(q->raw, &q->nraw, f.bytes);
	}
	return room && r == 0;
}

static int bad_input(struct inference *inf, const struct wire_tensor *t, int r)
{
	int len = t->name.len < 256 ? (int)t->name.len : 255;
	const char *name = t->name.data ? (const char *)t->name.data : "";

	if (r == ERR_FORMAT)
		error_set(&inf->error, r, "input '%.*s' for model '%s' is malformed", len, name, inf->model->name);
	else if (!t->typed || r == ERR_UNSUPPORTED)
		error_set(&inf->error, r, "input '%.*s' for model '%s': data-type '%.*s' is not supported", len, name,
			  inf->model->name, t->datatype.len < 32 ? (int)t->datatype.len : 32,
			  t->datatype.data ? (const char *)t->datatype.data : "");
	else if (r == ERR_INVALID)
		error_set(&inf->error, r,
			  "unexpected total byte size for input '%.*s' for model '%s': it is not that of "
			  "its shape",
			  len, name, inf->model->name);
	else
		error_set(&inf->error, r, "input '%.*s' for model '%s': %s", len, name, inf->model->name,
			  error_message(r));
	return inf->result = r == ERR_NOMEM ? r : ERR_INVALID;
}

/* Of an input or output, its map of parameters in this field. What is malformed is told by who reads the rest. */
static int check_parameters(struct inference *inf, struct wire tensor, uint32_t number)
{
	struct wire_field f, entry;
	const char *refused = NULL;

	while (!refused && wire_next(&tensor, &f) == 1) {
		if (!wire_is(&f, number, WIRE_BYTES))
			continue;
		while (!refused && wire_next(&f.bytes, &entry) == 1) {
			if (wire_is(&entry, 1, WIRE_BYTES))
				refused = triton_parameter_refused((const char *)entry.bytes.data, entry.bytes.len);
		}
	}
	if (!refused)
		return 0;
	error_set(&inf->error, ERR_INVALID, "%s", refused);
	return inf->result = ERR_INVALID;
}

/* Of an input that is elsewhere there are no raw contents: it is told first. */
static int check_inputs(struct inference *inf, const struct request *q)
{
	int r = 0;

	for (size_t i = 0; i < q->ninputs && r == 0; i++)
		r = check_parameters(inf, q->inputs[i], 4);
	if (r < 0 || q->nraw == 0 || q->nraw == q->ninputs)
		return r;
	error_set(&inf->error, ERR_INVALID, "expected %zu raw_input_contents for model '%s', got %zu: one an input",
		  q->ninputs, inf->model->name, q->nraw);
	return inf->result = ERR_INVALID;
}

static int add_input(struct rpc *c, struct wire input, const struct wire *raw)
{
	struct inference *inf = c->inference;
	struct wire_tensor t = {0};
	struct tensor *tensor;
	int r = wire_tensor_read_triton(&t, input), i;

	if (r < 0)
		return bad_input(inf, &t, r);
	if (raw) {
		t.content = *raw;
		if (t.values.len) {
			error_set(&inf->error, ERR_INVALID,
				  "contents field must not be specified when using raw_input_contents for '%.*s' for "
				  "model '%s'",
				  t.name.len < 256 ? (int)t.name.len : 255, (const char *)t.name.data,
				  inf->model->name);
			return inf->result = ERR_INVALID;
		}
	}
	if (!t.typed)
		return bad_input(inf, &t, ERR_UNSUPPORTED);
	i = inference_find(inf, t.name.data ? (const char *)t.name.data : "", t.name.len, t.dtype, t.dims, t.rank);
	if (i < 0)
		return i;
	r = wire_tensor_make_triton(&tensor, &t, c->tensor_max);
	if (r < 0)
		return bad_input(inf, &t, r);
	inference_set(inf, (size_t)i, tensor);
	return 0;
}

static int add_output(struct rpc *c, struct wire output)
{
	struct inference *inf = c->inference;
	struct wire name = {NULL, 0};
	struct wire_field f;
	int r = check_parameters(inf, output, 2), i;

	if (r < 0)
		return r;
	while ((r = wire_next(&output, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES))
			name = f.bytes;
	}
	i = r == 0 && name.data ? served_model_output(inf->model, (const char *)name.data, name.len) : ERR_NOT_FOUND;
	if (i >= 0) {
		c->outputs[c->noutputs++] = (uint16_t)i;
		return 0;
	}
	error_set(&inf->error, ERR_INVALID, "unexpected inference output '%.*s' for model '%s'",
		  name.len < 256 ? (int)name.len : 255, name.data ? (const char *)name.data : "", inf->model->name);
	return inf->result = ERR_INVALID;
}

static void encode_head(struct buf *b, const struct inference *inf, size_t i)
{
	const struct tensor *t = inf->out[i];
	size_t output = wire_begin(b, 5), shape;

	wire_put_string(b, 1, inf->model->outputs[i].name);
	wire_put_string(b, 2, dtype_triton_name(t->dtype));
	shape = wire_begin(b, 3);
	for (unsigned k = 0; k < t->rank; k++)
		wire_put_packed(b, (uint64_t)t->dims[k]);
	wire_end(b, shape);
	wire_end(b, output);
}

static void encode(struct rpc *c)
{
	const struct inference *inf = c->inference;
	size_t n = c->noutputs ? c->noutputs : inf->model->noutputs;
	char version[24];

	snprintf(version, sizeof(version), "%" PRId64, inf->model->version);
	wire_put_bytes(&c->reply, 1, c->name.data, c->name.len);
	wire_put_string(&c->reply, 2, version);
	if (c->id.len)
		wire_put_bytes(&c->reply, 3, c->id.data, c->id.len);
	for (size_t i = 0; i < n; i++)
		encode_head(&c->reply, inf, c->noutputs ? c->outputs[i] : i);
	for (size_t i = 0; i < n; i++) {
		const struct tensor *t = inf->out[c->noutputs ? c->outputs[i] : i];

		wire_put_bytes(&c->reply, 6, t->data, t->size);
	}
}

bool rpc_model_infer(struct rpc *c)
{
	struct served_model *m;
	struct request q;
	int r;

	if (!read_request(&q, c->request))
		return rpc_malformed(c);
	if (!triton_acquire(c, q.name, q.version, &m))
		return true;
	r = inference_new(&c->inference, m, DIALECT_TRITON);
	if (r < 0) {
		served_model_unref(m);
		return rpc_fail_code(c, r, NULL);
	}
	c->name = q.name;
	c->id = q.id;
	c->noutputs = 0;
	r = check_inputs(c->inference, &q);
	for (size_t i = 0; i < q.ninputs && r == 0; i++)
		r = add_input(c, q.inputs[i], q.nraw ? &q.raw[i] : NULL);
	for (size_t i = 0; i < q.noutputs && r == 0; i++)
		r = add_output(c, q.outputs[i]);
	return rpc_run(c, encode);
}
