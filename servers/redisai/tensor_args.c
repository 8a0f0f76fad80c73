/*
 * tensor_args.c - reads the arguments of TENSORSET and TENSORGET and writes a tensor as a reply.
 */
#include "servers/redisai/tensor_args.h"

#include <limits.h>

#include "common/arith.h"
#include "servers/redisai/module.h"

/* A tensor without values is memory from nothing: no more than Redis takes as one argument. */
#define ZERO_TENSOR_MAX ((size_t)512 << 20)

struct shape {
	enum dtype dtype;
	unsigned rank;
	int64_t dims[TENSOR_MAX_RANK];
};

static int bad_shape(struct error *err)
{
	return error_set(err, ERR_INVALID, "ERR invalid or negative value found in tensor shape");
}

static int bad_value(struct error *err)
{
	return error_set(err, ERR_INVALID, "ERR invalid value");
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
}

/* In the arena if it is small and there is room, else from Redis' allocator. */
static int new_tensor(struct tensor **ret, const struct shape *s, bool zero, struct tensor_arena *arena)
{
	size_t count, size, at, end;

	if (arena && s->dtype != DTYPE_STRING && shape_count(&count, s->dims, s->rank) &&
	    size_mul(&size, count, dtype_size(s->dtype))) {
		at = (arena->used + sizeof(struct tensor) + 63) & ~(size_t)63;
		if (at < arena->size && size <= arena->size - at) {
			struct tensor *t = (struct tensor *)(void *)(arena->memory + arena->used);
			int r = tensor_view(t, s->dtype, s->dims, s->rank, arena->memory + at, size);

			if (r < 0)
				return r;
			if (zero)
				memset(t->data, 0, size);
			end = at + size;
			arena->used = (end + 63) & ~(size_t)63;
			if (arena->used > arena->size)
				arena->used = arena->size;
			*ret = t;
			return 0;
		}
	}
	return tensor_new(ret, s->dtype, s->dims, s->rank, zero, &redis_allocator);
}

static int set_blob(struct tensor **ret, const struct shape *s, struct RedisModuleString *blob,
		    struct tensor_arena *arena, struct error *err)
{
	struct arg b = arg_view(blob);
	struct tensor *t;
	size_t count, size;
	int r;

	if (s->dtype == DTYPE_STRING) {
		r = tensor_new_strings(ret, s->dims, s->rank, b.data, b.len, &redis_allocator);
		if (r == ERR_FORMAT)
			return error_set(err, ERR_FORMAT,
					 "ERR Number of string elements in data blob does not match tensor length");
		return r < 0 ? no_memory(err) : 0;
	}
	if (!shape_count(&count, s->dims, s->rank) || !size_mul(&size, count, dtype_size(s->dtype)) || size != b.len)
		return error_set(err, ERR_INVALID, "ERR data length does not match tensor shape and type");
	if (s->dtype == DTYPE_BOOL) {
		for (size_t i = 0; i < b.len; i++) {
			if (b.data[i] != 0 && b.data[i] != 1)
				return error_set(err, ERR_INVALID, "ERR BOOL tensor elements must be 0 or 1");
		}
	}
	if (new_tensor(&t, s, false, arena) < 0)
		return no_memory(err);
	memcpy(t->data, b.data, b.len);
	*ret = t;
	return 0;
}

static int integer_range(enum dtype t, long long *min, long long *max)
{
	static const struct {
		long long min, max;
	} ranges[DTYPE_COUNT] = {
		/* RedisAI refuses negative INT8 values, and its clients' tests hold it to that. */
		[DTYPE_INT8] = {0, INT8_MAX},
		[DTYPE_INT16] = {INT16_MIN, INT16_MAX},
		[DTYPE_INT32] = {INT32_MIN, INT32_MAX},
		[DTYPE_INT64] = {INT64_MIN, INT64_MAX},
		[DTYPE_UINT8] = {0, UINT8_MAX},
		[DTYPE_UINT16] = {0, UINT16_MAX},
		[DTYPE_BOOL] = {0, 1},
	};

	*min = ranges[t].min;
	*max = ranges[t].max;
	return 0;
}

static int set_integer(struct tensor *t, size_t i, const struct RedisModuleString *value, struct error *err)
{
	long long v, min, max;

	integer_range(t->dtype, &min, &max);
	if (RedisModule_StringToLongLong(value, &v) != REDISMODULE_OK || v < min || v > max)
		return bad_value(err);
	switch (dtype_size(t->dtype)) {
	case 1:
		((uint8_t *)t->data)[i] = (uint8_t)v;
		break;
	case 2:
		((uint16_t *)t->data)[i] = (uint16_t)v;
		break;
	case 4:
		((uint32_t *)t->data)[i] = (uint32_t)v;
		break;
	default:
		((int64_t *)t->data)[i] = v;
		break;
	}
	return 0;
}

static int set_numbers(struct tensor **ret, const struct shape *s, struct RedisModuleString **values, size_t n,
		       struct tensor_arena *arena, struct error *err)
{
	struct tensor *t;
	double d;
	int r = 0;

	if (new_tensor(&t, s, false, arena) < 0)
		return no_memory(err);
	for (size_t i = 0; i < n && r == 0; i++) {
		if (s->dtype != DTYPE_FLOAT && s->dtype != DTYPE_DOUBLE) {
			r = set_integer(t, i, values[i], err);
			continue;
		}
		if (RedisModule_StringToDouble(values[i], &d) != REDISMODULE_OK)
			r = bad_value(err);
		else if (s->dtype == DTYPE_FLOAT)
			((float *)t->data)[i] = (float)d;
		else
			((double *)t->data)[i] = d;
	}
	if (r < 0)
		tensor_unref(t);
	else
		*ret = t;
	return r;
}

static int set_strings(struct tensor **ret, const struct shape *s, struct RedisModuleString **values, size_t n,
		       struct error *err)
{
	size_t len = 0;
	char *blob, *to;
	int r;

	for (size_t i = 0; i < n; i++) {
		struct arg a = arg_view(values[i]);

		if (memchr(a.data, 0, a.len))
			return error_set(err, ERR_INVALID, "ERR C-string value contains null character");
		len += a.len + 1;
	}
	blob = redis_allocator.alloc(len ? len : 1);
	if (!blob)
		return no_memory(err);
	to = blob;
	for (size_t i = 0; i < n; i++) {
		struct arg a = arg_view(values[i]);

		memcpy(to, a.data, a.len);
		to[a.len] = '\0';
		to += a.len + 1;
	}
	r = tensor_new_strings(ret, s->dims, s->rank, blob, len, &redis_allocator);
	redis_allocator.free(blob);
	return r < 0 ? no_memory(err) : 0;
}

static int set_values(struct tensor **ret, const struct shape *s, struct RedisModuleString **values, int n,
		      struct tensor_arena *arena, struct error *err)
{
	size_t count;

	if (!shape_count(&count, s->dims, s->rank) || count != (size_t)n)
		return error_set(err, ERR_INVALID, "ERR wrong number of values was given in 'AI.TENSORSET' command");
	if (s->dtype == DTYPE_STRING)
		return set_strings(ret, s, values, (size_t)n, err);
	return set_numbers(ret, s, values, (size_t)n, arena, err);
}

static int set_zero(struct tensor **ret, const struct shape *s, struct tensor_arena *arena, struct error *err)
{
	size_t count, size, element = dtype_size(s->dtype);

	if (element == 0)
		element = 1 + sizeof(uint64_t); /* a NUL and its offset */
	if (!shape_count(&count, s->dims, s->rank) || !size_mul(&size, count, element))
		return bad_shape(err);
	if (size > ZERO_TENSOR_MAX)
		return error_set(err, ERR_RANGE, "ERR a tensor without values may have %zu MB, this one has %zu MB",
				 ZERO_TENSOR_MAX >> 20, size >> 20);
	return new_tensor(ret, s, true, arena) < 0 ? no_memory(err) : 0;
}

/* A small positive decimal number, the usual dimension, without a call. */
static bool parse_dimension(int64_t *ret, int64_t least, const struct RedisModuleString *arg)
{
	struct arg a = arg_view(arg);
	long long n = 0;

	if (a.len > 0 && a.len < 10 && a.data[0] >= '1' && a.data[0] <= '9') {
		size_t i;

		for (i = 0; i < a.len && a.data[i] >= '0' && a.data[i] <= '9'; i++)
			n = 10 * n + (a.data[i] - '0');
		if (i < a.len)
			return false;
	} else if (RedisModule_StringToLongLong(arg, &n) != REDISMODULE_OK || n < least) {
		return false;
	}
	*ret = n;
	return true;
}

int tensor_parse(struct tensor **ret, struct RedisModuleString **argv, int argc, bool replayed,
		 struct tensor_arena *arena, struct error *err)
{
	struct arg type = arg_view(argv[0]);
	const int64_t least = replayed ? 0 : 1;
	struct shape s;

	if (!dtype_parse(&s.dtype, type.data, type.len))
		return error_set(err, ERR_INVALID, "ERR invalid data type");
	s.rank = 0;
	for (int i = 1; i < argc; i++) {
		if (arg_is(argv[i], "BLOB")) {
			if (argc - i != 2)
				return error_set(err, ERR_INVALID,
						 "ERR a single binary string should come after the BLOB argument in "
						 "'AI.TENSORSET' command");
			return set_blob(ret, &s, argv[i + 1], arena, err);
		}
		if (arg_is(argv[i], "VALUES"))
			return set_values(ret, &s, argv + i + 1, argc - i - 1, arena, err);
		if (s.rank == TENSOR_MAX_RANK || !parse_dimension(&s.dims[s.rank], least, argv[i]))
			return bad_shape(err);
		s.rank++;
	}
	return set_zero(ret, &s, arena, err);
}

int tensor_parse_format(unsigned *ret, struct RedisModuleString **argv, int argc, struct error *err)
{
	unsigned format = 0;

	for (int i = 0; i < argc; i++) {
		if (arg_is(argv[i], "META"))
			format |= TENSOR_META;
		else if (arg_is(argv[i], "BLOB"))
			format |= TENSOR_BLOB;
		else if (arg_is(argv[i], "VALUES"))
			format |= TENSOR_VALUES;
		else
			return error_set(err, ERR_INVALID, "ERR unsupported data format");
	}
	if ((format & TENSOR_BLOB) && (format & TENSOR_VALUES))
		return error_set(err, ERR_INVALID, "ERR both BLOB and VALUES specified");
	*ret = format ? format : TENSOR_META | TENSOR_BLOB;
	return 0;
}

static long long integer_at(const struct tensor *t, size_t i)
{
	switch (t->dtype) {
	case DTYPE_INT8:
		return ((const int8_t *)t->data)[i];
	case DTYPE_INT16:
		return ((const int16_t *)t->data)[i];
	case DTYPE_INT32:
		return ((const int32_t *)t->data)[i];
	case DTYPE_INT64:
		return ((const int64_t *)t->data)[i];
	case DTYPE_UINT16:
		return ((const uint16_t *)t->data)[i];
	default:
		return ((const uint8_t *)t->data)[i];
	}
}

static void reply_values(struct RedisModuleCtx *ctx, const struct tensor *t)
{
	RedisModule_ReplyWithArray(ctx, (long)t->count);
	for (size_t i = 0; i < t->count; i++) {
		if (t->dtype == DTYPE_FLOAT)
			RedisModule_ReplyWithDouble(ctx, (double)((const float *)t->data)[i]);
		else if (t->dtype == DTYPE_DOUBLE)
			RedisModule_ReplyWithDouble(ctx, ((const double *)t->data)[i]);
		else if (t->dtype == DTYPE_STRING)
			RedisModule_ReplyWithCString(ctx, (const char *)t->data + t->offsets[i]);
		else
			RedisModule_ReplyWithLongLong(ctx, integer_at(t, i));
	}
}

void tensor_reply(struct RedisModuleCtx *ctx, const struct tensor *t, unsigned format)
{
	bool values = format & (TENSOR_BLOB | TENSOR_VALUES);

	if (format & TENSOR_META) {
		RedisModule_ReplyWithArray(ctx, values ? 6 : 4);
		RedisModule_ReplyWithCString(ctx, "dtype");
		RedisModule_ReplyWithCString(ctx, dtype_name(t->dtype));
		RedisModule_ReplyWithCString(ctx, "shape");
		RedisModule_ReplyWithArray(ctx, (long)t->rank);
		for (unsigned i = 0; i < t->rank; i++)
			RedisModule_ReplyWithLongLong(ctx, t->dims[i]);
		if (values)
			RedisModule_ReplyWithCString(ctx, format & TENSOR_BLOB ? "blob" : "values");
	}
	if (format & TENSOR_BLOB)
		RedisModule_ReplyWithStringBuffer(ctx, t->data, t->size);
	else if (format & TENSOR_VALUES)
		reply_values(ctx, t);
}

int tensor_keep(struct tensor **ret, struct tensor *t)
{
	int r;

	if (t->allocator) {
		*ret = tensor_ref(t);
		return 0;
	}
	r = tensor_new(ret, t->dtype, t->dims, t->rank, false, &redis_allocator);
	if (r == 0)
		memcpy((*ret)->data, t->data, t->size);
	return r;
}
