/*
 * rdb_texts.c - lists of names in an RDB.
 */
#include "servers/redisai/rdb_texts.h"

#include <string.h>

/* More inputs, outputs or entry points than this are none. */
#define TEXTS_MAX 65536

void rdb_save_texts(struct RedisModuleIO *rdb, char *const *texts, size_t n)
{
	RedisModule_SaveUnsigned(rdb, n);
	for (size_t i = 0; i < n; i++)
		RedisModule_SaveStringBuffer(rdb, texts[i], strlen(texts[i]) + 1);
}

bool rdb_load_texts(struct RedisModuleIO *rdb, char ***ret, size_t *ret_n)
{
	uint64_t n = RedisModule_LoadUnsigned(rdb);

	if (RedisModule_IsIOError(rdb) || n > TEXTS_MAX)
		return false;
	*ret = RedisModule_Calloc(n ? n : 1, sizeof(char *));
	*ret_n = n;
	for (uint64_t i = 0; i < n; i++) {
		size_t len;

		(*ret)[i] = RedisModule_LoadStringBuffer(rdb, &len);
		if (!(*ret)[i] || len == 0 || (*ret)[i][len - 1] != '\0')
			return false;
	}
	return true;
}

void rdb_free_texts(char **texts, size_t n)
{
	for (size_t i = 0; texts && i < n; i++)
		RedisModule_Free(texts[i]);
	RedisModule_Free(texts);
}
