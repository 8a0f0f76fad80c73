/*
 * rdb_texts.h - lists of names in an RDB: their number, then each with its NUL.
 */
#ifndef SERVERS_REDISAI_RDB_TEXTS_H
#define SERVERS_REDISAI_RDB_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "servers/redisai/redis_api.h"

void rdb_save_texts(struct RedisModuleIO *rdb, char *const *texts, size_t n);
/* False where it is no such list; what was read so far is to be freed all the same. */
bool rdb_load_texts(struct RedisModuleIO *rdb, char ***ret, size_t *ret_n);
void rdb_free_texts(char **texts, size_t n); /* NULL is a no-op */

#endif
