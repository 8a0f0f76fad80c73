/*
 * redis_api.h - the part of Redis' module interface (version 1, Redis 6.2 and later) that the module uses.
 *
 * Debian ships no redismodule.h, and the interface needs none: a module asks Redis for each function by its name.
 * The names, and the shape of struct RedisModuleTypeMethods, are Redis' own.
 */
#ifndef SERVERS_REDISAI_REDIS_API_H
#define SERVERS_REDISAI_REDIS_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct RedisModuleCtx;
struct RedisModuleString;
struct RedisModuleKey;
struct RedisModuleIO;
struct RedisModuleType;
struct RedisModuleBlockedClient;
struct RedisModuleInfoCtx;
struct RedisModuleDigest;
struct RedisModuleDefragCtx;
struct RedisModuleCommand;

#define REDISMODULE_OK 0
#define REDISMODULE_ERR 1
#define REDISMODULE_APIVER_1 1
#define REDISMODULE_READ (1 << 0)
#define REDISMODULE_WRITE (1 << 1)
#define REDISMODULE_KEYTYPE_EMPTY 0
#define REDISMODULE_KEYTYPE_MODULE 6
#define REDISMODULE_POSTPONED_LEN (-1)
#define REDISMODULE_OPTIONS_HANDLE_IO_ERRORS (1 << 0)
#define REDISMODULE_CTX_FLAGS_LUA (1 << 0)
#define REDISMODULE_CTX_FLAGS_MULTI (1 << 1)
#define REDISMODULE_CTX_FLAGS_READONLY (1 << 4)
#define REDISMODULE_CTX_FLAGS_REPLICATED (1 << 12)
#define REDISMODULE_CTX_FLAGS_LOADING (1 << 13)
#define REDISMODULE_CTX_FLAGS_DENY_BLOCKING (1 << 21)
#define REDISMODULE_NOTIFY_GENERIC (1 << 2)
#define REDISMODULE_ERRORMSG_WRONGTYPE "WRONGTYPE Operation against a key holding the wrong kind of value"

/* Version 3 of the structure, which Redis 6.2 and all later ones take. */
#define REDISMODULE_TYPE_METHOD_VERSION 3
struct RedisModuleTypeMethods {
	uint64_t version;
	void *(*rdb_load)(struct RedisModuleIO *rdb, int encver);
	void (*rdb_save)(struct RedisModuleIO *rdb, void *value);
	void (*aof_rewrite)(struct RedisModuleIO *aof, struct RedisModuleString *key, void *value);
	size_t (*mem_usage)(const void *value);
	void (*digest)(struct RedisModuleDigest *digest, void *value);
	void (*free)(void *value);
	int (*aux_load)(struct RedisModuleIO *rdb, int encver, int when);
	void (*aux_save)(struct RedisModuleIO *rdb, int when);
	int aux_save_triggers;
	size_t (*free_effort)(struct RedisModuleString *key, const void *value);
	void (*unlink)(struct RedisModuleString *key, const void *value);
	void *(*copy)(struct RedisModuleString *from, struct RedisModuleString *to, const void *value);
	int (*defrag)(struct RedisModuleDefragCtx *ctx, struct RedisModuleString *key, void **value);
};

#define REDISMODULE_EVENT_SHUTDOWN 5
struct RedisModuleEvent {
	uint64_t id, dataver;
};

/* What a command does with a key, for users who may only read or only write it: one of the first four, then what of the
 * value it uses or changes. */
#define REDISMODULE_CMD_KEY_RO (1 << 0)
#define REDISMODULE_CMD_KEY_RW (1 << 1)
#define REDISMODULE_CMD_KEY_OW (1 << 2)
#define REDISMODULE_CMD_KEY_RM (1 << 3)
#define REDISMODULE_CMD_KEY_ACCESS (1 << 4)
#define REDISMODULE_CMD_KEY_UPDATE (1 << 5)
#define REDISMODULE_CMD_KEY_DELETE (1 << 7)

/* Version 1 of the structures of SetCommandInfo, which Redis 7.0 and all later ones take. */
struct RedisModuleCommandInfoVersion {
	int version;
	size_t history_size, key_spec_size, arg_size; /* of one element of each list */
};
enum { REDISMODULE_KSPEC_BS_INVALID, REDISMODULE_KSPEC_BS_UNKNOWN, REDISMODULE_KSPEC_BS_INDEX };
enum { REDISMODULE_KSPEC_FK_OMITTED }; /* one key, where the search begins */
struct RedisModuleCommandKeySpec {
	const char *notes;
	uint64_t flags;
	unsigned begin_search_type;
	union {
		struct {
			int pos;
		} index;
		struct {
			const char *keyword;
			int start_from;
		} keyword;
	} bs;
	unsigned find_keys_type;
	struct {
		int values[3];
	} fk;
};
struct RedisModuleCommandInfo {
	const struct RedisModuleCommandInfoVersion *version;
	const char *summary, *complexity, *since;
	const void *history;
	const char *tips;
	int arity;                                         /* 0: as it is */
	const struct RedisModuleCommandKeySpec *key_specs; /* up to one of zeros */
	const void *args;
};

typedef int (*RedisModuleCmdFunc)(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

/* X(type, name, arguments) */
#define REDIS_API_LIST(X) \
	X(void *, Alloc, (size_t size)) \
	X(void *, Calloc, (size_t n, size_t size)) \
	X(void, Free, (void *p)) \
	X(size_t, MallocSize, (void *p)) \
	X(void, SetModuleAttribs, (struct RedisModuleCtx * ctx, const char *name, int ver, int apiver)) \
	X(int, IsModuleNameBusy, (const char *name)) \
	X(int, CreateCommand, \
	  (struct RedisModuleCtx * ctx, const char *name, RedisModuleCmdFunc f, const char *flags, int first, \
	   int last, int step)) \
	X(struct RedisModuleType *, CreateDataType, \
	  (struct RedisModuleCtx * ctx, const char *name, int encver, struct RedisModuleTypeMethods *methods)) \
	X(int, RegisterInfoFunc, \
	  (struct RedisModuleCtx * ctx, void (*f)(struct RedisModuleInfoCtx * info, int for_crash_report))) \
	X(int, InfoAddSection, (struct RedisModuleInfoCtx * ctx, const char *name)) \
	X(int, InfoAddFieldCString, (struct RedisModuleInfoCtx * ctx, const char *field, const char *value)) \
	X(int, InfoAddFieldLongLong, (struct RedisModuleInfoCtx * ctx, const char *field, long long value)) \
	X(void, SetModuleOptions, (struct RedisModuleCtx * ctx, int options)) \
	X(int, SubscribeToServerEvent, \
	  (struct RedisModuleCtx * ctx, struct RedisModuleEvent event, \
	   void (*f)(struct RedisModuleCtx * ctx, struct RedisModuleEvent event, uint64_t subevent, void *data))) \
	X(int, SubscribeToKeyspaceEvents, \
	  (struct RedisModuleCtx * ctx, int types, \
	   int (*f)(struct RedisModuleCtx * ctx, int type, const char *event, struct RedisModuleString *key))) \
	X(int, GetContextFlags, (struct RedisModuleCtx * ctx)) \
	X(int, IsKeysPositionRequest, (struct RedisModuleCtx * ctx)) \
	X(void, KeyAtPos, (struct RedisModuleCtx * ctx, int pos)) \
	X(int, ReplyWithSimpleString, (struct RedisModuleCtx * ctx, const char *text)) \
	X(int, ReplyWithCString, (struct RedisModuleCtx * ctx, const char *text)) \
	X(int, ReplyWithStringBuffer, (struct RedisModuleCtx * ctx, const char *data, size_t len)) \
	X(int, ReplyWithLongLong, (struct RedisModuleCtx * ctx, long long value)) \
	X(int, ReplyWithDouble, (struct RedisModuleCtx * ctx, double value)) \
	X(int, ReplyWithArray, (struct RedisModuleCtx * ctx, long len)) \
	X(void, ReplySetArrayLength, (struct RedisModuleCtx * ctx, long len)) \
	X(int, ReplyWithNull, (struct RedisModuleCtx * ctx)) \
	X(int, ReplyWithError, (struct RedisModuleCtx * ctx, const char *text)) \
	X(void *, OpenKey, (struct RedisModuleCtx * ctx, struct RedisModuleString * key, int mode)) \
	X(void, CloseKey, (struct RedisModuleKey * key)) \
	X(int, KeyType, (struct RedisModuleKey * key)) \
	X(int, DeleteKey, (struct RedisModuleKey * key)) \
	X(int, ModuleTypeSetValue, (struct RedisModuleKey * key, struct RedisModuleType * type, void *value)) \
	X(void *, ModuleTypeGetValue, (struct RedisModuleKey * key)) \
	X(struct RedisModuleType *, ModuleTypeGetType, (struct RedisModuleKey * key)) \
	X(const char *, StringPtrLen, (const struct RedisModuleString *s, size_t *len)) \
	X(int, StringToLongLong, (const struct RedisModuleString *s, long long *ret)) \
	X(int, StringToDouble, (const struct RedisModuleString *s, double *ret)) \
	X(struct RedisModuleString *, CreateString, (struct RedisModuleCtx * ctx, const char *data, size_t len)) \
	X(struct RedisModuleString *, CreateStringFromLongLong, (struct RedisModuleCtx * ctx, long long value)) \
	X(struct RedisModuleString *, HoldString, (struct RedisModuleCtx * ctx, struct RedisModuleString * s)) \
	X(void, FreeString, (struct RedisModuleCtx * ctx, struct RedisModuleString * s)) \
	X(struct RedisModuleBlockedClient *, BlockClient, \
	  (struct RedisModuleCtx * ctx, RedisModuleCmdFunc reply, RedisModuleCmdFunc timeout, \
	   void (*free_privdata)(struct RedisModuleCtx * ctx, void *data), long long timeout_ms)) \
	X(int, UnblockClient, (struct RedisModuleBlockedClient * bc, void *data)) \
	X(void *, GetBlockedClientPrivateData, (struct RedisModuleCtx * ctx)) \
	X(int, BlockedClientMeasureTimeStart, (struct RedisModuleBlockedClient * bc)) \
	X(int, BlockedClientMeasureTimeEnd, (struct RedisModuleBlockedClient * bc)) \
	X(int, Replicate, (struct RedisModuleCtx * ctx, const char *command, const char *fmt, ...)) \
	X(int, ReplicateVerbatim, (struct RedisModuleCtx * ctx)) \
	X(void, EmitAOF, (struct RedisModuleIO * io, const char *command, const char *fmt, ...)) \
	X(void, SaveUnsigned, (struct RedisModuleIO * io, uint64_t value)) \
	X(uint64_t, LoadUnsigned, (struct RedisModuleIO * io)) \
	X(void, SaveSigned, (struct RedisModuleIO * io, int64_t value)) \
	X(int64_t, LoadSigned, (struct RedisModuleIO * io)) \
	X(void, SaveStringBuffer, (struct RedisModuleIO * io, const char *data, size_t len)) \
	X(char *, LoadStringBuffer, (struct RedisModuleIO * io, size_t * len)) \
	X(int, IsIOError, (struct RedisModuleIO * io)) \
	X(void, DigestAddStringBuffer, (struct RedisModuleDigest * md, const char *data, size_t len)) \
	X(void, DigestAddLongLong, (struct RedisModuleDigest * md, long long value)) \
	X(void, DigestEndSequence, (struct RedisModuleDigest * md)) \
	X(void, LogIOError, (struct RedisModuleIO * io, const char *level, const char *fmt, ...)) \
	X(const struct RedisModuleString *, GetKeyNameFromIO, (struct RedisModuleIO * io)) \
	X(void, Log, (struct RedisModuleCtx * ctx, const char *level, const char *fmt, ...))

/* X as above; NULL where the server is too old to have them. */
#define REDIS_API_OPTIONAL_LIST(X) \
	X(void *, TryAlloc, (size_t size)) \
	X(void, KeyAtPosWithFlags, (struct RedisModuleCtx * ctx, int pos, int flags)) \
	X(struct RedisModuleCommand *, GetCommand, (struct RedisModuleCtx * ctx, const char *name)) \
	X(int, SetCommandInfo, (struct RedisModuleCommand * command, const struct RedisModuleCommandInfo *info))

#define REDIS_API_EXTERN(type, name, args) extern type(*RedisModule_##name) args;
REDIS_API_LIST(REDIS_API_EXTERN)
REDIS_API_OPTIONAL_LIST(REDIS_API_EXTERN)
#undef REDIS_API_EXTERN

/* Asks for every function; the name of the first that this server lacks, or NULL. */
const char *redis_api_bind(struct RedisModuleCtx *ctx);

#endif
