/*
 * model_config.c - a reader of text protobufs: fields as they come, each taken by its message's function or skipped.
 */
#include "servers/model_server/model_config.h"

#include <ctype.h>
#include <string.h>

#include "common/arith.h"
#include "servers/model_server/dtypes.h"

#define DEPTH_MAX 32

struct text {
	const char *at, *end;
	unsigned line, depth;
	struct error *err;
};

/* Reads the value of one field of a message. */
typedef int field_fn(struct text *t, const char *field, void *message);

static int fail(struct text *t, enum error_code code, const char *what)
{
	return error_set(t->err, code, "config.pbtxt, line %u: %s", t->line, what);
}

static void skip_space(struct text *t)
{
	for (; t->at < t->end; t->at++) {
		if (*t->at == '#')
			while (t->at + 1 < t->end && t->at[1] != '\n')
				t->at++;
		else if (*t->at == '\n')
			t->line++;
		else if (!isspace((unsigned char)*t->at))
			return;
	}
}

/* Takes the character if it is the next one. */
static bool take(struct text *t, char c)
{
	skip_space(t);
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

static bool next_is(struct text *t, const char *any)
{
	skip_space(t);
	return t->at < t->end && *t->at && strchr(any, *t->at);
}

static int read_word(struct text *t, char *ret, size_t size)
{
	size_t len = 0;

	skip_space(t);
	while (t->at < t->end && (isalnum((unsigned char)*t->at) || strchr("_.+-", *t->at)) && *t->at) {
		if (len + 1 == size)
			return fail(t, ERR_RANGE, "this word is too long");
		ret[len++] = *t->at++;
	}
	ret[len] = '\0';
	return len ? 0 : fail(t, ERR_FORMAT, "a word or a number must be here");
}

/* Of the escapes only those that a name can need: \" \' \\. */
static int read_string(struct text *t, char *ret, size_t size)
{
	size_t len = 0;

	if (!next_is(t, "\"'"))
		return fail(t, ERR_FORMAT, "a string must be here");
	while (next_is(t, "\"'")) {
		char quote = *t->at++;

		while (t->at < t->end && *t->at != quote) {
			if (*t->at == '\\' && t->end - t->at > 1)
				t->at++;
			if (*t->at == '\n' || *t->at == '\0')
				return fail(t, ERR_FORMAT, "this string does not end");
			if (ret && len + 1 == size)
				return fail(t, ERR_RANGE, "this string is too long");
			if (ret)
				ret[len] = *t->at;
			len++;
			t->at++;
		}
		if (!take(t, quote))
			return fail(t, ERR_FORMAT, "this string does not end");
	}
	if (ret)
		ret[len] = '\0';
	return 0;
}

static int read_int(struct text *t, int64_t *ret)
{
	char word[24];
	bool negative;
	int64_t value = 0;
	int r = read_word(t, word, sizeof(word));

	if (r < 0)
		return r;
	negative = word[0] == '-';
	if (!word[negative])
		return fail(t, ERR_FORMAT, "a number must be here");
	for (const char *c = word + negative; *c; c++) {
		if (*c < '0' || *c > '9')
			return fail(t, ERR_FORMAT, "a number must be here");
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *c - '0', &value))
			return fail(t, ERR_RANGE, "this number is too large");
	}
	*ret = negative ? -value : value;
	return 0;
}

static int read_count(struct text *t, uint64_t *ret)
{
	int64_t value = 0;
	int r = read_int(t, &value);

	if (r == 0 && value < 0)
		r = fail(t, ERR_RANGE, "this number must not be negative");
	if (r == 0)
		*ret = (uint64_t)value;
	return r;
}

static int read_fields(struct text *t, bool whole, field_fn *read, void *message);

static int read_message(struct text *t, field_fn *read, void *message)
{
	char close;
	int r;

	if (!next_is(t, "{<"))
		return fail(t, ERR_FORMAT, "a { must be here");
	if (t->depth == DEPTH_MAX)
		return fail(t, ERR_RANGE, "messages are nested too deep");
	close = *t->at++ == '{' ? '}' : '>';
	t->depth++;
	r = read_fields(t, false, read, message);
	t->depth--;
	if (r == 0 && !take(t, close))
		r = fail(t, ERR_FORMAT, "this message does not end");
	return r;
}

static int skip_field(struct text *t, const char *field, void *message)
{
	char word[128];

	(void)field;
	(void)message;
	if (next_is(t, "{<"))
		return read_message(t, skip_field, NULL);
	if (next_is(t, "\"'"))
		return read_string(t, NULL, 0);
	return read_word(t, word, sizeof(word));
}

/* A field's value, or each one of a list. */
static int read_values(struct text *t, const char *field, field_fn *read, void *message)
{
	int r = 0;

	if (!take(t, '['))
		return read(t, field, message);
	if (take(t, ']'))
		return 0;
	do {
		r = read(t, field, message);
	} while (r == 0 && take(t, ','));
	if (r == 0 && !take(t, ']'))
		r = fail(t, ERR_FORMAT, "this list does not end");
	return r;
}

static int read_fields(struct text *t, bool whole, field_fn *read, void *message)
{
	char field[64];

	for (;;) {
		int r;

		if (next_is(t, "}>"))
			return whole ? fail(t, ERR_FORMAT, "this closes nothing") : 0;
		if (t->at == t->end)
			return 0;
		r = read_word(t, field, sizeof(field));
		if (r < 0)
			return r;
		if (!take(t, ':') && !next_is(t, "{<["))
			return fail(t, ERR_FORMAT, "a : or { must follow the field's name");
		r = read_values(t, field, read, message);
		if (r < 0)
			return r;
		if (!take(t, ','))
			(void)take(t, ';');
	}
}

static int read_dim(struct text *t, struct model_config_tensor *tensor)
{
	int64_t dim = 0;
	int r = read_int(t, &dim);

	if (r < 0)
		return r;
	if (dim < -1)
		return fail(t, ERR_RANGE, "a dimension is -1 or a size");
	if (tensor->rank == TENSOR_MAX_RANK - 1)
		return fail(t, ERR_RANGE, "these are too many dimensions");
	tensor->dims[tensor->rank++] = dim;
	return 0;
}

static int read_type(struct text *t, struct model_config_tensor *tensor)
{
	char word[32];
	int r = read_word(t, word, sizeof(word));

	if (r < 0)
		return r;
	for (unsigned i = 0; i < DTYPE_COUNT; i++) {
		if (strcmp(word, dtype_triton_config_name((enum dtype)i)) == 0) {
			tensor->dtype = (enum dtype)i;
			tensor->typed = true;
			return 0;
		}
	}
	return fail(t, ERR_UNSUPPORTED, "tensors of this data_type are not supported");
}

static int tensor_field(struct text *t, const char *field, void *message)
{
	struct model_config_tensor *tensor = message;

	if (strcmp(field, "name") == 0)
		return read_string(t, tensor->name, sizeof(tensor->name));
	if (strcmp(field, "data_type") == 0)
		return read_type(t, tensor);
	if (strcmp(field, "dims") == 0)
		return read_dim(t, tensor);
	return skip_field(t, field, NULL);
}

static int read_tensor(struct text *t, struct model_config_tensor *list, size_t *n)
{
	if (*n == MODEL_CONFIG_TENSORS_MAX)
		return fail(t, ERR_RANGE, "these are too many tensors");
	return read_message(t, tensor_field, &list[(*n)++]);
}

static int batching_field(struct text *t, const char *field, void *message)
{
	struct model_config *c = message;
	uint64_t size = 0;
	int r;

	if (strcmp(field, "max_queue_delay_microseconds") == 0)
		return read_count(t, &c->max_queue_delay_us);
	if (strcmp(field, "preferred_batch_size") != 0)
		return skip_field(t, field, NULL);
	r = read_count(t, &size);
	if (r < 0)
		return r;
	if (size > c->preferred_max)
		c->preferred_max = size;
	if (c->preferred_min == 0 || size < c->preferred_min)
		c->preferred_min = size;
	return 0;
}

static int model_field(struct text *t, const char *field, void *message)
{
	struct model_config *c = message;

	if (strcmp(field, "name") == 0)
		return read_string(t, c->name, sizeof(c->name));
	if (strcmp(field, "platform") == 0)
		return read_string(t, c->platform, sizeof(c->platform));
	if (strcmp(field, "backend") == 0)
		return read_string(t, c->backend, sizeof(c->backend));
	if (strcmp(field, "default_model_filename") == 0)
		return read_string(t, c->file, sizeof(c->file));
	if (strcmp(field, "max_batch_size") == 0)
		return read_count(t, &c->max_batch_size);
	if (strcmp(field, "input") == 0)
		return read_tensor(t, c->inputs, &c->ninputs);
	if (strcmp(field, "output") == 0)
		return read_tensor(t, c->outputs, &c->noutputs);
	if (strcmp(field, "dynamic_batching") == 0) {
		c->dynamic_batching = true;
		return read_message(t, batching_field, c);
	}
	return skip_field(t, field, NULL);
}

int model_config_parse(struct model_config *ret, const char *text, size_t len, struct error *err)
{
	struct text t = {.at = text, .end = text + len, .line = 1, .err = err};

	memset(ret, 0, sizeof(*ret));
	return read_fields(&t, true, model_field, ret);
}
