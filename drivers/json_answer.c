/*
 * json_answer.c - one output tensor out of a JSON reply; see the header.
 */
#include "drivers/json_answer.h"

#include "drivers/json_reader.h"

#define OUTPUTS "outputs"

/* An array under way: how many elements each open dimension has so far. */
struct shape {
	unsigned ndims; /* 0: not known before the first number */
	int64_t dims[WORKLOAD_DIMS_MAX], counts[WORKLOAD_DIMS_MAX];
	unsigned depth;
};

/* All arrays of a dimension are equally long: the first one says how long. */
static bool close_dimension(struct shape *s, bool known[WORKLOAD_DIMS_MAX])
{
	unsigned d = --s->depth;

	if (known[d] && s->dims[d] != s->counts[d])
		return false;
	known[d] = true;
	s->dims[d] = s->counts[d];
	return true;
}

static int not_a_tensor(struct error *err, const char *why)
{
	return error_set(err, ERR_PROTOCOL, "the reply's \"" OUTPUTS "\" is no tensor: %s", why);
}

static int read_number(struct json_reader *r, struct shape *s, float *values, size_t max, size_t *n, struct error *err)
{
	if (s->ndims == 0)
		s->ndims = s->depth;
	if (s->depth != s->ndims)
		return not_a_tensor(err, "its arrays are not equally deep");
	if (*n == max)
		return error_set(err, ERR_PROTOCOL, "the reply has more than the %zu values that were expected at most",
				 max);
	if (json_read_float(r, &values[*n]) < 0)
		return not_a_tensor(err, "an element is no finite number");
	++*n;
	return 0;
}

static int read_array(struct json_reader *r, float *values, size_t max, struct answer *ret, struct error *err)
{
	bool known[WORKLOAD_DIMS_MAX] = {false}, first = true;
	struct shape s = {0};
	size_t n = 0;

	if (!json_take(r, '['))
		return not_a_tensor(err, "it is no array");
	s.depth = 1;
	while (s.depth > 0) {
		int more = json_next_element(r, first);

		if (more < 0)
			return not_a_tensor(err, "it is no well-formed array");
		first = false;
		if (more == 0) {
			if (!close_dimension(&s, known))
				return not_a_tensor(err, "its arrays are not equally long");
			continue;
		}
		s.counts[s.depth - 1]++;
		if (json_take(r, '[')) {
			if (s.depth == WORKLOAD_DIMS_MAX)
				return not_a_tensor(err, "its arrays are too deep");
			s.counts[s.depth++] = 0;
			first = true;
			continue;
		}
		more = read_number(r, &s, values, max, &n, err);
		if (more < 0)
			return more;
	}
	if (n == 0)
		return not_a_tensor(err, "it is empty");
	*ret = (struct answer){.type = ELEMENT_FLOAT32, .ndims = s.ndims, .data = values, .size = n * sizeof(*values)};
	for (unsigned d = 0; d < s.ndims; d++)
		ret->dims[d] = s.dims[d];
	return 0;
}

/* Goes to the named output of an object of outputs, or to its first. */
static int choose_output(struct json_reader *r, const char *output, struct error *err)
{
	struct json_string name;

	if (output) {
		if (json_find(r, output) == 1)
			return 0;
		return error_set(err, ERR_PROTOCOL, "the reply has no output \"%s\"", output);
	}
	if (json_take(r, '{') && json_next_member(r, true, &name) == 1)
		return 0;
	return error_set(err, ERR_PROTOCOL, "the reply has no outputs");
}

int json_answer(const char *body, size_t size, const char *output, float *values, size_t max, struct answer *ret,
		struct error *err)
{
	struct json_reader r = json_begin_reading(body, size);
	int found = 1;

	if (json_peek(&r) != '[')
		found = json_find(&r, OUTPUTS);
	if (found < 0)
		return error_set(err, ERR_PROTOCOL, "the reply is no well-formed JSON");
	if (found == 0)
		return error_set(err, ERR_PROTOCOL, "the reply has no member \"" OUTPUTS "\"");
	if (json_peek(&r) == '{') {
		found = choose_output(&r, output, err);
		if (found < 0)
			return found;
	}
	return read_array(&r, values, max, ret, err);
}

bool json_words(char *dst, size_t dst_size, const char *body, size_t size, const char *member)
{
	struct json_reader r = json_begin_reading(body, size);
	struct json_string s;

	if (json_find(&r, member) != 1 || json_read_string(&r, &s) < 0 || s.size == 0)
		return false;
	json_line(dst, dst_size, &s);
	return true;
}
