/*
 * tensor_type.c - tensors as values of keys: RDB, AOF, replication, and AI.TENSORSET and AI.TENSORGET.
 */
#include "servers/redisai/tensor_type.h"

#include "common/arith.h"
#include "servers/redisai/module.h"
#include "servers/redisai/tensor_args.h"

/* DLPack's codes, which RedisAI stores, with two of its own. */
enum { CODE_INT = 0, CODE_UINT = 1, CODE_FLOAT = 2, CODE_BOOL = 6, CODE_STRING = 7 };

static const struct {
	unsigned code, bits;
} rdb_types[DTYPE_COUNT] = {
	[DTYPE_FLOAT] = {CODE_FLOAT, 32},  [DTYPE_DOUBLE] = {CODE_FLOAT, 64}, [DTYPE_INT8] = {CODE_INT, 8},
	[DTYPE_INT16] = {CODE_INT, 16},    [DTYPE_INT32] = {CODE_INT, 32},    [DTYPE_INT64] = {CODE_INT, 64},
	[DTYPE_UINT8] = {CODE_UINT, 8},    [DTYPE_UINT16] = {CODE_UINT, 16},  [DTYPE_BOOL] = {CODE_BOOL, 8},
	[DTYPE_STRING] = {CODE_STRING, 8},
};

static bool dtype_of_code(enum dtype *ret, uint64_t code, uint64_t bits)
{
	for (unsigned i = 0; i < DTYPE_COUNT; i++) {
		if (rdb_types[i].code == code && rdb_types[i].bits == bits) {
			*ret = (enum dtype)i;
			return true;
		}
	}
	return false;
}

static void save(struct RedisModuleIO *rdb, void *value)
{
	const struct tensor *t = value;

	RedisModule_SaveUnsigned(rdb, rdb_types[t->dtype].code);
	RedisModule_SaveUnsigned(rdb, rdb_types[t->dtype].bits);
	RedisModule_SaveSigned(rdb, t->rank);
	for (unsigned i = 0; i < t->rank; i++)
		RedisModule_SaveSigned(rdb, t->dims[i]);
	RedisModule_SaveStringBuffer(rdb, t->data, t->size);
	for (size_t i = 0; t->offsets && i < t->count; i++)
		RedisModule_SaveUnsigned(rdb, t->offsets[i]);
}

/* Versions 0 to 3 wrote DLPack's whole structure: what is not needed is read over. */
static bool load_header(struct RedisModuleIO *rdb, int encver, enum dtype *dtype, int64_t *rank, int64_t *dims)
{
	uint64_t code, bits;

	if (encver < 4) {
		RedisModule_LoadUnsigned(rdb); /* device type */
		RedisModule_LoadUnsigned(rdb); /* device id */
		bits = RedisModule_LoadUnsigned(rdb);
		code = RedisModule_LoadUnsigned(rdb);
		RedisModule_LoadUnsigned(rdb); /* lanes */
		*rank = (int64_t)RedisModule_LoadUnsigned(rdb);
	} else {
		code = RedisModule_LoadUnsigned(rdb);
		bits = RedisModule_LoadUnsigned(rdb);
		*rank = RedisModule_LoadSigned(rdb);
	}
	if (RedisModule_IsIOError(rdb) || !dtype_of_code(dtype, code, bits) || *rank < 0 || *rank > TENSOR_MAX_RANK)
		return false;
	for (int64_t i = 0; i < *rank; i++)
		dims[i] = encver < 4 ? (int64_t)RedisModule_LoadUnsigned(rdb) : RedisModule_LoadSigned(rdb);
	if (encver < 4) {
		for (int64_t i = 0; i < *rank; i++)
			RedisModule_LoadUnsigned(rdb); /* strides */
		RedisModule_LoadUnsigned(rdb);         /* byte offset */
	}
	return !RedisModule_IsIOError(rdb);
}

/* Said before the tensor is made: a shape without its data is to take no memory. */
static bool shape_takes(enum dtype dtype, const int64_t *dims, unsigned rank, size_t len)
{
	size_t n;

	return shape_count(&n, dims, rank) && size_mul(&n, n, dtype_size(dtype)) && n == len;
}

static struct tensor *load_data(struct RedisModuleIO *rdb, int encver, enum dtype dtype, const int64_t *dims,
				unsigned rank)
{
	struct tensor *t = NULL;
	size_t len;
	char *blob = RedisModule_LoadStringBuffer(rdb, &len);

	if (!blob)
		return NULL;
	if (dtype == DTYPE_STRING) {
		if (tensor_new_strings(&t, dims, rank, blob, len, &redis_allocator) < 0)
			t = NULL;
		for (size_t i = 0; t && encver >= 4 && i < t->count; i++)
			RedisModule_LoadUnsigned(rdb); /* the offsets follow from the strings */
	} else if (shape_takes(dtype, dims, rank, len) &&
		   tensor_new(&t, dtype, dims, rank, false, &redis_allocator) == 0) {
		memcpy(t->data, blob, len);
		for (size_t i = 0; dtype == DTYPE_BOOL && i < len; i++)
			((char *)t->data)[i] = blob[i] != 0;
	}
	RedisModule_Free(blob);
	return t;
}

static void *load(struct RedisModuleIO *rdb, int encver)
{
	int64_t dims[TENSOR_MAX_RANK], rank;
	struct tensor *t = NULL;
	enum dtype dtype;

	if (encver > RDB_ENCODING_VERSION) {
		RedisModule_LogIOError(rdb, "warning", "AI_TENSOR: version %d is newer than this module", encver);
		return NULL;
	}
	if (load_header(rdb, encver, &dtype, &rank, dims))
		t = load_data(rdb, encver, dtype, dims, (unsigned)rank);
	if (t && RedisModule_IsIOError(rdb)) {
		tensor_unref(t);
		t = NULL;
	}
	if (!t)
		RedisModule_LogIOError(rdb, "warning", "AI_TENSOR: the value cannot be read");
	return t;
}

static struct RedisModuleString **dims_as_strings(const struct tensor *t, struct RedisModuleString **ret)
{
	for (unsigned i = 0; i < t->rank; i++)
		ret[i] = RedisModule_CreateStringFromLongLong(NULL, t->dims[i]);
	return ret;
}

static void free_strings(struct RedisModuleString **s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		RedisModule_FreeString(NULL, s[i]);
}

static void rewrite(struct RedisModuleIO *aof, struct RedisModuleString *key, void *value)
{
	const struct tensor *t = value;
	struct RedisModuleString *dims[TENSOR_MAX_RANK];

	RedisModule_EmitAOF(aof, "AI.TENSORSET", "scvcb", key, dtype_name(t->dtype), dims_as_strings(t, dims),
			    (size_t)t->rank, "BLOB", (const char *)t->data, t->size);
	free_strings(dims, t->rank);
}

void tensor_replicate(struct RedisModuleCtx *ctx, struct RedisModuleString *key, const struct tensor *t)
{
	struct RedisModuleString *dims[TENSOR_MAX_RANK];

	RedisModule_Replicate(ctx, "AI.TENSORSET", "scvcb", key, dtype_name(t->dtype), dims_as_strings(t, dims),
			      (size_t)t->rank, "BLOB", (const char *)t->data, t->size);
	free_strings(dims, t->rank);
}

/* DEBUG DIGEST: what TENSORGET shows, as one ordered sequence. */
static void digest(struct RedisModuleDigest *md, void *value)
{
	const struct tensor *t = value;
	const char *dtype = dtype_name(t->dtype);

	RedisModule_DigestAddStringBuffer(md, dtype, strlen(dtype));
	for (unsigned i = 0; i < t->rank; i++)
		RedisModule_DigestAddLongLong(md, t->dims[i]);
	RedisModule_DigestAddStringBuffer(md, t->data, t->size);
	RedisModule_DigestEndSequence(md);
}

static void release(void *value)
{
	tensor_unref(value);
}

static size_t memory(const void *value)
{
	return tensor_memory(value);
}

static size_t free_effort(struct RedisModuleString *key, const void *value)
{
	(void)key;
	return free_cost(((const struct tensor *)value)->size);
}

/* A tensor in the keyspace never changes, so two keys may share it. */
static void *copy(struct RedisModuleString *from, struct RedisModuleString *to, const void *value)
{
	(void)from;
	(void)to;
	return tensor_ref((struct tensor *)(uintptr_t)value);
}

const struct RedisModuleTypeMethods tensor_type_methods = {
	.version = REDISMODULE_TYPE_METHOD_VERSION,
	.rdb_load = load,
	.rdb_save = save,
	.aof_rewrite = rewrite,
	.mem_usage = memory,
	.digest = digest,
	.free = release,
	.free_effort = free_effort,
	.copy = copy,
};

int tensorset_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct RedisModuleKey *key;
	struct tensor *t;
	struct error err;
	int r;

	if (argc < 4)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.TENSORSET"));
	key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
	if (RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY &&
	    RedisModule_ModuleTypeGetType(key) != redisai.tensor_type) {
		RedisModule_CloseKey(key);
		return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
	}
	r = tensor_parse(&t, argv + 2, argc - 2, false, NULL, &err);
	if (r < 0 && command_is_replayed(ctx)) /* asked only now: it takes longer than parsing does */
		r = tensor_parse(&t, argv + 2, argc - 2, true, NULL, &err);
	if (r == 0)
		RedisModule_ModuleTypeSetValue(key, redisai.tensor_type, t);
	RedisModule_CloseKey(key);
	if (r < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int tensorget_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct error err;
	unsigned format;
	void *t;

	if (argc < 2 || argc > 4)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.TENSORGET"));
	if (keyspace_get(ctx, argv[1], redisai.tensor_type, ERROR_TENSOR_KEY_EMPTY, &t, &err) < 0 ||
	    tensor_parse_format(&format, argv + 2, argc - 2, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	tensor_reply(ctx, t, format);
	return REDISMODULE_OK;
}
