/*
 * module.c - what Redis calls when it loads the module, the table of commands, and access to the keyspace.
 */
#include "servers/redisai/module.h"

#include <stdlib.h>

#include "common/arith.h"
#include "common/version.h"
#include "servers/redisai/info.h"
#include "servers/redisai/model_type.h"
#include "servers/redisai/script_type.h"
#include "servers/redisai/tensor_type.h"

struct module redisai;

static void *allocate(size_t size)
{
	return RedisModule_TryAlloc ? RedisModule_TryAlloc(size) : RedisModule_Alloc(size);
}

static void *allocate_zero(size_t n, size_t size)
{
	size_t total;
	void *p;

	if (!size_mul(&total, n, size))
		return NULL;
	p = allocate(total);
	if (p)
		memset(p, 0, total);
	return p;
}

static void release(void *p)
{
	RedisModule_Free(p);
}

static size_t size_of(void *p)
{
	return RedisModule_MallocSize(p);
}

const struct allocator redis_allocator = {allocate, allocate_zero, release, size_of};

int keyspace_get(struct RedisModuleCtx *ctx, struct RedisModuleString *name, struct RedisModuleType *type,
		 const char *missing, void **ret, struct error *err)
{
	struct RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
	void *value = NULL;
	bool right;

	if (!key)
		return error_set(err, ERR_NOT_FOUND, "%s", missing);
	right = RedisModule_ModuleTypeGetType(key) == type;
	if (right)
		value = RedisModule_ModuleTypeGetValue(key);
	RedisModule_CloseKey(key);
	if (!right)
		return error_set(err, ERR_INVALID, REDISMODULE_ERRORMSG_WRONGTYPE);
	*ret = value;
	return 0;
}

int keyspace_set(struct RedisModuleCtx *ctx, struct RedisModuleString *name, struct RedisModuleType *type, void *value)
{
	struct RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
	int r = RedisModule_ModuleTypeSetValue(key, type, value);

	RedisModule_CloseKey(key);
	return r;
}

int keyspace_delete(struct RedisModuleCtx *ctx, struct RedisModuleString *name, struct RedisModuleType *type,
		    const char *missing, struct error *err)
{
	struct RedisModuleKey *key;
	void *value;
	int r = keyspace_get(ctx, name, type, missing, &value, err);

	if (r < 0)
		return r;
	key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
	RedisModule_DeleteKey(key);
	RedisModule_CloseKey(key);
	return 0;
}

bool keyspace_holds_other(struct RedisModuleCtx *ctx, struct RedisModuleString *name, struct RedisModuleType *type)
{
	struct RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
	bool other = key && RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY &&
		     RedisModule_ModuleTypeGetType(key) != type;

	RedisModule_CloseKey(key);
	return other;
}

int reply_texts(struct RedisModuleCtx *ctx, char *const *texts, size_t n)
{
	RedisModule_ReplyWithArray(ctx, (long)n);
	for (size_t i = 0; i < n; i++)
		RedisModule_ReplyWithCString(ctx, texts[i]);
	return REDISMODULE_OK;
}

enum {
	KEY_READ = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,
	KEY_WRITE = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE,
	KEY_DELETE = REDISMODULE_CMD_KEY_RM | REDISMODULE_CMD_KEY_DELETE,
};

/* Lower case, so that INFO COMMANDSTATS says cmdstat_ai.modelrun. Arity is checked by the commands themselves: Redis
 * would print the lower case name in its error, and clients expect the upper case one. */
static const struct {
	const char *name;
	RedisModuleCmdFunc run;
	const char *flags;
	int key_use; /* of the first argument, the only key; 0: see the command's keys position request, or none */
} commands[] = {
	{"ai.tensorset", tensorset_command, "write deny-oom", KEY_WRITE},
	{"ai.tensorget", tensorget_command, "readonly", KEY_READ},
	{"ai.modelstore", modelstore_command, "write deny-oom", KEY_WRITE},
	{"ai.modelset", modelset_command, "write deny-oom", KEY_WRITE},
	{"ai.modelget", modelget_command, "readonly", KEY_READ},
	{"ai.modeldel", modeldel_command, "write", KEY_DELETE},
	{"ai._modelscan", modelscan_command, "readonly", 0},
	{"ai.scriptstore", scriptstore_command, "write deny-oom", KEY_WRITE},
	{"ai.scriptset", scriptset_command, "write deny-oom", KEY_WRITE},
	{"ai.scriptget", scriptget_command, "readonly", KEY_READ},
	{"ai.scriptdel", scriptdel_command, "write", KEY_DELETE},
	{"ai._scriptscan", scriptscan_command, "readonly", 0},
	{"ai.modelrun", modelrun_command, "write deny-oom getkeys-api", 0},
	{"ai.modelexecute", modelexecute_command, "write deny-oom getkeys-api", 0},
	{"ai.scriptrun", scriptrun_command, "write deny-oom getkeys-api", 0},
	{"ai.scriptexecute", scriptexecute_command, "write deny-oom getkeys-api", 0},
	{"ai.dagrun", dagrun_command, "write deny-oom getkeys-api", 0},
	{"ai.dagrun_ro", dagrun_ro_command, "readonly getkeys-api", 0},
	{"ai.dagexecute", dagexecute_command, "write deny-oom getkeys-api", 0},
	{"ai.dagexecute_ro", dagexecute_ro_command, "readonly getkeys-api", 0},
	{"ai.info", info_command, "readonly", KEY_READ},
	{"ai.config", config_command, "admin", 0},
};

/* Everything is saved by now. Workers end before the process does: libraries that they run in take themselves down in
 * exit(). What runs is finished first. */
static void shut_down(struct RedisModuleCtx *ctx, struct RedisModuleEvent event, uint64_t subevent, void *data)
{
	(void)ctx;
	(void)event;
	(void)subevent;
	(void)data;
	devices_release(&redisai.devices);
}

/* A key of ours has a new name: the SCAN commands are to show it. */
static int follow_rename(struct RedisModuleCtx *ctx, int type, const char *event, struct RedisModuleString *name)
{
	struct arg key = arg_view(name);
	void *value;

	(void)type;
	if (strcmp(event, "rename_to") != 0)
		return REDISMODULE_OK;
	if (keyspace_get(ctx, name, redisai.model_type, "", &value, NULL) == 0)
		registry_rename(&redisai.models, &((struct stored_model *)value)->stored, key.data, key.len);
	else if (keyspace_get(ctx, name, redisai.script_type, "", &value, NULL) == 0)
		registry_rename(&redisai.scripts, &((struct stored_script *)value)->stored, key.data, key.len);
	return REDISMODULE_OK;
}

/* Says what the command does with its key, for users who may only read or only write it. Redis 7 asks for it. */
static int declare_key(struct RedisModuleCtx *ctx, const char *name, int use)
{
	static const struct RedisModuleCommandInfoVersion version = {
		.version = 1, .key_spec_size = sizeof(struct RedisModuleCommandKeySpec)};
	const struct RedisModuleCommandKeySpec specs[2] = {
		{.flags = (uint64_t)use, .begin_search_type = REDISMODULE_KSPEC_BS_INDEX, .bs.index.pos = 1}};
	const struct RedisModuleCommandInfo info = {.version = &version, .key_specs = specs};

	if (!RedisModule_GetCommand || !RedisModule_SetCommandInfo)
		return REDISMODULE_OK;
	return RedisModule_SetCommandInfo(RedisModule_GetCommand(ctx, name), &info);
}

static int create_types(struct RedisModuleCtx *ctx)
{
	const struct {
		struct RedisModuleType **ret;
		const char *name;
		struct RedisModuleTypeMethods methods;
	} types[] = {{&redisai.tensor_type, "AI_TENSOR", tensor_type_methods},
		     {&redisai.model_type, "AI__MODEL", model_type_methods},
		     {&redisai.script_type, "AI_SCRIPT", script_type_methods}};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct RedisModuleTypeMethods methods = types[i].methods;

		*types[i].ret = RedisModule_CreateDataType(ctx, types[i].name, RDB_ENCODING_VERSION, &methods);
		if (!*types[i].ret)
			return REDISMODULE_ERR;
	}
	return REDISMODULE_OK;
}

static int register_all(struct RedisModuleCtx *ctx)
{
	if (create_types(ctx) != REDISMODULE_OK)
		return REDISMODULE_ERR;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		int key = commands[i].key_use ? 1 : 0;

		if (RedisModule_CreateCommand(ctx, commands[i].name, commands[i].run, commands[i].flags, key, key,
					      key) != REDISMODULE_OK)
			return REDISMODULE_ERR;
		if (key && declare_key(ctx, commands[i].name, commands[i].key_use) != REDISMODULE_OK)
			return REDISMODULE_ERR;
	}
	if (RedisModule_RegisterInfoFunc(ctx, info_sections) != REDISMODULE_OK ||
	    RedisModule_SubscribeToKeyspaceEvents(ctx, REDISMODULE_NOTIFY_GENERIC, follow_rename) != REDISMODULE_OK)
		return REDISMODULE_ERR;
	return RedisModule_SubscribeToServerEvent(
		ctx, (struct RedisModuleEvent){.id = REDISMODULE_EVENT_SHUTDOWN, .dataver = 1}, shut_down);
}

static int start(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct device *cpu;
	struct error err;
	int r;

	queue_set_intra_op(1); /* models that run in line are too small to be split */
	config_defaults(&redisai.config);
	registry_init(&redisai.models);
	registry_init(&redisai.scripts);
	r = config_load_arguments(&redisai.config, ctx, argv, argc, &err);
	if (r == 0) {
		struct queue_config queue = {.threads = (unsigned)redisai.config.threads_per_queue,
					     .intra_op = (unsigned)redisai.config.intra_op_parallelism};

		r = devices_get(&redisai.devices, &queue, "CPU", 3, &cpu, &err);
	}
	if (r < 0)
		RedisModule_Log(ctx, "warning", "%s", err.text);
	return r < 0 ? REDISMODULE_ERR : REDISMODULE_OK;
}

static void stop(void)
{
	devices_release(&redisai.devices);
	dag_pool_release(&redisai.pool);
	config_release(&redisai.config);
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(struct RedisModuleCtx *ctx,
							      struct RedisModuleString **argv, int argc);

int RedisModule_OnLoad(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	const char *missing = redis_api_bind(ctx);

	if (missing) {
		if (RedisModule_Log)
			RedisModule_Log(ctx, "warning", "this Redis has no %s: 6.2 or later is needed", missing);
		return REDISMODULE_ERR;
	}
	if (RedisModule_IsModuleNameBusy(MODULE_NAME))
		return REDISMODULE_ERR;
	RedisModule_SetModuleAttribs(ctx, MODULE_NAME, MODULE_VERSION, REDISMODULE_APIVER_1);
	RedisModule_SetModuleOptions(ctx, REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
	if (start(ctx, argv, argc) != REDISMODULE_OK || register_all(ctx) != REDISMODULE_OK) {
		stop();
		return REDISMODULE_ERR;
	}
	RedisModule_Log(ctx, "notice", "aibench " AIBENCH_VERSION " (%s): models of TF, TFLITE and ONNX on CPU",
			aibench_git_commit);
	return REDISMODULE_OK;
}
