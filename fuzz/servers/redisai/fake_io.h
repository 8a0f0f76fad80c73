/*
 * fake_io.h - the reading and writing end of a key's value: the pieces of an RDB's bytes, and a command for the AOF.
 */
#ifndef FUZZ_SERVERS_REDISAI_FAKE_IO_H
#define FUZZ_SERVERS_REDISAI_FAKE_IO_H

#include "common/buf.h"
#include "fuzz/servers/redisai/fake_redis.h"

/* Zero-initialise; what is read is in [data, data + len). */
struct RedisModuleIO {
	const unsigned char *data;
	size_t len, at;
	bool failed; /* the pieces that were asked for are not there */
	struct buf saved;
	struct RedisModuleString *key;
	struct RedisModuleString **argv; /* of the command that EmitAOF was given */
	int argc;
};

/* Frees what was saved and emitted; the key is the caller's. */
void fake_io_release(struct RedisModuleIO *io);

/* RedisModule_… */
uint64_t fake_LoadUnsigned(struct RedisModuleIO *io);
int64_t fake_LoadSigned(struct RedisModuleIO *io);
char *fake_LoadStringBuffer(struct RedisModuleIO *io, size_t *len);
int fake_IsIOError(struct RedisModuleIO *io);
const struct RedisModuleString *fake_GetKeyNameFromIO(struct RedisModuleIO *io);
void fake_SaveUnsigned(struct RedisModuleIO *io, uint64_t value);
void fake_SaveSigned(struct RedisModuleIO *io, int64_t value);
void fake_SaveStringBuffer(struct RedisModuleIO *io, const char *data, size_t len);
void fake_EmitAOF(struct RedisModuleIO *io, const char *command, const char *fmt, ...);

#endif
