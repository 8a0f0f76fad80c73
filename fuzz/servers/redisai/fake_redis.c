/*
 * fake_redis.c - the functions of Redis that the module asks for: memory, keyspace, replies, registration.
 */
#include "fuzz/servers/redisai/fake_redis.h"

#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/arith.h"
#include "common/buf.h"
#include "fuzz/servers/redisai/fake_io.h"
#include "fuzz/servers/redisai/fake_strings.h"
#include "servers/redisai/module.h"

/* tests/servers/redisai/backend/torch.c, linked in. */
extern const struct backend_ops aibench_backend;

#define KEYS_MAX 64
#define COMMANDS_MAX 32
#define DEPTH_MAX 8
#define ALLOCATION_MAX ((size_t)256 << 20)

int RedisModule_OnLoad(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

struct RedisModuleType {
	char name[16];
	struct RedisModuleTypeMethods methods;
};

struct entry {
	struct RedisModuleString *name;
	struct RedisModuleType *type; /* NULL: a string */
	void *value;
};

struct RedisModuleKey {
	struct RedisModuleString *name;
	struct entry *entry; /* NULL: empty */
};

struct RedisModuleBlockedClient {
	RedisModuleCmdFunc reply;
	void (*free_data)(struct RedisModuleCtx *ctx, void *data);
	void *data;
	bool done;
};

/* What is asked for inside the array at each depth; -1: not said yet. */
struct RedisModuleCtx {
	int (*get_api)(const char *name, void *ret);
	long wanted[DEPTH_MAX];
	unsigned depth, replies;
	bool keys_request, failed;
	int argc;
};

static struct entry keys[KEYS_MAX];
static struct {
	char name[32];
	RedisModuleCmdFunc run;
	bool reports_keys;
} commands[COMMANDS_MAX];
static size_t ncommands;
static struct RedisModuleBlockedClient *blocked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t unblocked = PTHREAD_COND_INITIALIZER;
static struct RedisModuleType types[4];
static size_t ntypes;
static bool loading;
static struct buf model;

void fake_redis_check(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fake_redis: %s\n", what);
		abort();
	}
}

/* ---- memory ---- */

static void *fake_Alloc(size_t size)
{
	return malloc(size ? size : 1);
}

static void *fake_TryAlloc(size_t size)
{
	return size > ALLOCATION_MAX ? NULL : fake_Alloc(size);
}

static void *fake_Calloc(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

static size_t fake_MallocSize(void *p)
{
	return malloc_usable_size(p);
}

static void fake_Free(void *p)
{
	free(p);
}

/* ---- keyspace ---- */

static bool same(const struct RedisModuleString *a, const struct RedisModuleString *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void drop(struct entry *e)
{
	if (e->type)
		e->type->methods.free(e->value);
	fake_FreeString(NULL, e->name);
	memset(e, 0, sizeof(*e));
}

static void *fake_OpenKey(struct RedisModuleCtx *ctx, struct RedisModuleString *name, int mode)
{
	struct RedisModuleKey *k = calloc(1, sizeof(*k));

	(void)ctx;
	fake_redis_check(k, "out of memory");
	k->name = name;
	for (size_t i = 0; i < KEYS_MAX; i++) {
		if (keys[i].name && same(keys[i].name, name))
			k->entry = &keys[i];
	}
	if (!k->entry && !(mode & REDISMODULE_WRITE)) {
		free(k);
		return NULL;
	}
	return k;
}

static void fake_CloseKey(struct RedisModuleKey *k)
{
	free(k);
}

static int fake_KeyType(struct RedisModuleKey *k)
{
	if (!k || !k->entry)
		return REDISMODULE_KEYTYPE_EMPTY;
	return k->entry->type ? REDISMODULE_KEYTYPE_MODULE : 1;
}

static int fake_DeleteKey(struct RedisModuleKey *k)
{
	if (k->entry)
		drop(k->entry);
	k->entry = NULL;
	return REDISMODULE_OK;
}

static int fake_ModuleTypeSetValue(struct RedisModuleKey *k, struct RedisModuleType *type, void *value)
{
	size_t i;

	fake_DeleteKey(k);
	for (i = 0; i < KEYS_MAX && keys[i].name; i++)
		continue;
	if (i == KEYS_MAX) /* full: the last one goes */
		drop(&keys[--i]);
	keys[i] = (struct entry){fake_HoldString(NULL, k->name), type, value};
	k->entry = &keys[i];
	return REDISMODULE_OK;
}

static void *fake_ModuleTypeGetValue(struct RedisModuleKey *k)
{
	return k->entry->value;
}

static struct RedisModuleType *fake_ModuleTypeGetType(struct RedisModuleKey *k)
{
	return k && k->entry ? k->entry->type : NULL;
}

/* ---- replies ---- */

/* An element begins: it counts in its array, or is the answer itself. */
static void count_element(struct RedisModuleCtx *ctx)
{
	if (ctx->depth == 0)
		ctx->replies++;
	else if (ctx->wanted[ctx->depth - 1] > 0)
		ctx->wanted[ctx->depth - 1]--;
}

static void close_full_arrays(struct RedisModuleCtx *ctx)
{
	while (ctx->depth && ctx->wanted[ctx->depth - 1] == 0)
		ctx->depth--;
}

static int one_reply(struct RedisModuleCtx *ctx)
{
	count_element(ctx);
	close_full_arrays(ctx);
	return REDISMODULE_OK;
}

static int fake_ReplyWithArray(struct RedisModuleCtx *ctx, long len)
{
	fake_redis_check(len >= 0 || len == REDISMODULE_POSTPONED_LEN, "a negative array");
	fake_redis_check(ctx->depth < DEPTH_MAX, "arrays nested too deep");
	count_element(ctx);
	ctx->wanted[ctx->depth++] = len;
	close_full_arrays(ctx);
	return REDISMODULE_OK;
}

static void fake_ReplySetArrayLength(struct RedisModuleCtx *ctx, long len)
{
	fake_redis_check(ctx->depth && ctx->wanted[ctx->depth - 1] == REDISMODULE_POSTPONED_LEN && len >= 0,
			 "no open array");
	ctx->depth--;
	close_full_arrays(ctx);
}

static int reply_text(struct RedisModuleCtx *ctx, const char *text)
{
	fake_redis_check(text && !strpbrk(text, "\r\n"), "a reply with a line break");
	return one_reply(ctx);
}

static int fake_ReplyWithError(struct RedisModuleCtx *ctx, const char *text)
{
	ctx->failed = true;
	return reply_text(ctx, text);
}

static int fake_ReplyWithStringBuffer(struct RedisModuleCtx *ctx, const char *data, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)data[i];
	fake_redis_check(sum <= 255 * len, "no bytes");
	return one_reply(ctx);
}

static int fake_ReplyWithCString(struct RedisModuleCtx *ctx, const char *text)
{
	return fake_ReplyWithStringBuffer(ctx, text, strlen(text));
}

static int reply_longlong(struct RedisModuleCtx *ctx, long long value)
{
	(void)value;
	return one_reply(ctx);
}

static int reply_double(struct RedisModuleCtx *ctx, double value)
{
	(void)value;
	return one_reply(ctx);
}

static int fake_BlockedTime(struct RedisModuleBlockedClient *bc)
{
	(void)bc;
	return REDISMODULE_OK;
}

static struct RedisModuleBlockedClient *fake_BlockClient(struct RedisModuleCtx *ctx, RedisModuleCmdFunc reply,
							 RedisModuleCmdFunc timeout,
							 void (*free_data)(struct RedisModuleCtx *ctx, void *data),
							 long long timeout_ms)
{
	(void)ctx;
	(void)timeout;
	(void)timeout_ms;
	fake_redis_check(!blocked, "blocked twice");
	blocked = calloc(1, sizeof(*blocked));
	fake_redis_check(blocked, "out of memory");
	blocked->reply = reply;
	blocked->free_data = free_data;
	return blocked;
}

static int fake_UnblockClient(struct RedisModuleBlockedClient *bc, void *data)
{
	pthread_mutex_lock(&lock);
	fake_redis_check(!bc->done, "unblocked twice");
	bc->data = data;
	bc->done = true;
	pthread_cond_signal(&unblocked);
	pthread_mutex_unlock(&lock);
	return REDISMODULE_OK;
}

static void *fake_GetBlockedClientPrivateData(struct RedisModuleCtx *ctx)
{
	(void)ctx;
	return blocked->data;
}

/* ---- registration and the rest ---- */

static int fake_CreateCommand(struct RedisModuleCtx *ctx, const char *name, RedisModuleCmdFunc run, const char *flags,
			      int first, int last, int step)
{
	(void)ctx;
	(void)first;
	(void)last;
	(void)step;
	fake_redis_check(ncommands < COMMANDS_MAX, "too many commands");
	snprintf(commands[ncommands].name, sizeof(commands[0].name), "%s", name);
	commands[ncommands].reports_keys = strstr(flags, "getkeys-api") != NULL;
	commands[ncommands++].run = run;
	return REDISMODULE_OK;
}

static struct RedisModuleType *fake_CreateDataType(struct RedisModuleCtx *ctx, const char *name, int encver,
						   struct RedisModuleTypeMethods *methods)
{
	(void)ctx;
	(void)encver;
	fake_redis_check(ntypes < ARRAY_LEN(types), "too many types");
	snprintf(types[ntypes].name, sizeof(types[0].name), "%s", name);
	types[ntypes].methods = *methods;
	return &types[ntypes++];
}

static int fake_IsKeysPositionRequest(struct RedisModuleCtx *ctx)
{
	return ctx->keys_request;
}

static void fake_KeyAtPos(struct RedisModuleCtx *ctx, int pos)
{
	fake_redis_check(pos > 0 && pos < ctx->argc, "a key that is no argument");
}

static void fake_KeyAtPosWithFlags(struct RedisModuleCtx *ctx, int pos, int flags)
{
	fake_redis_check(flags & (REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_OW),
			 "a key that is neither read nor written");
	fake_KeyAtPos(ctx, pos);
}

static int fake_GetContextFlags(struct RedisModuleCtx *ctx)
{
	(void)ctx;
	return loading ? REDISMODULE_CTX_FLAGS_LOADING : 0;
}

static int returns_ok(void)
{
	return 0;
}

/* Functions whose calls do not matter here get one that takes no notice of its arguments. */
static const struct {
	const char *name;
	void (*function)(void);
} functions[] = {
#define FAKE(name) \
	{ \
		"RedisModule_" #name, (void (*)(void))fake_##name \
	}
#define FAKE_AS(name, f) \
	{ \
		"RedisModule_" #name, (void (*)(void))(f) \
	}
	FAKE(Alloc),
	FAKE(TryAlloc),
	FAKE(Calloc),
	FAKE(Free),
	FAKE(MallocSize),
	FAKE(CreateString),
	FAKE(CreateStringFromLongLong),
	FAKE(HoldString),
	FAKE(FreeString),
	FAKE(StringPtrLen),
	FAKE(StringToLongLong),
	FAKE(StringToDouble),
	FAKE(OpenKey),
	FAKE(CloseKey),
	FAKE(KeyType),
	FAKE(DeleteKey),
	FAKE(ModuleTypeSetValue),
	FAKE(ModuleTypeGetValue),
	FAKE(ModuleTypeGetType),
	FAKE(ReplyWithArray),
	FAKE(ReplySetArrayLength),
	FAKE(ReplyWithStringBuffer),
	FAKE(ReplyWithCString),
	FAKE_AS(ReplyWithSimpleString, reply_text),
	FAKE(ReplyWithError),
	FAKE_AS(ReplyWithLongLong, reply_longlong),
	FAKE_AS(ReplyWithDouble, reply_double),
	FAKE_AS(ReplyWithNull, one_reply),
	FAKE(BlockClient),
	FAKE(UnblockClient),
	FAKE(GetBlockedClientPrivateData),
	FAKE_AS(BlockedClientMeasureTimeStart, fake_BlockedTime),
	FAKE_AS(BlockedClientMeasureTimeEnd, fake_BlockedTime),
	FAKE(CreateCommand),
	FAKE(CreateDataType),
	FAKE(GetContextFlags),
	FAKE(IsKeysPositionRequest),
	FAKE(KeyAtPos),
	FAKE(KeyAtPosWithFlags),
	FAKE(LoadUnsigned),
	FAKE(LoadSigned),
	FAKE(LoadStringBuffer),
	FAKE(IsIOError),
	FAKE(GetKeyNameFromIO),
	FAKE(SaveUnsigned),
	FAKE(SaveSigned),
	FAKE(SaveStringBuffer),
	FAKE(EmitAOF),
};

static int get_api(const char *name, void *ret)
{
	void (*f)(void) = (void (*)(void))returns_ok;

	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (strcmp(functions[i].name, name) == 0)
			f = functions[i].function;
	}
	memcpy(ret, &f, sizeof(f));
	return REDISMODULE_OK;
}

/* ---- for the targets ---- */

/* A field of bytes, as protobuf writes them. */
static void field(struct buf *b, unsigned number, const void *data, size_t len)
{
	const unsigned char head[2] = {(unsigned char)(number << 3 | 2), (unsigned char)len};

	buf_append(b, head, sizeof(head));
	buf_append(b, data, len);
}

/* GraphDef: a = Placeholder, b = Placeholder, mul = Mul(a, b), all of them float. */
static void make_model(void)
{
	static const char *const nodes[][4] = {
		{"a", "Placeholder", "dtype", NULL}, {"b", "Placeholder", "dtype", NULL}, {"mul", "Mul", "T", "a"}};
	static const unsigned char is_float[] = {6 << 3, 1};

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		struct buf node = {0}, attr = {0};

		field(&node, 1, nodes[i][0], strlen(nodes[i][0]));
		field(&node, 2, nodes[i][1], strlen(nodes[i][1]));
		if (nodes[i][3]) {
			field(&node, 3, "a", 1);
			field(&node, 3, "b", 1);
		}
		field(&attr, 1, nodes[i][2], strlen(nodes[i][2]));
		field(&attr, 2, is_float, sizeof(is_float));
		field(&node, 5, attr.data, attr.len);
		field(&model, 1, node.data, node.len);
		buf_release(&node);
		buf_release(&attr);
	}
}

const char *fake_redis_model(size_t *ret_len)
{
	if (!model.len)
		make_model();
	*ret_len = model.len;
	return model.data;
}

/* Takes every model's key away, so that nobody waits for a batch any longer. */
static void drop_models(void)
{
	for (size_t i = 0; i < KEYS_MAX; i++) {
		if (keys[i].name && keys[i].type && strcmp(keys[i].type->name, "AI__MODEL") == 0)
			drop(&keys[i]);
	}
}

static bool wait_unblocked(int seconds)
{
	struct timespec until;
	bool done;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&lock);
	while (!blocked->done && pthread_cond_timedwait(&unblocked, &lock, &until) == 0)
		continue;
	done = blocked->done;
	pthread_mutex_unlock(&lock);
	return done;
}

static void finish_blocked(struct RedisModuleCtx *ctx, bool batches)
{
	if (batches)
		drop_models();
	fake_redis_check(wait_unblocked(60), "a job that never ends");
	blocked->reply(ctx, NULL, 0);
	blocked->free_data(ctx, blocked->data);
	free(blocked);
	blocked = NULL;
}

bool fake_redis_run(struct RedisModuleString **argv, int argc, bool batches)
{
	bool failed = true;

	for (size_t i = 0; i < ncommands; i++) {
		struct RedisModuleCtx ctx = {.get_api = get_api, .argc = argc};

		if (strcasecmp(commands[i].name, argv[0]->data) != 0)
			continue;
		if (commands[i].reports_keys) {
			ctx.keys_request = true;
			commands[i].run(&ctx, argv, argc);
			fake_redis_check(ctx.replies == 0, "an answer to a question for keys");
			ctx.keys_request = false;
		}
		commands[i].run(&ctx, argv, argc);
		if (blocked) {
			fake_redis_check(ctx.replies == 0, "answered and blocked");
			finish_blocked(&ctx, batches);
		}
		fake_redis_check(ctx.replies == 1 && ctx.depth == 0, "not one whole answer");
		failed = ctx.failed;
	}
	return !failed;
}

void fake_redis_start(void)
{
	struct RedisModuleCtx ctx = {.get_api = get_api};

	if (ncommands > 0)
		return;
	fake_redis_check(RedisModule_OnLoad(&ctx, NULL, 0) == REDISMODULE_OK, "the module does not load");
	/* As if it had been loaded from its file. */
	redisai.backends.loaded[BACKEND_TORCH] = &aibench_backend;
}

struct RedisModuleString *fake_redis_string(const char *data, size_t len)
{
	return fake_CreateString(NULL, data, len);
}

void fake_redis_string_free(struct RedisModuleString *s)
{
	fake_FreeString(NULL, s);
}

void fake_redis_set_loading(bool now)
{
	loading = now;
}

void fake_redis_flush(void)
{
	for (size_t i = 0; i < KEYS_MAX; i++) {
		if (keys[i].name)
			drop(&keys[i]);
	}
}

void *fake_redis_value(const struct RedisModuleString *name)
{
	for (size_t i = 0; i < KEYS_MAX; i++) {
		if (keys[i].name && same(keys[i].name, name))
			return keys[i].value;
	}
	fake_redis_check(false, "a key that is not there");
	return NULL;
}

const struct RedisModuleTypeMethods *fake_redis_type(const char *name)
{
	for (size_t i = 0; i < ntypes; i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i].methods;
	}
	return NULL;
}
