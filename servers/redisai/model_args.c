/*
 * model_args.c - reads the arguments of MODELSTORE and of the older MODELSET.
 */
#include <limits.h>

#include "servers/redisai/model_type.h"
#include "servers/redisai/module.h"
#include "servers/redisai/words.h"

#define BACKEND_ARGUMENTS 4 /* command, key, backend, device */

static int parse_backend(struct stored_model_parts *p, struct words *w, struct error *err)
{
	struct arg key = arg_view(w->argv[1]), backend = arg_view(w->argv[2]), device = arg_view(w->argv[3]);

	if (!backend_parse(&p->stored.backend, backend.data, backend.len))
		return command_invalid(err, "unsupported backend");
	p->stored.key = key.data;
	p->stored.key_len = key.len;
	p->stored.device = device.data;
	p->stored.device_len = device.len;
	w->at = BACKEND_ARGUMENTS;
	return 0;
}

static int parse_tag(struct stored_model_parts *p, struct words *w, struct error *err)
{
	struct arg tag;

	p->stored.tag = "";
	if (!words_take(w, "TAG"))
		return 0;
	if (words_left(w) == 0)
		return command_invalid(err, "Insufficient arguments, missing model BLOB");
	tag = arg_view(w->argv[w->at++]);
	p->stored.tag = tag.data;
	p->stored.tag_len = tag.len;
	return 0;
}

/* "NAME n", 0 where it is not there. */
static int parse_number(struct words *w, const char *name, uint64_t *ret, struct error *err)
{
	long long n = 0;

	*ret = 0;
	if (!words_take(w, name))
		return 0;
	if (!words_take_number(w, &n) || n < 0)
		return error_set(err, ERR_INVALID, "ERR Invalid argument for %s", name);
	*ret = (uint64_t)n;
	return 0;
}

static int parse_batching(struct stored_model_parts *p, struct words *w, bool old, struct error *err)
{
	struct batching *b = &p->batching;
	int r = parse_number(w, "BATCHSIZE", &b->size, err);

	if (r < 0)
		return r;
	if (old && p->stored.backend == BACKEND_TFLITE && b->size > 0)
		return command_invalid(err, "Auto-batching not supported by the TFLITE backend");
	r = parse_number(w, "MINBATCHSIZE", &b->min_size, err);
	if (r < 0)
		return r;
	if (b->min_size > 0 && b->size == 0)
		return command_invalid(err, "MINBATCHSIZE specified without BATCHSIZE");
	r = parse_number(w, "MINBATCHTIMEOUT", &p->min_timeout_ms, err);
	if (r < 0)
		return r;
	if (p->min_timeout_ms > 0 && old && b->size == 0)
		return command_invalid(err, "MINBATCHTIMEOUT specified without BATCHSIZE");
	if (p->min_timeout_ms > 0 && b->min_size == 0)
		return command_invalid(err, "MINBATCHTIMEOUT specified without MINBATCHSIZE");
	b->min_timeout = p->min_timeout_ms < (uint64_t)(INT64_MAX / 2 / NSEC_PER_MSEC)
				 ? (nsec_t)p->min_timeout_ms * NSEC_PER_MSEC
				 : INT64_MAX / 2;
	return 0;
}

/* Names at [inputs, inputs + nin) and [outputs, outputs + nout) of the arguments. */
static int set_names(struct model_args *a, const struct words *w, int inputs, int nin, int outputs, int nout,
		     struct error *err)
{
	size_t n = (size_t)nin + (size_t)nout;

	a->names = redis_allocator.calloc(n ? n : 1, sizeof(*a->names));
	if (!a->names)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	/* Redis' strings end with a NUL; a name with another one in it is cut there and then not found in the graph. */
	for (int i = 0; i < nin; i++)
		a->names[i] = arg_view(w->argv[inputs + i]).data;
	for (int i = 0; i < nout; i++)
		a->names[nin + i] = arg_view(w->argv[outputs + i]).data;
	a->parts.inputs = a->names;
	a->parts.ninputs = (size_t)nin;
	a->parts.outputs = a->names + nin;
	a->parts.noutputs = (size_t)nout;
	return 0;
}

/* "INPUTS n a…" of MODELSTORE. */
static int parse_counted_names(struct words *w, const char *keyword, const char *count, const char *what, int least,
			       int *ret_at, int *ret_n, struct error *err)
{
	long long n;

	if (!words_take(w, keyword))
		return error_set(err, ERR_INVALID, "ERR %s not specified for TF", keyword);
	if (!words_take_number(w, &n) || n < least)
		return error_set(err, ERR_INVALID, "ERR Invalid argument for %s", count);
	if (n > words_left(w))
		return error_set(err, ERR_INVALID,
				 "ERR number of model %s does not match the number of given arguments", what);
	*ret_at = w->at;
	*ret_n = (int)n;
	w->at += (int)n;
	return 0;
}

static int parse_store_names(struct model_args *a, struct words *w, bool replayed, struct error *err)
{
	int least = replayed ? 0 : 1, inputs, nin, outputs, nout, r;

	if (a->parts.stored.backend != BACKEND_TF) {
		if (words_next_is(w, "INPUTS"))
			return command_invalid(err, "INPUTS argument should not be specified for this backend");
		if (words_next_is(w, "OUTPUTS"))
			return command_invalid(err, "OUTPUTS argument should not be specified for this backend");
		return 0;
	}
	r = parse_counted_names(w, "INPUTS", "input_count", "inputs", least, &inputs, &nin, err);
	if (r == 0)
		r = parse_counted_names(w, "OUTPUTS", "output_count", "outputs", least, &outputs, &nout, err);
	return r < 0 ? r : set_names(a, w, inputs, nin, outputs, nout, err);
}

/* Names up to the next keyword, as MODELSET has them. */
static int parse_set_names(struct model_args *a, struct words *w, struct error *err)
{
	int inputs, nin, outputs;

	if (a->parts.stored.backend != BACKEND_TF) {
		/* Others carry their names; AIBench's script for TFLite sends some all the same. */
		while (words_left(w) && !words_next_is(w, "BLOB"))
			w->at++;
		return 0;
	}
	if (words_left(w) == 0)
		return command_invalid(err, "Insufficient arguments, INPUTS and OUTPUTS not specified");
	if (!words_next_is(w, "INPUTS"))
		return command_invalid(err, "INPUTS not specified");
	inputs = ++w->at;
	while (words_left(w) && !words_next_is(w, "OUTPUTS"))
		w->at++;
	if (words_left(w) == 0)
		return command_invalid(err, "OUTPUTS not specified");
	nin = w->at - inputs;
	outputs = ++w->at;
	while (words_left(w) && !words_next_is(w, "BLOB"))
		w->at++;
	return set_names(a, w, inputs, nin, outputs, w->at - outputs, err);
}

/* "BLOB c…": the chunks are one blob. */
static int parse_blob(struct stored_model_parts *p, struct words *w, struct error *err)
{
	size_t len = 0;
	char *to;

	if (words_left(w) == 0)
		return command_invalid(err, "Insufficient arguments, missing model BLOB");
	if (!words_take(w, "BLOB"))
		return command_invalid(err, "Invalid argument, expected BLOB");
	if (words_left(w) == 0)
		return command_invalid(err, "Insufficient arguments, missing model BLOB");
	for (int i = w->at; i < w->argc; i++)
		len += arg_view(w->argv[i]).len;
	p->blob = redis_allocator.alloc(len ? len : 1);
	if (!p->blob)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	p->blob_len = len;
	to = p->blob;
	for (int i = w->at; i < w->argc; i++) {
		struct arg chunk = arg_view(w->argv[i]);

		memcpy(to, chunk.data, chunk.len);
		to += chunk.len;
	}
	return 0;
}

int model_parse_store(struct model_args *a, struct RedisModuleString **argv, int argc, bool replayed, struct error *err)
{
	struct words w = {.argv = argv, .argc = argc};
	int r;

	memset(a, 0, sizeof(*a));
	r = parse_backend(&a->parts, &w, err);
	if (r == 0 && !(replayed ? device_name_usable(a->parts.stored.device_len)
				 : device_name_valid(a->parts.stored.device, a->parts.stored.device_len)))
		r = command_invalid(err, "Invalid DEVICE");
	if (r == 0)
		r = parse_tag(&a->parts, &w, err);
	if (r == 0)
		r = parse_batching(&a->parts, &w, false, err);
	if (r == 0)
		r = parse_store_names(a, &w, replayed, err);
	if (r == 0)
		r = parse_blob(&a->parts, &w, err);
	if (r < 0)
		model_args_release(a);
	return r;
}

/* MODELSET takes any device of up to ten characters, so that one left out shows as a keyword in its place. */
static bool set_device_valid(const struct RedisModuleString *device)
{
	static const char *const keywords[] = {"TAG",    "BATCHSIZE", "MINBATCHSIZE", "MINBATCHTIMEOUT",
					       "INPUTS", "OUTPUTS",   "BLOB"};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (arg_is(device, keywords[i]))
			return false;
	}
	return device_name_usable(arg_view(device).len);
}

int model_parse_set(struct model_args *a, struct RedisModuleString **argv, int argc, struct error *err)
{
	struct words w = {.argv = argv, .argc = argc};
	int r;

	memset(a, 0, sizeof(*a));
	r = parse_backend(&a->parts, &w, err);
	if (r == 0 && !set_device_valid(argv[3]))
		r = command_invalid(err, "Invalid DEVICE");
	if (r == 0)
		r = parse_tag(&a->parts, &w, err);
	if (r == 0)
		r = parse_batching(&a->parts, &w, true, err);
	if (r == 0)
		r = parse_set_names(a, &w, err);
	if (r == 0)
		r = parse_blob(&a->parts, &w, err);
	if (r < 0)
		model_args_release(a);
	return r;
}

void model_args_release(struct model_args *a)
{
	redis_allocator.free(a->names);
	redis_allocator.free(a->parts.blob);
	a->names = NULL;
	a->parts.blob = NULL;
}
