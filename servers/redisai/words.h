/*
 * words.h - the rest of a command line, read from the left.
 */
#ifndef SERVERS_REDISAI_WORDS_H
#define SERVERS_REDISAI_WORDS_H

#include "servers/redisai/module.h"

struct words {
	struct RedisModuleString **argv;
	int argc, at;
};

static inline int words_left(const struct words *w)
{
	return w->argc - w->at;
}

static inline bool words_next_is(const struct words *w, const char *word)
{
	return words_left(w) > 0 && arg_is(w->argv[w->at], word);
}

static inline bool words_take(struct words *w, const char *word)
{
	if (!words_next_is(w, word))
		return false;
	w->at++;
	return true;
}

/* The next word as a number; false where there is none or it is no number. */
static inline bool words_take_number(struct words *w, long long *ret)
{
	return words_left(w) > 0 && RedisModule_StringToLongLong(w->argv[w->at++], ret) == REDISMODULE_OK;
}

#endif
