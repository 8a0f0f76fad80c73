/*
 * http_triton_json.c - reads the request's JSON. Members may come in any order, so that an input's values are passed
 * over until its type is known.
 */
#include "servers/model_server/http_triton_json.h"

#include "servers/model_server/dtypes.h"
#include "servers/model_server/triton_parameter.h"

/* What the objects called "parameters" may say; others than these have no meaning here. */
struct parameters {
	bool has_size, says_binary, binary, binary_output;
	uint64_t size;
};

static int read_parameters(struct json_reader *r, struct parameters *ret)
{
	struct json_string name;
	const char *refused;

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		if (json_string_is(&name, "binary_data_size")) {
			ret->has_size = true;
			json_read_uint(r, &ret->size);
		} else if (json_string_is(&name, "binary_data")) {
			ret->says_binary = true;
			json_read_bool(r, &ret->binary);
		} else if (json_string_is(&name, "binary_data_output")) {
			json_read_bool(r, &ret->binary_output);
		} else if ((refused = triton_parameter_refused(name.text, name.len))) {
			json_fail(r, ERR_UNSUPPORTED, "%s", refused);
		} else {
			json_skip(r);
		}
	}
	return r->result;
}

static int read_datatype(struct json_reader *r, enum dtype *ret)
{
	struct json_string name;

	if (json_read_string(r, &name) == 0 && (!dtype_from_triton(ret, name.text, name.len) || *ret == DTYPE_STRING))
		json_fail(r, ERR_UNSUPPORTED, "datatype %.*s is not supported", (int)name.len, name.text);
	return r->result;
}

static int read_shape(struct json_reader *r, struct triton_input *in)
{
	for (json_enter(r, JSON_KIND_ARRAY); json_next_element(r);) {
		int64_t dim;

		if (in->rank == TENSOR_MAX_RANK)
			return json_fail(r, ERR_RANGE, "a shape of more than %d dimensions", TENSOR_MAX_RANK);
		if (json_read_int(r, &dim) == 0 && dim < 0)
			return json_fail(r, ERR_RANGE, "a negative dimension");
		in->dims[in->rank++] = dim;
	}
	return r->result;
}

/* Each member of an object at most once: a bit each. */
enum { HAS_NAME = 1, HAS_SHAPE = 2, HAS_DATATYPE = 4, HAS_DATA = 8, HAS_PARAMETERS = 16 };

static int once(struct json_reader *r, unsigned *seen, unsigned member)
{
	if (*seen & member)
		return json_fail(r, ERR_FORMAT, "the same member twice");
	*seen |= member;
	return 0;
}

static int read_input(struct json_reader *r, struct triton_input *in)
{
	struct parameters p = {0};
	struct json_string name;
	unsigned seen = 0;

	*in = (struct triton_input){.rank = 0};
	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		if (json_string_is(&name, "name")) {
			once(r, &seen, HAS_NAME);
			json_read_string(r, &in->name);
		} else if (json_string_is(&name, "shape")) {
			once(r, &seen, HAS_SHAPE);
			read_shape(r, in);
		} else if (json_string_is(&name, "datatype")) {
			once(r, &seen, HAS_DATATYPE);
			read_datatype(r, &in->dtype);
		} else if (json_string_is(&name, "data")) {
			once(r, &seen, HAS_DATA);
			in->data = *r;
			json_skip(r);
		} else if (json_string_is(&name, "parameters")) {
			once(r, &seen, HAS_PARAMETERS);
			read_parameters(r, &p);
		} else {
			json_skip(r);
		}
	}
	if (r->result == 0 && (seen & (HAS_NAME | HAS_SHAPE | HAS_DATATYPE)) != (HAS_NAME | HAS_SHAPE | HAS_DATATYPE))
		return json_fail(r, ERR_INVALID, "an input needs \"name\", \"shape\" and \"datatype\"");
	if (r->result == 0 && p.has_size == !!(seen & HAS_DATA))
		return json_fail(r, ERR_INVALID, "input '%.*s' must have either \"data\" or \"binary_data_size\"",
				 (int)in->name.len, in->name.text);
	in->binary = p.has_size;
	in->binary_size = p.size;
	return r->result;
}

static int read_inputs(struct json_reader *r, struct triton_inputs *inputs)
{
	for (json_enter(r, JSON_KIND_ARRAY); json_next_element(r);) {
		if (inputs->n == TRITON_TENSORS_MAX)
			return json_fail(r, ERR_RANGE, "more than %d inputs", TRITON_TENSORS_MAX);
		read_input(r, &inputs->list[inputs->n++]);
	}
	return r->result;
}

static int read_output(struct json_reader *r, struct triton_outputs *outputs)
{
	struct parameters p = {0};
	struct json_string member, name = {0};

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &member);) {
		if (json_string_is(&member, "name"))
			json_read_string(r, &name);
		else if (json_string_is(&member, "parameters"))
			read_parameters(r, &p);
		else
			json_skip(r);
	}
	if (r->result == 0 && !name.text)
		return json_fail(r, ERR_INVALID, "an output needs a \"name\"");
	outputs->list[outputs->n].name = name;
	outputs->list[outputs->n].says_binary = p.says_binary;
	outputs->list[outputs->n].binary = p.binary;
	outputs->n++;
	return r->result;
}

static int read_outputs(struct json_reader *r, struct triton_outputs *outputs)
{
	for (json_enter(r, JSON_KIND_ARRAY); json_next_element(r);) {
		if (outputs->n == TRITON_TENSORS_MAX)
			return json_fail(r, ERR_RANGE, "more than %d outputs", TRITON_TENSORS_MAX);
		read_output(r, outputs);
	}
	return r->result;
}

int triton_json_read(struct triton_json *ret, char *text, size_t len, struct error *err)
{
	struct parameters p = {0};
	struct json_string name;
	struct json_reader r;

	ret->id = (struct json_string){0};
	ret->inputs.n = ret->outputs.n = 0;
	json_open(&r, text, len, err);
	for (json_enter(&r, JSON_KIND_OBJECT); json_next_member(&r, &name);) {
		if (json_string_is(&name, "id"))
			json_read_string(&r, &ret->id);
		else if (json_string_is(&name, "parameters"))
			read_parameters(&r, &p);
		else if (json_string_is(&name, "inputs"))
			read_inputs(&r, &ret->inputs);
		else if (json_string_is(&name, "outputs"))
			read_outputs(&r, &ret->outputs);
		else
			json_skip(&r);
	}
	ret->binary_output = p.binary_output;
	return json_close(&r);
}
