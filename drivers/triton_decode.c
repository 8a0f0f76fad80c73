/*
 * triton_decode.c - the Open Inference Protocol's replies to an inference.
 */
#include <stdbool.h>
#include <string.h>

#include "common/json_reader.h"
#include "drivers/protobuf_reader.h"
#include "drivers/triton_codec.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are used as they lie in the replies");

#define FP32_CONTENTS 6

/* One output as a reply describes it. */
struct output {
	unsigned index; /* of the outputs, which is that of its raw bytes */
	bool is_fp32;
	unsigned ndims;
	int64_t dims[WORKLOAD_DIMS_MAX];
	const void *data; /* its values */
	size_t size;
	size_t offset; /* HTTP: of its bytes behind the JSON */
	bool raw;      /* HTTP: they are there */
};

static int no_output(const char *name, struct error *err)
{
	return name ? error_set(err, ERR_PROTOCOL, "the reply has no output \"%s\"", name)
		    : error_set(err, ERR_PROTOCOL, "the reply has no outputs");
}

static bool add_dimension(struct output *o, uint64_t value)
{
	if (o->ndims == WORKLOAD_DIMS_MAX || value > INT64_MAX)
		return false;
	o->dims[o->ndims++] = (int64_t)value;
	return true;
}

/* Datatype, shape and number of bytes must agree. */
static int answer_of(const struct output *o, size_t nvalues, struct answer *ret, struct error *err)
{
	uint64_t n = sizeof(float);

	if (!o->is_fp32)
		return error_set(err, ERR_PROTOCOL, "the reply's output is not of FP32 values");
	if (o->size > nvalues * sizeof(float))
		return error_set(err, ERR_PROTOCOL, "the reply has more than the %zu values that were expected at most",
				 nvalues);
	for (unsigned d = 0; d < o->ndims; d++) {
		if (__builtin_mul_overflow(n, (uint64_t)o->dims[d], &n))
			n = 0;
	}
	if (n == 0 || n != o->size)
		return error_set(err, ERR_PROTOCOL, "the reply's output has %zu bytes, which its shape does not fit",
				 o->size);
	*ret = (struct answer){.type = ELEMENT_FLOAT32, .ndims = o->ndims, .data = o->data, .size = o->size};
	memcpy(ret->dims, o->dims, sizeof(ret->dims));
	return 0;
}

/* ---- gRPC ---- */

static int malformed(struct error *err)
{
	return error_set(err, ERR_PROTOCOL, "the reply is no well-formed ModelInferResponse");
}

/* InferTensorContents; the values of one that has them in several pieces are refused: nobody writes that. */
static int read_contents(struct output *o, const struct protobuf_field *contents)
{
	struct protobuf_reader r = protobuf_begin(contents->data, contents->size);
	struct protobuf_field f;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (!protobuf_is(&f, FP32_CONTENTS, PROTOBUF_BYTES))
			continue;
		if (o->data)
			return ERR_FORMAT;
		o->data = f.data;
		o->size = f.size;
	}
	return more;
}

static int read_shape(struct output *o, const struct protobuf_field *f)
{
	struct protobuf_reader r = protobuf_begin(f->data, f->size);
	uint64_t value;
	int more;

	if (f->wire == PROTOBUF_VARINT)
		return add_dimension(o, f->value) ? 0 : ERR_FORMAT;
	while ((more = protobuf_packed_varint(&r, &value)) > 0) {
		if (!add_dimension(o, value))
			return ERR_FORMAT;
	}
	return more;
}

static int read_output(struct output *o, struct protobuf_field *ret_name, const struct protobuf_field *output)
{
	struct protobuf_reader r = protobuf_begin(output->data, output->size);
	struct protobuf_field f;
	int more, e = 0;

	*ret_name = (struct protobuf_field){.data = "", .size = 0};
	while (e == 0 && (more = protobuf_next(&r, &f)) != 0) {
		if (more < 0)
			return more;
		if (protobuf_is(&f, 1, PROTOBUF_BYTES))
			*ret_name = f;
		else if (protobuf_is(&f, 2, PROTOBUF_BYTES))
			o->is_fp32 = protobuf_equals(&f, "FP32");
		else if (f.number == 3 && (f.wire == PROTOBUF_VARINT || f.wire == PROTOBUF_BYTES))
			e = read_shape(o, &f);
		else if (protobuf_is(&f, 5, PROTOBUF_BYTES))
			e = read_contents(o, &f);
	}
	return e;
}

/* The bytes of raw_output_contents number index. False: there are fewer. */
static bool find_raw(const char *message, size_t size, struct output *o)
{
	struct protobuf_reader r = protobuf_begin(message, size);
	struct protobuf_field f;
	unsigned index = 0;

	while (protobuf_next(&r, &f) > 0) {
		if (!protobuf_is(&f, 6, PROTOBUF_BYTES) || index++ != o->index)
			continue;
		o->data = f.data;
		o->size = f.size;
		return true;
	}
	return false;
}

int triton_decode(const struct triton_form *form, const char *message, size_t size, float *values, size_t nvalues,
		  struct answer *ret, struct error *err)
{
	struct protobuf_reader r = protobuf_begin(message, size);
	struct protobuf_field f, name;
	struct output found = {0};
	unsigned index = 0;
	bool any = false;
	int more;

	(void)values;
	while ((more = protobuf_next(&r, &f)) > 0) {
		struct output o = {0};

		if (!protobuf_is(&f, 5, PROTOBUF_BYTES))
			continue;
		o.index = index++;
		if (read_output(&o, &name, &f) < 0)
			return malformed(err);
		if (any || (form->output && !protobuf_equals(&name, form->output)))
			continue;
		any = true;
		found = o;
	}
	if (more < 0)
		return malformed(err);
	if (!any)
		return no_output(form->output, err);
	if (!find_raw(message, size, &found) && !found.data)
		return error_set(err, ERR_PROTOCOL, "the reply's output has no values");
	return answer_of(&found, nvalues, ret, err);
}

int triton_ready(const char *message, size_t size, bool *ret)
{
	struct protobuf_reader r = protobuf_begin(message, size);
	struct protobuf_field f;
	bool ready = false;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (protobuf_is(&f, 1, PROTOBUF_VARINT))
			ready = f.value != 0;
	}
	if (more < 0)
		return ERR_PROTOCOL;
	*ret = ready;
	return 0;
}

/* ---- HTTP ---- */

static int read_json_shape(struct json_reader *r, struct output *o)
{
	for (json_enter(r, JSON_KIND_ARRAY); json_next_element(r);) {
		uint64_t value;

		if (json_read_uint(r, &value) == 0 && !add_dimension(o, value))
			json_fail(r, ERR_INVALID, "a shape of more than %d dimensions", WORKLOAD_DIMS_MAX);
	}
	return r->result;
}

static int read_parameters(struct json_reader *r, struct output *o)
{
	struct json_string name;
	uint64_t size;

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		if (!json_string_is(&name, "binary_data_size")) {
			json_skip(r);
		} else if (json_read_uint(r, &size) == 0) {
			o->size = size;
			o->raw = true;
		}
	}
	return r->result;
}

/* "data", flat or nested: its numbers in order. The shape says how they lie. */
static int read_data(struct json_reader *r, float *values, size_t nvalues, struct output *o)
{
	unsigned depth = json_enter(r, JSON_KIND_ARRAY) == 0;
	size_t n = 0;

	while (r->result == 0 && depth > 0) {
		if (!json_next_element(r))
			depth--;
		else if (json_kind(r) == JSON_KIND_ARRAY)
			depth += json_enter(r, JSON_KIND_ARRAY) == 0;
		else if (n == nvalues)
			json_fail(r, ERR_INVALID, "more than the %zu values that were expected at most", nvalues);
		else if (json_read_float(r, &values[n]) == 0)
			n++;
	}
	o->data = values;
	o->size = n * sizeof(float);
	return r->result;
}

static int read_json_output(struct json_reader *r, struct output *o, struct json_string *ret_name, float *values,
			    size_t nvalues)
{
	struct json_string name, type;

	*ret_name = (struct json_string){"", 0};
	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		if (json_string_is(&name, "name"))
			json_read_string(r, ret_name);
		else if (json_string_is(&name, "datatype"))
			o->is_fp32 = json_read_string(r, &type) == 0 && json_string_is(&type, "FP32");
		else if (json_string_is(&name, "shape"))
			read_json_shape(r, o);
		else if (json_string_is(&name, "parameters"))
			read_parameters(r, o);
		else if (json_string_is(&name, "data"))
			read_data(r, values, nvalues, o);
		else
			json_skip(r);
	}
	return r->result;
}

/* Finds the form's output and adds up where its bytes are behind the JSON. *ret_found: false where it is not there. */
static int find_json_output(struct json_reader *r, const struct triton_form *form, float *values, size_t nvalues,
			    struct output *ret, bool *ret_found)
{
	size_t offset = 0;

	*ret_found = false;
	json_find(r, "outputs");
	for (json_enter(r, JSON_KIND_ARRAY); json_next_element(r);) {
		struct output o = {.offset = offset};
		struct json_string name;

		if (read_json_output(r, &o, &name, values, nvalues) < 0)
			break;
		if (!form->output || json_string_is(&name, form->output)) {
			*ret = o;
			*ret_found = true;
			break;
		}
		if (o.raw && __builtin_add_overflow(offset, o.size, &offset))
			json_fail(r, ERR_INVALID, "outputs of more bytes than there can be");
	}
	return r->result;
}

int triton_decode_http(const struct triton_form *form, char *body, size_t size, int64_t json_size, float *values,
		       size_t nvalues, struct answer *ret, struct error *err)
{
	const size_t raw = json_size > 0 ? (size_t)json_size : size; /* where the binary part begins */
	struct output o = {0};
	struct json_reader r;
	struct error why;
	bool found;
	char behind;

	if (raw > size)
		return error_set(err, ERR_PROTOCOL, "the reply's Inference-Header-Content-Length is more than it has");
	behind = body[raw];
	if (behind != '\0')
		body[raw] = '\0';
	json_open(&r, body, raw, &why);
	find_json_output(&r, form, values, nvalues, &o, &found);
	if (behind != '\0')
		body[raw] = behind;
	if (r.result < 0)
		return error_set(err, ERR_PROTOCOL, "the reply is no well-formed JSON of an inference: %s", why.text);
	if (!found)
		return no_output(form->output, err);
	if (o.raw) {
		if (o.offset > size - raw || o.size > size - raw - o.offset)
			return error_set(err, ERR_PROTOCOL, "the reply is shorter than its outputs");
		o.data = body + raw + o.offset;
	}
	return answer_of(&o, nvalues, ret, err);
}
