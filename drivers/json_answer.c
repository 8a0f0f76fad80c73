/*
 * json_answer.c - one output tensor out of a JSON reply; see the header.
 */
#include "drivers/json_answer.h"

#include "common/json_reader.h"
#include "drivers/call_internal.h"

#define OUTPUTS "outputs"

/* An array under way: how many elements each open dimension has so far. */
struct shape {
	unsigned ndims; /* 0: not known before the first number */
	int64_t dims[WORKLOAD_DIMS_MAX], counts[WORKLOAD_DIMS_MAX];
	unsigned depth;
};

/* All arrays of a dimension are equally long: the first one says how long. */
static void close_dimension(struct json_reader *r, struct shape *s, bool known[WORKLOAD_DIMS_MAX])
{
	unsigned d = --s->depth;

	if (known[d] && s->dims[d] != s->counts[d])
		json_fail(r, ERR_INVALID, "its arrays are not equally long");
	known[d] = true;
	s->dims[d] = s->counts[d];
}

static void open_dimension(struct json_reader *r, struct shape *s)
{
	if (s->depth == WORKLOAD_DIMS_MAX)
		json_fail(r, ERR_INVALID, "its arrays are too deep");
	else if (json_enter(r, JSON_KIND_ARRAY) == 0)
		s->counts[s->depth++] = 0;
}

static void read_number(struct json_reader *r, struct shape *s, float *value)
{
	if (s->ndims == 0)
		s->ndims = s->depth;
	if (s->depth != s->ndims)
		json_fail(r, ERR_INVALID, "its arrays are not equally deep");
	else
		json_read_float(r, value);
}

static int read_array(struct json_reader *r, float *values, size_t max, struct answer *ret)
{
	bool known[WORKLOAD_DIMS_MAX] = {false};
	struct shape s = {0};
	size_t n = 0;

	open_dimension(r, &s);
	while (r->result == 0 && s.depth > 0) {
		if (!json_next_element(r)) {
			close_dimension(r, &s, known);
			continue;
		}
		s.counts[s.depth - 1]++;
		if (json_kind(r) == JSON_KIND_ARRAY)
			open_dimension(r, &s);
		else if (n == max)
			json_fail(r, ERR_INVALID, "it has more than the %zu values that were expected at most", max);
		else
			read_number(r, &s, &values[n++]);
	}
	if (n == 0)
		json_fail(r, ERR_INVALID, "it is empty");
	*ret = (struct answer){.type = ELEMENT_FLOAT32, .ndims = s.ndims, .data = values, .size = n * sizeof(*values)};
	for (unsigned d = 0; d < s.ndims; d++)
		ret->dims[d] = s.dims[d];
	return r->result;
}

/* Goes to the named output of an object of outputs, or to its first. */
static int choose_output(struct json_reader *r, const char *output)
{
	struct json_string name;

	if (output)
		json_find(r, output);
	else if (json_enter(r, JSON_KIND_OBJECT) == 0 && !json_next_member(r, &name))
		json_fail(r, ERR_INVALID, "it is empty");
	return r->result;
}

int json_answer(char *body, size_t size, const char *output, float *values, size_t max, struct answer *ret,
		struct error *err)
{
	struct json_reader r;
	struct error why;

	json_open(&r, body, size, &why);
	if (json_kind(&r) != JSON_KIND_ARRAY && json_find(&r, OUTPUTS) < 0)
		return error_set(err, ERR_PROTOCOL, "the reply is no JSON of outputs: %s", why.text);
	if (json_kind(&r) == JSON_KIND_OBJECT && choose_output(&r, output) < 0)
		return error_set(err, ERR_PROTOCOL, "the reply's \"" OUTPUTS "\": %s", why.text);
	if (read_array(&r, values, max, ret) < 0)
		return error_set(err, ERR_PROTOCOL, "the reply's \"" OUTPUTS "\" is no tensor: %s", why.text);
	return 0;
}

bool json_words(char *dst, size_t dst_size, char *body, size_t size, const char *member)
{
	struct json_reader r;
	struct json_string s;

	json_open(&r, body, size, NULL);
	if (json_find(&r, member) < 0 || json_read_string(&r, &s) < 0)
		return false;
	return call_words(dst, dst_size, s.text, s.len) > 0;
}
