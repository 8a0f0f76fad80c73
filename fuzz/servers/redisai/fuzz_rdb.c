/*
 * fuzz_rdb.c - values of the module's types as an RDB holds them, whole or not.
 *
 * The first byte of an input picks the type (low half) and the encoding version (high half); the rest is the value's
 * pieces as Redis writes them. What loads must be a value like any other: saved and loaded again it is the same, the
 * command that an AOF would have for it makes the same, and it can be measured, copied and freed.
 */
#include <stdint.h>
#include <string.h>

#include "common/arith.h"
#include "fuzz/servers/redisai/fake_io.h"

#define NEWEST 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {"AI_TENSOR", "AI__MODEL", "AI_SCRIPT"};
static const char key_name[] = "k";

static void *load(const struct RedisModuleTypeMethods *type, struct RedisModuleString *key, const void *data,
		  size_t len, int version)
{
	struct RedisModuleIO io = {.data = data, .len = len, .key = key};
	void *value = type->rdb_load(&io, version);

	fake_redis_check(!value || !io.failed, "a value from bytes that are not there");
	return value;
}

static struct buf save(const struct RedisModuleTypeMethods *type, void *value)
{
	struct RedisModuleIO io = {0};

	type->rdb_save(&io, value);
	fake_redis_check(!io.saved.failed, "out of memory");
	return io.saved;
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Takes over the value, which is to say `want` when it is saved. */
static void expect_saved(const struct RedisModuleTypeMethods *type, void *value, const struct buf *want)
{
	struct buf got;

	fake_redis_check(value, "a value that does not load again");
	got = save(type, value);
	fake_redis_check(same(&got, want), "another value than the one that was saved");
	buf_release(&got);
	type->free(value);
}

static void expect_rewritten(const struct RedisModuleTypeMethods *type, struct RedisModuleString *key, void *value,
			     const struct buf *want)
{
	struct RedisModuleIO io = {0};
	struct buf got;

	type->aof_rewrite(&io, key, value);
	fake_redis_set_loading(true);
	fake_redis_check(fake_redis_run(io.argv, io.argc, false), "an append-only file that does not load");
	fake_redis_set_loading(false);
	got = save(type, fake_redis_value(key));
	fake_redis_check(same(&got, want), "another value from the append-only file");
	buf_release(&got);
	fake_redis_flush();
	fake_io_release(&io);
}

static void use(const struct RedisModuleTypeMethods *type, struct RedisModuleString *key, void *value)
{
	struct buf saved = save(type, value);

	expect_saved(type, load(type, key, saved.data, saved.len, NEWEST), &saved);
	expect_rewritten(type, key, value, &saved);
	if (type->copy)
		expect_saved(type, type->copy(key, key, value), &saved);
	fake_redis_check(type->mem_usage(value) > 0, "a value that takes no memory");
	if (type->free_effort)
		type->free_effort(key, value);
	if (type->digest)
		type->digest(NULL, value);
	if (type->unlink)
		type->unlink(key, value);
	type->free(value);
	buf_release(&saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct RedisModuleTypeMethods *type;
	struct RedisModuleString *key;
	void *value;

	fake_redis_start();
	if (size == 0 || (data[0] & 15) >= ARRAY_LEN(types))
		return 0;
	type = fake_redis_type(types[data[0] & 15]);
	if (!type)
		return 0;
	key = fake_redis_string(key_name, strlen(key_name));
	value = load(type, key, data + 1, size - 1, data[0] >> 4);
	fake_redis_check(!value || data[0] >> 4 <= NEWEST, "a version that is not known");
	if (value)
		use(type, key, value);
	fake_redis_string_free(key);
	return 0;
}
