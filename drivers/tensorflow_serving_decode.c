/*
 * tensorflow_serving_decode.c - what TensorFlow Serving answers: tensors and model states.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/json_reader.h"
#include "drivers/call_internal.h"
#include "drivers/protobuf_reader.h"
#include "drivers/tensorflow_serving_codec.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are used as they lie in the messages");

#define DT_FLOAT 1
#define STATE_AVAILABLE 30

/* A TensorProto under way. Its values are one view (data, size) as long as they lie together, else in `values`. */
struct tensor_reader {
	uint64_t dtype;
	unsigned ndims;
	int64_t dims[WORKLOAD_DIMS_MAX];
	bool has_shape;
	const void *data;
	size_t size;
	float *values;
	size_t nvalues;
};

static int malformed(struct error *err)
{
	return error_set(err, ERR_PROTOCOL, "the reply is no well-formed PredictResponse");
}

static int read_shape(struct tensor_reader *t, const struct protobuf_field *shape, struct error *err)
{
	struct protobuf_reader r = protobuf_begin(shape->data, shape->size);
	struct protobuf_field f;
	int more;

	t->has_shape = true;
	t->ndims = 0;
	while ((more = protobuf_next(&r, &f)) > 0) {
		struct protobuf_reader dim;
		struct protobuf_field size;
		int64_t value = 0;

		if (!protobuf_is(&f, 2, PROTOBUF_BYTES))
			continue;
		if (t->ndims == WORKLOAD_DIMS_MAX)
			return error_set(err, ERR_PROTOCOL, "the reply's tensor has more than %d dimensions",
					 WORKLOAD_DIMS_MAX);
		dim = protobuf_begin(f.data, f.size);
		while ((more = protobuf_next(&dim, &size)) > 0) {
			if (protobuf_is(&size, 1, PROTOBUF_VARINT))
				value = (int64_t)size.value;
		}
		if (more < 0 || value < 0)
			return malformed(err);
		t->dims[t->ndims++] = value;
	}
	return more < 0 ? malformed(err) : 0;
}

/* Some more values: a view when they are the first, else gathered behind those before. */
static int add_values(struct tensor_reader *t, const void *data, size_t size, struct error *err)
{
	size_t room = t->nvalues * sizeof(float);

	if (size == 0)
		return 0;
	if (size % sizeof(float) != 0)
		return error_set(err, ERR_PROTOCOL, "the reply's tensor has %zu bytes, which are no float32 values",
				 size);
	if (size > room || t->size > room - size)
		return error_set(err, ERR_PROTOCOL, "the reply has more than the %zu values that were expected at most",
				 t->nvalues);
	if (t->size == 0) {
		t->data = data;
		t->size = size;
		return 0;
	}
	if (t->data != t->values)
		memcpy(t->values, t->data, t->size);
	memcpy((char *)t->values + t->size, data, size);
	t->data = t->values;
	t->size += size;
	return 0;
}

static int read_tensor(struct tensor_reader *t, const struct protobuf_field *tensor, struct error *err)
{
	struct protobuf_reader r = protobuf_begin(tensor->data, tensor->size);
	struct protobuf_field f;
	int more, e = 0;

	while (e == 0 && (more = protobuf_next(&r, &f)) != 0) {
		if (more < 0)
			return malformed(err);
		if (protobuf_is(&f, 1, PROTOBUF_VARINT))
			t->dtype = f.value;
		else if (protobuf_is(&f, 2, PROTOBUF_BYTES))
			e = read_shape(t, &f, err);
		else if (protobuf_is(&f, 4, PROTOBUF_BYTES) || protobuf_is(&f, 5, PROTOBUF_BYTES) ||
			 protobuf_is(&f, 5, PROTOBUF_FIXED32)) /* tensor_content; float_val, packed or one */
			e = add_values(t, f.data, f.size, err);
	}
	return e;
}

/* How many values the shape says; 0: it does not fit the memory. */
static size_t count_values(const struct tensor_reader *t)
{
	uint64_t n = 1;

	for (unsigned d = 0; d < t->ndims; d++) {
		if (__builtin_mul_overflow(n, (uint64_t)t->dims[d], &n) || n > t->nvalues)
			return 0;
	}
	return (size_t)n;
}

/* A tensor of equal values may have the last of them only once (tensor.proto). */
static int fill_up(struct tensor_reader *t, struct error *err)
{
	size_t have = t->size / sizeof(float), want = count_values(t);

	if (want == 0 || have == 0 || have > want)
		return error_set(err, ERR_PROTOCOL, "the reply's tensor has %zu values, which its shape does not fit",
				 have);
	if (have == want)
		return 0;
	if (t->data != t->values)
		memcpy(t->values, t->data, t->size);
	for (size_t i = have; i < want; i++)
		t->values[i] = t->values[have - 1];
	t->data = t->values;
	t->size = want * sizeof(float);
	return 0;
}

static int answer_of(const struct protobuf_field *tensor, float *values, size_t nvalues, struct answer *ret,
		     struct error *err)
{
	struct tensor_reader t = {.values = values, .nvalues = nvalues};
	int r = read_tensor(&t, tensor, err);

	if (r == 0 && t.dtype != DT_FLOAT)
		r = error_set(err, ERR_PROTOCOL, "the reply's tensor is of DataType %" PRIu64 ", not DT_FLOAT",
			      t.dtype);
	if (r == 0)
		r = fill_up(&t, err);
	if (r < 0)
		return r;
	*ret = (struct answer){.type = ELEMENT_FLOAT32, .ndims = t.ndims, .data = t.data, .size = t.size};
	memcpy(ret->dims, t.dims, sizeof(ret->dims));
	return 0;
}

/* Splits a map's entry; the value of one that has none is empty. */
static int read_entry(const struct protobuf_field *entry, struct protobuf_field *key, struct protobuf_field *value)
{
	struct protobuf_reader r = protobuf_begin(entry->data, entry->size);
	struct protobuf_field f;
	int more;

	*key = *value = (struct protobuf_field){.data = "", .size = 0};
	while ((more = protobuf_next(&r, &f)) > 0) {
		if (protobuf_is(&f, 1, PROTOBUF_BYTES))
			*key = f;
		else if (protobuf_is(&f, 2, PROTOBUF_BYTES))
			*value = f;
	}
	return more;
}

int tensorflow_serving_decode(const struct tensorflow_serving_form *form, const char *message, size_t size,
			      float *values, size_t nvalues, struct answer *ret, struct error *err)
{
	struct protobuf_reader r = protobuf_begin(message, size);
	struct protobuf_field f, key, value, found = {0};
	bool any = false;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (!protobuf_is(&f, 1, PROTOBUF_BYTES))
			continue;
		if (read_entry(&f, &key, &value) < 0)
			return malformed(err);
		if (any || (form->output && !protobuf_equals(&key, form->output)))
			continue;
		any = true;
		found = value;
	}
	if (more < 0)
		return malformed(err);
	if (!any)
		return form->output ? error_set(err, ERR_PROTOCOL, "the reply has no output \"%s\"", form->output)
				    : error_set(err, ERR_PROTOCOL, "the reply has no outputs");
	return answer_of(&found, values, nvalues, ret, err);
}

/* ---- model status ---- */

static int not_available(int64_t version, const char *state, struct error *err)
{
	if (version)
		return error_set(err, ERR_NOT_FOUND, "version %" PRId64 " is not there%s%s", version,
				 *state ? ", its state is " : "", state);
	return error_set(err, ERR_NOT_FOUND, "no version of it is there%s%s", *state ? ", a state is " : "", state);
}

static const char *state_name(uint64_t state)
{
	switch (state) {
	case 10:
		return "START";
	case 20:
		return "LOADING";
	case STATE_AVAILABLE:
		return "AVAILABLE";
	case 40:
		return "UNLOADING";
	case 50:
		return "END";
	default:
		return "UNKNOWN";
	}
}

int tensorflow_serving_status(const char *message, size_t size, int64_t version, struct error *err)
{
	struct protobuf_reader r = protobuf_begin(message, size);
	struct protobuf_field f, part;
	const char *state = "";
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		struct protobuf_reader of_version;
		uint64_t number = 0, code = 0;

		if (!protobuf_is(&f, 1, PROTOBUF_BYTES))
			continue;
		of_version = protobuf_begin(f.data, f.size);
		while ((more = protobuf_next(&of_version, &part)) > 0) {
			if (protobuf_is(&part, 1, PROTOBUF_VARINT))
				number = part.value;
			else if (protobuf_is(&part, 2, PROTOBUF_VARINT))
				code = part.value;
		}
		if (more < 0)
			break;
		if (version && number != (uint64_t)version)
			continue;
		if (code == STATE_AVAILABLE)
			return 0;
		state = state_name(code);
	}
	if (more < 0)
		return error_set(err, ERR_PROTOCOL, "its answer is no well-formed GetModelStatusResponse");
	return not_available(version, state, err);
}

/* One element of model_version_status: its version's text and state. */
static int read_version_status(struct json_reader *r, struct json_string *version, struct json_string *state)
{
	struct json_string name, *value;

	*version = *state = (struct json_string){"", 0};
	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		value = json_string_is(&name, "version") ? version : json_string_is(&name, "state") ? state : NULL;
		if (value && json_kind(r) == JSON_KIND_STRING)
			json_read_string(r, value);
		else
			json_skip(r);
	}
	return r->result;
}

int tensorflow_serving_status_json(char *body, size_t size, int64_t version, struct error *err)
{
	struct json_string number, state;
	struct json_reader r;
	char wanted[24], line[64] = "";

	snprintf(wanted, sizeof(wanted), "%" PRId64, version);
	json_open(&r, body, size, NULL);
	json_find(&r, "model_version_status");
	for (json_enter(&r, JSON_KIND_ARRAY); json_next_element(&r);) {
		if (read_version_status(&r, &number, &state) < 0 || (version && !json_string_is(&number, wanted)))
			continue;
		if (json_string_is(&state, "AVAILABLE"))
			return 0;
		call_words(line, sizeof(line), state.text, state.len);
	}
	if (r.result < 0)
		return error_set(err, ERR_PROTOCOL, "its answer is no model status as TensorFlow Serving gives it");
	return not_available(version, line, err);
}
